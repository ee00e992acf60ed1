// An answer to a batch, taken apart: as vendors' answers look, by place and by key, whole refusals and missing results.

import Testing

@testable import DivertCore

@Suite struct BatchVerdictTests {
  private func definition(_ results: [String], each: [ResponseRule] = []) -> BatchDefinition {
    var batch = BatchDefinition(most: 100, wait: .zero, body: .literal(.null), results: results)
    batch.each = each
    return batch
  }

  private func rule(_ path: String, _ value: String, _ outcome: AttemptOutcome) -> ResponseRule {
    let condition = ResponseCondition.json([path], .isOneOf([.string(value)]))
    return ResponseRule(conditions: [condition], then: outcome, wait: nil, because: nil)
  }

  private func verdicts(
    _ batch: BatchDefinition, _ whole: AttemptOutcome, status: Int = 200, _ body: String, keys: [String?],
    ambiguous: AmbiguousPolicy = .retry
  ) -> [String] {
    let answer = ExchangeResult.answered(HTTPAnswer(status: status, body: Array(body.utf8)))
    let results = ResponseRules.judge(
      items: keys, of: batch, whole: Judgement(whole, Reason("whole", "the whole")), answer, ambiguous: ambiguous,
      now: Timestamp(milliseconds: 0), patterns: PatternCache())
    return results.map { result in
      switch result.verdict {
      case .judged(let judgement): "\(judgement.outcome.rawValue) \(judgement.reason.code)"
      case .apart: "apart"
      }
    }
  }

  private let three: [String?] = [nil, nil, nil]

  @Test("results by place: each its own, good where no rule says otherwise")
  func places() {
    let batch = definition(["data"], each: [rule("code", "DUPLICATE", .okDuplicate), rule("status", "error", .fail)])
    let body = #"{"data":[{"status":"success"},{"status":"error","code":"X"},{"status":"error","code":"DUPLICATE"}]}"#
    #expect(
      verdicts(batch, .ok, body, keys: three) == ["ok accepted", "fail rule_fail", "ok_duplicate rule_ok_duplicate"])
  }

  @Test("the answer itself may be the list")
  func root() {
    let body = #"[{"success":true},{"success":true},{"success":true}]"#
    #expect(verdicts(definition([]), .ok, body, keys: three) == ["ok accepted", "ok accepted", "ok accepted"])
  }

  @Test(
    "as many results as items are needed where they are found by place; else every item is ambiguous",
    arguments: [#"{"data":[{},{}]}"#, #"{"data":[]}"#, "{}", "", "not JSON", #"{"data":[{},{},{},{}]}"#])
  func missing(body: String) {
    let retried = verdicts(definition(["data"]), .ok, body, keys: three)
    #expect(retried == Array(repeating: "retry result_missing", count: 3))
    let parked = verdicts(definition(["data"]), .ok, body, keys: three, ambiguous: .park)
    #expect(parked == Array(repeating: "park ambiguous", count: 3))
  }

  @Test("results by key, in any order, with a list of errors of their own")
  func keys() {
    var batch = definition(["results"])
    batch.errors = ["errors"]
    batch.match = .init(item: ["id"], result: ["trace"], error: ["context", "trace", "*"])
    let body = #"{"results":[{"trace":"c"},{"trace":"a"}],"errors":[{"context":{"trace":["b"]}}]}"#
    let found = verdicts(batch, .ok, status: 207, body, keys: ["a", "b", "c", "d"])
    #expect(found == ["ok accepted", "fail rejected", "ok accepted", "retry result_missing"])
  }

  @Test("two items with one key cannot be told apart: both are ambiguous")
  func twice() {
    var batch = definition(["results"])
    batch.match = .init(item: ["id"], result: ["id"])
    let found = verdicts(batch, .ok, #"{"results":[{"id":"a"}]}"#, keys: ["a", "a", nil])
    #expect(found == Array(repeating: "retry result_missing", count: 3))
  }

  @Test("a whole refusal takes the items apart; a lone one is refused")
  func refused() {
    let batch = definition(["data"])
    #expect(verdicts(batch, .fail, status: 400, "{}", keys: three) == ["apart", "apart", "apart"])
    #expect(verdicts(batch, .fail, status: 400, "{}", keys: [nil]) == ["fail whole"])
    #expect(verdicts(batch, .throttle, status: 429, "{}", keys: three) == Array(repeating: "throttle whole", count: 3))
  }

  @Test("in an answer that is no success a result counts only where a rule knows it")
  func explicit() {
    let rules = [rule("status", "success", .ok), rule("status", "error", .fail)]
    let batch = definition(["data"], each: rules)
    let body = #"{"data":[{"status":"success"},{"status":"error"},{"status":"?"}]}"#
    #expect(verdicts(batch, .fail, status: 400, body, keys: three) == ["ok rule_ok", "fail rule_fail", "apart"])
    // An array of errors of one item is no result of it.
    #expect(verdicts(definition([]), .fail, status: 400, #"[{"errorCode":"X"}]"#, keys: [nil]) == ["fail whole"])
  }

  @Test("no answer is the same for all")
  func lost() {
    let failure = ExchangeFailure(requestSent: true, reason: Reason("timeout", "no answer"))
    let whole = Judgement(.park, Reason("ambiguous", "no answer"))
    let results = ResponseRules.judge(
      items: three, of: definition([]), whole: whole, .failed(failure), ambiguous: .park,
      now: Timestamp(milliseconds: 0), patterns: PatternCache())
    #expect(results.allSatisfy { $0.verdict == .judged(whole) && $0.part == nil })
  }

  // MARK: Quotas

  @Test("an answer whose quota is used up says until when, by header, JSON, or a fixed time")
  func quota() {
    let now = Timestamp(milliseconds: 1_000_000)
    let rules = [
      QuotaRule(remaining: .header("x-remaining"), reset: .header("x-reset", .seconds)),
      QuotaRule(remaining: .json(["left"]), below: 5, reset: .fixed(.minutes(2))),
    ]
    func rest(_ headers: [HTTPHeader], _ body: String = "") -> Timestamp? {
      ResponseRules.rest(
        HTTPAnswer(status: 200, headers: headers, body: Array(body.utf8)), rules: rules, now: now,
        patterns: PatternCache())
    }
    #expect(rest([HTTPHeader("X-Remaining", "1"), HTTPHeader("X-Reset", "7")]) == nil)
    #expect(rest([HTTPHeader("X-Remaining", "0"), HTTPHeader("X-Reset", "7")]) == now + .seconds(7))
    #expect(rest([HTTPHeader("X-Remaining", "0")]) == now + .minutes(1))
    #expect(rest([HTTPHeader("X-Remaining", "many")]) == nil)
    #expect(rest([], #"{"left":5}"#) == now + .minutes(2))
    #expect(rest([], #"{"left":6}"#) == nil)
  }
}
