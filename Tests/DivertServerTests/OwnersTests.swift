// The owners together, over a real store: what operators order is on disk, and nothing on its way is missed.

import DivertConfig
import DivertCore
import DivertStore
import FoundationEssentials
import Synchronization
import Testing

@testable import DivertServer

@Suite("Owners") struct OwnersTests {
  /// Running owners in a folder of their own; the targets' addresses are never asked, since the tests pause them.
  private final class House: Sendable {
    let folder = FileManager.default.temporaryDirectory.path + "/divert-owners-\(UUID().uuidString)"
    let store: SQLiteStore
    let owners: Owners
    let log: TestLog

    init() throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      store = try SQLiteStore.open(folder: folder, sandbox: false)
      log = try TestLog()
      let table = try #require(ConfigLoader.load(text: OperatorHouse.routes, file: "routes.yaml").table)
      owners = Owners(
        options: ServeOptions(),
        configuration: LoadedConfiguration(
          table: table, bundle: ConfigBundle(main: .init(name: "routes.yaml", text: OperatorHouse.routes)),
          sandboxAnswers: [:]),
        store: store, letters: DeadLetterDirectory(path: folder + "/dead-letters"),
        secrets: CachedSecrets(SecretStore(folder: folder, environment: [:])), writer: log.writer)
      try owners.start(emulator: nil, verdicts: [:])
    }

    deinit {
      try? store.close()
      try? FileManager.default.removeItem(atPath: folder)
    }

    func append(_ call: Int) async throws {
      var fields = Event.Fields(name: "CALL_REJECTED", at: WallClock.now())
      fields.direction = "INCOMING"
      fields.callID = "c\(call)"
      fields.customerPhone = "+919876543210"
      let raw: JSONValue = ["event": "CALL_REJECTED"]
      let sketch = Event(
        id: EventID(sequence: 0, tag: 0), source: "doubletick", receivedAt: fields.at, fields: fields,
        body: raw.encoded(), raw: raw)
      let append = Append(sketch.content, dedupe: nil, plan: owners.table.plan(sketch), table: owners.table)
      let result = await withCheckedContinuation { continuation in
        owners.database.post(.append(append) { continuation.resume(returning: $0) })
      }
      _ = try result.get()
    }
  }

  @Test("a pause is on disk with its reason, a resume takes it off, and a stop is clean")
  func rulings() async throws {
    let house = try House()
    try await house.owners.rule("crm", pause: Reason("paused", "the CRM moves house"))
    #expect(try house.store.targetStates()["crm"]?.reason.sentence == "the CRM moves house")
    try await house.owners.rule("crm", pause: nil)
    #expect(try house.store.targetStates().isEmpty)
    await house.owners.stop(grace: .zero)
    #expect(house.owners.stoppedClean)
  }

  @Test("a cancel ends every waiting delivery, wherever between memory and disk it is")
  func cancel() async throws {
    let house = try House()
    try await house.owners.rule("crm", pause: Reason("paused", "by hand"))
    for call in 0..<50 { try await house.append(call) }
    let order = Cancel(route: nil, target: "crm", event: nil, reason: Reason("cancelled", "by hand"), limit: 1000)
    #expect(try await house.owners.cancel(order) == 100)
    let standing = try house.store.totals().targets["crm"]
    #expect(standing?.planned == 100 && standing?.skipped == 100)
    #expect(try house.store.audit().problems.isEmpty)
    await house.owners.stop(grace: .zero)
  }
}

@Suite("What the database thread has in hand") struct BacklogTests {
  func append(_ source: String) -> Append {
    let raw: JSONValue = ["n": 1]
    return Append(
      source: source, receivedAt: WallClock.now(), fields: Event.Fields(name: "X", at: WallClock.now()),
      body: raw.encoded(), raw: raw, dedupe: nil, planned: [], table: RouteTable(RouteTable.Parts()), congested: [])
  }

  @Test("after a failed commit askers are told, and what nobody sends again is kept, in order")
  func failed() {
    let refused = Mutex(0)
    var backlog = Backlog()
    var pause = StoreBatch()
    pause.alarms["store"] = .some("full")
    backlog.take(
      [
        .append(append("divert"), reply: nil),
        .append(append("doubletick"), reply: { if case .failure = $0 { refused.withLock { $0 += 1 } } }),
        .engine(turn: 7, pause, []),
      ], now: OperatorHouse.now)
    var group = backlog.nextGroup(10, congested: [])
    #expect(group.batch.appends.map(\.source) == ["divert", "doubletick"])
    backlog.putBack(&group, StoreError(code: "disk_full", description: "full"))
    backlog.take([.append(append("later"), reply: nil)], now: OperatorHouse.now)
    let next = backlog.nextGroup(10, congested: [])
    #expect(refused.withLock { $0 } == 1)
    #expect(next.batch.appends.map(\.source) == ["divert", "later"])
    #expect(next.turns.map(\.turn) == [7] && backlog.isEmpty)
  }
}

extension BacklogTests {
  @Test("a clock that is set back holds up no transaction that gathers")
  func clockSetBack() {
    let now = OperatorHouse.now
    var backlog = Backlog()
    backlog.take((0..<8).map { _ in .append(append("doubletick"), reply: nil) }, now: now)
    _ = backlog.nextGroup(10, congested: [])
    backlog.take([.append(append("doubletick"), reply: nil)], now: now)
    #expect(!backlog.wantsCommit(now) && backlog.wantsCommit(now + Backlog.gathering))
    let before = now + .hours(-1)
    #expect(backlog.wantsCommit(before) && backlog.wakeAt(before) == before + Backlog.gathering)
    _ = backlog.nextGroup(10, congested: [])
    backlog.take([.engine(turn: 1, StoreBatch(), [])], now: now)
    #expect(!backlog.wantsCommit(now) && backlog.wantsCommit(now + .milliseconds(10)) && backlog.wantsCommit(before))
  }
}

@Suite("Writing dead letters") struct LetterWriterTests {
  private func letter(_ target: String) -> DeadLetter {
    let raw: JSONValue = ["n": 1]
    let event = Event(
      id: EventID(sequence: 1 << 30, tag: 7), source: "doubletick", receivedAt: OperatorHouse.now,
      fields: Event.Fields(name: "X", at: OperatorHouse.now), body: raw.encoded(), raw: raw)
    let plan = PlannedDelivery(
      route: "r", send: "0", target: target, action: "a", orderKey: nil, due: OperatorHouse.now, toPerson: false)
    let delivery = Delivery(id: DeliveryID(event: event.id, ordinal: 0), plan: plan, version: "v1")
    return DeadLetter(delivery: delivery, event: event, request: nil, diedAt: OperatorHouse.now)
  }

  @Test("a letter that cannot be written is said, and holds up no other")
  func oneBad() async throws {
    let folder = FileManager.default.temporaryDirectory.path + "/divert-letters-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    // A file where the target's folder should be.
    #expect(FileManager.default.createFile(atPath: folder + "/bad", contents: nil))
    let (facts, say) = AsyncStream.makeStream(of: String.self)
    let writer = LetterWriter(
      directory: DeadLetterDirectory(path: folder),
      buried: { for token in $0 { say.yield("buried \(token.rawValue)") } },
      failed: { say.yield($0 == nil ? "well" : "ill") })
    writer.post(["bad", "good"].enumerated().map { .init(token: JobToken(rawValue: UInt64($0)), letter: letter($1)) })
    writer.start()
    var heard: [String] = []
    for await fact in facts {
      heard.append(fact)
      if heard.count == 2 { try FileManager.default.removeItem(atPath: folder + "/bad") }
      if heard.count == 4 { break }
    }
    #expect(Set(heard) == ["buried 1", "ill", "buried 0", "well"] && heard.first == "buried 1")
    writer.stop()
  }
}
