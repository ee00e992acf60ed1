// The delivery machine walked at random from a printed seed: whatever the targets, the disk and the operators do, nothing is lost,
// nothing overtakes its key, and nothing reaches a person twice.

import Testing

@testable import DivertCore

@Suite struct MachineWalkTests {
  @Test(
    "a walk of faults, pauses, cancels, crashes and restarts ends with every delivery ended once", arguments: 1...12)
  func walk(seed: UInt64) throws {
    var world = MachineWorld(seed: seed &* 0x9e37_79b9)
    do {
      for _ in 0..<1500 { try world.step() }
      try world.settleDown()
    } catch {
      Issue.record("seed \(seed): \(error)\n\(world.log.suffix(60).joined(separator: "\n"))")
    }
    #expect(world.holds > 10 && world.expiries > 10 && world.questions > 10, "time and memory hardly had a say")
    #expect(world.sends > 100 && world.asks > 50 && world.asks + world.waits > 55, "the walk hardly moved")
  }
}

extension MachineWorld {
  static let keys: [String?] = ["k1", "k2", "k3", nil]

  /// One thing happens.
  mutating func step() throws(Illegal) {
    switch Int.random(in: 0..<1000, using: &random) {
    case 0..<230: appends.append(plan())
    case 230..<430: try commit()
    case 430..<600: try hear()
    case 600..<780: try answer()
    case 780..<830: try bury()
    case 830..<935: try pass(.milliseconds(Int64.random(in: 0..<400, using: &random)))
    case 935..<955: try jump()
    case 955..<960: try turnCredential()
    case 960..<972: trouble[anyTarget()] = [0, 0, 20, 90, 100].randomElement(using: &random)
    case 972..<978: try operate { $0.machine.pause($1, Reason("paused", "by hand"), now: $0.now) }
    case 978..<989: try operate { $0.machine.resume($1, now: $0.now) }
    case 989..<992: try cancelSome()
    case 992: try operate { $0.machine.giveUp($1, Reason(DeliveryMachine.givenUp, "by hand"), now: $0.now) }
    case 993..<996: replaySome()
    case 996..<998: try shutDown()
    default: try crash()
    }
  }

  mutating func anyTarget() -> String { Self.targets.randomElement(using: &random) ?? "a" }

  private mutating func plan() -> [PlannedDelivery] {
    (0..<Int.random(in: 1...5, using: &random)).map { place in
      let target = anyTarget()
      let key = Self.keys.randomElement(using: &random) ?? nil
      let route = WorldTiming.routes.randomElement(using: &random) ?? "r"
      let isTimed = route != "r"
      let due = isTimed && chance(30) ? now + .milliseconds(Int64.random(in: 0..<4_000, using: &random)) : now
      let expires = isTimed && chance(50) ? now + .milliseconds(Int64.random(in: 0..<15_000, using: &random)) : nil
      return PlannedDelivery(
        route: route, send: "\(place)", target: target, action: "x", orderKey: key, due: due,
        toPerson: target == "person", prepares: isTimed || chance(40), expires: expires)
    }
  }

  mutating func pass(_ span: Span) throws(Illegal) {
    now = now + span
    if let wake = machine.nextWake, wake <= now { try turn() }
  }

  /// Straight to the next moment at which the machine or a target has something to do.
  private mutating func jump() throws(Illegal) {
    let next = ([machine.nextWake] + transfers.map(\.endsAt)).compactMap { $0 }.min()
    if let next, next > now { now = next }
    try turn()
  }

  private mutating func operate(_ act: (inout MachineWorld, String) -> Void) throws(Illegal) {
    let target = anyTarget()
    note("operator: \(target)")
    act(&self, target)
    try turn()
  }

  /// The shared credential's token is fetched, there, or not to be had.
  private mutating func turnCredential() throws(Illegal) {
    let all: [CredentialStanding] = [.ready, .ready, .away, .parked(Reason("invalid_grant", "refused"))]
    let next = all.randomElement(using: &random) ?? .ready
    standing = next
    note("credential \(next)")
    machine.credential("shared", is: next, now: now)
    try turn()
  }

  private mutating func cancelSome() throws(Illegal) {
    let order = Cancel(
      route: nil, target: anyTarget(), event: nil, reason: Reason("cancelled", "by hand"), limit: Int.max)
    for case let job? in machine.jobs where [.ready, .following, .awaiting].contains(job.phase) {
      if order.covers(job.delivery.id, job.delivery.plan) { ended[job.delivery.id] = .skipped }
    }
    note("cancel \(order.target ?? "")")
    _ = machine.cancel(order, now: now)
    try turn()
    cancels.append(order)
  }

  private mutating func replaySome() {
    let dead = store.rows.values.filter { $0.state == .dead && $0.replayedBy == nil && $0.replayOf == nil }
    let oldest = dead.min { ModelStore.precedes($0, $1) }
    if let oldest { replays.append(oldest) }
  }

  /// The process is killed: everything in memory is gone, what had left may have arrived.
  mutating func crash() throws(Illegal) {
    note("crash")
    queue = []
    appends = []
    news = []
    cancels = []
    replays = []
    letters = []
    transfers = []
    asking = [:]
    consulted = []
    congested = []
    ended = ended.filter { store.state($0.key)?.isFinal == true }
    store.forgetClaims()
    machine = DeliveryMachine(seed: random.next())
    machine.configure(Self.settings, credentials: Self.credentials, rulings: store.rulings, now: now)
    standing = .ready
    underway = []
    machine.restore(budgets: store.budgets)
    machine.restore(alarms: store.alarms, now: now)
    for found in store.recovered() { machine.recovered(found, now: now) }
    for found in store.interrupted() { machine.interrupted(found, interruption(found.delivery), now: now) }
    machine.waiting(store.waitingTargets())
    try turn()
  }

  /// An orderly end: requests in flight finish, everything is written.
  private mutating func shutDown() throws(Illegal) {
    note("stop")
    machine.stop()
    try turn()
    for _ in 0..<100 where machine.inFlight > 0 || !queue.isEmpty || !news.isEmpty { try workOff() }
    if machine.inFlight > 0 { throw Illegal("\(machine.inFlight) in flight after the end") }
    for (id, state) in ended where store.state(id) != state { throw Illegal("\(id) was \(state) and is not on disk") }
    try crash()
  }

  private mutating func workOff() throws(Illegal) {
    now = transfers.map(\.endsAt).reduce(now, max)
    try answer()
    try bury()
    try commit()
    while !news.isEmpty { try hear() }
  }

  /// All targets are well, the disabled and paused ones are resumed: everything must come to its end.
  mutating func settleDown() throws(Illegal) {
    trouble = [:]
    note("all is well")
    standing = .ready
    machine.credential("shared", is: .ready, now: now)
    for target in Self.targets where machine.standing(now: now)[target]?.state != .held {
      machine.resume(target, now: now)
    }
    try turn()
    for _ in 0..<100_000 {
      try workOff()
      let idle = queue.isEmpty && transfers.isEmpty && letters.isEmpty && appends.isEmpty
      if idle && machine.count == 0 && store.everything().allSatisfy({ $0.1.isFinal }) { break }
      if idle { try jump() }
    }
    try judgeRest()
  }

  private func judgeRest() throws(Illegal) {
    try judgeFollowUps()
    if !machine.consulting.isEmpty { throw Illegal("a question was never answered") }
    let unfinished = store.everything().filter { !$0.1.isFinal }.map { "\($0.0) \($0.1)" }
    if !unfinished.isEmpty { throw Illegal("never ended: \(unfinished.prefix(10))") }
    if machine.count != 0 { throw Illegal("\(machine.count) jobs are still in memory") }
    if machine.inFlight != 0 { throw Illegal("\(machine.inFlight) are counted as in flight") }
    if machine.gates.contains(where: {
      $0.queued != 0 || !$0.ready.isEmpty || $0.joined != 0 || $0.desk?.isEmpty == false
    }) {
      throw Illegal("a queue is not empty")
    }
    if machine.credentials.contains(where: { $0.inFlight != 0 }) { throw Illegal("a credential counts what is over") }
    if !machine.batches.isEmpty { throw Illegal("a batch never ended") }
    if !machine.givingUp.isEmpty { throw Illegal("giving up never ended") }
    if machine.ledger.count != 0 { throw Illegal("the ledger keeps \(machine.ledger.count) events") }
    if machine.lines.contains(where: { $0.value.headed || $0.value.settling == nil }) {
      throw Illegal("a line is left")
    }
    for (id, state) in ended where store.state(id) != state { throw Illegal("\(id) was \(state) and is not on disk") }
  }
}
