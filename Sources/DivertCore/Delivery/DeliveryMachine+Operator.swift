// What operators and a new configuration ask of the machine.

extension DeliveryMachine {
  /// Takes over the targets of a configuration, and at start-up the rulings that outlived the process. A target that is not
  /// among them keeps its last settings: it drains. A held one is tried at once, since the change may be the remedy.
  package mutating func configure(
    _ settings: [String: TargetSettings], credentials: [String: CredentialSettings] = [:],
    rulings: [String: TargetRuling], now: Timestamp
  ) {
    for (name, one) in credentials { configure(credential: name, one, now: now) }
    for (name, one) in settings {
      let target = gate(name, now: now)
      gates[target].configure(one, now: now)
      assign(target, credential: one.credential, now: now)
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
      guard job.phase == .ready || job.phase == .following || job.phase == .awaiting else { return false }
      return order.covers(job.delivery.id, job.delivery.plan)
    }
    for slot in meant { skip(slot, order.reason, now) }
    return meant.count
  }

  private mutating func skip(_ slot: Int, _ reason: Reason, _ now: Timestamp) {
    takeOut(slot)
    endQuietly(slot, .skipped, reason, nil, now)
  }

  /// Ends a job that is neither queued nor in flight. `attempt`: the exchange that said so. `alone`: nothing follows that must be in
  /// the same transaction.
  mutating func endQuietly(
    _ slot: Int, _ state: DeliveryState, _ reason: Reason, _ attempt: Attempt?, _ now: Timestamp, alone: Bool = true
  ) {
    let job = jobs[slot]
    jobs[slot].delivery.state = state
    jobs[slot].delivery.reason = reason
    if job.packed, alone {
      ledger.set(job.delivery.id, .ended(state, reason: reason, attempt: attempt), now: now)
    } else {
      keepRow(slot)
    }
    if job.head, let key = lineKey(slot) { advance(key) }
    touch(job.target)
    touch(job.home)
    leave(slot)
  }

  /// Nothing new goes out; what is under way may end. What waits in memory stays on disk as it was.
  package mutating func stop() { stopping = true }
}
