// A delivery machine on a bench, with short words for the facts that tests tell it.

@testable import DivertCore

/// Tells the machine facts at a time that the test sets.
final class MachineBench {
  var machine = DeliveryMachine(seed: 42)
  var now = Timestamp(milliseconds: 10_000_000)
  private var sequence: Int64 = 0

  init(concurrency: Int = 8, limits: [RateLimit] = [], memory: Int = 256) {
    let settings = TargetSettings(concurrency: concurrency, limits: limits, enabled: true, memory: memory)
    machine.configure(["crm": settings], rulings: [:], now: now)
    _ = machine.orders(now: now)
  }

  func event() -> Event {
    sequence += 1
    let id = EventID(sequence: sequence, tag: 1)
    let fields = Event.Fields(name: "CALL_REJECTED", at: now)
    return Event(id: id, source: "s", receivedAt: now, fields: fields, body: [], raw: .null)
  }

  func plan(key: String? = nil, toPerson: Bool = false, prepares: Bool = false) -> PlannedDelivery {
    PlannedDelivery(
      route: "r", send: "0", target: "crm", action: "a", orderKey: key, due: now, toPerson: toPerson,
      prepares: prepares)
  }

  /// A new event, packed, with one delivery that goes out in stages.
  func arriveInStages(key: String? = nil) {
    machine.planned(event(), version: "v", planned: [plan(key: key, prepares: true)], hot: [0], now: now)
  }

  /// A row of such a delivery that was claimed from a queue (nil: its own target's).
  func claimInStages(queue: String? = nil, toPerson: Bool = false) {
    let event = event()
    let id = DeliveryID(event: event.id, ordinal: 0)
    var delivery = Delivery(id: id, plan: plan(toPerson: toPerson, prepares: true), version: "v")
    delivery.queue = queue
    let found = ClaimedDelivery(delivery: delivery, event: event)
    machine.claimed(Claim(target: queue ?? "crm", deliveries: [found], nextDue: nil), now: now)
  }

  /// A new event, packed, with one delivery a key.
  func arrive(_ keys: [String?] = [nil]) {
    let planned = keys.map { plan(key: $0) }
    machine.planned(event(), version: "v", planned: planned, hot: Array(planned.indices), now: now)
  }

  /// A row that was claimed.
  func claim(_ count: Int = 1, toPerson: Bool = false) {
    let found = (0..<count).map { _ in
      let event = event()
      let id = DeliveryID(event: event.id, ordinal: 0)
      return ClaimedDelivery(delivery: Delivery(id: id, plan: plan(toPerson: toPerson), version: "v"), event: event)
    }
    machine.claimed(Claim(target: "crm", deliveries: found, nextDue: nil), now: now)
  }

  func orders() -> MachineOrders { machine.orders(now: now) }

  func answer(
    _ token: JobToken, _ outcome: AttemptOutcome, status: Int? = 200, wait: Span? = nil,
    retry: RetrySettings = .standard
  ) {
    let attempt = Attempt(
      startedAt: now, duration: .zero, status: status, outcome: outcome, reason: Reason("x", "it said so"), answer: "")
    machine.attempted(token, attempt, wait: wait, retry: retry, now: now)
  }

  func standing() -> LiveStanding? { machine.standing(now: now)["crm"] }
}
