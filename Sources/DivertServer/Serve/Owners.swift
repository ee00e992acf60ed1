// The running parts, wired: database thread, engine, curl thread, letters' thread, and the seams that the edges use.

import DivertConfig
import DivertCore
import DivertStore
import DivertTransport
import Logging
import Synchronization

/// Everything behind the addresses. Made once a start; `start` brings it to life, `stop` ends it in order.
final class Owners: Sendable {
  let options: ServeOptions
  let configs: ConfigInForce
  let store: any Store
  let letters: DeadLetterDirectory
  let secrets: CachedSecrets
  let writer: LogWriter
  let log: Logger
  let watch = EventWatch()
  let congestion = Congestion()
  let engine = DeliveryEngine()
  let ownWrites = OwnWrites()
  private let journal: WriteJournal
  /// Who is not to be written to: what the store has, and what is committed since.
  let suppressions = SuppressionList()
  let database: DatabaseThread
  let silence: SilenceWatch
  /// Nil: no sandbox.
  let sandboxFaults: SandboxFaults?
  let startedAt = WallClock.now()
  private let moving = Mutex<Moving?>(nil)
  private let isClean = Atomic(false)

  /// What lives from `start` to `stop`.
  private struct Moving: Sendable {
    var transport: CurlTransport
    var letterWriter: LetterWriter
  }

  init(
    options: ServeOptions, configuration: LoadedConfiguration, store: any Store, letters: DeadLetterDirectory,
    secrets: CachedSecrets, writer: LogWriter
  ) {
    self.options = options
    configs = ConfigInForce(configuration)
    journal = WriteJournal(folder: options.dataFolder)
    self.store = store
    self.letters = letters
    self.secrets = secrets
    self.writer = writer
    log = Logger(label: "divert") { LineLogHandler(label: $0, writer: writer) }
    silence = SilenceWatch(sources: configuration.table.parts.sources.keys, now: WallClock.now())
    let configs = configs
    sandboxFaults = options.sandbox ? SandboxFaults { configs.current.sandboxTargets } : nil
    let engine = engine
    database = DatabaseThread(store: store, congestion: congestion, watch: watch, suppressions: suppressions) {
      engine.post(.news($0))
    }
  }

  /// The newest configuration's: a snapshot, for one event or one question.
  var table: RouteTable { configs.table }

  /// A stored configuration compiled again; nil where it is gone or does not compile any more.
  @Sendable func table(ofVersion version: String) throws(StoreError) -> RouteTable? {
    let table = table
    if version == table.version { return table }
    guard let text = try store.configuration(version: version) else { return nil }
    return ConfigLoader.load(stored: text, name: "configuration \(version)").table
  }

  // MARK: Start and stop

  /// Recovers and starts every thread. `emulator`: the sandbox's, where all requests go. `retired`: the last definition of a
  /// target that is gone. Blocks while the store is read.
  func start(
    emulator: String?, verdicts: [DeliveryID: Delivery], retired: (String) -> TargetDefinition? = { _ in nil }
  ) throws {
    var resolver = ActionResolver(
      current: table, load: { [self] version throws(StoreError) in try table(ofVersion: version) })
    let now = WallClock.now()
    recall(now)
    let machine = try Recovery.machine(
      store, &resolver, verdicts: verdicts, retired: retired, seed: UInt64.random(in: 0 ... .max), now: now)
    let engine = engine
    let letterWriter = LetterWriter(
      directory: letters, buried: { engine.post(.buried($0)) },
      failed: { [log] sentence in
        engine.post(.lettersFailed(sentence))
        if let sentence { log.error("letters_failed", metadata: ["reason": "\(sentence)"]) }
      })
    let transport = CurlTransport { engine.post(.transfers($0)) }
    moving.withLock { $0 = Moving(transport: transport, letterWriter: letterWriter) }
    try store.startDigests()
    database.start()
    letterWriter.start()
    var state = EngineState(machine: machine, resolver: resolver, now: now)
    state.tokens = TokenMachine(seed: UInt64.random(in: 0 ... .max))
    state.tokens.configure(table.tokens, now: now)
    let maker = tokenMaker(emulator)
    state.tokens.restore(mints: maker.mints(), now: now)
    engine.start(
      state,
      hands: hands(transport, letterWriter, emulator: emulator))
  }

  /// Everything under way when it stopped has ended and is on disk; if not, the next start has something to reconcile.
  var stoppedClean: Bool { isClean.load(ordering: .acquiring) }

  /// Lets what is under way end within the grace, commits it, and ends every thread.
  func stop(grace: Span) async {
    guard let moving = moving.withLock({ $0 }) else { return }
    engine.post(.stop(deadline: WallClock.now() + grace + .seconds(5)))
    await moving.transport.shutdown(within: grace)
    await Blocking.run { [self] in
      let ended = engine.join()
      moving.letterWriter.stop()
      let committed = database.stop()
      isClean.store(ended && committed, ordering: .releasing)
    }
  }

  private func hands(_ transport: CurlTransport, _ letterWriter: LetterWriter, emulator: String?) -> EngineHands {
    let database = database
    let bell = AlarmBell(table: { [self] in table }, append: { database.post(.append($0, reply: nil)) }, log: log)
    let outlets = EngineHands.Outlets(
      database: { database.post($0) }, letters: { letterWriter.post($0) }, requests: { transport.submit($0) },
      alarm: { bell.ring($0) }, attempt: { [self] in write($0) })
    let (secrets, faults) = (secrets, sandboxFaults)
    var maker = RequestMaker(secret: { secrets.value($0) }, emulator: emulator)
    if let faults { maker.refuses = { faults.refuses($0, action: $1) } }
    maker.writes = { [self] in expect($0) }
    return EngineHands(
      outlets: outlets, congestion: congestion, maker: maker,
      tokens: TokenShell(
        maker: tokenMaker(emulator), submit: { transport.submit($0) }, tell: { [engine] in engine.post(.command($0)) },
        log: log), suppressions: suppressions)
  }

  /// What earlier processes wrote is known again.
  private func recall(_ now: Timestamp) {
    do { ownWrites.restore(try journal.open(now: now)) } catch {
      log.warning(
        "own_writes_not_kept", metadata: ["msg": "own writes are known until the next restart only: \(error)"])
    }
  }

  /// Writes that are about to leave: known from now on, also after a crash.
  private func expect(_ echoes: [ExpectedEcho]) {
    let now = WallClock.now()
    ownWrites.expect(echoes, now: now)
    let writes = echoes.map { RememberedWrite(echo: $0, until: now + $0.holds) }
    do { try journal.append(writes) { ownWrites.remembered(now: now) } } catch {
      log.warning("own_writes_not_kept", metadata: ["msg": "after a restart they are not known again: \(error)"])
    }
  }

  /// Nothing of a person is known in memory any more, nor in the file of own writes.
  func forget(_ person: ErasedPerson, _ events: [EventID]) async throws {
    let sequences = Set(events.map(\.sequence))
    await engine.ask { $0.stages.desk.forget(person, sequences) }
    ownWrites.forget(person)
    try journal.renew(ownWrites.remembered(now: WallClock.now()))
  }

  /// Makes token requests; `emulator`: where all of them go.
  func tokenMaker(_ emulator: String?) -> TokenMaker {
    let secrets = secrets
    return TokenMaker(
      secret: { secrets.value($0) }, vault: TokenVault(folder: options.dataFolder + "/credentials"), emulator: emulator)
  }

  private func write(_ record: AttemptRecord) {
    writer.attempt(
      record.attempt, of: record.delivery, number: record.delivery.attempts.count + 1, items: record.items,
      due: record.due, now: WallClock.now())
  }
}
