// A small model of the store for the delivery machine's walk: its promises in the plainest words, and an error for each broken one.

@testable import DivertCore

/// What the machine did that it must not do.
struct Illegal: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Rows, packed states, lines and claims; everything that it holds is on disk but for the claims.
struct ModelStore {
  struct Entry {
    var event: Event
    var planned: [PlannedDelivery]
    var states: [PackedState]
  }

  private(set) var events: [Int64: Entry] = [:]
  private(set) var rows: [DeliveryID: Delivery] = [:]
  private(set) var claimed: Set<DeliveryID> = []
  private(set) var rulings: [String: TargetRuling] = [:]
  private(set) var alarms: [String: String] = [:]
  private(set) var budgets: [BudgetHolder: BudgetCount] = [:]
  /// What memory was claimed by, a target.
  private(set) var claims: [String: [DeliveryID: Timestamp]] = [:]
  /// What follows deliveries that expired.
  private(set) var followed: [DeliveryID: DeliveryID] = [:]
  private var sequence: Int64 = 0
  private var ordinals: [Int64: Int] = [:]

  // MARK: Looking

  /// How a delivery stands on disk; nil: it is not there.
  func state(_ id: DeliveryID) -> DeliveryState? {
    if let row = rows[id] { return row.state }
    guard let entry = events[id.event.sequence], id.ordinal < entry.states.count else { return nil }
    if case .ended(let state, _, _) = entry.states[id.ordinal] { return state }
    return .waiting
  }

  func isPackedOpen(_ id: DeliveryID) -> Bool {
    guard let entry = events[id.event.sequence], id.ordinal < entry.states.count else { return false }
    return entry.states[id.ordinal] == .open
  }

  /// The target in whose queue a row waits.
  static func queue(_ row: Delivery) -> String { row.queue ?? row.plan.target }

  static func line(_ plan: PlannedDelivery, replay: Bool) -> String? {
    replay ? nil : plan.orderKey.map { "\(plan.target) \($0)" }
  }

  static func precedes(_ a: Delivery, _ b: Delivery) -> Bool {
    ((a.held ?? a.plan.due).milliseconds, a.id.event.sequence, a.id.ordinal)
      < ((b.held ?? b.plan.due).milliseconds, b.id.event.sequence, b.id.ordinal)
  }

  /// Waiting rows that are unclaimed and the first unfinished of their line.
  func free() -> [Delivery] {
    var first: [String: Delivery] = [:]
    var result: [Delivery] = []
    for row in rows.values where !row.state.isFinal {
      guard let line = Self.line(row.plan, replay: row.replayOf != nil) else {
        result.append(row)
        continue
      }
      if let other = first[line], Self.precedes(other, row) { continue }
      first[line] = row
    }
    return (result + first.values).filter { $0.state == .waiting && !claimed.contains($0.id) }
  }

  private func hasUnfinishedRow(_ plan: PlannedDelivery) -> Bool {
    guard let line = Self.line(plan, replay: false) else { return false }
    return rows.values.contains {
      !$0.state.isFinal && Self.line($0.plan, replay: $0.replayOf != nil) == line
    }
  }

  // MARK: Writing

  /// Stores an event; returns it with the ordinals that stay packed.
  mutating func append(_ planned: [PlannedDelivery], congested: Set<String>, now: Timestamp) -> (Event, hot: [Int]) {
    sequence += 1
    let id = EventID(sequence: sequence, tag: 7)
    let fields = Event.Fields(name: "CALL_REJECTED", at: now)
    let event = Event(id: id, source: "s", receivedAt: now, fields: fields, body: [], raw: .null)
    var states: [PackedState] = []
    for (ordinal, plan) in planned.enumerated() {
      let row =
        plan.toPerson || congested.contains(plan.target) || hasUnfinishedRow(plan) || plan.due > now + .seconds(1)
      states.append(row ? .row : .open)
      let delivery = Delivery(id: DeliveryID(event: id, ordinal: ordinal), plan: plan, version: "v")
      if row { rows[delivery.id] = delivery }
    }
    events[sequence] = Entry(event: event, planned: planned, states: states)
    ordinals[sequence] = planned.count
    return (event, states.indices.filter { states[$0] == .open })
  }

  /// Writes what the machine ordered.
  mutating func write(_ batch: StoreBatch) throws(Illegal) {
    for row in batch.rows { try put(row) }
    for update in batch.packed { try pack(update) }
    for followUp in batch.followUps { try follow(followUp) }
    for (name, ruling) in batch.targetStates { rulings[name] = ruling }
    for (cause, text) in batch.alarms { alarms[cause] = text }
    budgets.merge(batch.budgets) { $1 }
  }

  private mutating func put(_ row: Delivery) throws(Illegal) {
    if let old = rows[row.id] {
      if old.state.isFinal { throw Illegal("\(row.id) ended as \(old.state) and was written again as \(row.state)") }
    } else if !isPackedOpen(row.id) {
      throw Illegal("\(row.id) was written as a row though it is not open")
    }
    rows[row.id] = row
    claimed.remove(row.id)
  }

  private mutating func pack(_ update: PackedUpdate) throws(Illegal) {
    guard let entry = events[update.event.sequence] else { throw Illegal("\(update.event) is not stored") }
    for (ordinal, state) in update.states.enumerated() where state != entry.states[ordinal] {
      let id = DeliveryID(event: update.event, ordinal: ordinal)
      if entry.states[ordinal] != .open { throw Illegal("\(id) went from \(entry.states[ordinal]) to \(state)") }
      if state == .row, rows[id] == nil { throw Illegal("\(id) has no row in the batch that says so") }
    }
    for ordinal in update.states.indices where update.states[ordinal] != .row {
      let id = DeliveryID(event: update.event, ordinal: ordinal)
      if rows[id] != nil { throw Illegal("\(id) has a row, and its event says \(update.states[ordinal])") }
    }
    events[update.event.sequence]?.states = update.states
  }

  private mutating func follow(_ followUp: FollowUp) throws(Illegal) {
    let place = followUp.of.event.sequence
    if rows[followUp.of]?.state != .skipped { throw Illegal("\(followUp.of) is followed and has not ended") }
    if followed[followUp.of] != nil { throw Illegal("\(followUp.of) is followed twice") }
    for plan in followUp.planned {
      let id = DeliveryID(event: followUp.of.event, ordinal: ordinals[place, default: 0])
      ordinals[place, default: 0] += 1
      rows[id] = Delivery(id: id, plan: plan, version: followUp.version)
      followed[followUp.of] = id
    }
  }

  mutating func claim(_ ids: [DeliveryID]) { claimed.formUnion(ids) }
  mutating func keep(claim id: DeliveryID, of target: String, at time: Timestamp) {
    claims[target, default: [:]][id] = time
  }

  mutating func replay(_ original: Delivery, now: Timestamp) {
    let place = original.id.event.sequence
    let ordinal = ordinals[place, default: 0]
    ordinals[place] = ordinal + 1
    var plan = original.plan
    plan.due = now
    var delivery = Delivery(id: DeliveryID(event: original.id.event, ordinal: ordinal), plan: plan, version: "v")
    delivery.replayOf = original.id.ordinal
    rows[delivery.id] = delivery
    rows[original.id]?.replayedBy = ordinal
  }

  /// Ends waiting rows that nobody claimed; returns them.
  mutating func cancel(_ order: Cancel) -> [DeliveryID] {
    let meant = rows.values.filter {
      $0.state == .waiting && !claimed.contains($0.id) && order.covers($0.id, $0.plan)
    }
    for row in meant { rows[row.id]?.state = .skipped }
    return meant.map(\.id)
  }

  mutating func claim(_ wish: ClaimWish, now: Timestamp) -> Claim {
    if wish.target == ClaimWish.expiring { return claimExpired(wish, now: now) }
    let all = free().filter { Self.queue($0) == wish.target || wish.evenLater && $0.plan.target == wish.target }
      .sorted { ($0.due.milliseconds, $0.id.event.sequence) < ($1.due.milliseconds, $1.id.event.sequence) }
    let taken = all.filter { $0.due <= now || wish.evenLater }.prefix(wish.limit)
    claimed.formUnion(taken.map(\.id))
    return Claim(
      target: wish.target, deliveries: taken.compactMap { found($0) },
      nextDue: all.filter { !claimed.contains($0.id) }.map(\.due).min())
  }

  func found(_ row: Delivery) -> ClaimedDelivery? {
    events[row.id.event.sequence].map { ClaimedDelivery(delivery: row, event: $0.event) }
  }

  // MARK: Restarting

  /// The process ended: claims were in memory.
  mutating func forgetClaims() { claimed = [] }

  func recovered() -> [RecoveredEvent] {
    events.values.filter { $0.states.contains(.open) }.sorted { $0.event.id.sequence < $1.event.id.sequence }
      .map { RecoveredEvent(event: $0.event, version: "v", planned: $0.planned, states: $0.states) }
  }

  func interrupted() -> [ClaimedDelivery] { rows.values.filter { $0.state == .sending }.compactMap { found($0) } }

  func waitingTargets() -> [String: Timestamp] {
    var due = Dictionary(free().map { (Self.queue($0), $0.due) }, uniquingKeysWith: min)
    due[ClaimWish.expiring] = expiring().values.min()
    return due
  }

  /// Every delivery that was ever planned, with its state.
  func everything() -> [(DeliveryID, DeliveryState)] {
    var all: [DeliveryID: DeliveryState] = rows.mapValues(\.state)
    for (place, entry) in events {
      for ordinal in entry.states.indices {
        let id = DeliveryID(event: EventID(sequence: place, tag: 7), ordinal: ordinal)
        all[id] = state(id)
      }
    }
    return all.map { ($0.key, $0.value) }
  }
}
