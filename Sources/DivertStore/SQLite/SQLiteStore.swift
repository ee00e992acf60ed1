// The SQLite store (steps 4, 5 and 12 of the line): one file, one writing connection owned by the database thread, a
// few readers.

package import DivertCore
import GRDB
import GRDBSQLite

/// A `Store` in one SQLite file: WAL, `synchronous=FULL`. Whoever opens it holds the folder's `DataLock`.
///
/// `writer` belongs to the database thread, as `Store` says; `pool` may be used from any thread. Hence `@unchecked`.
package final class SQLiteStore: Store, @unchecked Sendable {
  package let tag: UInt32
  let pool: DatabasePool
  let digestTurn = DigestTurn()
  private var writer: SQLiteWriter?

  /// The database's name in a data folder.
  package static let fileName = "divert.sqlite"

  /// Opens `folder/divert.sqlite`, or makes it; the folder is there.
  /// - Parameter sandbox: which mode the store is stamped with; one of the other mode is refused (`wrong_mode`).
  /// - Parameter tag: 30 random bits, used when the store is made.
  /// - Parameter recentKeys: so many deduplication keys gather in memory before they move to their table.
  /// - Throws: `newer_version`, `wrong_mode`, `corrupt`, `io`, …, with the remedy.
  package static func open(
    folder: String, sandbox: Bool, tag: UInt32 = UInt32.random(in: 1..<(1 << 30)), recentKeys: Int = 16_384
  ) throws(StoreError) -> SQLiteStore {
    try open(file: folder + "/" + fileName, sandbox: sandbox, tag: tag, recentKeys: recentKeys)
  }

  /// The same for a file of any name: a backup, say.
  package static func open(
    file: String, sandbox: Bool, tag: UInt32 = UInt32.random(in: 1..<(1 << 30)), recentKeys: Int = 16_384
  ) throws(StoreError) -> SQLiteStore {
    try StoreError.mapping("open the store \(file)") {
      let pool = try DatabasePool(path: file, configuration: configuration())
      do {
        return try SQLiteStore(pool: pool, stamp: StoreStamp(sandbox: sandbox, tag: tag), recentKeys: recentKeys)
      } catch {
        try? pool.close()
        throw error
      }
    }
  }

  private init(pool: DatabasePool, stamp: StoreStamp, recentKeys: Int) throws {
    self.pool = pool
    let (tag, writer) = try pool.writeWithoutTransaction { db in
      let connection = try db.borrowed()
      // After GRDB, which sets NORMAL for a pool: a commit is on disk when it returns.
      try connection.run(
        "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 4000")
      // What is deleted is overwritten.
      try connection.run("PRAGMA secure_delete = ON")
      let tag = try stamp.check(or: connection)
      return (tag, try SQLiteWriter(connection, tag: tag, recentKeys: recentKeys))
    }
    self.tag = tag
    self.writer = writer
  }

  private static func configuration() -> Configuration {
    var configuration = Configuration()
    configuration.label = "store"
    configuration.maximumReaderCount = 2
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { db in
      let connection = try db.borrowed()
      try connection.run("PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY")
    }
    return configuration
  }

  /// An access of the database thread.
  func writing<T>(_ doing: String, _ body: (SQLiteWriter) throws -> T) throws(StoreError) -> T {
    guard let writer else { throw StoreError(code: "other", description: "cannot \(doing): the store is closed") }
    return try StoreError.mapping(doing) { try pool.writeWithoutTransaction { _ in try body(writer) } }
  }

  /// A read from any thread, of the last committed state, all of it as of one moment.
  func reading<T>(_ doing: String, _ body: (SQLiteReader) throws -> T) throws(StoreError) -> T {
    try StoreError.mapping(doing) {
      try pool.read { db in try body(SQLiteReader(try db.borrowed(), tag: tag)) }
    }
  }

  package func close() throws(StoreError) {
    digestTurn.end()
    try StoreError.mapping("close the store") {
      // Its statements are finalised before the connection closes.
      try pool.writeWithoutTransaction { db in
        writer = nil
        try db.borrowed().run("PRAGMA wal_checkpoint(TRUNCATE)")
      }
      try pool.close()
    }
  }
}

extension Database {
  /// The connection itself, for the length of an access.
  func borrowed() throws -> SQLiteConnection {
    guard let handle = sqliteConnection else { throw SQLiteFault(code: SQLITE_MISUSE, message: "connection is closed") }
    return SQLiteConnection(handle: handle)
  }
}

extension StoreError {
  /// Runs `body`; what it throws becomes a `StoreError` that says what was being done.
  static func mapping<T>(_ doing: String, _ body: () throws -> T) throws(StoreError) -> T {
    do {
      return try body()
    } catch let error as StoreError {
      throw StoreError(code: error.code, description: "cannot \(doing): \(error.description)")
    } catch let fault as SQLiteFault {
      throw StoreError(sqlite: fault.code, message: fault.message, doing: doing)
    } catch let error as DatabaseError {
      throw StoreError(sqlite: error.resultCode.rawValue, message: error.message ?? "", doing: doing)
    } catch {
      throw StoreError(code: "other", description: "cannot \(doing): \(type(of: error))")
    }
  }

  private init(sqlite code: Int32, message: String, doing: String) {
    let (name, remedy) = Self.name(ofSQLite: code)
    self.init(code: name, description: "cannot \(doing): \(message) (SQLite code \(code))\(remedy)")
  }

  private static func name(ofSQLite code: Int32) -> (String, String) {
    switch code {
    case SQLITE_FULL: ("disk_full", "; free some space on the data folder's disk")
    case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH:
      ("read_only", "; the data folder and its files must be writable by this user")
    case SQLITE_CORRUPT, SQLITE_NOTADB: ("corrupt", "; put the file aside and restore a backup")
    case SQLITE_BUSY, SQLITE_LOCKED: ("busy", "; another program holds the file")
    case SQLITE_IOERR, SQLITE_CANTOPEN: ("io", "; look at the data folder's disk and permissions")
    default: ("other", "")
    }
  }
}
