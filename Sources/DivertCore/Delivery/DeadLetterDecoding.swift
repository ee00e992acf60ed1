// JSON → DeadLetter (step 13 of the line): also letters that a person wrote or changed, so every fault is named at
// once.

/// Why a text is no dead letter: every fault with its place.
package struct DeadLetterError: Error, Sendable, Hashable, CustomStringConvertible {
  package struct Fault: Sendable, Hashable, CustomStringConvertible {
    /// The JSON path: `request.headers.Accept`; empty for the whole.
    package let path: String
    package let reason: String
    package var description: String { path.isEmpty ? reason : "\(path): \(reason)" }
  }
  package let faults: [Fault]
  package var description: String { faults.map(\.description).joined(separator: "; ") }
}

extension DeadLetter {
  /// Reads what `encoded` writes, and the same made by hand: `divert`, `delivery`, `route`, `send`, `target`,
  /// `action` and the event's `source`, `event`, `received_at` and `raw` must be there; the rest may be missing.
  package init(decoding bytes: [UInt8]) throws(DeadLetterError) {
    let json: JSONValue
    do { json = try JSONValue.parse(bytes, maxDepth: 128) } catch {
      throw DeadLetterError(faults: [.init(path: "", reason: "is not JSON: \(error)")])
    }
    var reader = LetterReader()
    guard let letter = reader.letter(json), reader.faults.isEmpty else {
      throw DeadLetterError(faults: reader.faults)
    }
    self = letter
  }
}

/// Reads on past a fault, so that all are found in one go.
private struct LetterReader {
  var faults: [DeadLetterError.Fault] = []

  mutating func letter(_ json: JSONValue) -> DeadLetter? {
    guard let object = object(json, "") else { return nil }
    form(object)
    let id = delivery(object)
    let plan = plan(object)
    let event = event(object, id?.event)
    let attempts = list(object, "attempts").enumerated().compactMap { attempt($1, "attempts[\($0)]") }
    let request = object["request"].flatMap { self.request($0, "request") }
    let diedAt = time(object, "", "died_at")
    guard let id, let plan, let event else { return nil }
    var delivery = Delivery(id: id, plan: plan, version: text(object, "", "version") ?? "")
    delivery.state = .dead
    delivery.reason = reason(object, "") ?? Reason("unknown", "the letter gives no reason")
    delivery.attempts = attempts
    bookkeeping(object, &delivery)
    return DeadLetter(
      delivery: delivery, event: event, request: request, diedAt: diedAt ?? plan.due,
      isMessage: bool(object, "to_person"))
  }

  private mutating func form(_ object: JSONObject) {
    guard let form = whole(object, "", "divert", required: true), form != DeadLetter.form else { return }
    fault("divert", "is form \(form); this Divert reads form \(DeadLetter.form)")
  }

  private mutating func delivery(_ object: JSONObject) -> DeliveryID? {
    guard let text = text(object, "", "delivery", required: true) else { return nil }
    let id = DeliveryID(text)
    if id == nil { fault("delivery", "must be a delivery's id (dlv_…)") }
    return id
  }

  private mutating func plan(_ object: JSONObject) -> PlannedDelivery? {
    let route = text(object, "", "route", required: true)
    let send = text(object, "", "send", required: true)
    let target = text(object, "", "target", required: true)
    let action = text(object, "", "action", required: true)
    let due = time(object, "", "planned_for") ?? time(object, "", "died_at") ?? Timestamp(milliseconds: 0)
    let toPerson = bool(object, "recorded_first") ?? bool(object, "to_person") ?? false
    let key = text(object, "", "order_key")
    guard let route, let send, let target, let action else { return nil }
    return PlannedDelivery(
      route: route, send: send, target: target, action: action, orderKey: key, due: due, toPerson: toPerson,
      prepares: bool(object, "prepares") ?? false)
  }

  private mutating func bookkeeping(_ object: JSONObject, _ delivery: inout Delivery) {
    delivery.counted = ordinal(object, "counted") ?? delivery.attempts.count
    delivery.firstAttemptAt = time(object, "", "first_attempt_at") ?? delivery.attempts.first?.startedAt
    delivery.stood = Span(milliseconds: whole(object, "", "stood_ms") ?? 0)
    delivery.replayOf = ordinal(object, "replay_of")
    delivery.replayedBy = ordinal(object, "replayed_by")
    delivery.asWas = bool(object, "as_was") ?? true
    if let json = object["memo"] {
      if let memo = DeliveryMemo(json: json) {
        delivery.memo = memo
      } else {
        fault("memo", "is not what Divert writes there")
      }
    }
    delivery.edited = object["edited"].flatMap { request($0, "edited") }
  }

  private mutating func reason(_ object: JSONObject, _ path: String) -> Reason? {
    let place = join(path, "reason")
    guard let json = object["reason"], let reason = self.object(json, place) else { return nil }
    let code = text(reason, place, "code", required: true)
    let sentence = text(reason, place, "sentence") ?? ""
    return code.map { Reason($0, sentence) }
  }

  private mutating func attempt(_ json: JSONValue, _ path: String) -> Attempt? {
    guard let object = object(json, path) else { return nil }
    let started = time(object, path, "started_at", required: true)
    let duration = whole(object, path, "duration_ms") ?? 0
    let status = whole(object, path, "status").map { Int($0) }
    let outcome = text(object, path, "outcome", required: true).flatMap { name in
      let outcome = AttemptOutcome(rawValue: name)
      if outcome == nil { fault(join(path, "outcome"), "is none of the outcomes") }
      return outcome
    }
    let reason = reason(object, path) ?? Reason("unknown", "")
    let answer = text(object, path, "answer") ?? ""
    guard let started, let outcome else { return nil }
    return Attempt(
      startedAt: started, duration: Span(milliseconds: duration), status: status, outcome: outcome, reason: reason,
      answer: answer, stage: text(object, path, "stage"))
  }
}

// The request.
extension LetterReader {
  mutating func request(_ json: JSONValue, _ path: String) -> EditedRequest? {
    if json == .null { return nil }
    guard let object = object(json, path) else { return nil }
    let method = text(object, path, "method", required: true)
    let url = text(object, path, "url", required: true)
    let headers = headers(object["headers"], join(path, "headers"))
    let body: String? =
      switch object["body"] {
      case .string(let text): text
      case .null, nil: nil
      case let tree?: tree.text
      }
    guard let method, let url else { return nil }
    return EditedRequest(
      method: method, url: url, headers: headers, body: body, step: text(object, path, "step"))
  }

  private mutating func headers(_ json: JSONValue?, _ path: String) -> [HTTPHeader] {
    switch json {
    case .null, nil: return []
    case .object(let object):
      return object.members.compactMap { member in
        if let value = member.value.string { return HTTPHeader(member.key, value) }
        fault(join(path, member.key), "must be text")
        return nil
      }
    case .array(let items):
      return items.enumerated().compactMap { place, item in
        let place = "\(path)[\(place)]"
        guard let object = object(item, place) else { return nil }
        let name = text(object, place, "name", required: true)
        let value = text(object, place, "value", required: true)
        return name.flatMap { name in value.map { HTTPHeader(name, $0) } }
      }
    default:
      fault(path, "must be an object, or a list of {name, value}")
      return []
    }
  }
}

// The event.
extension LetterReader {
  mutating func event(_ object: JSONObject, _ id: EventID?) -> Event? {
    guard let json = object["event"] else {
      fault("event", "is missing")
      return nil
    }
    guard let object = self.object(json, "event") else { return nil }
    checkID(object, id)
    let source = text(object, "event", "source", required: true)
    let received = time(object, "event", "received_at", required: true)
    let fields = fields(object, received)
    guard let raw = object["raw"], raw.object != nil else {
      fault("event.raw", "must be an object")
      return nil
    }
    guard let id, let source, let received, let fields else { return nil }
    return Event(id: id, source: source, receivedAt: received, fields: fields, body: raw.encoded(), raw: raw)
  }

  private mutating func checkID(_ object: JSONObject, _ id: EventID?) {
    guard let text = text(object, "event", "id"), let id, text != id.description else { return }
    fault("event.id", "is not the event of `delivery`")
  }

  private mutating func fields(_ object: JSONObject, _ received: Timestamp?) -> Event.Fields? {
    let name = text(object, "event", "event", required: true)
    let at = time(object, "event", "at") ?? received
    guard let name, let at else { return nil }
    var fields = Event.Fields(name: name, at: at)
    fields.direction = text(object, "event", "direction")
    fields.status = text(object, "event", "status")
    fields.waba = text(object, "event", "waba")
    fields.agent = text(object, "event", "agent")
    readCall(group(object, "call"), &fields)
    let (customer, chat) = (group(object, "customer"), group(object, "chat"))
    fields.customerID = text(customer, "event.customer", "id")
    fields.customerName = text(customer, "event.customer", "name")
    fields.customerPhone = text(customer, "event.customer", "phone")
    fields.chatID = text(chat, "event.chat", "id")
    fields.chatMessageID = text(chat, "event.chat", "message_id")
    fields.deviceID = text(group(object, "device"), "event.device", "id")
    return fields
  }

  private mutating func readCall(_ call: JSONObject, _ fields: inout Event.Fields) {
    fields.callID = text(call, "event.call", "id")
    fields.callStartedAt = time(call, "event.call", "started_at")
    fields.callEndedAt = time(call, "event.call", "ended_at")
    fields.callFailedReason = text(call, "event.call", "failed_reason")
    switch call["duration"] {
    case .number(let literal), .string(let literal): fields.callDuration = literal
    case .null, nil: break
    default: fault("event.call.duration", "must be a number")
    }
  }

  private mutating func group(_ object: JSONObject, _ key: String) -> JSONObject {
    guard let json = object[key], json != .null else { return JSONObject() }
    return self.object(json, "event.\(key)") ?? JSONObject()
  }
}

// Values: nil for what is missing or null; a fault for what is there and wrong.
extension LetterReader {
  private mutating func fault(_ path: String, _ reason: String) {
    let fault = DeadLetterError.Fault(path: path, reason: reason)
    if !faults.contains(fault) { faults.append(fault) }
  }

  private func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  private mutating func object(_ json: JSONValue, _ path: String) -> JSONObject? {
    if let object = json.object { return object }
    fault(path, "must be an object")
    return nil
  }

  private mutating func value<T>(
    _ object: JSONObject, _ path: String, _ key: String, _ required: Bool, _ kind: String, _ read: (JSONValue) -> T?
  ) -> T? {
    guard let json = object[key], json != .null else {
      if required { fault(join(path, key), "is missing") }
      return nil
    }
    if let value = read(json) { return value }
    fault(join(path, key), "must be \(kind)")
    return nil
  }

  private mutating func text(
    _ object: JSONObject, _ path: String, _ key: String, required: Bool = false
  ) -> String? {
    value(object, path, key, required, "text") { $0.string }
  }

  private mutating func time(
    _ object: JSONObject, _ path: String, _ key: String, required: Bool = false
  ) -> Timestamp? {
    value(object, path, key, required, "a time in ISO 8601 with zone") { $0.string.flatMap { Timestamp(iso8601: $0) } }
  }

  private mutating func whole(
    _ object: JSONObject, _ path: String, _ key: String, required: Bool = false
  ) -> Int64? {
    value(object, path, key, required, "a whole number") { $0.integer }
  }

  private mutating func ordinal(_ object: JSONObject, _ key: String) -> Int? {
    value(object, "", key, false, "a whole number, 0 or more") { json in
      json.integer.flatMap { $0 >= 0 ? Int($0) : nil }
    }
  }

  private mutating func bool(_ object: JSONObject, _ key: String) -> Bool? {
    value(object, "", key, false, "true or false") { $0.bool }
  }

  private mutating func list(_ object: JSONObject, _ key: String) -> [JSONValue] {
    value(object, "", key, false, "a list") { $0.array } ?? []
  }
}
