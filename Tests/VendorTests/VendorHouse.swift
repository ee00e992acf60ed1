// The running router of one case: the real owners over a real store in a folder of its own, and the real way in. It has
// no HTTP listener; everything that goes out goes through libcurl.

import DivertConfig
import DivertCore
import DivertStore
import FoundationEssentials
import Glibc
import Logging
import Testing

@testable import DivertServer

final class VendorHouse: Sendable {
  struct Failure: Error, CustomStringConvertible { var description: String }

  private let folder = FileManager.default.temporaryDirectory.path + "/divert-vendor-\(UUID().uuidString)"
  private let store: SQLiteStore
  private let owners: Owners
  private let controller: IngestController
  private let logFile: Int32
  private let writer: LogWriter

  /// Loads the file, which must have neither errors nor warnings, and starts.
  init(routes: String, secrets: [String: String]) throws {
    let loaded = ConfigLoader.load(text: routes, file: "routes.yaml")
    guard let table = loaded.table, loaded.diagnostics.isEmpty else {
      throw Failure(description: loaded.diagnostics.map(\.description).joined(separator: "\n") + "\n" + routes)
    }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var path = Array((folder + "/log-XXXXXX").utf8CString)
    logFile = mkstemp(&path)
    writer = LogWriter(level: .debug, descriptor: logFile)
    store = try SQLiteStore.open(folder: folder, sandbox: false)
    try store.keepConfiguration(version: table.version, text: routes, at: WallClock.now())
    let environment = Dictionary(uniqueKeysWithValues: secrets.map { (SecretStore.variable($0.key), $0.value) })
    var options = ServeOptions()
    options.data = folder  // rotated tokens are kept there
    let owners = Owners(
      options: options,
      configuration: LoadedConfiguration(
        table: table, bundle: ConfigBundle(main: .init(name: "routes.yaml", text: routes)), sandboxAnswers: [:]),
      store: store, letters: DeadLetterDirectory(path: folder + "/dead-letters"),
      secrets: CachedSecrets(SecretStore(folder: nil, environment: environment)), writer: writer)
    try owners.start(emulator: nil, verdicts: [:])
    self.owners = owners
    let seams = IngestSeams(
      currentTable: { owners.table }, secret: { owners.secrets.value($0) },
      append: { append, reply in owners.database.post(.append(append, reply: reply)) },
      refuse: { owners.database.post(.refusal($0)) })
    let quarantine = Quarantine(folder: folder + "/quarantine", log: writer) { .init(files: 10, bytes: 1 << 20) }
    controller = IngestController(seams: seams, quarantine: quarantine, log: writer)
  }

  /// Takes a body in as if it had been posted.
  func receive(_ body: JSONValue) async throws -> EventID {
    let answer = await controller.receive(source: "doubletick", label: nil, body: body.encoded())
    let document = try JSONValue.parse(answer.body)
    guard answer.status == 200, let id = (document["id"]?.string).flatMap({ EventID($0) }) else {
      throw Failure(description: "not accepted: \(document)")
    }
    return id
  }

  /// How long deliveries may take: more only in a test that fails.
  private static let patience = Duration.seconds(60)

  /// The event's deliveries as soon as they stand as wanted; looks whenever something was committed. When patience ends, as
  /// they are.
  func deliveries(of event: EventID, until isSo: @escaping @Sendable ([Delivery]) -> Bool) async throws -> [Delivery] {
    let store = store
    let changes = owners.watch.subscribe(event)
    @Sendable func now() throws -> [Delivery] { try store.event(event)?.deliveries ?? [] }
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        if isSo(try now()) { return }
        for await _ in changes where isSo(try now()) { return }
      }
      group.addTask { try await Task.sleep(for: Self.patience) }
      try await group.next()
      group.cancelAll()
      return try now()
    }
  }

  /// `open`, `held`, `disabled`: as the operator interface says it. A limit that is used up, or a pause that the target
  /// asked for, is `open` here.
  func standing(_ target: String) async -> String? {
    let state = await owners.engine.ask { $0.machine.standing(now: $0.now)[target]?.state }
    return state == .limited || state == .broken ? "open" : state?.rawValue
  }

  /// Everything that was logged.
  var log: String {
    writer.flush()
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = pread(logFile, &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  func close() async {
    await owners.stop(grace: .zero)
    try? store.close()
    writer.flush()  // what is written later would go to whoever has the descriptor by then
    Glibc.close(logFile)
    try? FileManager.default.removeItem(atPath: folder)
  }
}
