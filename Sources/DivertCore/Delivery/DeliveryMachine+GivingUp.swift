// A retired target's rest: everything that waits for it in memory and on disk becomes dead letters, by order.

extension DeliveryMachine {
  /// The code of what was given up by hand: no alarm is raised for it.
  package static let givenUp = "given_up"

  /// By hand: all that waits for the target, also what is due later, dies with this reason instead of being sent. Requests
  /// under way may end. It is over when `isGivingUp` says so; nothing for a target that the machine has never seen.
  package mutating func giveUp(_ name: String, _ reason: Reason, now: Timestamp) {
    guard let target = gateIndex[name] else { return }
    gates[target].givingUp = reason
    gates[target].diskDue = gates[target].diskDue ?? now
    givingUp.insert(target)
    touch(target)
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
      gates[target].queued -= 1
      gates[target].inFlight += 1
      die(slot, reason)
    }
    if gates[target].claiming { return }
    if gates[target].diskDue != nil {
      gates[target].claiming = true
      let room = max(1, gates[target].capacity - gates[target].queued)
      pending.claims.append(ClaimWish(target: gates[target].name, limit: room, evenLater: true))
    } else if gates[target].queued == 0, gates[target].inFlight == 0, committedTurn >= gates[target].lastEnd {
      // The rows of all that ended are on disk, and what they freed there has been told: nothing is left.
      endGivingUp(target)
    }
  }

  mutating func endGivingUp(_ target: Int) {
    gates[target].givingUp = nil
    givingUp.remove(target)
    touch(target)
  }
}
