// Whatever is done at random to the tables that the record covers shows, with the name of the row that it was done to.

import DivertCore
@testable import DivertStore
import GRDBSQLite
import Testing

@Suite("Tampering at random")
struct RecordTamperingTests {
  @Test("never goes unseen", arguments: [UInt64.random(in: 0...UInt64.max), 1, 2, 3, 4])
  func never(seed: UInt64) throws {
    let recorded = try RecordedStore()
    let original = try DurableFile.read(recorded.path)
    var random = SeededGenerator(state: seed)
    for _ in 0..<60 {
      let tampering = try Tampering.random(recorded, using: &random)
      recorded.tamper(tampering.sql)
      let verdict = try recorded.verify([recorded.head])
      #expect(!verdict.holds, "seed \(seed): \(tampering.sql)")
      let names = verdict.problems.map { "\($0.kind) \($0.id)" }
      #expect(
        names.contains { name in tampering.names.contains { name.contains($0) } },
        "seed \(seed): \(tampering.sql) is told as \(names), not as any of \(tampering.names)")
      try DurableFile.write(original, to: recorded.path)
    }
  }
}

/// Something done to one row.
private struct Tampering {
  var sql: String
  /// One of these must be named.
  var names: [String]

  /// A column of a table of the record, and its row's condition.
  private struct Place {
    var table: String
    var columns: [String]
    /// The numbers that name a row, as SQL.
    var key: [String]
    var rows: String
  }

  /// Columns that are no history are left out: `open`, `blocked`, `superseded` and the like tell the engine what to do next.
  private static let places = [
    Place(
      table: "events",
      columns: [
        "seq", "source", "received", "name", "bucket", "call_id", "phone", "version", "packed", "plan", "canonical",
        "body", "seal",
      ], key: ["seq"], rows: "1"),
    Place(
      table: "deliveries",
      columns: [
        "target", "due0", "due", "state", "route", "send", "action", "person", "version", "code", "sentence",
        "attempts", "counted", "first", "stood", "memo", "queue", "expires", "seal", "replay_of", "edited",
      ], key: ["event", "ordinal"], rows: "state > 1"),
    Place(table: "changes", columns: ["at", "kind", "subject", "content", "seal"], key: ["id"], rows: "1"),
    Place(table: "chain", columns: ["n", "at", "leaves", "head"], key: ["n"], rows: "1"),
    Place(table: "configs", columns: ["version", "text"], key: ["rowid"], rows: "1"),
    Place(table: "suppressions", columns: ["phone", "reason", "answers", "since", "until"], key: [], rows: "1"),
  ]

  static func random(_ recorded: RecordedStore, using random: inout SeededGenerator) throws -> Tampering {
    let place = places[Int.random(in: 0..<places.count, using: &random)]
    var condition = place.rows
    var key: [Int64] = []
    if !place.key.isEmpty {
      let order = "ORDER BY \(place.key.joined(separator: ", "))"
      let count = try recorded.numbers("SELECT count(*) FROM \(place.table) WHERE \(place.rows)")[0]
      let chosen = Int64.random(in: 0..<count, using: &random)
      key = try place.key.map {
        try recorded.numbers("SELECT \($0) FROM \(place.table) WHERE \(place.rows) \(order) LIMIT 1 OFFSET \(chosen)")[
          0]
      }
      condition = zip(place.key, key).map { "\($0) = \($1)" }.joined(separator: " AND ")
    }
    let names = try names(place.table, key, recorded)
    if Int.random(in: 0..<6, using: &random) == 0 {
      return Tampering(sql: "DELETE FROM \(place.table) WHERE \(condition)", names: names)
    }
    let column = place.columns[Int.random(in: 0..<place.columns.count, using: &random)]
    let value = try change(column, place.table, condition, recorded, using: &random)
    return Tampering(sql: "UPDATE \(place.table) SET \(column) = \(value) WHERE \(condition)", names: names)
  }

  private static func names(_ table: String, _ key: [Int64], _ recorded: RecordedStore) throws -> [String] {
    let tag = recorded.events[0].tag
    switch table {
    case "events": return [String(EventID(sequence: key[0], tag: tag).description.dropFirst(4))]
    case "deliveries":
      return ["\(DeliveryID(event: EventID(sequence: key[0], tag: tag), ordinal: Int(key[1])))"]
    case "changes": return [" \(key[0])", "start 1", "configuration ", "suppression "]
    case "chain": return ["chain "]
    case "configs": return ["configuration "]
    default: return ["suppression "]
    }
  }

  /// Another value for a column, as SQL: never the one that it has.
  private static func change(
    _ column: String, _ table: String, _ condition: String, _ recorded: RecordedStore,
    using random: inout SeededGenerator
  ) throws -> String {
    let kind = try recorded.texts("SELECT typeof(\(column)) FROM \(table) WHERE \(condition) LIMIT 1")[0]
    switch kind {
    case "null":
      return column == "first" || column == "expires" || column == "replay_of" || column == "until" ? "5" : "x'61'"
    case "integer":
      let step = Int64.random(in: 1...1000, using: &random)
      return "\(column) + \(step)"
    default:
      let bytes = try recorded.bytes("SELECT \(column) FROM \(table) WHERE \(condition) LIMIT 1")
      let changed = HexBytes.text(Self.changed(bytes, using: &random))
      return kind == "text" ? "CAST(x'\(changed)' AS TEXT)" : "x'\(changed)'"
    }
  }

  /// One byte more, less, or another one; in a text a letter stays a letter.
  private static func changed(_ bytes: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    if bytes.isEmpty { return [0x61] }
    let place = Int.random(in: 0..<bytes.count, using: &random)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: bytes.insert(bytes[place] ^ 1, at: place)
    // Blanks at the end only keep a column's width.
    case 1 where bytes[place] != 0x20: bytes.remove(at: place)
    default: bytes[place] ^= UInt8(1 << Int.random(in: 0..<5, using: &random))
    }
    return bytes
  }
}

extension RecordedStore {
  func texts(_ sql: String) throws -> [String] { try read(sql) { $0.text(0) } }

  func bytes(_ sql: String) throws -> [UInt8] {
    let found = try read(sql) { $0.blob(0) }
    return try #require(found.first)
  }

  private func read<T>(_ sql: String, _ body: (SQLiteStatement) throws -> T) throws -> [T] {
    var handle: OpaquePointer?
    defer { sqlite3_close(handle) }
    let code = sqlite3_open(path, &handle)
    try #require(code == SQLITE_OK)
    let open = try #require(handle)
    return try SQLiteConnection(handle: open).prepare(sql).all([], body)
  }
}
