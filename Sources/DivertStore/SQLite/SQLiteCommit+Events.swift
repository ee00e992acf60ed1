// Step 4 within a transaction: accepting events, and how packed deliveries came to stand.

import DivertCore

extension SQLiteCommit {
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

  private mutating func accept(_ append: Append, _ sequence: Int64) throws -> AppendOutcome {
    let event = Event(id: EventID(sequence: sequence, tag: tag), content: append.content)
    let needsRow = try needingRows(append)
    let states = needsRow.map { $0 ? PackedState.row : .open }
    let width = PackedCoding.width(states)
    try insert(append, event, states, width: width)
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
      remember(sequence, OpenEvent(planned: append.planned, ended: ended, width: width), open: true)
    }
    return .accepted(event, hot: hot)
  }

  private func insert(_ append: Append, _ event: Event, _ states: [PackedState], width: Int) throws {
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
    row.bind(10, blob: PackedCoding.encode(states, width: width))
    row.bind(11, blob: PlanCoding.encode(append.planned, received: append.receivedAt))
    row.bind(12, blob: append.fields.encoded(whole: false))
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
    row.bind(3, blob: PackedCoding.encode(update.states, width: event.width))
    defer { row.reset() }
    _ = try row.step()
  }
}
