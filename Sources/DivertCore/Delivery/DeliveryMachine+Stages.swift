// Deliveries that go out in stages (between steps 6 and 10 of the line): lookups, guards and steps before the last request, and the
// question whether that arrived. Each request passes the gate of the target that it is put to, like any other.

/// What an exchange that went well came to for its delivery.
package enum StageEnd: Sendable, Hashable {
  /// It goes on, in the queue of this target (nil: its own) once what it remembers is on disk.
  case onward(queue: String?)
  case skipped(Reason)
  case dead(Reason)
}

/// In which target's queue a job is between its stages.
package struct StagePlace: Sendable, Hashable {
  package var queue: String
  /// It passed that target's gate: a request to it may go. Else it waits beside the queue for an answer that another one is getting.
  package var hasPassed: Bool
}

extension Delivery {
  /// What comes next of it is looked at whenever it passes a gate: it is prepared, judged when due, or asked after.
  package var isInStages: Bool { plan.prepares || memo.isUncertain }

  /// An edited request is all that goes out.
  package var isEditedAlone: Bool { edited != nil && edited?.step == nil }

  /// The edited request, unless the step that it stands for is finished.
  package var pendingEdit: EditedRequest? {
    if let step = edited?.step, memo.steps[step] != nil { return nil }
    return edited
  }
}

extension DeliveryMachine {
  /// Where a job stands whose next stage may be judged now. Nil: it is gone, or something else is done with it (its last request
  /// goes out, recorded).
  package func place(of token: JobToken) -> StagePlace? {
    guard isLive(token), isBetweenStages(token.slot) else { return nil }
    return StagePlace(queue: gates[jobs[token.slot].target].name, hasPassed: jobs[token.slot].phase == .sending)
  }

  func isBetweenStages(_ slot: Int) -> Bool {
    jobs[slot].phase == .awaiting || jobs[slot].phase == .sending && jobs[slot].delivery.state == .waiting
  }

  /// What a job was given without a request (an answer that is cached, a guard's yes) before it goes on.
  package mutating func remember(_ token: JobToken, _ memo: DeliveryMemo) {
    if isLive(token) { jobs[token.slot].delivery.memo = memo }
  }

  /// A stage's exchange went well. What the delivery remembers now is committed with its row before its next request, which
  /// passes a gate like any other; `retry` begins anew for that one where this one brought an answer or a finished step (a thing
  /// that is not found, yet cannot be created, is not looked for without end).
  package mutating func staged(
    _ token: JobToken, _ attempt: Attempt, _ memo: DeliveryMemo, _ end: StageEnd, now: Timestamp
  ) {
    guard isLive(token), jobs[token.slot].phase == .sending else { return }
    let slot = token.slot
    let hasGained = memo.gains > jobs[slot].delivery.memo.gains
    take(attempt, slot, memo, now)
    switch end {
    case .onward(let queue):
      if hasGained {
        jobs[slot].delivery.counted = 0
        jobs[slot].delivery.firstAttemptAt = nil
        jobs[slot].delivery.stood = .zero
      }
      leaveGate(slot)
      jobs[slot].delivery.state = .waiting
      jobs[slot].delivery.queue = queue
      jobs[slot].delivery.reason = nil
      shelve(slot)
    case .skipped(let reason):
      leaveGate(slot)
      endQuietly(slot, .skipped, reason, attempt, now)
    case .dead(let reason): die(slot, reason)
    }
  }

  /// The target said whether an ambiguous attempt arrived. If not, it is sent again as `retry` allows.
  package mutating func verified(
    _ token: JobToken, _ attempt: Attempt, landed: Bool, retry: RetrySettings, now: Timestamp
  ) -> Timestamp? {
    guard isLive(token), jobs[token.slot].phase == .sending else { return nil }
    let slot = token.slot
    var memo = jobs[slot].delivery.memo
    memo.isUncertain = false
    take(attempt, slot, memo, now)
    if landed {
      jobs[slot].delivery.state = .delivered
      jobs[slot].delivery.reason = attempt.reason
      end(slot)
      return nil
    }
    postponedUntil = nil
    again(slot, attempt, wait: .zero, retry: retry, now)
    return postponedUntil
  }

  /// Its next request is put to another target, or waits for what another job asks: nothing was asked of the target whose gate it
  /// passed, which gets its turn back. It goes on in this target's queue (nil: its own).
  package mutating func moved(_ token: JobToken, to queue: String?, now: Timestamp) {
    guard isLive(token), isBetweenStages(token.slot) else { return }
    step(token.slot, to: queue)
    if hasRoom(jobs[token.slot].target, now) { makeReady(token.slot) } else { shelve(token.slot) }
  }

  /// Another job is getting the answer that it needs: it waits beside this target's queue until it is `moved`, `skipped` or
  /// `unsendable`. False: there is no room, it comes again from disk.
  package mutating func awaits(_ token: JobToken, in queue: String?, now: Timestamp) -> Bool {
    guard isLive(token), isBetweenStages(token.slot) else { return false }
    let slot = token.slot
    step(slot, to: queue)
    guard gates[jobs[slot].target].queued < capacity(jobs[slot].target) else {
      shelve(slot)
      return false
    }
    jobs[slot].phase = .awaiting
    watchExpiry(slot)
    count(slot, in: jobs[slot].target)
    return true
  }

  /// A stage without a request ended it: a guard's no, or that the customer is not to be written to. Also where `sending` is on disk
  /// already.
  package mutating func skipped(_ token: JobToken, _ reason: Reason, now: Timestamp) {
    guard isLive(token), isAtHand(token.slot) else { return }
    takeOut(token.slot)
    endQuietly(token.slot, .skipped, reason, nil, now)
  }

  /// No request of it is left: the steps that remain are left out.
  package mutating func done(_ token: JobToken, _ reason: Reason, now: Timestamp) {
    guard isLive(token), isBetweenStages(token.slot) else { return }
    takeOut(token.slot)
    endQuietly(token.slot, .delivered, reason, nil, now)
  }

  /// Its next request must not go again on a guess (its own, or a step of a message to a person): `sending` is committed first,
  /// then it is among `sends` again. False: that is on disk already, or not needed.
  package mutating func recordsFirst(_ token: JobToken) -> Bool {
    guard isLive(token), isBetweenStages(token.slot), jobs[token.slot].delivery.plan.toPerson else { return false }
    jobs[token.slot].phase = .recording
    jobs[token.slot].delivery.state = .sending
    jobs[token.slot].delivery.queue = nil
    record(token.slot, token)
    return true
  }

  /// Takes an exchange that went well into the delivery, and what it says of the target. It is no attempt that counts.
  private mutating func take(_ attempt: Attempt, _ slot: Int, _ memo: DeliveryMemo, _ now: Timestamp) {
    giveBack(slot)
    let counted = jobs[slot].delivery.counted
    note(attempt, slot: slot)
    jobs[slot].delivery.counted = counted
    jobs[slot].delivery.memo = memo
    gates[jobs[slot].target].attempts[attempt.outcome, default: 0] += 1
    judgeTarget(jobs[slot].target, probe: jobs[slot].probe, attempt, wait: nil, isStage: true, now)
  }

  mutating func step(_ slot: Int, to queue: String?) {
    takeOut(slot)
    jobs[slot].delivery.queue = queue
    jobs[slot].target = queue.map { gate($0) } ?? jobs[slot].home
    if jobs[slot].head, let key = lineKey(slot) { lines[key]?.queue = jobs[slot].target }
    touch(jobs[slot].target)
  }

  private mutating func leaveGate(_ slot: Int) {
    gates[jobs[slot].target].inFlight -= 1
    touch(jobs[slot].target)
  }
}
