// What routes remember as one would write it without a disk: a list of what came, gone through anew for each question.

import DivertCore

/// What the walk of memory compares a store with: `Remembering.table` word by word.
struct MemoryModel {
  struct Came {
    var event: Event
    var isRejected: Bool { event.fields.name == "CALL_REJECTED" }
    var phone: String? { event.fields.customerPhone }
    var at: Timestamp { event.fields.at }
    var mark: String { event.fields.callID ?? event.id.description }
  }
  struct Claim {
    var phone: String
    var at: Timestamp
    var holder: String
  }

  /// In the order in which they were stored.
  var came: [Came] = []
  var acted: [Claim] = []
  var throttled: [Claim] = []
  /// Openers of promises.
  var hopes: [EventID] = []

  /// Takes an event in; the routes that act for it.
  mutating func accept(_ event: Event, planned: Bool) -> [String] {
    let new = Came(event: event)
    came.append(new)
    guard planned, new.isRejected else { return [] }
    var routes: [String] = []
    if calls(around: new) >= 2 { routes.append("twice") }
    if actsOnce(new) { routes.append("once") }
    if new.phone != nil { hopes.append(event.id) }
    return routes + ["hope", "calm"]
  }

  /// Every window that holds the event is looked at.
  private func calls(around new: Came) -> Int {
    guard let phone = new.phone else { return 0 }
    let of = came.filter { $0.isRejected && $0.phone == phone }
    let windows = of.map(\.at).filter { $0 <= new.at && new.at < $0 + Remembering.within }
    return windows.map { first in
      Set(of.filter { $0.at >= first && $0.at < first + Remembering.within }.map(\.mark)).count
    }.max() ?? 0
  }

  private mutating func actsOnce(_ new: Came) -> Bool {
    guard let phone = new.phone else { return true }
    let near = acted.contains { $0.phone == phone && distance($0.at, new.at) < Remembering.period }
    if !near { acted.append(Claim(phone: phone, at: new.at, holder: new.mark)) }
    return !near
  }

  private func distance(_ a: Timestamp, _ b: Timestamp) -> Span { max(a - b, b - a) }

  /// Whether a message goes out now.
  mutating func isLetOut(_ delivery: DeliveryID, phone: String, now: Timestamp) -> Bool {
    let recent = throttled.filter { $0.phone == phone && distance($0.at, now) < Remembering.within }
    let holder = delivery.description
    if !recent.isEmpty, !recent.contains(where: { $0.holder == holder }) { return false }
    throttled.append(Claim(phone: phone, at: now, holder: holder))
    return true
  }

  /// What keeps the promise of an event: those that came between it and the deadline, whenever they were stored.
  func keepers(of opener: EventID) -> [Came] {
    guard let hope = came.first(where: { $0.event.id == opener }) else { return [] }
    return came.filter {
      $0.event.fields.name == "CALL_ACCEPTED" && $0.phone == hope.phone && $0.at > hope.at
        && $0.at <= hope.at + Remembering.patience
    }.sorted { ($0.at, $0.event.id.sequence) < ($1.at, $1.event.id.sequence) }
  }

  /// How it stands when everybody has given up.
  func standing(of opener: EventID, judgedAt: Timestamp) -> Promise.Standing {
    let keepers = keepers(of: opener)
    if keepers.isEmpty { return .broken }
    let inTime = keepers.contains { $0.event.id.sequence < opener.sequence || $0.event.receivedAt <= judgedAt }
    return inTime ? .kept : .keptReportedLate
  }
}
