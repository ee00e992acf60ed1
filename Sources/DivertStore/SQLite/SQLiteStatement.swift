// The thin layer over SQLite's C API: prepared statements that are bound, stepped and read without boxing a value.

import DivertCore
import GRDBSQLite

/// What SQLite answered instead of doing it. Holds no value that was bound.
struct SQLiteFault: Error {
  /// The primary result code.
  var code: Int32
  var message: String
}

/// An open connection, borrowed from GRDB for the length of one access.
struct SQLiteConnection {
  let handle: OpaquePointer

  /// Runs statements without values.
  func run(_ sql: String) throws {
    guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw fault() }
  }

  /// A statement for this access alone; the writer's are kept (`SQLiteWriter.statement`).
  func prepare(_ sql: String) throws -> SQLiteStatement { try SQLiteStatement(sql, on: self) }

  func fault() -> SQLiteFault {
    SQLiteFault(code: sqlite3_errcode(handle) & 0xff, message: String(cString: sqlite3_errmsg(handle)))
  }

  /// Rows changed by the last statement.
  var changes: Int { Int(sqlite3_changes(handle)) }
}

/// A value that can be bound.
enum SQLiteValue {
  case null
  case integer(Int64)
  case text(String)
  case blob([UInt8])

  init(_ n: Int) { self = .integer(Int64(n)) }
  init(_ t: Timestamp) { self = .integer(t.milliseconds) }
  init(optional text: String?) { self = text.map { .text($0) } ?? .null }
  init(optional n: Int?) { self = n.map { .integer(Int64($0)) } ?? .null }
  init(optional t: Timestamp?) { self = t.map { .integer($0.milliseconds) } ?? .null }
}

/// One prepared statement: owned by one connection, used by one thread at a time, finalised with this object.
final class SQLiteStatement {
  private let handle: OpaquePointer
  private let connection: SQLiteConnection

  /// SQLITE_TRANSIENT (a cast that the importer leaves out): SQLite copies what is bound.
  private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  init(_ sql: String, on connection: SQLiteConnection) throws {
    var handle: OpaquePointer?
    guard sqlite3_prepare_v2(connection.handle, sql, -1, &handle, nil) == SQLITE_OK, let handle else {
      throw connection.fault()
    }
    self.handle = handle
    self.connection = connection
  }

  deinit { sqlite3_finalize(handle) }

  /// Binds the value at `place`, counted from 1.
  func bind(_ place: Int32, _ value: SQLiteValue) {
    switch value {
    case .null: sqlite3_bind_null(handle, place)
    case .integer(let n): sqlite3_bind_int64(handle, place, n)
    case .text(let text): bind(place, text: text)
    case .blob(let bytes): bind(place, blob: bytes)
    }
  }

  func bind(_ place: Int32, text: String) {
    var text = text
    text.withUTF8 { buffer in
      buffer.withMemoryRebound(to: CChar.self) { characters in
        _ = sqlite3_bind_text(handle, place, characters.baseAddress, Int32(characters.count), Self.transient)
      }
    }
  }

  func bind(_ place: Int32, blob: [UInt8]) {
    if blob.isEmpty {
      sqlite3_bind_zeroblob(handle, place, 0)
    } else {
      _ = blob.withUnsafeBytes { sqlite3_bind_blob(handle, place, $0.baseAddress, Int32($0.count), Self.transient) }
    }
  }

  /// Binds all values from the first place on.
  @discardableResult
  func bind(_ values: [SQLiteValue]) -> SQLiteStatement {
    for (place, value) in values.enumerated() { bind(Int32(place + 1), value) }
    return self
  }

  /// Goes to the next row; false after the last.
  func step() throws -> Bool {
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default:
      let fault = connection.fault()
      sqlite3_reset(handle)
      throw fault
    }
  }

  /// Makes ready for other values.
  func reset() { sqlite3_reset(handle) }

  /// Binds, runs to the end and resets.
  func run(_ values: [SQLiteValue] = []) throws {
    bind(values)
    defer { reset() }
    while try step() {}
  }

  /// The first row, read by `read`; nil when there is none.
  func first<T>(_ values: [SQLiteValue] = [], _ read: (SQLiteStatement) throws -> T) throws -> T? {
    bind(values)
    defer { reset() }
    return try step() ? try read(self) : nil
  }

  /// Every row, read by `read`.
  func all<T>(_ values: [SQLiteValue] = [], _ read: (SQLiteStatement) throws -> T) throws -> [T] {
    bind(values)
    defer { reset() }
    var rows: [T] = []
    while try step() { rows.append(try read(self)) }
    return rows
  }
}

// Columns of the row under the statement, counted from 0.
extension SQLiteStatement {
  func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
  func isInteger(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_INTEGER }
  func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
  func int(_ column: Int32) -> Int { Int(integer(column)) }
  func time(_ column: Int32) -> Timestamp { Timestamp(milliseconds: integer(column)) }

  func text(_ column: Int32) -> String {
    guard let bytes = sqlite3_column_text(handle, column) else { return "" }
    let count = Int(sqlite3_column_bytes(handle, column))
    return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
  }

  func blob(_ column: Int32) -> [UInt8] {
    guard let bytes = sqlite3_column_blob(handle, column) else { return [] }
    return Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column))))
  }

  func optionalInt(_ column: Int32) -> Int? { isNull(column) ? nil : int(column) }
  func optionalTime(_ column: Int32) -> Timestamp? { isNull(column) ? nil : time(column) }
  func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
}
