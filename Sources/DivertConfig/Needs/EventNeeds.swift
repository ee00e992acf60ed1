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
    for route in loaded.table?.parts.routes ?? [] { add(route, above: nil) }
    for entry in loaded.root?["routes"]?.entries ?? [] { addLater(entry.value, entry.key) }
  }

  private mutating func add(_ route: Route, above: Set<String>?) {
    guard route.enabled else { return }
    let own = route.when.eventNames
    let names = own.map { own in above.map { $0.intersection(own) } ?? own } ?? above
    if !route.sends.isEmpty {
      for name in names ?? [] { add(name, route.path) }
      if names == nil { open.append(route.path) }
    }
    for child in route.children { add(child, above: names) }
  }

  private mutating func add(_ event: String, _ route: String) {
    if routes[event]?.contains(route) != true { routes[event, default: []].append(route) }
  }

  /// Events that are waited for after another one: those of `expect` and of a send's `unless`.
  private mutating func addLater(_ route: YAMLNode, _ path: String) {
    if route["enabled"]?.text == "false" { return }
    let unless = (route["send"]?.items ?? []).compactMap { $0["unless"] }
    for condition in [route["expect"]?["when"]].compactMap({ $0 }) + unless {
      for name in Self.names(condition["event"]) { add(name, path) }
    }
    for child in route["also"]?.entries ?? [] { addLater(child.value, "\(path)/\(child.key)") }
  }

  /// The values that a field is compared with: one, a list, or behind `is` or `in`.
  private static func names(_ node: YAMLNode?) -> [String] {
    guard let node else { return [] }
    if let operators = node.entries {
      return operators.filter { $0.key == "is" || $0.key == "in" }.flatMap { names($0.value) }
    }
    return (node.items ?? [node]).compactMap(\.text)
  }
}

extension Condition {
  /// The events outside which it is false; nil: it says nothing of the event.
  fileprivate var eventNames: Set<String>? {
    switch self {
    case .value(.field(.event), .isOneOf(let values)): return Set(values.compactMap(\.string))
    case .value, .not: return nil
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
