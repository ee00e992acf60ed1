// Steps 5 and 12, for every engine: claims, lines, interrupted attempts, cancels.

import DivertCore
import Testing

@Suite("Claiming and settling rows")
struct RowConformanceTests {
  /// A store with one congested delivery per given plan, each of its own event.
  private func queued(_ engine: Engine, _ folder: Folder, _ plans: [PlannedDelivery]) throws -> any Store {
    let store = try engine.open(folder)
    try store.commit { batch in
      batch.appends = plans.map { .event([$0], at: start, congested: [$0.target]) }
    }
    return store
  }

  @Test("claims go by due time, up to the limit, and never twice", arguments: Engine.all)
  func claims(_ engine: Engine) throws {
    let folder = Folder()
    let plans = [3, 1, 2, 9].map { PlannedDelivery.to("crm", due: start + .seconds($0)) } + [.to("zap")]
    let store = try queued(engine, folder, plans)
    let now = start + .seconds(5)
    #expect(try store.waitingTargets() == ["crm": start + .seconds(1), "zap": start])
    let claims = try store.claim([ClaimWish(target: "crm", limit: 2), ClaimWish(target: "none", limit: 2)], now: now)
    #expect(claims[0].deliveries.map(\.delivery.due) == [start + .seconds(1), start + .seconds(2)])
    #expect(claims[0].nextDue == start + .seconds(3))
    #expect(claims[1].deliveries.isEmpty && claims[1].nextDue == nil)
    #expect(claims[0].deliveries[0].event.raw["n"] == .number("12345678901234567"))
    let second = try store.claim("crm", now: now)
    #expect(second.deliveries.map(\.delivery.due) == [start + .seconds(3)])
    #expect(second.nextDue == start + .seconds(9))
    #expect(try store.claim("crm", now: now).deliveries.isEmpty)
    let released = try store.commit { $0.rows = [claims[0].deliveries[1].delivery] }
    #expect(released.due == ["crm": start + .seconds(2)])
    let later = claims[0].deliveries[0].delivery.put(.waiting, due: start + .seconds(4), attempt: .ended(.retry))
    #expect(try store.commit { $0.rows = [later] }.due == ["crm": start + .seconds(4)])
    let third = try store.claim("crm", now: now)
    #expect(third.deliveries.map(\.delivery.due) == [start + .seconds(2), start + .seconds(4)])
    #expect(third.deliveries[1].delivery.attempts.count == 1)
    try store.expectBalance()
  }

  @Test("a wish for later rows, too, gets them, but those of a line one after the other", arguments: Engine.all)
  func evenLater(_ engine: Engine) throws {
    let folder = Folder()
    let keyed = (0..<2).map { PlannedDelivery.to("crm", key: "k", due: start + .hours($0)) }
    let store = try queued(engine, folder, [.to("crm", due: start + .days(1))] + keyed)
    let wish = ClaimWish(target: "crm", limit: 9, evenLater: true)
    let claim = try #require(try store.claim([wish], now: start).first)
    #expect(claim.deliveries.map(\.delivery.due) == [start, start + .days(1)] && claim.nextDue == nil)
  }

  @Test("a full target keeps no other from its rows", arguments: Engine.all)
  func fairness(_ engine: Engine) throws {
    let folder = Folder()
    let store = try queued(engine, folder, (0..<50).map { _ in .to("crm") } + [.to("zap")])
    let claims = try store.claim([ClaimWish(target: "crm", limit: 0), ClaimWish(target: "zap", limit: 5)], now: start)
    #expect(claims[0].deliveries.isEmpty && claims[0].nextDue == start)
    #expect(claims[1].deliveries.count == 1)
  }

  @Test("of a line only the first goes out, and the next when it ended", arguments: Engine.all)
  func line(_ engine: Engine) throws {
    let folder = Folder()
    let plans = [2, 0, 1].map { PlannedDelivery.to("crm", key: "k", due: start + .milliseconds($0)) }
    let store = try queued(engine, folder, plans + [.to("crm", key: "other", due: start + .seconds(1))])
    let now = start + .minutes(1)
    var order: [Timestamp] = []
    let other = try store.claim("crm", now: now).deliveries
    #expect(other.map(\.delivery.plan.due) == [start, start + .seconds(1)])
    var first = other[0].delivery
    try store.expectBalance()
    #expect(try store.claim("crm", now: now).deliveries.isEmpty)
    // A retry keeps its place.
    let receipt = try store.commit { $0.rows = [first.put(.waiting, due: now + .seconds(9), attempt: .ended(.retry))] }
    #expect(receipt.due == ["crm": now + .seconds(9)])
    #expect(try store.claim("crm", now: now).deliveries.isEmpty)
    first = try #require(try store.claim("crm", now: now + .seconds(9)).deliveries.first?.delivery)
    while true {
      order.append(first.plan.due)
      let receipt = try store.commit { $0.rows = [first.put(.delivered, attempt: .ended(.ok))] }
      try store.expectBalance()
      guard let next = try store.claim("crm", now: now).deliveries.first?.delivery else { break }
      #expect(receipt.due == ["crm": next.due])
      first = next
    }
    #expect(order == [0, 1, 2].map { start + .milliseconds($0) })
  }

  @Test("an earlier row takes the head of its line", arguments: Engine.all)
  func earlier(_ engine: Engine) throws {
    let folder = Folder()
    let late = PlannedDelivery.to("crm", key: "k", due: start + .hours(1))
    let store = try queued(engine, folder, [late, .to("crm", key: "k")])
    #expect(try store.waitingTargets() == ["crm": start])
    let first = try #require(try store.claim("crm").deliveries.first?.delivery)
    #expect(first.plan.due == start)
    try store.commit { $0.rows = [first.put(.delivered)] }
    #expect(try store.waitingTargets() == ["crm": start + .hours(1)])
    try store.expectBalance()
  }

  @Test("rows of one line that come in one batch stand in its order", arguments: Engine.all)
  func batch(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    let ids = try (0..<3).map { _ in try store.accept(.event([.to("crm", key: "k")])).id }
    let rows = ids.map { Delivery(id: DeliveryID(event: $0, ordinal: 0), plan: .to("crm", key: "k"), version: "v1") }
    try store.commit { batch in
      batch.rows = rows.reversed()
      batch.packed = ids.map { PackedUpdate(event: $0, states: [.row]) }
    }
    try store.expectBalance()
    #expect(try store.claim("crm").deliveries.map(\.delivery.id) == [rows[0].id])
    // The head ends and the next one's row is written in one batch.
    let receipt = try store.commit { $0.rows = [rows[0].put(.dead), rows[1].put(.waiting, due: start + .seconds(1))] }
    #expect(receipt.due == ["crm": start + .seconds(1)])
    try store.expectBalance()
  }

  @Test("attempts that nobody saw end are found after a restart", arguments: Engine.all)
  func interrupted(_ engine: Engine) throws {
    let folder = Folder()
    var store = try engine.open(folder)
    try store.commit { $0.appends = [.event([.to("wa", key: "k", person: true)]), .event([.to("wa", person: true)])] }
    let claimed = try store.claim("wa").deliveries.map(\.delivery)
    #expect(claimed.count == 2)
    try store.commit { $0.rows = [claimed[0].put(.sending)] }
    #expect(try store.standing()["wa"]?.sending == 1)
    try store.close()
    store = try engine.open(folder)
    let found = try store.interrupted()
    #expect(found.map(\.delivery.id) == [claimed[0].id] && found.first?.delivery.state == .sending)
    #expect(try store.claim("wa").deliveries.map(\.delivery.id) == [claimed[1].id])
    try store.commit { $0.rows = [claimed[0].put(.dead)] }
    #expect(try store.interrupted().isEmpty)
    try store.expectBalance()
    #expect(try store.audit().dead == [claimed[0].id])
  }

  @Test("what has ended stays as it ended", arguments: Engine.all)
  func final(_ engine: Engine) throws {
    let folder = Folder()
    let store = try queued(engine, folder, [.to("crm")])
    let row = try #require(try store.claim("crm").deliveries.first?.delivery)
    try store.commit { $0.rows = [row.put(.delivered, attempt: .ended(.ok))] }
    try store.commit { $0.rows = [row.put(.waiting), row.put(.dead)] }
    #expect(try store.delivery(row.id)?.state == .delivered)
    #expect(try store.claim("crm").deliveries.isEmpty)
    try store.expectBalance()
  }

  @Test("a cancel ends waiting rows in bounds and leaves claimed ones", arguments: Engine.all)
  func cancels(_ engine: Engine) throws {
    let folder = Folder()
    var plans = (0..<6).map { PlannedDelivery.to("crm", key: $0 < 3 ? "k" : nil, route: "a/b") }
    plans += [.to("crm", route: "ab"), .to("zap", route: "a")]
    let store = try queued(engine, folder, plans)
    let held = try store.claim("crm", limit: 1).deliveries[0].delivery
    let why = Reason("cancelled", "by hand")
    func cancel(_ route: String?, _ target: String?, _ event: EventID? = nil, limit: Int) throws -> Int {
      try store.commit { batch in
        batch.cancels = [Cancel(route: route, target: target, event: event, reason: why, limit: limit)]
      }.cancels[0]
    }
    #expect(try cancel("a", "crm", limit: 2) == 2)
    try store.expectBalance()
    #expect(try cancel("a", nil, limit: 100) == 4)
    #expect(try cancel(nil, nil, held.id.event, limit: 100) == 0)
    try store.commit { $0.rows = [held] }
    #expect(try cancel(nil, nil, held.id.event, limit: 100) == 1)
    #expect(try store.delivery(held.id)?.reason == why)
    #expect(try store.totals().targets["crm"]?.skipped == 6)
    #expect(try store.standing()["crm"]?.waiting == 1)
    try store.expectBalance()
  }
}
