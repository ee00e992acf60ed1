// Targets that share a credential: one budget, one pause, one standing; and their turns.

import Testing

@testable import DivertCore

@Suite struct CredentialGateTests {
  private static let names = ["a", "b", "c", "d"]

  private func world(_ settings: CredentialSettings, alone: TargetSettings? = nil) -> QuietWorld {
    var world = QuietWorld()
    var targets = Dictionary(
      uniqueKeysWithValues: Self.names.map {
        ($0, TargetSettings(concurrency: 8, limits: [], enabled: true, memory: 8, credential: "one"))
      })
    targets["alone"] = alone ?? TargetSettings(concurrency: 8, limits: [], enabled: true)
    world.configure(targets, credentials: ["one": settings])
    return world
  }

  @Test("several windows at once hold over all targets of a credential, and over no other")
  func windows() {
    let limits = [RateLimit(count: 2, per: .seconds(1)), RateLimit(count: 6, per: .seconds(10))]
    var world = world(CredentialSettings(limits: limits))
    for _ in 0..<10 { world.arrive(Self.names + ["alone"]) }
    #expect(world.sent.count { $0.target == "alone" } == 8 && world.sent.count { $0.target != "alone" } == 2)
    world.run(.seconds(60))
    let times = world.sent.filter { $0.target != "alone" }.map(\.at)
    #expect(world.delivered.count == 50 && times.count == 40)
    for (place, time) in times.enumerated() {
      // A token bucket lets at most twice its count through in any stretch of its time.
      #expect(times.dropFirst(place).count { $0 < time + .seconds(10) } <= 12)
      #expect(times.dropFirst(place).count { $0 < time + .seconds(1) } <= 4)
    }
  }

  @Test("the requests in flight of all its targets are counted together, and each target's turn comes round")
  func concurrency() {
    var world = world(CredentialSettings(concurrency: 3))
    for _ in 0..<30 { world.arrive(["a"]) }
    for _ in 0..<5 { world.arrive(["b", "c"]) }
    #expect(world.transfers.count == 3)
    var most = 0
    let end = world.now + .minutes(5)
    while world.step(until: end) { most = max(most, world.transfers.count) }
    #expect(most == 3 && world.delivered.count == 40)
    // b and c do not wait for a's thirty.
    let last = world.sent.lastIndex { $0.target != "a" } ?? 0
    #expect(last < 3 + 5 * 3 + 2)
  }

  @Test("a daily budget is shared, and what is above it goes after midnight in its zone")
  func budget() {
    var world = world(CredentialSettings(budget: Budget(most: 5, period: .day, zone: "Asia/Kolkata")))
    for _ in 0..<3 { world.arrive(Self.names) }
    world.run(.hours(10))
    #expect(world.sent.count == 5)
    let standing = world.machine.standing(now: world.now)["a"]
    #expect(standing?.state == .limited && standing?.reason?.code == "budget_used_up")
    world.run(.hours(1))
    #expect(world.sent.count == 10)
    world.run(.days(1))
    #expect(world.sent.count == 12 && world.delivered.count == 12)
  }

  @Test("what was spent of a budget is on disk with what spent it, and a restart goes on from there")
  func budgetKept() {
    let day = Budget(most: 3, period: .day, zone: "Asia/Kolkata")
    let alone = TargetSettings(concurrency: 8, limits: [], enabled: true, budget: day)
    var first = world(CredentialSettings(budget: day), alone: alone)
    first.arrive(["a", "b", "alone"])
    first.run(.minutes(1))
    #expect(first.store.budgets[.credential("one")]?.spent == 2 && first.store.budgets[.target("alone")]?.spent == 1)

    var second = world(CredentialSettings(budget: day), alone: alone)
    second.machine.restore(budgets: first.store.budgets)
    for _ in 0..<3 { second.arrive(["a", "alone"]) }
    second.run(.minutes(1))
    #expect(second.sent.count { $0.target == "a" } == 1 && second.sent.count { $0.target == "alone" } == 2)
    second.run(.days(1))
    #expect(second.sent.count == 6)
  }

  @Test("a throttle pauses the whole credential and halves it; others go on")
  func throttle() {
    var world = world(CredentialSettings(concurrency: 8))
    let start = world.now
    world.answer = { delivery, now in
      delivery.plan.target == "a" && now == start
        ? .init(outcome: .throttle, status: 429, wait: .seconds(90)) : .init(outcome: .ok)
    }
    world.arrive(["a"])
    world.run(.seconds(1))
    world.arrive(["b", "c", "alone"])
    #expect(world.sent.count { $0.target == "b" || $0.target == "c" } == 0 && world.sent.last?.target == "alone")
    let standing = world.machine.standing(now: world.now)
    #expect(standing["b"]?.reason?.code == "throttled" && standing["b"]?.credential?.share == 50)
    #expect(standing["alone"]?.state == .open)
    world.run(.seconds(100))
    #expect(world.delivered.count == 4 && (world.sent.first { $0.target == "b" }?.at ?? start) >= start + .seconds(90))
  }

  @Test("a quota that an answer says is used up pauses the credential until its reset, a day at most")
  func quota() {
    var world = world(CredentialSettings())
    world.machine.rest("a", until: world.now + .days(40), now: world.now)
    world.arrive(["b"])
    #expect(world.sent.isEmpty && world.machine.standing(now: world.now)["b"]?.reason?.code == "quota_used_up")
    world.run(.hours(25))
    #expect(world.delivered.count == 1)
  }

  @Test("while a token is fetched deliveries wait in memory, and more than that on disk; then all go")
  func away() {
    var world = world(CredentialSettings(renews: true))
    world.machine.credential("one", is: .away, now: world.now)
    for _ in 0..<200 { world.arrive(["a"]) }
    world.run(.seconds(20))
    #expect(world.sent.isEmpty && world.machine.count <= 64)
    #expect(world.machine.standing(now: world.now)["a"]?.reason?.code == "credential_away")
    world.machine.credential("one", is: .ready, now: world.now)
    world.turn()
    world.run(.minutes(1))
    #expect(world.delivered.count == 200)
  }

  @Test("a parked credential's deliveries wait on disk, of old and of new events; mended, all go")
  func parked() {
    var world = world(CredentialSettings(renews: true))
    world.machine.credential("one", is: .away, now: world.now)
    for _ in 0..<5 { world.arrive(Self.names, key: "k") }
    world.machine.credential("one", is: .parked(Reason("invalid_grant", "refused")), now: world.now)
    world.turn()
    for _ in 0..<5 { world.arrive(Self.names, key: "k") }
    world.run(.days(2))
    #expect(world.sent.isEmpty && world.machine.count == 0)
    let standing = world.machine.standing(now: world.now)["d"]
    #expect(standing?.state == .parked && standing?.reason?.code == "invalid_grant")
    world.machine.credential("one", is: .ready, now: world.now)
    world.turn()
    world.run(.minutes(1))
    #expect(world.delivered.count == 40)
  }

  @Test("where the token is renewed a refused one neither holds the target nor counts")
  func refresh() {
    var world = world(CredentialSettings(renews: true))
    var refused = false
    world.answer = { _, _ in
      defer { refused = true }
      return refused ? .init(outcome: .ok) : .init(outcome: .refresh, status: 401)
    }
    world.arrive(["a"])
    world.run(.seconds(5))
    #expect(world.delivered.count == 1 && world.alarms.isEmpty && world.store.rows.values.first?.counted == 1)
  }

  @Test("a target that is given another credential leaves the line of its first")
  func reassigned() {
    var world = world(CredentialSettings(renews: true))
    world.machine.credential("one", is: .away, now: world.now)
    world.arrive(["a"])
    world.configure(["a": TargetSettings(concurrency: 1, limits: [], enabled: true, credential: "other")])
    world.run(.seconds(1))
    #expect(world.delivered.count == 1)
  }

  @Test("when room comes back only as many targets are looked at as may send")
  func cost() {
    var world = QuietWorld()
    let names = (0..<2000).map { "t\($0)" }
    let settings = TargetSettings(concurrency: 8, limits: [], enabled: true, credential: "one")
    world.configure(
      Dictionary(uniqueKeysWithValues: names.map { ($0, settings) }),
      credentials: ["one": CredentialSettings(limits: [RateLimit(count: 1, per: .seconds(1))])])
    for name in names { world.arrive([name]) }
    let before = world.machine.looks
    world.run(.seconds(100))
    #expect(world.sent.count == 101 && world.machine.looks - before < 600)
    // In the order in which they came.
    #expect(world.sent.map(\.target) == names.prefix(101).map { $0 })
  }
}
