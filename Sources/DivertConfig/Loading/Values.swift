// The language's single values: text, numbers, choices, durations, rates, sizes, zones. Each is read or reported.
import DivertCore

extension LoadContext {
  /// The text of any scalar, as it stands.
  func text(_ node: YAMLNode, _ what: String) -> String? {
    guard let text = node.text, !node.isEmpty else {
      error("wrong_kind", node.place, "\(what) must be text, not \(node.kindName)")
      return nil
    }
    return text
  }

  func boolean(_ node: YAMLNode, _ what: String) -> Bool? {
    switch node.plainText {
    case "true": return true
    case "false": return false
    default:
      error("wrong_kind", node.place, "\(what) must be true or false")
      return nil
    }
  }

  func whole(_ node: YAMLNode, _ what: String, _ range: ClosedRange<Int>) -> Int? {
    guard let text = node.plainText, JSONValue.isNumber(text), let number = Int(text), range.contains(number) else {
      let bounds =
        range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
      error("bad_number", node.place, "\(what) must be a whole number, \(bounds)")
      return nil
    }
    return number
  }

  func choice(_ node: YAMLNode, _ what: String, _ choices: [String]) -> String? {
    guard let text = text(node, what) else { return nil }
    if choices.contains(text) { return text }
    let hint = NearestName.hint(text, in: choices)
    let list = choices.joined(separator: ", ")
    error("bad_choice", node.place, "\(what) cannot be '\(text)'", hint ?? "one of: \(list)")
    return nil
  }

  /// A duration within `bounds`; what is longer or shorter is reported with them.
  func duration(_ node: YAMLNode, _ what: String, _ bounds: ClosedRange<Span> = .zero...SmallGrammar.longest) -> Span? {
    guard let text = text(node, what) else { return nil }
    if let span = Span(duration: text) {
      if bounds.contains(span) { return span }
      let bound =
        span < bounds.lowerBound
        ? "at least \(bounds.lowerBound.duration)" : "at most \(bounds.upperBound.duration)"
      error("bad_duration", node.place, "\(what): '\(text)' is out of bounds", bound)
      return nil
    }
    error("bad_duration", node.place, "\(what): '\(text)' is not a duration", "write 100ms, 5s, 10m, 1h, 7d or '6d 1h'")
    return nil
  }

  func rate(_ node: YAMLNode, _ what: String) -> RateLimit? {
    guard let text = text(node, what) else { return nil }
    if let rate = SmallGrammar.rate(text) { return rate }
    if let limit = SmallGrammar.brokenRate(text) {
      error("bad_rate", node.place, "\(what): '\(text)' is out of bounds", limit)
      return nil
    }
    error("bad_rate", node.place, "\(what): '\(text)' is not a rate", "write 100/min, 100/10s or 40000/day")
    return nil
  }

  /// A size of 1 byte to `most` bytes.
  func size(_ node: YAMLNode, _ what: String, most: Int = SmallGrammar.largest) -> Int? {
    guard let text = text(node, what) else { return nil }
    if let bytes = SmallGrammar.size(text) {
      if (1...most).contains(bytes) { return bytes }
      let bound = bytes < 1 ? "at least 1" : "at most \(SmallGrammar.words(bytes: most))"
      error("bad_size", node.place, "\(what): '\(text)' is out of bounds", bound)
      return nil
    }
    error("bad_size", node.place, "\(what): '\(text)' is not a size", "write bytes, or 256KiB, 64MiB")
    return nil
  }

  /// Minutes after midnight: from and to.
  func clockRange(_ node: YAMLNode, _ what: String) -> (from: Int, to: Int)? {
    guard let text = text(node, what) else { return nil }
    guard let range = SmallGrammar.clockRange(text) else {
      error("bad_time_range", node.place, "\(what): '\(text)' is not a range of times", "write \"08:00-19:00\"")
      return nil
    }
    guard range.from != range.to else {
      error("bad_time_range", node.place, "\(what): '\(text)' is empty: it begins when it ends")
      return nil
    }
    return range
  }

  func zone(_ node: YAMLNode, _ what: String) -> String? {
    guard let text = text(node, what) else { return nil }
    if Zone.exists(text) { return text }
    let hint = NearestName.hint(text, in: KnownValues.zones)
    error(
      "unknown_zone", node.place, "\(what): there is no time zone '\(text)'",
      hint ?? "an IANA name, such as Asia/Kolkata")
    return nil
  }

  func country(_ node: YAMLNode) -> String? {
    guard let text = text(node, "'country'") else { return nil }
    if KnownValues.countries.contains(text) { return text }
    let upper = text.uppercased()
    let hint = KnownValues.countries.contains(upper) ? "did you mean '\(upper)'?" : "two letters (ISO 3166), such as IN"
    error("unknown_country", node.place, "there is no country '\(text)'", hint)
    return nil
  }

  /// The items of a list, or the one value that stands in place of a list.
  func oneOrMore(_ node: YAMLNode) -> [YAMLNode] { node.items ?? [node] }

  func list(_ node: YAMLNode, _ what: String) -> [YAMLNode] {
    guard let items = node.items else {
      error("not_a_list", node.place, "\(what) must be a list, not \(node.kindName)", "write '- …' lines or [a, b]")
      return []
    }
    return items
  }
}
