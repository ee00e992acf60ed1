// What answers say of what is left (`quota:`; step 9 of the line): nothing goes until the vendor counts anew.

extension ResponseRules {
  /// Where an answer's reset cannot be read.
  static let unreadReset = Span.minutes(1)

  /// Until when nothing may go, by the answer's own figures; nil: something is left, or the answer does not say.
  package static func rest(
    _ answer: HTTPAnswer, rules: [QuotaRule], now: Timestamp, patterns: PatternCache
  ) -> Timestamp? {
    if rules.isEmpty { return nil }
    var reader = AnswerReader(answer, patterns)
    var until: Timestamp?
    for rule in rules {
      guard let remaining = reader.number(rule.remaining), remaining <= Double(rule.below) else { continue }
      let time = now + (reader.wait(rule.reset, now) ?? unreadReset)
      until = max(until ?? time, time)
    }
    return until
  }
}
