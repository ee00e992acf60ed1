// After a start: what was accepted and not finished enters the machine again, as step 5 of the line would hand it over.

import DivertCore
import DivertStore

enum Recovery {
  /// Open events in memory at a time while they are read.
  private static let page = 1000

  /// A machine that knows the targets, their rulings, the alarms that are up, and every delivery that the last process left
  /// open. `verdicts`: deliveries whose dead letters are on file though their rows may not say so yet. `retired`: the last
  /// definition of a target that is gone, by which it drains.
  static func machine(
    _ store: any Store, _ resolver: inout ActionResolver, verdicts: [DeliveryID: Delivery],
    retired: (String) -> TargetDefinition?, seed: UInt64, now: Timestamp
  ) throws(StoreError) -> DeliveryMachine {
    var machine = DeliveryMachine(seed: seed, spare: Congestion.hotLimit / 2)
    let settings = resolver.current.parts.targets.mapValues { TargetSettings($0) }
    let credentials = resolver.current.parts.credentials.mapValues { CredentialSettings($0) }
    machine.configure(settings, credentials: credentials, rulings: try store.targetStates(), now: now)
    machine.restore(budgets: try store.budgets())
    machine.restore(alarms: try store.alarms(), now: now)
    for found in try store.interrupted() where verdicts[found.delivery.id] == nil {
      machine.interrupted(found, verdict(found, &resolver), now: now)
    }
    var last: EventID?
    while true {
      let found = try store.recover(after: last, limit: page)
      for one in found { machine.recovered(one, verdicts: verdicts, now: now) }
      guard found.count == page else { break }
      last = found.last?.event.id
    }
    machine.waiting(try store.waitingTargets())
    let gone = machine.targets(besides: Set(settings.keys)).compactMap { name in retired(name).map { (name, $0) } }
    machine.configure(Dictionary(gone) { $1 }.mapValues { TargetSettings($0) }, rulings: [:], now: now)
    // An alarm of the last process: this one would not run with a configuration that is refused.
    machine.settle(alarm: "config", text: "the router started with the configuration that lies there")
    return machine
  }

  /// What an interrupted attempt makes of its delivery: a dead letter, unless its action says that a second one does no harm, or
  /// how to find out.
  private static func verdict(_ found: ClaimedDelivery, _ resolver: inout ActionResolver) -> Interruption {
    guard case .success(let resolution) = resolver.resolve(found.delivery) else { return .park }
    return resolution.recipe.interruption(of: found.delivery, found.event)
  }

  /// What a crash cut off between a dead letter's file and its row: the file is the verdict, the row follows it. Rows are
  /// committed here; the verdicts on packed deliveries are returned for the machine.
  static func verdicts(
    _ store: any Store, _ directory: DeadLetterDirectory, now: Timestamp
  ) throws -> [DeliveryID: Delivery] {
    var verdicts: [DeliveryID: Delivery] = [:]
    for entry in try directory.entries() {
      guard let letter = entry.letter, let known = try store.delivery(letter.delivery.id),
        known.state == .waiting || known.state == .sending
      else { continue }
      var delivery = letter.delivery
      delivery.state = .dead
      verdicts[delivery.id] = delivery
    }
    if verdicts.isEmpty { return [:] }
    var packed: Set<DeliveryID> = []
    var last: EventID?
    repeat {
      let found = try store.recover(after: last, limit: page)
      for one in found {
        for ordinal in one.states.indices where one.states[ordinal] == .open {
          packed.insert(DeliveryID(event: one.event.id, ordinal: ordinal))
        }
      }
      last = found.count == page ? found.last?.event.id : nil
    } while last != nil
    var batch = StoreBatch()
    batch.rows = verdicts.values.filter { !packed.contains($0.id) }
    if !batch.isEmpty { _ = try store.commit(batch, now: now) }
    return verdicts.filter { packed.contains($0.key) }
  }
}
