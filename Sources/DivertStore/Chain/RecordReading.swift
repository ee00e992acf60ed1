// Verifying a store: the running one, or a file that nobody needs to hold open.

package import DivertCore
import GRDB
import GRDBSQLite

extension SQLiteStore {
  /// Walks the whole chain, within one read of the store as it stands now, on a connection of its own: it may take minutes, and the
  /// readers are for those who wait for an answer. `heads`: as they are known outside.
  package func verifyRecord(heads: [RecordHead]) throws(StoreError) -> RecordVerdict {
    try RecordFile.verify(path: pool.path, heads: heads)
  }
}

/// A store's file on its own: a stopped router's, a running one's beside it, or a backup. It is never written.
package enum RecordFile {
  /// - Throws: `io` for a file that cannot be read, `older_version` for one that has no record yet.
  package static func verify(path: String, heads: [RecordHead]) throws(StoreError) -> RecordVerdict {
    try StoreError.mapping("verify the record in \(path)") {
      let connection = try open(path)
      defer { sqlite3_close(connection.handle) }
      try connection.run("BEGIN")
      let tag = try tag(connection)
      var check = try RecordCheck(connection, tag: tag, heads: heads)
      return try check.run()
    }
  }

  private static func tag(_ connection: SQLiteConnection) throws -> UInt32 {
    let rows = try connection.prepare("SELECT name, value FROM meta").all { ($0.text(0), $0.text(1)) }
    let meta = Dictionary(rows) { first, _ in first }
    guard let tag = meta["tag"].flatMap({ UInt32($0) }), let version = meta["schema"].flatMap({ Int($0) }) else {
      throw StoreError(code: "corrupt", description: "the file has no stamp: it is not a store of Divert")
    }
    if version < 4 {
      throw StoreError(
        code: "older_version",
        description:
          "it was last opened by a Divert that kept no record that can be verified; the next start begins one")
    }
    return tag
  }

  /// For reading alone. A folder that cannot be written, with a store that nobody has open, is read as it lies.
  private static func open(_ path: String) throws -> SQLiteConnection {
    var attempts = ["file:\(escaped(path))?mode=ro"]
    if !DurableFile.isFile(path + "-wal") { attempts.append("file:\(escaped(path))?immutable=1") }
    var fault: SQLiteFault?
    for name in attempts {
      var handle: OpaquePointer?
      let code = sqlite3_open_v2(name, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nil)
      if let handle, code == SQLITE_OK {
        let connection = SQLiteConnection(handle: handle)
        do {
          try connection.run("PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY; SELECT 1 FROM sqlite_master")
          return connection
        } catch let found as SQLiteFault { fault = found }
      }
      sqlite3_close(handle)
    }
    throw fault ?? SQLiteFault(code: SQLITE_CANTOPEN, message: "the file cannot be opened")
  }

  /// A path within a `file:` name.
  private static func escaped(_ path: String) -> String {
    var text = ""
    for byte in path.utf8 {
      if byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") || byte == UInt8(ascii: "%") || byte < 0x21
        || byte > 0x7e
      {
        text += "%" + HexBytes.text([byte])
      } else {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      }
    }
    return text
  }
}
