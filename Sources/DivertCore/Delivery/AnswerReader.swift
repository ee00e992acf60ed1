// What response rules look at in an answer. The body is read as JSON once at most, and only when a rule asks for it.

struct AnswerReader {
  let answer: HTTPAnswer
  private let patterns: PatternCache
  private var parsed: JSONValue??
  private var decoded: String?

  init(_ answer: HTTPAnswer, _ patterns: PatternCache) {
    self.answer = answer
    self.patterns = patterns
  }

  /// A part of an answer, as if it were one.
  init(part: JSONValue, of answer: HTTPAnswer, _ patterns: PatternCache) {
    self.init(HTTPAnswer(status: answer.status, headers: answer.headers, body: part.encoded()), patterns)
    parsed = .some(part)
  }

  /// The body as JSON; nil where it is none.
  mutating func json() -> JSONValue? {
    if let parsed { return parsed }
    let value = try? JSONValue.parse(answer.body)
    parsed = .some(value)
    return value
  }

  private mutating func text() -> String {
    if let decoded { return decoded }
    let text = String(decoding: answer.body, as: UTF8.self).trimmed
    decoded = text
    return text
  }

  /// Whether one condition of a rule holds.
  mutating func holds(_ condition: ResponseCondition) -> Bool {
    switch condition {
    case .status(let ranges): ranges.contains { $0.contains(answer.status) }
    case .header(let name, let comparison): holds(comparison, answer.header(name).map(JSONValue.string))
    case .text(let comparison): holds(comparison, .string(text()))
    case .json, .items: json().map { holds(condition, in: $0) } ?? false
    case .oneOf(let conditions): conditions.contains { holds($0) }
    }
  }

  /// A condition on JSON, of a body or of an item of a list.
  private func holds(_ condition: ResponseCondition, in value: JSONValue) -> Bool {
    switch condition {
    case .json(let steps, let comparison): return holds(comparison, value.value(at: steps))
    case .items(let steps, let quantifier, let conditions):
      guard let items = value.value(at: steps)?.array, !items.isEmpty else { return false }
      let fits = { (item: JSONValue) in conditions.allSatisfy { holds($0, in: item) } }
      return quantifier == .any ? items.contains(where: fits) : items.allSatisfy(fits)
    case .oneOf(let conditions): return conditions.contains { holds($0, in: value) }
    case .status, .header, .text: return false
    }
  }

  private func holds(_ comparison: Comparison, _ value: JSONValue?) -> Bool {
    let value = value.map(EventValue.json).flatMap { $0.isMissing ? nil : $0 }
    return comparison.holds(for: value, patterns: patterns)
  }

  /// The wait that a rule takes from the answer; nil where the answer does not say.
  mutating func wait(_ source: WaitSource, _ now: Timestamp) -> Span? {
    switch source {
    case .retryAfter: answer.header("retry-after").flatMap { RetryAfter.wait($0, now: now) }
    case .header(let name, let unit): answer.header(name).flatMap { Self.span($0, unit, now) }
    case .json(let steps, let unit):
      (json()?.value(at: steps)).flatMap { Self.span(EventValue.json($0).text, unit, now) }
    case .fixed(let span): span
    case .midnight(let zone): Zone.named(zone).map { $0.nextMidnight(after: now) - now }
    }
  }

  /// The number at a place; nil where there is none.
  mutating func number(_ place: AnswerPlace) -> Double? {
    if case .usedOfAll(let place) = place { return text(at: place).flatMap(Self.left) }
    return text(at: place).flatMap { Double($0) }.flatMap { $0.isFinite ? $0 : nil }
  }

  private mutating func text(at place: AnswerPlace) -> String? {
    switch place {
    case .header(let name): answer.header(name)
    case .json(let steps): json()?.value(at: steps).map { EventValue.json($0).text }
    case .usedOfAll(let place): text(at: place)
    }
  }

  /// Of the first `used/all` in a text: what is left; nil where there is none.
  private static func left(_ text: String) -> Double? {
    let digits = { (character: Character) in character.isASCII && character.isNumber }
    let halves = text.split(separator: "/", omittingEmptySubsequences: false)
    for (before, after) in zip(halves, halves.dropFirst()) {
      let used = String(before.reversed().prefix(while: digits).reversed())
      guard let used = Double(used), let all = Double(String(after.prefix(while: digits))) else { continue }
      return all - used
    }
    return nil
  }

  /// A number, whole or with a fraction, or a moment, read in its unit; nil for anything else. What has gone by: zero.
  private static func span(_ text: String, _ unit: WaitSource.WaitUnit, _ now: Timestamp) -> Span? {
    if unit == .date {
      return (RetryAfter.date(text, now: now) ?? Timestamp(iso8601: text)).map { max(.zero, $0 - now) }
    }
    guard let number = Double(text), number.isFinite, abs(number) < 1e15 else { return nil }
    let span: Span =
      switch unit {
      case .seconds: .milliseconds(Int64((number * 1000).rounded(.up)))
      case .milliseconds: .milliseconds(Int64(number.rounded(.up)))
      case .unix: Timestamp(milliseconds: Int64((number * 1000).rounded(.up))) - now
      case .unixMilliseconds, .date: Timestamp(milliseconds: Int64(number.rounded(.up))) - now
      }
    return max(.zero, span)
  }
}
