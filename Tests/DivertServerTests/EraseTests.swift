// `divert erase` as an order on a real store with its files.

import DivertCore
import DivertServer
import DivertStore
import Testing

@Suite("Erasing a customer") struct EraseTests {
  private static let phone = "+919876543210"

  private static func remains(_ text: String, _ house: OperatorHouse) throws -> [String] {
    try BytesInFiles.find(Array(text.utf8), in: house.folder, leaving: []).map(\.path)
  }

  @Test("ends what waits, takes the dead letters and the suppression's name, and says what it removed")
  func erases() async throws {
    let house = try OperatorHouse()
    let dead = try house.accept("call-1")
    _ = try house.bury(dead)
    let waiting = try house.accept("call-2")
    _ = await house.post("/api/suppressions", ["phone": "9876543210", "reason": "grievance"])
    let dry = await house.post("/api/erase", ["phone": "098765 43210", "dry_run": true])
    #expect(dry.status == 200 && dry.body["events"] == 2 && dry.body["ended"] == 2, "\(dry)")
    #expect(try house.store.event(waiting.id)?.event.fields.customerName == "Rohan Mehta")
    let done = await house.post("/api/erase", ["phone": "098765 43210"])
    #expect(done.status == 200 && done.body["ended"] == 3 && done.body["dead_letters"] == 1, "\(done)")
    #expect(done.body["remains"] == [] && done.body["log_emptied"] == true, "\(done)")
    for text in ["9876543210", "Rohan", "call-1", "call-2"] { #expect(try Self.remains(text, house) == []) }
    let left = try #require(try house.store.event(waiting.id))
    #expect(left.deliveries.allSatisfy { $0.state == .skipped && $0.reason?.code == "erased" })
    #expect(await house.get("/api/audit").body["holds"] == true)
    #expect(try house.store.verifyRecord(heads: []).problems == [])
    let entry = try #require(try house.store.suppressions().first)
    #expect(entry.isErased && entry.isOf(Self.phone))
    #expect(SuppressionList(try house.store.suppressions()).entry(for: Self.phone, at: OperatorHouse.now) != nil)
    #expect(await house.post("/api/suppressions/remove", ["phone": "9876543210"]).status == 200)
    #expect(try house.store.suppressions().isEmpty)
  }

  @Test("what is no phone number is refused with the way out, and nothing is erased")
  func refused() async throws {
    let house = try OperatorHouse()
    _ = try house.accept("call-1")
    for phone in ["Rohan", "12", ""] {
      let answer = await house.post("/api/erase", ["phone": .string(phone)])
      #expect(answer.status == 400, "\(answer)")
    }
    #expect(try house.store.events(phone: Self.phone, callID: nil, limit: 9).count == 1)
    let nobody = await house.post("/api/erase", ["phone": "+919800000001"])
    #expect(nobody.status == 200 && nobody.body["events"] == 0)
  }

  @Test("bodies in quarantine, own writes and damaged letters go with it")
  func files() async throws {
    let house = try OperatorHouse()
    _ = try house.bury(try house.accept("call-1"))
    try house.write(
      #"{"source":"doubletick","received_at":"2026-01-15T10:30:25Z","body":"{\"p\":\"98765 43210\""}"#,
      "quarantine/a.json")
    try house.write(
      #"{"source":"doubletick","received_at":"2026-01-15T10:30:25Z","body":"{\"p\":\"9812345678\""}"#,
      "quarantine/b.json")
    try house.write(#"{ "phone": "+919876543210", "#, "dead-letters/crm/2026-01-15/damaged.json")
    let write = RememberedWrite(
      echo: ExpectedEcho(event: "X", customer: "919876543210", fields: [], holds: .days(1)),
      until: OperatorHouse.now + .days(1))
    try house.write(String(decoding: write.line ?? [], as: UTF8.self) + "\n", "own-writes")
    let done = await house.post("/api/erase", ["phone": "9876543210"])
    #expect(done.body["quarantined"] == 1 && done.body["dead_letters"] == 2 && done.body["remains"] == [], "\(done)")
    #expect(try Self.remains("98765 43210", house) == [] && Self.remains("9812345678", house).count == 1)
  }
}
