// The world around the delivery machine in its walk: a shell that obeys its orders, targets that answer at random, and a judge.

@testable import DivertCore

/// One machine, one store, some targets and a clock, moved a step at a time by a seeded generator.
struct MachineWorld {
  struct Transfer {
    var token: JobToken
    var id: DeliveryID
    var endsAt: Timestamp
    /// The batch in whose request it is.
    var batch: JobToken?
    /// What it asks, where that is not the delivery's own request.
    var stage: WorldStage?
  }

  /// What the database thread tells after one transaction, in its order.
  struct News {
    var planned: [(Event, [PlannedDelivery], hot: [Int])] = []
    var committed: Int?
    var due: [String: Timestamp] = [:]
    var answers: [DueAnswer] = []
    var claims: [Claim] = []
  }

  static let targets = ["a", "b", "c", "person", "look"]
  static let settings: [String: TargetSettings] = [
    "a": TargetSettings(concurrency: 1, limits: [], enabled: true, memory: 8),
    "b": TargetSettings(
      concurrency: 2, limits: [RateLimit(count: 3, per: .seconds(1)), RateLimit(count: 20, per: .seconds(30))],
      enabled: true, memory: 8, credential: "shared"),
    "c": TargetSettings(
      concurrency: 8, limits: [], enabled: true, credential: "shared",
      batches: ["x": BatchShape(most: 5, wait: .milliseconds(300))]),
    "person": TargetSettings(concurrency: 2, limits: [], enabled: true, memory: 8),
    "look": TargetSettings(
      concurrency: 2, limits: [RateLimit(count: 5, per: .seconds(1))], enabled: true, memory: 8),
  ]
  /// Of `b` and `c` together.
  static let credentials = [
    "shared": CredentialSettings(
      limits: [RateLimit(count: 8, per: .seconds(1))], concurrency: 3,
      budget: Budget(most: 2000, period: .hour, zone: "UTC"), renews: true)
  ]
  static let retry = RetrySettings(period: .minutes(2), base: .milliseconds(100), cap: .seconds(5), attempts: 12)

  var random: SplitMix64
  var now = Timestamp(milliseconds: 1_000_000)
  var machine = DeliveryMachine(seed: 1)
  var store = ModelStore()
  /// Orders that the database thread has not worked off.
  var queue: [MachineOrders] = []
  var appends: [[PlannedDelivery]] = []
  var cancels: [Cancel] = []
  var replays: [Delivery] = []
  var news: [News] = []
  var transfers: [Transfer] = []
  var letters: [JobToken] = []
  var congested: Set<String> = []
  /// How likely each target fails, in percent.
  var trouble: [String: Int] = [:]
  /// Deliveries of a line that the machine was told or said ended, in memory; forgotten with a crash.
  var ended: [DeliveryID: DeliveryState] = [:]
  /// Messages to people that may have arrived.
  var reached: Set<DeliveryID> = []
  /// How the shared credential stands, and its requests under way.
  var standing = CredentialStanding.ready
  var underway: Set<JobToken> = []
  /// Those of them that did.
  var arrived: Set<DeliveryID> = []
  /// Questions under way: who asks, and who waits for the answer.
  var asking: [String: (asker: JobToken, waiters: [JobToken])] = [:]
  var log: [String] = []
  var sends = 0
  /// Requests that were no delivery's own, and waits for another's answer.
  var asks = 0
  var waits = 0
  /// Those that memory let go since they last passed a gate, as far as the world sees that.
  var consulted: Set<DeliveryID> = []
  var holds = 0
  var expiries = 0
  var questions = 0

  init(seed: UInt64) {
    random = SplitMix64(state: seed)
    machine.configure(Self.settings, credentials: Self.credentials, rulings: [:], now: now)
  }

  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
  mutating func note(_ line: @autoclosure () -> String) {
    log.append("\(now.milliseconds): \(line())")
    if log.count > 400 { log.removeFirst(200) }
  }

  // MARK: The shell

  /// Ends the machine's turn and takes its orders.
  mutating func turn() throws(Illegal) {
    let orders = machine.orders(now: now)
    for change in orders.congestion {
      if change.congested { congested.insert(change.target) } else { congested.remove(change.target) }
    }
    for token in orders.expired { try expire(token) }
    // What expired as its turn came is gone.
    let sends = orders.sends.filter { !orders.expired.contains($0) || machine.job($0) != nil }
    for token in sends { try isInStages(token) ? advance(token) : send(token) }
    for batch in orders.batches { try send(batch) }
    try judgeCredential()
    for token in orders.letters {
      guard let job = machine.job(token), job.delivery.state == .dead else { throw Illegal("a letter of no dead job") }
      note("letter \(job.delivery.id) \(job.delivery.reason?.code ?? "")")
      letters.append(token)
    }
    if orders.turn != nil || !orders.claims.isEmpty { queue.append(orders) }
    if machine.isRestless { try turn() }
    if !orders.batch.isEmpty && orders.turn == nil { throw Illegal("a batch without a turn") }
  }

  /// What the targets see; the judge of sends.
  mutating func send(_ token: JobToken) throws(Illegal) {
    guard let delivery = machine.job(token)?.delivery else { throw Illegal("a send of no job") }
    let id = delivery.id
    note("send \(id) to \(delivery.plan.target) key \(delivery.plan.orderKey ?? "-")")
    sends += 1
    if transfers.contains(where: { $0.id == id }) { throw Illegal("\(id) is sent while it is in flight") }
    if let state = ended[id] { throw Illegal("\(id) is sent though it is \(state)") }
    try judgeDisk(delivery)
    try judgeOrder(delivery)
    try judgeTiming(delivery)
    let latency = chance(10) ? Int64.random(in: 0..<20_000, using: &random) : Int64.random(in: 0..<200, using: &random)
    transfers.append(Transfer(token: token, id: id, endsAt: now + .milliseconds(latency)))
  }

  /// One request with several: each is judged like one that goes alone.
  private mutating func send(_ batch: BatchOrder) throws(Illegal) {
    let first = transfers.count
    for token in batch.items { try send(token) }
    for place in first..<transfers.count {
      transfers[place].batch = batch.token
      transfers[place].endsAt = transfers[first].endsAt
    }
    if batch.items.count > 5 { throw Illegal("a batch of \(batch.items.count)") }
  }

  /// No more requests are under way than the credential allows, and none begins while it cannot be used.
  private mutating func judgeCredential() throws(Illegal) {
    var requests: Set<JobToken> = []
    for transfer in transfers where transfer.stage == nil {
      let target = machine.job(transfer.token)?.delivery.plan.target
      if target == "b" || target == "c" { requests.insert(transfer.batch ?? transfer.token) }
    }
    if requests.count > 3 { throw Illegal("\(requests.count) requests of one credential are under way") }
    if standing != .ready, !requests.isSubset(of: underway) { throw Illegal("a request went without a token") }
    underway = requests
  }

  mutating func judgeDisk(_ delivery: Delivery) throws(Illegal) {
    let id = delivery.id
    let expected: DeliveryState = delivery.plan.toPerson ? .sending : .waiting
    guard store.state(id) == expected else {
      throw Illegal("\(id) is sent though it is \(store.state(id)?.name ?? "nowhere") on disk")
    }
    if delivery.plan.toPerson {
      if reached.contains(id) { throw Illegal("\(id) may have reached a person and is sent again") }
      reached.insert(id)
      if chance(50) { arrived.insert(id) }
    } else if !store.isPackedOpen(id) && !store.claimed.contains(id) {
      throw Illegal("\(id) is sent from a row that was not claimed")
    }
  }

  func judgeOrder(_ delivery: Delivery) throws(Illegal) {
    guard let line = ModelStore.line(delivery.plan, replay: delivery.replayOf != nil) else { return }
    for transfer in transfers {
      guard let other = machine.job(transfer.token)?.delivery else { continue }
      if ModelStore.line(other.plan, replay: other.replayOf != nil) == line {
        throw Illegal("\(delivery.id) is sent while \(other.id) of its key is in flight")
      }
    }
    for entry in store.events.values {
      for (ordinal, plan) in entry.planned.enumerated() where ModelStore.line(plan, replay: false) == line {
        let id = DeliveryID(event: entry.event.id, ordinal: ordinal)
        let other = store.rows[id] ?? Delivery(id: id, plan: plan, version: "v")
        if !ModelStore.precedes(other, delivery) || ended[other.id] != nil { continue }
        if store.state(other.id)?.isFinal != true { throw Illegal("\(delivery.id) is sent before \(other.id)") }
      }
    }
  }

  // MARK: The database thread

  /// One transaction of everything that waits, or of the oldest turns of it; then its claims.
  mutating func commit() throws(Illegal) {
    let count = queue.isEmpty ? 0 : Int.random(in: 1...queue.count, using: &random)
    let taken = Array(queue.prefix(count))
    queue.removeFirst(count)
    var told = News()
    let before = Set(store.free().map(\.id))
    let expiringBefore = store.expiring()
    let appendFirst = chance(50)
    if appendFirst { append(&told) }
    for orders in taken { try write(orders, &told) }
    if !appendFirst { append(&told) }
    for cancel in cancels {
      for id in store.cancel(cancel) { ended[id] = .skipped }
    }
    cancels = []
    for original in replays where store.rows[original.id]?.replayedBy == nil { store.replay(original, now: now) }
    replays = []
    let written = Set(taken.flatMap(\.batch.rows).map(\.id))
    for row in store.free() where !before.contains(row.id) || written.contains(row.id) {
      let queue = ModelStore.queue(row)
      told.due[queue] = min(told.due[queue] ?? row.due, row.due)
    }
    let expiring = store.expiring().filter { expiringBefore[$0.key] == nil || written.contains($0.key) }
    told.due[ClaimWish.expiring] = expiring.values.min()
    for wish in taken.flatMap(\.claims) { told.claims.append(store.claim(wish, now: now)) }
    consulted.subtract(told.claims.flatMap { $0.deliveries.map(\.delivery.id) })
    note("commit \(told.committed ?? 0), claimed \(told.claims.flatMap { $0.deliveries.map(\.delivery.id) })")
    news.append(told)
  }

  private mutating func write(_ orders: MachineOrders, _ told: inout News) throws(Illegal) {
    for row in orders.batch.rows { try judgeEnd(row.id, row.state) }
    for row in orders.batch.rows { note("row \(row.id) \(row.state) due \(row.due.milliseconds)") }
    for update in orders.batch.packed {
      for case (let ordinal, .ended(let state, _, _)) in update.states.enumerated() {
        try judgeEnd(DeliveryID(event: update.event, ordinal: ordinal), state)
      }
    }
    for question in orders.batch.questions {
      let answer = store.answer(question)
      if answer == .go { consulted.insert(question.delivery) }
      told.answers.append(answer)
    }
    try store.write(orders.batch)
    if let turn = orders.turn { told.committed = turn }
  }

  private func judgeEnd(_ id: DeliveryID, _ state: DeliveryState) throws(Illegal) {
    guard state.isFinal, store.state(id)?.isFinal != true else { return }
    if ended[id] != state { throw Illegal("\(id) is written as \(state) without cause") }
  }

  private mutating func append(_ told: inout News) {
    for planned in appends {
      let (event, hot) = store.append(planned, congested: congested, now: now)
      note("append \(event.id.sequence) \(planned.map { "\($0.target)/\($0.orderKey ?? "-")" }) hot \(hot)")
      told.planned.append((event, planned, hot))
    }
    appends = []
  }

  /// The oldest transaction's news reach the machine.
  mutating func hear() throws(Illegal) {
    if news.isEmpty { return }
    let told = news.removeFirst()
    let plannedFirst = chance(50)
    func plan(_ machine: inout DeliveryMachine) {
      for (event, planned, hot) in told.planned {
        machine.planned(event, version: "v", planned: planned, hot: hot, now: now)
      }
    }
    if plannedFirst { plan(&machine) }
    if let turn = told.committed { machine.committed(turn, answers: told.answers, now: now) }
    if !plannedFirst { plan(&machine) }
    machine.waiting(told.due)
    for claim in told.claims { machine.claimed(claim, now: now) }
    try turn()
  }

  // MARK: The targets

  /// The transfers that are over by now get their answers.
  mutating func answer() throws(Illegal) {
    let over = transfers.filter { $0.endsAt <= now }
    transfers.removeAll { $0.endsAt <= now }
    for transfer in over where transfer.batch == nil {
      try transfer.stage == nil ? answer(transfer) : answer(stage: transfer)
    }
    for batch in Set(over.compactMap(\.batch)) { try answer(batch: batch, over.filter { $0.batch == batch }) }
    try turn()
  }

  /// The whole is answered first: refused, it is divided; else each item has a verdict of its own.
  private mutating func answer(batch: JobToken, _ items: [Transfer]) throws(Illegal) {
    let (outcome, status, wait) = verdict("c", person: false)
    let attempt = Attempt(
      startedAt: now, duration: .zero, status: status, outcome: outcome, reason: Reason("x", "x"), answer: "")
    let tokens = machine.ended(batch: batch, attempt, wait: wait, now: now)
    if tokens != items.map(\.token) { throw Illegal("batch \(batch) ended with other items") }
    note("batch \(items.map(\.id)) \(outcome)")
    if outcome == .fail, tokens.count > 1 {
      machine.divide(tokens.map { ($0, attempt) }, now: now)
    } else {
      for item in items { try answer(item, as: outcome == .ok ? nil : (outcome, status, wait)) }
    }
  }

  private mutating func answer(
    _ transfer: Transfer, as given: (AttemptOutcome, Int?, Span?)? = nil
  ) throws(Illegal) {
    guard let delivery = machine.job(transfer.token)?.delivery else { throw Illegal("\(transfer.id) was forgotten") }
    if chance(2) && trouble[delivery.plan.target] != 0 {
      reached.remove(transfer.id)
      arrived.remove(transfer.id)
      return machine.unsendable(transfer.token, Reason("template", "no value"), now: now)
    }
    let (outcome, status, wait) = given ?? verdict(delivery.plan.target, person: delivery.plan.toPerson)
    note("answer \(transfer.id) \(outcome)")
    switch outcome {
    case .ok, .okDuplicate: ended[transfer.id] = .delivered
    case .park: break
    case .retry, .throttle, .refresh, .fail, .hold, .disable:
      reached.remove(transfer.id)
      arrived.remove(transfer.id)
    }
    let attempt = Attempt(
      startedAt: now, duration: .zero, status: status, outcome: outcome, reason: Reason("x", "x"), answer: "")
    let verify: Span? = Self.verifies(delivery) ? .seconds(1) : nil
    machine.attempted(transfer.token, attempt, wait: wait, retry: Self.retry, verify: verify, now: now)
  }

  mutating func verdict(_ target: String, person: Bool) -> (AttemptOutcome, Int?, Span?) {
    guard chance(trouble[target] ?? 0) else { return (chance(95) ? .ok : .okDuplicate, 200, nil) }
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<30: return person ? (.park, nil, nil) : (.retry, nil, nil)
    case 30..<50: return (.retry, 503, chance(50) ? .seconds(Int64.random(in: -1..<10, using: &random)) : nil)
    case 50..<70: return (.throttle, 429, chance(50) ? .seconds(Int64.random(in: -1..<60, using: &random)) : nil)
    case 70..<71: return (.throttle, 429, .days(40))
    case 71..<80: return (.fail, 422, nil)
    case 80..<93: return (.fail, 403, nil)
    case 93..<97: return (.hold, 401, nil)
    case 97..<98: return (.refresh, 401, .minutes(1))
    case 98..<99: return (.disable, 410, nil)
    default: return (.retry, 408, nil)
    }
  }

  /// The letters' files are on disk.
  mutating func bury() throws(Illegal) {
    for token in letters {
      if let id = machine.job(token)?.delivery.id { ended[id] = .dead }
    }
    machine.buried(letters, now: now)
    letters = []
    try turn()
  }
}
