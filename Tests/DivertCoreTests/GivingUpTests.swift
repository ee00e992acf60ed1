// What waits for a target that is gone is given up: memory and disk, due or not, and nothing is sent.

import Testing

@testable import DivertCore

@Suite struct GivingUpTests {
  private let reason = Reason(DeliveryMachine.givenUp, "the target is gone")

  @Test("what waits in memory dies, more is claimed whenever it is due, and the end is known when all is on disk")
  func all() {
    let bench = MachineBench(concurrency: 1)
    bench.arrive([nil, "k", "k"])
    let first = bench.orders()
    #expect(first.sends.count == 1)
    bench.machine.giveUp("crm", reason, now: bench.now)
    let orders = bench.orders()
    #expect(orders.sends.isEmpty && orders.letters.count == 1)
    #expect(orders.claims == [ClaimWish(target: "crm", limit: 255, evenLater: true)])
    bench.claim(2)
    let more = bench.orders()
    #expect(more.letters.count == 2 && more.sends.isEmpty)
    bench.machine.buried(orders.letters + more.letters, now: bench.now)
    let last = bench.orders()
    #expect(last.batch.rows.count == 3 && last.batch.rows.allSatisfy { $0.state == .dead } && last.letters.count == 1)
    bench.machine.buried(last.letters, now: bench.now)
    bench.answer(first.sends[0], .ok)
    let end = bench.orders()
    #expect(bench.machine.isGivingUp("crm"))
    bench.machine.committed(end.turn ?? 0, now: bench.now)
    let over = bench.orders()
    #expect(!bench.machine.isGivingUp("crm") && over.alarms.isEmpty && end.alarms.isEmpty && last.alarms.isEmpty)
  }

  @Test("an attempt under way that fails is given up when it is back on disk")
  func underWay() {
    let bench = MachineBench()
    bench.arrive()
    let sends = bench.orders().sends
    bench.machine.giveUp("crm", reason, now: bench.now)
    _ = bench.orders()
    bench.machine.claimed(Claim(target: "crm", deliveries: [], nextDue: nil), now: bench.now)
    bench.answer(sends[0], .retry, status: 503)
    let back = bench.orders()
    #expect(back.batch.rows.map(\.state) == [.waiting] && bench.machine.isGivingUp("crm"))
    bench.machine.committed(back.turn ?? 0, now: bench.now)
    bench.machine.waiting(["crm": back.batch.rows[0].due])
    #expect(bench.orders().claims.map(\.evenLater) == [true])
  }

  @Test("rows that cannot be read end the order, and a target that is configured again is sent to")
  func undone() {
    let bench = MachineBench()
    bench.machine.giveUp("crm", reason, now: bench.now)
    #expect(bench.orders().claims.count == 1)
    bench.machine.claimed(Claim(target: "crm", deliveries: [], nextDue: bench.now + .seconds(10)), now: bench.now)
    #expect(!bench.machine.isGivingUp("crm"))
    bench.machine.giveUp("crm", reason, now: bench.now)
    let settings = TargetSettings(concurrency: 8, limits: [], enabled: true)
    bench.machine.configure(["crm": settings], rulings: [:], now: bench.now)
    bench.arrive()
    #expect(bench.orders().sends.count == 1)
  }

  @Test("a changed limit is no second burst")
  func limit() {
    let bench = MachineBench(limits: [RateLimit(count: 3, per: .minutes(1))])
    bench.arrive([nil, nil, nil, nil])
    #expect(bench.orders().sends.count == 3)
    let settings = TargetSettings(
      concurrency: 8, limits: [RateLimit(count: 6, per: .minutes(1)), RateLimit(count: 9, per: .hours(1))],
      enabled: true)
    bench.machine.configure(["crm": settings], rulings: [:], now: bench.now)
    #expect(bench.orders().sends.isEmpty)
    bench.now = bench.now + .seconds(10)
    #expect(bench.orders().sends.count == 1)
  }

  @Test("a new configuration is tried at once by a target that is held, and limits are the newest")
  func reconfigured() {
    let bench = MachineBench()
    bench.arrive()
    bench.answer(bench.orders().sends[0], .hold, status: 401)
    bench.machine.waiting(["crm": bench.now])
    #expect(bench.orders().claims.isEmpty)
    let settings = TargetSettings(concurrency: 1, limits: [], enabled: true)
    bench.machine.configure(["crm": settings], rulings: [:], now: bench.now)
    #expect(bench.orders().claims == [ClaimWish(target: "crm", limit: 1)])
    #expect(bench.machine.targets(besides: []) == ["crm"] && bench.machine.targets(besides: ["crm"]).isEmpty)
  }
}
