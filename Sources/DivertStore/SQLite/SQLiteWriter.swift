// What the database thread owns: the writing connection's statements, and the few things kept in memory between
// transactions.

import DivertCore

/// The writing side of a store. Used within `SQLiteStore.writing` alone, which lets one thread in at a time: the database thread,
/// and whoever keeps a configuration.
final class SQLiteWriter {
  let connection: SQLiteConnection
  let tag: UInt32
  var ledger: Ledger
  var chain: ChainStanding
  var salts = SaltPool()
  /// Rows handed out by `claim` and not committed since.
  var claimed: Set<DeliveryID> = []
  /// Open events of this run, so that an update needs no read. Bounded; what is not here is read.
  var openEvents: [Int64: OpenEvent] = [:]
  /// Keys that are not in the table `dedupe` yet.
  var recentKeys: RecentKeys
  /// Targets that may have unfinished rows with an order key: only for these is a line looked for.
  var lined: Set<String>
  var shelf: BookShelf
  /// Told how much there is to digest; nil: nobody digests.
  var digestWatch: DigestWatch?
  private var statements: [String: SQLiteStatement] = [:]

  let insertEvent: SQLiteStatement
  let insertKey: SQLiteStatement
  let selectKey: SQLiteStatement
  let updatePacked: SQLiteStatement
  let lineHead: SQLiteStatement

  static let openEventsKept = 20_000

  init(_ connection: SQLiteConnection, tag: UInt32, recentKeys: Int) throws {
    self.connection = connection
    self.tag = tag
    self.recentKeys = RecentKeys(runSize: recentKeys)
    let json = try connection.prepare("SELECT json FROM totals WHERE id = 1").first { $0.blob(0) }
    ledger = try Ledger(decoding: json ?? [])
    chain = try ChainStanding(connection)
    insertEvent = try connection.prepare(
      """
      INSERT INTO events(
        seq, source, received, name, bucket, call_id, phone, version, open, packed, plan, canonical, body,
        seal)
      VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
      """)
    insertKey = try connection.prepare("INSERT OR REPLACE INTO dedupe(key, seq, until) VALUES(?1, ?2, ?3)")
    selectKey = try connection.prepare("SELECT seq, until FROM dedupe WHERE key = ?1")
    updatePacked = try connection.prepare("UPDATE events SET open = ?2, packed = ?3 WHERE seq = ?1")
    lineHead = try connection.prepare(
      """
      SELECT event, ordinal, due, state, coalesce(queue, target) FROM deliveries
      WHERE target = ?1 AND key = ?2 AND state < 2
      ORDER BY coalesce(held, due0), event, ordinal LIMIT 1
      """)
    lined = []
    shelf = try BookShelf(connection)
    let log = try connection.prepare("SELECT id, keys FROM recent_keys ORDER BY id")
    while try log.step() { self.recentKeys.load(row: log.integer(0), log.blob(1)) }
    lined = try targets("deliveries_line", where: "key IS NOT NULL AND state < 2")
  }

  /// A statement that is kept: prepared once.
  func statement(_ sql: String) throws -> SQLiteStatement {
    if let kept = statements[sql] { return kept }
    let made = try connection.prepare(sql)
    statements[sql] = made
    return made
  }

  /// The targets in an index that begins with them; one look-up a target.
  private func targets(_ index: String, where condition: String) throws -> Set<String> {
    let next = try connection.prepare(
      "SELECT target FROM deliveries INDEXED BY \(index) WHERE \(condition) AND target > ?1 ORDER BY target LIMIT 1")
    var found: Set<String> = []
    var last = ""
    while let target = try next.first([.text(last)], { $0.text(0) }) {
      found.insert(target)
      last = target
    }
    return found
  }

  /// Runs `body` in a transaction that is on disk when this returns; throws with nothing written.
  func transaction<T>(_ body: () throws -> T) throws -> T {
    try statement("BEGIN IMMEDIATE").run()
    do {
      let result = try body()
      try statement("COMMIT").run()
      return result
    } catch {
      // SQLite has rolled back by itself after some faults; then this one says so, and nothing is lost.
      try? connection.run("ROLLBACK")
      throw error
    }
  }
}

/// What an update of packed deliveries must know of its event.
struct OpenEvent {
  /// Planned at acceptance, by ordinal.
  var planned: [PlannedDelivery]
  /// Counted as ended.
  var ended: [Bool]
  /// The bytes of its `packed` column.
  var width: Int
  /// Nil: it came before the record, or was erased.
  var salt: [UInt8]?
}
