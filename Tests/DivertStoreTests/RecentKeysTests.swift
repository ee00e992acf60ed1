// Duplicates, whichever of the three places their key is in: this transaction, the log, the table.

import DivertCore
import DivertStore
import Testing

@Suite("Deduplication keys")
struct RecentKeysTests {
  @Test(
    "are known in memory, on the way to the table, in it, and after a restart",
    arguments: [UInt64.random(in: 0...UInt64.max), 1, 2])
  func walk(seed: UInt64) throws {
    var random = SeededGenerator(state: seed)
    let folder = Folder()
    var store = try SQLiteStore.open(folder: folder.path, sandbox: false, recentKeys: 100)
    var known: [[UInt8]: (id: EventID, until: Timestamp?)] = [:]
    var now = start
    for _ in 0..<120 {
      now = now + .seconds(Int64.random(in: 0...20, using: &random))
      var batch = StoreBatch()
      for _ in 0..<Int.random(in: 1...40, using: &random) {
        // Two in three are new.
        let number = UInt64.random(in: 0..<12_000, using: &random)
        var key = (0..<16).map { UInt8(truncatingIfNeeded: number >> (8 * ($0 % 8)) &* 97) }
        key[15] = UInt8(truncatingIfNeeded: number)
        let until = number % 3 == 0 ? now + .minutes(1) : nil
        batch.appends.append(.event(at: now, dedupe: DedupeEntry(key: key, until: until)))
      }
      let receipt = try store.commit(batch, now: now)
      for (append, outcome) in zip(batch.appends, receipt.appends) {
        let entry = try #require(append.dedupe)
        let before = known[entry.key].flatMap { one in one.until.map { now < $0 } ?? true ? one.id : nil }
        switch outcome {
        case .duplicate(let id): #expect(id == before, "seed \(seed)")
        case .accepted(let event, _, _):
          #expect(before == nil, "seed \(seed)")
          known[entry.key] = (event.id, entry.until)
        }
      }
      if Int.random(in: 0..<15, using: &random) == 0 {
        try store.close()
        store = try SQLiteStore.open(folder: folder.path, sandbox: false, recentKeys: 100)
      }
    }
    #expect(known.count > 1000)
  }
}
