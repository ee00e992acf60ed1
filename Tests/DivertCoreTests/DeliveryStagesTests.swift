// Deliveries that go out in stages, as the delivery machine orders them: by value, one sentence a test.

import Testing

@testable import DivertCore

@Suite struct DeliveryStagesTests {
  private let found = ["contact": JSONValue.object(["id": "7"])]

  private func memo(_ lookups: [String: JSONValue] = [:], steps: [String: JSONValue] = [:]) -> DeliveryMemo {
    var memo = DeliveryMemo()
    memo.lookups = lookups
    memo.steps = steps
    return memo
  }

  private func well(_ stage: String, at now: Timestamp) -> Attempt {
    Attempt(
      startedAt: now, duration: .milliseconds(3), status: 200, outcome: .ok, reason: Reason("accepted", "answer 200"),
      answer: "", stage: stage)
  }

  @Test("a lookup goes through the gate of its own target, which gets the only token, and gives back the other's")
  func gates() throws {
    let bench = MachineBench(limits: [RateLimit(count: 1, per: .hours(1))])
    bench.arriveInStages()
    let token = try #require(bench.orders().sends.first)
    #expect(bench.machine.place(of: token) == StagePlace(queue: "crm", hasPassed: true))
    bench.machine.moved(token, to: "search", now: bench.now)
    #expect(bench.orders().sends == [token])
    #expect(bench.machine.place(of: token) == StagePlace(queue: "search", hasPassed: true))
    #expect(bench.machine.standing(now: bench.now)["crm"]?.inFlight == 0)
    bench.arrive()
    #expect(bench.orders().sends.count == 1, "the token that was given back")
  }

  @Test("what a lookup answered is on disk before the next request, in the queue of that")
  func recorded() throws {
    let bench = MachineBench()
    bench.arriveInStages()
    let token = try #require(bench.orders().sends.first)
    bench.machine.moved(token, to: "search", now: bench.now)
    _ = bench.orders()
    bench.machine.staged(token, well("lookup contact", at: bench.now), memo(found), .onward(queue: nil), now: bench.now)
    let orders = bench.orders()
    let row = try #require(orders.batch.rows.first)
    #expect(orders.sends.isEmpty && row.state == .waiting && row.queue == nil && row.memo.lookups == found)
    #expect(row.attempts.map(\.stage) == ["lookup contact"] && row.counted == 0 && row.firstAttemptAt == nil)
    #expect(bench.machine.count == 0 && bench.machine.inFlight == 0)
  }

  @Test("a claimed row that waits for a lookup goes through that target's gate at once")
  func claimedElsewhere() throws {
    let bench = MachineBench()
    bench.machine.pause("crm", Reason("paused", "by hand"), now: bench.now)
    _ = bench.orders()
    bench.claimInStages(queue: "search")
    let token = try #require(bench.orders().sends.first)
    #expect(bench.machine.place(of: token)?.queue == "search")
  }

  @Test("deliveries of one key wait for the one that is being prepared, in the memory of the target it waits for")
  func order() throws {
    let bench = MachineBench()
    bench.arriveInStages(key: "k")
    let token = try #require(bench.orders().sends.first)
    bench.machine.moved(token, to: "search", now: bench.now)
    _ = bench.orders()
    bench.arrive(["k"])
    #expect(bench.orders().sends.isEmpty)
    #expect(bench.machine.standing(now: bench.now)["search"]?.queued == 1)
    #expect(bench.standing()?.queued == 0)
    bench.machine.skipped(token, Reason("condition_not_met", "no"), now: bench.now)
    let after = bench.orders()
    #expect(after.sends.count == 1 && bench.machine.standing(now: bench.now)["search"]?.queued == 0)
  }

  @Test("a target that is down keeps what must ask it on disk, and no slot of the others")
  func brokenLookup() {
    let bench = MachineBench(concurrency: 2)
    bench.machine.pause("search", Reason("paused", "by hand"), now: bench.now)
    for _ in 0..<20 { bench.arriveInStages() }
    for _ in 0..<20 {
      for token in bench.orders().sends { bench.machine.moved(token, to: "search", now: bench.now) }
    }
    #expect(bench.machine.count == 0 && bench.standing()?.inFlight == 0)
    bench.arrive()
    #expect(bench.orders().sends.count == 1)
  }

  @Test("to a person, `sending` is on disk before the last request and before no other")
  func person() throws {
    let bench = MachineBench()
    bench.claimInStages(toPerson: true)
    let first = bench.orders()
    let token = try #require(first.sends.first)
    #expect(first.batch.rows.isEmpty)
    bench.machine.remember(token, memo(found))
    let records = bench.machine.recordsFirst(token)
    let second = bench.orders()
    #expect(records && second.sends.isEmpty && second.batch.rows.map(\.state) == [.sending])
    #expect(second.batch.rows.first?.memo.lookups == found && bench.machine.place(of: token) == nil)
    bench.machine.committed(second.turn ?? 0, now: bench.now)
    #expect(bench.orders().sends == [token])
    let again = bench.machine.recordsFirst(token)
    #expect(!again)
  }

  @Test(
    "a step of a message is recorded before it goes, waits on disk when it is done, and the last request is recorded anew"
  )
  func recordedStep() throws {
    let bench = MachineBench()
    bench.claimInStages(toPerson: true)
    let token = try #require(bench.orders().sends.first)
    let records = bench.machine.recordsFirst(token)
    let first = bench.orders()
    #expect(records && first.batch.rows.map(\.state) == [.sending])
    bench.machine.committed(first.turn ?? 0, now: bench.now)
    #expect(bench.orders().sends == [token])
    let done = memo(steps: ["card": .object(["id": "1"])])
    bench.machine.staged(token, well("step card", at: bench.now), done, .onward(queue: nil), now: bench.now)
    let row = try #require(bench.orders().batch.rows.first)
    #expect(row.state == .waiting && row.memo.steps["card"] != nil && bench.machine.inFlight == 0)
  }

  @Test("who waits for another's answer stands beside the queue, and goes on when told")
  func waiting() throws {
    let bench = MachineBench()
    bench.arriveInStages()
    bench.arriveInStages()
    let tokens = bench.orders().sends
    bench.machine.moved(tokens[0], to: "search", now: bench.now)
    let waits = bench.machine.awaits(tokens[1], in: "search", now: bench.now)
    #expect(waits && bench.orders().sends == [tokens[0]])
    #expect(bench.machine.place(of: tokens[1]) == StagePlace(queue: "search", hasPassed: false))
    bench.machine.remember(tokens[1], memo(found))
    bench.machine.moved(tokens[1], to: nil, now: bench.now)
    #expect(bench.orders().sends == [tokens[1]])
    #expect(bench.machine.job(tokens[1])?.delivery.memo.lookups == found)
  }

  @Test("a guard that says no ends it as skipped, without a row")
  func skipped() throws {
    let bench = MachineBench()
    bench.arriveInStages()
    let token = try #require(bench.orders().sends.first)
    let no = Reason("condition_not_met", "not so")
    bench.machine.skipped(token, no, now: bench.now)
    let orders = bench.orders()
    #expect(orders.batch.rows.isEmpty)
    #expect(orders.batch.packed.first?.states == [.ended(.skipped, reason: no, attempt: nil)])
    #expect(bench.machine.count == 0 && bench.machine.inFlight == 0)
  }

  @Test("a lookup that failed is tried again in the queue of its target, and its troubles are that target's")
  func failedLookup() throws {
    let bench = MachineBench()
    bench.claimInStages(queue: "search")
    for _ in 0..<CircuitBreaker.threshold - 1 { bench.claimInStages(queue: "search") }
    for token in bench.orders().sends { bench.answer(token, .retry, status: 503) }
    for token in bench.orders().sends { bench.answer(token, .retry, status: 503) }
    let standing = bench.machine.standing(now: bench.now)
    #expect(standing["search"]?.state == .broken && standing["crm"]?.state == .open)
    let rows = bench.orders().batch.rows
    #expect(rows.allSatisfy { $0.queue == "search" && $0.state == .waiting })
  }

  @Test("an ambiguous attempt is asked after, and delivered where it arrived")
  func verified() throws {
    let bench = MachineBench()
    bench.claim(toPerson: true)
    let first = bench.orders()
    bench.machine.committed(first.turn ?? 0, now: bench.now)
    let token = try #require(bench.orders().sends.first)
    let lost = Attempt(
      startedAt: bench.now, duration: .zero, status: nil, outcome: .park, reason: Reason("ambiguous", "no answer"),
      answer: "")
    let due = bench.machine.attempted(
      token, lost, wait: nil, retry: .standard, verify: .seconds(10), now: bench.now)
    let row = try #require(bench.orders().batch.rows.first)
    #expect(due == bench.now + .seconds(10) && row.memo.isUncertain && row.state == .waiting)

    bench.now = bench.now + .seconds(10)
    bench.machine.claimed(
      Claim(target: "crm", deliveries: [ClaimedDelivery(delivery: row, event: bench.event())], nextDue: nil),
      now: bench.now)
    let asked = bench.orders()
    let second = try #require(asked.sends.first)
    #expect(asked.batch.rows.isEmpty, "the question is no message")
    _ = bench.machine.verified(second, well("verify", at: bench.now), landed: true, retry: .standard, now: bench.now)
    let end = bench.orders()
    #expect(end.batch.rows.map(\.state) == [.delivered] && end.batch.rows.first?.memo.isUncertain == false)
  }

  @Test("what did not arrive is sent again, what cannot be found out ends as ambiguous")
  func unverified() throws {
    for landed in [false, nil] {
      let bench = MachineBench()
      let event = bench.event()
      var delivery = Delivery(
        id: DeliveryID(event: event.id, ordinal: 0), plan: bench.plan(toPerson: true), version: "v")
      delivery.memo.isUncertain = true
      bench.machine.claimed(
        Claim(target: "crm", deliveries: [ClaimedDelivery(delivery: delivery, event: event)], nextDue: nil),
        now: bench.now)
      let token = try #require(bench.orders().sends.first)
      let once = RetrySettings(period: .hours(1), base: .seconds(1), cap: .seconds(1), attempts: 1)
      if landed == false {
        _ = bench.machine.verified(token, well("verify", at: bench.now), landed: false, retry: once, now: bench.now)
        let row = bench.orders().batch.rows.first
        #expect(row?.state == .waiting && row?.memo.isUncertain == false)
      } else {
        bench.answer(token, .fail, status: 403, retry: once)
        let orders = bench.orders()
        #expect(orders.letters.compactMap { bench.machine.job($0)?.delivery.reason?.code } == ["ambiguous"])
      }
    }
  }

  @Test("a message found under way after a crash is asked after where its target can be")
  func interrupted() throws {
    let bench = MachineBench()
    let event = bench.event()
    var delivery = Delivery(
      id: DeliveryID(event: event.id, ordinal: 0), plan: bench.plan(toPerson: true), version: "v")
    delivery.state = .sending
    bench.machine.interrupted(
      ClaimedDelivery(delivery: delivery, event: event), .verify(after: .seconds(10)), now: bench.now)
    let row = try #require(bench.orders().batch.rows.first)
    #expect(row.state == .waiting && row.memo.isUncertain && row.due == bench.now + .seconds(10))
  }

  @Test("who only asks a target that is given up dies with it, and its reason says so")
  func askerGivenUp() throws {
    let bench = MachineBench()
    bench.claimInStages(queue: "search")
    bench.machine.giveUp("search", Reason(DeliveryMachine.givenUp, "by hand"), now: bench.now)
    let orders = bench.orders()
    let reasons = orders.letters.compactMap { bench.machine.job($0)?.delivery.reason?.sentence }
    #expect(reasons == ["by hand (it needed an answer of search to a lookup)"])
  }

  @Test("who is given up is given up wherever it is being prepared")
  func givenUp() throws {
    let bench = MachineBench()
    bench.machine.pause("crm", Reason("paused", "by hand"), now: bench.now)
    _ = bench.orders()
    bench.claimInStages(queue: "search")
    bench.machine.giveUp("crm", Reason(DeliveryMachine.givenUp, "by hand"), now: bench.now)
    let orders = bench.orders()
    #expect(orders.letters.count == 1 && orders.sends.isEmpty)
    #expect(orders.claims == [ClaimWish(target: "crm", limit: 256, evenLater: true)])
  }
}
