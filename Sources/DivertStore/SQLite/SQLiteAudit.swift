// The conservation equations, each side counted on its own: what was planned from the events' plans, what became of
// it from
// packed states and rows, what was received from the counters.

package import DivertCore

extension SQLiteStore {
  package func audit() throws(StoreError) -> Audit {
    try reading("audit the store") { reader in
      var audit = SQLiteAudit(totals: try reader.ledger().totals, swept: try SweptCounts(reader.connection))
      try audit.scan(reader)
      try audit.checkLines(reader)
      return audit.result()
    }
  }
}

/// One full scan: events and rows side by side, in order of their keys.
private struct SQLiteAudit {
  /// More are counted, not told.
  private static let told = 100

  let totals: Totals
  /// Of events that retention removed.
  let swept: SweptCounts
  private var planned: [String: Int] = [:]
  private var parts: [String: [DeliveryState: Int]] = [:]
  private var accepted: [String: Int] = [:]
  private var dead: [DeliveryID] = []
  private var problems: [String] = []
  private var untold = 0

  init(totals: Totals, swept: SweptCounts) {
    self.totals = totals
    self.swept = swept
    for (target, counts) in swept.targets {
      planned[target] = counts.values.reduce(0, +)
      parts[target] = counts
    }
    accepted = swept.sources
  }

  private struct Row {
    var id: DeliveryID
    var target: String
    var state: DeliveryState
    var superseded: Bool
  }

  mutating func scan(_ reader: SQLiteReader) throws {
    let events = try reader.connection.prepare(
      "SELECT seq, source, open, packed, plan, received FROM events ORDER BY seq")
    let rows = try reader.connection.prepare(
      "SELECT event, ordinal, target, state, superseded FROM deliveries ORDER BY event, ordinal")
    var row = try next(rows, reader.tag)
    while try events.step() {
      let id = EventID(sequence: events.integer(0), tag: reader.tag)
      while let orphan = row, orphan.id.event.sequence < id.sequence {
        problem("delivery \(orphan.id) belongs to no event")
        row = try next(rows, reader.tag)
      }
      var own: [Row] = []
      while let mine = row, mine.id.event.sequence == id.sequence {
        own.append(mine)
        row = try next(rows, reader.tag)
      }
      accepted[events.text(1), default: 0] += 1
      do {
        let packed = try PackedCoding.decode(events.blob(3))
        let plan = try PlanCoding.decode(events.blob(4), received: events.time(5))
        check(id, plan, packed, own, open: events.int(2) == 1)
      } catch let error as StoreError { problem("event \(id): \(error.description)") }
    }
    while let orphan = row {
      problem("delivery \(orphan.id) belongs to no event")
      row = try next(rows, reader.tag)
    }
  }

  private func next(_ rows: SQLiteStatement, _ tag: UInt32) throws -> Row? {
    guard try rows.step() else { return nil }
    guard let state = DeliveryState(rawValue: rows.int(3)) else { throw StoredJSON.fault("state") }
    let id = DeliveryID(event: EventID(sequence: rows.integer(0), tag: tag), ordinal: rows.int(1))
    return Row(id: id, target: rows.text(2), state: state, superseded: rows.int(4) == 1)
  }

  private mutating func check(
    _ id: EventID, _ plan: [PlanEntry], _ packed: [PackedState], _ rows: [Row], open: Bool
  ) {
    for entry in plan { planned[entry.plan.target, default: 0] += 1 }
    for (ordinal, state) in packed.enumerated() where ordinal < plan.count {
      let target = plan[ordinal].plan.target
      switch state {
      case .open: parts[target, default: [:]][.waiting, default: 0] += 1
      case .ended(let end, _, _): parts[target, default: [:]][end, default: 0] += 1
      case .row: break
      }
    }
    for row in rows {
      parts[row.target, default: [:]][row.state, default: 0] += 1
      if row.state == .dead, !row.superseded { dead.append(row.id) }
    }
    if packed.contains(.open) != open { problem("event \(id) is marked \(open ? "open" : "closed") but is not") }
    checkPlaces(id, plan, packed, rows)
  }

  /// Every planned delivery stands in exactly one place: packed, or in a row.
  private mutating func checkPlaces(_ id: EventID, _ plan: [PlanEntry], _ packed: [PackedState], _ rows: [Row]) {
    let inRows = Dictionary(rows.map { ($0.id.ordinal, $0.target) }) { first, _ in first }
    for (ordinal, entry) in plan.enumerated() {
      let shouldHaveRow = ordinal >= packed.count || packed[ordinal] == .row
      let delivery = DeliveryID(event: id, ordinal: ordinal)
      switch (shouldHaveRow, inRows[ordinal]) {
      case (true, nil): problem("delivery \(delivery) was planned and has no row")
      case (false, .some): problem("delivery \(delivery) stands both in its event and in a row")
      case (true, let target?) where target != entry.plan.target:
        problem("delivery \(delivery) was planned for target \(entry.plan.target) and its row says \(target)")
      default: break
      }
    }
    for row in rows where row.id.ordinal >= plan.count { problem("delivery \(row.id) was never planned") }
    if packed.count > plan.count { problem("event \(id) has more packed deliveries than planned ones") }
  }

  /// In every line exactly the first is free.
  mutating func checkLines(_ reader: SQLiteReader) throws {
    let select = try reader.connection.prepare(
      """
      SELECT event, ordinal, target, key, blocked FROM deliveries INDEXED BY deliveries_line
      WHERE key IS NOT NULL AND state < 2 ORDER BY target, key, coalesce(held, due0), event, ordinal
      """)
    var last: (String, String)?
    while try select.step() {
      let line = (select.text(2), select.text(3))
      let isFirst = last.map { $0 != line } ?? true
      last = line
      if isFirst == (select.int(4) == 0) { continue }
      let id = DeliveryID(event: EventID(sequence: select.integer(0), tag: reader.tag), ordinal: select.int(1))
      problem("delivery \(id) is \(isFirst ? "first in its line and blocked" : "not first in its line and free")")
    }
  }

  private mutating func problem(_ sentence: String) {
    if problems.count < Self.told { problems.append(sentence) } else { untold += 1 }
  }

  mutating func result() -> Audit {
    var lines: [Audit.Line] = []
    for target in Set(planned.keys).union(parts.keys).union(totals.targets.keys).sorted() { lines.append(line(target)) }
    for source in Set(accepted.keys).union(totals.sources.keys).sorted() { lines.append(line(source: source)) }
    for line in lines where !line.holds {
      let right = line.parts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: " + ")
      problems.append("\(line.subject): \(line.whole) is not \(right)")
    }
    if untold > 0 { problems.append("and \(untold) more") }
    return Audit(lines: lines, dead: dead, problems: problems)
  }

  private mutating func line(_ target: String) -> Audit.Line {
    let found = parts[target] ?? [:]
    let counted = totals.targets[target] ?? Totals.Target()
    let whole = planned[target] ?? 0
    compare("target \(target)", "planned", counted.planned, whole)
    compare("target \(target)", "delivered", counted.delivered, found[.delivered] ?? 0)
    compare("target \(target)", "dead", counted.dead, found[.dead] ?? 0)
    compare("target \(target)", "skipped", counted.skipped, found[.skipped] ?? 0)
    let named = DeliveryState.allCases.map { ($0.name, found[$0] ?? 0) }
    return Audit.Line(subject: "target \(target)", whole: whole, parts: Dictionary(uniqueKeysWithValues: named))
  }

  private mutating func line(source: String) -> Audit.Line {
    let counted = totals.sources[source] ?? Totals.Source()
    compare("source \(source)", "accepted", counted.accepted, accepted[source] ?? 0)
    return Audit.Line(
      subject: "source \(source)", whole: counted.received,
      parts: [
        "accepted": counted.accepted, "duplicate": counted.duplicate, "quarantined": counted.quarantined,
        "refused": counted.refused,
      ])
  }

  private mutating func compare(_ subject: String, _ what: String, _ counted: Int, _ found: Int) {
    if counted != found { problem("\(subject): \(counted) counted as \(what), \(found) found") }
  }
}
