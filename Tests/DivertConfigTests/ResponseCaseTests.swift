// Answers that vendors really give, by value: rules as a file writes them → outcome, wait, reason.
import DivertCore
import Testing

@testable import DivertConfig

/// One answer under a few rules.
struct ResponseCase: Sendable, CustomTestStringConvertible {
  var name: String
  var rules: String
  var status: Int
  var headers: [HTTPHeader] = []
  var body = ""
  var outcome: AttemptOutcome
  var wait: Span?

  var testDescription: String { name }

  init(
    _ name: String, _ rules: String, _ status: Int, _ body: String = "", headers: [HTTPHeader] = [],
    gives outcome: AttemptOutcome, wait: Span? = nil
  ) {
    (self.name, self.rules, self.status, self.headers, self.body) = (name, rules, status, headers, body)
    (self.outcome, self.wait) = (outcome, wait)
  }

  /// 2026-01-15T10:30:25Z; 16:00:25 in Kolkata.
  static let now = Timestamp(milliseconds: 1_768_473_025_000)

  static func rules(_ text: String) throws -> [ResponseRule] {
    let file =
      "version: 1\ntargets:\n  t:\n    url: https://t.example.com\n    actions: { go: { post: /go } }\n"
      + "    responses:\n" + text.split(separator: "\n").map { "      \($0)\n" }.joined()
    let loaded = ConfigLoader.load(text: file, file: "routes.yaml")
    return try #require(loaded.table?.parts.targets["t"], "\(loaded.diagnostics)").responses
  }

  func judge(_ ambiguous: AmbiguousPolicy = .retry) throws -> DivertCore.Judgement {
    let answer = HTTPAnswer(status: status, headers: headers, body: Array(body.utf8))
    return ResponseRules.judge(
      .answered(answer), rules: try Self.rules(rules), ambiguous: ambiguous, now: Self.now, patterns: PatternCache())
  }
}

@Suite struct ResponseCaseTests {
  private static let meta = """
    - { json: { error.code: [4, 80007, 130429, 131048] }, then: throttle, wait: 1m }
    - { json: { error.code: 131056 }, then: retry, wait: { at_least: 6s } }
    - { json: { error.code: [0, 190] }, then: hold }
    - { json: { error.code: { between: [200, 299] } }, then: fail }
    - { json: { error.code: 3 }, then: fail }
    """
  private static let zoho = """
    - { status: 2xx, any: { data.*.status: error, data.*.code: [LOCKED, "TRY_LATER"] }, then: retry }
    - { status: 2xx, any: { data.*.status: { not: success } }, then: fail }
    - { status: 2xx, every: { data.*.status: success }, then: ok }
    """
  private static let salesforce = """
    - { any: { "*.errorCode": REQUEST_LIMIT_EXCEEDED }, then: throttle, wait: 15m }
    - { any: { "*.errorCode": [UNABLE_TO_LOCK_ROW, SERVER_UNAVAILABLE] }, then: retry }
    - { status: 401, json: { 0.errorCode: INVALID_SESSION_ID }, then: refresh }
    """
  private static let slack = """
    - { json: { ok: true }, then: ok }
    - { json: { error: [ratelimited, rate_limited] }, then: throttle, wait: retry_after }
    - { json: { error: [invalid_auth, token_revoked] }, then: hold }
    - { status: 2xx, then: fail }
    """
  private static let hubspot = """
    - { status: 429, json: { policyName: DAILY }, then: throttle, wait: { midnight: Asia/Kolkata } }
    - { status: 429, then: throttle, wait: { header: X-HubSpot-RateLimit-Interval-Milliseconds, unit: milliseconds } }
    - { status: 477, then: retry, wait: { header: Retry-After, at_most: 2h } }
    - { status: [423, 477], then: retry }
    """

  static let answers: [ResponseCase] = [
    .init(
      "Meta: a rate limit comes as 400", meta, 400, #"{"error":{"code":130429}}"#, gives: .throttle, wait: .minutes(1)),
    .init("Meta: the pair rate is the backoff, with a least", meta, 400, #"{"error":{"code":131056}}"#, gives: .retry),
    .init("Meta: a code as text is no number", meta, 400, #"{"error":{"code":"130429"}}"#, gives: .fail),
    .init("Meta: an expired token", meta, 400, #"{"error":{"code":190}}"#, gives: .hold),
    .init("Meta: no permission", meta, 403, #"{"error":{"code":200}}"#, gives: .fail),
    .init("Meta: a permanent 500", meta, 500, #"{"error":{"code":3}}"#, gives: .fail),
    .init("Meta: another 500", meta, 500, #"{"error":{"code":131000}}"#, gives: .retry),
    .init(
      "a permanent 500 by its text", #"- { status: 500, text: { contains: [MXInvalid, "MXDuplicate"] }, then: fail }"#,
      500, #"{"ExceptionType":"MXDuplicateEntryException"}"#, gives: .fail),
    .init(
      "a permanent 500 by its JSON", #"- { status: 500, json: { ExceptionType: { starts_with: MX } }, then: fail }"#,
      500, #"{"Status":"Error","ExceptionType":"MXInvalidInputException"}"#, gives: .fail),
    .init(
      "a 400 that may pass", #"- { status: 400, text: { contains: Queue is full }, then: retry, wait: 1m }"#, 400,
      "Queue is full.\n", gives: .retry, wait: .minutes(1)),
    .init(
      "a 200 whose text is a throttle",
      #"- { status: 200, text: { matches: "HTTP error 429" }, then: throttle, wait: { at_least: 5s } }"#, 200,
      "Microsoft Teams endpoint returned HTTP error 429 with ContextId x", gives: .throttle, wait: .seconds(5)),
    .init(
      "the whole text, blanks at its ends aside", "- { text: ok, then: ok }\n- { status: 200, then: fail }", 200,
      " ok\r\n", gives: .ok),
    .init(
      "Zoho: a record with an error", zoho, 202, #"{"data":[{"status":"success"},{"status":"error","code":"X"}]}"#,
      gives: .fail),
    .init("Zoho: an error that passes", zoho, 207, #"{"data":[{"status":"error","code":"TRY_LATER"}]}"#, gives: .retry),
    .init(
      "one item must meet all of the paths", zoho, 207,
      #"{"data":[{"status":"success","code":"LOCKED"},{"status":"error","code":"X"}]}"#, gives: .fail),
    .init("Zoho: all good", zoho, 201, #"{"data":[{"status":"success"}]}"#, gives: .ok),
    .init("no body where one was looked for", zoho, 204, gives: .ok),
    .init(
      "Salesforce: 403 that is a limit", salesforce, 403, #"[{"errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#,
      gives: .throttle,
      wait: .minutes(15)),
    .init("Salesforce: a row is locked", salesforce, 400, #"[{"errorCode":"UNABLE_TO_LOCK_ROW"}]"#, gives: .retry),
    .init(
      "Salesforce: the session is over", salesforce, 401, #"[{"errorCode":"INVALID_SESSION_ID"}]"#, gives: .refresh),
    .init("Salesforce: several matches", salesforce, 300, #"["/a","/b"]"#, gives: .fail),
    .init("Slack: 200 and false", slack, 200, #"{"ok":false,"error":"channel_not_found"}"#, gives: .fail),
    .init(
      "Slack: 200, false and a limit", slack, 200, #"{"ok":false,"error":"ratelimited"}"#,
      headers: [HTTPHeader("Retry-After", "30")], gives: .throttle, wait: .seconds(30)),
    .init("a page of HTML is no JSON", slack, 200, "<html>", gives: .fail),
    .init(
      "and meets no condition on JSON, not even a negative one", "- { json: { ok: { not: true } }, then: fail }", 200,
      "<html>", gives: .ok),
    .init(
      "a result that is false", "- { status: 2xx, json: { result: false }, then: fail }", 200, #"{"result":false}"#,
      gives: .fail),
    .init(
      "one of two messages failed", "- { any: { messages.*.status: FAILED }, then: fail }", 201,
      #"{"messages":[{"status":"SENT"},{"status":"FAILED"}]}"#, gives: .fail),
    .init(
      "lists in lists", "- { any: { results.*.errors.*.code: [7, 8] }, then: fail }", 200,
      #"{"results":[{"errors":[]},{"errors":[{"code":1},{"code":8}]}]}"#, gives: .fail),
    .init(
      "every one of the items, each with one of the values",
      "- { every: { errors.*.code: { starts_with: [A, B] } }, then: ok_duplicate }", 400,
      #"{"errors":[{"code":"A1"},{"code":"B1"}]}"#, gives: .okDuplicate),
    .init(
      "not every one", "- { every: { errors.*.code: { starts_with: [A, B] } }, then: ok_duplicate }", 400,
      #"{"errors":[{"code":"A1"},{"code":"C1"}]}"#, gives: .fail),
    .init(
      "HubSpot: the day's limit", hubspot, 429, #"{"policyName":"DAILY"}"#, gives: .throttle,
      wait: .milliseconds(8 * 3_600_000 - 25_000)),
    .init(
      "HubSpot: the window's limit", hubspot, 429, "{}",
      headers: [HTTPHeader("x-hubspot-ratelimit-interval-milliseconds", "10000")], gives: .throttle, wait: .seconds(10)),
    .init("HubSpot: locked", hubspot, 423, gives: .retry),
    .init(
      "a wait that is cut", hubspot, 477, headers: [HTTPHeader("retry-after", "86400")], gives: .retry, wait: .hours(2)),
    .init(
      "a wait that is cut, as a date", hubspot, 477,
      headers: [HTTPHeader("retry-after", "Thu, 15 Jan 2026 10:31:25 GMT")], gives: .retry, wait: .minutes(1)),
    .init("a workflow that is off", "- { status: 404, then: hold, wait: 5m }", 404, gives: .hold, wait: .minutes(5)),
    .init("a hook that is gone", "- { status: [404, 410], then: disable }", 404, gives: .disable),
    .init(
      "a content type",
      "- { status: 200, header: { Content-Type: { starts_with: [text/html, application/xhtml] } }, then: retry }",
      200, "<html>", headers: [HTTPHeader("content-type", "text/html; charset=utf-8")], gives: .retry),
    .init(
      "another content type", "- { status: 200, header: { Content-Type: { starts_with: text/html } }, then: retry }",
      200, "{}", headers: [HTTPHeader("content-type", "application/json")], gives: .ok),
    .init(
      "a header that is not there", "- { status: 200, header: { X-Request-Id: { exists: false } }, then: park }", 200,
      gives: .park),
    .init(
      "the vendor's own word that nobody knows", "- { status: 2xx, json: { state: unknown }, then: park }", 202,
      #"{"state":"unknown"}"#, gives: .park),
  ]

  @Test("what vendors answer comes out as it is meant", arguments: answers)
  func outcomes(answer: ResponseCase) throws {
    let judgement = try answer.judge()
    #expect(judgement.outcome == answer.outcome, "\(judgement.reason.sentence)")
    #expect(judgement.wait == answer.wait)
  }

  static let waits: [(source: String, headers: [HTTPHeader], body: String, wait: Span?)] = [
    ("retry_after", [HTTPHeader("retry-after", "7")], "", .seconds(7)),
    ("30s", [], "", .seconds(30)),
    ("{ header: X-Reset-After }", [HTTPHeader("x-reset-after", "1.25")], "", .milliseconds(1250)),
    ("{ header: X-Reset, unit: unix }", [HTTPHeader("x-reset", "1768473085.5")], "", .milliseconds(60_500)),
    ("{ header: X-Reset, unit: unix_ms }", [HTTPHeader("x-reset", "1768473035000")], "", .seconds(10)),
    ("{ header: X-Reset, unit: date }", [HTTPHeader("x-reset", "2026-01-15T10:31:25Z")], "", .minutes(1)),
    ("{ header: X-Reset, unit: date }", [HTTPHeader("x-reset", "Thu, 15 Jan 2026 10:30:35 GMT")], "", .seconds(10)),
    ("{ header: X-Reset, unit: date }", [HTTPHeader("x-reset", "soon")], "", nil),
    ("{ json: retry_after }", [], #"{"retry_after":0.7}"#, .milliseconds(700)),
    ("{ json: parameters.retry_after }", [], #"{"parameters":{"retry_after":"15"}}"#, .seconds(15)),
    ("{ midnight: Asia/Kolkata }", [], "", .milliseconds(8 * 3_600_000 - 25_000)),
    ("{ midnight: UTC, at_most: 1h }", [], "", .hours(1)),
    ("{ header: Retry-After, at_most: 1h }", [HTTPHeader("retry-after", "86400")], "", .hours(1)),
    ("{ header: Retry-After, unit: seconds }", [HTTPHeader("retry-after", "1.5")], "", .milliseconds(1500)),
    ("{ json: retry_after, at_least: 5s }", [], #"{"retry_after":1}"#, .seconds(5)),
    ("{ json: retry_after, at_least: 5s }", [], "", .seconds(5)),
    ("{ at_least: 5s }", [], "", .seconds(5)),
    ("{ json: retry_after }", [], "", nil),
  ]

  @Test("a wait comes from where its rule says", arguments: waits.indices)
  func wait(index: Int) throws {
    let (source, headers, body, wait) = Self.waits[index]
    let answer = ResponseCase(
      "", "- { status: 429, then: throttle, wait: \(source) }", 429, body, headers: headers, gives: .throttle)
    #expect(try answer.judge().wait == wait, "\(source)")
  }

  @Test("a least wait lengthens the backoff, and nothing else does")
  func least() throws {
    let judgement = try ResponseCase("", "- { status: 400, then: retry, wait: { at_least: 6s } }", 400, gives: .retry)
      .judge()
    #expect(judgement.wait == nil && judgement.atLeast == .seconds(6))
    var retry = RetrySettings(period: .hours(1), base: .seconds(1), cap: .seconds(10), attempts: nil)
    var random = SystemRandomNumberGenerator()
    for attempts in 1..<50 { #expect(retry.backoff(after: attempts, using: &random) <= .seconds(10)) }
    retry.least = judgement.atLeast
    let plan = PlannedDelivery(
      route: "r", send: "0", target: "t", action: "go", orderKey: nil, due: ResponseCase.now, toPerson: false)
    var delivery = Delivery(id: DeliveryID(event: EventID(sequence: 1, tag: 1), ordinal: 0), plan: plan, version: "v")
    (delivery.counted, delivery.firstAttemptAt) = (1, ResponseCase.now)
    for _ in 0..<50 {
      guard case .again(let time) = retry.decide(delivery, wait: nil, now: ResponseCase.now, using: &random) else {
        Issue.record("it was given up")
        return
      }
      #expect(ResponseCase.now + .seconds(6) <= time && time <= ResponseCase.now + .seconds(10))
    }
  }

  @Test("park is ambiguous by the target's own word, to a person or not")
  func park() throws {
    let rules = "- { status: 202, then: park, because: the gateway lost sight of it }"
    for policy in AmbiguousPolicy.allCases {
      let judgement = try ResponseCase("", rules, 202, gives: .park).judge(policy)
      #expect(judgement.outcome == .park && judgement.reason.code == "ambiguous")
      #expect(judgement.reason.sentence.hasPrefix("the gateway lost sight of it: it may have arrived"))
    }
  }
}
