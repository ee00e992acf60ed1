// The record: whatever somebody changes in the file shows, with the name of what was changed.

import DivertCore
@testable import DivertStore
import GRDBSQLite
import Testing

@Suite("The record")
struct RecordTests {
  @Test("holds as it was written, and says what it covers")
  func holds() throws {
    let store = try RecordedStore()
    let verdict = try store.verify([store.head])
    #expect(verdict.problems == [])
    #expect(verdict.sealed.events == 12 && verdict.head == store.head && verdict.eventsBefore == 0)
    // The start, two configurations, two entries of the list and one removal.
    #expect(verdict.sealed.changes == 6)
    #expect(verdict.anchoredThrough == store.head.entry && verdict.unanchored == .init())
    let alone = try store.verify()
    #expect(alone.anchoredThrough == 0 && alone.unanchored == alone.sealed && alone.holds)
  }

  @Test("holds while the store goes on, and after it is opened again")
  func goesOn() throws {
    let recorded = try RecordedStore()
    let store = try SQLiteStore.open(folder: recorded.folder.path, sandbox: false)
    _ = try store.accept(.event([.to("crm")]))
    let verdict = try store.verifyRecord(heads: [recorded.head])
    #expect(verdict.holds && verdict.unanchored.events == 1 && verdict.sealed.events == 13)
    #expect(try store.recordHead().entry == recorded.head.entry + 1)
    #expect(try RecordFile.verify(path: recorded.path, heads: []).head == store.recordHead())
    try store.close()
  }

  private static let event = "(SELECT seq FROM events ORDER BY seq LIMIT 1 OFFSET 5)"
  private static let end =
    "(event, ordinal) IN (SELECT event, ordinal FROM deliveries WHERE state > 1 LIMIT 1 OFFSET 2)"

  @Test(
    "an event that is changed is named",
    arguments: [
      "received = received + 1", "source = 'other'", "name = 'CALL_ACCEPTED'", "call_id = 'call-6'", "call_id = NULL",
      "phone = '+919800000000'", "phone = NULL", "version = 'v2'", "bucket = bucket + 1",
      "body = CAST(replace(body, 'REJECTED', 'ACCEPTED') AS BLOB)",
      "canonical = CAST(replace(canonical, '17', '18') AS BLOB)",
      "plan = CAST(replace(plan, 'zap', 'zip') AS BLOB)", "seal = zeroblob(21)", "seal = NULL",
      "packed = CAST(replace(packed, '[2,', '[4,') AS BLOB)", "packed = CAST(replace(packed, '200', '201') AS BLOB)",
    ])
  func changedEvent(_ change: String) throws {
    let store = try RecordedStore()
    store.tamper("UPDATE events SET \(change) WHERE seq = \(Self.event)")
    let verdict = try store.verify([store.head])
    let event = store.events[5].description
    #expect(!verdict.holds)
    let named = verdict.problems.map(\.id).joined()
    #expect(named.contains(event) || named.contains(event.dropFirst(4)), "\(verdict.problems)")
    #expect(verdict.problems.allSatisfy { $0.id.contains(event.dropFirst(4)) }, "\(verdict.problems)")
  }

  @Test(
    "what was changed is said where it can be told",
    arguments: [
      ("UPDATE events SET phone = '+919800000000' WHERE seq = \(event)", "phone"),
      ("UPDATE events SET received = received + 60000 WHERE seq = \(event)", "time of reception"),
      ("UPDATE events SET name = 'CALL_ENDED' WHERE seq = \(event)", "changed from CALL_REJECTED"),
      ("UPDATE deliveries SET state = 2 WHERE \(end)", "and is said to be delivered"),
      ("UPDATE deliveries SET target = 'crm2' WHERE \(end)", "its row is for target crm2"),
    ])
  func differences(_ sql: String, _ words: String) throws {
    let store = try RecordedStore()
    store.tamper(sql)
    let verdict = try store.verify([store.head])
    #expect(verdict.problems.contains { $0.sentence.contains(words) }, "\(verdict.problems)")
  }

  @Test(
    "a delivery's end that is changed is named",
    arguments: [
      "state = 2 - (state = 2) * -1", "state = 0", "code = 'other'", "sentence = 'all is well'",
      "attempts = CAST('[]' AS BLOB)",
      "attempts = CAST(replace(attempts, '12', '13') AS BLOB)", "counted = 7", "due = due + 1", "stood = 5",
      "memo = CAST('{}' AS BLOB)", "queue = 'crm'", "route = 'other'", "send = '1'", "action = 'b'", "due0 = due0 + 1",
      "seal = NULL", "person = 1 - person", "version = 'v2'", "expires = 7", "first = first + 1",
    ])
  func changedEnd(_ change: String) throws {
    let store = try RecordedStore()
    let row = try store.numbers("SELECT event FROM deliveries WHERE \(Self.end)")
    let ordinal = try store.numbers("SELECT ordinal FROM deliveries WHERE \(Self.end)")
    store.tamper("UPDATE deliveries SET \(change) WHERE \(Self.end)")
    let id = DeliveryID(event: EventID(sequence: row[0], tag: store.events[0].tag), ordinal: Int(ordinal[0]))
    let verdict = try store.verify([store.head])
    #expect(!verdict.problems.isEmpty)
    #expect(verdict.problems.allSatisfy { $0.id == id.description && $0.kind == "delivery" }, "\(verdict.problems)")
  }

  @Test(
    "what is deleted is named",
    arguments: [
      ("DELETE FROM events WHERE seq = \(event)", "event"),
      ("DELETE FROM deliveries WHERE \(end)", "delivery"),
      ("DELETE FROM changes WHERE kind = 'suppression' AND id = 4", "change"),
      ("DELETE FROM configs WHERE version = 'v1'", "configuration"),
      ("DELETE FROM suppressions", "suppression"),
      ("DELETE FROM chain WHERE n = 7", "chain"),
      ("DELETE FROM chain WHERE n > 20", "chain"),
      ("DELETE FROM chain", "chain"),
      ("DELETE FROM chain; DELETE FROM changes; DELETE FROM events; DELETE FROM deliveries", "chain"),
    ])
  func deleted(_ sql: String, _ kind: String) throws {
    let store = try RecordedStore()
    store.tamper(sql)
    let verdict = try store.verify([store.head])
    #expect(verdict.problems.contains { $0.kind == kind }, "\(verdict.problems)")
  }

  @Test(
    "what is put in is named",
    arguments: [
      (
        """
        INSERT INTO events(seq, source, received, name, bucket, version, open, seal, packed, plan, canonical, body)
        SELECT seq + 1, source, received, name, bucket, version, open, seal, packed, plan, canonical, body FROM events
        WHERE seq = \(event)
        """, "event"
      ),
      ("INSERT INTO changes(id, at, kind, subject, content) VALUES(99, 1, 'suppression', '+91', x'7b7d')", "change"),
      ("INSERT INTO configs(version, at, text) VALUES('v9', 1, 'x')", "configuration"),
      ("INSERT INTO suppressions(phone, reason, answers, since) VALUES('+911', 'x', 1, 1)", "suppression"),
      ("UPDATE suppressions SET answers = 0", "suppression"),
      ("UPDATE suppressions SET until = 5", "suppression"),
      ("UPDATE configs SET text = 'routes: [two]' WHERE version = 'v2'", "configuration"),
      ("UPDATE changes SET content = CAST(replace(content, 'grievance', 'whim') AS BLOB)", "suppression"),
      ("UPDATE changes SET at = at + 1 WHERE kind = 'config'", "config"),
      (
        """
        INSERT INTO chain(n, at, leaves, head) SELECT n + 1, at, leaves, head FROM chain ORDER BY n DESC LIMIT 1
        """, "chain"
      ),
      ("UPDATE deliveries SET state = 2 WHERE state = 0", "delivery"),
      ("UPDATE events SET packed = CAST(replace(packed, ',0,', ',[4,\"a\",\"b\",null],') AS BLOB)", "delivery"),
    ])
  func inserted(_ sql: String, _ kind: String) throws {
    let store = try RecordedStore()
    store.tamper(sql)
    let verdict = try store.verify([store.head])
    #expect(verdict.problems.contains { $0.kind == kind }, "\(verdict.problems)")
  }

  @Test(
    "an entry of the chain that is changed is named",
    arguments: [
      "UPDATE chain SET at = at + 1 WHERE n = 7", "UPDATE chain SET head = zeroblob(32) WHERE n = 7",
      "UPDATE chain SET leaves = x'' WHERE n = 7", "UPDATE chain SET n = -7 WHERE n = 7",
      "UPDATE chain SET n = 900 WHERE n = 7; UPDATE chain SET n = 7 WHERE n = 8; UPDATE chain SET n = 8 WHERE n = 900",
    ])
  func changedChain(_ sql: String) throws {
    let store = try RecordedStore()
    store.tamper(sql)
    let verdict = try store.verify([store.head])
    #expect(
      verdict.problems.contains { $0.kind == "chain" && ["7", "8", "-7"].contains($0.id) }, "\(verdict.problems)")
  }

  @Test("a chain written anew from somewhere shows by a head that is known outside, and between which heads")
  func writtenAnew() throws {
    let recorded = try RecordedStore()
    let early = try recorded.numbers("SELECT n FROM chain ORDER BY n")[3]
    let row = try recorded.head(of: early)
    recorded.tamper("UPDATE events SET phone = '+919800000000' WHERE seq = \(Self.event)")
    try recorded.writeChainAnew()
    #expect(try recorded.verify().holds, "without a head from outside nobody can tell")
    let verdict = try recorded.verify([row, recorded.head])
    #expect(verdict.problems.map(\.code) == [.head])
    #expect(verdict.problems[0].sentence.hasSuffix("between entries \(early + 1) and \(recorded.head.entry)"))
    let short = RecordHead(entry: recorded.head.entry + 5, hash: recorded.head.hash)
    #expect(try recorded.verify([short]).problems.map(\.id) == ["\(short.entry)"])
  }

  @Test("what was there before the record began is not covered, and said to be so")
  func upgraded() throws {
    let folder = Folder()
    let store = try SQLiteStore.open(folder: folder.path, sandbox: false)
    let event = try store.accept(.event([.to("crm"), .to("wa", person: true)]))
    try store.close()
    let path = folder.path + "/" + SQLiteStore.fileName
    RecordedStore.tamper(
      path, "DELETE FROM chain; DELETE FROM changes; UPDATE events SET seal = NULL; UPDATE deliveries SET seal = NULL")
    let again = try SQLiteStore.open(folder: folder.path, sandbox: false)
    try again.commit { $0.packed = [PackedUpdate(event: event.id, states: [.delivered(), .row])] }
    let row = try #require(try again.claim("wa").deliveries.first?.delivery)
    try again.commit { $0.rows = [row.put(.delivered, attempt: .ended(.ok))] }
    _ = try again.accept(.event([.to("crm")]))
    let verdict = try again.verifyRecord(heads: [])
    #expect(verdict.problems == [] && verdict.eventsBefore == 1 && verdict.sealed.events == 1)
    try again.close()
  }

  @Test("what an erasure on record names may be gone; what it does not name may not")
  func erasure() throws {
    let recorded = try RecordedStore()
    let (one, other) = (recorded.events[4], recorded.events[5])
    try recorded.record(.erasure, ["events": [.number(one.sequence)], "changes": [3]])
    recorded.tamper(
      """
      DELETE FROM deliveries WHERE event = \(one.sequence);
      UPDATE events SET seal = NULL, phone = NULL, body = x'7b7d', canonical = x'7b7d' WHERE seq = \(one.sequence);
      UPDATE changes SET seal = NULL, subject = NULL, content = x'' WHERE id = 3;
      DELETE FROM suppressions;
      """)
    let verdict = try recorded.verify([recorded.head])
    #expect(verdict.problems == [] && verdict.erased == 1)
    #expect(verdict.removals.map(\.events) == [1] && verdict.removals.map(\.kind) == [.erasure])
    recorded.tamper("DELETE FROM events WHERE seq = \(one.sequence)")
    #expect(try recorded.verify([recorded.head]).holds)
    recorded.tamper("UPDATE events SET seal = NULL WHERE seq = \(other.sequence)")
    #expect(try recorded.verify([recorded.head]).problems.map(\.id) == [other.description])
  }
}

extension RecordedStore {
  static func tamper(_ path: String, _ sql: String) {
    var handle: OpaquePointer?
    defer { sqlite3_close(handle) }
    #expect(sqlite3_open(path, &handle) == SQLITE_OK)
    #expect(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK, "\(String(cString: sqlite3_errmsg(handle)))")
  }

  func head(of entry: Int64) throws -> RecordHead {
    try opened { connection in
      let select = try connection.prepare("SELECT head FROM chain WHERE n = ?1")
      let head = try #require(try select.first([.integer(entry)]) { $0.blob(0) })
      return RecordHead(entry: entry, hash: HexBytes.text(head))
    }
  }

  /// A change as the router itself would put it on record.
  func record(_ kind: RecordChangeKind, _ content: JSONValue) throws {
    let store = try SQLiteStore.open(folder: folder.path, sandbox: false)
    try store.writing("record") { writer in
      var chain = ChainTurn(writer.chain)
      try writer.transaction {
        try chain.record(kind, subject: nil, content, writer, now: start)
        try chain.write(writer, now: start)
      }
      writer.chain = chain.standing
    }
    try store.close()
  }

  /// What somebody would do who knows how it is made: every leaf of an event and every head computed afresh.
  func writeChainAnew() throws {
    try opened { connection in
      let rows = try connection.prepare("SELECT n, at, leaves FROM chain ORDER BY n").all {
        ($0.integer(0), $0.time(1), $0.blob(2))
      }
      var head = ChainRow.none
      for (n, at, bytes) in rows {
        var leaves: [UInt8] = []
        for leaf in try #require(Leaf.list(decoding: bytes)) { try anew(leaf, connection).append(to: &leaves) }
        head = ChainRow.head(after: head, n: n, at: at, leaves: leaves)
        try connection.prepare("UPDATE chain SET leaves = ?2, head = ?3 WHERE n = ?1").run([
          .integer(n), .blob(leaves), .blob(head),
        ])
      }
    }
  }

  private func anew(_ leaf: Leaf, _ connection: SQLiteConnection) throws -> Leaf {
    guard leaf.kind == .event else { return leaf }
    let select = try connection.prepare("SELECT \(SealedEvent.columns) FROM events WHERE seq = ?1")
    let event = try #require(try select.first([.integer(leaf.thing)]) { SealedEvent($0) })
    if event.fault(hash: leaf.hash, entry: -1, try RecordCoverage(connection)) == nil { return leaf }
    var leaf = leaf
    var first = event
    let entries = try PlanCoding.decode(event.sealing.plan, received: event.sealing.received)
    first.sealing.plan = PlanCoding.encode(entries.filter { !$0.later }.map(\.plan), received: event.sealing.received)
    let (seal, fields) = (try #require(Seal(decoding: event.seal)), try #require(event.fields))
    leaf.hash = try #require(first.content(seal, fields)).hash
    return leaf
  }

  private func opened<T>(_ body: (SQLiteConnection) throws -> T) throws -> T {
    var handle: OpaquePointer?
    defer { sqlite3_close(handle) }
    let code = sqlite3_open(path, &handle)
    try #require(code == SQLITE_OK)
    return try body(SQLiteConnection(handle: try #require(handle)))
  }
}
