// What may go wrong around deliveries in stages: orders to give up that come in between, and things that are not found for ever.

import Testing

@testable import DivertCore

@Suite struct StageTroubleTests {
  private let reason = Reason(DeliveryMachine.givenUp, "by hand")

  private func memo(found: Bool = false, asked: Int? = nil) -> DeliveryMemo {
    var memo = DeliveryMemo()
    if found { memo.lookups = ["contact": .object(["id": "7"])] }
    memo.asked["contact"] = asked
    return memo
  }

  private func attempt(_ outcome: AttemptOutcome, at now: Timestamp) -> Attempt {
    Attempt(
      startedAt: now, duration: .milliseconds(3), status: outcome == .ok ? 200 : 409, outcome: outcome,
      reason: Reason("x", "it said so"), answer: "", stage: "lookup contact")
  }

  @Test(
    "an order to give up waits for the lookup that is under way elsewhere, whatever comes of it", arguments: [0, 1, 2])
  func underWayElsewhere(_ course: Int) throws {
    let bench = MachineBench()
    bench.claimInStages(queue: "search")
    let token = try #require(bench.orders().sends.first)
    bench.machine.giveUp("crm", reason, now: bench.now)
    _ = bench.orders()
    bench.machine.claimed(Claim(target: "crm", deliveries: [], nextDue: nil), now: bench.now)
    _ = bench.orders()
    #expect(bench.machine.isGivingUp("crm"), "it is not dead yet")
    let well = attempt(.ok, at: bench.now)
    switch course {
    case 0: bench.machine.staged(token, well, memo(found: true), .onward(queue: "other"), now: bench.now)
    case 1: bench.answer(token, .retry, status: 503)
    default: bench.machine.staged(token, well, memo(found: true), .skipped(reason), now: bench.now)
    }
    let back = bench.orders()
    let row = try #require(back.batch.rows.first)
    #expect(row.queue == nil, "it is claimed where it dies")
    bench.machine.committed(back.turn ?? 0, now: bench.now)
    if course < 2 {
      #expect(row.state == .waiting)
      bench.machine.waiting(["crm": row.due])
      #expect(bench.orders().claims.map(\.evenLater) == [true])
    } else {
      _ = bench.orders()
      #expect(row.state == .skipped && !bench.machine.isGivingUp("crm"))
    }
  }

  @Test("who is given up waits for nobody's answer any more")
  func awaiting() throws {
    let bench = MachineBench()
    bench.arriveInStages()
    let token = try #require(bench.orders().sends.first)
    let waits = bench.machine.awaits(token, in: "search", now: bench.now)
    #expect(waits && bench.machine.place(of: token)?.hasPassed == false)
    bench.machine.giveUp("crm", reason, now: bench.now)
    #expect(bench.machine.place(of: token) == nil)
    #expect(bench.orders().letters == [token] && bench.machine.place(of: token) == nil)
  }

  @Test("the answer to a claim from before an order to give up does not end it", arguments: [nil, Span.hours(1)])
  func claimedBefore(_ later: Span?) {
    let bench = MachineBench()
    bench.machine.waiting(["crm": bench.now])
    #expect(bench.orders().claims.map(\.evenLater) == [false])
    bench.machine.giveUp("crm", reason, now: bench.now)
    _ = bench.orders()
    bench.machine.claimed(
      Claim(target: "crm", deliveries: [], nextDue: later.map { bench.now + $0 }), now: bench.now)
    #expect(bench.orders().claims.map(\.evenLater) == [true] && bench.machine.isGivingUp("crm"))
  }

  @Test("an uncertain delivery that cannot be asked after is ambiguous, whatever ended it", arguments: [false, true])
  func uncertain(_ isGivenUp: Bool) throws {
    let bench = MachineBench()
    let event = bench.event()
    var delivery = Delivery(
      id: DeliveryID(event: event.id, ordinal: 0), plan: bench.plan(toPerson: true), version: "v")
    delivery.memo.isUncertain = true
    let token = try claimed(delivery, event, bench)
    if isGivenUp {
      bench.machine.giveUp("crm", reason, now: bench.now)
      bench.answer(token, .retry, status: 503)
      let row = try #require(bench.orders().batch.rows.first)
      let found = ClaimedDelivery(delivery: row, event: event)
      bench.machine.claimed(Claim(target: "crm", deliveries: [found], nextDue: nil), now: bench.now)
    } else {
      bench.machine.unsendable(token, Reason("secret_missing", "no secret"), now: bench.now)
    }
    let dead = try #require(bench.orders().letters.first)
    #expect(bench.machine.job(dead)?.delivery.reason?.code == "ambiguous")
  }

  @Test("what is not found and cannot be created is given up when `retry` is used up, not looked for without end")
  func notFoundForEver() throws {
    let bench = MachineBench()
    let retry = RetrySettings(period: .hours(1), base: .seconds(1), cap: .seconds(1), attempts: 3)
    let event = bench.event()
    var delivery = Delivery(id: DeliveryID(event: event.id, ordinal: 0), plan: bench.plan(prepares: true), version: "v")
    for round in 1...3 {
      let asking = try claimed(delivery, event, bench)
      let none = attempt(.ok, at: bench.now)
      bench.machine.staged(asking, none, memo(asked: 1), .onward(queue: nil), now: bench.now)
      delivery = try #require(bench.orders().batch.rows.first)
      #expect(delivery.counted == round - 1)
      let creating = try claimed(delivery, event, bench)
      bench.machine.remember(creating, memo())
      bench.machine.attempted(creating, attempt(.retry, at: bench.now), wait: nil, retry: retry, now: bench.now)
      let orders = bench.orders()
      if round == 3 {
        #expect(bench.machine.job(creating)?.delivery.reason?.code == "attempts_exhausted")
      } else {
        delivery = try #require(orders.batch.rows.first)
      }
    }
  }

  private func claimed(_ delivery: Delivery, _ event: Event, _ bench: MachineBench) throws -> JobToken {
    bench.now = max(bench.now, delivery.due)
    let found = ClaimedDelivery(delivery: delivery, event: event)
    bench.machine.claimed(Claim(target: "crm", deliveries: [found], nextDue: nil), now: bench.now)
    return try #require(bench.orders().sends.first)
  }
}
