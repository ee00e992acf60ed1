// What a target's answers do to the target: holds and their probes, throttles, the breaker, rate limits.

import Testing

@testable import DivertCore

@Suite struct TargetTroubleTests {
  @Test("a 401 holds the target with one alarm; an answer to an older request does not end the hold")
  func hold() {
    let bench = MachineBench()
    bench.arrive([nil, nil, nil])
    let sends = bench.orders().sends
    bench.answer(sends[0], .hold, status: 401)
    bench.answer(sends[1], .ok)
    bench.answer(sends[2], .hold, status: 401)
    let orders = bench.orders()
    #expect(orders.alarms.map(\.cause) == ["hold:crm"] && bench.standing()?.state == .held)
    #expect(orders.batch.rows.map(\.counted) == [0, 0] && orders.congestion.first?.congested == true)
  }

  @Test("a held target is probed with one delivery every 15 minutes, and its answer ends the hold")
  func probe() {
    let bench = MachineBench()
    bench.arrive()
    bench.answer(bench.orders().sends[0], .hold, status: 401)
    bench.machine.waiting(["crm": bench.now])
    #expect(bench.orders().claims.isEmpty && bench.machine.nextWake == bench.now + .minutes(15))
    bench.now = bench.now + .minutes(15)
    #expect(bench.orders().claims == [ClaimWish(target: "crm", limit: 1)])
    bench.claim()
    bench.answer(bench.orders().sends[0], .ok)
    let orders = bench.orders()
    #expect(orders.alarms.map(\.recovered) == [true] && bench.standing()?.state == .open)
    #expect(orders.congestion.first?.congested == false)
  }

  @Test("five 403 in a row hold the target, four and a success do not")
  func forbidden() {
    let bench = MachineBench()
    for round in 0..<9 {
      bench.arrive()
      bench.answer(bench.orders().sends[0], round == 3 ? .ok : .fail, status: round == 3 ? 200 : 403)
      #expect(bench.standing()?.state == (round < 8 ? .open : .held))
      bench.machine.buried(bench.orders().letters, now: bench.now)
    }
  }

  @Test("what goes well before a delivery's own request does not interrupt a row of refusals, whichever they are")
  func forbiddenBehindLookups() {
    let bench = MachineBench()
    for round in 0..<5 {
      bench.claimInStages()
      let found = Attempt(
        startedAt: bench.now, duration: .zero, status: 200, outcome: .ok, reason: Reason("accepted", "answer 200"),
        answer: "", stage: "lookup contact")
      bench.machine.staged(
        bench.orders().sends[0], found, DeliveryMemo(), .onward(queue: nil), now: bench.now)
      _ = bench.orders()
      bench.arrive()
      bench.answer(bench.orders().sends[0], .fail, status: round % 2 == 0 ? 401 : 403)
      #expect(bench.standing()?.state == (round < 4 ? .open : .held))
      bench.machine.buried(bench.orders().letters, now: bench.now)
    }
  }

  @Test("a held target that says it is gone is disabled, with an alarm of its own")
  func disabled() {
    let bench = MachineBench()
    bench.arrive([nil, nil])
    let sends = bench.orders().sends
    bench.answer(sends[0], .hold, status: 401)
    bench.answer(sends[1], .disable, status: 410)
    #expect(bench.orders().alarms.map(\.cause) == ["hold:crm", "disable:crm"] && bench.standing()?.state == .disabled)
    bench.machine.resume("crm", now: bench.now)
    #expect(bench.orders().alarms.allSatisfy(\.recovered) && bench.standing()?.state == .open)
  }

  @Test("a throttle stops the whole target for as long as it asked, and counts neither as attempt nor as time")
  func throttle() {
    let bench = MachineBench()
    bench.arrive()
    bench.answer(bench.orders().sends[0], .throttle, status: 429, wait: .seconds(90))
    let row = bench.orders().batch.rows.first
    #expect(row?.counted == 0 && row?.stood == .seconds(90) && row?.due == bench.now + .seconds(90))
    bench.arrive()
    #expect(bench.orders().sends.isEmpty && bench.machine.nextWake == bench.now + .seconds(90))
    bench.now = bench.now + .seconds(90)
    #expect(bench.orders().sends.count == 1)
  }

  @Test("a throttle that asks for no wait still pauses")
  func throttleWithoutWait() {
    let bench = MachineBench()
    bench.arrive()
    bench.answer(bench.orders().sends[0], .throttle, status: 429, wait: .zero)
    #expect(bench.orders().batch.rows.first?.due == bench.now + .seconds(1))
  }

  @Test("a wait of more than 24 hours holds the target", arguments: [AttemptOutcome.retry, .throttle])
  func tooLong(outcome: AttemptOutcome) {
    let bench = MachineBench()
    bench.arrive()
    bench.answer(bench.orders().sends[0], outcome, status: 503, wait: .days(400))
    #expect(bench.orders().batch.rows.first?.due == bench.now && bench.standing()?.state == .held)
    #expect(bench.standing()?.probeAt == bench.now + .hours(24))
  }

  @Test("ten failures in a row open the breaker; those in flight with them do not open it further")
  func breaker() {
    let bench = MachineBench(concurrency: 20)
    bench.arrive([String?](repeating: nil, count: 20))
    for token in bench.orders().sends { bench.answer(token, .retry, status: nil) }
    _ = bench.orders()
    #expect(bench.standing()?.state == .broken && bench.standing()?.probeAt == bench.now + .seconds(5))
    bench.now = bench.now + .seconds(5)
    bench.arrive([nil, nil])
    let probe = bench.orders()
    #expect(probe.sends.count == 1 && probe.batch.rows.count == 1)
    bench.answer(probe.sends[0], .ok)
    _ = bench.orders()
    #expect(bench.standing()?.state == .open)
  }

  @Test("a rate limit lets its burst go and sets the clock for the next")
  func rate() {
    let bench = MachineBench(limits: [RateLimit(count: 2, per: .seconds(1))])
    bench.arrive([nil, nil, nil])
    #expect(bench.orders().sends.count == 2 && bench.machine.nextWake == bench.now + .milliseconds(500))
    bench.now = bench.now + .milliseconds(500)
    #expect(bench.orders().sends.count == 1)
  }

  @Test("an alarm of a cause of death is raised once and over after a quiet hour")
  func deaths() {
    let bench = MachineBench()
    var causes: [String] = []
    for _ in 0..<3 {
      bench.arrive()
      bench.answer(bench.orders().sends[0], .fail, status: 422)
      bench.machine.buried(bench.orders().letters, now: bench.now)
      causes += bench.orders().alarms.map(\.cause)
    }
    #expect(causes == ["dead:crm:x"] && bench.machine.nextWake == bench.now + .hours(1))
    bench.now = bench.now + .hours(1)
    #expect(bench.orders().alarms.map(\.recovered) == [true])
  }

  @Test(
    "an alarm taken over from the last process is over after an hour, unless its hold still stands or it shows itself again"
  )
  func restored() {
    let bench = MachineBench()
    let held = TargetRuling(kind: .held, reason: Reason("unauthorized", "401"), since: bench.now)
    bench.machine.configure([:], rulings: ["crm": held], now: bench.now)
    let alarms = ["hold:crm", "hold:lifted", "silent:shop", "dead:crm:x"]
    bench.machine.restore(alarms: Dictionary(uniqueKeysWithValues: alarms.map { ($0, "") }), now: bench.now)
    bench.machine.raise(alarm: "silent:shop", text: "still")
    bench.now = bench.now + .hours(1)
    let over = bench.orders().alarms
    #expect(over.allSatisfy(\.recovered) && Set(over.map(\.cause)) == ["hold:lifted", "dead:crm:x"])
  }

  @Test("what comes and goes is one alarm, over when it stays away for an hour")
  func flapping() {
    let bench = MachineBench()
    var said: [Bool] = []
    for _ in 0..<3 {
      bench.machine.raise(alarm: "store", text: "full")
      bench.machine.calm(alarm: "store", now: bench.now)
      said += bench.orders().alarms.map(\.recovered)
      bench.now = bench.now + .minutes(59)
    }
    bench.now = bench.now + .minutes(1)
    #expect(said + bench.orders().alarms.map(\.recovered) == [false, true])
  }
}
