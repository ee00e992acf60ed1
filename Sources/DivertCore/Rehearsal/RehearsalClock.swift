// Events one after another on a clock of their own, under one configuration: each is planned when it comes, and each delivery is judged
// when it falls due, as the router would. Nothing is stored, sent or waited for.

/// What a rehearsal takes to be so.
package struct RehearsalSetting: Sendable {
  /// What lookups answer, by full name; what is not among them is open.
  package var lookups: [String: LookupMock] = [:]
  /// The suppression list.
  package var suppressions = SuppressionList()
  /// Targets that take nothing before a moment.
  package var down: [String: Timestamp] = [:]
  /// Routes explain themselves for every event.
  package var explains = true

  package init() {}
}

/// A clock with what was planned on it. What falls due at the moment at which an event comes is judged after that event was planned.
package struct RehearsalClock: Sendable {
  package let table: RouteTable
  package var setting: RehearsalSetting
  private let books: ActiveBooks
  private(set) var memory = RehearsalMemory()
  /// By when they are looked at next.
  private var waiting: [WaitingDelivery] = []
  /// Deliveries that each event has, by its place among the events.
  private var ordinals: [Int] = []
  /// Deliveries of events that did not end yet, by the event's place.
  private var left: [Int: Int] = [:]
  package private(set) var now = Timestamp(milliseconds: 0)

  package init(_ table: RouteTable, _ setting: RehearsalSetting = RehearsalSetting()) {
    self.table = table
    self.setting = setting
    books = table.activeBooks
  }

  /// How many events came.
  package var events: Int { ordinals.count }

  /// What was planned and did not go out or end so far, in the order in which it will be looked at.
  package var pending: [(event: Int, plan: PlannedDelivery)] { waiting.map { ($0.place, $0.plan) } }

  /// Whether everything that follows the event of this place has gone out or ended.
  package func isOver(_ event: Int) -> Bool { left[event] == nil }

  /// The fields of lookups as far as they are known: null for nothing.
  var fields: [String: JSONValue] {
    let known = setting.lookups.compactMap { name, mock in
      table.parts.lookups[name].flatMap { $0.fields(mocked: mock) }.map { (name, $0) }
    }
    return Dictionary(known) { $1 }
  }

  /// The promises that were opened, in their order.
  package var promises: [Promise] { memory.promises }
}

// MARK: - What comes
extension RehearsalClock {
  /// What a route makes of an event.
  package struct Reception: Sendable {
    /// Counted from 0 over the clock's events.
    package var place: Int
    /// Every route's answer with each condition's, in the order of the file.
    package var routes: [RouteExplanation]
    /// What conditions are judged by, counts answered.
    package var context: EvaluationContext
    package var planned: [PlannedDelivery]
    /// What it opened.
    package var promises: [Promise]
  }

  /// An event comes, at the moment of its receipt or, where the clock is past that, now: it is entered in books, keeps promises, and
  /// is planned. What fell due before it must have been taken (`run(until:)`), or is judged with this event known.
  package mutating func receive(_ event: Event) -> Reception {
    now = max(now, event.receivedAt)
    let suppression = setting.suppressions.entry(for: event.fields.customerPhone, at: now)
    let isAlarm = event.source == RouteTable.alarmSource
    memory.feed(event, books)
    let routes =
      isAlarm || !setting.explains
      ? []
      : table.explain(event, lookups: fields, suppression: suppression, memory: &memory)
    let context = table.context(event, fields, suppression, &memory)
    let plan =
      isAlarm
      ? Plan(deliveries: table.planAlarm(event))
      : table.plan(event, suppression: suppression, memory: &memory)
    memory.open(plan.promises)
    let place = ordinals.count
    ordinals.append(0)
    for delivery in plan.deliveries { add(delivery, of: event, place) }
    return Reception(
      place: place, routes: routes, context: context, planned: plan.deliveries, promises: plan.promises)
  }

  private mutating func add(_ plan: PlannedDelivery, of event: Event, _ place: Int, insteadOf expired: String? = nil) {
    let id = DeliveryID(event: event.id, ordinal: ordinals[place])
    ordinals[place] += 1
    left[place, default: 0] += 1
    put(WaitingDelivery(id: id, plan: plan, event: event, place: place, next: plan.due, insteadOf: expired))
  }

  /// Among those that wait, by when it is looked at: it expires also while it waits.
  private mutating func put(_ delivery: WaitingDelivery) {
    var delivery = delivery
    delivery.next = max(now, min(delivery.next, delivery.plan.expires ?? delivery.next))
    var (low, high) = (0, waiting.count)
    while low < high {
      let middle = (low + high) / 2
      if delivery < waiting[middle] { high = middle } else { low = middle + 1 }
    }
    waiting.insert(delivery, at: low)
  }
}

// MARK: - What falls due
extension RehearsalClock {
  /// Lets the clock run and takes what goes out or ends, in its order.
  /// - Parameters:
  ///   - moment: nil: until nothing waits any more.
  ///   - including: also what is due at that very moment.
  package mutating func run(until moment: Timestamp? = nil, including: Bool = true) -> [RehearsedDelivery] {
    var ended: [RehearsedDelivery] = []
    while let first = waiting.first, isDue(first.next, moment, including) {
      waiting.removeFirst()
      now = max(now, first.next)
      if let delivery = pass(first) { ended.append(delivery) }
    }
    if let moment { now = max(now, moment) }
    return ended
  }

  private func isDue(_ time: Timestamp, _ moment: Timestamp?, _ including: Bool) -> Bool {
    guard let moment else { return true }
    return including ? time <= moment : time < moment
  }

  /// Looks at a delivery; nil: it waits on.
  private mutating func pass(_ delivery: WaitingDelivery) -> RehearsedDelivery? {
    if let back = backAt(delivery) {
      wait(delivery, until: back, Reason("target_down", "its target \(delivery.plan.target) takes nothing before then"))
      return nil
    }
    var rehearsed = RehearsedDelivery(
      delivery.plan, delivery.event, delivery.place, delivery.id.ordinal, table, setting.lookups)
    rehearsed.waits = delivery.waits
    rehearsed.endedAt = now
    rehearsed.insteadOf = delivery.insteadOf
    var due = DueContext(
      now: now, suppression: setting.suppressions.entry(for: delivery.event.fields.customerPhone, at: now))
    due.delivery = delivery.id
    if let (until, reason) = rehearsed.run(due, table, &memory) {
      if until - now < Self.patience {
        wait(delivery, until: until, reason)
        return nil
      }
      rehearsed.fail(.skipped(reason))
    }
    if case .expired = rehearsed.end {
      for follow in table.followUps(of: delivery.plan, delivery.event, now: now) {
        add(follow, of: delivery.event, delivery.place, insteadOf: delivery.plan.send)
      }
    }
    end(delivery.place)
    return rehearsed
  }

  /// Nothing waits longer than this for its allowed hours.
  private static let patience = Span.days(800)

  private mutating func end(_ place: Int) {
    let rest = (left[place] ?? 0) - 1
    left[place] = rest > 0 ? rest : nil
  }

  private mutating func wait(_ delivery: WaitingDelivery, until: Timestamp, _ reason: Reason) {
    var later = delivery
    later.next = max(until, now + .milliseconds(1))
    later.waits.append(RehearsedWait(from: now, until: later.next, reason: reason))
    put(later)
  }

  /// When its target takes something again; nil: it does now, or the delivery has expired.
  private func backAt(_ delivery: WaitingDelivery) -> Timestamp? {
    if let expires = delivery.plan.expires, expires <= now { return nil }
    if let back = setting.down[delivery.plan.target], back > now { return back }
    // A target that is switched off never does; what does not expire is shown as it would go out.
    let isOff = table.recipe(for: delivery.plan, newest: table).map { !$0.target.enabled } ?? false
    return isOff ? delivery.plan.expires : nil
  }

  /// Forgets what no later event can ask for: lines that are older than twice the stretch for which they matter.
  package mutating func sweep() { memory.forget(now: now) }
}

/// Why a delivery waited beyond its due time.
package struct RehearsedWait: Sendable, Hashable {
  package var from: Timestamp
  package var until: Timestamp
  package var reason: Reason
}

private struct WaitingDelivery: Sendable, Comparable {
  let id: DeliveryID
  let plan: PlannedDelivery
  let event: Event
  /// The event's, over the clock's.
  let place: Int
  /// When it is looked at.
  var next: Timestamp
  /// The label of the send that expired, whose `otherwise` this is.
  let insteadOf: String?
  var waits: [RehearsedWait] = []

  private var order: (Timestamp, Timestamp, Int, Int) { (next, plan.due, place, id.ordinal) }
  static func < (a: WaitingDelivery, b: WaitingDelivery) -> Bool { a.order < b.order }
  static func == (a: WaitingDelivery, b: WaitingDelivery) -> Bool { a.order == b.order }
}

extension RouteTable {
  /// What conditions are judged by, with all counts of the routes answered.
  fileprivate func context(
    _ event: Event, _ lookups: [String: JSONValue], _ suppression: Suppression?, _ memory: inout RehearsalMemory
  ) -> EvaluationContext {
    var context = EvaluationContext(event: event, zone: zone, patterns: patterns)
    context.memo.lookups = lookups
    context.suppression = suppression
    var rest = parts.routes
    while let route = rest.popLast() {
      if route.asksCounts { for term in route.when.counts { context.answer(term, self, exact: true, &memory) } }
      rest += route.children
    }
    return context
  }
}
