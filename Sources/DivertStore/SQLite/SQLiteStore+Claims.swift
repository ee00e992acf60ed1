// Step 5 of the line: free rows that are due are handed out; and what start-up must know. Called by the database
// thread.

package import DivertCore

extension SQLiteStore {
  package func claim(_ wishes: [ClaimWish], now: Timestamp) throws(StoreError) -> [Claim] {
    try writing("claim deliveries") { writer in
      var events: [Int64: Event] = [:]
      var taken: Set<DeliveryID> = []
      let claims = try wishes.map { wish in
        let (ids, next) = try writer.free(wish, now: now, besides: taken)
        let deliveries = try ids.map { try writer.claimed($0, &events) }
        taken.formUnion(ids)
        return Claim(target: wish.target, deliveries: deliveries, nextDue: next)
      }
      writer.claimed.formUnion(taken)
      return claims
    }
  }

  package func recover(after: EventID?, limit: Int) throws(StoreError) -> [RecoveredEvent] {
    try writing("recover open events") { writer in
      let select = try writer.statement(
        "SELECT \(EventRow.columns) FROM events WHERE open = 1 AND seq > ?1 ORDER BY seq LIMIT ?2")
      return try select.all([.integer(after?.sequence ?? -1), SQLiteValue(limit)]) { row in
        let stored = try EventRow.read(row, tag: tag)
        let planned = stored.plan.prefix(stored.packed.count).map(\.plan)
        return RecoveredEvent(
          event: stored.event, version: stored.version, planned: planned, states: stored.packed)
      }
    }
  }

  package func interrupted() throws(StoreError) -> [ClaimedDelivery] {
    try writing("find interrupted deliveries") { writer in
      let select = try writer.statement(
        "SELECT \(DeliveryRow.columns) FROM deliveries INDEXED BY deliveries_sending WHERE state = 1")
      let found = try select.all { try DeliveryRow.read($0, tag: tag) }
      var events: [Int64: Event] = [:]
      return try found.sorted { ($0.id.event.sequence, $0.id.ordinal) < ($1.id.event.sequence, $1.id.ordinal) }
        .map { ClaimedDelivery(delivery: $0, event: try writer.event($0.id.event.sequence, &events)) }
    }
  }

  package func waitingTargets() throws(StoreError) -> [String: Timestamp] {
    try writing("find waiting targets") { writer in
      let next = try writer.statement(
        """
        SELECT coalesce(queue, target), due FROM deliveries INDEXED BY deliveries_free
        WHERE state = 0 AND blocked = 0 AND coalesce(queue, target) > ?1 ORDER BY coalesce(queue, target), due LIMIT 1
        """)
      var found: [String: Timestamp] = [:]
      var last = ""
      while let (target, due) = try next.first([.text(last)], { ($0.text(0), $0.time(1)) }) {
        found[target] = due
        last = target
      }
      found[ClaimWish.expiring] = try writer.expiring().first { $0.time(0) }
      return found
    }
  }

  package func targetStates() throws(StoreError) -> [String: TargetRuling] {
    try writing("read the rulings on targets") { writer in
      let select = try writer.statement("SELECT target, kind, code, sentence, since FROM target_states")
      let rows = try select.all { row in
        guard let kind = TargetRuling.Kind(rawValue: row.text(1)) else { throw StoredJSON.fault("kind") }
        return (
          row.text(0), TargetRuling(kind: kind, reason: Reason(row.text(2), row.text(3)), since: row.time(4))
        )
      }
      return Dictionary(rows) { first, _ in first }
    }
  }

  package func alarms() throws(StoreError) -> [String: String] {
    try writing("read the alarms") { writer in
      let rows = try writer.statement("SELECT name, sentence FROM alarms").all { ($0.text(0), $0.text(1)) }
      return Dictionary(rows) { first, _ in first }
    }
  }

  package func keepConfiguration(version: String, text: String, at: Timestamp) throws(StoreError) {
    try writing("keep the configuration") { writer in
      var chain = ChainTurn(writer.chain)
      try writer.transaction {
        try chain.beginIfNew(writer, now: at)
        try writer.statement("INSERT INTO configs(version, at, text) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING")
          .run([.text(version), SQLiteValue(at), .text(text)])
        if chain.standing.configuration != version { try chain.keep(version, text, writer, now: at) }
        try chain.write(writer, now: at)
      }
      writer.chain = chain.standing
    }
  }
}

extension SQLiteWriter {
  /// Up to `limit` free rows that are due, in order, and the earliest due time of the rest.
  fileprivate func free(
    _ wish: ClaimWish, now: Timestamp, besides taken: Set<DeliveryID>
  ) throws -> ([DeliveryID], Timestamp?) {
    let queued = try statement(
      """
      SELECT due, event, ordinal FROM deliveries INDEXED BY deliveries_free
      WHERE coalesce(queue, target) = ?1 AND state = 0 AND blocked = 0 ORDER BY due, event, ordinal
      """)
    var ids: [DeliveryID] = []
    if wish.target == ClaimWish.expiring {
      let next = try take(wish, from: expiring(), into: &ids, now: now, besides: taken)
      return (ids, next)
    }
    if let next = try take(wish, from: queued, into: &ids, now: now, besides: taken) { return (ids, next) }
    if !wish.evenLater { return (ids, nil) }
    let elsewhere = try statement(
      """
      SELECT due, event, ordinal FROM deliveries INDEXED BY deliveries_waiting
      WHERE target = ?1 AND state = 0 AND blocked = 0 AND queue IS NOT NULL AND queue <> target ORDER BY due0
      """)
    let next = try take(wish, from: elsewhere, into: &ids, now: now, besides: taken)
    return (ids, next)
  }

  /// Every waiting row that is to expire, the earliest first.
  fileprivate func expiring() throws -> SQLiteStatement {
    try statement(
      """
      SELECT expires, event, ordinal FROM deliveries INDEXED BY deliveries_expiring
      WHERE expires IS NOT NULL AND state = 0 AND uncertain = 0 ORDER BY expires, event, ordinal
      """)
  }

  /// The due time of the first row that is left; nil: none is.
  private func take(
    _ wish: ClaimWish, from select: SQLiteStatement, into ids: inout [DeliveryID], now: Timestamp,
    besides taken: Set<DeliveryID>
  ) throws -> Timestamp? {
    if wish.target != ClaimWish.expiring { select.bind(1, text: wish.target) }
    defer { select.reset() }
    while try select.step() {
      let id = DeliveryID(event: EventID(sequence: select.integer(1), tag: tag), ordinal: select.int(2))
      if claimed.contains(id) || taken.contains(id) { continue }
      let due = select.time(0)
      if ids.count >= wish.limit || due > now && !wish.evenLater { return due }
      ids.append(id)
    }
    return nil
  }

  fileprivate func claimed(_ id: DeliveryID, _ events: inout [Int64: Event]) throws -> ClaimedDelivery {
    let select = try statement("SELECT \(DeliveryRow.columns) FROM deliveries WHERE event = ?1 AND ordinal = ?2")
    let delivery = try select.first(RowKey(id).values) { try DeliveryRow.read($0, tag: tag) }
    guard var delivery else { throw StoreError(code: "corrupt", description: "delivery \(id) is in an index alone") }
    if delivery.plan.prepares, delivery.replayOf == nil { delivery.memo.siblings = try answers(besides: delivery) }
    return ClaimedDelivery(delivery: delivery, event: try event(id.event.sequence, &events))
  }

  /// What lookups answered to the other deliveries of an event, by the same definitions.
  private func answers(besides delivery: Delivery) throws -> [String: JSONValue] {
    let select = try statement(
      "SELECT memo FROM deliveries WHERE event = ?1 AND ordinal <> ?2 AND memo IS NOT NULL AND version = ?3")
    var answers: [String: JSONValue] = [:]
    let values = RowKey(delivery.id).values + [.text(delivery.version)]
    for memo in try select.all(values, { try MemoCoding.decode($0.blob(0)) }) {
      answers.merge(memo.lookups) { first, _ in first }
    }
    return answers
  }

  fileprivate func event(_ sequence: Int64, _ events: inout [Int64: Event]) throws -> Event {
    if let event = events[sequence] { return event }
    let select = try statement("SELECT \(EventRow.columns) FROM events WHERE seq = ?1")
    let event = try select.first([.integer(sequence)]) { try EventRow.event($0, tag: tag) }
    guard let event else {
      let id = EventID(sequence: sequence, tag: tag)
      throw StoreError(code: "corrupt", description: "event \(id) is missing though it has a delivery")
    }
    events[sequence] = event
    return event
  }
}
