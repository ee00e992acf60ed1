// Reading from any thread: a connection within a read transaction, and the records that are made of its rows.

import DivertCore

/// A reading connection for the length of one access.
struct SQLiteReader {
  let connection: SQLiteConnection
  let tag: UInt32

  init(_ connection: SQLiteConnection, tag: UInt32) {
    self.connection = connection
    self.tag = tag
  }

  func ledger() throws -> Ledger {
    let json = try connection.prepare("SELECT json FROM totals WHERE id = 1").first { $0.blob(0) }
    return try Ledger(decoding: json ?? [])
  }

  /// The events with these sequences, in their order, with everything that became of them.
  func records(_ sequences: [Int64]) throws -> [EventRecord] {
    let select = try connection.prepare("SELECT \(EventRow.columns) FROM events WHERE seq = ?1")
    let rows = try connection.prepare(
      "SELECT \(DeliveryRow.columns) FROM deliveries WHERE event = ?1 ORDER BY ordinal")
    return try sequences.compactMap { sequence in
      let stored = try select.first([.integer(sequence)]) { try EventRow.read($0, tag: tag) }
      guard let stored else { return nil }
      let own = try rows.all([.integer(sequence)]) { try DeliveryRow.read($0, tag: tag) }
      return record(stored, own)
    }
  }

  private func record(_ stored: StoredEvent, _ rows: [Delivery]) -> EventRecord {
    var deliveries = rows
    for ordinal in stored.packed.indices where !rows.contains(where: { $0.id.ordinal == ordinal }) {
      if let packed = stored.packedDelivery(ordinal) { deliveries.append(packed) }
    }
    deliveries.sort { $0.id.ordinal < $1.id.ordinal }
    return EventRecord(event: stored.event, version: stored.version, deliveries: deliveries)
  }

  func sequences(_ sql: String, _ values: [SQLiteValue]) throws -> [Int64] {
    try connection.prepare(sql).all(values) { $0.integer(0) }
  }

  /// The buckets that have events, newest first.
  func buckets() throws -> ReversedCollection<Range<Int>> {
    let ends = try ["ASC", "DESC"].map { order in
      try connection.prepare("SELECT bucket FROM events ORDER BY seq \(order) LIMIT 1").first { $0.int(0) }
    }
    guard let first = ends[0], let last = ends[1], first <= last else { return (0..<0).reversed() }
    return (first..<last + 1).reversed()
  }
}
