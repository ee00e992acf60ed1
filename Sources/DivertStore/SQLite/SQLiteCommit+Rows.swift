// Step 12 within a transaction: rows of deliveries, and the lines that they stand in.

import DivertCore

/// A line: unfinished rows of one target with one order key, by (`held`, else planned due; event, ordinal). Only its first is free.
struct OrderLine: Hashable {
  var target: String
  var key: String

  init(target: String, key: String) {
    self.target = target
    self.key = key
  }

  /// Nil: the delivery stands in no line.
  init?(_ plan: PlannedDelivery) {
    guard let key = plan.orderKey else { return nil }
    target = plan.target
    self.key = key
  }
}

struct RowKey: Hashable {
  var event: Int64
  var ordinal: Int

  init(_ id: DeliveryID) {
    event = id.event.sequence
    ordinal = id.ordinal
  }

  init(event: Int64, ordinal: Int) {
    self.event = event
    self.ordinal = ordinal
  }

  var values: [SQLiteValue] { [.integer(event), SQLiteValue(ordinal)] }
}

/// What a transaction knows of a line that it changes.
struct LineState {
  /// The row with `blocked = 0`, as the database has it.
  var free: RowKey?
}

/// The first of a line.
private struct LineHead {
  var row: RowKey
  var due: Timestamp
  var state: Int
  /// The target in whose queue it waits.
  var queue: String
}

extension SQLiteCommit {
  /// Inserts or changes a row. One that has ended stays as it ended.
  mutating func put(_ delivery: Delivery) throws {
    unclaimed.insert(delivery.id)
    let select = try writer.statement("SELECT state, target, key FROM deliveries WHERE event = ?1 AND ordinal = ?2")
    let stored = try select.first(RowKey(delivery.id).values) { ($0.int(0), $0.text(1), $0.optionalText(2)) }
    guard let (state, target, key) = stored else { return try insert(delivery) }
    if state > DeliveryState.sending.rawValue { return }
    try change(delivery, key.map { OrderLine(target: target, key: $0) })
  }

  private mutating func change(_ delivery: Delivery, _ line: OrderLine?) throws {
    if let line { try touch(line) }
    try writer.statement(DeliveryRow.update).run(DeliveryRow.changes(delivery) + [try seal(delivery)])
    if delivery.state.isFinal { try ended(delivery) }
    if delivery.state == .waiting { waits(delivery, free: line == nil) }
  }

  /// A row that waits from now on; one of a line is free when its line is linked anew.
  private mutating func waits(_ delivery: Delivery, free: Bool) {
    if let expires = delivery.plan.expires, !delivery.memo.isUncertain { isFree(ClaimWish.expiring, due: expires) }
    if free { isFree(delivery.queue ?? delivery.plan.target, due: delivery.due) }
  }

  /// A new row: joins its line, free if nobody is there.
  mutating func insert(_ delivery: Delivery, root: Int? = nil) throws {
    let line = OrderLine(delivery.plan)
    var blocked = false
    if let line, !delivery.state.isFinal {
      try touch(line)
      blocked = lines[line]?.free != nil
      if !blocked { lines[line] = LineState(free: RowKey(delivery.id)) }
    }
    let values = DeliveryRow.values(delivery, blocked: blocked, root: root ?? delivery.replayOf)
    try writer.statement(DeliveryRow.insert).run(values + [try seal(delivery)])
    if delivery.state.isFinal { try ended(delivery) }
    if delivery.state == .waiting { waits(delivery, free: line == nil) }
  }

  private mutating func ended(_ delivery: Delivery) throws {
    ledger.totals.targets[delivery.plan.target, default: Totals.Target()].count(delivery.state)
    if delivery.replayOf != nil, delivery.state != .delivered { try replayFailed(delivery) }
    if delivery.plan.toPerson { try note(ended: delivery) }
  }

  /// Ends waiting rows as skipped; how many.
  mutating func cancel(_ cancel: Cancel) throws -> Int {
    if cancel.route == nil && cancel.target == nil && cancel.event == nil { return 0 }
    if let event = cancel.event, event.tag != tag { return 0 }
    let found = try waiting(cancel)
    for var delivery in found {
      delivery.state = .skipped
      delivery.reason = cancel.reason
      try change(delivery, OrderLine(delivery.plan))
    }
    return found.count
  }

  private func waiting(_ cancel: Cancel) throws -> [Delivery] {
    var condition = "state = 0"
    var values: [SQLiteValue] = []
    if let event = cancel.event { (condition, values) = (condition + " AND event = ?", [.integer(event.sequence)]) }
    if let target = cancel.target { (condition, values) = (condition + " AND target = ?", values + [.text(target)]) }
    if let route = cancel.route {
      // A child's path begins with `route/`; `0` is the character after `/`.
      condition += " AND (route = ? OR (route > ? AND route < ?))"
      values += [.text(route), .text(route + "/"), .text(route + "0")]
    }
    let index = cancel.event == nil ? "INDEXED BY deliveries_waiting" : ""
    let select = try writer.statement("SELECT \(DeliveryRow.columns) FROM deliveries \(index) WHERE \(condition)")
    var found: [Delivery] = []
    select.bind(values)
    defer { select.reset() }
    while found.count < cancel.limit, try select.step() {
      let delivery = try DeliveryRow.read(select, tag: tag)
      if cancel.covers(delivery.id, delivery.plan), !isClaimed(delivery.id) {
        found.append(delivery)
      }
    }
    return found
  }
}

// Lines.
extension SQLiteCommit {
  /// Notes a line's free row before the transaction changes the line.
  private mutating func touch(_ line: OrderLine) throws {
    if lines[line] != nil { return }
    lines[line] = LineState(free: try head(of: line)?.row)
  }

  /// Whether a line has an unfinished row.
  func hasUnfinished(_ line: OrderLine) throws -> Bool {
    if let known = lines[line] { return known.free != nil }
    return try head(of: line) != nil
  }

  private func head(of line: OrderLine) throws -> LineHead? {
    if !writer.lined.contains(line.target), lines[line] == nil { return nil }
    let select = writer.lineHead
    select.bind(1, text: line.target)
    select.bind(2, text: line.key)
    defer { select.reset() }
    guard try select.step() else { return nil }
    let row = RowKey(event: select.integer(0), ordinal: select.int(1))
    return LineHead(row: row, due: select.time(2), state: select.int(3), queue: select.text(4))
  }

  /// Frees the first of a line, and blocks the one that was free before it.
  mutating func relink(_ line: OrderLine) throws {
    let before = lines[line]?.free
    guard let head = try head(of: line) else { return note(emptied: line.target) }
    if before != head.row {
      let free = "UPDATE deliveries SET blocked = 0 WHERE event = ?1 AND ordinal = ?2"
      try writer.statement(free).run(head.row.values)
      let block = "UPDATE deliveries SET blocked = 1 WHERE event = ?1 AND ordinal = ?2 AND state < 2"
      if let before { try writer.statement(block).run(before.values) }
    }
    let id = DeliveryID(event: EventID(sequence: head.row.event, tag: tag), ordinal: head.row.ordinal)
    if head.state == DeliveryState.waiting.rawValue, !isClaimed(id) {
      isFree(head.queue, due: head.due)
    }
  }
}
