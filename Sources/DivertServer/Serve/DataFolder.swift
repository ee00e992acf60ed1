// The data folder of a running router: locked, with its store, and a mark that tells a crash from a clean stop.

import DivertConfig
import DivertCore
import DivertStore
import FoundationEssentials

/// Held from start to stop. The mark file is there exactly while a router runs, so that one found at the start means a crash.
final class DataFolder: Sendable {
  let path: String
  let wasLeftRunning: Bool
  private let lock: DataLock
  private let sandbox: Bool

  private init(path: String, lock: DataLock, sandbox: Bool) {
    self.path = path
    self.lock = lock
    self.sandbox = sandbox
    wasLeftRunning = FileManager.default.fileExists(atPath: path + "/running")
  }

  /// Makes the folder where it is missing and locks it; another router's pid is named when it is locked.
  static func open(_ options: ServeOptions) throws -> DataFolder {
    let path = options.dataFolder
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw ServeFailure("cannot make the data folder \(path): look at the folder above it, and at who may write there")
    }
    return DataFolder(path: path, lock: try DataLock.take(folder: path), sandbox: options.sandbox)
  }

  /// From now on an end without `leaveClean` is a crash.
  func markRunning() { _ = FileManager.default.createFile(atPath: path + "/running", contents: nil) }

  /// Whether a router has been here before.
  static func isThere(_ options: ServeOptions) -> Bool { FileManager.default.fileExists(atPath: options.dataFolder) }

  /// Opens the store and keeps the configuration in it.
  func store(_ configuration: LoadedConfiguration) throws -> any Store {
    let store = try SQLiteStore.open(folder: path, sandbox: sandbox)
    try store.keepConfiguration(
      version: configuration.table.version, text: configuration.bundle.encoded, at: WallClock.now())
    return store
  }

  /// Other commands find the router here.
  func publish(operatorAddress: String) throws { try lock.tell(operatorAddress: operatorAddress) }

  /// Nothing is left to reconcile.
  func leaveClean() { try? FileManager.default.removeItem(atPath: path + "/running") }
}
