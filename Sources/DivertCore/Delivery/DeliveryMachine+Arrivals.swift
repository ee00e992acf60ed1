// How deliveries come into the machine: with a new event, claimed from disk, or recovered after a restart; and how they queue.

extension DeliveryMachine {
  /// An event was committed; `hot` are its packed deliveries, which the machine now owns.
  package mutating func planned(
    _ event: Event, version: String, planned: [PlannedDelivery], hot: [Int], now: Timestamp
  ) {
    if hot.isEmpty { return }
    var states = [PackedState](repeating: .row, count: planned.count)
    for ordinal in hot { states[ordinal] = .open }
    follow(event, version: version, planned: planned, states: states, keyed: true, now: now)
  }

  /// An event with open packed deliveries was found after a restart. `verdicts`: deliveries whose dead letters are on file
  /// already; their rows follow. Those with an order key get rows: an earlier one of the key may have had one when the process
  /// ended, and only the store knows.
  package mutating func recovered(_ found: RecoveredEvent, verdicts: [DeliveryID: Delivery] = [:], now: Timestamp) {
    follow(
      found.event, version: found.version, planned: found.planned, states: found.states, keyed: false,
      verdicts: verdicts, now: now)
  }

  private mutating func follow(
    _ event: Event, version: String, planned: [PlannedDelivery], states: [PackedState], keyed: Bool,
    verdicts: [DeliveryID: Delivery] = [:], now: Timestamp
  ) {
    ledger.open(event.id, states: states)
    for ordinal in states.indices where states[ordinal] == .open {
      let id = DeliveryID(event: event.id, ordinal: ordinal)
      if !verdicts.isEmpty, let dead = verdicts[id] {
        pending.batch.rows.append(dead)
        ledger.set(id, .row, now: now)
        continue
      }
      let slot = enter(Delivery(id: id, plan: planned[ordinal], version: version), event, packed: true)
      if keyed || lineKey(slot) == nil { queue(slot, now) } else { spill(slot) }
    }
  }

  /// The answer to a claim; every wish has one, if only an empty one. Answers and `committed` come in the order in which the store
  /// did them.
  package mutating func claimed(_ claim: Claim, now: Timestamp) {
    let target = gate(claim.target)
    gates[target].claiming = false
    gates[target].diskDue = claim.nextDue
    if claim.nextDue.map({ $0 > now }) ?? true { gates[target].backlog = false }
    // Some are left and none came: the store cannot read them. The order to give them up ends undone.
    if claim.deliveries.isEmpty, claim.nextDue != nil { endGivingUp(target) }
    for found in claim.deliveries { queue(enter(found.delivery, found.event, packed: false), now) }
    touch(target)
  }

  /// A delivery was found `sending` after a restart: nobody knows whether it arrived. `park` ends it as dead(ambiguous),
  /// else it waits for another attempt.
  package mutating func interrupted(_ found: ClaimedDelivery, park: Bool, now: Timestamp) {
    let slot = enter(found.delivery, found.event, packed: false)
    if !park {
      jobs[slot].delivery.state = .waiting
      return spill(slot)
    }
    gates[gate(found.delivery.plan.target)].inFlight += 1
    die(
      slot, Reason("ambiguous", "the router stopped while the request was under way; whether it arrived is not known"))
  }

  /// Rows became free on disk.
  package mutating func waiting(_ due: [String: Timestamp]) {
    for (name, time) in due {
      let target = gate(name)
      gates[target].diskDue = min(gates[target].diskDue ?? time, time)
      touch(target)
    }
  }

  /// Puts a job into its target's queue, behind others of its order key.
  private mutating func queue(_ slot: Int, _ now: Timestamp) {
    let (target, packed) = (jobs[slot].target, jobs[slot].packed)
    touch(target)
    if packed && jobs[slot].delivery.due > now || !hasRoom(target, now) { return spill(slot) }
    guard let key = lineKey(slot) else { return makeReady(slot) }
    // A row that is claimed after the commit was freed by the store: it is the first of its line.
    if let settling = lines[key]?.settling, packed || settling > committedTurn { return spill(slot) }
    if lines[key]?.headed != true {
      lines[key, default: Line()].headed = true
      jobs[slot].head = true
      return makeReady(slot)
    }
    jobs[slot].phase = .following
    gates[target].queued += 1
    lines[key]?.followers.append(slot)
  }

  /// Whether one more may wait in memory: an open target's up to its capacity, a closed one's only to probe it.
  private mutating func hasRoom(_ target: Int, _ now: Timestamp) -> Bool {
    if gates[target].isOpen || gates[target].givingUp != nil { return gates[target].queued < capacity(target) }
    return gates[target].queued == 0 && gates[target].passage(now) == .go
  }

  mutating func makeReady(_ slot: Int) {
    let target = jobs[slot].target
    jobs[slot].phase = .ready
    gates[target].queued += 1
    gates[target].ready.append(slot)
    touch(target)
  }

  func lineKey(_ slot: Int) -> LineKey? {
    guard let key = jobs[slot].delivery.plan.orderKey, jobs[slot].delivery.replayOf == nil else { return nil }
    return LineKey(target: jobs[slot].target, key: key)
  }

  /// Puts a job that is in no queue back on disk, unattempted, as a waiting row. Later ones of its key go behind it there.
  mutating func spill(_ slot: Int) {
    if let key = lineKey(slot) { settle(key) }
    keepRow(slot)
    leave(slot)
  }

  /// Commits the job's delivery as a row of its own.
  mutating func keepRow(_ slot: Int) {
    pending.batch.rows.append(jobs[slot].delivery)
    gates[jobs[slot].target].lastEnd = turn + 1
    if jobs[slot].packed {
      ledger.set(jobs[slot].delivery.id, .row, now: jobs[slot].delivery.due)
      jobs[slot].packed = false
    }
  }

  /// Puts everything back on disk that waits in memory for a target, in order, so that nothing is held there while it is closed.
  mutating func spillAll(_ target: Int) {
    while let slot = gates[target].ready.popFirst() {
      gates[target].queued -= 1
      let key = lineKey(slot)
      spill(slot)
      if let key { closeLine(key) }
    }
  }

  /// The head of a line went back to disk: its followers go behind it.
  mutating func closeLine(_ key: LineKey) {
    lines[key]?.headed = false
    while let follower = lines[key]?.followers.popFirst() {
      gates[key.target].queued -= 1
      spill(follower)
    }
    settle(key)
  }

  /// From now on arrivals of this key go to disk, until this turn's batch is committed.
  private mutating func settle(_ key: LineKey) {
    if lines[key]?.settling == turn + 1 { return }
    turnNeeded = true
    lines[key, default: Line()].settling = turn + 1
    settlingLines.append(Pending(turn: turn + 1, value: key))
  }

  /// Lines whose rows are on disk may have arrivals in memory again. At the end of a turn, so that a delivery that was packed in the
  /// very transaction that wrote its predecessor's row is not taken for the first.
  mutating func freeSettledLines() {
    while let first = settlingLines.first, first.turn <= committedTurn {
      _ = settlingLines.popFirst()
      guard let line = lines[first.value], line.settling == first.turn else { continue }
      if line.headed { lines[first.value]?.settling = nil } else { lines[first.value] = nil }
    }
  }
}
