// Why a route fired for an event or did not, for `divert find`, `divert explain` and `divert test`.

/// What a route made of an event, for `divert find` and `divert check`.
package struct RouteExplanation: Sendable, Hashable {
  package var path: String
  package var enabled: Bool
  /// It fired: enabled, its condition held, and all above it fired; also where that depends on a lookup's answer.
  package var fired: Bool
  package var condition: ConditionExplanation
  /// Why it did not act although its condition held, as a sentence: its `once`. Nil: nothing kept it, or memory was not asked.
  package var withheld: String?
  /// `target.action` of each send.
  package var sends: [String]
  package var children: [RouteExplanation]

  /// Why it did not fire, as a sentence; nil when it did.
  package var why: String? {
    if fired { return nil }
    if !enabled { return "it is switched off (`enabled: false`)" }
    if let withheld { return withheld }
    if condition.holds { return "the route above it did not match" }
    return condition.failures.map { failure in
      let seen = failure.isLeaf ? ", but \(failure.actual.map { "it is \($0)" } ?? "it is missing")" : " does not hold"
      return failure.text + seen
    }.joined(separator: "; ")
  }
}

extension RouteTable {
  /// Every route's answer for an event, in the order of the file.
  /// - Parameter lookups: what they answer, by full name: an object of fields, or null for nothing; what is not among them is open.
  ///   Counts are, too, and `once` is taken to allow it.
  package func explain(
    _ event: Event, lookups: [String: JSONValue] = [:], suppression: Suppression? = nil
  ) -> [RouteExplanation] {
    let context = context(event, lookups, suppression)
    return parts.routes.map { explain($0, context, above: true, withheld: [:]) }
  }

  /// The same with counts and `once` answered by what is stored; nothing is claimed. Equal before the event is planned and after.
  package func explain<Memory: EventMemory>(
    _ event: Event, lookups: [String: JSONValue] = [:], suppression: Suppression? = nil, memory: inout Memory
  ) throws(Memory.Failure) -> [RouteExplanation] {
    var context = context(event, lookups, suppression)
    var withheld: [Int: String] = [:]
    for route in parts.routes { try answer(route, &context, &withheld, &memory) }
    return parts.routes.map { explain($0, context, above: true, withheld: withheld) }
  }

  private func context(
    _ event: Event, _ lookups: [String: JSONValue], _ suppression: Suppression?
  ) -> EvaluationContext {
    var context = EvaluationContext(event: event, zone: zone, patterns: patterns)
    context.memo.lookups = lookups
    context.suppression = suppression
    return context
  }

  /// Asks memory what the routes of a tree would ask it.
  private func answer<Memory: EventMemory>(
    _ route: Route, _ context: inout EvaluationContext, _ withheld: inout [Int: String], _ memory: inout Memory
  ) throws(Memory.Failure) {
    for term in route.when.counts { try context.answer(term, self, exact: true, &memory) }
    if let claim = route.claim(context.event, self), let holder = try claim.holder(for: context.event, &memory) {
      withheld[route.place] = claim.reason(holder).sentence
    }
    for child in route.children { try answer(child, &context, &withheld, &memory) }
  }

  private func explain(
    _ route: Route, _ context: EvaluationContext, above: Bool, withheld: [Int: String]
  ) -> RouteExplanation {
    let condition = route.when.explained(for: context)
    let matches = above && route.enabled && (condition.holds || condition.isOpen)
    let reason = matches ? withheld[route.place] : nil
    let fired = matches && reason == nil
    var explanation = RouteExplanation(
      path: route.path, enabled: route.enabled, fired: fired, condition: condition,
      sends: route.sends.filter { !(context.event.fields.own && $0.leavesOutOwn) }.map { $0.target + "." + $0.action },
      children: route.children.map { explain($0, context, above: fired, withheld: withheld) })
    explanation.withheld = reason
    return explanation
  }
}
