// The router's edges: the ingest and operator addresses, the sandbox's emulator, and what is said once they are up.

import DivertCore
import DivertStore
import Glibc
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Makes the services of the process in the order in which they start; they stop in reverse.
final class Edges: Sendable {
  private let owners: Owners
  private let keeper: ConfigKeeper
  private let addresses: Addresses
  private let folder: DataFolder
  private let ports = Mutex(Ports())
  /// Ends when the router is up.
  private let up = AsyncStream.makeStream(of: Never.self)

  private struct Ports {
    var ingest: Int?
    var `operator`: Int?
    var engine = false
    var announced = false
  }

  init(_ owners: Owners, _ keeper: ConfigKeeper, _ addresses: Addresses, _ folder: DataFolder) {
    self.owners = owners
    self.keeper = keeper
    self.addresses = addresses
    self.folder = folder
  }

  /// The libraries' own log: warnings and worse.
  var quietLog: Logger {
    var log = owners.writer.logger("http")
    log.logLevel = max(.warning, owners.writer.level)
    return log
  }

  /// Where the machine has too little processor for both, delivering goes before accepting: the senders wait a little, instead of
  /// a backlog that has to go through the disk. On Linux a thread's niceness is its own.
  static func yieldToDelivering() {
    for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
      loop.execute { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10) }
    }
  }

  func services(_ protection: OperatorProtection, _ verdicts: [DeliveryID: Delivery]) throws -> [any Service] {
    let quarantine = Quarantine(
      folder: owners.options.dataFolder + "/quarantine", log: owners.writer, bounds: bounds)
    let controller = IngestController(
      seams: seams, quarantine: quarantine, log: owners.writer, key: owners.options.sandbox ? "sandbox" : nil)
    let (emulatorPorts, tell) = AsyncStream.makeStream(of: Int.self)
    var services: [any Service] = []
    let sandbox = sandbox(tell)
    if let sandbox {
      services.append(sandbox.emulator)
    } else {
      tell.finish()
    }
    services.append(
      EngineService(owners: owners, emulatorPort: emulatorPorts, verdicts: verdicts, retired: retired) {
        self.note { $0.engine = true }
      })
    services.append(
      ReloadService(
        keeper: keeper, log: owners.log, secrets: owners.options.secretsFolder, ready: up.stream))
    services.append(operatorService(controller, quarantine, protection, sandbox))
    let owners = owners
    services.append(
      RetentionService(
        store: owners.store, deadLetters: owners.letters, quarantine: quarantine,
        retention: { owners.table.parts.retention }, log: owners.log))
    services.append(try ingestService(controller))
    // Last of all, so that it is the first to hear of a shutdown: an order that reads history would hold up the others.
    services.append(GatheringEnd(keeper: keeper))
    return services
  }

  /// Nil: the router is no sandbox.
  private func sandbox(_ tell: AsyncStream<Int>.Continuation) -> SandboxDesk? {
    guard let faults = owners.sandboxFaults else { return nil }
    let configs = owners.configs
    let emulator = Emulator(answers: { configs.current.sandboxAnswers }, faults: faults, logger: quietLog) {
      tell.yield($0)
    }
    return SandboxDesk(emulator: emulator, faults: faults, secrets: { configs.current.secretNames })
  }

  private func ingestService(_ controller: IngestController) throws -> any Service {
    let server = owners.table.parts.server
    var limits = HTTPLimits()
    limits.grace = .milliseconds(server.grace.milliseconds)
    limits.request = .milliseconds(server.requestTimeout.milliseconds)
    let listener = HTTPListener(
      address: addresses.listen, service: controller.service, limits: limits,
      tls: try server.tls.map { try TLSFiles($0, besides: owners.options.config).configuration() },
      logger: quietLog
    ) { port in self.note { $0.ingest = port } }
    return IngestService(listener: listener, controller: controller)
  }

  private func operatorService(
    _ controller: IngestController, _ quarantine: Quarantine, _ protection: OperatorProtection,
    _ sandbox: SandboxDesk?
  ) -> any Service {
    let owners = owners
    var context = OperatorContext(
      store: owners.store, deadLetters: owners.letters, quarantine: quarantine,
      retryQuarantined: { try await controller.retry(quarantined: $0).map(LiveRouter.Ingested.init) },
      live: LiveRouter(owners, controller: controller) { self.ingestAddress }, table: { owners.table },
      tableOfVersion: { (try? owners.table(ofVersion: $0)) ?? nil }, keeper: keeper, now: WallClock.now)
    context.configPath = owners.options.config
    context.sandbox = sandbox
    context.recordKey = {
      try RecordKey.load(folder: owners.options.dataFolder) { owners.secrets.value($0) }
    }
    let emulator = owners.options.sandbox ? "" : nil
    context.credentials = CredentialOffice(
      maker: owners.tokenMaker(emulator), live: LiveTokens(owners.engine), forget: { owners.secrets.forget() })
    return OperatorServer.make(
      listen: addresses.operator, api: OperatorAPI(context), protection: protection, logger: quietLog
    ) { port in self.note { $0.operator = port } }
  }

  /// The last definition of a target that is gone, from the history.
  @Sendable private func retired(_ target: String) -> TargetDefinition? {
    do {
      guard let version = try keeper.history.latest(with: target) else { return nil }
      return try owners.table(ofVersion: version.hash)?.parts.targets[target]
    } catch {
      owners.log.warning("config_history", metadata: ["msg": "\(error)"])
      return nil
    }
  }

  private var seams: IngestSeams {
    let owners = owners
    return IngestSeams(
      currentTable: { owners.table }, secret: { owners.secrets.value($0) },
      append: { append, reply in
        owners.silence.heard(append.source, at: append.receivedAt)
        owners.database.post(.append(append, reply: reply))
      },
      refuse: { owners.database.post(.refusal($0)) }, isOwn: { owners.ownWrites.isOwn($0) },
      suppression: { owners.suppressions.entry(for: $0, at: $1) })
  }

  private func bounds() -> Quarantine.Bounds {
    let server = owners.table.parts.server
    return Quarantine.Bounds(files: server.quarantineFiles, bytes: server.quarantineBytes)
  }

  // MARK: Up

  private var ingestAddress: String {
    let scheme = owners.table.parts.server.tls == nil ? "http" : "https"
    let port = ports.withLock { $0.ingest } ?? addresses.listen.port
    return "\(scheme)://\(ListenAddress(host: addresses.listen.host, port: port))"
  }

  private func note(_ change: (inout Ports) -> Void) {
    let ready = ports.withLock { ports -> Int? in
      change(&ports)
      guard ports.engine, ports.ingest != nil, let port = ports.operator, !ports.announced else { return nil }
      ports.announced = true
      return port
    }
    if let port = ready { announce(operatorPort: port) }
  }

  private func announce(operatorPort: Int) {
    let address = "http://\(ListenAddress(host: addresses.operator.host, port: operatorPort))"
    do { try keeper.started() } catch { owners.log.error("config_history", metadata: ["msg": "\(error)"]) }
    up.continuation.finish()
    do { try folder.publish(operatorAddress: address) } catch {
      owners.log.error("lock_file", metadata: ["reason": "\(error)"])
    }
    owners.log.notice(
      "started",
      metadata: ["listen": "\(ingestAddress)", "operator": "\(address)", "config": "\(owners.table.version)"])
    print(Banner.text(owners, ingest: ingestAddress, operator: address))
    fflush(nil)
  }
}
