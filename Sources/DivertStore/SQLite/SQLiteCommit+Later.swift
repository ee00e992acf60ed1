// Step 13 within a transaction: deliveries that join an event later, by replay or by a fresh plan.

import DivertCore

extension SQLiteCommit {
  /// Plans a dead letter again, unless one of its chain of replays is alive or was delivered.
  mutating func replay(_ replay: Replay) throws -> ReplayOutcome {
    let event = replay.original.event
    guard event.tag == tag, var entries = try plan(of: event), replay.original.ordinal < entries.count else {
      return .refused(Reason("unknown_delivery", "no delivery \(replay.original) is in this store"))
    }
    let rows = try chainRows(of: event)
    guard let original = rows.first(where: { $0.ordinal == replay.original.ordinal }), original.state == .dead else {
      return .refused(Reason("not_dead", "delivery \(replay.original) is not dead, so there is nothing to send again"))
    }
    if let refusal = refusal(rows.filter { $0.root == original.root }, event) { return .refused(refusal) }
    let id = DeliveryID(event: event, ordinal: entries.count)
    var delivery = delivery(id, replay)
    if delivery.plan.prepares { delivery.memo = try memo(replay.original).forReplay }
    entries.append(PlanEntry(plan: delivery.plan, version: replay.version, later: true))
    try write(entries, of: event)
    try insert(delivery, root: original.root)
    try sealEntry(delivery, entries[id.ordinal], root: original.root)
    let sql = """
      UPDATE deliveries SET replayed_by = ?3, superseded = 1
      WHERE event = ?1 AND state = 3 AND (ordinal = ?2 OR root = ?2)
      """
    let root = RowKey(event: event.sequence, ordinal: original.root).values
    try writer.statement(sql).run(root + [SQLiteValue(id.ordinal)])
    return .planned(id)
  }

  private func delivery(_ id: DeliveryID, _ replay: Replay) -> Delivery {
    var plan = replay.plan
    plan.orderKey = nil
    var delivery = Delivery(id: id, plan: plan, version: replay.version)
    delivery.replayOf = replay.original.ordinal
    delivery.edited = replay.edited
    delivery.asWas = replay.asWas
    return delivery
  }

  private func memo(_ id: DeliveryID) throws -> DeliveryMemo {
    let select = try writer.statement("SELECT memo FROM deliveries WHERE event = ?1 AND ordinal = ?2")
    let memo = try select.first(RowKey(id).values) { $0.isNull(0) ? nil : try MemoCoding.decode($0.blob(0)) }
    return (memo ?? nil) ?? DeliveryMemo()
  }

  private func refusal(_ chain: [ChainRow], _ event: EventID) -> Reason? {
    if let live = chain.first(where: { !$0.state.isFinal }) {
      let id = DeliveryID(event: event, ordinal: live.ordinal)
      return Reason("replay_alive", "its replay \(id) is still \(live.state.name)")
    }
    if let done = chain.first(where: { $0.state == .delivered }) {
      let id = DeliveryID(event: event, ordinal: done.ordinal)
      return Reason("already_replayed", "its replay \(id) was delivered")
    }
    return nil
  }

  /// A replay that died has a letter of its own; one that was skipped leaves the original as it was.
  func replayFailed(_ delivery: Delivery) throws {
    let sql = """
      UPDATE deliveries SET replayed_by = NULL, superseded = ?3
      WHERE event = ?1 AND replayed_by = ?2 AND state = 3
      """
    try writer.statement(sql).run(RowKey(delivery.id).values + [SQLiteValue(delivery.state == .dead ? 1 : 0)])
  }

  /// A dead letter that was put away by hand. Not dead, or not of this store: nothing.
  func drop(_ id: DeliveryID) throws {
    if id.event.tag != tag { return }
    let sql = "UPDATE deliveries SET superseded = 1 WHERE event = ?1 AND ordinal = ?2 AND state = 3"
    try writer.statement(sql).run(RowKey(id).values)
  }

  private struct ChainRow {
    var ordinal: Int
    var state: DeliveryState
    /// The first delivery of its chain of replays: itself, where it replays none.
    var root: Int
  }

  private func chainRows(of event: EventID) throws -> [ChainRow] {
    let select = try writer.statement("SELECT ordinal, state, root FROM deliveries WHERE event = ?1")
    return try select.all([.integer(event.sequence)]) { row in
      guard let state = DeliveryState(rawValue: row.int(1)) else { throw StoredJSON.fault("state") }
      return ChainRow(ordinal: row.int(0), state: state, root: row.optionalInt(2) ?? row.int(0))
    }
  }

  /// Adds the deliveries that an event has not yet; which.
  mutating func add(_ addition: Addition) throws -> [PlannedDelivery] {
    guard addition.event.tag == tag, var entries = try plan(of: addition.event) else { return [] }
    for claim in addition.claims where try isHeld(claim) { return [] }
    for promise in addition.promises { try memory.open(promise) }
    var known = Set(entries.map { SendOfEvent($0.plan) })
    let added = addition.planned.filter { known.insert(SendOfEvent($0)).inserted }
    if added.isEmpty { return [] }
    for claim in addition.claims { try memory.enter(claim.entry, in: claim.place, span: claim.span) }
    for plan in added {
      let id = DeliveryID(event: addition.event, ordinal: entries.count)
      entries.append(PlanEntry(plan: plan, version: addition.version, later: true))
      ledger.totals.targets[plan.target, default: Totals.Target()].planned += 1
      let delivery = Delivery(id: id, plan: plan, version: addition.version)
      try insert(delivery)
      try sealEntry(delivery, entries[id.ordinal], root: nil)
    }
    try store(entries, of: addition.event)
    return added
  }

  /// Another event claimed it since the addition was planned.
  private mutating func isHeld(_ claim: BookClaim) throws -> Bool {
    let reach = Span(milliseconds: claim.span.milliseconds - 1)
    let held = try memory.entries(of: claim.place, from: claim.entry.at - reach, to: claim.entry.at + reach)
    return held.contains { $0.mark != claim.entry.mark }
  }

  private func plan(of event: EventID) throws -> [PlanEntry]? {
    let select = try writer.statement("SELECT plan, received FROM events WHERE seq = ?1")
    return try select.first([.integer(event.sequence)]) { try PlanCoding.decode($0.blob(0), received: $0.time(1)) }
  }

  private mutating func write(_ entries: [PlanEntry], of event: EventID) throws {
    if let last = entries.last {
      ledger.totals.targets[last.plan.target, default: Totals.Target()].planned += 1
    }
    try store(entries, of: event)
  }

  private func store(_ entries: [PlanEntry], of event: EventID) throws {
    let update = try writer.statement("UPDATE events SET plan = ?2 WHERE seq = ?1")
    try update.run([.integer(event.sequence), .blob(PlanCoding.encode(entries))])
  }
}

/// What makes two deliveries of one event the same send.
private struct SendOfEvent: Hashable {
  var route: String
  var send: String
  var target: String
  var action: String

  init(_ plan: PlannedDelivery) {
    (route, send, target, action) = (plan.route, plan.send, plan.target, plan.action)
  }
}
