// A retired target's rest: everything that waits for it in memory and on disk becomes dead letters, by order.

extension DeliveryMachine {
  /// The code of what was given up by hand: no alarm is raised for it.
  package static let givenUp = "given_up"

  /// By hand: all that waits for the target, also what is due later, dies with this reason instead of being sent: its own
  /// deliveries, and those of others that stand in its queue because they need an answer of its lookups. Requests under way may end. It is over when `isGivingUp` says so; nothing for a target that the machine has never seen.
  package mutating func giveUp(_ name: String, _ reason: Reason, now: Timestamp) {
    guard let target = gateIndex[name] else { return }
    gates[target].givingUp = reason
    gates[target].diskDue = gates[target].diskDue ?? now
    givingUp.insert(target)
    comeHome(target)
    touch(target)
  }

  /// What stands in another target's queue to be prepared is given up with the rest.
  private mutating func comeHome(_ target: Int) {
    for slot in jobs.indices where jobs[slot].home == target && jobs[slot].target != target {
      switch jobs[slot].phase {
      case .ready: _ = gates[jobs[slot].target].ready.removeAll { $0 == slot }
      case .awaiting: break
      default: continue
      }
      uncount(slot)
      touch(jobs[slot].target)
      jobs[slot].target = target
      if jobs[slot].head, let key = lineKey(slot) { lines[key]?.queue = target }
      makeReady(slot)
    }
  }

  /// Whether something of an order to give up is still to be done.
  package func isGivingUp(_ name: String) -> Bool { gateIndex[name].map { gates[$0].givingUp != nil } ?? false }

  /// The targets that the machine knows and that are not among these.
  package func targets(besides configured: Set<String>) -> [String] {
    gateIndex.keys.filter { !configured.contains($0) }.sorted()
  }

  /// A turn of giving up: what is in memory dies, more is claimed whenever it is due.
  mutating func buryWaiting(_ target: Int, _ reason: Reason) {
    while let slot = gates[target].ready.popFirst() {
      uncount(slot)
      gates[target].inFlight += 1
      die(slot, jobs[slot].home == target ? reason : Self.given(up: reason, asking: gates[target].name))
    }
    for slot in gates[target].desk?.drain() ?? [] {
      uncount(slot)
      gates[target].inFlight += 1
      die(slot, reason)
    }
    if gates[target].claiming { return }
    if gates[target].diskDue != nil {
      gates[target].claiming = true
      gates[target].claimsAll = true
      let room = max(1, gates[target].capacity - gates[target].queued)
      pending.claims.append(ClaimWish(target: gates[target].name, limit: room, evenLater: true))
    } else if gates[target].queued == 0, gates[target].inFlight == 0, committedTurn >= gates[target].lastEnd,
      !jobs.contains(where: { $0.phase != .vacant && $0.home == target })
    {
      // None is being prepared elsewhere. The rows of all that ended are on disk, and what they freed there has been told: nothing is left.
      endGivingUp(target)
    }
  }

  /// Of a delivery that goes elsewhere and only asked the target something.
  package static func given(up reason: Reason, asking target: String) -> Reason {
    Reason(reason.code, "\(reason.sentence) (it needed an answer of \(target) to a lookup)")
  }

  mutating func endGivingUp(_ target: Int) {
    gates[target].givingUp = nil
    givingUp.remove(target)
    touch(target)
  }
}
