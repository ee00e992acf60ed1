// A world in which all goes well but the targets: commits at once, jumps from one thing to do to the next, and asks its test for
// each answer. For what takes days, or many targets.

@testable import DivertCore

/// One machine and one model store on a virtual clock.
struct QuietWorld {
  struct Answer {
    var outcome: AttemptOutcome
    var status: Int? = 200
    var wait: Span?
    var after: Span = .milliseconds(50)
  }

  var now = Timestamp(milliseconds: 1_800_000_000_000)
  var machine = DeliveryMachine(seed: 7)
  var store = ModelStore()
  var retry = RetrySettings.standard
  /// What the target makes of a request.
  var answer: (Delivery, Timestamp) -> Answer = { _, _ in Answer(outcome: .ok) }
  private(set) var sent: [(target: String, id: DeliveryID, at: Timestamp)] = []
  private(set) var transfers: [(token: JobToken, startedAt: Timestamp, endsAt: Timestamp, answer: Answer)] = []
  private(set) var died: [DeliveryID] = []
  private(set) var delivered: [DeliveryID] = []
  private(set) var alarms: [AlarmNotice] = []
  private var congested: Set<String> = []

  mutating func configure(_ targets: [String: TargetSettings], credentials: [String: CredentialSettings] = [:]) {
    machine.configure(targets, credentials: credentials, rulings: [:], now: now)
    turn()
  }

  /// A new event with one delivery for each of these.
  mutating func arrive(_ targets: [String], key: String? = nil) {
    let planned = targets.enumerated().map { place, target in
      PlannedDelivery(
        route: "r", send: "\(place)", target: target, action: "a", orderKey: key, due: now, toPerson: false)
    }
    let (event, hot) = store.append(planned, congested: congested, now: now)
    machine.planned(event, version: "v", planned: planned, hot: hot, now: now)
    machine.waiting(store.waitingTargets())
    turn()
  }

  /// Turns until there is nothing more to do at this moment.
  mutating func turn() {
    while true {
      let orders = machine.orders(now: now)
      for change in orders.congestion {
        if change.congested { congested.insert(change.target) } else { congested.remove(change.target) }
      }
      alarms += orders.alarms
      for token in orders.sends { send(token) }
      do { try store.write(orders.batch) } catch { preconditionFailure("\(error)") }
      if orders.turn == nil && orders.claims.isEmpty && orders.letters.isEmpty { return }
      for token in orders.letters { died += machine.job(token).map { [$0.delivery.id] } ?? [] }
      machine.buried(orders.letters, now: now)
      if let turn = orders.turn { machine.committed(turn, now: now) }
      machine.waiting(store.waitingTargets())
      for wish in orders.claims { machine.claimed(store.claim(wish, now: now), now: now) }
    }
  }

  private mutating func send(_ token: JobToken) {
    guard let delivery = machine.job(token)?.delivery else { return }
    sent.append((delivery.plan.target, delivery.id, now))
    let answer = answer(delivery, now)
    transfers.append((token, now, now + answer.after, answer))
  }

  /// On to the next thing that happens, `end` at the latest. False: nothing happens before it.
  mutating func step(until end: Timestamp) -> Bool {
    let next = ([machine.nextWake] + transfers.map(\.endsAt)).compactMap { $0 }.min()
    guard let next, next <= end else {
      now = end
      return false
    }
    now = max(now, next)
    let over = transfers.filter { $0.endsAt <= now }
    transfers.removeAll { $0.endsAt <= now }
    for one in over {
      let attempt = Attempt(
        startedAt: one.startedAt, duration: now - one.startedAt, status: one.answer.status,
        outcome: one.answer.outcome, reason: Reason("x", "it said so"), answer: "")
      if one.answer.outcome == .ok { delivered += machine.job(one.token).map { [$0.delivery.id] } ?? [] }
      machine.attempted(one.token, attempt, wait: one.answer.wait, retry: retry, now: now)
    }
    turn()
    return true
  }

  mutating func run(_ span: Span) {
    let end = now + span
    while step(until: end) {}
  }
}
