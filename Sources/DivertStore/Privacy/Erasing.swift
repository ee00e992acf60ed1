// `divert erase`: what is a person's leaves the rows of their events; that the events were stays, and counts stay.

package import DivertCore

extension SQLiteStore {
  /// Erased in one transaction at most, so that events are accepted meanwhile.
  private static let chunk = 64

  package func erase(
    _ person: ErasedPerson, _ data: PersonalData, now: Timestamp
  ) throws(StoreError) -> [EventID] {
    var left: [EventID] = []
    var events = data.events[...]
    var changes = data.changes
    repeat {
      let part = events.prefix(Self.chunk)
      events = events.dropFirst(Self.chunk)
      let busy = try writing("erase a person's data") { writer in
        var erasing = Erasing(writer, now: now)
        try writer.transaction { try erasing.erase(part.map(\.sequence), changes) }
        return erasing.finish()
      }
      left += part.filter { busy.contains($0.sequence) }
      changes = []
    } while !events.isEmpty
    try eraseLines(of: person, Set(data.events.map(\.sequence)).subtracting(left.map(\.sequence)))
    return left
  }

  private func eraseLines(of person: ErasedPerson, _ events: Set<Int64>) throws(StoreError) {
    var lines = try reading("find a person's lines in books") { try PersonLines.find($0, person, events) }[...]
    while !lines.isEmpty {
      let part = lines.prefix(256)
      lines = lines.dropFirst(256)
      try writing("erase a person's lines in books") { writer in
        try writer.transaction {
          let sql = "DELETE FROM entries WHERE book = ?1 AND period = ?2 AND key = ?3 AND at = ?4 AND event = ?5"
          for line in part { try writer.statement(sql).run(line.values) }
        }
      }
    }
  }
}

/// A transaction that erases. It changes the writer's memory only in `finish`, after the commit.
private struct Erasing {
  let writer: SQLiteWriter
  let now: Timestamp
  private var chain: ChainTurn
  private var done: [Int64] = []
  /// Deliveries of theirs have not ended.
  private var busy: Set<Int64> = []

  init(_ writer: SQLiteWriter, now: Timestamp) {
    self.writer = writer
    self.now = now
    chain = ChainTurn(writer.chain)
  }

  mutating func erase(_ events: [Int64], _ changes: [Int64]) throws {
    try chain.beginIfNew(writer, now: now)
    for sequence in events { try erase(event: sequence) }
    let blank = "UPDATE changes SET subject = NULL, content = x'', seal = NULL WHERE id = ?1"
    for id in changes { try writer.statement(blank).run([.integer(id)]) }
    if done.isEmpty, changes.isEmpty { return try chain.write(writer, now: now) }
    let content: JSONValue = [
      "events": .array(done.map { .number($0) }), "changes": .array(changes.map { .number($0) }),
    ]
    try chain.record(.erasure, subject: nil, content, writer, now: now)
    try chain.write(writer, now: now)
  }

  /// - Returns: what it had to leave as it is.
  func finish() -> Set<Int64> {
    writer.chain = chain.standing
    for sequence in done { writer.openEvents[sequence] = nil }
    return busy
  }

  private mutating func erase(event sequence: Int64) throws {
    let key = [SQLiteValue.integer(sequence)]
    let sql = "SELECT open, packed, plan, received, canonical, name FROM events WHERE seq = ?1"
    let found = try writer.statement(sql).first(key) { row in
      (open: row.int(0) == 1, packed: row.blob(1), plan: row.blob(2), received: row.time(3), kept: Self.kept(row))
    }
    guard let found else { return }
    let unfinished = "SELECT 1 FROM deliveries WHERE event = ?1 AND state < 2 LIMIT 1"
    if try found.open || writer.statement(unfinished).first(key, { _ in true }) == true {
      busy.insert(sequence)
      return
    }
    let plan = try PlanCoding.decode(found.plan, received: found.received).map(\.withoutPerson)
    let states = try PackedCoding.decode(found.packed).map(\.withoutPerson)
    let update = """
      UPDATE events SET call_id = NULL, phone = NULL, seal = NULL, packed = ?2, plan = ?3, canonical = ?4, body = ?5
      WHERE seq = ?1
      """
    try writer.statement(update).run([
      .integer(sequence), .blob(PackedCoding.encode(states, width: PackedCoding.width(states))),
      .blob(PlanCoding.encode(plan)), .blob(found.kept.encodedInTwo().bytes), .blob(Array("{}".utf8)),
    ])
    try eraseRows(of: key)
    try writer.statement("UPDATE promises SET key = '' WHERE event = ?1").run(key)
    done.append(sequence)
  }

  private func eraseRows(of event: [SQLiteValue]) throws {
    let select = "SELECT ordinal, attempts FROM deliveries WHERE event = ?1"
    let rows = try writer.statement(select).all(event) { ($0.int(0), try AttemptCoding.decode($0.blob(1))) }
    let update = try writer.statement(
      """
      UPDATE deliveries SET key = NULL, attempts = ?3, memo = NULL, edited = NULL, seal = NULL, uncertain = 0,
        sentence = CASE WHEN sentence IS NULL THEN NULL ELSE '\(Reason.erasedSentence)' END,
        superseded = CASE WHEN state = 3 THEN 1 ELSE superseded END
      WHERE event = ?1 AND ordinal = ?2
      """)
    for (ordinal, attempts) in rows {
      try update.run(event + [SQLiteValue(ordinal), .blob(AttemptCoding.encode(attempts.map(\.withoutPerson)))])
    }
  }

  /// What may stay: when, what, whose number of the business, which agent.
  private static func kept(_ row: SQLiteStatement) -> Event.Fields {
    let stored = Event.Fields(decoding: row.blob(4), name: row.text(5), callID: nil, customerPhone: nil)
    var fields = (stored ?? Event.Fields(name: row.text(5), at: row.time(3))).forRecord
    (fields.customerID, fields.callFailedReason) = (nil, nil)
    return fields
  }
}

extension Reason {
  static let erasedSentence = "erased"
  var withoutPerson: Reason { Reason(code, Self.erasedSentence) }
}

extension Attempt {
  /// Without what the target answered and what was said of it.
  var withoutPerson: Attempt {
    var attempt = self
    attempt.answer = ""
    attempt.reason = reason.withoutPerson
    return attempt
  }
}

extension PlanEntry {
  var withoutPerson: PlanEntry {
    var entry = self
    entry.plan.orderKey = nil
    return entry
  }
}

extension PackedState {
  var withoutPerson: PackedState {
    guard case .ended(let state, let reason, let attempt) = self else { return self }
    return .ended(state, reason: reason.withoutPerson, attempt: attempt?.withoutPerson)
  }
}
