// A used-up budget as people hear of it: one alarm a cause, and one when it is over.

import Testing

@testable import DivertCore

@Suite struct BudgetAlarmTests {
  private static let day = Budget(most: 2, period: .day, zone: "UTC")

  private func bench(target: Budget? = nil, credential: Budget? = nil) -> MachineBench {
    let bench = MachineBench()
    var settings = TargetSettings(concurrency: 8, limits: [], enabled: true)
    settings.budget = target
    settings.credential = credential == nil ? nil : "login"
    let credentials = credential.map { ["login": CredentialSettings(budget: $0)] } ?? [:]
    bench.machine.configure(["crm": settings], credentials: credentials, rulings: [:], now: bench.now)
    if credential != nil { bench.machine.credential("login", is: .ready, now: bench.now) }
    _ = bench.orders()
    return bench
  }

  @Test("two requests of a budget of two raise nothing; the third that waits does, once, and the next day ends it")
  func target() {
    let bench = bench(target: Self.day)
    bench.arrive([nil, nil])
    let first = bench.orders()
    #expect(first.sends.count == 2 && first.alarms.isEmpty)
    bench.arrive()
    let raised = bench.orders().alarms
    #expect(raised.map(\.cause) == ["budget:crm"] && raised.first?.target == "crm" && raised.first?.recovered == false)
    #expect(raised.first?.text.contains("its budget of 2 requests a day is used up") == true)
    bench.arrive()
    #expect(bench.orders().alarms.isEmpty)
    bench.now = bench.now + .hours(24)
    let over = bench.orders()
    #expect(over.sends.count == 2 && over.alarms.map(\.recovered) == [true])
    #expect(over.alarms.map(\.cause) == ["budget:crm"])
  }

  @Test("a credential's budget is one alarm for all its targets")
  func credential() {
    let bench = bench(credential: Self.day)
    bench.arrive([nil, nil, nil])
    let raised = bench.orders().alarms
    #expect(raised.map(\.cause) == ["credential_budget:login"] && raised.first?.target == nil)
    bench.now = bench.now + .hours(24)
    #expect(bench.orders().alarms.map(\.recovered) == [true])
  }

  @Test("a budget that is raised ends the alarm at once")
  func raisedByHand() {
    let bench = bench(target: Self.day)
    bench.arrive([nil, nil, nil])
    #expect(bench.orders().alarms.count == 1)
    var settings = TargetSettings(concurrency: 8, limits: [], enabled: true)
    settings.budget = Budget(most: 10, period: .day, zone: "UTC")
    bench.machine.configure(["crm": settings], rulings: [:], now: bench.now)
    let orders = bench.orders()
    #expect(orders.sends.count == 1 && orders.alarms.map(\.recovered) == [true])
  }
}
