// What goes out now: each target that something happened to is looked at once a turn.

extension DeliveryMachine {
  mutating func pumpTouched(_ now: Timestamp) {
    var place = 0
    while place < touched.count {
      let target = touched[place]
      gates[target].touched = false
      looks += 1
      pump(target, now)
      place += 1
    }
    touched.removeAll(keepingCapacity: true)
  }

  /// Sends what may go, claims what there is room for, and sets the timer for the rest.
  private mutating func pump(_ target: Int, _ now: Timestamp) {
    if stopping { return }
    if let reason = gates[target].givingUp {
      buryWaiting(target, reason)
      return declareCongestion(target, now)
    }
    if isBarred(target) { return bar(target, now) }
    refreshBudget(target, now)
    var wake: Timestamp?
    while hasWork(target, now, &wake) {
      guard case .wait(let until) = gates[target].passage(now) else {
        // Its turn comes behind the others of its credential.
        if gates[target].credential != nil {
          enlist(target)
          break
        }
        departNext(target, now)
        continue
      }
      wake = until
      noteBudget(target, now)
      if !gates[target].isOpen { spillAll(target) }
      break
    }
    claimMore(target, now, &wake)
    declareCongestion(target, now)
    if let wake { setTimer(target, wake) }
  }

  /// Whether something waits to go out, as soon as its target may be asked; sets `wake` for what gathers.
  mutating func hasWork(_ target: Int, _ now: Timestamp, _ wake: inout Timestamp?) -> Bool {
    if !gates[target].ready.isEmpty { return true }
    return gates[target].desk != nil && hasRipeBatch(target, now, &wake)
  }

  /// The next request goes: where there are both, a batch and one that goes alone in turn.
  mutating func departNext(_ target: Int, _ now: Timestamp) {
    if gates[target].desk != nil {
      var wake: Timestamp?
      let isAlone = !gates[target].ready.isEmpty && gates[target].batchWentLast
      if !isAlone, hasRipeBatch(target, now, &wake) {
        gates[target].batchWentLast = true
        return departBatch(target, now)
      }
      gates[target].batchWentLast = false
    }
    depart(target, now)
  }

  private mutating func depart(_ target: Int, _ now: Timestamp) {
    guard let slot = gates[target].ready.popFirst() else { return }
    uncount(slot)
    let token = jobs[slot].depart(probe: !gates[target].isOpen, now)
    gates[target].depart()
    if let credential = gates[target].credential { lend(slot, credential) }
    if jobs[slot].phase == .recording { record(slot, token) } else { pending.sends.append(token) }
  }

  /// `sending` goes to disk before the first byte leaves.
  mutating func record(_ slot: Int, _ token: JobToken) {
    keepRow(slot)
    turnNeeded = true
    recording.append(Pending(turn: turn + 1, value: token))
  }

  /// The batch of a turn (and of those before it) is on disk. Events that were appended in the same transaction are `planned` in the
  /// same turn of the machine, or in an earlier one. `answers`: to the questions of these turns, in their order.
  package mutating func committed(_ turn: Int, answers: [DueAnswer] = [], now: Timestamp) {
    committedTurn = max(committedTurn, turn)
    consulted(through: turn, answers)
    for target in givingUp { touch(target) }
    while let first = recording.first, first.turn <= turn {
      _ = recording.popFirst()
      guard let job = live(first.value), job.phase == .recording else { continue }
      if mustWait(job.target) {
        postpone(first.value.slot, job.delivery.reason, until: job.delivery.due)
      } else {
        dispatch(first.value)
      }
    }
    dispatchRecorded(turn)
  }

  private mutating func dispatch(_ token: JobToken) {
    jobs[token.slot].phase = .sending
    pending.sends.append(token)
  }

  private mutating func claimMore(_ target: Int, _ now: Timestamp, _ wake: inout Timestamp?) {
    guard let due = gates[target].diskDue, !gates[target].claiming else { return }
    if due > now { return wake = min(wake ?? due, due) }
    let room = gates[target].room
    if room == 0 { return }
    if !gates[target].isOpen, case .wait(let until) = gates[target].passage(now) {
      if let until { wake = min(wake ?? until, until) }
      return
    }
    gates[target].claiming = true
    gates[target].claimsAll = false
    pending.claims.append(ClaimWish(target: gates[target].name, limit: room))
  }

  /// New deliveries get rows while the target is closed or more is due than memory takes, and until a claim has taken all of that.
  mutating func declareCongestion(_ target: Int, _ now: Timestamp) {
    let behind = gates[target].diskDue.map { $0 <= now } ?? false
    let full = gates[target].queued >= capacity(target)
    if !gates[target].isOpen || isBarred(target) || full || behind && gates[target].room == 0 {
      gates[target].backlog = true
    } else if !behind && !gates[target].claiming {
      gates[target].backlog = false
    }
    if gates[target].backlog == gates[target].congested { return }
    gates[target].congested = gates[target].backlog
    pending.congestion.append((gates[target].name, gates[target].congested))
  }

  mutating func setTimer(_ target: Int, _ time: Timestamp) {
    if let set = gates[target].wakeAt, set <= time { return }
    gates[target].wakeAt = time
    timers.set(target, at: time)
  }
}

extension DeliveryMachine.Job {
  /// Its turn has come: it goes out, to a person once that is on disk (in stages: before each request that
  /// must not go again on a guess).
  mutating func depart(probe: Bool, _ now: Timestamp) -> JobToken {
    self.probe = probe
    answer = nil
    if delivery.firstAttemptAt != nil, delivery.due < now {
      delivery.stood = delivery.stood + (now - delivery.due)
      delivery.due = now
    }
    if delivery.plan.toPerson, !delivery.isInStages {
      phase = .recording
      delivery.state = .sending
    } else {
      phase = .sending
    }
    return token
  }
}
