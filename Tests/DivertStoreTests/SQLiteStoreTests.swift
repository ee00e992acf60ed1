// What only a SQLite file can show: crashes, full disks, tampering, stamps, backups.

import DivertCore
@testable import DivertStore
import GRDBSQLite
import Testing

@Suite("The SQLite file")
struct SQLiteStoreTests {
  /// Runs SQL on a store's file beside the store.
  private func tamper(_ folder: Folder, _ sql: String) {
    var handle: OpaquePointer?
    defer { sqlite3_close(handle) }
    #expect(sqlite3_open(folder.path + "/" + SQLiteStore.fileName, &handle) == SQLITE_OK)
    #expect(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK, "\(sql)")
  }

  private func filled(_ folder: Folder) throws -> SQLiteStore {
    let store = try SQLiteStore.open(folder: folder.path, sandbox: false)
    try store.commit { batch in
      batch.appends = (0..<20).map { n in
        .event([.to("crm", key: "k\(n % 3)"), .to("wa", key: "k\(n % 3)", person: true)], callID: "c\(n)")
      }
    }
    let rows = try store.claim("wa").deliveries
    try store.commit { batch in
      batch.rows = rows.map { $0.delivery.put(.delivered, attempt: .ended(.ok)) }
    }
    return store
  }

  @Test("what was committed is there after a crash, and the rest is not")
  func crash() throws {
    let (folder, image) = (Folder(), Folder())
    let store = try filled(folder)
    let totals = try store.totals()
    // The files as a kill would leave them: the database, and a log that nobody has folded into it.
    for name in ["divert.sqlite", "divert.sqlite-wal"] { try folder.copy(name, to: image) }
    let second = try SQLiteStore.open(folder: image.path, sandbox: false)
    #expect(try second.totals() == totals)
    #expect(try second.recover(after: nil, limit: 99).count == 20)
    try second.expectBalance()
    #expect(try second.claim("wa").deliveries.count == 3)
    let next = try second.accept(.event())
    #expect(next.id.sequence > EventID.firstSequence(at: start) + 19)
    try store.close()
  }

  @Test("a commit that fails leaves nothing on disk or in memory")
  func fullDisk() throws {
    let folder = Folder()
    let store = try filled(folder)
    let before = try store.totals()
    let claimed = try store.claim("wa").deliveries.map(\.delivery)
    try store.limitPages()
    let big = String(repeating: "x", count: 200_000)
    let error = #expect(throws: StoreError.self) {
      try store.commit { batch in
        batch.appends = [.event([.to("crm")]), .event([.to("crm")], body: #"{"x":"\#(big)"}"#)]
        batch.rows = claimed.map { $0.put(.delivered) }
      }
    }
    #expect(error?.code == "disk_full")
    #expect(error?.description.contains("xxx") == false)
    #expect(try store.totals() == before)
    #expect(try store.claim("wa").deliveries.isEmpty)
    try store.expectBalance()
    try store.limitPages(1 << 30)
    let after = try store.accept(.event())
    #expect(after.id.sequence == EventID.firstSequence(at: start) + 20)
    try store.commit { $0.rows = claimed.map { $0.put(.delivered) } }
    #expect(try store.totals().commits == before.commits + 2)
    try store.expectBalance()
  }

  @Test(
    "an audit finds what somebody changed by hand",
    arguments: [
      "DELETE FROM deliveries WHERE ordinal = 1 AND state = 0", "UPDATE deliveries SET state = 2 WHERE state = 0",
      "UPDATE deliveries SET target = 'zap' WHERE state = 2", "UPDATE deliveries SET blocked = 0",
      "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)", "UPDATE events SET plan = '[]' WHERE open = 1",
      "UPDATE events SET packed = '[1,1]'", "UPDATE events SET packed = 'x'", "UPDATE events SET open = 0",
      "UPDATE events SET source = 'other'",
    ])
  func tampering(_ sql: String) throws {
    let folder = Folder()
    let store = try filled(folder)
    try store.expectBalance()
    tamper(folder, sql)
    #expect(try !store.audit().problems.isEmpty)
  }

  @Test("each mode refuses the other's store, and a newer one is left alone")
  func stamps() throws {
    let folder = Folder()
    let store = try SQLiteStore.open(folder: folder.path, sandbox: true)
    try store.close()
    let wrong = #expect(throws: StoreError.self) { try SQLiteStore.open(folder: folder.path, sandbox: false) }
    #expect(wrong?.code == "wrong_mode")
    tamper(folder, "UPDATE meta SET value = '99' WHERE name = 'schema'")
    let newer = #expect(throws: StoreError.self) { try SQLiteStore.open(folder: folder.path, sandbox: true) }
    #expect(newer?.code == "newer_version")
  }

  @Test("a backup is a store, and never replaces a file")
  func backup() throws {
    let folder = Folder()
    let store = try filled(folder)
    let path = folder.path + "/copy.sqlite"
    try store.backup(to: path)
    _ = try store.accept(.event())
    #expect(throws: StoreError.self) { try store.backup(to: path) }
    let copy = try SQLiteStore.open(file: path, sandbox: false)
    #expect(copy.tag == store.tag)
    #expect(try copy.totals().sources["doubletick"]?.accepted == 20)
    try copy.expectBalance()
  }

  @Test("every commit waits for the disk")
  func synchronous() throws {
    let folder = Folder()
    let store = try SQLiteStore.open(folder: folder.path, sandbox: false)
    #expect(try store.durability() == ["wal", "2"])
  }
}

extension SQLiteStore {
  /// Lets the file grow no further than now, as a full disk would.
  fileprivate func limitPages(_ pages: Int = 1) throws {
    try writing("limit the file") { try $0.connection.run("PRAGMA max_page_count = \(pages)") }
  }

  fileprivate func durability() throws -> [String] {
    try writing("ask") { writer in
      try ["journal_mode", "synchronous"].map { name in
        try writer.connection.prepare("PRAGMA \(name)").first { $0.text(0) } ?? ""
      }
    }
  }
}
