// Deliveries that go out in stages, for every engine: what they remember, in whose queue they wait, what siblings share.

import DivertCore
import Testing

@Suite("Rows of deliveries in stages")
struct StageConformanceTests {
  private static func memo(_ id: JSONValue) -> DeliveryMemo {
    var memo = DeliveryMemo()
    memo.lookups = ["contact": .object(["id": id])]
    memo.asked = ["account": 2]
    memo.steps = ["note": .object(["id": 12]), "left_out": .null]
    memo.isCleared = true
    memo.isUncertain = true
    return memo
  }

  private func prepared(_ target: String, key: String? = nil, send: String = "0") -> PlannedDelivery {
    PlannedDelivery(
      route: "r", send: send, target: target, action: "a", orderKey: key, due: start, toPerson: false, prepares: true)
  }

  @Test("a row gives back whether it prepares, what it remembers and in whose queue it waits", arguments: Engine.all)
  func whole(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    let event = try store.accept(.event([prepared("crm"), .to("crm")], congested: ["crm"]))
    let claimed = try store.claim("crm").deliveries.map(\.delivery)
    #expect(claimed.map(\.plan.prepares) == [true, false] && claimed.allSatisfy { $0.memo.isEmpty })
    var asked = claimed[0].put(.waiting, attempt: .ended(.ok))
    asked.attempts[0].stage = "lookup contact"
    asked.memo = Self.memo("7")
    asked.queue = "search"
    let receipt = try store.commit { $0.rows = [asked] }
    #expect(receipt.due == ["search": start])
    let found = try #require(try store.delivery(asked.id))
    #expect(found.memo == Self.memo("7") && found.queue == "search" && found.plan.prepares)
    #expect(found.attempts.map(\.stage) == ["lookup contact"])
    try store.close()
    let again = try engine.open(folder)
    #expect(try again.waitingTargets() == ["crm": start, "search": start])
    #expect(try again.claim("search").deliveries.map(\.delivery.memo) == [Self.memo("7")])
    #expect(try again.event(event.id)?.deliveries.map(\.plan.prepares) == [true, false])
    try again.expectBalance()
  }

  @Test("claims go by queue; counts and cancels by the delivery's own target", arguments: Engine.all)
  func queues(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    _ = try store.accept(.event([prepared("crm"), .to("crm")], congested: ["crm"]))
    var row = try store.claim("crm", limit: 1).deliveries[0].delivery
    row.queue = "search"
    try store.commit { $0.rows = [row] }
    #expect(try store.claim("crm").deliveries.map(\.delivery.id.ordinal) == [1])
    #expect(try store.standing()["crm"]?.waiting == 2 && store.standing()["search"] == nil)
    let wish = ClaimWish(target: "crm", limit: 9, evenLater: true)
    let all = try #require(try store.claim([wish], now: start).first)
    #expect(all.deliveries.map(\.delivery.id) == [row.id] && all.nextDue == nil, "\(all)")
    row.state = .waiting
    try store.commit { $0.rows = [row] }
    let cancel = Cancel(route: nil, target: "crm", event: nil, reason: Reason("cancelled", "by hand"), limit: 9)
    #expect(try store.commit { $0.cancels = [cancel] }.cancels == [1])
    try store.expectBalance()
  }

  @Test("a row in another queue keeps its place in its own target's line", arguments: Engine.all)
  func line(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    for _ in 0..<2 { _ = try store.accept(.event([prepared("crm", key: "k")], congested: ["crm"])) }
    var head = try store.claim("crm").deliveries[0].delivery
    head.queue = "search"
    #expect(try store.commit { $0.rows = [head] }.due == ["search": start])
    #expect(try store.claim("crm").deliveries.isEmpty)
    let asked = try store.claim("search").deliveries
    #expect(asked.map(\.delivery.id) == [head.id])
    var done = asked[0].delivery.put(.delivered)
    done.queue = nil
    #expect(try store.commit { $0.rows = [done] }.due == ["crm": start])
    #expect(try store.claim("crm").deliveries.count == 1)
    try store.expectBalance()
  }

  @Test(
    "a delivery in stages is claimed with what its event's others were told, and no other is", arguments: Engine.all)
  func siblings(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    let plans = [prepared("crm"), prepared("wa", send: "1"), .to("zap")]
    _ = try store.accept(.event(plans, congested: ["crm", "wa", "zap"]))
    _ = try store.accept(.event([prepared("wa")], congested: ["wa"]))
    var first = try store.claim("crm").deliveries[0].delivery
    first.memo = Self.memo("7")
    try store.commit { $0.rows = [first] }
    let others = try store.claim("wa").deliveries.map(\.delivery)
    #expect(others.map(\.memo.siblings) == [["contact": .object(["id": "7"])], [:]])
    #expect(others.allSatisfy { $0.memo.lookups.isEmpty && $0.memo.isEmpty })
    #expect(try store.claim("zap").deliveries[0].delivery.memo.siblings.isEmpty)
    try store.commit { $0.rows = others }
    #expect(try store.delivery(others[0].id)?.memo.isEmpty == true)
  }

  @Test("a replay keeps the finished steps, and asks and waits for nothing else", arguments: Engine.all)
  func replay(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    _ = try store.accept(.event([prepared("crm")], congested: ["crm"]))
    var row = try store.claim("crm").deliveries[0].delivery.put(.dead)
    row.memo = Self.memo("7")
    try store.commit { $0.rows = [row] }
    let replay = Replay(original: row.id, plan: prepared("crm"), version: "v2", asWas: false, edited: nil)
    let id = try #require(try store.commit { $0.replays = [replay] }.replays.first?.planned)
    let made = try #require(try store.delivery(id))
    #expect(made.memo.steps == row.memo.steps && made.memo.isCleared)
    #expect(made.memo.lookups.isEmpty && !made.memo.isUncertain)
    row.memo.isCleared = false
    #expect(!row.memo.forReplay.isCleared, "what was not judged is")
    #expect(try store.claim("crm").deliveries.first?.delivery.memo.siblings == [:])
    try store.expectBalance()
  }
}
