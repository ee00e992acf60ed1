// Step 10 of the line: an attempt's outcome makes its delivery delivered, waiting until some time, or dead, and rules on its target.

extension DeliveryMachine {
  /// Attempts that a delivery keeps at most.
  static let keptAttempts = 100

  /// An attempt ended. `attempt.outcome` is what the target's response rules made of it, `wait` what the target asked for;
  /// `retry` holds for this delivery. `verify`: where the attempt is ambiguous the target is asked this long from now whether
  /// it arrived; nil: it is parked. Returns when the next attempt may go; nil where none follows.
  @discardableResult
  package mutating func attempted(
    _ token: JobToken, _ attempt: Attempt, wait: Span?, retry: RetrySettings, verify: Span? = nil, now: Timestamp
  ) -> Timestamp? {
    guard isLive(token), jobs[token.slot].phase == .sending else { return nil }
    postponedUntil = nil
    giveBack(token.slot)
    if jobs[token.slot].batch != nil { leaveBatch(token.slot) }
    judge(token.slot, attempt, wait: wait, retry: retry, verify: verify, now)
    return postponedUntil
  }

  private mutating func judge(
    _ slot: Int, _ attempt: Attempt, wait: Span?, retry: RetrySettings, verify: Span?, _ now: Timestamp
  ) {
    let target = jobs[slot].target
    let delivered = attempt.outcome == .ok || attempt.outcome == .okDuplicate
    if !(jobs[slot].packed && delivered) { note(attempt, slot: slot) }
    if jobs[slot].judged == nil { gates[target].attempts[attempt.outcome, default: 0] += 1 }
    if let wait, wait > TargetGate.longestWait, attempt.outcome == .retry || attempt.outcome == .throttle {
      hold(target, .held, attempt.reason, wait: wait, now)
      return postpone(slot, attempt.reason, until: now)
    }
    if jobs[slot].judged == nil || isNews(attempt.outcome, slot) {
      judgeTarget(target, probe: jobs[slot].probe, attempt, wait: wait, now)
    }
    switch attempt.outcome {
    case .ok, .okDuplicate: deliver(slot, attempt, now)
    case .retry: again(slot, attempt, wait: wait, retry: retry, now)
    case .throttle: afterThrottle(slot, attempt, retry: retry, now)
    case .hold, .refresh, .disable: postpone(slot, attempt.reason, until: now)
    // The question whether it arrived was refused, or came to nothing itself: that says nothing of the delivery.
    case .fail where jobs[slot].delivery.memo.isUncertain, .park where jobs[slot].delivery.memo.isUncertain:
      again(slot, attempt, wait: wait, retry: retry, now)
    case .fail: die(slot, attempt.reason)
    case .park:
      guard let verify else { return die(slot, Reason("ambiguous", attempt.reason.sentence)) }
      jobs[slot].delivery.memo.isUncertain = true
      postpone(slot, attempt.reason, until: now + verify)
    }
  }

  /// The request could not be made of the event and the action.
  package mutating func unsendable(_ token: JobToken, _ reason: Reason, now: Timestamp) {
    guard isLive(token) else { return }
    switch jobs[token.slot].phase {
    case .sending:
      giveBack(token.slot)
      if jobs[token.slot].batch != nil { leaveBatch(token.slot) }
    case .awaiting:
      uncount(token.slot)
      gates[jobs[token.slot].target].inFlight += 1
    default: return
    }
    die(token.slot, reason)
  }

  /// The request never left because the process is stopping: it waits as if it had not been tried.
  package mutating func unsent(_ token: JobToken, now: Timestamp) {
    guard let job = live(token) else { return }
    giveBack(token.slot)
    jobs[token.slot].delivery.state = .waiting
    gates[job.target].inFlight -= 1
    if !job.packed { keepRow(token.slot) }
    leave(token.slot)
  }

  /// The dead letters' files are on disk: the rows follow.
  package mutating func buried(_ tokens: [JobToken], now: Timestamp) {
    for token in tokens {
      guard let job = live(token), job.phase == .dying else { continue }
      if job.delivery.reason?.code != Self.givenUp {
        desk.died(target: job.delivery.plan.target, reason: job.delivery.reason, now: now)
      }
      end(token.slot)
    }
  }

  mutating func note(_ attempt: Attempt, slot: Int) {
    // A long outage leaves many: those in the middle tell the least.
    if jobs[slot].delivery.attempts.count >= Self.keptAttempts {
      jobs[slot].delivery.attempts.remove(at: Self.keptAttempts / 2)
    }
    jobs[slot].delivery.attempts.append(attempt)
    if jobs[slot].delivery.firstAttemptAt == nil { jobs[slot].delivery.firstAttemptAt = attempt.startedAt }
    switch attempt.outcome {
    case .throttle, .hold, .refresh, .disable: break
    case .ok, .okDuplicate, .retry, .fail, .park: jobs[slot].delivery.counted += 1
    }
  }

  private mutating func deliver(_ slot: Int, _ attempt: Attempt, _ now: Timestamp) {
    if jobs[slot].packed {
      // Its event's row keeps all that there is to keep of it.
      ledger.set(jobs[slot].delivery.id, .ended(.delivered, reason: attempt.reason, attempt: attempt), now: now)
      return finish(slot)
    }
    jobs[slot].delivery.state = .delivered
    jobs[slot].delivery.reason = attempt.reason
    end(slot)
  }

  mutating func again(
    _ slot: Int, _ attempt: Attempt, wait: Span?, retry: RetrySettings, _ now: Timestamp
  ) {
    if attempt.outcome == .retry, standsBehind(slot, attempt, wait: wait, retry: retry, now) { return }
    switch retry.decide(jobs[slot].delivery, wait: wait, now: now, using: &random) {
    case .again(let time): postpone(slot, attempt.reason, until: time)
    case .giveUp where jobs[slot].delivery.memo.isUncertain:
      die(slot, Reason("ambiguous", "whether it arrived could not be found out; the last: \(attempt.reason.sentence)"))
    case .giveUp(let reason):
      die(slot, Reason(reason.code, "\(reason.sentence); the last: \(attempt.reason.sentence)"))
    }
  }

  /// The target itself is broken: the attempt is not the delivery's, which waits with all the others until the target is
  /// well, so that an outage is a waiting queue and no heap of dead letters. False: that lasted seven days, or the delivery
  /// has one attempt only.
  private mutating func standsBehind(
    _ slot: Int, _ attempt: Attempt, wait: Span?, retry: RetrySettings, _ now: Timestamp
  ) -> Bool {
    guard let open = gates[jobs[slot].target].breaker.openUntil, retry.attempts != 1 else { return false }
    let due = max(open, now + (wait ?? .zero))
    let stood = jobs[slot].delivery.stood + attempt.duration
    guard stood < RetrySettings.greatestStanding else { return false }
    jobs[slot].delivery.stood = stood + (due - now)
    jobs[slot].delivery.counted -= 1
    postpone(slot, attempt.reason, until: due)
    return true
  }

  /// The wait that a target asks of all is time spent limited: `retry.for` does not count it.
  private mutating func afterThrottle(_ slot: Int, _ attempt: Attempt, retry: RetrySettings, _ now: Timestamp) {
    let pause = max(.zero, (pausedUntil(jobs[slot].target) ?? now) - now)
    jobs[slot].delivery.stood = jobs[slot].delivery.stood + pause
    again(slot, attempt, wait: pause, retry: retry, now)
  }

  /// Back to disk, waiting. It keeps its place in its line, so later ones of its key wait behind it.
  mutating func postpone(_ slot: Int, _ reason: Reason?, until time: Timestamp) {
    let target = jobs[slot].target
    giveBack(slot)
    jobs[slot].delivery.state = .waiting
    jobs[slot].delivery.due = time
    jobs[slot].delivery.reason = reason
    postponedUntil = time
    gates[target].inFlight -= 1
    touch(target)
    shelve(slot)
  }

  /// Back to disk as it is, with those behind it in its line.
  mutating func shelve(_ slot: Int) {
    keepRow(slot)
    if jobs[slot].head, let key = lineKey(slot) { closeLine(key) }
    leave(slot)
  }

  /// Given up: the letter first, its row when that is on disk.
  mutating func die(_ slot: Int, _ reason: Reason) {
    jobs[slot].phase = .dying
    jobs[slot].delivery.state = .dead
    jobs[slot].delivery.reason = reason
    // Whatever ended it: an attempt of it may have arrived, and whoever sends it again must know.
    if jobs[slot].delivery.memo.isUncertain, reason.code != "ambiguous" {
      let sentence = "whether it arrived is not known, and cannot be asked: \(reason.sentence)"
      jobs[slot].delivery.reason = Reason("ambiguous", sentence)
    }
    pending.letters.append(jobs[slot].token)
  }

  /// An ended delivery's row is committed; its line goes on.
  mutating func end(_ slot: Int) {
    keepRow(slot)
    finish(slot)
  }

  private mutating func finish(_ slot: Int) {
    let target = jobs[slot].target
    gates[target].inFlight -= 1
    touch(target)
    if jobs[slot].head, let key = lineKey(slot) { advance(key) }
    leave(slot)
  }

  /// The head of a line is through: the next one is.
  mutating func advance(_ key: LineKey) {
    if let next = lines[key]?.followers.popFirst() {
      uncount(next)
      jobs[next].head = true
      lines[key]?.queue = jobs[next].target
      makeReady(next)
    } else if lines[key]?.settling != nil {
      lines[key]?.headed = false
    } else {
      lines[key] = nil
    }
  }
}

// What an answer says of the target itself.
extension DeliveryMachine {
  mutating func judgeTarget(
    _ target: Int, probe: Bool, _ attempt: Attempt, wait: Span?, isStage: Bool = false, _ now: Timestamp
  ) {
    judgeHealth(target, probe: probe, attempt, now)
    let forbidden = attempt.outcome == .fail && (attempt.status == 403 || attempt.status == 401)
    // A contact that was found says nothing of whether the note may be written.
    if forbidden || !isStage { gates[target].forbiddenInARow = forbidden ? gates[target].forbiddenInARow + 1 : 0 }
    switch attempt.outcome {
    case .refresh where isRenewed(target): if probe { reprobe(target, now) }
    case .hold, .refresh: hold(target, .held, attempt.reason, wait: wait, now)
    case .disable: hold(target, .disabled, attempt.reason, wait: nil, now)
    case .fail where gates[target].forbiddenInARow >= TargetGate.forbiddenThreshold:
      let count = gates[target].forbiddenInARow
      hold(
        target, .held, Reason("forbidden", "\(count) deliveries in a row were answered \(attempt.status ?? 403)"),
        wait: nil, now)
    case .fail where attempt.status == nil: if probe { reprobe(target, now) }
    case .ok, .okDuplicate, .fail, .throttle: if probe { release(target) }
    case .retry, .park: if probe { reprobe(target, now) }
    }
    judgeAllowance(target, attempt, wait: wait, now)
  }

  /// What the attempt says of whether the target can be reached and works.
  private mutating func judgeHealth(_ target: Int, probe: Bool, _ attempt: Attempt, _ now: Timestamp) {
    // Refused on this side: the target was not asked.
    if attempt.status == nil, attempt.outcome == .fail { return }
    let broken = attempt.status.map { $0 >= 500 } ?? true
    if broken && (attempt.outcome == .retry || attempt.outcome == .park) {
      gates[target].breaker.failed(at: now, probe: probe)
    } else {
      gates[target].breaker.succeeded()
    }
  }

  private mutating func hold(
    _ target: Int, _ kind: TargetRuling.Kind, _ reason: Reason, wait: Span?, _ now: Timestamp
  ) {
    let pause = max(wait ?? TargetGate.probeEvery, TargetGate.shortestPause)
    gates[target].probeAt = now + min(pause, TargetGate.longestWait)
    let worse = gates[target].ruling?.kind == .held && kind == .disabled
    if gates[target].ruling != nil && !worse { return }
    let ruling = TargetRuling(kind: kind, reason: reason, since: now)
    gates[target].ruling = ruling
    let name = gates[target].name
    pending.batch.targetStates[name] = .some(ruling)
    let cause = kind == .held ? "hold:\(name)" : "disable:\(name)"
    let what = kind == .held ? "is held and probed every 15 minutes" : "is disabled until it is resumed by hand"
    desk.raise(cause, target: name, text: "target \(name) \(what): \(reason.sentence)")
  }

  /// The target of a hold answers again: its probe says so, not an answer to what went out before the hold.
  private mutating func release(_ target: Int) {
    if gates[target].ruling?.kind == .held { lift(target) }
  }

  /// A held target's probe got no answer to judge by: another one later.
  private mutating func reprobe(_ target: Int, _ now: Timestamp) {
    if gates[target].ruling?.kind == .held { gates[target].probeAt = now + TargetGate.probeEvery }
  }

  mutating func lift(_ target: Int) {
    let name = gates[target].name
    gates[target].ruling = nil
    gates[target].forbiddenInARow = 0
    gates[target].breaker.succeeded()
    liftPause(target)
    pending.batch.targetStates[name] = .some(nil)
    for cause in ["hold:\(name)", "disable:\(name)"] {
      desk.clear(cause, target: name, text: "target \(name) takes deliveries again")
    }
    touch(target)
  }
}
