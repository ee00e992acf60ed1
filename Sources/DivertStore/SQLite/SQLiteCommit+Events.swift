// Step 4 within a transaction: accepting events, knowing duplicates, and how packed deliveries came to stand.

import DivertCore

extension SQLiteCommit {
  /// Swept in one transaction at most.
  private static let sweepLimit: Int64 = 300
  /// A delivery due later than this after reception gets a row: no engine keeps it in memory till then.
  private static let soon = Span.seconds(1)

  mutating func append(_ append: Append) throws {
    var source = ledger.totals.sources[append.source] ?? Totals.Source()
    source.received += 1
    let first = EventID.firstSequence(at: append.receivedAt)
    let sequence = max(first, ledger.lastSequence + 1)
    if let entry = append.dedupe, let known = try knownEvent(entry, sequence, append.receivedAt) {
      source.duplicate += 1
      receipt.appends.append(.duplicate(EventID(sequence: known, tag: tag)))
    } else {
      source.accepted += 1
      if append.planned.isEmpty { source.unmatched += 1 }
      ledger.lastSequence = sequence
      ledger.events += 1
      ledger.skew = max(ledger.skew, (sequence - first) >> 20)
      receipt.appends.append(try accept(append, sequence))
    }
    ledger.totals.sources[append.source] = source
  }

  /// The event that a key stands for already; else the key now stands for `sequence`.
  private func knownEvent(_ entry: DedupeEntry, _ sequence: Int64, _ receivedAt: Timestamp) throws -> Int64? {
    let insert = writer.insertKey
    insert.bind(1, blob: entry.key)
    insert.bind(2, .integer(sequence))
    insert.bind(3, SQLiteValue(optional: entry.until))
    _ = try insert.step()
    insert.reset()
    if writer.connection.changes > 0 { return nil }
    let select = try writer.statement("SELECT seq, until FROM dedupe WHERE key = ?1")
    let known = try select.first([.blob(entry.key)]) { ($0.integer(0), $0.optionalTime(1)) }
    if let (event, until) = known, until.map({ receivedAt < $0 }) ?? true { return event }
    try writer.statement("UPDATE dedupe SET seq = ?2, until = ?3 WHERE key = ?1").run([
      .blob(entry.key), .integer(sequence), SQLiteValue(optional: entry.until),
    ])
    return nil
  }

  private mutating func accept(_ append: Append, _ sequence: Int64) throws -> AppendOutcome {
    let event = Event(
      id: EventID(sequence: sequence, tag: tag), source: append.source, receivedAt: append.receivedAt,
      fields: append.fields, body: append.body, raw: append.raw)
    let needsRow = try needingRows(append)
    let states = needsRow.map { $0 ? PackedState.row : .open }
    try insert(append, event, states)
    var hot: [Int] = []
    for (ordinal, plan) in append.planned.enumerated() {
      ledger.totals.targets[plan.target, default: Totals.Target()].planned += 1
      if needsRow[ordinal] {
        let id = DeliveryID(event: event.id, ordinal: ordinal)
        try insert(Delivery(id: id, plan: plan, version: append.table.version))
      } else {
        hot.append(ordinal)
      }
    }
    if !hot.isEmpty {
      let ended = [Bool](repeating: false, count: append.planned.count)
      remember(sequence, OpenEvent(planned: append.planned, ended: ended), open: true)
    }
    return .accepted(event, hot: hot)
  }

  private func insert(_ append: Append, _ event: Event, _ states: [PackedState]) throws {
    let row = writer.insertEvent
    row.bind(1, .integer(event.id.sequence))
    row.bind(2, text: append.source)
    row.bind(3, SQLiteValue(append.receivedAt))
    row.bind(4, text: append.fields.name)
    row.bind(5, SQLiteValue(ledger.events / Schema.bucketSize))
    row.bind(6, SQLiteValue(optional: append.fields.callID))
    row.bind(7, SQLiteValue(optional: append.fields.customerPhone))
    row.bind(8, text: append.table.version)
    row.bind(9, .integer(states.contains(.open) ? 1 : 0))
    row.bind(10, blob: PackedCoding.encode(states))
    row.bind(11, blob: PlanCoding.encode(append.planned))
    row.bind(12, blob: append.fields.encoded())
    row.bind(13, blob: append.body)
    defer { row.reset() }
    _ = try row.step()
  }

  /// For each planned delivery, whether it gets a row at once.
  private func needingRows(_ append: Append) throws -> [Bool] {
    let soon = append.receivedAt + Self.soon
    var rows = append.planned.map { $0.toPerson || append.congested.contains($0.target) || $0.due > soon }
    let joined = Set(zip(append.planned, rows).compactMap { $1 ? OrderLine($0) : nil })
    for (ordinal, plan) in append.planned.enumerated() where !rows[ordinal] {
      guard let line = OrderLine(plan) else { continue }
      rows[ordinal] = try joined.contains(line) || hasUnfinished(line)
    }
    return rows
  }

  /// Takes over how an event's packed deliveries stand, and counts those that ended since.
  mutating func update(_ update: PackedUpdate) throws {
    var event = try openEvent(update.event)
    guard event.ended.count == update.states.count else {
      throw StoreError(
        code: "other",
        description:
          "\(update.states.count) packed states were given for the \(event.ended.count) of event \(update.event)")
    }
    for (ordinal, state) in update.states.enumerated() where !event.ended[ordinal] {
      guard case .ended(let end, _, _) = state else { continue }
      event.ended[ordinal] = true
      ledger.totals.targets[event.planned[ordinal].target, default: Totals.Target()].count(end)
    }
    let open = update.states.contains(.open)
    remember(update.event.sequence, event, open: open)
    let row = writer.updatePacked
    row.bind(1, .integer(update.event.sequence))
    row.bind(2, .integer(open ? 1 : 0))
    row.bind(3, blob: PackedCoding.encode(update.states))
    defer { row.reset() }
    _ = try row.step()
  }

  /// Forgets keys whose time is over, a bounded number of them. A minute late, for clocks that disagree.
  func sweepKeys() throws {
    let sql = """
      DELETE FROM dedupe WHERE key IN
      (SELECT key FROM dedupe WHERE until IS NOT NULL AND until < ?1 ORDER BY until LIMIT ?2)
      """
    try writer.statement(sql).run([SQLiteValue(now - .minutes(1)), .integer(Self.sweepLimit)])
  }
}
