// What stands behind a field of `when:` or of a response rule → Comparisons of the right kind; nothing is coerced.
import DivertCore

/// What kind of value a field holds, and so what it can be compared with.
package enum ValueKind: String, Sendable {
  case text, number, moment, clock, weekday, boolean
  /// Anything that JSON holds: `raw.…` and answers.
  case json

  /// As messages say it.
  var name: String {
    switch self {
    case .text: "text"
    case .number: "a number"
    case .moment: "a moment"
    case .clock: "a time of day"
    case .weekday: "a day of the week"
    case .boolean: "true or false"
    case .json: "a JSON value"
    }
  }

  var isOrdered: Bool { self == .number || self == .moment || self == .clock || self == .json }
  var isText: Bool { self == .text || self == .json }

  static func of(_ field: EventField) -> ValueKind {
    switch field {
    case .receivedAt, .at, .callStartedAt, .callEndedAt: .moment
    case .callDuration: .number
    case .own: .boolean
    default: .text
    }
  }
}

/// A field that is compared: its name as the file has it, and its kind.
struct ComparedField {
  var name: String
  var kind: ValueKind
  /// Values it is known to have, for warnings about near misses.
  var known: [String]?
}

extension LoadContext {
  /// The comparisons, all of which must hold; a lone value or a list of values is "equal to one of these".
  /// An inner list is an OR (`contains: [a, b]`).
  func comparisons(_ node: YAMLNode, _ field: ComparedField) -> [[Comparison]] {
    guard node.entries != nil else { return values(node, field).map { [[.isOneOf($0)]] } ?? [] }
    guard let fields = fields(node, .comparison) else { return [] }
    if fields.entries.isEmpty, node.entries?.isEmpty == true {
      error("no_value", node.place, "'\(field.name)' is compared with nothing", "give a value, a list or an operator")
    }
    return fields.entries.compactMap { comparison($0, field) }
  }

  private func comparison(_ entry: YAMLNode.Entry, _ field: ComparedField) -> [Comparison]? {
    let node = entry.value
    switch entry.key {
    case "is", "in": return values(node, field).map { [.isOneOf($0)] }
    case "not": return values(node, field).map { [.isNoneOf($0)] }
    case "exists": return boolean(node, "'exists'").map { [.exists($0)] }
    case "above": return bound(entry, field).map { [.above($0)] }
    case "below": return bound(entry, field).map { [.below($0)] }
    case "at_least": return bound(entry, field).map { [.atLeast($0)] }
    case "at_most": return bound(entry, field).map { [.atMost($0)] }
    case "between": return between(entry, field).map { [$0] }
    case "matches": return matches(entry, field).map { [$0] }
    case "contains": return texts(entry, field).map { $0.map(Comparison.contains) }
    case "starts_with": return texts(entry, field).map { $0.map(Comparison.startsWith) }
    case "ends_with": return texts(entry, field).map { $0.map(Comparison.endsWith) }
    default: return nil
    }
  }

  private func values(_ node: YAMLNode, _ field: ComparedField) -> [JSONValue]? {
    let items = oneOrMore(node)
    if items.isEmpty { error("no_value", node.place, "an empty list matches nothing", "give a value") }
    let values = items.compactMap { value($0, field) }
    return values.count == items.count && !items.isEmpty ? values : nil
  }

  private func value(_ node: YAMLNode, _ field: ComparedField) -> JSONValue? {
    guard let text = text(node, "what '\(field.name)' is compared with") else { return nil }
    if text.contains("{{") {
      error("no_template", node.place, "a comparison takes plain values, no templates", "write the value itself")
      return nil
    }
    switch field.kind {
    case .text:
      warnIfNear(text, node, field)
      warnIfNoPhone(text, node, field)
      return .string(text)
    case .json: return node.plainText.flatMap(PlainScalar.value) ?? .string(text)
    case .number:
      if node.plainText != nil, JSONValue.isNumber(text) { return number(text, node, field).map { .number($0) } }
    case .moment:
      if Timestamp(iso8601: text) != nil { return .string(text) }
    case .clock:
      if SmallGrammar.clock(text) != nil { return .string(text) }
    case .weekday:
      return choice(node, "a day of the week", KnownValues.weekdays).map { .string($0) }
    case .boolean: return boolean(node, "'\(field.name)'").map { .bool($0) }
    }
    mismatch(node, text, field)
    return nil
  }

  /// A number that can be compared: beyond a double's range everything would be equal to infinity.
  private func number(_ text: String, _ node: YAMLNode, _ field: ComparedField) -> String? {
    if Double(text)?.isFinite == true { return text }
    let message = "'\(field.name)' is compared with \(text), which is too large"
    error("bad_number", node.place, message, "numbers reach from -1.7e308 to 1.7e308")
    return nil
  }

  private func mismatch(_ node: YAMLNode, _ text: String, _ field: ComparedField) {
    let hint: String? =
      switch field.kind {
      case .number: "write the number without quotes"
      case .moment: "write 2026-01-15T16:00:25+05:30"
      case .clock: "write \"08:00\""
      default: nil
      }
    error("type_mismatch", node.place, "'\(field.name)' is \(field.kind.name); '\(text)' is none", hint)
  }

  /// Phones of events are in E.164, and nothing is coerced: another spelling would never be equal to one.
  private func warnIfNoPhone(_ text: String, _ node: YAMLNode, _ field: ComparedField) {
    guard [EventField.customerPhone, .waba].contains(where: { $0.rawValue == field.name }) else { return }
    let number = Phone.e164(text, country: country)
    if number == text { return }
    let hint = number.map { "write \"\($0)\"" } ?? "write the number with + and its country code"
    warn("near_miss", node.place, "'\(field.name)' is in E.164: it never is '\(text)'", hint)
  }

  private func warnIfNear(_ text: String, _ node: YAMLNode, _ field: ComparedField) {
    guard let known = field.known, !known.contains(text) else { return }
    let prefixed = known.first { $0.count > 2 && text.uppercased().hasPrefix($0) }
    let near = NearestName.to(text, among: known) ?? prefixed
    // Of two values a third is a mistake; of the others new ones may come.
    guard near != nil || known == KnownValues.directions else { return }
    let hint = near.map { "did you mean '\($0)'?" } ?? "there are: \(known.joined(separator: ", "))"
    warn("near_miss", node.place, "'\(text)' is no \(field.name) that is known", hint)
  }

  private func bound(_ entry: YAMLNode.Entry, _ field: ComparedField) -> Bound? {
    guard field.kind.isOrdered else {
      let hint = field.kind == .text ? "compare text with is, in, contains, starts_with, ends_with or matches" : nil
      error("type_mismatch", entry.keyPlace, "'\(entry.key)' cannot compare \(field.kind.name) ('\(field.name)')", hint)
      return nil
    }
    return bound(entry.value, field)
  }

  private func bound(_ node: YAMLNode, _ field: ComparedField) -> Bound? {
    guard let text = text(node, "what '\(field.name)' is compared with") else { return nil }
    switch field.kind {
    case .number, .json:
      if node.plainText != nil, JSONValue.isNumber(text) { return number(text, node, field).map { .number($0) } }
      let number = ComparedField(name: field.name, kind: .number)
      mismatch(node, text, number)
      return nil
    case .moment:
      if let time = Timestamp(iso8601: text) { return .moment(time) }
    default:
      if let minutes = SmallGrammar.clock(text) { return .clock(minutes) }
    }
    mismatch(node, text, field)
    return nil
  }

  private func between(_ entry: YAMLNode.Entry, _ field: ComparedField) -> Comparison? {
    let node = entry.value
    if field.kind == .clock {
      return clockRange(node, "'between'").map { .between(.clock($0.from), .clock($0.to)) }
    }
    guard field.kind.isOrdered else { return bound(entry, field).map { .between($0, $0) } }
    if let text = node.text, SmallGrammar.clockRange(text) != nil {
      error("type_mismatch", node.place, "'\(field.name)' is no time of day", "compare 'local.time' with \"\(text)\"")
      return nil
    }
    guard let items = node.items, items.count == 2 else {
      error("bad_between", node.place, "'between' takes two values", "write [from, to]")
      return nil
    }
    guard let from = bound(items[0], field), let to = bound(items[1], field) else { return nil }
    if isAfter(from, to) {
      error("contradictory", node.place, "'between': the first is greater than the second", "nothing lies between them")
    }
    return .between(from, to)
  }

  private func isAfter(_ a: Bound, _ b: Bound) -> Bool {
    switch (a, b) {
    case (.number(let x), .number(let y)): (Double(x) ?? 0) > (Double(y) ?? 0)
    case (.moment(let x), .moment(let y)): x > y
    default: false
    }
  }

  private func texts(_ entry: YAMLNode.Entry, _ field: ComparedField) -> [String]? {
    guard isText(entry, field) else { return nil }
    let texts = oneOrMore(entry.value).compactMap { text($0, "'\(entry.key)'") }
    if texts.isEmpty, entry.value.items != nil { error("no_value", entry.value.place, "an empty list matches nothing") }
    return texts.isEmpty ? nil : texts
  }

  private func matches(_ entry: YAMLNode.Entry, _ field: ComparedField) -> Comparison? {
    guard isText(entry, field), let source = text(entry.value, "'matches'") else { return nil }
    if let fault = Pattern.check(source) {
      error("bad_regex", entry.value.place, fault, nil)
      return nil
    }
    return .matches(Pattern(checked: source))
  }

  private func isText(_ entry: YAMLNode.Entry, _ field: ComparedField) -> Bool {
    if field.kind.isText { return true }
    error("type_mismatch", entry.keyPlace, "'\(entry.key)' compares text, and '\(field.name)' is \(field.kind.name)")
    return false
  }
}
