// What the store's tests share: a store in a folder of its own, and short ways to make events and deliveries.

import DivertCore
import DivertStore
import FoundationEssentials
import Testing

/// A folder that goes with the test.
final class Folder: Sendable {
  let path: String

  init() {
    path = FileManager.default.temporaryDirectory.path + "/divert-store-\(UUID().uuidString)"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func copy(_ name: String, to other: Folder) throws {
    try FileManager.default.copyItem(atPath: path + "/" + name, toPath: other.path + "/" + name)
  }
}

/// 2026-01-15T10:30:25Z.
let start = Timestamp(milliseconds: 1_768_473_025_000)

extension RouteTable {
  static func version(_ version: String) -> RouteTable {
    var parts = Parts()
    parts.version = version
    return RouteTable(parts)
  }
}

extension PlannedDelivery {
  static func to(
    _ target: String, key: String? = nil, due: Timestamp = start, person: Bool = false, send: String = "0",
    route: String = "r"
  ) -> PlannedDelivery {
    PlannedDelivery(
      route: route, send: send, target: target, action: "a", orderKey: key, due: due, toPerson: person)
  }
}

extension Append {
  static func event(
    _ planned: [PlannedDelivery] = [], at time: Timestamp = start, source: String = "doubletick",
    phone: String? = "+919876543210", callID: String? = nil, dedupe: DedupeEntry? = nil, congested: Set<String> = [],
    body: String = #"{"event":"CALL_REJECTED","n":12345678901234567}"#
  ) -> Append {
    var fields = Event.Fields(name: "CALL_REJECTED", at: time)
    fields.customerPhone = phone
    fields.callID = callID
    let bytes = Array(body.utf8)
    return Append(
      source: source, receivedAt: time, fields: fields, body: bytes, raw: (try? JSONValue.parse(bytes)) ?? .null,
      dedupe: dedupe, planned: planned, table: .version("v1"), congested: congested)
  }
}

extension Attempt {
  static func ended(_ outcome: AttemptOutcome, at time: Timestamp = start) -> Attempt {
    Attempt(
      startedAt: time, duration: .milliseconds(12), status: outcome == .ok ? 200 : 500, outcome: outcome,
      reason: Reason("http_status", "the target said \"so\"\n"), answer: "{\"é\":1}")
  }
}

extension AppendOutcome {
  var event: Event? { if case .accepted(let event, _, _) = self { event } else { nil } }
  var hot: [Int]? { if case .accepted(_, _, let hot) = self { hot } else { nil } }
  var duplicateOf: EventID? { if case .duplicate(let id) = self { id } else { nil } }
}

extension ReplayOutcome {
  var planned: DeliveryID? { if case .planned(let id) = self { id } else { nil } }
  var refused: String? { if case .refused(let reason) = self { reason.code } else { nil } }
}

extension PackedState {
  static func delivered() -> PackedState {
    .ended(.delivered, reason: Reason("ok", "taken"), attempt: .ended(.ok))
  }
}

extension Store {
  /// Commits one batch that `fill` fills.
  @discardableResult
  func commit(now: Timestamp = start, _ fill: (inout StoreBatch) -> Void) throws(StoreError) -> StoreReceipt {
    var batch = StoreBatch()
    fill(&batch)
    return try commit(batch, now: now)
  }

  /// Accepts one event.
  func accept(_ append: Append, now: Timestamp = start) throws -> Event {
    try #require(try commit(now: now) { $0.appends = [append] }.appends.first?.event)
  }

  func claim(_ target: String, limit: Int = 100, now: Timestamp = start) throws -> Claim {
    try #require(try claim([ClaimWish(target: target, limit: limit)], now: now).first)
  }

  /// Nothing is amiss.
  func expectBalance(_ place: SourceLocation = #_sourceLocation) throws {
    let audit = try audit()
    #expect(audit.problems == [], sourceLocation: place)
    #expect(audit.lines.filter { !$0.holds } == [], sourceLocation: place)
  }
}

extension Delivery {
  func put(_ state: DeliveryState, due: Timestamp? = nil, attempt: Attempt? = nil) -> Delivery {
    var changed = self
    changed.state = state
    if let due { changed.due = due }
    if let attempt {
      changed.attempts.append(attempt)
      changed.counted += 1
      changed.firstAttemptAt = changed.firstAttemptAt ?? attempt.startedAt
    }
    changed.reason = state == .waiting && attempt == nil ? nil : Reason("why", "because")
    return changed
  }
}
