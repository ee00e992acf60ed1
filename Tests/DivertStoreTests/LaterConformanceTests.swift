// Step 13 and looking, for every engine: replays, additions, finding, rulings and configurations.

import DivertCore
import Testing

@Suite("Replays, additions and looking")
struct LaterConformanceTests {
  private func died(_ store: any Store, _ plan: PlannedDelivery = .to("crm", key: "k")) throws -> DeliveryID {
    let event = try store.accept(.event([plan], congested: [plan.target]))
    let row = try #require(try store.claim(plan.target).deliveries.first?.delivery)
    try store.commit { $0.rows = [row.put(.dead, attempt: .ended(.fail))] }
    return DeliveryID(event: event.id, ordinal: 0)
  }

  private func replay(_ id: DeliveryID, edited: EditedRequest? = nil) -> Replay {
    Replay(original: id, plan: .to("crm", key: "k"), version: "v2", asWas: false, edited: edited)
  }

  @Test("a dead letter is sent again once at a time, and not after it was delivered", arguments: Engine.all)
  func replays(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    let id = try died(store)
    let edited = EditedRequest(
      method: "POST", url: "https://x/", headers: [HTTPHeader("A", "1"), HTTPHeader("A", "2")], body: nil)
    let receipt = try store.commit { $0.replays = [replay(id, edited: edited), replay(id)] }
    let first = try #require(receipt.replays[0].planned)
    #expect(receipt.replays[1].refused == "replay_alive" && receipt.due == ["crm": start])
    #expect(try store.delivery(id)?.replayedBy == first.ordinal)
    #expect(try store.audit().dead.isEmpty)
    let claimed = try #require(try store.claim("crm").deliveries.first?.delivery)
    #expect(claimed.id == first && claimed.replayOf == 0 && claimed.edited == edited && !claimed.asWas)
    #expect(claimed.version == "v2" && claimed.plan.orderKey == nil)
    // It dies: its own letter stands for both.
    try store.commit { $0.rows = [claimed.put(.dead, attempt: .ended(.fail))] }
    #expect(try store.delivery(id)?.replayedBy == nil)
    #expect(try store.audit().dead == [first] && store.standing()["crm"]?.dead == 1)
    // The replay of a replay speaks for the whole chain.
    let second = try #require(try store.commit { $0.replays = [replay(first)] }.replays[0].planned)
    #expect(try store.commit { $0.replays = [replay(id)] }.replays[0].refused == "replay_alive")
    let last = try #require(try store.claim("crm").deliveries.first?.delivery)
    #expect(last.id == second)
    try store.commit { $0.rows = [last.put(.delivered, attempt: .ended(.ok))] }
    let refused = try store.commit { $0.replays = [replay(id), replay(first), replay(second)] }.replays
    #expect(refused.map(\.refused) == ["already_replayed", "already_replayed", "not_dead"])
    try store.expectBalance()
    #expect(try store.audit().dead.isEmpty)
  }

  @Test(
    "a dead letter that was put away stays dead, and counts no more until a replay of it fails", arguments: Engine.all)
  func drops(_ engine: Engine) throws {
    let folder = Folder()
    var store = try engine.open(folder)
    let (id, other) = (try died(store), try died(store))
    let alive = DeliveryID(event: try store.accept(.event([.to("zap")], congested: ["zap"])).id, ordinal: 0)
    let foreign = DeliveryID(event: EventID(sequence: other.event.sequence, tag: other.event.tag &+ 1), ordinal: 0)
    for _ in 0..<2 { try store.commit { $0.drops = [id, alive, foreign] } }
    try store.close()
    store = try engine.open(folder)
    #expect(try store.delivery(id)?.state == .dead && store.delivery(alive)?.state == .waiting)
    #expect(try store.standing()["crm"]?.dead == 1 && store.audit().dead == [other])
    #expect(try store.totals().targets["crm"]?.dead == 2)
    try store.expectBalance()
    // Its file was taken back and replayed: the replay's own letter counts.
    let replayed = try #require(try store.commit { $0.replays = [replay(id)] }.replays[0].planned)
    let claimed = try #require(try store.claim("crm").deliveries.first?.delivery)
    try store.commit { $0.rows = [claimed.put(.dead, attempt: .ended(.fail))] }
    #expect(try Set(store.audit().dead) == [other, replayed])
    try store.expectBalance()
  }

  @Test("a replay that is cancelled leaves the letter as it was", arguments: Engine.all)
  func cancelledReplay(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    let id = try died(store)
    try store.commit { $0.replays = [replay(id)] }
    let cancel = Cancel(route: nil, target: "crm", event: nil, reason: Reason("cancelled", "by hand"), limit: 9)
    #expect(try store.commit { $0.cancels = [cancel] }.cancels == [1])
    #expect(try store.audit().dead == [id])
    #expect(try store.commit { $0.replays = [replay(id)] }.replays[0].planned?.ordinal == 2)
    try store.expectBalance()
  }

  @Test("a delivery of another store is unknown", arguments: Engine.all)
  func foreign(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    let id = try died(store)
    let foreign = DeliveryID(event: EventID(sequence: id.event.sequence, tag: store.tag ^ 1), ordinal: 0)
    let absent = DeliveryID(event: id.event, ordinal: 7)
    let receipt = try store.commit { $0.replays = [replay(foreign), replay(absent)] }
    #expect(receipt.replays.map(\.refused) == ["unknown_delivery", "unknown_delivery"])
    #expect(try store.delivery(foreign) == nil && store.delivery(absent) == nil)
  }

  @Test("an addition plans only what the event has not", arguments: Engine.all)
  func additions(_ engine: Engine) throws {
    let folder = Folder()
    var store = try engine.open(folder)
    let event = try store.accept(.event([.to("crm"), .to("zap")]))
    let wanted: [PlannedDelivery] = [.to("crm"), .to("crm", send: "new"), .to("crm", send: "new"), .to("wa")]
    let receipt = try store.commit { batch in
      batch.additions = [
        Addition(event: event.id, planned: wanted, version: "v2"),
        Addition(event: event.id, planned: wanted, version: "v3"),
      ]
    }
    #expect(receipt.additions == [[wanted[1], wanted[3]], []])
    try store.expectBalance()
    try store.close()
    store = try engine.open(folder)
    let record = try #require(try store.event(event.id))
    #expect(record.deliveries.map(\.version) == ["v1", "v1", "v2", "v2"])
    let recovered = try #require(try store.recover(after: nil, limit: 9).first)
    #expect(recovered.planned.count == 2 && recovered.states == [.open, .open])
    try store.commit { $0.packed = [PackedUpdate(event: event.id, states: [.delivered(), .delivered()])] }
    try store.expectBalance()
  }

  @Test("events are found by phone and call id, newest first, over days", arguments: Engine.all)
  func finding(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    var ids: [EventID] = []
    for day in [0, 0, 1, 40, 400] as [Int64] {
      let time = start + .days(day)
      ids.append(try store.accept(.event(at: time, phone: "+1", callID: "c\(day)")).id)
      _ = try store.accept(.event([.to("crm")], at: time, source: "other", phone: "+2"))
    }
    #expect(try store.events(phone: "+1", callID: nil, limit: 4).map(\.event.id) == Array(ids.reversed().prefix(4)))
    #expect(try store.events(phone: nil, callID: "c0", limit: 9).map(\.event.id) == [ids[1], ids[0]])
    #expect(try store.events(phone: "+2", callID: "c0", limit: 9).isEmpty)
    #expect(try store.lastEvents(source: nil, limit: 3).count == 3)
    #expect(try store.lastEvents(source: "doubletick", limit: 2).map(\.event.id) == [ids[4], ids[3]])
    #expect(try store.lastEvents(source: "none", limit: 2).isEmpty)
    let filter = EventFilter(since: start + .days(1), until: start + .days(400), unmatched: true)
    #expect(try store.events(matching: filter, after: nil, limit: 9).map(\.event.id) == [ids[2], ids[3]])
    #expect(try store.events(matching: filter, after: ids[2], limit: 9).map(\.event.id) == [ids[3]])
    let other = EventFilter(source: "other")
    #expect(try store.events(matching: other, after: nil, limit: 99).count == 5)
  }

  @Test("the oldest of many thousand events is found as the newest is", arguments: Engine.all)
  func findingAmongMany(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    let receipt = try store.commit { batch in
      batch.appends = (0..<9000).map { .event(phone: "+\($0 % 4500)", callID: "c\($0)") }
    }
    let ids = receipt.appends.compactMap(\.event?.id)
    #expect(try store.events(phone: "+7", callID: nil, limit: 9).map(\.event.id) == [ids[4507], ids[7]])
    #expect(try store.events(phone: nil, callID: "c8999", limit: 9).map(\.event.id) == [ids[8999]])
  }

  @Test("what was spent of budgets outlives a restart", arguments: Engine.all)
  func budgets(_ engine: Engine) throws {
    let folder = Folder()
    var store = try engine.open(folder)
    #expect(try store.budgets().isEmpty)
    let (one, two) = (BudgetCount(spent: 1, endsAt: start), BudgetCount(spent: 2, endsAt: start + .days(1)))
    try store.commit { $0.budgets = [.target("crm"): one, .credential("crm"): one] }
    try store.commit { $0.budgets = [.credential("crm"): two] }
    let tag = store.tag
    try store.close()
    store = try engine.open(folder)
    #expect(try store.budgets() == [.target("crm"): one, .credential("crm"): two] && store.tag == tag)
  }

  @Test("rulings, alarms and configurations outlive a restart", arguments: Engine.all)
  func rulings(_ engine: Engine) throws {
    let folder = Folder()
    var store = try engine.open(folder)
    let held = TargetRuling(kind: .held, reason: Reason("unauthorized", "401"), since: start)
    try store.commit { batch in
      batch.targetStates = ["crm": held, "zap": held]
      batch.alarms = ["a": "up", "b": "up"]
    }
    try store.commit { batch in
      batch.targetStates = ["zap": nil]
      batch.alarms = ["b": nil]
    }
    try store.keepConfiguration(version: "v1", text: "routes: {}", at: start)
    try store.keepConfiguration(version: "v1", text: "other", at: start)
    let tag = store.tag
    try store.close()
    store = try engine.open(folder)
    #expect(store.tag == tag)
    #expect(try store.targetStates() == ["crm": held])
    #expect(try store.alarms() == ["a": "up"])
    #expect(try store.configuration(version: "v1") == "routes: {}")
    #expect(try store.configuration(version: "v2") == nil)
  }
}
