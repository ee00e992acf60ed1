// What a store says of itself: its schema version, its tag, and whether it is the sandbox's.

import DivertCore
import GRDBSQLite

/// The stamp that a new store gets and an old one is held against.
struct StoreStamp {
  var sandbox: Bool
  var tag: UInt32

  /// Makes the tables where there are none; else checks version and mode.
  /// - Returns: the store's tag.
  func check(or connection: SQLiteConnection) throws -> UInt32 {
    let tables = try connection.prepare("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").first { $0.int(0) }
    if tables == 0 { try make(connection) }
    let rows = try connection.prepare("SELECT name, value FROM meta").all { ($0.text(0), $0.text(1)) }
    let meta = Dictionary(rows) { first, _ in first }
    guard let version = meta["schema"].flatMap({ Int($0) }), let tag = meta["tag"].flatMap({ UInt32($0) }),
      let mode = meta["mode"]
    else { throw StoreError(code: "corrupt", description: "the file has no stamp: it is not a store of Divert") }
    try check(version: version)
    try check(mode: mode)
    try upgrade(from: version, connection)
    return tag
  }

  private func check(version: Int) throws {
    if version <= Schema.version { return }
    throw StoreError(
      code: "newer_version",
      description: "it was written by a newer Divert (schema \(version), this one knows \(Schema.version)); "
        + "run that version, or restore a backup made before the upgrade")
  }

  private func upgrade(from version: Int, _ connection: SQLiteConnection) throws {
    if version == Schema.version { return }
    let steps = (version..<Schema.version).compactMap { Schema.upgrades[$0] }
    let stamp = "UPDATE meta SET value = '\(Schema.version)' WHERE name = 'schema'"
    try connection.transaction { try connection.run((steps + [stamp]).joined(separator: ";")) }
  }

  private func check(mode: String) throws {
    if mode == modeName { return }
    throw StoreError(
      code: "wrong_mode",
      description: mode == "sandbox"
        ? "it belongs to the sandbox and must not be used for real deliveries: say --sandbox, and name the folder above "
          + "it with --data; or give another --data folder"
        : "it holds real deliveries and must not be used by the sandbox: leave --sandbox out, or give another --data "
          + "folder")
  }

  private var modeName: String { sandbox ? "sandbox" : "live" }

  private func make(_ connection: SQLiteConnection) throws {
    try connection.transaction {
      try connection.run(Schema.statements)
      let insert = try connection.prepare("INSERT INTO meta(name, value) VALUES(?, ?)")
      for (name, value) in [("schema", "\(Schema.version)"), ("tag", "\(tag)"), ("mode", modeName)] {
        try insert.run([.text(name), .text(value)])
      }
      try connection.prepare("INSERT INTO totals(id, json) VALUES(1, ?)").run([.blob(Ledger().encoded())])
    }
  }
}

extension SQLiteConnection {
  /// Runs `body` in a transaction; throws with nothing written.
  fileprivate func transaction(_ body: () throws -> Void) throws {
    try run("BEGIN IMMEDIATE")
    do {
      try body()
      try run("COMMIT")
    } catch {
      try? run("ROLLBACK")
      throw error
    }
  }
}
