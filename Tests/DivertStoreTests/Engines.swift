// The engines that every conformance test runs on.

import DivertCore
import DivertStore
import Testing

/// A kind of store, and how a test gets a fresh one.
struct Engine: Sendable, CustomTestStringConvertible {
  let name: String
  /// Opens the store that lives in the folder, making it the first time.
  let open: @Sendable (Folder) throws -> any Store

  var testDescription: String { name }

  static let sqlite = Engine(name: "SQLite") { try SQLiteStore.open(folder: $0.path, sandbox: false) }
  static let all = [sqlite]
}
