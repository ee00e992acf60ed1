// Event → the deliveries that follow (step 3 of the line). Every route that matches fires, a parent before its
// children.

extension RouteTable {
  /// The deliveries that this configuration plans for an event, in the order of the file.
  package func plan(_ event: Event) -> [PlannedDelivery] {
    var matched: [Int] = []
    return plan(event, matched: &matched)
  }

  /// The same; the places of the routes that matched are appended to `matched`, for `RouteMatches`.
  package func plan(_ event: Event, matched: inout [Int]) -> [PlannedDelivery] {
    let context = EvaluationContext(event: event, zone: zone, patterns: patterns)
    var deliveries: [PlannedDelivery] = []
    for place in index.places(for: event.fields.name) {
      plan(parts.routes[place], context, into: &deliveries, matched: &matched)
    }
    return deliveries
  }

  /// The source of Divert's own alarms in the store and in counts.
  package static let alarmSource = "divert"

  /// The deliveries of one of Divert's own alarms: every send under `alarms`.
  package func planAlarm(_ event: Event) -> [PlannedDelivery] { parts.alarms.map { planned($0, event) } }

  private func plan(
    _ route: Route, _ context: EvaluationContext, into deliveries: inout [PlannedDelivery], matched: inout [Int]
  ) {
    guard route.enabled, route.mayMatch(context) else { return }
    matched.append(route.place)
    let own = context.event.fields.own
    for send in route.sends where !(own && send.leavesOutOwn) { deliveries.append(planned(send, context.event)) }
    for child in route.children { plan(child, context, into: &deliveries, matched: &matched) }
  }

  private func planned(_ send: Send, _ event: Event) -> PlannedDelivery {
    PlannedDelivery(send.planned, orderKey: orderKey(send, event), due: event.receivedAt)
  }

  /// The text of `order_by`; nil where there is none or a value of it is missing: no key, no order.
  private func orderKey(_ send: Send, _ event: Event) -> String? {
    guard let template = send.orderBy else { return nil }
    if let expression = template.single, expression.filters.isEmpty, case .field(let field) = expression.path,
      let text = event.text(field)
    {
      return text
    }
    let context = RenderContext(
      event: event, now: event.receivedAt, zone: zone, country: parts.country, tables: parts.tables)
    guard let text = try? context.text(template), !text.isEmpty else { return nil }
    return text
  }
}

extension Route {
  /// Its condition holds; or it depends on a lookup's answer, which its sends' guards await.
  func mayMatch(_ context: EvaluationContext) -> Bool {
    asksLookups ? when.verdict(for: context) != false : when.holds(for: context)
  }
}

/// What a route made of an event, for `divert find` and `divert check`.
package struct RouteExplanation: Sendable, Hashable {
  package var path: String
  package var enabled: Bool
  /// It fired: enabled, its condition held, and all above it fired; also where that depends on a lookup's answer.
  package var fired: Bool
  package var condition: ConditionExplanation
  /// `target.action` of each send.
  package var sends: [String]
  package var children: [RouteExplanation]

  /// Why it did not fire, as a sentence; nil when it did.
  package var why: String? {
    if fired { return nil }
    if !enabled { return "it is switched off (`enabled: false`)" }
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
  package func explain(_ event: Event, lookups: [String: JSONValue] = [:]) -> [RouteExplanation] {
    var context = EvaluationContext(event: event, zone: zone, patterns: patterns)
    context.memo.lookups = lookups
    return parts.routes.map { explain($0, context, above: true) }
  }

  private func explain(_ route: Route, _ context: EvaluationContext, above: Bool) -> RouteExplanation {
    let condition = route.when.explained(for: context)
    let fired = above && route.enabled && (condition.holds || condition.isOpen)
    return RouteExplanation(
      path: route.path, enabled: route.enabled, fired: fired, condition: condition,
      sends: route.sends.filter { !(context.event.fields.own && $0.leavesOutOwn) }.map { $0.target + "." + $0.action },
      children: route.children.map { explain($0, context, above: fired) })
  }
}
