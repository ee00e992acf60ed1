// By what duplicates are known while they are recent. A random key in a B-tree costs a page to write, so new keys go to a
// log (a row a transaction) and to memory, and from there to the table `dedupe` many at once, in order.

import DivertCore

/// A deduplication key as a number. 16 bytes; shorter ones are filled up with zeros.
struct EventKey: Hashable, Comparable {
  private var high: UInt64 = 0
  private var low: UInt64 = 0

  init(_ bytes: some Collection<UInt8>) {
    for (place, byte) in bytes.prefix(16).enumerated() {
      let shift = UInt64(8 * (7 - place & 7))
      if place < 8 { high |= UInt64(byte) << shift } else { low |= UInt64(byte) << shift }
    }
  }

  var bytes: [UInt8] { Self.bytes(high) + Self.bytes(low) }

  static func < (a: EventKey, b: EventKey) -> Bool { a.high == b.high ? a.low < b.low : a.high < b.high }

  fileprivate static func bytes(_ word: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
  }

  fileprivate static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}

/// What a key stands for.
struct KeyEntry {
  var sequence: Int64
  /// An event received then or later is not a duplicate; nil: every one is.
  var until: Timestamp?
}

/// The keys that are in the log and not yet moved, and how far the move has come. Changed only after a commit.
struct RecentKeys {
  /// So many keys in memory, and a move of all of them begins.
  private let runSize: Int
  /// Log rows forgotten in one transaction at most.
  static let forgetLimit = 64

  private(set) var entries: [EventKey: KeyEntry] = [:]
  /// The id of the log's last row.
  private(set) var lastRow: Int64 = 0
  private var firstRow: Int64 = 1
  /// The keys under way, in order, and the first that is not moved.
  private var run: [EventKey] = []
  private var moved = 0
  private var runEndsAt: Int64 = 0
  /// Rows up to this one hold nothing that is not in the table or in a later row.
  private var settledRow: Int64 = 0

  init(runSize: Int) { self.runSize = runSize }

  /// Reads the log's rows, in order of their ids.
  mutating func load(row: Int64, _ log: [UInt8]) {
    if entries.isEmpty && lastRow == 0 { firstRow = row }
    lastRow = row
    for (key, entry) in KeyLog.decode(log) { entries[key] = entry }
  }

  /// The keys to move in this transaction: a few more than it adds, so that a move ends before the next one is due.
  func due(adding count: Int) -> ArraySlice<EventKey> {
    run[moved..<min(run.count, moved + max(64, 2 * count))]
  }

  /// Up to where the log can be forgotten now, some rows at a time; nil: nowhere.
  var forgettable: Int64? { firstRow > settledRow ? nil : min(settledRow, firstRow + Int64(Self.forgetLimit) - 1) }

  /// Takes over what a transaction did: the log's row of new keys, the keys it moved, the rows it forgot.
  mutating func committed(new: [EventKey: KeyEntry], moved count: Int, forgotten: Int64?) {
    for key in run[moved..<moved + count] where new[key] == nil { entries[key] = nil }
    moved += count
    if !new.isEmpty {
      lastRow += 1
      entries.merge(new) { $1 }
    }
    if let forgotten { firstRow = forgotten + 1 }
    if moved < run.count { return }
    settledRow = runEndsAt
    (run, moved) = ([], 0)
    if entries.count < runSize { return }
    run = entries.keys.sorted()
    runEndsAt = lastRow
  }
}

/// A row of the log: 32 bytes a key (its own 16, the sequence, until when in milliseconds; 0: for ever).
enum KeyLog {
  static func encode(_ keys: [EventKey: KeyEntry]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32 * keys.count)
    for (key, entry) in keys {
      bytes += key.bytes
      bytes += EventKey.bytes(UInt64(bitPattern: entry.sequence))
      bytes += EventKey.bytes(UInt64(bitPattern: entry.until?.milliseconds ?? 0))
    }
    return bytes
  }

  static func decode(_ bytes: [UInt8]) -> [(EventKey, KeyEntry)] {
    stride(from: 0, to: bytes.count - 31, by: 32).map { start in
      let until = Int64(bitPattern: EventKey.word(bytes[start + 24..<start + 32]))
      let entry = KeyEntry(
        sequence: Int64(bitPattern: EventKey.word(bytes[start + 16..<start + 24])),
        until: until == 0 ? nil : Timestamp(milliseconds: until))
      return (EventKey(bytes[start..<start + 16]), entry)
    }
  }
}
