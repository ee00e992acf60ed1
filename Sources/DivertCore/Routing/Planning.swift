// Event → the deliveries that follow (step 3 of the line). Every route that matches fires, a parent before its
// children.

/// What follows an event, in the order of the file.
package struct Plan: Sendable, Hashable {
  package var deliveries: [PlannedDelivery]
  /// The places of the routes that matched, for `RouteMatches`.
  package var matched: [Int]
  /// Promises that were opened; their `else` is among the deliveries, due when they are judged.
  package var promises: [Promise]
  /// What follows depends on what is stored (`count`, `once`, `expect`): it is planned inside the transaction that stores the event.
  package var asksMemory: Bool

  package init(
    deliveries: [PlannedDelivery] = [], matched: [Int] = [], promises: [Promise] = [], asksMemory: Bool = false
  ) {
    self.deliveries = deliveries
    self.matched = matched
    self.promises = promises
    self.asksMemory = asksMemory
  }
}

extension RouteTable {
  /// What this configuration plans for an event where that can be said without what is stored. Where it `asksMemory`, that is all
  /// that it says: everything is planned inside the transaction that stores the event (`plan(_:suppression:memory:)`).
  /// - Parameter suppression: the entry of the suppression list that holds for the customer now.
  package func plan(_ event: Event, suppression: Suppression? = nil) -> Plan {
    var context = EvaluationContext(event: event, zone: zone, patterns: patterns)
    context.suppression = suppression
    var plan = Plan()
    for place in index.places(for: event.fields.name) {
      if !self.plan(parts.routes[place], context, into: &plan) { return Plan(asksMemory: true) }
    }
    return plan
  }

  /// The source of Divert's own alarms in the store and in counts.
  package static let alarmSource = "divert"

  /// The deliveries of one of Divert's own alarms: every send under `alarms`.
  package func planAlarm(_ event: Event) -> [PlannedDelivery] { parts.alarms.map { planned($0, event) } }

  /// The deliveries of a head of the record: every send of `record.publish`.
  package func planHead(_ event: Event) -> [PlannedDelivery] { parts.recordSends.map { planned($0, event) } }

  /// False: memory is asked.
  private func plan(_ route: Route, _ context: EvaluationContext, into plan: inout Plan) -> Bool {
    guard route.enabled else { return true }
    switch route.standing(context) {
    case .no: return true
    case .unknown: return false
    case .yes: if route.remembers { return false }
    }
    plan.matched.append(route.place)
    add(route.sends, context.event, to: &plan)
    for child in route.children where !self.plan(child, context, into: &plan) { return false }
    return true
  }

  /// Adds what a route that acts sends.
  func add(_ sends: [Send], _ event: Event, from base: Timestamp? = nil, to plan: inout Plan) {
    let own = event.fields.own
    for send in sends where !(own && send.leavesOutOwn) { plan.deliveries.append(planned(send, event, from: base)) }
  }

  /// - Parameter base: from when `after` counts, and when it is due without; nil: the event.
  func planned(_ send: Send, _ event: Event, from base: Timestamp? = nil) -> PlannedDelivery {
    let due = send.isTimed ? send.timing.due(event, from: base) : base ?? event.receivedAt
    let order = send.orderBy.flatMap { key($0, event) }
    return PlannedDelivery(send.planned, orderKey: order, due: due, expires: send.timing.expiry(of: event))
  }

  /// The text of `order_by`, `per` or `same`; nil where a value of it is missing: no key.
  func key(_ template: Template, _ event: Event) -> String? {
    template.key(of: event, zone: zone, country: parts.country, tables: parts.tables)
  }
}

extension SendTiming {
  /// When a send goes out: `after` the event, or after `base`, at a moment that is allowed. What is never allowed is due at once
  /// and held.
  func due(_ event: Event, from base: Timestamp?) -> Timestamp {
    let first: Timestamp
    if let base {
      first = base + after
    } else {
      // Nothing happens after it was received, whatever the source's clock says.
      first = max(event.receivedAt, min(event.fields.at, event.receivedAt) + after)
    }
    return hours?.next(from: first) ?? first
  }

  /// When a send of an event has had its time, by the event's `at`; nil: never.
  package func expiry(of event: Event) -> Timestamp? { expires.map { event.fields.at + $0 } }
}

extension Route {
  enum Standing {
    case yes, no
    /// It depends on counts that were not asked.
    case unknown
  }

  /// Whether it matches; also where it depends on a lookup's answer, which its sends' guards await.
  func standing(_ context: EvaluationContext) -> Standing {
    if !asksLookups, !asksCounts { return when.holds(for: context) ? .yes : .no }
    switch when.verdict(for: context) {
    case true?: return .yes
    case false?: return .no
    case nil: return when.openCounts(for: context).isEmpty ? .yes : .unknown
    }
  }
}
