// The filters of the language (step 7 of the line): a value and arguments → a value. Each case shows its documented
// example.

extension RenderContext {
  /// The filter's result; nil: missing. A missing value passes every filter but `default`. What a filter cannot read
  /// is a fault.
  func apply(_ call: FilterCall, to value: EventValue?) throws(RenderFault) -> EventValue? {
    if call.filter == .default {
      // agent | default: 'An agent' → An agent, when nobody is named
      if let value, !value.isMissing { return value }
      return try argument(call, 0)
    }
    guard let value else { return nil }
    switch call.filter {
    case .date, .time, .add, .inZone, .unix, .unixMilliseconds, .format: return try applyTime(call, to: value)
    case .e164, .digits, .national, .mask: return try applyPhone(call, to: value)
    case .urlencode, .mrkdwnEscape, .htmlEscape, .soqlEscape, .soslEscape, .json:
      return .json(.string(escaped(call.filter, value)))
    case .map, .next, .join, .number, .round: return try applyValue(call, to: value)
    case .texts, .list, .objects, .pairs: return .json(try applyShape(call, to: value.json))
    default: return .json(.string(try applyText(call, to: value.text)))
    }
  }

  /// The value of an argument; nil: a `$path` that found nothing.
  private func argument(_ call: FilterCall, _ index: Int) throws(RenderFault) -> EventValue? {
    guard index < call.arguments.count else { return nil }
    switch call.arguments[index] {
    case .literal(let text): return .json(.string(text))
    case .path(let path): return try value(of: path)
    }
  }

  private func text(_ call: FilterCall, _ index: Int) throws(RenderFault) -> String? {
    try argument(call, index)?.text
  }

  private func fault(_ call: FilterCall, _ sentence: String) -> RenderFault {
    RenderFault("filter_failed", "the filter `\(call)` \(sentence)")
  }

  private func applyText(_ call: FilterCall, to text: String) throws(RenderFault) -> String {
    switch call.filter {
    case .upper: return text.uppercased()  // Rohan → ROHAN
    case .lower: return text.lowercased()  // Rohan → rohan
    case .trim: return text.trimmed  // ' Rohan ' → Rohan
    // 'Rohan Mehta' | truncate: 5 → Rohan; | truncate: 6, '…' → Rohan…; | truncate_bytes: 8, '…' → Rohan…
    case .truncate: return try truncated(call, text) { _ in 1 }
    case .truncateBytes: return try truncated(call, text) { $0.utf8.count }
    case .truncateUTF16: return try truncated(call, text) { $0.utf16.count }
    case .base64: return Base64.encoded(Array(text.utf8))  // Rohan → Um9oYW4=
    case .uuid: return UUIDText.derived(from: text)  // the same text, the same UUID with version-4 bits
    default: return text  // string: 5 → "5"
    }
  }
}

// Lengths.
extension RenderContext {
  /// The text within the filter's bound, its ending counted; a character is kept whole or not at all.
  private func truncated(
    _ call: FilterCall, _ text: String, _ size: (Character) -> Int
  ) throws(RenderFault) -> String {
    guard let most = try self.text(call, 0).flatMap({ Int($0) }) else { return text }
    func length(_ text: some StringProtocol) -> Int { text.reduce(0) { $0 + size($1) } }
    guard length(text) > most else { return text }
    var end = try self.text(call, 1) ?? ""
    if length(end) > most { end = "" }
    var room = most - length(end)
    let kept = text.prefix { character in
      room -= size(character)
      return room >= 0
    }
    return kept + end
  }
}

// Times.
extension RenderContext {
  private func applyTime(_ call: FilterCall, to value: EventValue) throws(RenderFault) -> EventValue {
    let (time, chosen) = try moment(call, value)
    let zone = chosen ?? self.zone
    switch call.filter {
    case .date:  // 2026-01-15T10:30:25.000Z → 2026-01-15, on the file's clock or that of `in_zone`
      var bytes: [UInt8] = []
      zone.civil(at: time).append(dateTo: &bytes)
      return .json(.string(String(decoding: bytes, as: UTF8.self)))
    case .time:  // 2026-01-15T10:30:25.000Z → 16:00 in Asia/Kolkata
      return .json(.string(EventValue.clockText(zone.minuteOfDay(at: time))))
    case .add:  // now | add: 4h
      guard let span = try text(call, 0).flatMap(Span.init(signedDuration:)) else {
        throw fault(call, "needs a duration")
      }
      return .moment(time + span, chosen)
    case .inZone:  // at | in_zone: Asia/Kolkata → 2026-01-15T16:00:25.000+05:30
      guard let zone = try text(call, 0).flatMap(Zone.named) else { throw fault(call, "needs a time zone") }
      return .moment(time, zone)
    case .format:  // format: 'DD.MM.YYYY HH:mm' → 15.01.2026 10:30, in UTC unless `in_zone` chose another
      return .json(.string(MomentFormat.text(of: time, in: chosen ?? .utc, try text(call, 0) ?? "")))
    case .unix:  // 2026-01-15T10:30:25.000Z → 1768473025
      return .json(.number(CivilTime.floorDivide(time.milliseconds, 1000).0))
    default:  // unix_ms: 2026-01-15T10:30:25.000Z → 1768473025000
      return .json(.number(time.milliseconds))
    }
  }

  /// The time that a value is, or that its text names.
  private func moment(_ call: FilterCall, _ value: EventValue) throws(RenderFault) -> (Timestamp, Zone?) {
    if case .moment(let time, let zone) = value { return (time, zone) }
    guard case .json(.string(let text)) = value, let time = Timestamp(iso8601: text, in: zone) else {
      throw fault(call, "needs a time in ISO 8601")
    }
    return (time, nil)
  }
}

// Phones.
extension RenderContext {
  private func applyPhone(_ call: FilterCall, to value: EventValue) throws(RenderFault) -> EventValue {
    let text = value.text
    switch call.filter {
    case .digits: return .json(.string(Phone.digits(text)))  // +919876543210 → 919876543210
    case .mask: return .json(.string(Phone.mask(text)))  // +919876543210 → +91******3210
    default: break
    }
    let country = try self.text(call, 0) ?? self.country
    // e164: 09876543210 → +919876543210 in IN; national: +919876543210 → 9876543210
    let read = call.filter == .e164 ? Phone.e164(text, country: country) : Phone.national(text, country: country)
    guard let read else { throw fault(call, "was given something that cannot be read as a phone number") }
    return .json(.string(read))
  }
}

// Values.
extension RenderContext {
  private func applyValue(_ call: FilterCall, to value: EventValue) throws(RenderFault) -> EventValue? {
    switch call.filter {
    case .map:  // agent | map: team_leads → the table's value; missing when the table has no such key
      return try text(call, 0).flatMap { tables[$0]?[value.text] }.map { .json(.string($0)) }
    case .next: return try next(call, value.text)
    case .join:  // ["a", "b"] | join: '; ' → a; b
      guard case .json(.array(let items)) = value else { return value }
      let separator = try text(call, 0) ?? ", "
      return .json(.string(items.map { EventValue.json($0).text }.joined(separator: separator)))
    case .number:  // "12.50" → 12.50, a number; anything that is not exactly a JSON number is a fault
      guard JSONValue.isNumber(value.text) else { throw fault(call, "was given something that is no JSON number") }
      return .json(.number(value.text))
    default:  // round: 2.5 | round → 3; 3.14159 | round: 2 → 3.14
      let places = try text(call, 0).flatMap { Int($0) } ?? 0
      guard let rounded = JSONNumber(value.text)?.rounded(places: places) else {
        throw fault(call, "was given something that is no JSON number")
      }
      return .json(.number(rounded))
    }
  }

  /// low | next: low, medium, high → medium; the last stays.
  private func next(_ call: FilterCall, _ text: String) throws(RenderFault) -> EventValue? {
    for index in call.arguments.indices where try self.text(call, index) == text {
      return try argument(call, min(index + 1, call.arguments.count - 1))
    }
    throw fault(call, "was given a value that is not in its list")
  }
}

// Shapes: what vendors make of a list or a mapping.
extension RenderContext {
  private func applyShape(_ call: FilterCall, to value: JSONValue) throws(RenderFault) -> JSONValue {
    switch (call.filter, value) {
    case (.list, _): return [value]  // 5 → [5]
    case (.texts, .array(let items)): return .array(items.map(\.asText))  // [1, "a"] → ["1", "a"]
    case (.texts, .object(let object)):  // {"a": 1} → {"a": "1"}
      return .object(JSONObject(object.members.map { .init(key: $0.key, value: $0.value.asText) }))
    case (.objects, .array(let items)):  // ["a"] | objects: text, type, text → [{"text": "a", "type": "text"}]
      var names: [String] = []
      for index in call.arguments.indices { names.append(try text(call, index) ?? "") }
      return .array(items.map { $0.object == nil ? Self.object($0, names) : $0 })
    case (.pairs, .object(let object)):  // {"a": 1} | pairs: name, value → [{"name": "a", "value": 1}]
      let (name, content) = (try text(call, 0) ?? "name", try text(call, 1) ?? "value")
      return .array(
        object.members.map { member in
          .object(JSONObject([.init(key: name, value: .string(member.key)), .init(key: content, value: member.value)]))
        })
    case (.pairs, .array): return value
    default: throw fault(call, "needs \(call.filter == .objects ? "a list" : "a mapping or a list")")
    }
  }

  /// The item under the first name, then constants: a name and its text in turn.
  private static func object(_ item: JSONValue, _ names: [String]) -> JSONValue {
    var object = JSONObject([.init(key: names.first ?? "", value: item)])
    for index in stride(from: 1, to: names.count - 1, by: 2) { object[names[index]] = .string(names[index + 1]) }
    return .object(object)
  }
}

extension JSONValue {
  /// A number, a boolean as its text; anything else as it is.
  fileprivate var asText: JSONValue {
    switch self {
    case .number, .bool: .string(EventValue.json(self).text)
    default: self
    }
  }
}

// Escapes.
extension RenderContext {
  private func escaped(_ filter: Filter, _ value: EventValue) -> String {
    switch filter {
    case .json: value.json.text  // {"a": 1} → {"a":1}, as text
    case .urlencode: PercentEncoding.encoded(value.text)  // a b&c → a%20b%26c
    case .mrkdwnEscape: Escapes.replacing(value.text, Escapes.mrkdwn)  // a < b → a &lt; b
    case .htmlEscape: Escapes.replacing(value.text, Escapes.html)  // "a" → &quot;a&quot;
    case .soqlEscape: Escapes.replacing(value.text, Escapes.soql)  // O'Neil → O\'Neil
    default: Escapes.replacing(value.text, Escapes.sosl)  // a-b? → a\-b\?
    }
  }
}

extension String {
  /// Without white space at either end.
  var trimmed: String {
    var text = self[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
