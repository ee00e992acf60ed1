// A delivery's row ↔ `Delivery`: the one place that knows the order of the columns.

import DivertCore

enum DeliveryRow {
  /// What `read` expects, in its order.
  static let columns = """
    event, ordinal, target, key, due0, due, state, route, send, action, person, version, code, sentence, attempts, \
    counted, first, stood, replay_of, replayed_by, edited, as_was, prepares, memo, queue, \
    expires, held
    """

  static func read(_ row: SQLiteStatement, tag: UInt32) throws -> Delivery {
    let id = DeliveryID(event: EventID(sequence: row.integer(0), tag: tag), ordinal: row.int(1))
    let plan = PlannedDelivery(
      route: row.text(7), send: row.text(8), target: row.text(2), action: row.text(9),
      orderKey: row.optionalText(3), due: row.time(4), toPerson: row.int(10) == 1, prepares: row.int(22) == 1,
      expires: row.optionalTime(25))
    var delivery = Delivery(id: id, plan: plan, version: row.text(11))
    guard let state = DeliveryState(rawValue: row.int(6)) else { throw StoredJSON.fault("state") }
    delivery.state = state
    delivery.due = row.time(5)
    if let code = row.optionalText(12) { delivery.reason = Reason(code, row.text(13)) }
    delivery.attempts = try AttemptCoding.decode(row.blob(14))
    delivery.counted = row.int(15)
    delivery.firstAttemptAt = row.optionalTime(16)
    delivery.stood = Span(milliseconds: row.integer(17))
    delivery.replayOf = row.optionalInt(18)
    delivery.replayedBy = row.optionalInt(19)
    if !row.isNull(20) { delivery.edited = try EditedCoding.decode(row.blob(20)) }
    delivery.asWas = row.int(21) == 1
    if !row.isNull(23) { delivery.memo = try MemoCoding.decode(row.blob(23)) }
    delivery.queue = row.optionalText(24)
    delivery.held = row.optionalTime(26)
    return delivery
  }

  static let insert = """
    INSERT INTO deliveries(\(columns), uncertain, blocked, root, seal, superseded)
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, \
    ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, 0)
    """

  /// The values of `insert`, but for the seal, which comes last. `root`: the first delivery of a chain of replays, for a replay.
  static func values(_ delivery: Delivery, blocked: Bool, root: Int?) -> [SQLiteValue] {
    let plan = delivery.plan
    return [
      .integer(delivery.id.event.sequence), SQLiteValue(delivery.id.ordinal), .text(plan.target),
      SQLiteValue(optional: plan.orderKey), SQLiteValue(plan.due), SQLiteValue(delivery.due),
      SQLiteValue(delivery.state.rawValue), .text(plan.route), .text(plan.send), .text(plan.action),
      SQLiteValue(plan.toPerson ? 1 : 0), .text(delivery.version), SQLiteValue(optional: delivery.reason?.code),
      SQLiteValue(optional: delivery.reason?.sentence), .blob(AttemptCoding.encode(delivery.attempts)),
      SQLiteValue(delivery.counted), SQLiteValue(optional: delivery.firstAttemptAt),
      .integer(delivery.stood.milliseconds), SQLiteValue(optional: delivery.replayOf),
      SQLiteValue(optional: delivery.replayedBy), delivery.edited.map { .blob(EditedCoding.encode($0)) } ?? .null,
      SQLiteValue(delivery.asWas ? 1 : 0), SQLiteValue(plan.prepares ? 1 : 0), memo(delivery),
      SQLiteValue(optional: delivery.queue), SQLiteValue(optional: plan.expires), SQLiteValue(optional: delivery.held),
      SQLiteValue(delivery.memo.isUncertain ? 1 : 0), SQLiteValue(blocked ? 1 : 0), SQLiteValue(optional: root),
    ]
  }

  /// What an attempt or a ruling changes; what was planned stays.
  static let update = """
    UPDATE deliveries SET due = ?3, state = ?4, code = ?5, sentence = ?6, attempts = ?7, counted = ?8, first = ?9, \
    stood = ?10, memo = ?11, queue = ?12, held = ?13, uncertain = ?14, seal = ?15 WHERE event = ?1 AND ordinal = ?2
    """

  private static func memo(_ delivery: Delivery) -> SQLiteValue {
    delivery.memo.isEmpty ? .null : .blob(MemoCoding.encode(delivery.memo))
  }

  /// The values of `update`, but for the seal, which comes last.
  static func changes(_ delivery: Delivery) -> [SQLiteValue] {
    [
      .integer(delivery.id.event.sequence), SQLiteValue(delivery.id.ordinal), SQLiteValue(delivery.due),
      SQLiteValue(delivery.state.rawValue), SQLiteValue(optional: delivery.reason?.code),
      SQLiteValue(optional: delivery.reason?.sentence), .blob(AttemptCoding.encode(delivery.attempts)),
      SQLiteValue(delivery.counted), SQLiteValue(optional: delivery.firstAttemptAt),
      .integer(delivery.stood.milliseconds), memo(delivery), SQLiteValue(optional: delivery.queue),
      SQLiteValue(optional: delivery.held), SQLiteValue(delivery.memo.isUncertain ? 1 : 0),
    ]
  }
}
