// Duplicates within a transaction (step 4): what a key stands for, and the slow move of keys from the log to the table.

import DivertCore

extension SQLiteCommit {
  /// Swept in one transaction at most.
  private static let sweepLimit: Int64 = 300

  /// The event that a key stands for already; else the key now stands for `sequence`.
  mutating func knownEvent(_ entry: DedupeEntry, _ sequence: Int64, _ receivedAt: Timestamp) throws -> Int64? {
    let key = EventKey(entry.key)
    if let known = try known(key), known.until.map({ receivedAt < $0 }) ?? true { return known.sequence }
    newKeys[key] = KeyEntry(sequence: sequence, until: entry.until)
    return nil
  }

  private func known(_ key: EventKey) throws -> KeyEntry? {
    if let entry = newKeys[key] ?? writer.recentKeys.entries[key] { return entry }
    let select = writer.selectKey
    select.bind(1, blob: key.bytes)
    defer { select.reset() }
    return try select.step() ? KeyEntry(sequence: select.integer(0), until: select.optionalTime(1)) : nil
  }

  /// Writes the new keys to the log, moves older ones to the table, and forgets what is over.
  mutating func keepKeys() throws {
    if newKeys.isEmpty { return }
    try writer.statement("INSERT INTO recent_keys(id, keys) VALUES(?1, ?2)").run([
      .integer(writer.recentKeys.lastRow + 1), .blob(KeyLog.encode(newKeys)),
    ])
    for key in writer.recentKeys.due(adding: newKeys.count) {
      try move(key)
      keysMoved += 1
    }
    if let row = writer.recentKeys.forgettable {
      try writer.statement("DELETE FROM recent_keys WHERE id <= ?1").run([.integer(row)])
      rowsForgotten = row
    }
    try sweepKeys()
  }

  /// One key to the table, unless its time is over or it stands for a newer event by now.
  private func move(_ key: EventKey) throws {
    guard newKeys[key] == nil, let entry = writer.recentKeys.entries[key] else { return }
    if let until = entry.until, until < now - .minutes(1) { return }
    let insert = writer.insertKey
    insert.bind(1, blob: key.bytes)
    insert.bind(2, .integer(entry.sequence))
    insert.bind(3, SQLiteValue(optional: entry.until))
    defer { insert.reset() }
    _ = try insert.step()
  }

  /// Forgets keys of the table whose time is over, a bounded number of them. A minute late, for clocks that disagree.
  private func sweepKeys() throws {
    let sql = """
      DELETE FROM dedupe WHERE key IN
      (SELECT key FROM dedupe WHERE until IS NOT NULL AND until < ?1 ORDER BY until LIMIT ?2)
      """
    try writer.statement(sql).run([SQLiteValue(now - .minutes(1)), .integer(Self.sweepLimit)])
  }
}
