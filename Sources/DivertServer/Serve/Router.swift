// The composition root: everything that `divert serve` is made of, put together, run, and stopped in reverse order.

import DivertConfig
import DivertCore
import DivertStore
import FoundationEssentials
import Glibc
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals
import Synchronization

/// The router as a whole.
package enum Router {
  /// Runs until SIGTERM or SIGINT; returns after what was under way has ended and is committed. Throws `ServeFailure` with
  /// what must be mended when it cannot start.
  package static func serve(_ options: ServeOptions) async throws {
    umask(0o077)
    raiseOpenFiles()
    guard let level = Logger.Level(rawValue: options.logLevel) else {
      let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
      throw ServeFailure("--log-level \(options.logLevel): no such level; there are \(levels)")
    }
    let writer = LogWriter(level: level)
    defer { writer.flush() }
    let secrets = CachedSecrets(
      SecretStore(folder: options.secretsFolder, environment: ProcessInfo.processInfo.environment))
    let addresses = try Addresses(options)
    let judge = Startup.judge(options, addresses, secrets: secrets)
    let history = ConfigHistory(path: options.dataFolder + "/config-history")
    // A folder that is there may hold a change of the configuration that a crash cut off; none is made for a file with errors.
    let known = DataFolder.isThere(options) ? try DataFolder.open(options) : nil
    if known != nil { try ConfigRecovery.finish(history, path: options.config) }
    let configuration = try Startup.configuration(judge)
    try Startup.judgeFaults(options, configuration)
    let protection = try Startup.protection(options, addresses, configuration.table, secrets: secrets)
    let folder = try known ?? DataFolder.open(options)
    for address in [addresses.listen, addresses.operator] { try address.expectFree() }
    let store = try folder.store(configuration)
    let books = books(store, writer)
    try books.begin(configuration.table)
    folder.markRunning()
    let letters = DeadLetterDirectory(path: options.dataFolder + "/dead-letters")
    let verdicts =
      folder.wasLeftRunning ? try Recovery.verdicts(store, letters, now: WallClock.now()) : [:]
    let owners = Owners(
      options: options, configuration: configuration, store: store, letters: letters, secrets: secrets, writer: writer)
    owners.suppressions.replace(with: try store.suppressions())
    let keeper = keeper(owners, history, judge, try ConfigRecovery.found(configuration, history), books)
    defer { keeper.close() }
    if let faults = options.sandboxFaults {
      try owners.sandboxFaults?.set(faults, called: options.sandboxFaultsFrom)
    }
    ConfigLog(log: owners.log).failingTests(configuration.failedTests)
    try await run(owners, keeper, addresses, folder, protection, verdicts)
    try store.close()
    if owners.stoppedClean {
      folder.leaveClean()
    } else {
      owners.log.warning("stopped_unclean", metadata: ["msg": "the next start looks for what was left under way"])
    }
  }

  /// Connections are files: as many as the system lets this process have.
  private static func raiseOpenFiles() {
    var limit = rlimit()
    let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(kind, &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(kind, &limit)
  }

  /// Changes of the configuration, from now on.
  private static func keeper(
    _ owners: Owners, _ history: ConfigHistory, _ judge: ConfigJudge, _ found: ConfigRecovery.Found,
    _ books: BookKeeper
  ) -> ConfigKeeper {
    let hooks = ConfigKeeper.Hooks(
      prepare: { owners.secrets.forget() }, swap: { owners.swap($0) },
      refused: { owners.raise(refusedConfiguration: $0) }, good: { owners.settle(goodConfiguration: $0) },
      log: ConfigLog(log: owners.log))
    return ConfigKeeper(
      path: owners.options.config, history: history, store: owners.store, judge: judge, hooks: hooks,
      current: owners.configs.current, starting: found, books: books)
  }

  /// What routes remember; older configurations are read from the store.
  private static func books(_ store: any Store, _ writer: LogWriter) -> BookKeeper {
    BookKeeper(store: store, log: BookLog(log: writer.logger(LogWriter.ownLabel))) { version in
      try store.configuration(version: version).flatMap {
        ConfigLoader.load(stored: $0, name: "configuration \(version)").table
      }
    }
  }

  private static func run(
    _ owners: Owners, _ keeper: ConfigKeeper, _ addresses: Addresses, _ folder: DataFolder,
    _ protection: OperatorProtection, _ verdicts: [DeliveryID: Delivery]
  ) async throws {
    Edges.yieldToDelivering()
    let edges = Edges(owners, keeper, addresses, folder)
    let group = ServiceGroup(
      configuration: .init(
        services: try edges.services(protection, verdicts).map { .init(service: $0) },
        gracefulShutdownSignals: [.sigterm, .sigint],
        logger: edges.quietLog))
    do { try await group.run() } catch let fault as ListenFault {
      await owners.stop(grace: .zero)
      throw ServeFailure(fault.description)
    } catch let fault as IOError {
      await owners.stop(grace: .zero)
      throw ServeFailure(ListenFault(address: addresses.operator, errno: fault.errnoCode).description)
    }
    owners.log.notice("stopped")
  }
}
