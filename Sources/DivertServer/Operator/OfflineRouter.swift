// The data folder worked on directly while no router runs: its lock, its store, and the same operator interface over them.

import DivertConfig
import DivertCore
import DivertStore
import FoundationEssentials
import Glibc
import Logging
import Synchronization

/// Holds the folder's lock and the open store until `close`.
package final class OfflineRouter: Sendable {
  package let api: OperatorAPI
  /// The folder that is worked on.
  package let folder: String
  private let lock: DataLock
  private let store: any Store
  private let troubles: Troubles

  private init(folder: String, lock: DataLock, store: any Store, api: OperatorAPI, troubles: Troubles) {
    self.folder = folder
    self.lock = lock
    self.store = store
    self.api = api
    self.troubles = troubles
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
    let store = try SQLiteStore.open(folder: folder, sandbox: options.sandbox)
    let history = ConfigHistory(path: folder + "/config-history")
    try ConfigRecovery.finish(history, path: options.config)
    let tables = try OfflineTables(options, store)
    let troubles = Troubles()
    let keeper = try keeper(options, history, store, tables)
    let memory = OfflineMemory(store, tables)
    let api = OperatorAPI(try context(options, store, tables, keeper, memory, troubles))
    return OfflineRouter(folder: folder, lock: lock, store: store, api: api, troubles: troubles)
  }

  /// Closes the store. The folder is free when this object goes.
  /// - Throws: what could not be written on the way, or at the end.
  package func close() throws {
    try store.close()
    if let first = troubles.first { throw first }
  }

  private static func context(
    _ options: ServeOptions, _ store: any Store, _ tables: OfflineTables, _ keeper: ConfigKeeper,
    _ memory: OfflineMemory, _ troubles: Troubles
  ) throws -> OperatorContext {
    let folder = options.dataFolder
    let log = LogWriter(level: .critical)
    let quarantine = Quarantine(folder: folder + "/quarantine", log: log) {
      let server = tables.current?.parts.server ?? ServerSettings()
      return Quarantine.Bounds(files: server.quarantineFiles, bytes: server.quarantineBytes)
    }
    let secrets = SecretStore(folder: options.secretsFolder, environment: [:])
    let suppressions = SuppressionList(try store.suppressions())
    let controller = tables.current.map { table in
      var seams = seams(table, store, secrets, memory, troubles)
      seams.suppression = { suppressions.entry(for: $0, at: $1) }
      return IngestController(seams: seams, quarantine: quarantine, log: log)
    }
    var context = OperatorContext(
      store: store, deadLetters: DeadLetterDirectory(path: folder + "/dead-letters"), quarantine: quarantine,
      retryQuarantined: { name in
        guard let controller else {
          throw OperatorFailure.conflict(
            "no_configuration", "this needs a routes.yaml that can be read; see `divert check`")
        }
        return try await controller.retry(quarantined: name).map(LiveRouter.Ingested.init)
      },
      live: nil, table: { tables.current }, tableOfVersion: { tables.version($0) }, keeper: keeper, now: WallClock.now)
    context.configPath = options.config
    context.remember = { try memory.ready() }
    context.recordKey = {
      let own = SecretStore(folder: options.secretsFolder, environment: ProcessInfo.processInfo.environment)
      return try RecordKey.load(folder: folder) { own.value($0) }
    }
    // The order comes from this very process: its variables are the operator's.
    let own = SecretStore(folder: options.secretsFolder, environment: ProcessInfo.processInfo.environment)
    if !options.sandbox {
      context.credentials = CredentialOffice(
        maker: TokenMaker(secret: { own.value($0) }, vault: TokenVault(folder: folder + "/credentials")), live: nil)
    }
    return context
  }

  /// Changes wait in the file for the router's next start. Which secrets that will see is not known here: absent ones are its
  /// own to refuse.
  private static func keeper(
    _ options: ServeOptions, _ history: ConfigHistory, _ store: any Store, _ tables: OfflineTables
  ) throws -> ConfigKeeper {
    let judge = ConfigJudge(
      file: options.config, sandbox: options.sandbox, listen: nil, secretsFolder: options.secretsFolder)
    let log = LogWriter(level: .critical)
    let hooks = ConfigKeeper.Hooks(
      prepare: {}, swap: { tables.set($0) }, refused: { _ in }, good: { _ in },
      log: ConfigLog(log: log.logger(LogWriter.ownLabel)))
    return ConfigKeeper(
      path: options.config, history: history, store: store, judge: judge, hooks: hooks, current: tables.loaded,
      version: try history.latest(), runs: false)
  }

  /// What is accepted waits in the store for the router's next start.
  private static func accept(_ append: Append, _ store: any Store) throws(StoreError) -> AppendOutcome {
    var append = append
    append.congested = nil
    var batch = StoreBatch()
    batch.appends = [append]
    guard let outcome = try store.commit(batch, now: WallClock.now()).appends.first else {
      throw StoreError(code: "other", description: "the store did not say what became of the event")
    }
    return outcome
  }

  private static func seams(
    _ table: RouteTable, _ store: any Store, _ secrets: SecretStore, _ memory: OfflineMemory, _ troubles: Troubles
  ) -> IngestSeams {
    IngestSeams(
      currentTable: { table }, secret: { secrets.value($0) },
      append: { append, reply in
        reply(
          Result { () throws(StoreError) in
            try memory.ready()
            return try accept(append, store)
          })
      },
      refuse: { refusal in
        var batch = StoreBatch()
        batch.refusals = [refusal]
        troubles.noting { () throws(StoreError) in _ = try store.commit(batch, now: WallClock.now()) }
      })
  }
}

/// What went wrong where nobody could be told at once; the end tells it.
private final class Troubles: Sendable {
  private let all = Mutex<[StoreError]>([])

  var first: StoreError? { all.withLock { $0.first } }

  func noting(_ work: () throws(StoreError) -> Void) {
    do { try work() } catch { all.withLock { $0.append(error) } }
  }
}

/// What routes remember, made ready when something asks it for the first time.
private final class OfflineMemory: Sendable {
  private let books: BookKeeper
  private let tables: OfflineTables
  private let isReady = Mutex(false)

  init(_ store: any Store, _ tables: OfflineTables) {
    books = BookKeeper(store: store, log: nil) { tables.version($0) }
    self.tables = tables
  }

  /// Fills what the file's routes read, and what older configurations that are at work do.
  func ready() throws(StoreError) {
    try isReady.withLock { isReady throws(StoreError) in
      guard !isReady, let table = tables.current else { return }
      do { try books.begin(table) } catch let error as StoreError { throw error } catch {
        throw StoreError(code: "other", description: "cannot gather what routes remember: \(error)")
      }
      isReady = true
    }
  }
}

/// The configuration of the file as it is now, and the stored ones by version.
private final class OfflineTables: Sendable {
  private let held: Mutex<LoadedConfiguration?>
  private let store: any Store

  /// Nil: the file cannot be read; the commands that need one say so.
  var loaded: LoadedConfiguration? { held.withLock { $0 } }
  var current: RouteTable? { loaded?.table }

  /// Keeps the files' text in the store, since what is planned under it must be found again.
  init(_ options: ServeOptions, _ store: any Store) throws {
    self.store = store
    let result = ConfigLoader.load(path: options.config)
    guard let table = result.table, let bundle = result.bundle else {
      held = Mutex(nil)
      return
    }
    held = Mutex(LoadedConfiguration(table: table, bundle: bundle, sandboxAnswers: [:]))
    try store.keepConfiguration(version: table.version, text: bundle.encoded, at: WallClock.now())
  }

  func set(_ next: LoadedConfiguration) { held.withLock { $0 = next } }

  func version(_ version: String) -> RouteTable? {
    let current = current
    if version == current?.version { return current }
    guard let text = try? store.configuration(version: version) else { return nil }
    return ConfigLoader.load(stored: text, name: "version \(version)").table
  }
}
