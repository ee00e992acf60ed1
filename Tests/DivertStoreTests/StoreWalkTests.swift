// A random walk of everything that an engine does to a store, held against the model after each step.

import DivertCore
import DivertStore
import Testing

@Suite("A random walk")
struct StoreWalkTests {
  @Test("agrees with the model at every step", arguments: Engine.all, [UInt64.random(in: 0...UInt64.max), 1, 2])
  func walk(_ engine: Engine, seed: UInt64) throws {
    var walk = try StoreWalk(engine, seed: seed)
    for _ in 0..<250 {
      try walk.step()
      try walk.compare()
    }
    try walk.expectRecord()
    print("walked from seed \(seed)")
  }
}

/// SplitMix64 (https://prng.di.unimi.it/splitmix64.c).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

private struct FreeRow: Hashable {
  var id: DeliveryID
  var due: Timestamp
}

private struct StoreWalk {
  let engine: Engine
  let folder = Folder()
  let seed: UInt64
  var store: any Store
  var model = StoreModel()
  var random: SeededGenerator
  var now = start
  let targets = ["crm", "wa", "zap"]

  init(_ engine: Engine, seed: UInt64) throws {
    self.engine = engine
    self.seed = seed
    random = SeededGenerator(state: seed)
    store = try engine.open(folder)
  }

  /// The record holds whatever was done.
  func expectRecord() throws {
    guard let store = store as? SQLiteStore else { return }
    #expect(try store.verifyRecord(heads: [store.recordHead()]).problems == [], "seed \(seed)")
  }

  mutating func chance(_ n: Int) -> Bool { Int.random(in: 0..<n, using: &random) == 0 }

  mutating func step() throws {
    now = now + .milliseconds(Int64.random(in: -20...400, using: &random))
    switch Int.random(in: 0..<12, using: &random) {
    case 0..<3: try append()
    case 3..<5: try chance(3) ? claimExpired() : claim()
    case 5..<8: try settle()
    case 8: try settlePacked()
    case 9: try replay()
    case 10: try chance(2) ? cancel() : add()
    default: try chance(4) ? reopen() : release()
    }
  }

  mutating func plan() -> PlannedDelivery {
    let target = targets.randomElement(using: &random) ?? "crm"
    let key = chance(3) ? nil : ["a", "b"].randomElement(using: &random)
    let due = now + .milliseconds(chance(3) ? Int64.random(in: 0...5000, using: &random) : 0)
    var plan = PlannedDelivery.to(target, key: key, due: due, person: target == "wa", send: "\(random.next())")
    if chance(4) { plan.expires = now + .milliseconds(Int64.random(in: 0...3000, using: &random)) }
    return plan
  }

  private mutating func append() throws {
    var batch = StoreBatch()
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let plans = (0..<Int.random(in: 0...4, using: &random)).map { _ in plan() }
      batch.appends.append(.event(plans, at: now, congested: chance(3) ? ["zap"] : []))
    }
    let receipt = try store.commit(batch, now: now)
    for (append, outcome) in zip(batch.appends, receipt.appends) {
      guard case .accepted(let event, _, let hot) = outcome else { continue }
      let rows = expectedRows(append)
      #expect(hot == append.planned.indices.filter { !rows[$0] }, "seed \(seed)")
      for (ordinal, plan) in append.planned.enumerated() { note(event.id, ordinal, plan, isRow: rows[ordinal]) }
      model.planned[event.id] = append.planned.count
      model.atAcceptance[event.id] = append.planned.count
    }
  }

  private func expectedRows(_ append: Append) -> [Bool] {
    let forced = append.planned.map {
      $0.toPerson || append.congested?.contains($0.target) ?? true || $0.due > append.receivedAt + .seconds(1)
    }
    return append.planned.indices.map { place in
      let plan = append.planned[place]
      guard !forced[place], let key = plan.orderKey else { return forced[place] }
      let beside = append.planned.indices.contains {
        forced[$0] && append.planned[$0].target == plan.target && append.planned[$0].orderKey == key
      }
      return beside || model.hasLine(plan.target, key)
    }
  }

  private mutating func note(
    _ event: EventID, _ ordinal: Int, _ plan: PlannedDelivery, isRow: Bool, replayOf: Int? = nil
  ) {
    let id = DeliveryID(event: event, ordinal: ordinal)
    model.rows[id] = .init(
      state: .waiting, due: plan.due, target: plan.target, key: plan.orderKey, plannedDue: plan.due,
      replayOf: replayOf, id: id, isRow: isRow, expires: plan.expires)
  }

  private mutating func claim() throws {
    let wishes = targets.map { ClaimWish(target: $0, limit: Int.random(in: 0...4, using: &random)) }
    for (wish, claim) in zip(wishes, try store.claim(wishes, now: now)) {
      let free = model.free(wish.target)
      let expected = free.prefix(wish.limit).filter { $0.due <= now }
      #expect(claim.deliveries.map(\.delivery.id) == expected.map(\.id), "seed \(seed)")
      #expect(claim.deliveries.map(\.delivery.due) == expected.map(\.due), "seed \(seed)")
      #expect(claim.nextDue == free.dropFirst(expected.count).first?.due, "seed \(seed)")
      model.claimed.formUnion(expected.map(\.id))
    }
  }

  private mutating func claimExpired() throws {
    let limit = Int.random(in: 0...4, using: &random)
    let claim = try #require(try store.claim([.expired(limit: limit)], now: now).first)
    let expiring = model.expiring()
    let expected = expiring.prefix(limit).filter { $0.expires.map { $0 <= now } ?? false }
    #expect(claim.deliveries.map(\.delivery.id) == expected.map(\.id), "seed \(seed)")
    #expect(claim.nextDue == expiring.dropFirst(expected.count).first?.expires, "seed \(seed)")
    model.claimed.formUnion(expected.map(\.id))
  }

  /// Claimed rows, in the model's own order so that a seed repeats.
  private var claimed: [DeliveryID] {
    model.claimed.sorted { ($0.event.sequence, $0.ordinal) < ($1.event.sequence, $1.ordinal) }
  }

  private mutating func settle() throws {
    var batch = StoreBatch()
    for id in claimed where chance(2) {
      guard let delivery = try store.delivery(id) else { continue }
      let state = [DeliveryState.waiting, .sending, .delivered, .dead, .skipped].randomElement(using: &random) ?? .dead
      let due = now + .milliseconds(Int64.random(in: 0...2000, using: &random))
      var row = delivery.put(state, due: due, attempt: .ended(.retry, at: now))
      if chance(3) { row.held = due }
      batch.rows.append(row)
    }
    let sending = model.rows.values.filter { $0.state == .sending }.map(\.id).sorted { "\($0)" < "\($1)" }
    for id in sending where chance(2) && !batch.rows.contains(where: { $0.id == id }) {
      if let delivery = try store.delivery(id) { batch.rows.append(delivery.put(chance(2) ? .delivered : .dead)) }
    }
    try commit(batch)
    for row in batch.rows { took(row) }
  }

  /// Commits; whatever is free afterwards and was not before must have been told.
  private func commit(_ batch: StoreBatch) throws {
    let before = Set(try targets.flatMap { try free($0) })
    let receipt = try store.commit(batch, now: now)
    for target in targets {
      let told = receipt.due[target]
      for row in try free(target) where !before.contains(row) {
        #expect(told.map { $0 <= row.due } ?? false, "seed \(seed)")
      }
    }
  }

  /// What could be claimed, asked of the store itself; given back at once.
  private func free(_ target: String) throws -> [FreeRow] {
    let claim = try store.claim([ClaimWish(target: target, limit: 10_000)], now: .distantFuture)
    let rows = claim.flatMap(\.deliveries).map(\.delivery)
    try store.commit(now: now) { $0.rows = rows }
    return rows.map { FreeRow(id: $0.id, due: $0.due) }
  }

  private mutating func took(_ row: Delivery) {
    model.claimed.remove(row.id)
    model.rows[row.id]?.state = row.state
    model.rows[row.id]?.due = row.due
    model.rows[row.id]?.held = row.held
    model.rows[row.id]?.isRow = true
  }

  /// Some open packed deliveries are delivered, some get rows.
  private mutating func settlePacked() throws {
    var batch = StoreBatch()
    let open = model.rows.values.filter { !$0.isRow && $0.state == .waiting }.map(\.id).sorted { "\($0)" < "\($1)" }
    for id in open where chance(3) {
      if chance(2) {
        model.rows[id]?.state = .delivered
      } else if let delivery = try store.delivery(id) {
        let row = delivery.put(chance(4) ? .dead : .waiting, due: now + .seconds(1), attempt: .ended(.retry))
        batch.rows.append(row)
        took(row)
      }
      batch.packed.removeAll { $0.event == id.event }
      batch.packed.append(PackedUpdate(event: id.event, states: model.states(id.event)))
    }
    batch.rows.shuffle(using: &random)
    try commit(batch)
  }

  private mutating func replay() throws {
    let dead = model.rows.values.filter { $0.isRow && $0.state != .sending }.map(\.id).sorted { "\($0)" < "\($1)" }
    guard let id = dead.randomElement(using: &random), let row = model.rows[id] else { return }
    let refusal = model.refusal(id)
    let plan = PlannedDelivery.to(row.target, key: "a", due: now)
    let replay = Replay(original: id, plan: plan, version: "v2", asWas: false, edited: nil)
    let outcome = try store.commit(now: now) { $0.replays = [replay] }.replays.first
    #expect(outcome?.refused == refusal, "seed \(seed)")
    guard let made = outcome?.planned else { return }
    #expect(made.ordinal == model.planned[id.event], "seed \(seed)")
    var keyless = plan
    keyless.orderKey = nil
    note(id.event, made.ordinal, keyless, isRow: true, replayOf: id.ordinal)
    model.planned[id.event, default: 0] += 1
  }

  private mutating func add() throws {
    let events = model.planned.keys.sorted { $0.sequence < $1.sequence }
    guard let event = events.randomElement(using: &random) else { return }
    let plans = [plan(), plan()]
    let addition = Addition(event: event, planned: plans, version: "v3")
    let added = try store.commit(now: now) { $0.additions = [addition, addition] }.additions
    #expect(added == [plans, []], "seed \(seed)")
    for plan in plans {
      note(event, model.planned[event] ?? 0, plan, isRow: true)
      model.planned[event, default: 0] += 1
    }
  }

  private mutating func cancel() throws {
    let target = targets.randomElement(using: &random) ?? "crm"
    let cancel = Cancel(route: nil, target: target, event: nil, reason: Reason("cancelled", "by hand"), limit: 1000)
    let ended = try store.commit(now: now) { $0.cancels = [cancel] }.cancels
    let meant = model.rows.values.filter {
      $0.isRow && $0.target == target && $0.state == .waiting && !model.claimed.contains($0.id)
    }
    #expect(ended == [meant.count], "seed \(seed)")
    for row in meant { model.rows[row.id]?.state = .skipped }
  }

  private mutating func release() throws {
    let some = claimed.filter { _ in chance(2) }
    let rows = try some.compactMap { try store.delivery($0) }
    try store.commit(now: now) { $0.rows = rows }
    model.claimed.subtract(some)
  }

  private mutating func reopen() throws {
    try store.close()
    store = try engine.open(folder)
    model.claimed = []
    let open = model.rows.values.filter { !$0.isRow && $0.state == .waiting }
    #expect(try store.recover(after: nil, limit: 1000).map(\.event.id).count == Set(open.map(\.id.event)).count)
    let sending = model.rows.values.filter { $0.state == .sending }.map(\.id)
    #expect(try Set(store.interrupted().map(\.delivery.id)) == Set(sending), "seed \(seed)")
    let due = try store.waitingTargets()
    for target in targets { #expect(due[target] == model.free(target).first?.due, "seed \(seed)") }
    #expect(due[ClaimWish.expiring] == model.expiring().first?.expires, "seed \(seed)")
  }

  /// The equations hold, and every count is the model's.
  func compare() throws {
    let audit = try store.audit()
    #expect(audit.problems == [], "seed \(seed)")
    let (totals, standing) = (try store.totals(), try store.standing())
    for target in targets {
      guard let total = totals.targets[target], let now = standing[target] else {
        #expect(model.count(target, Set(DeliveryState.allCases)) == 0, "seed \(seed)")
        continue
      }
      #expect(total.delivered == model.count(target, [.delivered]), "seed \(seed)")
      #expect(total.dead == model.count(target, [.dead]), "seed \(seed)")
      #expect(total.skipped == model.count(target, [.skipped]), "seed \(seed)")
      #expect(now.waiting == model.count(target, [.waiting]), "seed \(seed)")
      #expect(now.sending == model.count(target, [.sending]), "seed \(seed)")
    }
  }
}
