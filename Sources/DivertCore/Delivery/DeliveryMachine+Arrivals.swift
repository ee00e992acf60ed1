// How deliveries come into the machine: with a new event, claimed from disk, or recovered after a restart; and how they queue.

/// What becomes of a delivery whose request was under way when the process ended.
package enum Interruption: Sendable, Hashable {
  /// A second request does no harm.
  case again
  /// It ends as dead(ambiguous).
  case park
  /// Its target is asked whether it arrived, this long from now.
  case verify(after: Span)
}

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
    if claim.target == ClaimWish.expiring { return claimedExpired(claim, now: now) }
    let target = gate(claim.target)
    gates[target].claiming = false
    gates[target].diskDue = claim.nextDue
    if claim.nextDue.map({ $0 > now }) ?? true { gates[target].backlog = false }
    // Asked before the order to give up: all that waits is still to be asked for.
    if gates[target].givingUp != nil, !gates[target].claimsAll { gates[target].diskDue = now }
    // Some are left and none came: the store cannot read them. The order to give them up ends undone.
    if claim.deliveries.isEmpty, claim.nextDue != nil, gates[target].claimsAll { endGivingUp(target) }
    for found in claim.deliveries { queue(enter(found.delivery, found.event, packed: false), now) }
    touch(target)
  }

  /// A delivery was found `sending` after a restart: nobody knows whether it arrived.
  package mutating func interrupted(_ found: ClaimedDelivery, _ verdict: Interruption, now: Timestamp) {
    let slot = enter(found.delivery, found.event, packed: false)
    switch verdict {
    case .again: break
    case .verify(let after):
      jobs[slot].delivery.memo.isUncertain = true
      jobs[slot].delivery.due = now + after
    case .park:
      gates[jobs[slot].target].inFlight += 1
      return die(
        slot, Reason("ambiguous", "the router stopped while the request was under way; whether it arrived is not known")
      )
    }
    jobs[slot].delivery.state = .waiting
    spill(slot)
  }

  /// Rows became free on disk, or will expire there.
  package mutating func waiting(_ due: [String: Timestamp]) {
    for (name, time) in due {
      if name == ClaimWish.expiring {
        expiryDue = min(expiryDue ?? time, time)
        continue
      }
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
      lines[key]?.queue = target
      jobs[slot].head = true
      return makeReady(slot)
    }
    follow(slot, key)
  }

  /// Behind the head of its line, and in the memory of the target in whose queue that stands.
  private mutating func follow(_ slot: Int, _ key: LineKey) {
    let queue = lines[key]?.queue ?? jobs[slot].target
    if queue != jobs[slot].target, gates[queue].queued >= capacity(queue) { return spill(slot) }
    jobs[slot].phase = .following
    watchExpiry(slot)
    count(slot, in: queue)
    lines[key]?.followers.append(slot)
  }

  /// The job counts as queued from now on.
  mutating func count(_ slot: Int, in queue: Int) {
    jobs[slot].queuedIn = queue
    gates[queue].queued += 1
  }

  /// The job is queued no longer.
  mutating func uncount(_ slot: Int) {
    gates[jobs[slot].queuedIn].queued -= 1
    if jobs[slot].queuedIn != jobs[slot].target { touch(jobs[slot].queuedIn) }
  }

  /// Whether one more may wait in memory: an open target's up to its capacity, a closed one's only to probe it.
  mutating func hasRoom(_ target: Int, _ now: Timestamp) -> Bool {
    if gates[target].isOpen || gates[target].givingUp != nil {
      return gates[target].queued < capacity(target) && (!isBarred(target) || gates[target].givingUp != nil)
    }
    return gates[target].queued == 0 && gates[target].passage(now) == .go
  }

  mutating func makeReady(_ slot: Int) {
    let target = jobs[slot].target
    jobs[slot].phase = .ready
    watchExpiry(slot)
    count(slot, in: target)
    if gates[target].desk != nil, gathers(slot) { gather(slot) } else { gates[target].ready.append(slot) }
    touch(target)
  }

  func lineKey(_ slot: Int) -> LineKey? {
    guard let key = jobs[slot].delivery.plan.orderKey, jobs[slot].delivery.replayOf == nil else { return nil }
    return LineKey(target: jobs[slot].home, key: key)
  }

  /// Puts a job that is in no queue back on disk, unattempted, as a waiting row. Later ones of its key go behind it there.
  mutating func spill(_ slot: Int) {
    if let key = lineKey(slot) { settle(key) }
    keepRow(slot)
    leave(slot)
  }

  /// Commits the job's delivery as a row of its own.
  mutating func keepRow(_ slot: Int) {
    // What is given up is not prepared any more: it is claimed where it dies.
    if gates[jobs[slot].home].givingUp != nil { jobs[slot].delivery.queue = nil }
    pending.batch.rows.append(jobs[slot].delivery)
    gates[jobs[slot].target].lastEnd = turn + 1
    gates[jobs[slot].home].lastEnd = turn + 1
    if jobs[slot].packed {
      ledger.set(jobs[slot].delivery.id, .row, now: jobs[slot].delivery.due)
      jobs[slot].packed = false
    }
  }

  /// Puts everything back on disk that waits in memory for a target, in order, so that nothing is held there while it is closed.
  mutating func spillAll(_ target: Int) {
    while let slot = gates[target].ready.popFirst() {
      uncount(slot)
      let key = lineKey(slot)
      spill(slot)
      if let key { closeLine(key) }
    }
    for slot in gates[target].desk?.drain() ?? [] {
      uncount(slot)
      let key = lineKey(slot)
      spill(slot)
      if let key { closeLine(key) }
    }
  }

  /// The head of a line went back to disk: its followers go behind it.
  mutating func closeLine(_ key: LineKey) {
    lines[key]?.headed = false
    while let follower = lines[key]?.followers.popFirst() {
      uncount(follower)
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
