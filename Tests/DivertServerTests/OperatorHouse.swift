// What the operator interface's tests share: a real store, a real dead-letter directory and real routes in a folder of their own.

import DivertConfig
import DivertCore
import DivertServer
import DivertStore
import FoundationEssentials
import Testing

/// A data folder with a configuration, worked on in-process as the command line does while no router runs.
final class OperatorHouse: Sendable {
  static let routes = """
    version: 1
    timezone: Asia/Kolkata
    sources:
      doubletick: { type: doubletick }
    targets:
      crm:
        url: https://crm.example.com/api
        auth: { bearer: "{{ secrets.crm_token }}" }
        actions:
          log: { post: /calls, body: { call: "{{ call.id }}", note: first } }
          text: { post: /texts, to_person: true, body: { to: "{{ customer.phone }}" } }
    routes:
      declined:
        when: { event: CALL_REJECTED, direction: INCOMING }
        send: [crm.log, crm.text]
      outgoing:
        when: { direction: OUTGOING }
        send: [crm.log]
    """
  /// 2026-01-15T10:30:25Z.
  static let now = Timestamp(milliseconds: 1_768_473_025_000)

  let folder: String
  let store: SQLiteStore
  let letters: DeadLetterDirectory
  let table: RouteTable
  let api: OperatorAPI
  private let context: OperatorContext

  /// `today`: the routes in force, where they are others than those that planned everything.
  init(today: String = routes) throws {
    let folder = FileManager.default.temporaryDirectory.path + "/divert-operator-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let table = try #require(ConfigLoader.load(text: Self.routes, file: "routes.yaml").table)
    let current = try #require(ConfigLoader.load(text: today, file: "routes.yaml").table)
    let store = try SQLiteStore.open(folder: folder, sandbox: false)
    try store.keepConfiguration(version: table.version, text: Self.routes, at: Self.now)
    let letters = DeadLetterDirectory(path: folder + "/dead-letters")
    let quarantine = Quarantine(folder: folder + "/quarantine", log: LogWriter()) {
      Quarantine.Bounds(files: 10, bytes: 1 << 20)
    }
    let context = OperatorContext(
      store: store, deadLetters: letters, quarantine: quarantine, retryQuarantined: { _ in nil }, live: nil,
      table: { current }, tableOfVersion: { $0 == table.version ? table : nil }, now: { Self.now })
    self.folder = folder
    self.store = store
    self.letters = letters
    self.table = table
    api = OperatorAPI(context)
    self.context = context
  }

  deinit {
    try? store.close()
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Writes a file of the data folder.
  func write(_ text: String, _ name: String) throws {
    let path = folder + "/" + name
    let parent = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
    try FileManager.default.createDirectory(atPath: String(parent), withIntermediateDirectories: true)
    _ = FileManager.default.createFile(atPath: path, contents: Data(text.utf8))
  }

  // MARK: Asking

  /// The status and the document of an answer.
  func ask(_ request: OperatorRequest) async -> (status: Int, body: JSONValue) { await ask(api, request) }

  /// The same interface as in a sandbox.
  func api(sandbox: SandboxDesk) -> OperatorAPI {
    var context = context
    context.sandbox = sandbox
    return OperatorAPI(context)
  }

  func ask(_ api: OperatorAPI, _ request: OperatorRequest) async -> (status: Int, body: JSONValue) {
    let response = await api.handle(request)
    guard case .whole(let bytes) = response.body else { return (response.status, .null) }
    return (response.status, (try? JSONValue.parse(bytes)) ?? .string(String(decoding: bytes, as: UTF8.self)))
  }

  func get(_ path: String, _ query: [String: String] = [:]) async -> (status: Int, body: JSONValue) {
    await ask(OperatorRequest("GET", path, query: query))
  }

  func post(_ path: String, _ body: JSONValue) async -> (status: Int, body: JSONValue) {
    await ask(OperatorRequest(post: path, body))
  }

  // MARK: What is in the store

  /// Accepts an event, with what the routes plan for it or with nothing; its deliveries have rows, or stand in the event's own.
  func accept(
    _ callID: String, direction: String = "INCOMING", planned: Bool = true, packed: Bool = false
  ) throws -> Event {
    var fields = Event.Fields(name: "CALL_REJECTED", at: Self.now)
    fields.direction = direction
    fields.callID = callID
    fields.customerPhone = "+919876543210"
    fields.customerName = "Rohan Mehta"
    let raw: JSONValue = ["event": "CALL_REJECTED", "callId": .string(callID), "customerNumber": "919876543210"]
    let sketch = Event(
      id: EventID(sequence: 0, tag: 0), source: "doubletick", receivedAt: Self.now, fields: fields, body: raw.encoded(),
      raw: raw)
    var batch = StoreBatch()
    batch.appends = [
      Append(
        source: "doubletick", receivedAt: Self.now, fields: fields, body: sketch.body, raw: raw, dedupe: nil,
        planned: planned ? table.plan(sketch).deliveries : [], table: table, congested: packed ? [] : ["crm"])
    ]
    guard case .accepted(let event, _, _) = try #require(store.commit(batch, now: Self.now).appends.first) else {
      throw StoreError(code: "other", description: "the event was taken for a duplicate")
    }
    return event
  }

  /// Makes an event's first delivery a dead letter: file, then row.
  func bury(_ event: Event, reason: String = "http_422") throws -> DeadLetter {
    let id = DeliveryID(event: event.id, ordinal: 0)
    var delivery = try #require(try store.delivery(id))
    delivery.state = .dead
    delivery.reason = Reason(reason, "the target refused it")
    let request = EditedRequest(
      method: "POST", url: "https://crm.example.com/api/calls",
      headers: [
        HTTPHeader("Content-Type", "application/json"),
        HTTPHeader("Authorization", "Bearer {{ secrets.crm_token }}"),
        HTTPHeader("Idempotency-Key", IdempotencyKey.derive(event: event.id, plan: delivery.plan)),
      ],
      body: #"{"call":"\#(event.fields.callID ?? "")","note":"first"}"#)
    let letter = DeadLetter(delivery: delivery, event: event, request: request, diedAt: Self.now)
    try letters.write([letter])
    var batch = StoreBatch()
    batch.rows = [delivery]
    _ = try store.commit(batch, now: Self.now)
    return letter
  }

  /// The names of the files on a shelf.
  func shelf(_ shelf: DeadLetterDirectory.Shelf) throws -> Int { try Array(letters.entries(on: shelf)).count }
}
