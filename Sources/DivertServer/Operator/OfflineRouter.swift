// The data folder worked on directly while no router runs: its lock, its store, and the same operator interface over them.

import DivertConfig
import DivertCore
import DivertStore
import FoundationEssentials
import Glibc
import Logging

/// Holds the folder's lock and the open store until `close`.
package final class OfflineRouter: Sendable {
  package let api: OperatorAPI
  /// The folder that is worked on.
  package let folder: String
  private let lock: DataLock
  private let store: any Store

  private init(folder: String, lock: DataLock, store: any Store, api: OperatorAPI) {
    self.folder = folder
    self.lock = lock
    self.store = store
    self.api = api
  }

  /// Opens an existing data folder. Throws where there is no store, or another process holds it.
  package static func open(_ options: ServeOptions) throws -> OfflineRouter {
    umask(0o077)
    let folder = options.dataFolder
    guard FileManager.default.fileExists(atPath: folder + "/" + SQLiteStore.fileName) else {
      throw OperatorFailure(
        503, "no_data",
        "no router runs and there is no store in \(folder): start one with `divert serve`, or name the folder with --data "
          + "(DIVERT_DATA)")
    }
    let lock = try DataLock.take(folder: folder)
    do {
      let store = try SQLiteStore.open(folder: folder, sandbox: options.sandbox)
      let tables = try OfflineTables(options, store)
      let api = OperatorAPI(context(options, folder, store, tables))
      return OfflineRouter(folder: folder, lock: lock, store: store, api: api)
    } catch {
      throw error
    }
  }

  /// Closes the store. The folder is free when this object goes.
  package func close() {
    try? store.close()
  }

  private static func context(
    _ options: ServeOptions, _ folder: String, _ store: any Store, _ tables: OfflineTables
  ) -> OperatorContext {
    let server = tables.current?.parts.server ?? ServerSettings()
    let log = LogWriter(level: .critical)
    let quarantine = Quarantine(folder: folder + "/quarantine", log: log) {
      Quarantine.Bounds(files: server.quarantineFiles, bytes: server.quarantineBytes)
    }
    let secrets = SecretStore(folder: options.secretsFolder, environment: [:])
    let controller = tables.current.map {
      IngestController(seams: seams($0, store, secrets), quarantine: quarantine, log: log)
    }
    return OperatorContext(
      store: store, deadLetters: DeadLetterDirectory(path: folder + "/dead-letters"), quarantine: quarantine,
      retryQuarantined: { name in
        guard let controller else {
          throw OperatorFailure.conflict(
            "no_configuration", "this needs a routes.yaml that can be read; see `divert check`")
        }
        return try await controller.retry(quarantined: name).map(LiveRouter.Ingested.init)
      },
      live: nil, table: { tables.current }, tableOfVersion: { tables.version($0) }, now: WallClock.now)
  }

  /// What is accepted waits in the store for the router's next start.
  private static func seams(_ table: RouteTable, _ store: any Store, _ secrets: SecretStore) -> IngestSeams {
    IngestSeams(
      currentTable: { table }, secret: { secrets.value($0) },
      append: { append throws(StoreError) in
        var append = append
        append.congested = Set(table.parts.targets.keys)
        var batch = StoreBatch()
        batch.appends = [append]
        guard let outcome = try store.commit(batch, now: WallClock.now()).appends.first else {
          throw StoreError(code: "other", description: "the store did not say what became of the event")
        }
        return outcome
      },
      refuse: { refusal in
        var batch = StoreBatch()
        batch.refusals = [refusal]
        _ = try? store.commit(batch, now: WallClock.now())
      })
  }
}

/// The configuration of the file as it is now, and the stored ones by version.
private final class OfflineTables: Sendable {
  /// Nil: the file cannot be read; the commands that need one say so.
  let current: RouteTable?
  private let store: any Store

  /// Keeps the files' text in the store, since what is planned under it must be found again.
  init(_ options: ServeOptions, _ store: any Store) throws {
    self.store = store
    let loaded = ConfigLoader.load(path: options.config)
    current = loaded.table
    if let current, let bundle = loaded.bundle {
      try store.keepConfiguration(version: current.version, text: bundle.encoded, at: WallClock.now())
    }
  }

  func version(_ version: String) -> RouteTable? {
    if version == current?.version { return current }
    guard let text = try? store.configuration(version: version) else { return nil }
    return ConfigLoader.load(stored: text, name: "version \(version)").table
  }
}
