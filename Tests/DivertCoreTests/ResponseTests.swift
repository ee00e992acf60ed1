// Answers → outcomes: the language's defaults, rules before them, waits, and ambiguity.

import DivertCore
import Testing

@Suite struct ResponseRuleTests {
  private func judge(
    _ status: Int, _ headers: [HTTPHeader] = [], _ body: String = "", rules: [ResponseRule] = [],
    ambiguous: AmbiguousPolicy = .retry
  ) -> Judgement {
    ResponseRules.judge(
      .answered(HTTPAnswer(status: status, headers: headers, body: bytes(body))), rules: rules, ambiguous: ambiguous,
      now: moment, patterns: PatternCache())
  }

  @Test(
    "the defaults",
    arguments: [
      (200, .ok), (201, .ok), (204, .ok), (299, .ok), (301, .fail), (302, .fail), (304, .fail), (400, .fail),
      (401, .hold),
      (402, .fail), (403, .fail), (404, .fail), (408, .retry), (409, .fail), (410, .disable), (422, .fail),
      (425, .retry),
      (429, .throttle), (499, .fail), (500, .retry), (501, .retry), (502, .retry), (503, .retry), (504, .retry),
      (599, .retry),
      (100, .retry), (999, .retry),
    ] as [(Int, AttemptOutcome)])
  func defaults(status: Int, outcome: AttemptOutcome) {
    #expect(judge(status).outcome == outcome)
    #expect(judge(status).wait == nil)
  }

  @Test(
    "for a message to a person what nobody knows is parked",
    arguments: [
      (500, true), (502, true), (504, true), (520, true), (524, true), (503, false), (521, false), (429, false),
      (408, false),
    ])
  func parked(status: Int, park: Bool) {
    #expect((judge(status, ambiguous: .park).outcome == .park) == park)
  }

  @Test("a lost answer is retried or parked; a request that never left is retried")
  func lost() {
    func judge(_ sent: Bool, _ ambiguous: AmbiguousPolicy) -> Judgement {
      ResponseRules.judge(
        .failed(ExchangeFailure(requestSent: sent, reason: Reason("timed_out", "no answer within 30s"))), rules: [],
        ambiguous: ambiguous, now: moment, patterns: PatternCache())
    }
    #expect(judge(true, .park).outcome == .park)
    #expect(judge(true, .park).reason.code == "ambiguous")
    #expect(judge(false, .park).outcome == .retry)
    #expect(judge(true, .retry).outcome == .retry)
    #expect(judge(true, .retry).reason.code == "timed_out")
  }

  @Test("what this side refuses is dead at once: another attempt would meet the same")
  func refusedHere() {
    let failure = ExchangeFailure(
      requestSent: false, isLasting: true, reason: Reason("address_refused", "a private address"))
    let judgement = ResponseRules.judge(
      .failed(failure), rules: [], ambiguous: .park, now: moment, patterns: PatternCache())
    #expect(judgement == Judgement(.fail, failure.reason))
  }

  @Test("Retry-After is honoured up to 24 hours; longer holds the target")
  func retryAfter() {
    #expect(judge(429, [HTTPHeader("Retry-After", "120")]).wait == .seconds(120))
    #expect(judge(503, [HTTPHeader("retry-after", "Thu, 15 Jan 2026 10:31:25 GMT")]).wait == .seconds(60))
    #expect(judge(500, [HTTPHeader("Retry-After", "120")]).wait == nil)
    #expect(judge(429, [HTTPHeader("Retry-After", "86400")]).outcome == .throttle)
    let held = judge(429, [HTTPHeader("Retry-After", "86401")])
    #expect(held.outcome == .hold && held.wait == .seconds(86_401))
  }

  private func rule(_ then: AttemptOutcome, wait: WaitSource? = nil, _ conditions: ResponseCondition...) -> ResponseRule
  {
    ResponseRule(conditions: conditions, then: then, wait: wait, because: nil)
  }

  @Test("the first rule that matches decides, before the defaults")
  func rules() {
    let failed = rule(
      .fail, .status([200...299]), .items(["messages"], .any, [.json(["status"], .isOneOf(["FAILED"]))]))
    let sent = rule(.ok, .items(["messages"], .every, [.json(["status"], .isOneOf(["SENT", "ENQUEUED"]))]))
    let rules = [
      failed, sent, rule(.okDuplicate, .text(.contains("already exists"))),
      rule(.throttle, .json(["error", "code"], .isOneOf([131056]))),
    ]
    #expect(judge(201, [], #"{"messages":[{"status":"SENT"},{"status":"FAILED"}]}"#, rules: rules).outcome == .fail)
    #expect(judge(201, [], #"{"messages":[{"status":"SENT"}]}"#, rules: rules).outcome == .ok)
    #expect(judge(201, [], #"{"messages":[]}"#, rules: [sent, rule(.fail)]).outcome == .fail)
    #expect(judge(409, [], "it already exists", rules: rules).outcome == .okDuplicate)
    #expect(judge(400, [], #"{"error":{"code":131056}}"#, rules: rules).outcome == .throttle)
    #expect(judge(400, [], #"{"error":{"code":"131056"}}"#, rules: rules).outcome == .fail)
    #expect(judge(400, [], "<html>", rules: rules).outcome == .fail)
    #expect(judge(500, rules: [rule(.retry, .status([500...500]))], ambiguous: .park).outcome == .retry)
    #expect(
      judge(200, [HTTPHeader("X-Quota", "none")], rules: [rule(.hold, .header("x-quota", .isOneOf(["none"])))]).outcome
        == .hold)
  }

  @Test("waits come from where a rule says")
  func waits() {
    func wait(_ source: WaitSource, _ headers: [HTTPHeader] = [], _ body: String = "") -> Span? {
      judge(429, headers, body, rules: [rule(.throttle, wait: source)]).wait
    }
    #expect(wait(.fixed(.minutes(5))) == .minutes(5))
    #expect(wait(.header("x-reset", .unix), [HTTPHeader("X-Reset", "1768473085")]) == .seconds(60))
    #expect(wait(.header("x-reset", .unix), [HTTPHeader("X-Reset", "1")]) == .zero)
    #expect(wait(.header("x-reset", .milliseconds), [HTTPHeader("X-Reset", "1500")]) == .milliseconds(1500))
    #expect(wait(.header("x-reset", .seconds), [HTTPHeader("X-Reset", "soon")]) == nil)
    #expect(wait(.json(["retry_after"], .seconds), [], #"{"retry_after":1.5}"#) == .milliseconds(1500))
    #expect(wait(.midnight(zone: "Asia/Kolkata")) == .milliseconds(8 * 3_600_000 - 25_000))
    #expect(wait(.retryAfter, [HTTPHeader("Retry-After", "7")]) == .seconds(7))
  }

  @Test(
    "the three forms of an HTTP date",
    arguments: ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])
  func dates(text: String) {
    let wanted = Timestamp(iso8601: "1994-11-06T08:49:37Z")
    #expect(RetryAfter.date(text, now: Timestamp(milliseconds: 783_000_000_000)) == wanted)
  }

  @Test(
    "what is no wait",
    arguments: ["", "soon", "-1", "1.5", "Thu, 32 Jan 2026 10:31:25 GMT", "Thu, 15 Jan 2026 10:31 GMT", "1 2"])
  func noWait(text: String) { #expect(RetryAfter.wait(text, now: moment) == nil) }
}
