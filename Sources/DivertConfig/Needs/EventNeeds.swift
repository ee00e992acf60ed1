// Which events a configuration's routes wait for: for registering webhooks, and for comparing what is registered with it.
import DivertCore

/// The events that routes ask for.
package struct EventNeeds: Sendable, Hashable {
  /// An event's name → the paths of the routes that ask for it, in the order of the file.
  package private(set) var routes: [String: [String]] = [:]
  /// Routes that ask for no event in particular.
  package private(set) var open: [String] = []

  /// The events of a call's life, which a route that asks for none in particular is taken to mean.
  package static let calls = [
    "CALL_INCOMING_INITIATED", "CALL_OUTGOING_INITIATED", "CALL_ACCEPTED", "CALL_ENDED", "CALL_REJECTED", "CALL_MISSED",
    "CALL_NOT_PICKED",
  ]

  /// Sorted; with the calls' events where a route is open.
  package var events: [String] { Set(routes.keys).union(open.isEmpty ? [] : Self.calls).sorted() }

  package init(_ loaded: LoadResult) {
    guard let parts = loaded.table?.parts else { return }
    for route in parts.routes { add(route, above: nil, parts.books) }
  }

  private mutating func add(_ route: Route, above: Set<String>?, _ books: [String: BookDefinition]) {
    guard route.enabled else { return }
    let own = route.when.eventNames
    let names = own.map { own in above.map { $0.intersection(own) } ?? own } ?? above
    if !route.everySend.isEmpty || route.expect != nil { add(names, route.path) }
    // Events that are waited for after the route's own.
    let later = [route.expect?.book] + route.everySend.map { $0.timing.unless?.book }
    for book in later.compactMap({ $0 }).compactMap({ books[$0] }) { add(book.condition.eventNames, route.path) }
    for child in route.children { add(child, above: names, books) }
  }

  /// Nil: events of any name.
  private mutating func add(_ names: Set<String>?, _ route: String) {
    for name in names ?? [] { add(name, route) }
    if names == nil, !open.contains(route) { open.append(route) }
  }

  private mutating func add(_ event: String, _ route: String) {
    if routes[event]?.contains(route) != true { routes[event, default: []].append(route) }
  }
}

extension Condition {
  /// The events outside which it is false; nil: it says nothing of the event.
  var eventNames: Set<String>? {
    switch self {
    case .value(.field(.event), .isOneOf(let values)): return Set(values.compactMap(\.string))
    case .value, .not, .count, .suppressed: return nil
    case .all(let parts):
      let named = parts.compactMap(\.eventNames)
      return named.first.map { named.dropFirst().reduce($0) { $0.intersection($1) } }
    case .any(let parts):
      let named = parts.map(\.eventNames)
      return named.contains(nil) ? nil : named.compactMap { $0 }.reduce(into: []) { $0.formUnion($1) }
    }
  }
}

extension LoadResult {
  /// The secrets that hold the keys of targets of this type, by the targets' names.
  package func keySecrets(ofTargetType type: String) -> [(target: String, secret: String)] {
    (root?["targets"]?.entries ?? []).compactMap { entry in
      guard entry.value["type"]?.text == type, let key = entry.value["key"]?.text,
        let template = try? Template.parse(key, in: .secretsOnly).get(), case .secret(let name)? = template.single?.path
      else { return nil }
      return (entry.key, name)
    }
  }
}
