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

  /// The body as JSON; nil where it is none.
  private mutating func json() -> JSONValue? {
    if let parsed { return parsed }
    let value = try? JSONValue.parse(answer.body)
    parsed = .some(value)
    return value
  }

  private mutating func text() -> String {
    if let decoded { return decoded }
    let text = String(decoding: answer.body, as: UTF8.self)
    decoded = text
    return text
  }

  /// Whether one condition of a rule holds.
  mutating func holds(_ condition: ResponseCondition) -> Bool {
    switch condition {
    case .status(let ranges): ranges.contains { $0.contains(answer.status) }
    case .header(let name, let comparison): holds(comparison, answer.header(name).map(JSONValue.string))
    case .text(let comparison): holds(comparison, .string(text()))
    case .json(let steps, let quantifier, let comparison): holds(steps, quantifier, comparison)
    }
  }

  /// With `one` a path without `*`; with `any` one of the items, with `every` all of them and at least one.
  private mutating func holds(
    _ steps: [String], _ quantifier: ResponseCondition.Quantifier, _ comparison: Comparison
  ) -> Bool {
    let values = json()?.values(at: steps[...]) ?? []
    switch quantifier {
    case .one: return holds(comparison, values.first ?? nil)
    case .any: return values.contains { holds(comparison, $0) }
    case .every: return !values.isEmpty && values.allSatisfy { holds(comparison, $0) }
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

  /// A number, whole or with a fraction, read in its unit; nil for anything else. What has gone by: zero.
  private static func span(_ text: String, _ unit: WaitSource.WaitUnit, _ now: Timestamp) -> Span? {
    guard let number = Double(text), number.isFinite, abs(number) < 1e15 else { return nil }
    let span: Span =
      switch unit {
      case .seconds: .milliseconds(Int64((number * 1000).rounded(.up)))
      case .milliseconds: .milliseconds(Int64(number.rounded(.up)))
      case .unix: Timestamp(milliseconds: Int64((number * 1000).rounded(.up))) - now
      case .unixMilliseconds: Timestamp(milliseconds: Int64(number.rounded(.up))) - now
      }
    return max(.zero, span)
  }
}
