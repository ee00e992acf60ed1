// Stored events, whole, from a running router to the command line: what `divert explain` and `divert diff` work on.

package import DivertCore

/// `GET /api/events`: a page of events as they were received.
enum EventsReport {
  static let most = 500

  /// One event by `id` (an event's or a delivery's); or the newest of a `phone`, in order of reception; or a page in that order, from
  /// after the event `after`, with `next` where there are more.
  static func make(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    if let id = try input.text("id") { return try one(id, context) }
    let limit = try input.number("limit", in: 1...most, or: 100)
    if let phone = try input.text("phone") {
      let records = try context.store.events(phone: phone, callID: nil, limit: limit)
      return ["events": .array(records.reversed().map { EventExchange.json($0) })]
    }
    let filter = EventFilter(
      since: try input.moment("since", context), until: try input.moment("until", context),
      source: try input.text("source"))
    let records = try context.store.events(matching: filter, after: try after(input), limit: limit)
    let next = records.count == limit ? records.last?.event.id : nil
    return RecordJSON.object([
      "events": .array(records.map { EventExchange.json($0) }), "next": next.map { .string($0.description) },
    ])
  }

  private static func one(_ id: String, _ context: OperatorContext) throws -> JSONValue {
    let event = EventID(id) ?? DeliveryID(id)?.event
    guard let record = try event.flatMap({ try context.store.event($0) }) else {
      throw OperatorFailure.notFound(
        "there is no event `\(id)` here: `divert find` finds events by phone number or call, `divert sources last` shows "
          + "what came in of late")
    }
    return ["events": [EventExchange.json(record)]]
  }

  private static func after(_ input: OperatorInput) throws(OperatorFailure) -> EventID? {
    guard let text = try input.text("after") else { return nil }
    if let id = EventID(text) { return id }
    throw .badRequest("`after` must be an event's id, which begins with evt_")
  }
}

package enum EventExchange {
  /// An event with its body, byte for byte, and the version that planned it.
  static func json(_ record: EventRecord) -> JSONValue {
    let event = record.event
    return [
      "id": .string(event.id.description), "source": .string(event.source),
      "received_at": RecordJSON.moment(event.receivedAt), "version": .string(record.version),
      "fields": (try? JSONValue.parse(event.fields.encoded())) ?? .null,
      "body": .string(String(decoding: event.body, as: UTF8.self)),
    ]
  }

  /// Reads what `json` writes; nil for anything else.
  package static func event(_ value: JSONValue) -> Event? {
    guard let id = value["id"]?.string.flatMap(EventID.init), let source = value["source"]?.string,
      let received = value["received_at"]?.string.flatMap({ Timestamp(iso8601: $0) }),
      let fields = value["fields"].flatMap({ Event.Fields(decoding: $0.encoded()) }),
      let body = value["body"]?.string.map({ Array($0.utf8) }), let raw = try? JSONValue.parse(body)
    else { return nil }
    return Event(id: id, source: source, receivedAt: received, fields: fields, body: body, raw: raw)
  }
}
