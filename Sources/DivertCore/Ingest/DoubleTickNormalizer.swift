// DoubleTick's webhook bodies → event fields (step 2 of the line). Which key means what:
// docs.doubletick.io/reference/call-webhooks and its neighbours, and the guide "How to use Call Rejected Webhook".
// Absent, null and "" are the same.

/// Reads one body, noting every fault. Direction comes from `callDirection` alone; agents are opaque text.
struct DoubleTickNormalizer {
  /// One of each a call: known for good by (source, call id, event).
  static let oncePerCall: Set<String> = [
    "CALL_REJECTED", "CALL_MISSED", "CALL_ENDED", "CALL_ACCEPTED", "CALL_INCOMING_INITIATED", "CALL_OUTGOING_INITIATED",
  ]
  /// The events whose fields must have the documented types.
  private static let calls = oncePerCall.union(["CALL_NOT_PICKED"])

  private let body: JSONObject
  private let label: String?
  private let country: String
  private let receivedAt: Timestamp
  private var isCall = false
  private(set) var faults: [IngestFault] = []

  /// What names the call and its customer. Anything else that cannot be read is as if it were missing: an event is worth
  /// more than its duration.
  private static let essential: Set<String> = [
    "event", "callId", "callDirection", "customerNumber", "customerPhoneNumber", "customerPhone", "customerId",
    "dtCustomerId",
  ]

  /// Whether the body is no event; `faults` then names also what alone would not have refused it.
  var isRefused: Bool { faults.contains { $0.field.map(Self.essential.contains) ?? true } }

  init(_ body: JSONObject, label: String?, country: String, receivedAt: Timestamp) {
    self.body = body
    self.label = label
    self.country = country
    self.receivedAt = receivedAt
  }

  mutating func read() -> Event.Fields {
    var fields = Event.Fields(name: name(), at: receivedAt)
    isCall = Self.calls.contains(fields.name)
    readCall(into: &fields)
    readParties(into: &fields)
    fields.agent = agent(fields)
    fields.chatID = text("chatId")
    fields.chatMessageID = text("chatMessageId", "dtMessageId", "messageId")
    fields.deviceID = text("deviceId")
    fields.at =
      fields.callEndedAt ?? fields.callStartedAt ?? time("receivedAt", "statusTimestamp", "changedAt") ?? receivedAt
    if fields.name == "CALL_REJECTED" { require(fields) }
    return fields
  }

  private mutating func readCall(into fields: inout Event.Fields) {
    fields.direction = text("callDirection")
    fields.status = text("callStatus", "status")
    fields.callID = text("callId")
    fields.callStartedAt = time("callStartedAt")
    fields.callEndedAt = time("callEndedAt")
    fields.callDuration = number("durationInSeconds")
    fields.callFailedReason = text("failedReason", "failMessage")
    if isCall, let direction = fields.direction, direction != "INCOMING", direction != "OUTGOING" {
      faults.append(
        IngestFault("wrong_value", field: "callDirection", "`callDirection` must be INCOMING or OUTGOING"))
    }
  }

  private mutating func readParties(into fields: inout Event.Fields) {
    fields.customerID = text("customerId", "dtCustomerId")
    fields.customerName =
      text("customerName", "name", "nameOnWhatsapp") ?? body["contact"]?["name"]?.string.flatMap(present)
    (fields.customerPhone, fields.waba) = phones(fields.name)
  }

  /// What CALL_REJECTED cannot do without.
  private mutating func require(_ fields: Event.Fields) {
    func missing(_ field: String, _ what: String) {
      if faults.contains(where: { $0.field == field }) { return }
      faults.append(IngestFault("missing_field", field: field, "CALL_REJECTED needs \(what)"))
    }
    if fields.callID == nil { missing("callId", "`callId`") }
    if fields.direction == nil { missing("callDirection", "`callDirection`: INCOMING or OUTGOING") }
    if fields.customerPhone == nil, fields.customerID == nil {
      let what = "the customer's phone (`customerNumber`) or id (`customerId`)"
      guard let key = unreadablePhone else { return missing("customerNumber", what) }
      faults.append(
        IngestFault("wrong_value", field: key, "CALL_REJECTED needs \(what): `\(key)` is no phone number"))
    }
  }
}

// The event's name.
extension DoubleTickNormalizer {
  /// From `event`, else from the address's label, else from the body's shape, else UNKNOWN.
  private mutating func name() -> String {
    isCall = true
    let named = text("event")
    isCall = false
    return named ?? label.flatMap(Self.name(label:)) ?? shape()
  }

  /// `call-rejected` → CALL_REJECTED; nil for a label of other characters than letters, digits, `-` and `_`.
  private static func name(label: String) -> String? {
    let readable = label.utf8.allSatisfy { byte in
      byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || (byte | 0x20) &- UInt8(ascii: "a") < 26
        || byte &- UInt8(ascii: "0") < 10
    }
    guard readable, !label.isEmpty else { return nil }
    return String(label.uppercased().map { $0 == "-" ? "_" : $0 })
  }

  /// By the keys that the documented samples of each event have and no other.
  private func shape() -> String {
    func has(_ keys: String...) -> Bool { keys.allSatisfy { !(body[$0].map(isEmpty) ?? true) } }
    func says(_ key: String) -> Bool { body[key] == .bool(true) }
    if has("response", "responseSource") { return "CALL_PERMISSION_REPLY_RECEIVED" }
    if has("status", "statusTimestamp") { return "MESSAGE_STATUS_UPDATE" }
    if has("receivedAt", "message") { return "MESSAGE_RECEIVED" }
    if has("customFieldEventType") { return "UPDATE_CUSTOMER_CUSTOM_FIELD" }
    if says("conversationOpened") { return "CONVERSATION_OPENED" }
    if says("closeConversation") { return "CLOSE_CONVERSATION" }
    if says("tagAdded") { return "ADD_TAG" }
    if says("tagRemoved") { return "REMOVE_TAG" }
    if has("assignedUserId") { return "CHAT_ASSIGNED_TO_AGENT" }
    return "UNKNOWN"
  }
}

// Who is who.
extension DoubleTickNormalizer {
  /// The customer's and the business's number; what is no phone number is missing. Which of `from` and `to` is the
  /// customer depends on the event.
  private mutating func phones(_ event: String) -> (customer: String?, business: String?) {
    let customer = phone(Self.customerKeys)
    let business = phone(["wabaNumber", "assignedUserWabaNumber"])
    switch event {
    case "MESSAGE_RECEIVED", "CALL_PERMISSION_REPLY_RECEIVED", "STANDBY_MESSAGE_RECEIVED",
      "CALL_TO_WHATSAPP_MESSAGE_RECEIVED":
      return (customer ?? phone(["from"]), business ?? phone(["to"]))
    case "MESSAGE_STATUS_UPDATE": return (customer ?? phone(["to"]), business ?? phone(["from"]))
    case "ADD_TAG", "REMOVE_TAG": return (customer ?? phone(["from"]), business)
    case "CONVERSATION_OPENED", "CLOSE_CONVERSATION": return (customer, business ?? other(than: customer))
    default: return (customer, business)
    }
  }

  private static let customerKeys = ["customerNumber", "customerPhoneNumber", "customerPhone"]

  /// The number under the first of the keys that has one, in E.164.
  private mutating func phone(_ keys: [String]) -> String? {
    for key in keys {
      if let number = text(key).flatMap({ Phone.e164($0, country: country) }) { return number }
    }
    return nil
  }

  /// The first of the customer's keys whose text is no number.
  private var unreadablePhone: String? { Self.customerKeys.first { body[$0]?.string.flatMap(present) != nil } }

  /// The one of `from` and `to` that is not the customer's number; nil where that is not plain.
  private mutating func other(than customer: String?) -> String? {
    guard let customer, let from = phone(["from"]), let to = phone(["to"]) else { return nil }
    if (from == customer) == (to == customer) { return nil }
    return from == customer ? to : from
  }

  /// The agent concerned. `rejectedBy` of an outgoing call would be the customer, and so may `endedBy`.
  private mutating func agent(_ fields: Event.Fields) -> String? {
    let (picked, rejected, ended) = (text("pickedBy"), text("rejectedBy"), text("endedBy"))
    switch fields.name {
    case "CALL_REJECTED":
      return fields.direction == "OUTGOING" ? picked : fields.direction == "INCOMING" ? rejected : nil
    case "CHAT_ASSIGNED_TO_AGENT": return text("assignedUserName", "assignedUserPhone", "assignedUserId")
    case "MESSAGE_STATUS_UPDATE": return text("sentBy", "assignedTo")
    default: return picked ?? ended.flatMap { isCustomer($0, fields) ? nil : $0 }
    }
  }

  private func isCustomer(_ text: String, _ fields: Event.Fields) -> Bool {
    text == fields.customerName || Phone.normalised(text, country: country) == fields.customerPhone
  }
}

// Typed reading. Where the event is a call's, a wrong type is a fault; in others it is as if the key were missing,
// since `customData` of a template is spread over their root and may collide.
extension DoubleTickNormalizer {
  private func isEmpty(_ value: JSONValue) -> Bool { value == .null || value == .string("") }

  private func present(_ text: String) -> String? { text.isEmpty ? nil : text }

  /// The text under the first of the keys that has one.
  private mutating func text(_ keys: String...) -> String? {
    for key in keys {
      guard let value = body[key], !isEmpty(value) else { continue }
      if case .string(let text) = value { return text }
      note("wrong_type", key, "must be text")
    }
    return nil
  }

  private mutating func number(_ key: String) -> String? {
    guard let value = body[key], !isEmpty(value) else { return nil }
    if case .number(let literal) = value { return literal }
    note("wrong_type", key, "must be a number")
    return nil
  }

  private mutating func time(_ keys: String...) -> Timestamp? {
    for key in keys {
      guard let value = body[key], !isEmpty(value) else { continue }
      guard case .string(let text) = value else {
        note("wrong_type", key, "must be text")
        continue
      }
      if let time = Timestamp(iso8601: text) { return time }
      note("wrong_value", key, "must be a time with zone in ISO 8601, such as 2026-01-15T10:30:25.000Z")
    }
    return nil
  }

  private mutating func note(_ code: String, _ key: String, _ what: String) {
    guard isCall, !faults.contains(where: { $0.field == key }) else { return }
    faults.append(IngestFault(code, field: key, "`\(key)` \(what)"))
  }
}
