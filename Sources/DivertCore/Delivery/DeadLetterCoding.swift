// DeadLetter → JSON made to be read (step 11 of the line): keys in the order a person asks for them, times in ISO 8601.

extension DeadLetter {
  /// The form's number, under `divert`.
  static let form: Int64 = 1

  /// The letter as a file holds it: two spaces a level, a line feed at the end. `init(decoding:)` reads it back; the
  /// event's body comes back as `raw` without white space.
  package func encoded() -> [UInt8] { json.prettyEncoded() }

  /// The same as a document.
  package var json: JSONValue {
    var object = JSONObject()
    object.add("divert", .number(Self.form))
    object.add("delivery", .string(delivery.id.description))
    object.add("target", .string(delivery.plan.target))
    object.add("action", .string(delivery.plan.action))
    object.add("route", .string(delivery.plan.route))
    object.add("send", .string(delivery.plan.send))
    if let reason = delivery.reason { object.add("reason", reason.json) }
    object.add("died_at", .string(diedAt.iso8601))
    object.add("planned_for", .string(delivery.plan.due.iso8601))
    object.add("version", .string(delivery.version))
    object.add("to_person", .bool(isMessage))
    if delivery.plan.toPerson != isMessage { object.add("recorded_first", .bool(delivery.plan.toPerson)) }
    addBookkeeping(to: &object)
    if !delivery.memo.isEmpty { object.add("memo", delivery.memo.json) }
    if let request { object.add("request", request.json) }
    object.add("attempts", .array(delivery.attempts.map(\.json)))
    object.add("event", .object(event.readable))
    return .object(object)
  }

  private func addBookkeeping(to object: inout JSONObject) {
    if let key = delivery.plan.orderKey { object.add("order_key", .string(key)) }
    object.add("counted", .number(delivery.counted))
    if let first = delivery.firstAttemptAt { object.add("first_attempt_at", .string(first.iso8601)) }
    object.add("stood_ms", .number(delivery.stood.milliseconds))
    if delivery.plan.prepares { object.add("prepares", true) }
    if let ordinal = delivery.replayOf { object.add("replay_of", .number(ordinal)) }
    if let ordinal = delivery.replayedBy { object.add("replayed_by", .number(ordinal)) }
    object.add("as_was", .bool(delivery.asWas))
    if let edited = delivery.edited { object.add("edited", edited.json) }
  }
}

extension JSONObject {
  fileprivate mutating func add(_ key: String, _ value: JSONValue) { members.append(Member(key: key, value: value)) }

  fileprivate mutating func add(_ key: String, text: String?) {
    if let text { add(key, .string(text)) }
  }
}

extension Reason {
  fileprivate var json: JSONValue { ["code": .string(code), "sentence": .string(sentence)] }
}

extension Attempt {
  fileprivate var json: JSONValue {
    var object = JSONObject()
    object.add("stage", text: stage)
    object.add("started_at", .string(startedAt.iso8601))
    object.add("duration_ms", .number(duration.milliseconds))
    object.add("status", status.map { .number($0) } ?? .null)
    object.add("outcome", .string(outcome.rawValue))
    object.add("reason", reason.json)
    object.add("answer", .string(answer))
    return .object(object)
  }
}

extension EditedRequest {
  /// Headers as an object where no name comes twice, else as a list; a JSON body as a tree where it can be read back
  /// the same.
  package var json: JSONValue {
    var object = JSONObject()
    object.add("step", text: step)
    object.add("method", .string(method))
    object.add("url", .string(url))
    let names = Set(headers.map { $0.name })
    if names.count == headers.count {
      object.add("headers", .object(JSONObject(headers.map { .init(key: $0.name, value: .string($0.value)) })))
    } else {
      let list = headers.map { JSONValue.object(["name": .string($0.name), "value": .string($0.value)]) }
      object.add("headers", .array(list))
    }
    if let body { object.add("body", Self.tree(body) ?? .string(body)) }
    return .object(object)
  }

  private static func tree(_ body: String) -> JSONValue? {
    guard let first = body.utf8.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "["),
      let value = try? JSONValue.parse(Array(body.utf8)), value.text == body
    else { return nil }
    return value
  }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    self.init(elements.map { Member(key: $0.0, value: $0.1) })
  }
}

extension Event {
  /// The fields under the language's names, grouped (`call`, `customer`, `chat`, `device`), then `raw`.
  fileprivate var readable: JSONObject {
    var object: JSONObject = [
      "id": .string(id.description), "source": .string(source), "received_at": .string(receivedAt.iso8601),
      "event": .string(fields.name), "at": .string(fields.at.iso8601),
    ]
    object.add("direction", text: fields.direction)
    object.add("status", text: fields.status)
    object.add("waba", text: fields.waba)
    object.add("agent", text: fields.agent)
    var call = JSONObject()
    call.add("id", text: fields.callID)
    call.add("started_at", text: fields.callStartedAt?.iso8601)
    call.add("ended_at", text: fields.callEndedAt?.iso8601)
    if let literal = fields.callDuration {
      call.add("duration", JSONValue.isNumber(literal) ? .number(literal) : .string(literal))
    }
    call.add("failed_reason", text: fields.callFailedReason)
    var customer = JSONObject()
    customer.add("id", text: fields.customerID)
    customer.add("name", text: fields.customerName)
    customer.add("phone", text: fields.customerPhone)
    var chat = JSONObject()
    chat.add("id", text: fields.chatID)
    chat.add("message_id", text: fields.chatMessageID)
    var device = JSONObject()
    device.add("id", text: fields.deviceID)
    for (name, group) in [("call", call), ("customer", customer), ("chat", chat), ("device", device)]
    where !group.members.isEmpty { object.add(name, .object(group)) }
    object.add("raw", raw)
    return object
  }
}
