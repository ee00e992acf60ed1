// `retention:`: what is older than it is to be goes, a bounded number of events in a transaction of its own.

package import DivertCore

extension SQLiteStore {
  package func sweep(_ kind: Retention.Kind, before: Timestamp, limit: Int, now: Timestamp) throws(StoreError) -> Swept
  {
    try writing("sweep what retention no longer keeps") { writer in
      var sweep = try Sweep(writer, kind, before: before, now: now)
      try writer.transaction { try sweep.run(limit) }
      return sweep.finish()
    }
  }
}

/// A transaction under way.
struct Sweep {
  let writer: SQLiteWriter
  let kind: Retention.Kind
  let now: Timestamp
  private let before: Int64
  private var place: SweepPlace
  private var chain: ChainTurn
  private var done: [Int64] = []
  private var isAtEnd = false
  var counts: SweptCounts?

  init(_ writer: SQLiteWriter, _ kind: Retention.Kind, before: Timestamp, now: Timestamp) throws {
    self.writer = writer
    self.kind = kind
    self.now = now
    self.before = EventID.firstSequence(at: before)
    place = try SweepPlace(kind.rawValue, writer)
    chain = ChainTurn(writer.chain)
  }

  mutating func run(_ limit: Int) throws {
    try chain.beginIfNew(writer, now: now)
    let again = place.left.prefix(limit / 4)
    let room = place.left.count < SweepPlace.most ? limit - again.count : 0
    let next = try writer.statement("SELECT seq FROM events WHERE seq > ?1 AND seq < ?2 ORDER BY seq LIMIT ?3")
      .all([.integer(place.through), .integer(before), SQLiteValue(room)]) { $0.integer(0) }
    isAtEnd = next.count < room || room == 0
    place.left.removeFirst(again.count)
    for sequence in again + next {
      if try hasEnded(sequence) {
        try sweep(sequence)
        done.append(sequence)
      } else {
        place.left.append(sequence)
      }
    }
    if let last = next.last { place.through = last }
    if again.isEmpty, next.isEmpty { return try chain.write(writer, now: now) }
    try place.write(kind.rawValue, writer)
    try counts?.write(writer)
    try record()
    try chain.write(writer, now: now)
  }

  func finish() -> Swept {
    writer.chain = chain.standing
    if kind == .record { for sequence in done { writer.openEvents[sequence] = nil } }
    return Swept(events: done.count, isDone: isAtEnd)
  }

  /// Its deliveries have, and each dead letter was replayed or dropped.
  private func hasEnded(_ sequence: Int64) throws -> Bool {
    let open = "SELECT open FROM events WHERE seq = ?1"
    let rows = "SELECT 1 FROM deliveries WHERE event = ?1 AND (state < 2 OR state = 3 AND superseded = 0) LIMIT 1"
    let key = [SQLiteValue.integer(sequence)]
    if try writer.statement(open).first(key, { $0.int(0) == 1 }) == true { return false }
    return try writer.statement(rows).first(key) { _ in true } == nil
  }

  private mutating func sweep(_ sequence: Int64) throws {
    switch kind {
    case .payloads: try writer.sweepPayload(of: sequence)
    case .attempts: try writer.sweepAttempts(of: sequence)
    case .record: try sweepRecord(sequence)
    }
  }

  /// What went is on record, in runs that leave out what stayed.
  private mutating func record() throws {
    let gone = done.sorted()
    let stayed = place.left.sorted()
    var from = gone.first
    for (here, next) in zip(gone, gone.dropFirst().map { Optional($0) } + [nil]) {
      if let next, !stayed.contains(where: { $0 > here && $0 < next }) { continue }
      let content: JSONValue = [
        "what": .string(kind.rawValue), "from": .number(from ?? here), "to": .number(here),
      ]
      try chain.record(.sweep, subject: nil, content, writer, now: now)
      from = next
    }
  }
}

// Everything of an event.
extension Sweep {
  private mutating func sweepRecord(_ sequence: Int64) throws {
    let key = [SQLiteValue.integer(sequence)]
    var counts = try self.counts ?? SweptCounts(writer.connection)
    let sql = "SELECT source, name, call_id, packed, plan, received FROM events WHERE seq = ?1"
    let found = try writer.statement(sql).first(key) { row in
      (
        source: row.text(0), name: row.text(1), call: row.optionalText(2), packed: try PackedCoding.decode(row.blob(3)),
        plan: try PlanCoding.decode(row.blob(4), received: row.time(5))
      )
    }
    guard let found else { return }
    counts.sources[found.source, default: 0] += 1
    for (ordinal, state) in found.packed.enumerated() where ordinal < found.plan.count {
      guard case .ended(let end, _, _) = state else { continue }
      counts.targets[found.plan[ordinal].plan.target, default: [:]][end, default: 0] += 1
    }
    let rows = try writer.statement("SELECT target, state FROM deliveries WHERE event = ?1").all(key) {
      ($0.text(0), DeliveryState(rawValue: $0.int(1)))
    }
    for case (let target, let state?) in rows { counts.targets[target, default: [:]][state, default: 0] += 1 }
    for table in ["deliveries", "promises"] { try writer.statement("DELETE FROM \(table) WHERE event = ?1").run(key) }
    try writer.statement("DELETE FROM events WHERE seq = ?1").run(key)
    if let call = found.call {
      let identity = DedupeKey.identity(source: found.source, callID: call, event: found.name)
      try writer.statement("DELETE FROM dedupe WHERE key = ?1 AND seq = ?2").run(
        [.blob(EventKey(identity.bytes).bytes)] + key)
    }
    self.counts = counts
  }
}
