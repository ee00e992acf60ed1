// Which books are fed, what is entered in them, what history has yet to fill in, and what is so old that it goes.

package import DivertCore

extension SQLiteCommit {
  /// Enters an event in the books in use, and keeps the promises that await it.
  mutating func feed(_ event: Event) throws {
    guard let active = writer.shelf.active else { return try memory.pause(through: ledger.lastSequence) }
    for line in active.entries(for: event) {
      try memory.feed(line) { event.receivedAt }
    }
  }
}

extension SQLiteMemory {
  mutating func feed(_ line: BookLine, receivedAt: () throws -> Timestamp) throws {
    guard try write(line.entry, in: line.place, span: line.book.span) else { return }
    try keepPromises(line.place, by: line.entry, receivedAt: receivedAt)
  }

  /// Nothing is entered from now on in books that are not named: what comes after this event is missing in them.
  mutating func pause(besides used: Set<String> = [], through last: Int64) throws {
    for name in names where !used.contains(name) {
      guard var book = book(name), book.since != nil, book.through == nil else { continue }
      book.through = last
      try keep(book)
    }
  }

  /// Takes a book into use. What of its last `2 · span` it does not have is a gap.
  mutating func use(_ definition: BookDefinition, last: Int64, now: Timestamp) throws -> BookGap? {
    let from = now - definition.span - definition.span
    let needed = EventID.firstSequence(at: from)
    var book = try book(definition.name) ?? made(definition.name, span: definition.span)
    let goesOn = book.since != nil && book.through == nil && definition.span <= book.span
    let isWhole = goesOn && book.swept.map { $0 <= from } ?? true
    var since = isWhole ? book.since ?? last + 1 : last + 1
    if since > needed, try !hasEvents(from: needed, before: since) { since = needed }
    (book.since, book.through, book.span) = (since, nil, definition.span)
    try keep(book)
    if since <= needed { return nil }
    return BookGap(book: definition, from: from, through: EventID(sequence: since - 1, tag: writer.tag))
  }

  private func hasEvents(from: Int64, before: Int64) throws -> Bool {
    let select = try writer.statement("SELECT 1 FROM events WHERE seq >= ?1 AND seq < ?2 LIMIT 1")
    return try select.first([.integer(from), .integer(before)]) { _ in true } ?? false
  }

  /// Enters lines from history; with `isLast` the book is whole.
  mutating func fill(_ gap: BookGap, with lines: [BookLine], isLast: Bool) throws {
    let received = try writer.statement("SELECT received FROM events WHERE seq = ?1")
    for line in lines {
      let sequence = SQLiteValue.integer(line.entry.event.sequence)
      try feed(line) { try received.first([sequence]) { $0.time(0) } ?? line.entry.at }
    }
    guard isLast, var book = book(gap.book.name), book.through == nil, book.since == gap.through.sequence + 1 else {
      return
    }
    book.since = min(gap.through.sequence, EventID.firstSequence(at: gap.from))
    book.swept = nil
    try keep(book)
  }
}

// What is so old that nobody asks for it.
extension SQLiteMemory {
  /// Removed in one transaction at most.
  private static let sweepLimit = 256

  /// Removes entries of periods that ended `2¼ · span` ago or longer, a bounded number of them. (The quarter: a clock that is set back a
  /// little finds all that it asks for.)
  mutating func sweep(now: Timestamp) throws {
    var left = Self.sweepLimit
    for book in writer.shelf.books.values where left > 0 {
      // A claim's span is its period: what comes a day late must find it, however short that is.
      let span = book.name.hasPrefix("once ") ? max(book.span, .days(1)) : book.span
      let kept = book.period(now - Span(milliseconds: span.milliseconds * 9 / 4))
      guard let first = book.entries?.lowerBound, first < kept, let book = self.book(book.name) else { continue }
      left -= try sweep(book, before: kept, limit: left)
    }
  }

  private mutating func sweep(_ old: StoredBook, before period: Int64, limit: Int) throws -> Int {
    var book = old
    let select = try writer.statement(
      """
      SELECT period, key, at, event FROM entries WHERE book = ?1 AND period < ?2
      ORDER BY period, key, at, event LIMIT 1 OFFSET ?3
      """)
    let bound = try select.first([.integer(book.id), .integer(period), SQLiteValue(limit - 1)]) { row in
      [SQLiteValue.integer(row.integer(0)), .text(row.text(1)), .integer(row.integer(2)), .integer(row.integer(3))]
    }
    if let bound {
      let sql = "DELETE FROM entries WHERE book = ?1 AND (period, key, at, event) <= (?2, ?3, ?4, ?5)"
      try writer.statement(sql).run([.integer(book.id)] + bound)
    } else {
      let sql = "DELETE FROM entries WHERE book = ?1 AND period < ?2"
      try writer.statement(sql).run([.integer(book.id), .integer(period)])
    }
    let gone = writer.connection.changes
    let first = try writer.statement(BookPages.next).first([.integer(book.id), .integer(Int64.min)]) { $0.integer(0) }
    book.entries = first.flatMap { first in book.entries.map { min(first, $0.upperBound)...$0.upperBound } }
    book.swept = max(book.swept ?? Timestamp(milliseconds: .min), Timestamp(milliseconds: period * book.width))
    try keep(book)
    return gone
  }
}

extension SQLiteStore {
  package func useBooks(_ books: [BookDefinition], now: Timestamp) throws(StoreError) -> [BookGap] {
    let active = ActiveBooks(books)
    return try remembering("take books into use", { $0.active = active }) { memory in
      let last = memory.writer.ledger.lastSequence
      try memory.pause(besides: Set(active.books.map(\.name)), through: last)
      return try active.books.compactMap { try memory.use($0, last: last, now: now) }
    }
  }

  package func fill(_ gap: BookGap, with lines: [BookLine], isLast: Bool) throws(StoreError) {
    try remembering("fill a book from history", { _ in }) { try $0.fill(gap, with: lines, isLast: isLast) }
  }

  /// A transaction that changes books alone; `change` follows on the shelf when it is on disk.
  private func remembering<T>(
    _ doing: String, _ change: (inout BookShelf) -> Void, _ body: (inout SQLiteMemory) throws -> T
  ) throws(StoreError) -> T {
    try writing(doing) { writer in
      var memory = SQLiteMemory(writer)
      let result = try writer.transaction { try body(&memory) }
      writer.shelf.take(memory.changed)
      change(&writer.shelf)
      return result
    }
  }
}
