// Step 4, for every engine: what is accepted, what is known already, and how packed deliveries end.

import DivertCore
import Testing

@Suite("Accepting events")
struct EventConformanceTests {
  @Test("an accepted event is read back whole", arguments: Engine.all)
  func accepted(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    let plan: [PlannedDelivery] = [.to("crm", key: "k"), .to("zap", send: "b \"x\"")]
    let event = try store.accept(.event(plan, callID: "c1"))
    let record = try #require(try store.event(event.id))
    #expect(record.event.fields == event.fields)
    #expect(record.event.body == event.body)
    #expect(record.event.raw == event.raw)
    #expect(record.event.source == "doubletick" && record.event.receivedAt == start)
    #expect(record.version == "v1")
    #expect(record.deliveries.map(\.plan) == plan)
    #expect(record.deliveries.allSatisfy { $0.state == .waiting && $0.attempts.isEmpty })
    try store.expectBalance()
  }

  @Test("a key is known again, for ever or until its time is over", arguments: Engine.all)
  func duplicates(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    let forever = DedupeEntry(key: [1, 2], until: nil)
    let windowed = DedupeEntry(key: [0, 0], until: start + .minutes(10))
    let first = try store.accept(.event([.to("crm")], dedupe: forever))
    let second = try store.accept(.event(dedupe: windowed))
    let later = start + .minutes(10)
    let receipt = try store.commit(now: later) { batch in
      batch.appends = [
        .event([.to("crm")], at: later, dedupe: forever),
        .event(at: later - .milliseconds(1), dedupe: windowed),
        .event(at: later, dedupe: DedupeEntry(key: [0, 0], until: later + .minutes(10))),
        .event(at: later, dedupe: DedupeEntry(key: [0, 0], until: later + .minutes(10))),
        .event(at: later), .event(at: later),
      ]
    }
    #expect(receipt.appends.map(\.duplicateOf) == [first.id, second.id, nil, receipt.appends[2].event?.id, nil, nil])
    let source = try #require(try store.totals().sources["doubletick"])
    #expect([source.received, source.accepted, source.duplicate, source.unmatched] == [8, 5, 3, 4])
    #expect(try store.totals().targets["crm"]?.planned == 1)
    try store.expectBalance()
  }

  @Test("sequences go on rising when the clock jumps back, and after a restart", arguments: Engine.all)
  func sequences(_ engine: Engine) throws {
    let folder = Folder()
    var store = try engine.open(folder)
    let first = try store.accept(.event())
    let second = try store.accept(.event(at: start - .hours(1)))
    try store.close()
    store = try engine.open(folder)
    let third = try store.accept(.event(at: start - .hours(2)))
    let fourth = try store.accept(.event(at: start + .milliseconds(1)))
    #expect(first.id.sequence == EventID.firstSequence(at: start))
    #expect(second.id.sequence == first.id.sequence + 1 && third.id.sequence == second.id.sequence + 1)
    #expect(fourth.id.sequence == EventID.firstSequence(at: start + .milliseconds(1)))
    #expect(Set([first, second, third, fourth].map(\.id.tag)) == [store.tag])
    let early = EventFilter(since: start - .hours(3), until: start - .minutes(90))
    #expect(try store.events(matching: early, after: nil, limit: 9).map(\.event.id) == [third.id])
  }

  @Test("deliveries get rows when to a person, congested, late or behind a row of their line", arguments: Engine.all)
  func rows(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    let receipt = try store.commit { batch in
      batch.appends = [
        .event([.to("crm", key: "a"), .to("wa", key: "a", person: true), .to("zap")], congested: ["zap"]),
        .event([.to("wa", key: "a"), .to("wa", key: "b"), .to("crm", key: "a")]),
        .event([.to("crm", key: "c"), .to("crm", key: "c", person: true), .to("crm", due: start + .minutes(10))]),
      ]
    }
    #expect(receipt.appends.map(\.hot) == [[0], [1, 2], []])
    #expect(receipt.due == ["wa": start, "zap": start, "crm": start])
    try store.expectBalance()
  }

  @Test("a group of many is one transaction", arguments: Engine.all)
  func group(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    let receipt = try store.commit { batch in
      batch.appends = (0..<500).map { n in .event([.to("crm"), .to("zap")], callID: "c\(n)") }
    }
    let ids = receipt.appends.compactMap(\.event?.id)
    #expect(ids.count == 500 && Set(ids).count == 500)
    #expect(try store.totals().commits == 1)
    try store.commit { batch in
      batch.packed = ids.map { PackedUpdate(event: $0, states: [.delivered(), .delivered()]) }
    }
    #expect(try store.totals().targets["crm"]?.delivered == 500)
    #expect(try store.recover(after: nil, limit: 10).isEmpty)
    try store.expectBalance()
  }

  @Test("packed deliveries end one by one and are counted once", arguments: Engine.all, [false, true])
  func packed(_ engine: Engine, reopening: Bool) throws {
    let folder = Folder()
    var store = try engine.open(folder)
    let id = try store.accept(.event([.to("crm"), .to("zap"), .to("crm", send: "1")])).id
    let skipped = PackedState.ended(.skipped, reason: Reason("guard", "no"), attempt: nil)
    for states: [PackedState] in [[.delivered(), .open, .open], [.delivered(), skipped, .open]] {
      try store.commit { $0.packed = [PackedUpdate(event: id, states: states)] }
      if reopening {
        try store.close()
        store = try engine.open(folder)
      }
    }
    let open = try #require(try store.recover(after: nil, limit: 10).first)
    #expect(open.event.id == id && open.states == [.delivered(), skipped, .open] && open.planned.count == 3)
    try store.expectBalance()
    var row = Delivery(id: DeliveryID(event: id, ordinal: 2), plan: open.planned[2], version: "v1")
    row = row.put(.waiting, due: start + .seconds(5), attempt: .ended(.retry))
    let receipt = try store.commit { batch in
      batch.packed = [PackedUpdate(event: id, states: [.delivered(), skipped, .row])]
      batch.rows = [row]
    }
    #expect(receipt.due == ["crm": start + .seconds(5)])
    let record = try #require(try store.event(id))
    #expect(record.deliveries.map(\.state) == [.delivered, .skipped, .waiting])
    #expect(record.deliveries[0].attempts == [.ended(.ok)] && record.deliveries[0].counted == 1)
    #expect(record.deliveries[2].attempts == row.attempts && record.deliveries[2].reason == row.reason)
    #expect(try store.recover(after: nil, limit: 10).isEmpty)
    try store.expectBalance()
    let standing = try store.standing()
    #expect(standing["crm"]?.waiting == 1 && standing["crm"]?.oldestWaiting == start && standing["zap"]?.waiting == 0)
  }

  @Test("open events are recovered page by page, oldest first", arguments: Engine.all)
  func recovery(_ engine: Engine) throws {
    let folder = Folder()
    var store = try engine.open(folder)
    let ids = try (0..<25).map { n in try store.accept(.event([.to("crm")], at: start + .milliseconds(n))).id }
    try store.commit { $0.packed = [PackedUpdate(event: ids[3], states: [.delivered()])] }
    try store.close()
    store = try engine.open(folder)
    var found: [EventID] = []
    while true {
      let page = try store.recover(after: found.last, limit: 10)
      if page.isEmpty { break }
      found += page.map(\.event.id)
    }
    #expect(found == ids.filter { $0 != ids[3] })
  }

  @Test("refusals count as received", arguments: Engine.all)
  func refusals(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    try store.commit { batch in
      batch.refusals = [
        Refusal(source: "doubletick", quarantined: true), Refusal(source: "doubletick", quarantined: false),
        Refusal(source: "doubletick", quarantined: false),
      ]
    }
    let source = try #require(try store.totals().sources["doubletick"])
    #expect([source.received, source.quarantined, source.refused] == [3, 1, 2])
    try store.expectBalance()
  }
}
