// Looking at history for what routes remember: events for a new book, versions that are still at work, and counts of promises and of
// what waits for its hours.

package import DivertCore

extension SQLiteStore {
  package func history(
    since: Timestamp, after: EventID?, through: EventID, limit: Int
  ) throws(StoreError) -> [Event] {
    try reading("read history") { reader in
      // A sequence is never earlier than its event's reception.
      let first = max(EventID.firstSequence(at: since), (after?.sequence).map { $0 + 1 } ?? Int64.min)
      let sql = "SELECT \(EventRow.columns) FROM events WHERE seq >= ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3"
      let values: [SQLiteValue] = [.integer(first), .integer(through.sequence), SQLiteValue(limit)]
      return try reader.connection.prepare(sql).all(values) { try EventRow.event($0, tag: tag) }
    }
  }

  /// Reads every unfinished delivery, and the promises that wait to be judged.
  package func versionsAtWork(now: Timestamp) throws(StoreError) -> Set<String> {
    try reading("look which configurations are at work") { reader in
      let unfinished = [
        "SELECT DISTINCT version FROM deliveries INDEXED BY deliveries_waiting WHERE state = 0",
        "SELECT DISTINCT version FROM deliveries WHERE state = 1",
        "SELECT DISTINCT version FROM events WHERE open = 1",
      ]
      var versions: Set<String> = []
      for sql in unfinished { versions.formUnion(try reader.connection.prepare(sql).all { $0.text(0) }) }
      let promised = """
        SELECT DISTINCT (SELECT version FROM events WHERE seq = p.event) FROM promises AS p
        WHERE p.reported IS NULL AND p.judged > ?1
        """
      let late = SQLiteValue(now - Self.lateReports)
      let found = try reader.connection.prepare(promised).all([late]) { $0.optionalText(0) }
      return versions.union(found.compactMap { $0 })
    }
  }

  /// So long after it was judged broken a promise is still looked after: its event may be reported late.
  private static let lateReports = Span.days(1)

  package func promiseCounts(since: Timestamp, now: Timestamp) throws(StoreError) -> [Promise.Standing: Int] {
    try reading("count promises") { reader in
      let sql = """
        SELECT count(*), coalesce(sum(reported IS NULL AND judged > ?2), 0),
          coalesce(sum(reported IS NULL AND judged <= ?2), 0), coalesce(sum(reported > judged), 0)
        FROM promises WHERE event >= ?1
        """
      let values: [SQLiteValue] = [.integer(EventID.firstSequence(at: since)), SQLiteValue(now)]
      let counts = try reader.connection.prepare(sql).first(values) { row in (0..<4).map { row.int($0) } }
      guard let counts else { return [:] }
      return [
        .open: counts[1], .broken: counts[2], .keptReportedLate: counts[3],
        .kept: counts[0] - counts[1] - counts[2] - counts[3],
      ]
    }
  }

  package func outsideHours() throws(StoreError) -> [String: Int] {
    try reading("count what waits for its hours") { reader in
      let sql = """
        SELECT target, count(*) FROM deliveries INDEXED BY deliveries_outside_hours
        WHERE state = 0 AND code = 'outside_hours' GROUP BY target
        """
      return Dictionary(try reader.connection.prepare(sql).all { ($0.text(0), $0.int(1)) }) { first, _ in first }
    }
  }
}
