// A target that is away for days: its deliveries wait, none dies before seven days, and all go when it is back.

import Testing

@testable import DivertCore

@Suite struct OutageTests {
  private func world(back: Span, status: Int?) -> QuietWorld {
    var world = QuietWorld()
    world.configure(["crm": TargetSettings(concurrency: 4, limits: [], enabled: true, memory: 8)])
    let returns = world.now + back
    world.answer = { _, now in
      now < returns
        ? .init(outcome: .retry, status: status, after: status == nil ? .seconds(30) : .milliseconds(20))
        : .init(outcome: .ok)
    }
    return world
  }

  @Test(
    "six days of outage are a waiting queue: nothing dies, and everything is delivered once it is over",
    arguments: [nil, 503])
  func sixDays(status: Int?) {
    var world = world(back: .days(6), status: status)
    for _ in 0..<24 {
      world.arrive(["crm", "crm"])
      world.run(.hours(1))
    }
    world.run(.hours(119))
    #expect(
      world.died.isEmpty && world.delivered.isEmpty && world.machine.standing(now: world.now)["crm"]?.state == .broken)
    world.run(.hours(2))
    #expect(world.died.isEmpty && world.delivered.count == 48)
    let attempts = world.store.rows.values.map(\.attempts.count).max() ?? 0
    #expect(attempts <= DeliveryMachine.keptAttempts)
  }

  @Test("with attempts bounded, too, the probes of an outage are not the delivery's own")
  func bounded() {
    var world = world(back: .days(2), status: nil)
    world.retry = RetrySettings(period: .hours(1), base: .seconds(5), cap: .minutes(15), attempts: 12)
    for _ in 0..<4 { world.arrive(["crm", "crm", "crm"]) }
    world.run(.days(2) + .hours(1))
    #expect(world.died.isEmpty && world.delivered.count == 12)
  }

  @Test("one probe at a time goes while it is away, and at most one a minute once the pauses have grown")
  func probes() {
    var world = world(back: .days(3), status: 503)
    for _ in 0..<50 { world.arrive(["crm"]) }
    world.run(.hours(1))
    let before = world.sent.count
    world.run(.days(1))
    #expect(world.sent.count - before <= 24 * 60)
  }

  @Test("what an outage made wait goes in its order, for each order key")
  func order() {
    var world = world(back: .days(1), status: nil)
    for number in 0..<40 {
      world.arrive(["crm"], key: "k\(number % 4)")
      world.run(.minutes(10))
    }
    world.run(.days(2))
    #expect(world.delivered.count == 40)
    for key in 0..<4 {
      let line = world.delivered.filter { Int($0.event.sequence - 1) % 4 == key }.map(\.event.sequence)
      #expect(line == line.sorted())
    }
  }

  @Test("after more than seven days its deliveries are dead letters, with the last answer's reason")
  func tooLong() {
    var world = world(back: .days(30), status: 503)
    for _ in 0..<3 { world.arrive(["crm"]) }
    world.run(.days(7))
    #expect(world.died.isEmpty)
    world.run(.days(3))
    #expect(world.died.count == 3)
    #expect(world.store.rows.values.allSatisfy { $0.reason?.code == "retry_period_over" })
  }
}
