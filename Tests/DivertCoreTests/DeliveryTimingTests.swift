// Deliveries that ask what is stored, that their hours hold, and that expire, as the delivery machine orders them: by value.

import Testing

@testable import DivertCore

@Suite struct DeliveryTimingTests {
  private let closed = Reason("outside_hours", "not now")
  private let late = Reason("expired", "too late")

  private func question(_ bench: MachineBench, _ token: JobToken) throws -> DueQuestion {
    let id = try #require(bench.machine.job(token)).delivery.id
    return DueQuestion(delivery: id, at: bench.now, now: bench.now)
  }

  private func follow(_ bench: MachineBench) -> PlannedDelivery {
    PlannedDelivery(
      route: "r", send: "0.otherwise.0", target: "crm", action: "a", orderKey: nil, due: bench.now, toPerson: false)
  }

  // MARK: Memory

  @Test("a question is committed with its turn, and the delivery goes on by its answer")
  func asked() throws {
    let bench = MachineBench(concurrency: 1)
    bench.claimInStages()
    let token = try #require(bench.orders().sends.first)
    let question = try question(bench, token)
    bench.machine.consults(token, question)
    let asked = bench.orders()
    #expect(asked.batch.questions == [question] && asked.sends.isEmpty && asked.turn != nil)
    #expect(bench.machine.place(of: token) == nil && bench.standing()?.inFlight == 1)
    bench.machine.committed(asked.turn ?? 0, answers: [.go], now: bench.now)
    #expect(bench.orders().sends == [token] && bench.machine.answer(of: token) == .go)
  }

  @Test("answers belong to questions in the order in which they were asked, over several turns in one transaction")
  func inOrder() throws {
    let bench = MachineBench()
    for _ in 0..<3 { bench.claimInStages() }
    let tokens = bench.orders().sends
    bench.machine.consults(tokens[1], try question(bench, tokens[1]))
    let first = bench.orders()
    bench.machine.consults(tokens[2], try question(bench, tokens[2]))
    bench.machine.consults(tokens[0], try question(bench, tokens[0]))
    let second = bench.orders()
    #expect(first.batch.questions.count == 1 && second.batch.questions.count == 2)
    let (one, two) = (DueAnswer.skip(Reason("unless", "1")), DueAnswer.skip(Reason("once", "2")))
    bench.machine.committed(second.turn ?? 0, answers: [one, two, .go], now: bench.now)
    #expect(bench.machine.answer(of: tokens[1]) == one)
    #expect(bench.machine.answer(of: tokens[2]) == two)
    #expect(bench.machine.answer(of: tokens[0]) == .go)
  }

  @Test("an answer holds until the next gate")
  func askedAgain() throws {
    let bench = MachineBench()
    bench.claimInStages()
    let token = try #require(bench.orders().sends.first)
    bench.machine.consults(token, try question(bench, token))
    bench.machine.committed(bench.orders().turn ?? 0, answers: [.go], now: bench.now)
    _ = bench.orders()
    bench.machine.moved(token, to: "search", now: bench.now)
    #expect(bench.orders().sends == [token] && bench.machine.answer(of: token) == nil)
  }

  @Test("a target that was paused while memory was asked gets nothing; the delivery waits and asks again")
  func paused() throws {
    let bench = MachineBench()
    bench.claimInStages(toPerson: true)
    let token = try #require(bench.orders().sends.first)
    bench.machine.consults(token, try question(bench, token))
    let asked = bench.orders()
    bench.machine.pause("crm", Reason("paused", "by hand"), now: bench.now)
    bench.machine.committed(asked.turn ?? 0, answers: [.go], now: bench.now)
    let orders = bench.orders()
    #expect(orders.sends.isEmpty && orders.batch.rows.map(\.state) == [.waiting])
    #expect(bench.machine.count == 0 && bench.machine.inFlight == 0)
  }

  // MARK: Hours

  @Test("what its hours hold goes back to disk with another place in its line, and those behind it go on")
  func held() throws {
    let bench = MachineBench(limits: [RateLimit(count: 1, per: .hours(1))])
    bench.arriveInStages(key: "k")
    let token = try #require(bench.orders().sends.first)
    bench.arrive(["k"])
    _ = bench.orders()
    let opening = bench.now + .hours(13)
    bench.machine.held(token, until: opening, closed, now: bench.now)
    let orders = bench.orders()
    let row = try #require(orders.batch.rows.first)
    #expect(row.state == .waiting && row.due == opening && row.held == opening && row.reason == closed)
    #expect(row.plan.due == bench.now && orders.batch.rows.count == 2, "the one behind it, to be freed by the store")
    #expect(orders.batch.rows.last?.held == nil && bench.machine.count == 0)
    bench.arrive()
    #expect(bench.orders().sends.count == 1, "the token that was given back")
  }

  @Test("time that hours take does not count for retry")
  func uncounted() throws {
    let bench = MachineBench()
    bench.claimInStages()
    bench.answer(try #require(bench.orders().sends.first), .retry, status: 408)
    let row = try #require(bench.orders().batch.rows.first)
    bench.now = row.due
    let event = bench.event()
    bench.machine.claimed(
      Claim(target: "crm", deliveries: [ClaimedDelivery(delivery: row, event: event)], nextDue: nil), now: bench.now)
    let token = try #require(bench.orders().sends.first)
    bench.machine.held(token, until: bench.now + .hours(13), closed, now: bench.now)
    let held = try #require(bench.orders().batch.rows.first)
    #expect(held.stood == row.stood + .hours(13))
  }

  @Test("a message whose `sending` is on disk already is taken back where its hours ended meanwhile")
  func takenBack() throws {
    let bench = MachineBench()
    bench.claimInStages(toPerson: true)
    let token = try #require(bench.orders().sends.first)
    let records = bench.machine.recordsFirst(token)
    bench.machine.committed(bench.orders().turn ?? 0, now: bench.now)
    #expect(records && bench.orders().sends == [token])
    bench.machine.held(token, until: bench.now + .hours(1), closed, now: bench.now)
    let rows = bench.orders().batch.rows
    #expect(rows.map(\.state) == [.waiting] && bench.machine.inFlight == 0)
  }

  // MARK: Expiry

  @Test("what expires in memory is named, and ends with what follows in one transaction")
  func expiresInMemory() throws {
    let bench = MachineBench(limits: [RateLimit(count: 1, per: .hours(1))])
    bench.arrive()
    bench.arriveExpiring(in: .seconds(5))
    #expect(bench.orders().sends.count == 1 && bench.machine.nextWake == bench.now + .seconds(5))
    bench.now = bench.now + .seconds(5)
    let named = bench.orders().expired
    let token = try #require(named.first)
    let id = try #require(bench.machine.job(token)).delivery.id
    bench.machine.expired(token, late, followUps: [follow(bench)], now: bench.now)
    let orders = bench.orders()
    #expect(orders.batch.rows.map(\.state) == [.skipped] && orders.batch.rows.first?.reason == late)
    #expect(orders.batch.followUps.map(\.of) == [id] && orders.batch.followUps.first?.version == "v")
    #expect(orders.batch.packed.first?.states == [.row], "not a moment later, with its siblings")
    #expect(bench.machine.count == 1 && bench.standing()?.queued == 0)
  }

  @Test("what expires behind another of its key leaves the line as it is")
  func expiresInLine() throws {
    let bench = MachineBench()
    bench.arriveInStages(key: "k")
    let head = try #require(bench.orders().sends.first)
    bench.arriveExpiring(in: .seconds(5), key: "k")
    bench.arrive(["k"])
    _ = bench.orders()
    bench.now = bench.now + .seconds(6)
    let token = try #require(bench.orders().expired.first)
    bench.machine.expired(token, late, now: bench.now)
    #expect(bench.orders().sends.isEmpty && bench.machine.count == 2)
    bench.machine.skipped(head, Reason("condition_not_met", "no"), now: bench.now)
    #expect(bench.orders().sends.count == 1)
  }

  @Test("what expires on disk is claimed beside its target's queue, though that is paused")
  func expiresOnDisk() throws {
    let bench = MachineBench()
    bench.machine.pause("crm", Reason("paused", "by hand"), now: bench.now)
    _ = bench.orders()
    bench.machine.waiting([ClaimWish.expiring: bench.now + .seconds(5)])
    #expect(bench.orders().claims.isEmpty && bench.machine.nextWake == bench.now + .seconds(5))
    bench.now = bench.now + .seconds(5)
    #expect(bench.orders().claims == [.expired(limit: DeliveryMachine.expiredAtATime)])
    #expect(bench.orders().claims.isEmpty, "one at a time")
    bench.claimExpired()
    let token = try #require(bench.orders().expired.first)
    bench.machine.expired(token, late, followUps: [follow(bench)], now: bench.now)
    let orders = bench.orders()
    #expect(orders.batch.rows.map(\.state) == [.skipped] && orders.batch.followUps.count == 1)
    #expect(bench.machine.count == 0 && bench.machine.standing(now: bench.now)[""] == nil)
  }

  @Test("an expired row that cannot be ended goes back as it was, and is looked at again later, not at once")
  func stays() throws {
    let bench = MachineBench()
    bench.machine.waiting([ClaimWish.expiring: bench.now])
    _ = bench.orders()
    bench.claimExpired()
    let token = try #require(bench.orders().expired.first)
    bench.machine.stays(token, now: bench.now)
    let orders = bench.orders()
    #expect(orders.batch.rows.map(\.state) == [.waiting] && bench.machine.count == 0)
    bench.machine.waiting([ClaimWish.expiring: bench.now])
    #expect(bench.orders().claims.isEmpty)
    bench.now = bench.now + .seconds(10)
    #expect(bench.orders().claims.count == 1)
  }

  @Test("one whose attempt may have arrived does not expire")
  func uncertain() throws {
    let bench = MachineBench(limits: [RateLimit(count: 1, per: .hours(1))])
    bench.arrive()
    _ = bench.orders()
    var delivery = bench.expiring(in: .seconds(1))
    delivery.memo.isUncertain = true
    bench.machine.claimed(
      Claim(target: "crm", deliveries: [ClaimedDelivery(delivery: delivery, event: bench.event())], nextDue: nil),
      now: bench.now)
    bench.now = bench.now + .seconds(2)
    #expect(bench.orders().expired.isEmpty)
  }

  @Test("one whose request is under way does not expire")
  func underWay() throws {
    let bench = MachineBench()
    bench.arriveExpiring(in: .seconds(1))
    let token = try #require(bench.orders().sends.first)
    bench.now = bench.now + .seconds(2)
    #expect(bench.orders().expired.isEmpty)
    bench.answer(token, .ok)
    bench.now = bench.now + .seconds(1)
    #expect(bench.orders().batch.packed.first?.states.first.map { $0 != .open } == true)
  }
}

extension MachineBench {
  /// A delivery in stages that expires.
  func expiring(in span: Span, key: String? = nil) -> Delivery {
    var plan = plan(key: key, prepares: true)
    plan.expires = now + span
    return Delivery(id: DeliveryID(event: event().id, ordinal: 0), plan: plan, version: "v")
  }

  /// It comes packed.
  func arriveExpiring(in span: Span, key: String? = nil) {
    var plan = plan(key: key, prepares: true)
    plan.expires = now + span
    machine.planned(event(), version: "v", planned: [plan], hot: [0], now: now)
  }

  /// The answer to a claim of expired rows: one.
  func claimExpired() {
    let found = ClaimedDelivery(delivery: expiring(in: .zero), event: event())
    machine.claimed(Claim(target: ClaimWish.expiring, deliveries: [found], nextDue: nil), now: now)
  }
}
