// Books within a transaction: what planning and questions ask of what was stored before, and what they enter.

import DivertCore

/// The writer's `EventMemory`: reads and writes entries and promises, and notes what that changes on the shelf.
struct SQLiteMemory: EventMemory {
  let writer: SQLiteWriter
  /// Books that this transaction made or changed.
  private(set) var changed: [String: StoredBook] = [:]

  init(_ writer: SQLiteWriter) { self.writer = writer }

  func book(_ name: String) -> StoredBook? { changed[name] ?? writer.shelf.books[name] }

  var names: Set<String> { Set(writer.shelf.books.keys).union(changed.keys) }

  mutating func entries(of place: BookPlace, from: Timestamp, to: Timestamp) throws(StoreError) -> [BookEntry] {
    try entries(of: place, from: from, to: to, limit: .max)
  }

  mutating func entries(
    of place: BookPlace, from: Timestamp, to: Timestamp, limit: Int
  ) throws(StoreError) -> [BookEntry] {
    guard let book = book(place.book), let periods = book.periods(from: from, to: to) else { return [] }
    return try StoreError.mapping("read a book") {
      let pages = BookPages(
        select: try writer.statement(BookPages.select), next: try writer.statement(BookPages.next), tag: writer.tag)
      return try pages.entries(of: book, place.key, periods, from: from, to: to, limit: limit)
    }
  }

  mutating func enter(_ entry: BookEntry, in place: BookPlace, span: Span) throws(StoreError) {
    try StoreError.mapping("write in a book") { _ = try write(entry, in: place, span: span) }
  }

  mutating func promise(of event: EventID, route: String) throws(StoreError) -> Promise? {
    try StoreError.mapping("read a promise") {
      let sql = "SELECT \(PromiseRow.columns) FROM \(PromiseRow.table) WHERE p.event = ?1 AND p.route = ?2"
      return try writer.statement(sql).first([.integer(event.sequence), .text(route)]) {
        PromiseRow.read($0, tag: writer.tag)
      }
    }
  }

  /// Enters a line. False: it was there.
  mutating func write(_ entry: BookEntry, in place: BookPlace, span: Span) throws -> Bool {
    var book = try made(place.book, span: span)
    let period = book.period(entry.at)
    let insert = try writer.statement(
      "INSERT OR IGNORE INTO entries(book, period, key, at, event, mark) VALUES(?1, ?2, ?3, ?4, ?5, ?6)")
    insert.bind(1, .integer(book.id))
    insert.bind(2, .integer(period))
    insert.bind(3, text: place.key)
    insert.bind(4, SQLiteValue(entry.at))
    insert.bind(5, .integer(entry.event.sequence))
    insert.bind(6, MarkCoding.value(entry))
    defer { insert.reset() }
    _ = try insert.step()
    if book.entries?.contains(period) != true {
      book.entries = book.entries?.with(period) ?? period...period
      changed[place.book] = book
    }
    return writer.connection.changes == 1
  }

  /// The book, made where there is none; one of a shorter span gets this one. (A book that events enter has its own.)
  mutating func made(_ name: String, span: Span) throws -> StoredBook {
    if let book = book(name), book.since != nil || span <= book.span { return book }
    var book = try book(name) ?? StoredBook(id: nextID(), name: name, span: span)
    book.span = max(book.span, span)
    try keep(book)
    return book
  }

  /// Writes the book's row.
  mutating func keep(_ book: StoredBook) throws {
    try writer.statement(StoredBook.replace).run(book.values)
    changed[book.name] = book
  }

  /// Notes where a book's pages lie now; its row says nothing of that.
  mutating func note(_ book: StoredBook) { changed[book.name] = book }

  private func nextID() throws -> Int64 {
    try writer.statement("SELECT coalesce(max(id), 0) + 1 FROM books").first { $0.integer(0) } ?? 1
  }
}

/// Reads a book's entries, period by period.
struct BookPages {
  let select: SQLiteStatement
  let next: SQLiteStatement
  let tag: UInt32

  /// More periods than this are not tried one after another: the next that has entries is looked for.
  private static let tried = 32

  static let select = """
    SELECT at, event, mark FROM entries WHERE book = ?1 AND period = ?2 AND key = ?3 AND at BETWEEN ?4 AND ?5
    ORDER BY at, event
    """
  static let next = "SELECT period FROM entries WHERE book = ?1 AND period >= ?2 ORDER BY period LIMIT 1"

  func entries(
    of book: StoredBook, _ key: String, _ periods: ClosedRange<Int64>, from: Timestamp, to: Timestamp, limit: Int
  ) throws -> [BookEntry] {
    var found: [BookEntry] = []
    select.bind(1, .integer(book.id))
    select.bind(3, text: key)
    select.bind(4, SQLiteValue(from))
    select.bind(5, SQLiteValue(to))
    let few = periods.upperBound - periods.lowerBound < Self.tried
    var period = periods.lowerBound
    while period <= periods.upperBound, found.count < limit {
      if !few {
        guard let full = try next.first([.integer(book.id), .integer(period)], { $0.integer(0) }),
          full <= periods.upperBound
        else { break }
        period = full
      }
      select.bind(2, .integer(period))
      defer { select.reset() }
      while found.count < limit, try select.step() { found.append(MarkCoding.entry(select, tag: tag)) }
      period += 1
    }
    return found
  }
}

/// The `mark` column: null for the event's id, a number for its delivery of this ordinal, else the text itself.
enum MarkCoding {
  static func value(_ entry: BookEntry) -> SQLiteValue {
    let mark = entry.mark
    if mark.hasPrefix("evt_"), mark == entry.event.description { return .null }
    if mark.hasPrefix("dlv_"), let id = DeliveryID(mark), id.event == entry.event, id.description == mark {
      return SQLiteValue(id.ordinal)
    }
    return .text(mark)
  }

  /// The entry of a row `at, event, mark`.
  static func entry(_ row: SQLiteStatement, tag: UInt32) -> BookEntry {
    let event = EventID(sequence: row.integer(1), tag: tag)
    let mark =
      if row.isNull(2) {
        event.description
      } else if row.isInteger(2) {
        DeliveryID(event: event, ordinal: row.int(2)).description
      } else {
        row.text(2)
      }
    return BookEntry(at: row.time(0), event: event, mark: mark)
  }
}
