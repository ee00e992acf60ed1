// Retention takes parts of what is sealed: the rest still holds, and only a sweep on record may do it.

import DivertCore
@testable import DivertStore
import Testing

@Suite("Sweeping parts of what is sealed")
struct RecordSweepTests {
  private func sweep(_ recorded: RecordedStore, _ body: (SQLiteWriter, Int64) throws -> Void) throws {
    let store = try SQLiteStore.open(folder: recorded.folder.path, sandbox: false)
    try store.writing("sweep") { writer in
      try writer.transaction { for event in recorded.events { try body(writer, event.sequence) } }
    }
    try store.close()
  }

  private func onRecord(_ recorded: RecordedStore, _ what: String) throws {
    let sequences = recorded.events.map(\.sequence)
    try recorded.record(
      .sweep,
      ["what": .string(what), "from": .number(sequences.min() ?? 0), "to": .number(sequences.max() ?? 0)])
  }

  @Test("a body that was swept is accepted once the sweep is on record, and what is left is still sealed")
  func payloads() throws {
    let recorded = try RecordedStore()
    try sweep(recorded) { try $0.sweepPayload(of: $1) }
    #expect(try recorded.verify([recorded.head]).problems.count == recorded.events.count)
    try onRecord(recorded, "payloads")
    #expect(try recorded.verify([recorded.head]).problems == [])
    recorded.tamper("UPDATE events SET phone = '+919800000000' WHERE seq = \(recorded.events[3].sequence)")
    #expect(try recorded.verify([recorded.head]).problems.map(\.id) == [recorded.events[3].description])
  }

  @Test("attempts that were swept are accepted once the sweep is on record, and the ends are still sealed")
  func attempts() throws {
    let recorded = try RecordedStore()
    try sweep(recorded) { try $0.sweepAttempts(of: $1) }
    #expect(try !recorded.verify([recorded.head]).holds)
    try onRecord(recorded, "attempts")
    #expect(try recorded.verify([recorded.head]).problems == [])
    recorded.tamper("UPDATE deliveries SET state = 3 WHERE state = 2")
    let verdict = try recorded.verify([recorded.head])
    #expect(!verdict.holds && verdict.problems.allSatisfy { $0.sentence.contains("it ended delivered") })
  }

  @Test("a store whose record was swept goes on, and its events can still be read")
  func goesOn() throws {
    let recorded = try RecordedStore()
    try sweep(recorded) { writer, sequence in
      try writer.sweepPayload(of: sequence)
      try writer.sweepAttempts(of: sequence)
      #expect(try writer.sweepPayload(of: sequence) == false)
    }
    try onRecord(recorded, "payloads")
    try onRecord(recorded, "attempts")
    let store = try SQLiteStore.open(folder: recorded.folder.path, sandbox: false)
    let record = try #require(try store.event(recorded.events[0]))
    #expect(
      record.event.body == Array("{}".utf8) && record.deliveries.allSatisfy { $0.attempts.isEmpty || !$0.state.isFinal }
    )
    _ = try store.accept(.event([.to("crm")]))
    #expect(try store.verifyRecord(heads: []).problems == [])
    #expect(try store.audit().problems == [])
    let proof = try store.recordProof(events: recorded.events, changes: [3])
    #expect(proof.things.count { $0.kind == "event" } == recorded.events.count)
    #expect(proof.things.allSatisfy { $0.leaf.suffix(32).elementsEqual(SealedContent.hash($0.content)) })
    try store.close()
  }
}
