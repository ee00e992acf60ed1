// The store as one would write it without a disk: arrays, and the promises of `Store` word by word.

import DivertCore

/// What the random walk compares a store with.
struct StoreModel {
  struct Row: Hashable {
    var state: DeliveryState
    var due: Timestamp
    var target: String
    var key: String?
    var plannedDue: Timestamp
    /// Of a replay: the delivery that it replays.
    var replayOf: Int?
    var id: DeliveryID
    var isRow: Bool
    var expires: Timestamp?
    var held: Timestamp?
  }

  var rows: [DeliveryID: Row] = [:]
  var claimed: Set<DeliveryID> = []
  var planned: [EventID: Int] = [:]
  var atAcceptance: [EventID: Int] = [:]

  private func precedes(_ a: Row, _ b: Row) -> Bool {
    (a.held ?? a.plannedDue, a.id.event.sequence, a.id.ordinal)
      < (b.held ?? b.plannedDue, b.id.event.sequence, b.id.ordinal)
  }

  func hasLine(_ target: String, _ key: String) -> Bool {
    rows.values.contains { $0.isRow && $0.target == target && $0.key == key && !$0.state.isFinal }
  }

  func isFree(_ row: Row) -> Bool {
    guard row.isRow, row.state == .waiting else { return false }
    guard let key = row.key else { return true }
    return !rows.values.contains {
      $0.isRow && $0.target == row.target && $0.key == key && !$0.state.isFinal && precedes($0, row)
    }
  }

  /// Free, unclaimed rows of a target, in the order in which they are handed out.
  func free(_ target: String) -> [Row] {
    rows.values.filter { $0.target == target && isFree($0) && !claimed.contains($0.id) }
      .sorted {
        ($0.due.milliseconds, $0.id.event.sequence, $0.id.ordinal)
          < ($1.due.milliseconds, $1.id.event.sequence, $1.id.ordinal)
      }
  }

  /// Unclaimed waiting rows that expire, the first first.
  func expiring() -> [Row] {
    rows.values.filter { $0.isRow && $0.state == .waiting && $0.expires != nil && !claimed.contains($0.id) }
      .sorted {
        ($0.expires ?? $0.due, $0.id.event.sequence, $0.id.ordinal)
          < ($1.expires ?? $1.due, $1.id.event.sequence, $1.id.ordinal)
      }
  }

  /// The code of the refusal; nil: it may be sent again.
  func refusal(_ id: DeliveryID) -> String? {
    guard rows[id]?.state == .dead else { return "not_dead" }
    let chain = rows.values.filter { $0.id.event == id.event && root($0.id) == root(id) }
    if chain.contains(where: { !$0.state.isFinal }) { return "replay_alive" }
    return chain.contains { $0.state == .delivered } ? "already_replayed" : nil
  }

  private func root(_ id: DeliveryID) -> Int {
    var ordinal = id.ordinal
    while let above = rows[DeliveryID(event: id.event, ordinal: ordinal)]?.replayOf { ordinal = above }
    return ordinal
  }

  func count(_ target: String, _ states: Set<DeliveryState>) -> Int {
    rows.values.count { $0.target == target && states.contains($0.state) }
  }

  func states(_ event: EventID) -> [PackedState] {
    (0..<(atAcceptance[event] ?? 0)).map { ordinal in
      guard let row = rows[DeliveryID(event: event, ordinal: ordinal)] else { return .open }
      if row.isRow { return .row }
      return row.state == .waiting ? .open : .delivered()
    }
  }
}
