// Digests: what reports are read from, made in bounded steps. Reading is done on a reader; a digest is written in a transaction of
// its own.

package import DivertCore
import Synchronization

enum Digesting {
  /// Events, or ends of messages, in one digest.
  static let blockSize = 4096
}

extension SQLiteStore {
  package func startDigests() throws(StoreError) {
    let watch = DigestWatch { [weak self] in
      // What fails now is tried again with the next block; until then a report reads the events themselves.
      while let self, !self.digestTurn.hasEnded, (try? self.digest()) == true {}
    }
    let isNew = digestTurn.state.withLock { state in
      if state.watch != nil || state.hasEnded { return false }
      state.watch = watch
      return true
    }
    if !isNew { return }
    try writing("watch what is to be digested") { $0.digestWatch = watch }
    watch.start()
  }

  package func digest() throws(StoreError) -> Bool { try digest(size: Digesting.blockSize) }

  /// Digests of other sizes: as large as `size` or larger.
  package func digest(size: Int) throws(StoreError) -> Bool {
    let result = digestTurn.making.withLock { _ in
      Result { () throws(StoreError) in
        let calls = try digestCalls(size)
        let messages = try digestMessages(size)
        return calls || messages
      }
    }
    return try result.get()
  }

  private func digestCalls(_ size: Int) throws(StoreError) -> Bool {
    let erasures = digestTurn.erasures
    let found = try reading("digest calls") { try $0.undigestedCalls(after: try $0.lastDigested()) }
    guard let found, found.count >= size else { return false }
    return try writing("keep a digest") { writer in
      if digestTurn.erasures != erasures { return true }
      let sql = "INSERT INTO call_digests(first, last, min_at, max_at, rows) VALUES(?1, ?2, ?3, ?4, ?5)"
      let values: [SQLiteValue] = [.integer(found.first), .integer(found.last)]
      try writer.statement(sql).run(values + found.block.digestValues(found.last))
      return true
    }
  }

  private func digestMessages(_ size: Int) throws(StoreError) -> Bool {
    let erasures = digestTurn.erasures
    let found = try reading("digest messages") { try $0.undigestedMessages(after: 0) }
    guard let found, found.count >= size else { return false }
    return try writing("keep a digest") { writer in
      if digestTurn.erasures != erasures { return true }
      try writer.transaction {
        try writer.statement("INSERT INTO message_digests(min_at, max_at, rows) VALUES(?1, ?2, ?3)")
          .run(found.block.digestValues(EventID.firstSequence(at: found.lastAt)))
        try writer.statement("DELETE FROM message_ends WHERE id <= ?1").run([.integer(found.last)])
      }
      return true
    }
  }

  // MARK: Erasing

  package func forgetInReports(phones: Set<String>) throws(StoreError) -> Int {
    digestTurn.state.withLock { $0.erasures += 1 }
    var changed = 0
    for table in ["call_digests", "message_digests"] {
      var last = Int64.min
      while let (first, block) = try next(table, after: last) {
        last = first
        var block = block
        if !block.forget(phones) { continue }
        let bytes = block.encoded()
        try writing("take a phone out of a digest") { writer in
          let sql = "UPDATE \(table) SET rows = ?2 WHERE first = ?1"
          try writer.statement(sql).run([.integer(first), .blob(bytes)])
        }
        changed += 1
      }
    }
    return changed
  }

  private func next(_ table: String, after: Int64) throws(StoreError) -> (Int64, ReportBlock)? {
    try reading("read a digest") { reader in
      let select = try reader.connection.prepare(
        "SELECT rows, first FROM \(table) WHERE first > ?1 ORDER BY first LIMIT 1")
      return try select.first([.integer(after)]) { ($0.integer(1), try ReportBlock(digest: $0)) }
    }
  }

  package func sweepReports(before: Timestamp, limit: Int) throws(StoreError) -> Int {
    try writing("drop digests") { writer in
      var dropped = 0
      for table in ["call_digests", "message_digests"] where dropped < limit {
        let sql = """
          DELETE FROM \(table) WHERE first IN (SELECT first FROM \(table) WHERE max_at < ?1 ORDER BY max_at LIMIT ?2)
          """
        try writer.statement(sql).run([SQLiteValue(before), SQLiteValue(limit - dropped)])
        dropped += writer.connection.changes
      }
      return dropped
    }
  }
}

extension ReportBlock {
  /// `min_at`, `max_at` and `rows` of its digest; an empty one is as old as `sequence`, and spans nothing.
  fileprivate func digestValues(_ sequence: Int64) -> [SQLiteValue] {
    let ends = span.map { [$0.lowerBound.milliseconds, $0.upperBound.milliseconds] } ?? [.max, sequence >> 20]
    return ends.map { .integer($0) } + [.blob(encoded())]
  }

  /// From a row whose first column is `rows`.
  init(digest row: SQLiteStatement) throws {
    guard let block = ReportBlock(decoding: row.blob(0)) else { throw StoredJSON.fault("rows") }
    self = block
  }
}

extension SQLiteCommit {
  /// A message to a person came to its end.
  mutating func note(ended delivery: Delivery) throws {
    reportable += 1
    try writer.statement("INSERT INTO message_ends(at, event, ordinal) VALUES(?1, ?2, ?3)").run(
      [SQLiteValue(now)] + RowKey(delivery.id).values)
  }
}
