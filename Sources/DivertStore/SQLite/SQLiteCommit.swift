// One batch, one transaction (steps 4 and 12 of the line): what changes on disk at once, what changes in memory only
// after it.

package import DivertCore

extension SQLiteStore {
  package func commit(_ batch: StoreBatch, now: Timestamp) throws(StoreError) -> StoreReceipt {
    try writing("commit to the store") { writer in
      var commit = SQLiteCommit(writer, now: now)
      try writer.transaction { try commit.perform(batch) }
      return commit.finish()
    }
  }
}

/// A transaction under way. It changes the writer's memory only in `finish`, after the commit.
struct SQLiteCommit {
  let writer: SQLiteWriter
  let now: Timestamp
  var ledger: Ledger
  var receipt = StoreReceipt()
  /// Rows that are no longer claimed.
  var unclaimed: Set<DeliveryID> = []
  /// Lines that a row joined or left, with their free row as the database has it.
  var lines: [OrderLine: LineState] = [:]
  /// Keys that stand for an event of this transaction.
  var newKeys: [EventKey: KeyEntry] = [:]
  var keysMoved = 0
  var rowsForgotten: Int64?
  /// What the transaction adds to the record.
  var chain: ChainTurn
  /// Books and promises as they stand in this transaction.
  var memory: SQLiteMemory
  /// Events accepted and messages ended, for the digests.
  var reportable = 0
  private var events: [Int64: OpenEvent] = [:]
  private var closed: Set<Int64> = []
  private var emptied: Set<String> = []

  init(_ writer: SQLiteWriter, now: Timestamp) {
    self.writer = writer
    self.now = now
    ledger = writer.ledger
    chain = ChainTurn(writer.chain)
    memory = SQLiteMemory(writer)
  }

  var tag: UInt32 { writer.tag }

  fileprivate mutating func perform(_ batch: StoreBatch) throws {
    try chain.beginIfNew(writer, now: now)
    for append in batch.appends { try self.append(append) }
    for change in batch.suppressions { receipt.suppressions.append(try self.change(change)) }
    for question in batch.questions { receipt.answers.append(try question.judge(&memory)) }
    for update in batch.packed { try self.update(update) }
    for row in batch.rows { try put(row) }
    for replay in batch.replays { receipt.replays.append(try self.replay(replay)) }
    for id in batch.drops { try drop(id) }
    for addition in batch.additions { receipt.additions.append(try add(addition)) }
    for followUp in batch.followUps { try follow(followUp) }
    for cancel in batch.cancels { receipt.cancels.append(try self.cancel(cancel)) }
    for refusal in batch.refusals { count(refusal) }
    for (target, ruling) in batch.targetStates { try rule(target, ruling) }
    for (name, sentence) in batch.alarms { try ring(name, sentence) }
    for (holder, count) in batch.budgets { try keep(count, of: holder) }
    for line in lines.keys { try relink(line) }
    try keepKeys()
    if !batch.appends.isEmpty { try memory.sweep(now: now) }
    try chain.write(writer, now: now)
    ledger.totals.commits += 1
    try writer.statement("UPDATE totals SET json = ?1 WHERE id = 1").run([.blob(ledger.encoded())])
  }

  /// After the commit: takes over into the writer's memory what the transaction changed.
  fileprivate func finish() -> StoreReceipt {
    writer.ledger = ledger
    writer.chain = chain.standing
    writer.recentKeys.committed(new: newKeys, moved: keysMoved, forgotten: rowsForgotten)
    writer.shelf.take(memory.changed)
    writer.digestWatch?.note(reportable)
    for id in unclaimed { writer.claimed.remove(id) }
    if writer.openEvents.count + events.count > SQLiteWriter.openEventsKept { writer.openEvents = [:] }
    for (sequence, event) in events { writer.openEvents[sequence] = closed.contains(sequence) ? nil : event }
    for line in lines.keys { writer.lined.insert(line.target) }
    for target in emptied where (try? writer.hasLines(target)) == false { writer.lined.remove(target) }
    return receipt
  }

  /// A row in this queue that is free to be claimed from now on.
  mutating func isFree(_ queue: String, due: Timestamp) {
    receipt.due[queue] = min(receipt.due[queue] ?? due, due)
  }

  func isClaimed(_ id: DeliveryID) -> Bool {
    !unclaimed.contains(id) && writer.claimed.contains(id)
  }

  /// Remembers an event that was appended with open deliveries, or updated.
  mutating func remember(_ sequence: Int64, _ event: OpenEvent, open: Bool) {
    events[sequence] = event
    if open { closed.remove(sequence) } else { closed.insert(sequence) }
  }

  /// What is known of an event's packed deliveries, read where it is not remembered.
  func openEvent(_ id: EventID) throws -> OpenEvent {
    if let event = events[id.sequence] ?? writer.openEvents[id.sequence] { return event }
    let select = try writer.statement("SELECT packed, plan, received, seal FROM events WHERE seq = ?1")
    guard
      let (packed, plan, received, seal) = try select.first(
        [.integer(id.sequence)], { ($0.blob(0), $0.blob(1), $0.time(2), Seal(decoding: $0.blob(3))) })
    else {
      throw StoreError(code: "other", description: "event \(id) is not in the store")
    }
    let states = try PackedCoding.decode(packed)
    let planned = try PlanCoding.decode(plan, received: received).prefix(states.count).map(\.plan)
    return OpenEvent(planned: planned, ended: states.map(\.isEnded), width: packed.count, salt: seal?.salt)
  }

  mutating func note(emptied target: String) { emptied.insert(target) }

  private mutating func count(_ refusal: Refusal) {
    var source = ledger.totals.sources[refusal.source] ?? Totals.Source()
    source.received += 1
    if refusal.quarantined { source.quarantined += 1 } else { source.refused += 1 }
    ledger.totals.sources[refusal.source] = source
  }

  private func rule(_ target: String, _ ruling: TargetRuling?) throws {
    guard let ruling else {
      return try writer.statement("DELETE FROM target_states WHERE target = ?1").run([.text(target)])
    }
    let sql = "INSERT OR REPLACE INTO target_states(target, kind, code, sentence, since) VALUES(?1, ?2, ?3, ?4, ?5)"
    try writer.statement(sql).run([
      .text(target), .text(ruling.kind.rawValue), .text(ruling.reason.code), .text(ruling.reason.sentence),
      SQLiteValue(ruling.since),
    ])
  }

  private func ring(_ name: String, _ sentence: String?) throws {
    guard let sentence else { return try writer.statement("DELETE FROM alarms WHERE name = ?1").run([.text(name)]) }
    try writer.statement("INSERT OR REPLACE INTO alarms(name, sentence) VALUES(?1, ?2)").run([
      .text(name), .text(sentence),
    ])
  }
}

extension PackedState {
  var isEnded: Bool { if case .ended = self { true } else { false } }
}

extension SQLiteWriter {
  /// Whether a target has an unfinished row with an order key.
  func hasLines(_ target: String) throws -> Bool {
    let sql = "SELECT 1 FROM deliveries WHERE target = ?1 AND key IS NOT NULL AND state < 2 LIMIT 1"
    return try statement(sql).first([.text(target)]) { _ in true } ?? false
  }
}
