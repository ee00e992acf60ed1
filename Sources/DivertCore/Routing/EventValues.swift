// What a path of the language finds in an event: for conditions (step 3 of the line) and templates (step 7).

/// A value on its way through a condition or a template: JSON, or a time that still knows it is one.
package enum EventValue: Sendable {
  case json(JSONValue)
  /// A moment; written in the zone where one was chosen (`in_zone`), else in UTC.
  case moment(Timestamp, Zone?)
  /// Minutes after local midnight: `local.time`.
  case clock(Int)

  /// The value as text: a string's own, a number's literal, `true`, `false`, `null`, ISO 8601, HH:MM, else JSON.
  package var text: String {
    switch self {
    case .json(.string(let s)): s
    case .json(.number(let n)): n
    case .json(let value): value.text
    case .moment(let time, let zone): zone.map { time.iso8601(in: $0) } ?? time.iso8601
    case .clock(let minutes): Self.clockText(minutes)
    }
  }

  /// The value as a JSON leaf: times are strings.
  package var json: JSONValue {
    if case .json(let value) = self { value } else { .string(text) }
  }

  /// Null and "" are missing, wherever they come from.
  var isMissing: Bool {
    switch self {
    case .json(.null): true
    case .json(.string(let s)): s.isEmpty
    default: false
    }
  }

  /// `HH:MM`.
  static func clockText(_ minutes: Int) -> String {
    var bytes: [UInt8] = []
    Digits.append(minutes / 60, 2, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    Digits.append(minutes % 60, 2, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension Event {
  /// The value of a field; nil: missing.
  package func value(_ field: EventField) -> EventValue? {
    switch field {
    case .id: .json(.string(id.description))
    case .receivedAt: .moment(receivedAt, nil)
    case .at: .moment(fields.at, nil)
    case .callStartedAt: fields.callStartedAt.map { .moment($0, nil) }
    case .callEndedAt: fields.callEndedAt.map { .moment($0, nil) }
    case .callDuration: fields.callDuration.map { .json(.number($0)) }
    case .own: .json(.bool(fields.own))
    default: text(field).map { .json(.string($0)) }
    }
  }

  /// The text of a field that holds one; nil: missing, or a time, a number or the id.
  func text(_ field: EventField) -> String? {
    switch field {
    case .source: source
    case .event: fields.name
    case .direction: fields.direction
    case .status: fields.status
    case .waba: fields.waba
    case .agent: fields.agent
    case .callID: fields.callID
    case .callFailedReason: fields.callFailedReason
    case .customerID: fields.customerID
    case .customerName: fields.customerName
    case .customerPhone: fields.customerPhone
    case .chatID: fields.chatID
    case .chatMessageID: fields.chatMessageID
    case .deviceID: fields.deviceID
    case .id, .receivedAt, .at, .callStartedAt, .callEndedAt, .callDuration, .own: nil
    }
  }

  /// The value of a path that an event alone answers (`field`, `raw`, `local`); nil: missing, null, "", or another
  /// kind of path.
  package func value(_ path: ValuePath, in zone: Zone) -> EventValue? {
    switch path {
    case .field(let field): value(field)
    case .raw(let steps):
      raw.value(at: steps).map(EventValue.json).flatMap { $0.isMissing ? nil : $0 }
    case .local(.time): .clock(zone.minuteOfDay(at: fields.at))
    case .local(.weekday): .json(.string(zone.weekday(at: fields.at).rawValue))
    case .now, .secret, .argument, .idempotencyKey, .lookup, .step, .variant, .token, .items: nil
    }
  }
}

extension EventField {
  /// Whether `Event.text` answers it.
  var isText: Bool {
    switch self {
    case .id, .receivedAt, .at, .callStartedAt, .callEndedAt, .callDuration, .own: false
    default: true
    }
  }
}

extension ValuePath: CustomStringConvertible {
  /// The path as `routes.yaml` writes it.
  package var description: String {
    switch self {
    case .field(let field): field.rawValue
    case .raw(let steps): (["raw"] + steps).joined(separator: ".")
    case .local(let field): "local." + field.rawValue
    case .now: "now"
    case .secret(let name): "secrets." + name
    case .argument(let name, let steps): (["arguments", name] + steps).joined(separator: ".")
    case .idempotencyKey: "idempotency_key"
    case .lookup(let name, let steps): ([name] + steps).joined(separator: ".")
    case .step(let name, let steps): (["steps", name] + steps).joined(separator: ".")
    case .variant: "variant"
    case .token: "token"
    case .items: "items"
    }
  }
}
