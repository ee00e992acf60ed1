// A block of a report comes back from its bytes as it was, whatever is in it; foreign bytes are refused.

import Testing

@testable import DivertCore

@Suite("A block of a report") struct ReportBlockTests {
  private static func block(_ seed: UInt64) -> ReportBlock {
    var random = Seeded(seed)
    var block = ReportBlock()
    let phones = ["+919876543210", "+14155550100", "anonymous", "0987", "+", "", "+0123", "+91987654321098765432"]
    for _ in 0..<Int.random(in: 0...60, using: &random) {
      let fact = Self.fact(&random)
      block.append(
        fact, at: Timestamp(milliseconds: Int64.random(in: -5_000...2_000_000_000_000, using: &random)),
        event: Int64.random(in: 0...(2_000_000_000_000 << 20), using: &random),
        phone: Bool.random(using: &random) ? phones.randomElement(using: &random) : nil,
        call: Bool.random(using: &random) ? "call-\(UInt8.random(in: 0...9, using: &random))" : nil)
    }
    return block
  }

  private static func fact(_ random: inout Seeded) -> ReportFact {
    let kinds: [ReportFact.Kind] = [.rejected, .missed, .ended, .message]
    let kind = kinds[Int.random(in: 0..<4, using: &random)]
    var fact = ReportFact(
      kind: kind, direction: ["INCOMING", "OUTGOING", nil][Int.random(in: 0..<3, using: &random)],
      agent: [nil, "", "प्रिया", "+919811111111"][Int.random(in: 0..<4, using: &random)], waba: nil)
    if kind == .message {
      fact.end = MessageEnd(
        route: "a/b", send: "0", action: "whatsapp.send_text", state: Bool.random(using: &random) ? .skipped : .dead,
        code: "expired", wasHeld: Bool.random(using: &random))
    }
    return fact
  }

  @Test("comes back from its bytes as it was", arguments: 0..<40 as Range<UInt64>)
  func roundTrip(seed: UInt64) throws {
    let block = Self.block(seed)
    let bytes = block.encoded()
    let back = try #require(ReportBlock(decoding: bytes))
    #expect(back == block)
    #expect(back.encoded() == bytes)
    for length in 0..<bytes.count { #expect(ReportBlock(decoding: Array(bytes[..<length])) == nil) }
    #expect(ReportBlock(decoding: bytes + [0]) == nil)
  }

  @Test("never traps on bytes that were changed", arguments: 0..<40 as Range<UInt64>)
  func damaged(seed: UInt64) {
    var random = Seeded(seed)
    var bytes = Self.block(seed).encoded()
    for _ in 0..<8 {
      bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
    }
    _ = ReportBlock(decoding: bytes)?.encoded()
  }

  @Test("forgets a phone and keeps its rows")
  func forget() throws {
    var block = ReportBlock()
    let fact = ReportFact(kind: .rejected, direction: "OUTGOING", agent: nil, waba: nil)
    for (place, phone) in ["+919876543210", "+919876543211", "anonymous", nil].enumerated() {
      block.append(fact, at: Timestamp(milliseconds: 1), event: Int64(place), phone: phone, call: "c")
    }
    let (others, own) = (block.forget(["+919876543219", "unknown"]), block.forget(["+919876543210", "anonymous"]))
    #expect(!others && own)
    #expect(block.rows.map { block.phone($0.phone) } == [nil, "+919876543211", nil, nil])
    #expect(!String(decoding: block.encoded(), as: UTF8.self).contains("anonymous"))
    #expect(ReportBlock(decoding: block.encoded()) == block)
  }
}
