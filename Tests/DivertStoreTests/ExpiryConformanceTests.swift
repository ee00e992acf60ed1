// Rows that expire, and rows that allowed hours hold, for every engine.

import DivertCore
import Testing

@Suite("Rows that expire, and rows held for allowed hours")
struct ExpiryConformanceTests {
  private func expiring(
    _ after: Int64, _ target: String = "wa", key: String? = nil, send: String = "0", due: Timestamp = start
  ) -> PlannedDelivery {
    var plan = PlannedDelivery.to(target, key: key, due: due, person: true, send: send)
    plan.expires = start + .minutes(after)
    return plan
  }

  private func expired(_ store: any Store, at minute: Int64, limit: Int = 9) throws -> Claim {
    try #require(try store.claim([.expired(limit: limit)], now: start + .minutes(minute)).first)
  }

  @Test("what has expired is found wherever it waits, the earliest first, and told beforehand", arguments: Engine.all)
  func finding(_ engine: Engine) throws {
    let folder = Folder()
    var store = try engine.open(folder)
    let plans = [
      expiring(20, key: "a", send: "0"), expiring(15, key: "a", send: "1"), .to("wa", person: true, send: "2"),
      expiring(15, "crm", send: "3", due: start + .hours(9)),
    ]
    let receipt = try store.commit { $0.appends = [.event(plans)] }
    #expect(receipt.due[ClaimWish.expiring] == start + .minutes(15))
    try store.close()
    store = try engine.open(folder)
    #expect(try store.waitingTargets()[ClaimWish.expiring] == start + .minutes(15))
    let none = try expired(store, at: 14)
    #expect(none.deliveries.isEmpty && none.nextDue == start + .minutes(15) && none.target == "")
    let two = try expired(store, at: 15)
    #expect(two.deliveries.map(\.delivery.plan.send) == ["1", "3"] && two.nextDue == start + .minutes(20))
    #expect(two.deliveries.map(\.delivery.plan.expires) == [start + .minutes(15), start + .minutes(15)])
    #expect(try expired(store, at: 15).deliveries.isEmpty, "they are claimed")
    try store.commit { $0.rows = two.deliveries.map { $0.delivery.put(.skipped) } }
    #expect(try expired(store, at: 30, limit: 0).nextDue == start + .minutes(20))
    #expect(try store.event(two.deliveries[0].event.id)?.deliveries.map(\.plan.expires) == plans.map(\.expires))
    try store.expectBalance()
  }

  @Test("one that is blocked in its line may expire, and the line goes on", arguments: Engine.all)
  func lines(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    let plans = [
      .to("wa", key: "a", person: true, send: "0"), expiring(1, key: "a", send: "1"),
      .to("wa", key: "a", person: true, send: "2"),
    ]
    try store.commit { $0.appends = [.event(plans)] }
    let blocked = try expired(store, at: 2).deliveries.map(\.delivery)
    let head = try store.claim("wa").deliveries.map(\.delivery)
    #expect(blocked.map(\.plan.send) == ["1"] && head.map(\.plan.send) == ["0"])
    try store.commit { $0.rows = [blocked[0].put(.skipped)] }
    #expect(try store.claim("wa").deliveries.isEmpty)
    try store.commit { $0.rows = [head[0].put(.delivered)] }
    #expect(try store.claim("wa").deliveries.map(\.delivery.plan.send) == ["2"])
    try store.expectBalance()
  }

  @Test(
    "an attempt that may have arrived, or is under way, does not expire; given back, it does", arguments: Engine.all)
  func uncertain(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    try store.commit { $0.appends = [.event([expiring(1)])] }
    var row = try store.claim("wa").deliveries[0].delivery
    row.memo.isUncertain = true
    #expect(try store.commit { $0.rows = [row] }.due == ["wa": start])
    #expect(try expired(store, at: 2).deliveries.isEmpty && store.waitingTargets() == ["wa": start])
    row = try store.claim("wa").deliveries[0].delivery
    row.memo.isUncertain = false
    try store.commit { $0.rows = [row.put(.sending)] }
    #expect(try expired(store, at: 2).deliveries.isEmpty)
    #expect(try store.commit { $0.rows = [row] }.due == ["wa": start, "": start + .minutes(1)])
    #expect(try expired(store, at: 2).deliveries.map(\.delivery.id) == [row.id])
  }

  @Test("what follows an end comes with it, once", arguments: Engine.all)
  func followUps(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    try store.commit { $0.appends = [.event([expiring(1)])] }
    let row = try expired(store, at: 2).deliveries[0].delivery
    let late = PlannedDelivery.to("crm", due: start + .minutes(2), send: "otherwise.0")
    let followUp = FollowUp(of: row.id, planned: [late], version: "v1")
    let receipt = try store.commit { batch in
      batch.rows = [row.put(.skipped)]
      batch.followUps = [followUp, followUp]
    }
    #expect(receipt.due == ["crm": start + .minutes(2)])
    #expect(try store.event(row.id.event)?.deliveries.map(\.plan.send) == ["0", "otherwise.0"])
    #expect(try store.claim("crm", now: start + .minutes(2)).deliveries.map(\.delivery.plan) == [late])
    try store.expectBalance()
  }

  @Test("a row that is held for allowed hours steps out of its line, and comes in again by then", arguments: Engine.all)
  func held(_ engine: Engine) throws {
    let folder = Folder()
    var store = try engine.open(folder)
    let plans = (0..<3).map {
      PlannedDelivery.to("wa", key: "a", due: start + .minutes(Int64($0)), person: true, send: "\($0)")
    }
    try store.commit { $0.appends = [.event(plans)] }
    let morning = start + .hours(14)
    var first = try store.claim("wa").deliveries[0].delivery
    first = first.put(.waiting, due: morning)
    first.held = morning
    try store.commit { $0.rows = [first] }
    try store.close()
    store = try engine.open(folder)
    let second = try store.claim("wa", now: start + .minutes(5)).deliveries.map(\.delivery)
    #expect(second.map(\.plan.send) == ["1"])
    try store.commit { $0.rows = second.map { $0.put(.delivered) } }
    let joins = PlannedDelivery.to("wa", key: "a", due: start + .minutes(3), person: true, send: "9")
    try store.commit { $0.appends = [.event([joins])] }
    for send in ["2", "9"] {
      let next = try store.claim("wa", now: morning).deliveries.map(\.delivery)
      #expect(next.map(\.plan.send) == [send])
      try store.commit { $0.rows = next.map { $0.put(.delivered) } }
    }
    let last = try store.claim("wa", now: morning).deliveries.map(\.delivery)
    #expect(last.map(\.plan.send) == ["0"] && last[0].held == morning && last[0].plan.due == start)
    try store.expectBalance()
  }
}
