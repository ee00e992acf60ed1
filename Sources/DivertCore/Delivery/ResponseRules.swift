// Answer → outcome and reason (step 9 of the line): the target's ordered rules, then the language's defaults.

/// What came of a request.
package enum ExchangeResult: Sendable, Hashable {
  case answered(HTTPAnswer)
  case failed(ExchangeFailure)
}

/// A target's answer, as much of it as was read.
package struct HTTPAnswer: Sendable, Hashable {
  package var status: Int
  package var headers: [HTTPHeader]
  package var body: [UInt8]

  package init(status: Int, headers: [HTTPHeader] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}

/// No answer.
package struct ExchangeFailure: Sendable, Hashable {
  /// The request may have reached the target: at least a byte of it went out.
  package var requestSent: Bool
  /// Another attempt would meet the same: the request or its address is refused on this side.
  package var isLasting: Bool
  package var reason: Reason

  package init(requestSent: Bool, isLasting: Bool = false, reason: Reason) {
    self.requestSent = requestSent
    self.isLasting = isLasting
    self.reason = reason
  }
}

/// What to make of it.
package struct Judgement: Sendable, Hashable {
  package var outcome: AttemptOutcome
  package var reason: Reason
  /// The wait that the answer or a rule asks for, from now on; nil: the backoff's.
  package var wait: Span?
  /// Where the wait is the backoff's: it is this at least.
  package var atLeast: Span

  package init(_ outcome: AttemptOutcome, _ reason: Reason, wait: Span? = nil, atLeast: Span = .zero) {
    self.outcome = outcome
    self.reason = reason
    self.wait = wait
    self.atLeast = atLeast
  }
}

package enum ResponseRules {
  /// The longest wait that an answer may ask of a delivery; a longer one holds the target.
  package static let longestWait = Span.hours(24)

  /// The first of the target's rules that matches decides; where none does, the language's defaults.
  /// - Parameter ambiguous: what the action says of a request that went out and got no answer, or 500, 502 or 504.
  package static func judge(
    _ result: ExchangeResult, rules: [ResponseRule], ambiguous: AmbiguousPolicy, now: Timestamp, patterns: PatternCache
  ) -> Judgement {
    switch result {
    case .failed(let failure): return judge(failure, ambiguous)
    case .answered(let answer):
      var reader = AnswerReader(answer, patterns)
      for rule in rules where rule.conditions.allSatisfy({ reader.holds($0) }) {
        return bounded(judgement(rule, &reader, now))
      }
      return bounded(standard(answer, ambiguous, now))
    }
  }

  private static func judge(_ failure: ExchangeFailure, _ ambiguous: AmbiguousPolicy) -> Judgement {
    if failure.requestSent, ambiguous != .retry {
      return parked("no answer came to a request that had gone out", ambiguous)
    }
    return Judgement(failure.isLasting ? .fail : .retry, failure.reason)
  }

  static func parked(_ what: String, _ ambiguous: AmbiguousPolicy = .park) -> Judgement {
    let then = ambiguous == .verify ? "the target is asked before it is sent again" : "it is not sent again by itself"
    return Judgement(.park, Reason("ambiguous", "\(what): it may have arrived, so \(then)"))
  }

  static func judgement(_ rule: ResponseRule, _ reader: inout AnswerReader, _ now: Timestamp) -> Judgement {
    if rule.then == .park { return parked(rule.because ?? "answer \(reader.answer.status)") }
    let sentence = rule.because ?? "answer \(reader.answer.status) fits the target's rule for `\(rule.then.rawValue)`"
    let reason = Reason("rule_" + rule.then.rawValue, sentence)
    let least = rule.waitAtLeast ?? .zero
    guard let asked = rule.wait.flatMap({ reader.wait($0, now) }) else {
      // The pause of a whole target has no backoff to be a least of.
      let wait = rule.then == .retry ? nil : rule.waitAtLeast
      return Judgement(rule.then, reason, wait: wait, atLeast: least)
    }
    let wait = max(least, rule.waitAtMost.map { min($0, asked) } ?? asked)
    return Judgement(rule.then, reason, wait: wait, atLeast: least)
  }

  /// A wait beyond the longest holds the target instead of the delivery.
  static func bounded(_ judgement: Judgement) -> Judgement {
    guard let wait = judgement.wait, wait > longestWait, judgement.outcome == .retry || judgement.outcome == .throttle
    else { return judgement }
    let reason = Reason(
      "retry_after_too_long", "the target asks for a wait of \(wait.duration), more than 24h: it is held")
    return Judgement(.hold, reason, wait: wait)
  }

  /// 2xx ok; 3xx fail; 408, 425, 429 and 5xx retry; 401 holds; 403 is dead; 410 disables; other 4xx are dead.
  private static func standard(_ answer: HTTPAnswer, _ ambiguous: AmbiguousPolicy, _ now: Timestamp) -> Judgement {
    let status = answer.status
    let asked =
      status == 429 || status == 503 ? answer.header("retry-after").flatMap { RetryAfter.wait($0, now: now) } : nil
    switch status {
    case 200..<300: return Judgement(.ok, Reason("accepted", "answer \(status)"))
    case 300..<400:
      return Judgement(
        .fail, Reason("redirected", "answer \(status): redirects are never followed; correct the target's address"))
    case 401:
      return Judgement(
        .hold, Reason("unauthorized", "answer 401: the target refuses its credential; the target is held"))
    case 403: return Judgement(.fail, Reason("forbidden", "answer 403: the target forbids this request"))
    case 410:
      return Judgement(.disable, Reason("gone", "answer 410: the target says that it is gone for good; it is disabled"))
    case 408, 425: return Judgement(.retry, Reason("not_now", "answer \(status)"))
    case 429: return Judgement(.throttle, Reason("throttled", "answer 429: too many requests"), wait: asked)
    case 400..<500: return Judgement(.fail, Reason("rejected", "answer \(status): the target refuses this request"))
    // 520 and 524 are what a proxy in front of the target says when it got no (whole) answer.
    case 500, 502, 504, 520, 524:
      if ambiguous != .retry { return parked("answer \(status)", ambiguous) }
      return Judgement(.retry, Reason("server_error", "answer \(status)"))
    case 503: return Judgement(.retry, Reason("unavailable", "answer 503"), wait: asked)
    case 500..<600: return Judgement(.retry, Reason("server_error", "answer \(status)"))
    default: return Judgement(.retry, Reason("unexpected_status", "answer \(status), which HTTP does not know"))
    }
  }
}

extension HTTPAnswer {
  /// The value of the first header of that name, whatever its case.
  package func header(_ name: String) -> String? {
    headers.first { $0.name.equalsIgnoringCase(name) }?.value
  }
}
