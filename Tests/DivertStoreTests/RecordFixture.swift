// A store with something of everything that the record covers, and ways to tamper with its file.

import DivertCore
@testable import DivertStore
import GRDBSQLite
import Testing

/// A closed store on disk.
struct RecordedStore {
  let folder = Folder()
  var path: String { folder.path + "/" + SQLiteStore.fileName }
  /// As it was when it was closed.
  private(set) var head = RecordHead(entry: 0, hash: "")
  private(set) var events: [EventID] = []

  init(events count: Int = 12) throws {
    let store = try SQLiteStore.open(folder: folder.path, sandbox: false)
    try store.keepConfiguration(version: "v1", text: "routes: []", at: start)
    for n in 0..<count { try accept(n, store) }
    try endRows(store)
    try store.commit {
      $0.suppressions = [
        .add(
          Suppression(phone: "+919876543210", reason: "grievance", coversAnswers: true, since: start, until: nil)),
        .add(Suppression(phone: "+919876500000", reason: "hardship", coversAnswers: false, since: start, until: nil)),
      ]
    }
    try store.commit { $0.suppressions = [.remove(phone: "+919876500000", at: start)] }
    try store.keepConfiguration(version: "v2", text: "routes: [one]", at: start + .seconds(60))
    head = try store.recordHead()
    try store.close()
  }

  private mutating func accept(_ n: Int, _ store: SQLiteStore) throws {
    let now = start + .seconds(Int64(n))
    var append = Append.event(
      [.to("crm", due: now), .to("zap", due: now), .to("wa", due: now, person: true)], at: now, callID: "call-\(n)",
      body: #"{"event":"CALL_REJECTED","from":"919876543210","n":\#(n)}"#)
    append.congested = n % 3 == 0 ? ["crm"] : []
    let event = try store.accept(append, now: now)
    events.append(event.id)
    let first: PackedState = n % 3 == 0 ? .row : .delivered()
    try store.commit(now: now) {
      $0.packed = [PackedUpdate(event: event.id, states: [first, .open, .row])]
    }
    if n % 4 == 3 { return }
    try store.commit(now: now + .seconds(1)) {
      $0.packed = [PackedUpdate(event: event.id, states: [first, .delivered(), .row])]
    }
  }

  private func endRows(_ store: SQLiteStore) throws {
    let later = start + .seconds(100)
    let claims = try store.claim([ClaimWish(target: "wa", limit: 9), ClaimWish(target: "crm", limit: 9)], now: later)
    let rows = claims.flatMap(\.deliveries).map(\.delivery)
    try store.commit(now: later) {
      $0.rows = rows.enumerated().map { place, row in
        row.put([.delivered, .dead, .skipped, .waiting][place % 4], attempt: .ended(place % 2 == 0 ? .ok : .retry))
      }
    }
    let dead = try #require(rows.enumerated().first { $0.offset % 4 == 1 }?.element)
    try store.commit(now: later) {
      $0.replays = [Replay(original: dead.id, plan: .to("wa", due: later), version: "v1", asWas: true, edited: nil)]
      $0.additions = [Addition(event: dead.id.event, planned: [.to("new", due: later)], version: "v1")]
    }
  }

  func verify(_ heads: [RecordHead] = []) throws -> RecordVerdict {
    try RecordFile.verify(path: path, heads: heads)
  }

  /// Runs statements on the file, as somebody would who has it.
  func tamper(_ sql: String, _ place: SourceLocation = #_sourceLocation) {
    var handle: OpaquePointer?
    defer { sqlite3_close(handle) }
    #expect(sqlite3_open(path, &handle) == SQLITE_OK, sourceLocation: place)
    #expect(
      sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK, "\(String(cString: sqlite3_errmsg(handle)))",
      sourceLocation: place)
  }

  /// The first column of every row.
  func numbers(_ sql: String) throws -> [Int64] {
    var handle: OpaquePointer?
    defer { sqlite3_close(handle) }
    let code = sqlite3_open(path, &handle)
    try #require(code == SQLITE_OK)
    let open = try #require(handle)
    return try SQLiteConnection(handle: open).prepare(sql).all { $0.integer(0) }
  }
}
