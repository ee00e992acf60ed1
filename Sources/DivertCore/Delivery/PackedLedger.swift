// How the deliveries stand that live in their event's row, so that the row is written once when all have ended at once.

/// Keeps the states of open events in memory; an outcome waits a moment for its siblings, so that they share one update.
struct PackedLedger: Sendable {
  /// How long an outcome waits for its siblings' before it is written alone.
  static let patience = Span.milliseconds(100)

  private struct Entry {
    var event: EventID
    var states: [PackedState]
    var open: Int
    var dirty = false
    var queued = false

    mutating func set(_ ordinal: Int, _ state: PackedState) -> Consequence {
      if states[ordinal] == .open { open -= 1 }
      states[ordinal] = state
      if open == 0 || state == .row {
        defer { queued = true }
        return queued ? .nothingNew : .writeNow
      }
      defer { dirty = true }
      return dirty ? .nothingNew : .waitForSiblings
    }
  }

  private enum Consequence {
    case writeNow, waitForSiblings, nothingNew
  }

  private struct Unwritten {
    var event: Int64
    var since: Timestamp
  }

  private var entries: [Int64: Entry] = [:]
  /// Events with unwritten outcomes, by when they became so.
  private var dirty = RingBuffer<Unwritten>()
  /// Events to write this turn.
  private var due: [Int64] = []

  /// Starts to follow an event; nothing if none of its packed deliveries is open.
  mutating func open(_ event: EventID, states: [PackedState]) {
    let open = states.count { $0 == .open }
    if open > 0 { entries[event.sequence] = Entry(event: event, states: states, open: open) }
  }

  /// A packed delivery ended, or got a row (`.row`, which must be committed in the same batch as the row).
  mutating func set(_ id: DeliveryID, _ state: PackedState, now: Timestamp) {
    let place = id.event.sequence
    // In place: a copy of the entry would copy its states.
    guard let index = entries.index(forKey: place) else { return }
    switch entries.values[index].set(id.ordinal, state) {
    case .writeNow: due.append(place)
    case .waitForSiblings: dirty.append(Unwritten(event: place, since: now))
    case .nothingNew: break
    }
  }

  /// What must be written now: events that are complete, have new rows, or were patient long enough (`all`: every unwritten one).
  mutating func take(now: Timestamp, all: Bool = false) -> [PackedUpdate] {
    while let first = dirty.first, all || now - first.since >= Self.patience {
      _ = dirty.popFirst()
      guard let entry = entries[first.event], entry.dirty, !entry.queued else { continue }
      entries[first.event]?.queued = true
      due.append(first.event)
    }
    if due.isEmpty { return [] }
    var updates: [PackedUpdate] = []
    updates.reserveCapacity(due.count)
    for place in due { write(place, into: &updates) }
    due.removeAll(keepingCapacity: true)
    return updates
  }

  private mutating func write(_ place: Int64, into updates: inout [PackedUpdate]) {
    guard let entry = entries[place] else { return }
    updates.append(PackedUpdate(event: entry.event, states: entry.states))
    if entry.open == 0 { return entries[place] = nil }
    entries[place]?.dirty = false
    entries[place]?.queued = false
  }

  /// When `take` has something to do again; nil: not before another outcome.
  var nextAt: Timestamp? { dirty.first.map { $0.since + Self.patience } }
  var count: Int { entries.count }
}
