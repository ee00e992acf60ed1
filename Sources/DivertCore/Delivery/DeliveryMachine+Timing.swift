// What time and memory decide of a delivery before its request (between steps 6 and 7 of the line): it asks what is stored, its allowed
// hours hold it, or it has expired, wherever it waits.

extension DeliveryMachine {
  /// Expired rows claimed at a time.
  static let expiredAtATime = 256
  /// After one that expired and could not be ended: how long until it is looked at again.
  private static let secondLook = Span.seconds(10)

  // MARK: Memory

  /// It passed its own gate and asks what is stored before its request. The question is committed with this turn; then it is among
  /// `sends` again, with its `answer`.
  package mutating func consults(_ token: JobToken, _ question: DueQuestion) {
    guard isLive(token), jobs[token.slot].phase == .sending, isBetweenStages(token.slot) else { return }
    jobs[token.slot].phase = .consulting
    pending.batch.questions.append(question)
    turnNeeded = true
    consulting.append(Pending(turn: turn + 1, value: token))
  }

  /// What memory said to its question since it passed a gate; nil: it was not asked.
  package func answer(of token: JobToken) -> DueAnswer? { isLive(token) ? jobs[token.slot].answer : nil }

  /// The questions of these turns are on disk with what was claimed. One without an answer asks again.
  mutating func consulted(through turn: Int, _ answers: [DueAnswer]) {
    var answers = answers[...]
    while let first = consulting.first, first.turn <= turn {
      _ = consulting.popFirst()
      let answer = answers.popFirst()
      guard let job = live(first.value), job.phase == .consulting else { continue }
      jobs[first.value.slot].phase = .sending
      guard let answer, !mustWait(job.target) else {
        postpone(first.value.slot, job.delivery.reason, until: job.delivery.due)
        continue
      }
      jobs[first.value.slot].answer = answer
      pending.sends.append(first.value)
    }
  }

  /// Whether what was about to go must not: something happened to its target while the disk was written.
  func mustWait(_ target: Int) -> Bool {
    stopping || gates[target].isShut || !isReady(target) || gates[target].givingUp != nil
  }

  // MARK: Allowed hours

  /// Its allowed hours are over: it waits on disk until this moment and steps out of its line, where others of its key go on. The
  /// time does not count for its `retry`.
  package mutating func held(_ token: JobToken, until time: Timestamp, _ reason: Reason, now: Timestamp) {
    guard isLive(token), isAtHand(token.slot) else { return }
    let slot = token.slot
    takeOut(slot)
    if jobs[slot].delivery.firstAttemptAt != nil {
      jobs[slot].delivery.stood = jobs[slot].delivery.stood + max(.zero, time - now)
    }
    jobs[slot].delivery.state = .waiting
    jobs[slot].delivery.due = time
    jobs[slot].delivery.held = time
    jobs[slot].delivery.reason = reason
    shelve(slot)
  }

  // MARK: Expiry

  /// It has expired: it ends as skipped, and what follows is planned in the same transaction. For one that waits anywhere or has
  /// passed a gate, and whose request has not left.
  package mutating func expired(
    _ token: JobToken, _ reason: Reason, followUps: [PlannedDelivery] = [], now: Timestamp
  ) {
    guard isLive(token), isWaiting(token.slot) || isAtHand(token.slot) else { return }
    let (slot, delivery) = (token.slot, jobs[token.slot].delivery)
    takeOut(slot)
    if !followUps.isEmpty {
      pending.batch.followUps.append(FollowUp(of: delivery.id, planned: followUps, version: delivery.version))
    }
    endQuietly(slot, .skipped, reason, nil, now, alone: followUps.isEmpty)
  }

  /// One that has expired and cannot be ended now (its definitions cannot be read): it stays where it waits, and is looked at again.
  package mutating func stays(_ token: JobToken, now: Timestamp) {
    guard isLive(token), isWaiting(token.slot) else { return }
    let slot = token.slot
    guard jobs[slot].isBeside else { return expiries.set(token.timer, at: now + Self.secondLook) }
    uncount(slot)
    keepRow(slot)
    leave(slot)
    expiryRest = now + Self.secondLook
  }

  /// Its definitions are gone for good: what expired ends as a dead letter, as it would when its turn came.
  package mutating func expiredUnsendable(_ token: JobToken, _ reason: Reason, now: Timestamp) {
    guard isLive(token), isWaiting(token.slot) else { return }
    takeOut(token.slot)
    gates[jobs[token.slot].target].inFlight += 1
    die(token.slot, reason)
  }

  /// It is in memory and no request of it is under way or about to leave.
  func isWaiting(_ slot: Int) -> Bool {
    switch jobs[slot].phase {
    case .ready, .following, .awaiting: true
    case .consulting, .recording, .sending, .dying, .vacant: false
    }
  }

  /// Set when a job begins to wait in memory: it may expire there.
  mutating func watchExpiry(_ slot: Int) {
    if let time = jobs[slot].delivery.plan.expires { expiries.set(jobs[slot].token.timer, at: time) }
  }

  /// Names those in memory that have expired, and claims those on disk.
  mutating func strikeExpired(_ now: Timestamp) {
    if stopping { return }
    while let timer = expiries.pop(due: now) {
      let token = JobToken(timer: timer.target)
      guard isLive(token), isWaiting(token.slot), jobs[token.slot].delivery.hasExpired(at: now) else { continue }
      pending.expired.append(token)
    }
    guard let due = nextExpiry, due <= now else { return }
    isClaimingExpired = true
    expiryRest = nil
    pending.claims.append(.expired(limit: Self.expiredAtATime))
  }

  /// When the next row on disk may expire; nil: none does, or they are being claimed.
  var nextExpiry: Timestamp? {
    guard !isClaimingExpired, !stopping, let due = expiryDue else { return nil }
    return expiryRest.map { max($0, due) } ?? due
  }

  /// Rows that have expired. They stand in no queue: this turn's orders name them.
  mutating func claimedExpired(_ claim: Claim, now: Timestamp) {
    isClaimingExpired = false
    expiryDue = claim.nextDue
    for found in claim.deliveries {
      let slot = enter(found.delivery, found.event, packed: false)
      jobs[slot].isBeside = true
      jobs[slot].phase = .awaiting
      count(slot, in: jobs[slot].target)
      pending.expired.append(jobs[slot].token)
    }
  }

  // MARK: Leaving

  /// It passed a gate, or waits beside a queue, and its request has not left: what is decided now holds for it.
  func isAtHand(_ slot: Int) -> Bool { jobs[slot].phase == .awaiting || jobs[slot].phase == .sending }

  /// Out of wherever it waits, or out of the gate that it passed in vain.
  mutating func takeOut(_ slot: Int) {
    let target = jobs[slot].target
    switch jobs[slot].phase {
    case .ready:
      _ = gates[target].ready.removeAll { $0 == slot }
      gates[target].desk?.remove(slot)
      uncount(slot)
    case .following:
      if let key = lineKey(slot) { _ = lines[key]?.followers.removeAll { $0 == slot } }
      uncount(slot)
    case .awaiting: uncount(slot)
    case .sending:
      takeBack(slot)
      gates[target].giveBack()
    case .consulting, .recording, .dying, .vacant: return
    }
    touch(target)
  }
}

extension Delivery {
  /// It is not sent any more; one whose attempt may have arrived is asked after instead.
  package func hasExpired(at now: Timestamp) -> Bool {
    !memo.isUncertain && plan.expires.map { $0 <= now } ?? false
  }
}

extension JobToken {
  fileprivate var timer: Int { Int(bitPattern: UInt(rawValue)) }
  fileprivate init(timer: Int) { self.init(rawValue: UInt64(UInt(bitPattern: timer))) }
}
