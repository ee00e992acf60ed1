// What operators and a new configuration ask of the machine.

/// A target as the machine has it now.
package struct LiveStanding: Sendable, Hashable {
  package enum State: String, Sendable, Hashable {
    case open, paused, held, disabled
    /// Switched off in the configuration.
    case off
    /// Its circuit breaker is open.
    case broken
    /// It asked for less, or its rate limit is used up.
    case limited
  }
  package var state: State
  package var reason: Reason?
  package var since: Timestamp?
  package var probeAt: Timestamp?
  package var inFlight: Int
  package var queued: Int
  /// Attempts that ended since the start.
  package var attempts: [AttemptOutcome: Int]

  package init(
    state: State, inFlight: Int, queued: Int, reason: Reason? = nil, since: Timestamp? = nil, probeAt: Timestamp? = nil,
    attempts: [AttemptOutcome: Int] = [:]
  ) {
    self.state = state
    self.reason = reason
    self.since = since
    self.probeAt = probeAt
    self.inFlight = inFlight
    self.queued = queued
    self.attempts = attempts
  }
}

extension DeliveryMachine {
  /// Takes over the targets of a configuration, and at start-up the rulings that outlived the process. A target that is not
  /// among them keeps its last settings: it drains. A held one is tried at once, since the change may be the remedy.
  package mutating func configure(_ settings: [String: TargetSettings], rulings: [String: TargetRuling], now: Timestamp)
  {
    for (name, one) in settings {
      let target = gate(name, now: now)
      gates[target].configure(one, now: now)
      endGivingUp(target)
      if gates[target].ruling?.kind == .held { gates[target].probeAt = now }
      touch(target)
    }
    for (name, ruling) in rulings {
      let target = gate(name, now: now)
      gates[target].ruling = ruling
      gates[target].probeAt = now
      touch(target)
    }
  }

  /// Alarms that were up when the process ended, so that they are neither raised twice nor forgotten.
  /// After `configure`: the holds that still stand keep theirs.
  package mutating func restore(alarms: [String: String], now: Timestamp) {
    let ruled = gates.filter { $0.ruling != nil }.flatMap { ["hold:\($0.name)", "disable:\($0.name)"] }
    desk.restore(alarms, standing: Set(ruled), now: now)
  }

  /// Something else that people must know: once until `settle(alarm:)`.
  package mutating func raise(alarm cause: String, text: String) { desk.raise(cause, target: nil, text: text) }

  /// The cause is not there now; it is over when it stays away for an hour. For what comes and goes.
  package mutating func calm(alarm cause: String, now: Timestamp) { desk.calm(cause, target: nil, now: now) }

  /// The cause is over; nothing if it was not up.
  package mutating func settle(alarm cause: String, text: String) { desk.clear(cause, target: nil, text: text) }

  /// By hand: nothing goes to the target until it is resumed.
  package mutating func pause(_ name: String, _ reason: Reason, now: Timestamp) {
    let target = gate(name, now: now)
    let ruling = TargetRuling(kind: .paused, reason: reason, since: now)
    gates[target].ruling = ruling
    pending.batch.targetStates[name] = .some(ruling)
    touch(target)
  }

  /// By hand: whatever kept the target waiting is over; it is tried at once.
  package mutating func resume(_ name: String, now: Timestamp) { lift(gate(name, now: now)) }

  /// Ends the deliveries in memory that are meant and not under way, as skipped. Returns how many. Those on disk are the store's.
  package mutating func cancel(_ order: Cancel, now: Timestamp) -> Int {
    let meant = jobs.indices.filter { slot in
      let job = jobs[slot]
      guard job.phase == .ready || job.phase == .following else { return false }
      return order.covers(job.delivery.id, job.delivery.plan)
    }
    for slot in meant { skip(slot, order.reason, now) }
    return meant.count
  }

  private mutating func skip(_ slot: Int, _ reason: Reason, _ now: Timestamp) {
    let job = jobs[slot]
    _ = gates[job.target].ready.removeAll { $0 == slot }
    if let key = lineKey(slot) { _ = lines[key]?.followers.removeAll { $0 == slot } }
    gates[job.target].queued -= 1
    jobs[slot].delivery.state = .skipped
    jobs[slot].delivery.reason = reason
    if job.packed {
      ledger.set(job.delivery.id, .ended(.skipped, reason: reason, attempt: nil), now: now)
    } else {
      keepRow(slot)
    }
    if job.head, let key = lineKey(slot) { advance(key) }
    touch(job.target)
    leave(slot)
  }

  /// Nothing new goes out; what is under way may end. What waits in memory stays on disk as it was.
  package mutating func stop() { stopping = true }

  /// Every target that was seen, as it is now.
  package mutating func standing(now: Timestamp) -> [String: LiveStanding] {
    var result: [String: LiveStanding] = [:]
    for target in gates.indices { result[gates[target].name] = standing(of: target, now) }
    return result
  }

  private mutating func standing(of target: Int, _ now: Timestamp) -> LiveStanding {
    let (state, probeAt) = state(of: target, now)
    let gate = gates[target]
    let broken = Reason("breaker_open", "failures in a row; tried again one at a time")
    return LiveStanding(
      state: state, inFlight: gate.inFlight, queued: gate.queued,
      reason: gate.ruling?.reason ?? (state == .broken ? broken : nil), since: gate.ruling?.since, probeAt: probeAt,
      attempts: gate.attempts)
  }

  private mutating func state(of target: Int, _ now: Timestamp) -> (LiveStanding.State, Timestamp?) {
    let gate = gates[target]
    if !gate.settings.enabled { return (.off, nil) }
    switch gate.ruling?.kind {
    case .paused: return (.paused, nil)
    case .disabled: return (.disabled, nil)
    case .held: return (.held, gate.probeAt)
    case nil: break
    }
    if let until = gate.breaker.openUntil { return (.broken, until) }
    if gate.queued > 0, gate.inFlight < gate.settings.concurrency, case .wait(let until?) = gates[target].passage(now) {
      return (.limited, until)
    }
    return (.open, nil)
  }
}
