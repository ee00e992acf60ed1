// Verification reads everything, and keeps nothing of it.

import DivertCore
@testable import DivertStore
import Testing

@Suite("Verifying much")
struct RecordMemoryTests {
  /// What this process holds, in bytes.
  private func held() throws -> Int {
    let text = String(decoding: try DurableFile.read("/proc/self/status"), as: UTF8.self)
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
    return 1024 * (Int(line.filter(\.isNumber)) ?? 0)
  }

  @Test("takes memory for a fraction of what is read")
  func bounded() throws {
    let folder = Folder()
    let store = try SQLiteStore.open(folder: folder.path, sandbox: false)
    let (blocks, size) = (40, 20_000)
    let body = #"{"event":"CALL_REJECTED","filler":"\#(String(repeating: "x", count: size))"}"#
    for block in 0..<blocks {
      let now = start + .seconds(Int64(block))
      let appends = (0..<100).map { n in
        Append.event([.to("crm", due: now)], at: now, callID: "\(block)-\(n)", body: body)
      }
      let receipt = try store.commit(now: now) { $0.appends = appends }
      let events = receipt.appends.compactMap(\.event)
      try store.commit(now: now) {
        $0.packed = events.map { PackedUpdate(event: $0.id, states: [.delivered()]) }
      }
    }
    let before = try held()
    let verdict = try store.verifyRecord(heads: [store.recordHead()])
    let grown = try held() - before
    #expect(verdict.holds && verdict.sealed.events == 100 * blocks && verdict.sealed.deliveries == 100 * blocks)
    #expect(grown < 100 * blocks * size / 2)
    try store.close()
  }
}
