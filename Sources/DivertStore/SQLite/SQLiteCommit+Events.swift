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
      let event = Event(id: EventID(sequence: sequence, tag: tag), content: append.content)
      let plan = try plan(append, event)
      source.accepted += 1
      if plan.deliveries.isEmpty { source.unmatched += 1 }
      ledger.lastSequence = sequence
      ledger.events += 1
      reportable += 1
      ledger.skew = max(ledger.skew, (sequence - first) >> 20)
      receipt.appends.append(try accept(append, event, plan))
    }
    ledger.totals.sources[append.source] = source
  }

  /// Enters the event in its books; then says what follows it.
  private mutating func plan(_ append: Append, _ event: Event) throws -> Plan {
    try feed(event)
    var plan = append.plan
    if plan.asksMemory {
      plan = try append.table.plan(event, suppression: append.suppression, memory: &memory)
    }
    for promise in plan.promises { try memory.open(promise) }
    return plan
  }

  private mutating func accept(_ append: Append, _ event: Event, _ plan: Plan) throws -> AppendOutcome {
    let needsRow = try needingRows(append, plan.deliveries)
    let states = needsRow.map { $0 ? PackedState.row : .open }
    let width = PackedCoding.width(states)
    let salt = try insert(append, event, plan.deliveries, states, width: width)
    var hot: [Int] = []
    for (ordinal, plan) in plan.deliveries.enumerated() {
      ledger.totals.targets[plan.target, default: Totals.Target()].planned += 1
      if needsRow[ordinal] {
        let id = DeliveryID(event: event.id, ordinal: ordinal)
        try insert(Delivery(id: id, plan: plan, version: append.table.version))
      } else {
        hot.append(ordinal)
      }
    }
    if !hot.isEmpty {
      let ended = [Bool](repeating: false, count: plan.deliveries.count)
      let open = OpenEvent(planned: plan.deliveries, ended: ended, width: width, salt: salt)
      remember(event.id.sequence, open, open: true)
    }
    try noteHead(append, event)
    return .accepted(event, plan, hot: hot)
  }

  /// - Returns: its salt.
  private mutating func insert(
    _ append: Append, _ event: Event, _ planned: [PlannedDelivery], _ states: [PackedState], width: Int
  ) throws -> [UInt8] {
    let (fields, kept) = append.fields.encodedInTwo()
    let plan = PlanCoding.encode(planned, received: append.receivedAt)
    let bucket = ledger.events / Schema.bucketSize
    let seal = try seal(
      EventSealing(
        sequence: event.id.sequence, received: append.receivedAt, bucket: bucket, source: append.source,
        name: append.fields.name, callID: append.fields.callID, phone: append.fields.customerPhone,
        version: append.table.version, plan: plan, kept: fields[..<kept]),
      fields: fields[kept...], body: append.body)
    let row = writer.insertEvent
    row.bind(1, .integer(event.id.sequence))
    row.bind(2, text: append.source)
    row.bind(3, SQLiteValue(append.receivedAt))
    row.bind(4, text: append.fields.name)
    row.bind(5, SQLiteValue(bucket))
    row.bind(6, SQLiteValue(optional: append.fields.callID))
    row.bind(7, SQLiteValue(optional: append.fields.customerPhone))
    row.bind(8, text: append.table.version)
    row.bind(9, .integer(states.contains(.open) ? 1 : 0))
    row.bind(10, blob: PackedCoding.encode(states, width: width))
    row.bind(11, blob: plan)
    row.bind(12, blob: fields)
    row.bind(13, blob: append.body)
    row.bind(14, blob: seal.encoded())
    defer { row.reset() }
    _ = try row.step()
    return seal.salt
  }

  /// For each planned delivery, whether it gets a row at once.
  private func needingRows(_ append: Append, _ planned: [PlannedDelivery]) throws -> [Bool] {
    let soon = append.receivedAt + Self.soon
    var rows = planned.map {
      $0.toPerson || append.congested?.contains($0.target) ?? true || $0.due > soon
    }
    let joined = Set(zip(planned, rows).compactMap { $1 ? OrderLine($0) : nil })
    for (ordinal, plan) in planned.enumerated() where !rows[ordinal] {
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
    var ends: [PackedEnd] = []
    for (ordinal, state) in update.states.enumerated() where !event.ended[ordinal] {
      guard let end = PackedEnd(ordinal, state) else { continue }
      ends.append(end)
      event.ended[ordinal] = true
      ledger.totals.targets[event.planned[ordinal].target, default: Totals.Target()].count(end.state)
    }
    seal(ends, of: update.event.sequence, salt: event.salt)
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
