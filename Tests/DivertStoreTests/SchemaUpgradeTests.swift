// Stores that earlier versions of Divert wrote, opened by this one: everything is there, and goes on.

import DivertCore
@testable import DivertStore
import GRDBSQLite
import Testing

@Suite("A store of an earlier version")
struct SchemaUpgradeTests {
  /// What was newer than a version is undone on a store of today that holds deliveries in every state.
  private func older(_ folder: Folder, than version: Int) throws -> Audit {
    let store = try SQLiteStore.open(folder: folder.path, sandbox: false)
    try store.commit { batch in
      batch.appends = (0..<12).map { n in
        .event(
          [.to("crm", key: "k\(n % 3)"), .to("wa", person: true), .to("zap")], callID: "c\(n)",
          congested: ["crm"])
      }
    }
    let states = [DeliveryState.delivered, .dead, .sending, .waiting, .skipped]
    let rows = try store.claim("wa").deliveries.enumerated().map { place, found in
      found.delivery.put(states[place % states.count], attempt: .ended(.retry))
    }
    try store.commit { $0.rows = rows }
    let audit = try store.audit()
    try store.close()
    run(folder, [Self.undoFour, Self.undoThree, Self.undoTwo].prefix(4 - version).joined())
    return audit
  }

  private static let undoFour = """
    DROP TABLE books; DROP TABLE entries; DROP TABLE promises; DROP TABLE suppressions;
    DROP TABLE chain; DROP TABLE changes; DROP TABLE heads;
    DROP TABLE call_digests; DROP TABLE message_ends; DROP TABLE message_digests;
    ALTER TABLE events DROP COLUMN seal;
    ALTER TABLE deliveries DROP COLUMN seal;
    DROP INDEX deliveries_expiring; DROP INDEX deliveries_outside_hours;
    DROP INDEX deliveries_line;
    ALTER TABLE deliveries DROP COLUMN uncertain;
    ALTER TABLE deliveries DROP COLUMN held;
    ALTER TABLE deliveries DROP COLUMN expires;
    CREATE INDEX deliveries_line ON deliveries(target, key, due0, event, ordinal)
      WHERE key IS NOT NULL AND state < 2;
    UPDATE meta SET value = '3' WHERE name = 'schema';
    """
  private static let undoThree = """
    DROP INDEX deliveries_free;
    ALTER TABLE deliveries DROP COLUMN queue;
    ALTER TABLE deliveries DROP COLUMN memo;
    ALTER TABLE deliveries DROP COLUMN prepares;
    CREATE INDEX deliveries_free ON deliveries(target, due, event, ordinal) WHERE state = 0 AND blocked = 0;
    UPDATE meta SET value = '2' WHERE name = 'schema';
    """
  private static let undoTwo = """
    DROP TABLE recent_keys;
    UPDATE meta SET value = '1' WHERE name = 'schema';
    """

  private func run(_ folder: Folder, _ sql: String) {
    var handle: OpaquePointer?
    defer { sqlite3_close(handle) }
    #expect(sqlite3_open(folder.path + "/" + SQLiteStore.fileName, &handle) == SQLITE_OK)
    #expect(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK, "\(String(cString: sqlite3_errmsg(handle)))")
  }

  @Test("is upgraded in place, with every delivery where it was", arguments: [1, 2, 3])
  func upgrade(_ version: Int) throws {
    let folder = Folder()
    let before = try older(folder, than: version)
    let store = try SQLiteStore.open(folder: folder.path, sandbox: false)
    let after = try store.audit()
    #expect(after.problems == [] && after.lines == before.lines && after.dead == before.dead)
    #expect(try store.waitingTargets() == ["crm": start, "wa": start])
    #expect(try store.interrupted().count == 2)
    let claimed = try store.claim("wa").deliveries.map(\.delivery)
    #expect(
      claimed.count == 2
        && claimed.allSatisfy { $0.plan.prepares == $0.plan.toPerson && $0.memo.isEmpty && $0.queue == nil })
    #expect(claimed.allSatisfy { $0.attempts.count == 1 && $0.attempts[0].stage == nil })
    var row = try store.claim("crm").deliveries[0].delivery
    row.queue = "search"
    row.memo.lookups = ["contact": "x"]
    try store.commit { $0.rows = [row] }
    #expect(try store.claim("search").deliveries.map(\.delivery.memo.lookups) == [["contact": "x"]])
    let gaps = try store.useBooks([Remembering.rejected], now: start + .minutes(1))
    #expect(gaps.map(\.through) == (try store.lastEvents(source: nil, limit: 1)).map(\.event.id))
    #expect(try store.suppressions() == [] && store.claim([.expired(limit: 9)], now: start)[0].nextDue == nil)
    try store.expectBalance()
    try store.close()
    let again = try SQLiteStore.open(folder: folder.path, sandbox: false)
    try again.expectBalance()
  }
}
