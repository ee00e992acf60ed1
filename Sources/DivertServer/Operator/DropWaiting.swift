// `divert targets drop-waiting`: what waits for a target that is gone becomes dead letters.

import DivertCore
import DivertStore

enum DropWaiting {
  private static let page = 500

  /// Only for a target that the configuration does not have: of any other, new deliveries would come.
  static func run(_ context: OperatorContext, _ input: OperatorInput) async throws -> JSONValue {
    let target = try input.requiredText("target")
    let table = try context.requireTable()
    if table.parts.targets[target] != nil {
      throw OperatorFailure.conflict(
        "not_retired",
        "target \(target) is in the configuration: take it out first, or end what waits with `divert cancel --target "
          + "\(target)`")
    }
    let standing = try await Blocking.run { try context.store.standing() }
    guard let before = standing[target] else {
      try await Blocking.run { try KnownNames(context).require(target: target) }
      throw OperatorFailure.notFound("nothing is known of a target \(target); `divert targets list` names them")
    }
    let why = try input.text("reason").map { ": \($0)" } ?? ""
    let reason = Reason("given_up", "target \(target) is gone, and what waited for it was given up by hand\(why)")
    if let live = context.live {
      try await live.giveUp(target, reason)
    } else {
      try await Blocking.run { try bury(context, table, target, reason) }
    }
    let ended = try await Blocking.run { try context.store.standing() }
    let after = ended[target]
    let others = ended.filter { $0.key != target && $0.value.dead > standing[$0.key]?.dead ?? 0 }
    return [
      "target": .string(target), "given_up": .number((after?.dead ?? 0) - before.dead),
      "left": .number((after?.waiting ?? 0) + (after?.sending ?? 0)),
      "others": .array(others.keys.sorted().map(JSONValue.string)),
    ]
  }

  // MARK: While no router runs

  private static func bury(_ context: OperatorContext, _ table: RouteTable, _ target: String, _ reason: Reason) throws {
    var writer = Writer(context, table, target, reason)
    var last: EventID?
    repeat {
      let found = try context.store.recover(after: last, limit: page)
      try writer.bury(packed: found, of: target)
      last = found.count == page ? found.last?.event.id : nil
    } while last != nil
    while true {
      let wish = ClaimWish(target: target, limit: page, evenLater: true)
      let claimed = try context.store.claim([wish], now: context.now()).first?.deliveries ?? []
      if claimed.isEmpty { return }
      try writer.bury(claimed)
    }
  }

  /// Letters first, then the rows.
  private struct Writer {
    let context: OperatorContext
    let target: String
    let reason: Reason
    private var resolver: ActionResolver
    private let maker = RequestMaker(secret: { _ in nil }, emulator: nil)

    init(_ context: OperatorContext, _ table: RouteTable, _ target: String, _ reason: Reason) {
      self.context = context
      self.target = target
      self.reason = reason
      resolver = ActionResolver(current: table, load: context.tableOfVersion)
    }

    mutating func bury(packed found: [RecoveredEvent], of target: String) throws {
      var batch = StoreBatch()
      var letters: [DeadLetter] = []
      for one in found {
        var update = PackedUpdate(event: one.event.id, states: one.states)
        for ordinal in one.states.indices
        where one.states[ordinal] == .open && one.planned[ordinal].target == target {
          let id = DeliveryID(event: one.event.id, ordinal: ordinal)
          letters.append(letter(Delivery(id: id, plan: one.planned[ordinal], version: one.version), one.event))
          update.states[ordinal] = .row
        }
        if update.states != one.states { batch.packed.append(update) }
      }
      try commit(letters, &batch)
    }

    mutating func bury(_ claimed: [ClaimedDelivery]) throws {
      var batch = StoreBatch()
      var letters: [DeadLetter] = []
      for one in claimed { letters.append(letter(one.delivery, one.event)) }
      try commit(letters, &batch)
    }

    private mutating func letter(_ delivery: Delivery, _ event: Event) -> DeadLetter {
      var dead = delivery
      dead.state = .dead
      let isOwn = delivery.plan.target == target
      dead.reason = isOwn ? reason : DeliveryMachine.given(up: reason, asking: target)
      var request: EditedRequest?
      if case .success(let resolution) = resolver.resolve(dead) {
        request = maker.masked(dead, of: event, by: resolution)
      }
      return DeadLetter(delivery: dead, event: event, request: request, diedAt: context.now())
    }

    private func commit(_ letters: [DeadLetter], _ batch: inout StoreBatch) throws {
      if letters.isEmpty { return }
      try context.deadLetters.write(letters)
      batch.rows = letters.map(\.delivery)
      _ = try context.store.commit(batch, now: context.now())
    }
  }
}
