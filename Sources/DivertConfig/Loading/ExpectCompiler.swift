// `expect:` and `once:` of a route.
import DivertCore

extension LoadContext {
  /// `once` with its `per`; nil where there is none.
  func once(_ fields: Fields, of route: Route) -> OnceDefinition? {
    if let per = fields.entry("per"), fields.entry("once") == nil {
      error("contradictory", per.keyPlace, "'per' says whose 'once' it is, and there is no 'once'", "add 'once: 7d'")
    }
    guard let node = fields["once"] else { return nil }
    let per = fields["per"].map { memoryKey($0, "'per'") } ?? route.when.counts.first?.per ?? BookDefinition.standardKey
    if fields["when"] == nil, !route.path.contains("/") {
      error(
        "contradictory", fields.entry("once")?.keyPlace ?? node.place,
        "'once' without 'when' would let one event of any kind through",
        "say which events: when: { event: CALL_REJECTED }")
    }
    return memorySpan(node, "'once'").map { OnceDefinition(route: route.path, period: $0, per: per) }
  }

  /// The promise that a route opens, and what is sent where it is broken.
  func expect(_ entry: YAMLNode.Entry, _ route: inout Route, _ above: RouteAbove) {
    guard let fields = fields(entry.value, .expect, name: entry.keyPlace) else { return }
    let within = fields["within"].flatMap { memorySpan($0, "'within'") }
    let condition = fields["when"].map { eventCondition($0, of: "the 'when' of 'expect'") }
    let key = memoryKey(fields["same"], "'same'")
    if let when = fields["when"], when.entries?.isEmpty == true {
      error(
        "no_value", when.place, "'expect' says no event: any would keep the promise", "when: { event: CALL_ACCEPTED }")
    }
    checkNoLookup(entry, route, above)
    var place = SendPlace(route: route.path, scope: sendScope, prefix: "else.", promise: route.path)
    place.claims = above.claims
    if let within {
      place.earliest = (within, "it is sent where the promise is broken, \(within.duration) after the event")
    }
    route.otherwise = fields["else"].map { sends(list($0, "'else'"), place) } ?? []
    guard let within, let condition else { return }
    let same = words(ofKey: fields["same"]).map { ", same \($0)" } ?? ""
    route.expect = ExpectDefinition(
      book: book(condition, key, span: within), same: key, within: within,
      words: "\(condition.words) within \(within.duration)\(same)")
  }

  /// A promise is opened when the event comes; a lookup is asked later.
  private func checkNoLookup(_ entry: YAMLNode.Entry, _ route: Route, _ above: RouteAbove) {
    let asking = (above.guards.map(\.condition) + (route.asksLookups ? [route.when] : [])).flatMap(\.lookupPaths)
    guard let path = asking.first else { return }
    let message =
      "'expect' cannot stand beneath a lookup: a promise is opened when the event comes, and '\(path)' is asked only when a "
      + "delivery is due"
    error(
      "expect_beneath_lookup", entry.keyPlace, message,
      "move it to a route whose 'when', and those above, ask no lookup")
  }
}

extension Condition {
  /// The lookups' fields that it asks for.
  fileprivate var lookupPaths: [ValuePath] {
    paths.filter { if case .lookup = $0 { true } else { false } }
  }
}
