// A running ingest address for the tests: the real listener, controller, normaliser and quarantine; a list for a store.

import DivertCore
import Glibc
import Logging
import ServiceLifecycle
import Synchronization
import Testing

@testable import DivertServer

/// What the house's store holds.
struct Ledger {
  var appended: [Append] = []
  var known: [[UInt8]: EventID] = [:]
  var refusals: [Refusal] = []
  var fault: StoreError?
}

final class IngestHouse: Sendable {
  let ledger = Mutex(Ledger())
  let quarantine: Quarantine
  let controller: IngestController
  let log: TestLog
  private let table: RouteTable
  private let directory: String
  /// Called before an append answers: lets a test hold a request in flight.
  private let gate: @Sendable () async -> Void

  init(
    gate: @escaping @Sendable () async -> Void = {}, configure: (inout RouteTable.Parts) -> Void = { _ in }
  ) throws {
    var parts = RouteTable.Parts()
    parts.version = "v1"
    var source = SourceDefinition(name: "doubletick", type: "doubletick")
    source.key = Template(parts: [.expression(Expression(path: .secret("ingest_key")))])
    parts.sources = ["doubletick": source, "open": SourceDefinition(name: "open", type: "doubletick")]
    configure(&parts)
    let table = RouteTable(parts)
    self.table = table
    self.gate = gate
    var template = Array("/tmp/divert-test-XXXXXX".utf8CString)
    directory = try #require(mkdtemp(&template).map { String(cString: $0) })
    log = try TestLog()
    let settings = parts.server
    quarantine = Quarantine(folder: directory + "/quarantine", log: log.writer) {
      .init(files: settings.quarantineFiles, bytes: settings.quarantineBytes)
    }
    let store = Weak<IngestHouse>()
    controller = IngestController(
      seams: IngestSeams(
        currentTable: { table }, secret: { $0 == "ingest_key" ? "right-key" : nil },
        append: { append, reply in
          let closed = StoreError(code: "closed", description: "closed")
          guard let house = store.value else { return reply(.failure(closed)) }
          Task { reply(await house.append(append)) }
        },
        refuse: { refusal in store.value?.ledger.withLock { $0.refusals.append(refusal) } }),
      quarantine: quarantine, log: log.writer)
    store.value = self
  }

  deinit {
    let folder = Folder(path: directory + "/quarantine")
    for name in (try? folder.files().map(\.name)) ?? [] { _ = try? folder.remove(name) }
    rmdir(folder.path)
    rmdir(directory)
  }

  private func append(_ append: Append) async -> Result<AppendOutcome, StoreError> {
    await gate()
    return ledger.withLock { ledger in
      if let fault = ledger.fault { return .failure(fault) }
      if let key = append.dedupe?.key, let id = ledger.known[key] { return .success(.duplicate(id)) }
      let id = EventID(sequence: Int64(ledger.appended.count + 1), tag: 9)
      ledger.appended.append(append)
      if let key = append.dedupe?.key { ledger.known[key] = id }
      return .success(.accepted(Event(id: id, content: append.content), append.plan, hot: []))
    }
  }

  /// Runs the listener while `body` runs; then stops it gracefully and returns when it has stopped.
  func open(
    limits: HTTPLimits = HTTPLimits(),
    _ body: @escaping @Sendable (_ port: Int, _ stop: @escaping @Sendable () async -> Void) async throws -> Void
  ) async throws {
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let listener = HTTPListener(
      address: ListenAddress(host: "127.0.0.1", port: 0), service: controller.service, limits: limits,
      logger: log.writer.logger("http"), onListening: { port.yield($0) })
    let group = ServiceGroup(services: [listener], logger: log.writer.logger("services"))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      for await port in ports {
        try await body(port) { await group.triggerGracefulShutdown() }
        break
      }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }
}

/// A reference that is filled in later.
final class Weak<Value: AnyObject & Sendable>: Sendable {
  private struct Held: Sendable { weak var value: Value? }
  private let held = Mutex(Held())
  var value: Value? {
    get { held.withLock { $0.value } }
    set { held.withLock { $0.value = newValue } }
  }
}

/// A log that the test can read, in an unnamed file.
final class TestLog: Sendable {
  let writer: LogWriter
  private let descriptor: Int32

  init() throws {
    var template = Array("/tmp/divert-log-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    unlink(template)
    try #require(descriptor >= 0)
    writer = LogWriter(level: .debug, descriptor: descriptor)
  }

  var text: String {
    writer.flush()
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}

/// A signal that is given once.
final class Signal: Sendable {
  private let stream: AsyncStream<Void>
  private let source: AsyncStream<Void>.Continuation
  init() { (stream, source) = AsyncStream.makeStream() }
  func give() { source.finish() }
  func wait() async { for await _ in stream {} }
}

enum Posts {
  static func event(_ callID: String = "call_1", name: String = "CALL_REJECTED") -> String {
    """
    {"event":"\(name)","callId":"\(callID)","customerNumber":"919876543210","callDirection":"INCOMING",\
    "callEndedAt":"2026-01-15T10:30:25.000Z"}
    """
  }

  /// A request to the source with a key.
  static func post(body: String, type: String? = "application/json", headers: String = "") -> String {
    post("/in/doubletick/right-key/call-rejected", body, type: type, headers: headers)
  }

  static func post(
    _ path: String, _ body: String, type: String? = "application/json",
    method: String = "POST", headers: String = ""
  ) -> String {
    let type = type.map { "content-type: \($0)\r\n" } ?? ""
    return "\(method) \(path) HTTP/1.1\r\nhost: x\r\n\(type)content-length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
  }
}

/// Keeps a request in flight until the test lets it go on.
final class Hold: Sendable {
  private let gate = AsyncStream.makeStream(of: Never.self)
  private let entered = AsyncStream.makeStream(of: Never.self)

  func wait() async {
    entered.continuation.finish()
    for await _ in gate.stream {}
  }

  func open() { gate.continuation.finish() }

  /// Returns when a request is held.
  func reached() async { for await _ in entered.stream {} }
}
