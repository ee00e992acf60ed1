// Routes that read well and do nothing good: those that can never match, and those that repeat the route above them. Asked
// only of a configuration without errors.
import DivertCore

/// Walks the routes beside their text, once.
final class RouteWarnings {
  let context: LoadContext
  let judge = ConditionJudge()
  let conflicts: Conflicts
  var needs: [String: Set<EventField>] = [:]

  init(_ context: LoadContext) {
    self.context = context
    conflicts = Conflicts(patterns: judge.patterns)
  }

  /// `node`: the mapping that `routes` were made from.
  func check(_ routes: [Route], _ node: YAMLNode, above: RouteFrame = RouteFrame()) {
    guard let entries = node.entries, entries.count == routes.count else { return }
    for (route, entry) in zip(routes, entries) { check(route, entry, above) }
  }

  private func check(_ route: Route, _ entry: YAMLNode.Entry, _ above: RouteFrame) {
    guard var frame = enter(route, above) else { return reportNever(route, entry, above) }
    if addsNothing(route, above) { reportIdle(entry, above) }
    if let items = entry.value["send"]?.items, items.count == route.sends.count {
      for (send, item) in zip(route.sends, items) { check(send, item, &frame) }
    }
    checkMemory(route, entry, frame)
    if let children = entry.value["also"] { check(route.children, children, above: frame) }
  }

  /// What holds where the route matches; nil: it never does.
  private func enter(_ route: Route, _ above: RouteFrame) -> RouteFrame? {
    var frame = above
    frame.path = route.path
    for term in route.when.terms { guard add(term, to: &frame) else { return nil } }
    return frame
  }

  private func add(_ term: Condition, to frame: inout RouteFrame) -> Bool {
    let judgement = judge.judge(term)
    frame.cases = frame.cases & judgement.mayHold
    frame.maybe = frame.maybe | judgement.mayFail
    guard !frame.cases.isEmpty, !conflicts.excludes(frame.terms, term) else { return false }
    frame.terms.add(term)
    return true
  }

  /// Every term of the route's condition holds wherever the routes above match.
  private func addsNothing(_ route: Route, _ above: RouteFrame) -> Bool {
    let terms = route.when.terms
    guard above.path != nil, !terms.isEmpty else { return false }
    return terms.allSatisfy { term in
      (judge.judge(term).mayFail & above.cases).isEmpty || conflicts.follows(term, from: above.terms)
    }
  }

  private func reportIdle(_ entry: YAMLNode.Entry, _ above: RouteFrame) {
    guard let when = entry.value.entry("when"), let parent = above.path else { return }
    context.warn(
      "adds_nothing", when.keyPlace, "this condition always holds where route '\(parent)' matches",
      "remove it, or put what was meant in its place")
  }
}

// Why a route never matches.
extension RouteWarnings {
  private func reportNever(_ route: Route, _ entry: YAMLNode.Entry, _ above: RouteFrame) {
    guard let when = entry.value.entry("when") else { return }
    var frame = above
    let scratch = LoadContext(conditions: context.conditionScope)
    for term in when.value.entries ?? [] {
      for condition in scratch.term(term) {
        let before = frame
        if add(condition, to: &frame) { continue }
        return frame.cases.isEmpty
          ? reportCases(route, term, condition, before.cases) : reportConflict(route, term, condition, before.terms)
      }
    }
    context.warn("never_matches", when.keyPlace, "route '\(route.path)' can never match", "remove it, or mend 'when'")
  }

  private func reportCases(_ route: Route, _ term: YAMLNode.Entry, _ condition: Condition, _ before: CaseSet) {
    let kind = before.phrase
    if case .value(.field(let field), _) = condition, before.isWithin(.without(field)) {
      context.warn(
        "impossible_field", term.keyPlace, "'\(field.rawValue)' is never there for \(kind): this route can never match",
        "remove the condition, or ask for another event")
      return
    }
    var hint = "remove the route, or mend 'when'"
    if case .value(.field(let field), _) = condition {
      let values = before.values(of: field)
      if !values.isEmpty, values.count <= 4 { hint = "its \(field.rawValue) is \(values.joined(separator: " or "))" }
    }
    context.warn(
      "never_matches", term.keyPlace,
      "route '\(route.path)' can never match: '\(condition.phrase)' holds for no \(kind)"
        + (kind == "event" ? " that the other conditions let through" : ""), hint)
  }

  private func reportConflict(_ route: Route, _ term: YAMLNode.Entry, _ condition: Condition, _ before: Conjunction) {
    var other = "the other conditions"
    if case .value(let path, _) = condition, let known = before.byPath[path], let last = known.last {
      other = "'\(path) \(last)'"
    }
    context.warn(
      "never_matches", term.keyPlace,
      "route '\(route.path)' can never match: '\(condition.phrase)' contradicts \(other)",
      "remove the route, or mend 'when'")
  }
}

extension Condition {
  /// The conditions that must hold, each; none for a condition that always holds.
  var terms: [Condition] {
    if case .all(let parts) = self { parts } else { [self] }
  }

  /// As messages say it.
  fileprivate var phrase: String {
    switch self {
    case .value(let path, let comparison): "\(path) \(comparison)"
    case .not(let inner): "not (\(inner.phrase))"
    case .count, .suppressed: words
    case .any(let parts): parts.count == 1 ? parts[0].phrase : "any of …"
    case .all(let parts): parts.count == 1 ? parts[0].phrase : "all of …"
    }
  }
}

extension YAMLNode {
  /// The entry with this key; nil where there is none.
  func entry(_ key: String) -> Entry? { entries?.first { $0.key == key } }
}
