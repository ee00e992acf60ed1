// Looking: events and deliveries as they stand, from any thread.

package import DivertCore

extension SQLiteStore {
  package func configuration(version: String) throws(StoreError) -> String? {
    try reading("read a configuration") { reader in
      try reader.connection.prepare("SELECT text FROM configs WHERE version = ?1").first([.text(version)]) {
        $0.text(0)
      }
    }
  }

  package func totals() throws(StoreError) -> Totals {
    try reading("read the totals") { try $0.ledger().totals }
  }

  package func event(_ id: EventID) throws(StoreError) -> EventRecord? {
    if id.tag != tag { return nil }
    return try reading("read an event") { try $0.records([id.sequence]).first }
  }

  package func delivery(_ id: DeliveryID) throws(StoreError) -> Delivery? {
    try event(id.event)?.deliveries.first { $0.id.ordinal == id.ordinal }
  }

  /// Given both, only events of both. Its cost grows slowly with the events kept (a look-up for each bucket).
  package func events(phone: String?, callID: String?, limit: Int) throws(StoreError) -> [EventRecord] {
    let conditions = [phone.map { ("phone", $0) }, callID.map { ("call_id", $0) }].compactMap { $0 }
    if conditions.isEmpty { return [] }
    let condition = conditions.map { "\($0.0) = ?" }.joined(separator: " AND ")
    return try reading("find events") { reader in
      let select = try reader.connection.prepare(
        "SELECT seq FROM events WHERE bucket = ? AND \(condition) ORDER BY seq DESC LIMIT ?")
      var found: [Int64] = []
      for bucket in try reader.buckets() where found.count < limit {
        let values = [SQLiteValue(bucket)] + conditions.map { .text($0.1) } + [SQLiteValue(limit - found.count)]
        found += try select.all(values) { $0.integer(0) }
      }
      return try reader.records(found)
    }
  }

  /// `since` is included, `until` is not; both of the time of reception.
  package func events(
    matching filter: EventFilter, after: EventID?, limit: Int
  ) throws(StoreError) -> [EventRecord] {
    try reading("find events") { reader in
      var conditions = ["seq > ?"]
      var values: [SQLiteValue] = [.integer(after?.sequence ?? -1)]
      if let since = filter.since {
        // A sequence is never earlier than its event's reception.
        conditions += ["seq >= ?", "received >= ?"]
        values += [.integer(EventID.firstSequence(at: since)), SQLiteValue(since)]
      }
      if let until = filter.until {
        let end = until + .milliseconds(try reader.ledger().skew + 1)
        conditions += ["seq < ?", "received < ?"]
        values += [.integer(EventID.firstSequence(at: end)), SQLiteValue(until)]
      }
      if let source = filter.source {
        conditions.append("source = ?")
        values.append(.text(source))
      }
      if filter.unmatched { conditions.append("length(plan) = 2") }
      let condition = conditions.joined(separator: " AND ")
      let sql = "SELECT seq FROM events WHERE \(condition) ORDER BY seq LIMIT ?"
      return try reader.records(try reader.sequences(sql, values + [SQLiteValue(limit)]))
    }
  }

  package func lastEvents(source: String?, limit: Int) throws(StoreError) -> [EventRecord] {
    try reading("read the last events") { reader in
      guard let source else {
        let sql = "SELECT seq FROM events ORDER BY seq DESC LIMIT ?"
        return try reader.records(try reader.sequences(sql, [SQLiteValue(limit)]))
      }
      let accepted = try reader.ledger().totals.sources[source]?.accepted ?? 0
      if accepted == 0 { return [] }
      let sql = "SELECT seq FROM events WHERE source = ? ORDER BY seq DESC LIMIT ?"
      return try reader.records(try reader.sequences(sql, [.text(source), SQLiteValue(min(limit, accepted))]))
    }
  }

  /// From the totals and the rows of what is sending, dead or waiting longest; no count of the queue.
  package func standing() throws(StoreError) -> [String: TargetStanding] {
    try reading("read how targets stand") { reader in
      let sending = try reader.counts("state = 1")
      let dead = try reader.counts("state = 3 AND superseded = 0")
      var standing: [String: TargetStanding] = [:]
      for (target, total) in try reader.ledger().totals.targets {
        var now = TargetStanding()
        now.sending = sending[target] ?? 0
        now.waiting = total.planned - total.delivered - total.dead - total.skipped - now.sending
        now.dead = dead[target] ?? 0
        if now.waiting > 0 { now.oldestWaiting = try reader.oldestRow(target) }
        standing[target] = now
      }
      try reader.eachOpenPlan { plan in
        let oldest = standing[plan.target]?.oldestWaiting ?? plan.due
        standing[plan.target]?.oldestWaiting = min(oldest, plan.due)
      }
      return standing
    }
  }
}

extension SQLiteReader {
  fileprivate func counts(_ condition: String) throws -> [String: Int] {
    let sql = "SELECT target, count(*) FROM deliveries WHERE \(condition) GROUP BY target"
    return Dictionary(try connection.prepare(sql).all { ($0.text(0), $0.int(1)) }) { first, _ in first }
  }

  fileprivate func oldestRow(_ target: String) throws -> Timestamp? {
    let sql = """
      SELECT due0 FROM deliveries INDEXED BY deliveries_waiting WHERE target = ?1 AND state = 0 ORDER BY due0 LIMIT 1
      """
    return try connection.prepare(sql).first([.text(target)]) { $0.time(0) }
  }

  fileprivate func eachOpenPlan(_ body: (PlannedDelivery) -> Void) throws {
    let select = try connection.prepare("SELECT packed, plan, received FROM events WHERE open = 1")
    while try select.step() {
      let plan = try PlanCoding.decode(select.blob(1), received: select.time(2))
      for (entry, state) in zip(plan, try PackedCoding.decode(select.blob(0))) where state == .open { body(entry.plan) }
    }
  }
}
