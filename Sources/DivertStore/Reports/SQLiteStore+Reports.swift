// What a report reads: digests of the time that it is of, and what is not digested yet.

package import DivertCore

extension SQLiteStore {
  package func reportBlocks(
    from: Timestamp, to: Timestamp, _ take: (ReportBlock) -> Void
  ) throws(StoreError) {
    try reading("read what a report is made of") { reader in
      for table in ["call_digests", "message_digests"] {
        let select = try reader.connection.prepare(
          "SELECT rows FROM \(table) WHERE max_at >= ?1 AND min_at < ?2 ORDER BY first")
        select.bind([SQLiteValue(from), SQLiteValue(to)])
        while try select.step() { take(try ReportBlock(digest: select)) }
      }
      var last = try reader.lastDigested()
      while let found = try reader.undigestedCalls(after: last) {
        take(found.block)
        last = found.last
      }
      last = 0
      while let found = try reader.undigestedMessages(after: last) {
        take(found.block)
        last = found.last
      }
    }
  }

  package func promises(openedFrom from: Timestamp, to: Timestamp) throws(StoreError) -> [Promise] {
    try reading("read promises") { reader in
      let books = try reader.connection.prepare("SELECT \(StoredBook.columns) FROM books").all { StoredBook($0) }
      let select = try reader.connection.prepare(
        """
        SELECT \(PromiseRow.columns) FROM promises AS p INDEXED BY promises_place JOIN books AS b ON b.id = p.book
        WHERE p.book = ?1 AND p.period BETWEEN ?2 AND ?3 AND p.opened >= ?4 AND p.opened < ?5
        """)
      return try books.flatMap { book in
        try select.all([
          .integer(book.id), .integer(book.period(from)), .integer(book.period(to)), SQLiteValue(from), SQLiteValue(to),
        ]) { PromiseRow.read($0, tag: tag) }
      }
    }
  }
}

/// What was read for a digest.
struct Undigested {
  var block = ReportBlock()
  var first: Int64
  var last: Int64
  /// Of messages: when the last was noted.
  var lastAt = Timestamp(milliseconds: 0)
  /// Of events, or of ends of messages.
  var count = 0
}

extension SQLiteReader {
  /// The last event whose call is in a digest; before the first one: -1.
  func lastDigested() throws -> Int64 {
    try connection.prepare("SELECT last FROM call_digests ORDER BY first DESC LIMIT 1").first { $0.integer(0) } ?? -1
  }

  private static let kinds: [String: ReportFact.Kind] = [
    "CALL_REJECTED": .rejected, "CALL_MISSED": .missed, "CALL_ENDED": .ended,
  ]

  /// A block of the events behind `after`, fewer where there are no more; nil: there are none.
  func undigestedCalls(after: Int64) throws -> Undigested? {
    let select = try connection.prepare(
      "SELECT seq, name, call_id, phone, canonical FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2")
    select.bind([.integer(after), SQLiteValue(Digesting.blockSize)])
    var found: Undigested?
    while try select.step() {
      let sequence = select.integer(0)
      found = found ?? Undigested(first: sequence, last: sequence)
      found?.last = sequence
      found?.count += 1
      guard let kind = Self.kinds[select.text(1)] else { continue }
      let (call, phone) = (select.optionalText(2), select.optionalText(3))
      guard let fields = Event.Fields(decoding: select.blob(4), name: "", callID: nil, customerPhone: nil) else {
        throw StoredJSON.fault("canonical")
      }
      let fact = ReportFact(kind: kind, direction: fields.direction, agent: fields.agent, waba: fields.waba)
      found?.block.append(fact, at: fields.at, event: sequence, phone: phone, call: call)
    }
    return found
  }

  /// A block of the ends of messages behind the entry `after` of their log, fewer where there are no more; nil: there are none.
  func undigestedMessages(after: Int64) throws -> Undigested? {
    let select = try connection.prepare(
      """
      SELECT m.id, m.at, m.event, d.route, d.send, d.target || '.' || d.action, d.state, d.code, d.held IS NOT NULL,
        e.phone, e.canonical
      FROM message_ends AS m LEFT JOIN deliveries AS d ON d.event = m.event AND d.ordinal = m.ordinal
        LEFT JOIN events AS e ON e.seq = m.event
      WHERE m.id > ?1 ORDER BY m.id LIMIT ?2
      """)
    select.bind([.integer(after), SQLiteValue(Digesting.blockSize)])
    var found: Undigested?
    while try select.step() {
      let id = select.integer(0)
      found = found ?? Undigested(first: id, last: id)
      found?.last = id
      found?.lastAt = select.time(1)
      found?.count += 1
      if select.isNull(6) || select.isNull(10) { continue }
      found?.block.append(
        try message(select), at: select.time(1), event: select.integer(2), phone: select.optionalText(9), call: nil)
    }
    return found
  }

  private func message(_ row: SQLiteStatement) throws -> ReportFact {
    guard let fields = Event.Fields(decoding: row.blob(10), name: "", callID: nil, customerPhone: nil) else {
      throw StoredJSON.fault("canonical")
    }
    guard let state = DeliveryState(rawValue: row.int(6)) else { throw StoredJSON.fault("state") }
    let end = MessageEnd(
      route: row.text(3), send: row.text(4), action: row.text(5), state: state, code: row.text(7),
      wasHeld: row.int(8) == 1)
    return ReportFact(
      kind: .message, direction: fields.direction, agent: fields.agent, waba: fields.waba, end: end)
  }
}
