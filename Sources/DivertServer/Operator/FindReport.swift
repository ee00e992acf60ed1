// `divert find`: everything that happened to a call, a customer or an event, and why each route did or did not match.

import DivertCore

enum FindReport {
  /// At most this many events of a phone or a call are told of, the newest.
  static let most = 50

  /// Finds by an event's or a delivery's id, else by call id, else by phone number however it is written.
  static func make(
    _ context: OperatorContext, _ input: OperatorInput, _ stills: StandStills? = nil
  ) throws -> JSONValue {
    let wanted = try input.requiredText("q")
    let limit = try input.number("limit", in: 1...most, or: 20)
    let records = try find(wanted, context, limit: limit)
    if records.isEmpty {
      throw OperatorFailure.notFound(
        "nothing is known of `\(wanted)`: give a phone number with its country code, a call id, or an id that starts with "
          + "evt_ or dlv_; `divert sources last` shows what came in of late")
    }
    let suppressions = try context.store.suppressions()
    return [
      "events": .array(try records.map { try record($0, context, suppressions, stills) }), "limit": .number(limit),
    ]
  }

  private static func find(_ wanted: String, _ context: OperatorContext, limit: Int) throws -> [EventRecord] {
    let id = EventID(wanted) ?? DeliveryID(wanted)?.event
    if let id { return try context.store.event(id).map { [$0] } ?? [] }
    let calls = try context.store.events(phone: nil, callID: wanted, limit: limit)
    if !calls.isEmpty { return calls }
    for phone in spellings(of: wanted, context) {
      let found = try context.store.events(phone: phone, callID: nil, limit: limit)
      if !found.isEmpty { return found }
    }
    return []
  }

  /// How a number may stand in the store: in E.164, as digits with `+`, or as it was written.
  static func spellings(of phone: String, _ context: OperatorContext) -> [String] {
    let country = context.table()?.parts.country ?? "IN"
    let digits = Phone.digits(phone)
    var all = [phone]
    if let e164 = Phone.e164(phone, country: country) { all.insert(e164, at: 0) }
    if digits.count >= 7 { all.append("+" + digits) }
    return all
  }

  /// One event with its routes and deliveries.
  private static func record(
    _ record: EventRecord, _ context: OperatorContext, _ suppressions: [Suppression], _ stills: StandStills?
  ) throws -> JSONValue {
    let table = context.tableOfVersion(record.version) ?? context.table()
    return RecordJSON.object([
      "event": RecordJSON.event(record.event),
      "version": .string(record.version),
      "routes": try table.map { .array(try RouteVerdicts.of($0, record.event, context.store, suppressions)) },
      "judged_by": table.map { .string($0.version) },
      "deliveries": .array(record.deliveries.map { delivery($0, table, stills) }),
      "promises": try PromiseReport.of(record.event, table, context),
    ])
  }
}

extension FindReport {
  /// A delivery as its configuration has it.
  static func delivery(_ delivery: Delivery, _ table: RouteTable?, _ stills: StandStills?) -> JSONValue {
    let action = table?.parts.targets[delivery.plan.target]?.actions[delivery.plan.action]
    return RecordJSON.delivery(delivery, stills, isMessage: action?.toPerson)
  }
}

/// Which routes of a table match an event, and what speaks against the others.
enum RouteVerdicts {
  /// In the file's order, children after their parent; children of a route that did not match are left out.
  /// Counts and `once` are answered by what was stored up to this event, suppression by the entry that held when the event was received.
  static func of(_ table: RouteTable, _ event: Event, _ store: any Store, _ suppressions: [Suppression]) throws
    -> [JSONValue]
  {
    var memory = StoredMemory(store, asOf: event.id)
    let phone = event.fields.customerPhone
    let held = suppressions.first {
      ($0.phone == phone || $0.isErased && phone.map($0.isOf) ?? false) && $0.since <= event.receivedAt
        && $0.holds(at: event.receivedAt)
    }
    return try table.explain(event, suppression: held, memory: &memory).flatMap(verdicts)
  }

  private static func verdicts(_ route: RouteExplanation) -> [JSONValue] {
    let own = RecordJSON.object([
      "route": .string(route.path), "matched": .bool(route.fired), "why_not": RecordJSON.text(route.why),
      "sends": .array(route.sends.map(JSONValue.string)),
    ])
    return [own] + (route.fired ? route.children.flatMap(verdicts) : [])
  }
}
