// Batches: deliveries of one action in one request. They gather at their target's gate, go out together, and end each for itself.

/// One request for several deliveries. Its token is none of a job's.
package struct BatchOrder: Sendable, Hashable {
  package var token: JobToken
  package var items: [JobToken]
}

extension JobToken {
  /// The place of no job.
  static let batchSlot = 0xffff_ffff

  /// It names a batch.
  package var isBatch: Bool { slot == Self.batchSlot }
}

extension DeliveryMachine {
  /// A batch under way.
  struct Batch: Sendable {
    var target: Int
    var items: [JobToken]
    /// The credential among whose requests in flight it is.
    var lease: Int?
    var probe: Bool
  }

  /// The jobs of a batch that is under way; empty: it is none.
  package func items(of batch: JobToken) -> [JobToken] { batches[batch]?.items ?? [] }

  // MARK: Gathering

  /// Whether a job goes with others of its kind. Messages to people, edited requests and what goes out in stages do not; of
  /// the last the machine is told when only their own request is left (`gathers`).
  func gathers(_ slot: Int) -> Bool {
    guard let shape = gates[jobs[slot].target].desk?.shapes[jobs[slot].delivery.plan.action] else { return false }
    let delivery = jobs[slot].delivery
    return (!delivery.plan.toPerson || shape.records) && delivery.edited == nil
      && (!delivery.isInStages || jobs[slot].isPrepared)
  }

  /// All stages of a job are done but its own request, which goes with others of its kind: it waits for them, and the target whose
  /// gate it passed gets its turn back. False: it goes alone.
  package mutating func gathersFirst(_ token: JobToken, now: Timestamp) -> Bool {
    guard isLive(token), isBetweenStages(token.slot), !jobs[token.slot].isPrepared else { return false }
    let delivery = jobs[token.slot].delivery
    guard let shape = gates[jobs[token.slot].home].desk?.shapes[delivery.plan.action] else { return false }
    if delivery.plan.toPerson && !shape.records { return false }
    if delivery.edited != nil || delivery.memo.isUncertain { return false }
    jobs[token.slot].isPrepared = true
    step(token.slot, to: nil)
    if hasRoom(jobs[token.slot].target, now) { makeReady(token.slot) } else { shelve(token.slot) }
    return true
  }

  /// A job that is ready waits for others of its kind.
  mutating func gather(_ slot: Int) {
    let delivery = jobs[slot].delivery
    let kind = BatchDesk.Kind(version: delivery.version, action: delivery.plan.action)
    gates[jobs[slot].target].desk?.add(slot, kind)
  }

  // MARK: Going

  /// Whether a batch may go as far as gathering is concerned; sets `wake` for when it may.
  mutating func hasRipeBatch(_ target: Int, _ now: Timestamp, _ wake: inout Timestamp?) -> Bool {
    guard gates[target].desk?.isEmpty == false else { return false }
    gates[target].desk?.stamp(now)
    guard let ripe = gates[target].desk?.ripeAt else { return false }
    // A probe waits for no others.
    if ripe <= now || !gates[target].isOpen { return true }
    wake = min(wake ?? ripe, ripe)
    return false
  }

  /// The next batch goes; a closed target is probed with one item.
  mutating func departBatch(_ target: Int, _ now: Timestamp) {
    let isProbe = !gates[target].isOpen
    let slots = gates[target].desk?.take(most: isProbe ? 1 : .max) ?? []
    if slots.isEmpty { return }
    generation += 1
    let token = JobToken(rawValue: generation << 32 | UInt64(JobToken.batchSlot))
    var items: [JobToken] = []
    let records = slots.contains { jobs[$0].delivery.plan.toPerson }
    for slot in slots {
      uncount(slot)
      items.append(jobs[slot].depart(probe: isProbe, now))
      jobs[slot].batch = token
      if records { recordItem(slot) }
    }
    gates[target].depart(items: slots.count)
    let credential = gates[target].credential
    if let credential { credentials[credential].depart() }
    batches[token] = Batch(target: target, items: items, lease: credential, probe: isProbe)
    if records {
      turnNeeded = true
      recordingBatches.append(Pending(turn: turn + 1, value: token))
    } else {
      pending.batches.append(BatchOrder(token: token, items: items))
    }
  }

  /// The item is `sending` on disk before its batch goes: after a crash it is asked for by itself.
  private mutating func recordItem(_ slot: Int) {
    jobs[slot].phase = .recording
    jobs[slot].delivery.state = .sending
    jobs[slot].delivery.queue = nil
    keepRow(slot)
  }

  /// Batches go whose items are on disk as `sending`; those of a target that was closed meanwhile wait.
  mutating func dispatchRecorded(_ turn: Int) {
    while let first = recordingBatches.first, first.turn <= turn {
      _ = recordingBatches.popFirst()
      guard let batch = batches[first.value] else { continue }
      let target = batch.target
      if stopping || gates[target].isShut || !isReady(target) || gates[target].givingUp != nil {
        for item in close(batch: first.value)?.items ?? [] {
          postpone(item.slot, jobs[item.slot].delivery.reason, until: jobs[item.slot].delivery.due)
        }
      } else {
        for item in batch.items { jobs[item.slot].phase = .sending }
        pending.batches.append(BatchOrder(token: first.value, items: batch.items))
      }
    }
  }

  // MARK: Ending

  /// An answer to a batch came, or none. What it says of the target is taken in once; its items, which are returned, end each by
  /// `attempted` or go again by `divide`.
  package mutating func ended(
    batch token: JobToken, _ whole: Attempt, wait: Span?, now: Timestamp
  ) -> [JobToken] {
    guard let batch = close(batch: token) else { return [] }
    gates[batch.target].attempts[whole.outcome, default: 0] += 1
    gates[batch.target].batches += 1
    judgeTarget(batch.target, probe: batch.probe, whole, wait: wait, now)
    for item in batch.items { jobs[item.slot].judged = whole.outcome }
    return batch.items
  }

  /// The request never left because the process is stopping, or it could not be made: its items are as they were.
  package mutating func unsent(batch token: JobToken, now: Timestamp) {
    for item in close(batch: token)?.items ?? [] { unsent(item, now: now) }
  }

  /// These items of an ended batch were refused together and none was taken: they go again in two halves, each at once. It is no
  /// attempt of any of them.
  package mutating func divide(_ items: [(token: JobToken, attempt: Attempt)], now: Timestamp) {
    let meant = items.filter { isLive($0.token) && jobs[$0.token.slot].phase == .sending }
    guard let first = meant.first else { return }
    let target = jobs[first.token.slot].target
    for (token, attempt) in meant {
      let counted = jobs[token.slot].delivery.counted
      note(attempt, slot: token.slot)
      jobs[token.slot].delivery.counted = counted
      giveTurnBack(token.slot, in: target)
    }
    let slots = meant.map(\.token.slot)
    gates[target].desk?.add(part: Array(slots.prefix(slots.count / 2)))
    gates[target].desk?.add(part: Array(slots.dropFirst(slots.count / 2)))
    touch(target)
  }

  /// The items of a batch cannot go together after all (the configuration that planned them knows no batches): each goes alone.
  package mutating func separate(batch token: JobToken, now: Timestamp) {
    guard let batch = close(batch: token) else { return }
    for item in batch.items { giveTurnBack(item.slot, in: batch.target) }
    for item in batch.items { gates[batch.target].desk?.add(part: [item.slot]) }
  }

  private mutating func giveTurnBack(_ slot: Int, in target: Int) {
    jobs[slot].judged = nil
    jobs[slot].phase = .ready
    jobs[slot].delivery.state = .waiting
    gates[target].inFlight -= 1
    count(slot, in: target)
  }

  private mutating func close(batch token: JobToken) -> Batch? {
    guard let batch = batches.removeValue(forKey: token) else { return nil }
    gates[batch.target].joined -= max(0, batch.items.count - 1)
    if let lease = batch.lease { end(lease: lease) }
    for item in batch.items { jobs[item.slot].batch = nil }
    touch(batch.target)
    return batch
  }

  /// An item whose request could not be made leaves its batch.
  mutating func leaveBatch(_ slot: Int) {
    guard let token = jobs[slot].batch, let batch = batches[token] else { return }
    jobs[slot].batch = nil
    if batch.items.count == 1 {
      _ = close(batch: token)
    } else {
      batches[token]?.items.removeAll { $0.slot == slot }
      gates[batch.target].joined -= 1
    }
  }

  /// Whether an answer of an item says something of its target that the whole did not.
  func isNews(_ outcome: AttemptOutcome, _ slot: Int) -> Bool {
    guard let judged = jobs[slot].judged else { return true }
    switch outcome {
    case .throttle, .hold, .disable, .refresh: return outcome != judged
    case .ok, .okDuplicate, .retry, .fail, .park: return false
    }
  }
}
