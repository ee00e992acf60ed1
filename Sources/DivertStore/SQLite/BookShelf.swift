// The books of a store in memory: where their pages lie in time, and which are fed. Changed only after a commit.

import DivertCore

/// A book as its row has it.
struct StoredBook {
  let id: Int64
  let name: String
  /// Of a period, in milliseconds.
  let width: Int64
  /// Entries are kept for at least twice this.
  var span: Span
  /// The longest `within` of its promises.
  var reach: Span
  /// Every event from this sequence on is entered, up to `through`; nil: no events are.
  var since: Int64?
  /// The last event that could be entered; nil: it is in use.
  var through: Int64?
  /// Entries before it are gone.
  var swept: Timestamp?
  /// The periods between which entries lie, and promises; nil: there are none.
  var entries: ClosedRange<Int64>?
  var promises: ClosedRange<Int64>?

  /// As long as its readers look: they look at two periods, and one of the two pages is the one that the new entry is in. (With a
  /// quarter of it they look at five: three times the cost where a period is larger than the page cache.)
  static func width(of span: Span) -> Int64 { max(60_000, span.milliseconds) }

  func period(_ time: Timestamp) -> Int64 {
    let (quotient, rest) = time.milliseconds.quotientAndRemainder(dividingBy: width)
    return rest < 0 ? quotient - 1 : quotient
  }

  static let columns = "id, name, width, span, reach, since, through, swept"

  init(id: Int64, name: String, span: Span) {
    self.id = id
    self.name = name
    self.span = span
    width = Self.width(of: span)
    reach = .zero
  }

  init(_ row: SQLiteStatement) {
    id = row.integer(0)
    name = row.text(1)
    width = row.integer(2)
    span = Span(milliseconds: row.integer(3))
    reach = Span(milliseconds: row.integer(4))
    since = row.optionalInt(5).map(Int64.init)
    through = row.optionalInt(6).map(Int64.init)
    swept = row.optionalTime(7)
  }

  /// The row's values in the order of `columns`.
  var values: [SQLiteValue] {
    [
      .integer(id), .text(name), .integer(width), .integer(span.milliseconds), .integer(reach.milliseconds),
      since.map { .integer($0) } ?? .null, through.map { .integer($0) } ?? .null, SQLiteValue(optional: swept),
    ]
  }

  static let replace = "INSERT OR REPLACE INTO books(\(columns)) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"

  /// The periods of a stretch of time that may hold entries; nil: none does.
  func periods(from: Timestamp, to: Timestamp) -> ClosedRange<Int64>? { overlap(entries, from, to) }

  /// The same of promises, by when they were opened.
  func periods(openedFrom from: Timestamp, to: Timestamp) -> ClosedRange<Int64>? { overlap(promises, from, to) }

  private func overlap(_ range: ClosedRange<Int64>?, _ from: Timestamp, _ to: Timestamp) -> ClosedRange<Int64>? {
    guard let range, from <= to else { return nil }
    let (low, high) = (max(period(from), range.lowerBound), min(period(to), range.upperBound))
    return low <= high ? low...high : nil
  }
}

extension ClosedRange<Int64> {
  /// With another period.
  func with(_ period: Int64) -> ClosedRange { Swift.min(lowerBound, period)...Swift.max(upperBound, period) }
}

/// All books of a store.
struct BookShelf {
  private(set) var books: [String: StoredBook] = [:]
  /// What feeds them; nil: nobody has said since the store was opened.
  var active: ActiveBooks?

  init() {}

  init(_ connection: SQLiteConnection) throws {
    let rows = try connection.prepare("SELECT \(StoredBook.columns) FROM books").all { StoredBook($0) }
    let ends = ["entries", "promises"].map { table in
      ["ASC", "DESC"].map { "SELECT period FROM \(table) WHERE book = ?1 ORDER BY period \($0) LIMIT 1" }
    }
    let selects = try ends.map { try $0.map { try connection.prepare($0) } }
    func range(_ select: [SQLiteStatement], _ book: Int64) throws -> ClosedRange<Int64>? {
      let found = try select.map { try $0.first([.integer(book)]) { $0.integer(0) } }
      guard let first = found[0], let last = found[1] else { return nil }
      return first...last
    }
    for var book in rows {
      book.entries = try range(selects[0], book.id)
      book.promises = try range(selects[1], book.id)
      books[book.name] = book
    }
  }

  /// Takes over what a transaction changed.
  mutating func take(_ changed: [String: StoredBook]) {
    if !changed.isEmpty { books.merge(changed) { $1 } }
  }
}
