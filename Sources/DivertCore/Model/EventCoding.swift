// Event.Fields ↔ compact JSON: what the store keeps of an event beside its body.

extension Event.Fields {
  /// An object with the fields that are there, under the language's names, times as milliseconds since the epoch. Equal
  /// fields give equal bytes.
  /// - Parameter whole: false leaves out the name, the call's id and the customer's phone, which the store keeps apart.
  package func encoded(whole: Bool = true) -> [UInt8] { parts(whole: whole).bytes }

  /// What `encoded(whole: false)` gives, and how many of its bytes say what the record keeps (`forRecord`); the rest follows them.
  package func encodedInTwo() -> (bytes: [UInt8], kept: Int) { parts(whole: false) }

  private func parts(whole: Bool) -> (bytes: [UInt8], kept: Int) {
    var bytes: [UInt8] = []
    let kept: Int
    bytes.reserveCapacity(512)
    bytes.append(contentsOf: "{\"at\":".utf8)
    JSONWriter.append(.number(at.milliseconds), to: &bytes)
    if whole {
      Self.append(.event, name, to: &bytes)
      Self.append(.callID, callID, to: &bytes)
      Self.append(.customerPhone, customerPhone, to: &bytes)
    }
    Self.append(.direction, direction, to: &bytes)
    Self.append(.status, status, to: &bytes)
    Self.append(.callStartedAt, callStartedAt, to: &bytes)
    Self.append(.callEndedAt, callEndedAt, to: &bytes)
    Self.append(.callDuration, number: callDuration, to: &bytes)
    Self.append(.callFailedReason, callFailedReason, to: &bytes)
    Self.append(.customerID, customerID, to: &bytes)
    Self.append(.waba, waba, to: &bytes)
    Self.append(.agent, agent, to: &bytes)
    if own { Self.append(.own, number: "true", to: &bytes) }
    kept = bytes.count
    Self.append(.customerName, customerName, to: &bytes)
    Self.append(.chatID, chatID, to: &bytes)
    Self.append(.chatMessageID, chatMessageID, to: &bytes)
    Self.append(.deviceID, deviceID, to: &bytes)
    bytes.append(UInt8(ascii: "}"))
    return (bytes, kept)
  }

  /// What the record keeps when retention takes the rest: who called whom when, and how it went.
  package var forRecord: Event.Fields {
    var fields = self
    (fields.customerName, fields.chatID, fields.chatMessageID, fields.deviceID) = (nil, nil, nil, nil)
    return fields
  }

  private static func append(_ field: EventField, _ text: String?, to bytes: inout [UInt8]) {
    guard let text else { return }
    append(field, to: &bytes)
    JSONWriter.append(string: text, to: &bytes)
  }

  private static func append(_ field: EventField, _ time: Timestamp?, to bytes: inout [UInt8]) {
    append(field, number: time.map { String($0.milliseconds) }, to: &bytes)
  }

  private static func append(_ field: EventField, number literal: String?, to bytes: inout [UInt8]) {
    guard let literal else { return }
    append(field, to: &bytes)
    bytes.append(contentsOf: literal.utf8)
  }

  private static func append(_ field: EventField, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: ","))
    JSONWriter.append(key: field.rawValue, to: &bytes)
  }

  /// Reads what `encoded` writes; nil for anything else. Keys that it does not know are passed over.
  package init?(decoding bytes: [UInt8]) {
    guard let object = (try? JSONValue.parse(bytes))?.object, let name = object[EventField.event.rawValue]?.string
    else {
      return nil
    }
    self.init(object, name: name)
  }

  /// Reads what `encoded(whole: false)` writes, and what was left out of it.
  package init?(decoding bytes: [UInt8], name: String, callID: String?, customerPhone: String?) {
    guard let object = (try? JSONValue.parse(bytes))?.object else { return nil }
    self.init(object, name: name)
    self.callID = callID
    self.customerPhone = customerPhone
  }

  private init?(_ object: JSONObject, name: String) {
    guard let at = object[EventField.at.rawValue]?.integer else { return nil }
    self.init(name: name, at: Timestamp(milliseconds: at))
    for member in object.members { set(member.key, member.value) }
  }

  private mutating func set(_ key: String, _ value: JSONValue) {
    switch EventField(rawValue: key) {
    case .direction: direction = value.string
    case .status: status = value.string
    case .callID: callID = value.string
    case .callStartedAt: callStartedAt = value.integer.map(Timestamp.init(milliseconds:))
    case .callEndedAt: callEndedAt = value.integer.map(Timestamp.init(milliseconds:))
    case .callDuration: if case .number(let literal) = value { callDuration = literal }
    case .callFailedReason: callFailedReason = value.string
    case .customerID: customerID = value.string
    case .customerName: customerName = value.string
    case .customerPhone: customerPhone = value.string
    case .waba: waba = value.string
    case .agent: agent = value.string
    case .chatID: chatID = value.string
    case .chatMessageID: chatMessageID = value.string
    case .deviceID: deviceID = value.string
    case .own: own = value.bool ?? false
    case .id, .source, .receivedAt, .event, .at, nil: break
    }
  }
}
