// Promises within a transaction: opened with the event that hopes, kept by events that were awaited.

import DivertCore

/// A promise's row ↔ `Promise`.
enum PromiseRow {
  static let table = "promises AS p JOIN books AS b ON b.id = p.book"
  /// What `read` expects, in its order.
  static let columns = """
    p.event, p.route, b.name, p.key, p.opened, p.deadline, p.judged, p.keeper, p.kept, p.reported
    """

  static func read(_ row: SQLiteStatement, tag: UInt32) -> Promise {
    var promise = Promise(
      event: EventID(sequence: row.integer(0), tag: tag), route: row.text(1),
      place: BookPlace(book: row.text(2), key: row.text(3)), openedAt: row.time(4), deadline: row.time(5),
      judgedAt: row.time(6))
    promise.keeper = row.isNull(7) ? nil : EventID(sequence: row.integer(7), tag: tag)
    promise.keptAt = row.optionalTime(8)
    promise.reportedAt = row.optionalTime(9)
    return promise
  }

  static let insert = """
    INSERT OR IGNORE INTO promises(event, route, book, period, key, opened, deadline, judged, keeper, kept, reported)
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    """

  static func values(_ promise: Promise, in book: StoredBook) -> [SQLiteValue] {
    [
      .integer(promise.event.sequence), .text(promise.route), .integer(book.id),
      .integer(book.period(promise.openedAt)), .text(promise.place.key), SQLiteValue(promise.openedAt),
      SQLiteValue(promise.deadline), SQLiteValue(promise.judgedAt),
      promise.keeper.map { .integer($0.sequence) } ?? .null, SQLiteValue(optional: promise.keptAt),
      SQLiteValue(optional: promise.reportedAt),
    ]
  }
}

extension SQLiteMemory {
  /// Puts a promise on record; one of its event and route is there once.
  mutating func open(_ promise: Promise) throws {
    let within = promise.deadline - promise.openedAt
    var book = try made(promise.place.book, span: within)
    try writer.statement(PromiseRow.insert).run(PromiseRow.values(promise, in: book))
    let period = book.period(promise.openedAt)
    let promises = book.promises?.with(period) ?? period...period
    if within <= book.reach, promises == book.promises { return }
    book.promises = promises
    if within <= book.reach { return note(book) }
    book.reach = within
    try keep(book)
  }

  /// Every promise that awaited this entry is kept by it.
  /// - Parameter receivedAt: when its event was received; asked only where there is such a promise.
  mutating func keepPromises(
    _ place: BookPlace, by entry: BookEntry, receivedAt: () throws -> Timestamp
  ) throws {
    guard let book = book(place.book), book.promises != nil else { return }
    let earliest = entry.at - book.reach
    guard let periods = book.periods(openedFrom: earliest, to: entry.at) else { return }
    let select = try writer.statement(
      """
      SELECT \(PromiseRow.columns) FROM promises AS p INDEXED BY promises_place JOIN books AS b ON b.id = p.book
      WHERE p.book = ?1 AND p.period = ?2 AND p.key = ?3 AND p.opened BETWEEN ?4 AND ?5
      """)
    for period in periods {
      let values: [SQLiteValue] = [
        .integer(book.id), .integer(period), .text(place.key), SQLiteValue(earliest), SQLiteValue(entry.at),
      ]
      for var promise in try select.all(values, { PromiseRow.read($0, tag: writer.tag) }) {
        guard entry.at > promise.openedAt, entry.at <= promise.deadline else { continue }
        if promise.keep(by: entry, receivedAt: try receivedAt()) { try update(promise) }
      }
    }
  }

  private func update(_ promise: Promise) throws {
    let sql = "UPDATE promises SET keeper = ?3, kept = ?4, reported = ?5 WHERE event = ?1 AND route = ?2"
    try writer.statement(sql).run([
      .integer(promise.event.sequence), .text(promise.route), promise.keeper.map { .integer($0.sequence) } ?? .null,
      SQLiteValue(optional: promise.keptAt), SQLiteValue(optional: promise.reportedAt),
    ])
  }
}
