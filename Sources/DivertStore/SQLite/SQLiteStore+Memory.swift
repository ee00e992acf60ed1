// Looking at what routes remember, from any thread: books, promises, the suppression list; and the list's changes.

package import DivertCore

extension SQLiteStore {
  package func entries(
    of place: BookPlace, from: Timestamp, to: Timestamp, limit: Int
  ) throws(StoreError) -> [BookEntry] {
    try reading("read a book") { reader in
      let select = try reader.connection.prepare("SELECT \(StoredBook.columns) FROM books WHERE name = ?1")
      guard from <= to, let book = try select.first([.text(place.book)], { StoredBook($0) }) else { return [] }
      let pages = BookPages(
        select: try reader.connection.prepare(BookPages.select), next: try reader.connection.prepare(BookPages.next),
        tag: tag)
      let periods = book.period(from)...book.period(to)
      return try pages.entries(of: book, place.key, periods, from: from, to: to, limit: limit)
    }
  }

  package func promises(of event: EventID) throws(StoreError) -> [Promise] {
    if event.tag != tag { return [] }
    return try reading("read promises") { reader in
      let sql = "SELECT \(PromiseRow.columns) FROM \(PromiseRow.table) WHERE p.event = ?1 ORDER BY p.route"
      return try reader.connection.prepare(sql).all([.integer(event.sequence)]) { PromiseRow.read($0, tag: tag) }
    }
  }

  package func promises(
    matching filter: PromiseFilter, after: PromisePlace?, limit: Int, now: Timestamp
  ) throws(StoreError) -> [Promise] {
    try reading("read promises") { reader in
      var question = PromiseQuestion(filter, skew: try reader.ledger().skew, now: now)
      if let after { question.goOn(after: after) }
      let values = question.values + [SQLiteValue(limit)]
      return try reader.connection.prepare(question.sql).all(values) { PromiseRow.read($0, tag: tag) }
    }
  }

  package func suppressions() throws(StoreError) -> [Suppression] {
    try reading("read the suppression list") { reader in
      let select = try reader.connection.prepare(
        "SELECT phone, reason, answers, since, until FROM suppressions ORDER BY phone")
      return try select.all { row in
        Suppression(
          phone: row.text(0), reason: row.text(1), coversAnswers: row.int(2) == 1, since: row.time(3),
          until: row.optionalTime(4))
      }
    }
  }
}

/// A filter as SQL.
private struct PromiseQuestion {
  private var conditions: [String] = []
  private(set) var values: [SQLiteValue] = []
  private let newestFirst: Bool

  init(_ filter: PromiseFilter, skew: Int64, now: Timestamp) {
    newestFirst = filter.newestFirst
    if let since = filter.since { add("p.event >= ?", .integer(EventID.firstSequence(at: since))) }
    if let until = filter.until {
      // A sequence is never earlier than its event's reception, and `skew` later at most.
      add("p.event < ?", .integer(EventID.firstSequence(at: until + .milliseconds(skew + 1))))
    }
    for (comparison, bound) in [(">=", filter.since), ("<", filter.until)] {
      guard let bound else { continue }
      add("(SELECT received FROM events WHERE seq = p.event) \(comparison) ?", SQLiteValue(bound))
    }
    if let route = filter.route { add("p.route = ?", .text(route)) }
    switch filter.standing {
    case .open: add("p.reported IS NULL AND p.judged > ?", SQLiteValue(now))
    case .broken: add("p.reported IS NULL AND p.judged <= ?", SQLiteValue(now))
    case .kept: conditions.append("p.reported <= p.judged")
    case .keptReportedLate: conditions.append("p.reported > p.judged")
    case nil: break
    }
  }

  private mutating func add(_ condition: String, _ value: SQLiteValue) {
    conditions.append(condition)
    values.append(value)
  }

  mutating func goOn(after place: PromisePlace) {
    let sequence = SQLiteValue.integer(place.event.sequence)
    conditions.append("(p.event \(newestFirst ? "<" : ">") ? OR p.event = ? AND p.route > ?)")
    values += [sequence, sequence, .text(place.route)]
  }

  var sql: String {
    let condition = conditions.isEmpty ? "1" : conditions.joined(separator: " AND ")
    let order = newestFirst ? "DESC" : "ASC"
    return """
      SELECT \(PromiseRow.columns) FROM \(PromiseRow.table) WHERE \(condition)
      ORDER BY p.event \(order), p.route LIMIT ?
      """
  }
}

extension SQLiteCommit {
  /// Whether that changed anything.
  mutating func change(_ change: SuppressionChange) throws -> Bool {
    switch change {
    case .remove(let phone, _):
      try writer.statement("DELETE FROM suppressions WHERE phone = ?1").run([.text(phone)])
    case .add(let entry):
      let sql = """
        INSERT INTO suppressions(phone, reason, answers, since, until) VALUES(?1, ?2, ?3, ?4, ?5)
        ON CONFLICT(phone) DO UPDATE SET reason = ?2, answers = ?3, since = ?4, until = ?5
        WHERE reason <> ?2 OR answers <> ?3 OR since <> ?4 OR until IS NOT ?5
        """
      try writer.statement(sql).run([
        .text(entry.phone), .text(entry.reason), SQLiteValue(entry.coversAnswers ? 1 : 0), SQLiteValue(entry.since),
        SQLiteValue(optional: entry.until),
      ])
    }
    let changed = writer.connection.changes > 0
    if changed { try record(change) }
    return changed
  }

  /// Deliveries that follow another's end: like those of a fresh plan.
  mutating func follow(_ followUp: FollowUp) throws {
    let addition = Addition(event: followUp.of.event, planned: followUp.planned, version: followUp.version)
    _ = try add(addition)
  }
}
