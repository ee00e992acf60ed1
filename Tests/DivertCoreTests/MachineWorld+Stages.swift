// Deliveries in stages, in the delivery machine's walk: the shell's part (what is asked next), what the targets answer, and the judge.

@testable import DivertCore

/// What a request asks that is not a delivery's own.
enum WorldStage: Hashable {
  case lookup(String, at: String)
  case step(String)
  case verify
}

extension MachineWorld {
  /// Which lookups and steps come before a delivery's request, by its place in its event.
  static func stages(of delivery: Delivery) -> [WorldStage] {
    switch delivery.id.ordinal {
    case 0: [.lookup("contact", at: "look")]
    case 1: [.lookup("contact", at: "look"), .lookup("stock", at: "b")]
    case 2: [.lookup("stock", at: "b")]
    case 3: [.step("note")]
    default: [.lookup("contact", at: "look"), .step("note"), .step("task")]
    }
  }

  /// Whether its target can be asked if it arrived.
  static func verifies(_ delivery: Delivery) -> Bool { delivery.plan.toPerson && delivery.id.ordinal.isMultiple(of: 2) }

  func interruption(_ delivery: Delivery) -> Interruption {
    Self.verifies(delivery) ? .verify(after: .seconds(1)) : delivery.plan.toPerson ? .park : .again
  }

  func isInStages(_ token: JobToken) -> Bool { machine.job(token)?.delivery.isInStages ?? false }

  private func next(_ delivery: Delivery) -> WorldStage? {
    if delivery.memo.isUncertain { return .verify }
    return Self.stages(of: delivery).first { stage in
      switch stage {
      case .lookup(let name, _): delivery.memo.lookups[name] == nil
      case .step(let name): delivery.memo.steps[name] == nil
      case .verify: false
      }
    }
  }

  private func queue(_ stage: WorldStage?, _ delivery: Delivery) -> String? {
    if case .lookup(_, let target) = stage, target != delivery.plan.target { return target }
    return nil
  }

  // MARK: The shell

  /// Goes on with a delivery by what is known.
  mutating func advance(_ token: JobToken) throws(Illegal) {
    guard var delivery = machine.job(token)?.delivery else { return }
    if try judgeTime(token, delivery) { return }
    guard let place = machine.place(of: token) else { return try send(token) }
    while case .lookup(let name, _) = next(delivery), chance(10) {
      delivery.memo.lookups[name] = "cached"
      machine.remember(token, delivery.memo)
    }
    if delivery.plan.prepares, !delivery.memo.isUncertain, chance(2) {
      note("skip \(delivery.id)")
      ended[delivery.id] = .skipped
      return machine.skipped(token, Reason("no", "no"), now: now)
    }
    let stage = next(delivery)
    let queue = queue(stage, delivery)
    if let key = question(stage, delivery), let other = asking[key], other.asker != token {
      note("\(delivery.id) waits for \(key)")
      waits += 1
      if machine.awaits(token, in: queue, now: now) { asking[key]?.waiters.append(token) }
      return
    }
    if stage == nil || stage.map(Self.isStep) == true, consult(token, delivery, at: place) { return }
    if !place.hasPassed || place.queue != queue ?? delivery.plan.target {
      note("move \(delivery.id) to \(queue ?? delivery.plan.target)")
      return machine.moved(token, to: queue, now: now)
    }
    guard let stage else {
      if !machine.recordsFirst(token) { try send(token) }
      return
    }
    try ask(stage, token, delivery)
  }

  private static func isStep(_ stage: WorldStage) -> Bool { if case .step = stage { true } else { false } }

  private func question(_ stage: WorldStage?, _ delivery: Delivery) -> String? {
    guard case .lookup(let name, _) = stage else { return nil }
    return "\(delivery.id.event.sequence % 3) \(name)"
  }

  private mutating func ask(_ stage: WorldStage, _ token: JobToken, _ delivery: Delivery) throws(Illegal) {
    note("\(stage) for \(delivery.id)")
    if transfers.contains(where: { $0.id == delivery.id }) {
      throw Illegal("\(delivery.id) asks while it is in flight")
    }
    if let state = ended[delivery.id] { throw Illegal("\(delivery.id) asks though it is \(state)") }
    let stored = store.rows[delivery.id]?.memo ?? DeliveryMemo()
    switch stage {
    case .lookup(let name, _) where stored.lookups[name] != nil: throw Illegal("\(delivery.id) asks \(name) again")
    case .step(let name) where stored.steps[name] != nil: throw Illegal("\(delivery.id) repeats \(name)")
    default: break
    }
    guard store.state(delivery.id) == .waiting else { throw Illegal("\(delivery.id) asks and is not waiting on disk") }
    try judgeOrder(delivery)
    if let key = question(stage, delivery) { asking[key] = (token, []) }
    asks += 1
    let latency = Int64.random(in: 0..<(chance(10) ? 5_000 : 200), using: &random)
    transfers.append(Transfer(token: token, id: delivery.id, endsAt: now + .milliseconds(latency), stage: stage))
  }

  // MARK: The targets

  mutating func answer(stage transfer: Transfer) throws(Illegal) {
    guard let delivery = machine.job(transfer.token)?.delivery, let stage = transfer.stage else {
      throw Illegal("\(transfer.id) was forgotten")
    }
    let (outcome, status, wait) = verdict(queue(stage, delivery) ?? delivery.plan.target, person: false)
    note("answer \(stage) for \(transfer.id): \(outcome)")
    let attempt = Attempt(
      startedAt: now, duration: .zero, status: status, outcome: outcome, reason: Reason("x", "x"), answer: "",
      stage: "\(stage)")
    if outcome.isOK {
      settle(stage, transfer, attempt, delivery)
    } else {
      machine.attempted(transfer.token, attempt, wait: wait, retry: Self.retry, now: now)
    }
    guard let key = question(stage, delivery), let over = asking.removeValue(forKey: key) else { return }
    for waiter in over.waiters where machine.place(of: waiter) != nil { try advance(waiter) }
  }

  private mutating func settle(_ stage: WorldStage, _ transfer: Transfer, _ attempt: Attempt, _ delivery: Delivery) {
    var known = delivery
    switch stage {
    case .lookup(let name, _): known.memo.lookups[name] = "found"
    case .step(let name): known.memo.steps[name] = "done"
    case .verify:
      let landed = arrived.contains(transfer.id)
      if landed { ended[transfer.id] = .delivered } else { reached.remove(transfer.id) }
      _ = machine.verified(transfer.token, attempt, landed: landed, retry: Self.retry, now: now)
      return
    }
    var end = StageEnd.onward(queue: queue(next(known), known))
    if chance(5) {
      end = .skipped(Reason("none", "none"))
      ended[transfer.id] = .skipped
    } else if chance(3) {
      end = .dead(Reason("none", "none"))
    }
    machine.staged(transfer.token, attempt, known.memo, end, now: now)
  }
}
