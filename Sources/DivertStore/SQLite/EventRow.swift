// An event's row → `Event` and its plan. `raw` is parsed again from the body.

import DivertCore

/// An event as its row has it.
struct StoredEvent {
  var event: Event
  var version: String
  /// By ordinal, later ones included.
  var plan: [PlanEntry]
  /// The deliveries planned at acceptance, as far as they have no row.
  var packed: [PackedState]
}

enum EventRow {
  /// What `read` expects, in its order.
  static let columns = "seq, source, received, version, packed, plan, canonical, body, name, call_id, phone"

  static func read(_ row: SQLiteStatement, tag: UInt32) throws -> StoredEvent {
    StoredEvent(
      event: try event(row, tag: tag), version: row.text(3),
      plan: try PlanCoding.decode(row.blob(5), received: row.time(2)),
      packed: try PackedCoding.decode(row.blob(4)))
  }

  /// The event alone.
  static func event(_ row: SQLiteStatement, tag: UInt32) throws -> Event {
    let body = row.blob(7)
    let fields = Event.Fields(
      decoding: row.blob(6), name: row.text(8), callID: row.optionalText(9), customerPhone: row.optionalText(10))
    guard let fields else {
      throw StoredJSON.fault("canonical")
    }
    return Event(
      id: EventID(sequence: row.integer(0), tag: tag), source: row.text(1), receivedAt: row.time(2), fields: fields,
      body: body, raw: try StoredJSON.parse(body, "body"))
  }
}

extension StoredEvent {
  /// How the delivery of `ordinal` stands if it has no row; nil where it should have one.
  func packedDelivery(_ ordinal: Int) -> Delivery? {
    guard ordinal < packed.count, ordinal < plan.count else { return nil }
    let entry = plan[ordinal]
    var delivery = Delivery(
      id: DeliveryID(event: event.id, ordinal: ordinal), plan: entry.plan, version: entry.version ?? version)
    switch packed[ordinal] {
    case .row: return nil
    case .open: return delivery
    case .ended(let state, let reason, let attempt):
      delivery.state = state
      delivery.reason = reason
      if let attempt {
        delivery.attempts = [attempt]
        delivery.counted = 1
        delivery.firstAttemptAt = attempt.startedAt
      }
      return delivery
    }
  }
}
