// The no-code tools: Zapier, Pabbly Connect, Make and n8n. Each takes one flat object.

import DivertCore
import TestSupport
import Testing

@Suite("No-code tools", .bounded) struct HookTests {
  static func tool(_ name: String, _ path: String) -> VendorContract {
    VendorContract(
      name, target: "{ type: \(name), hook: \"{{ secrets.hook }}\" }",
      secrets: ["hook": "@URL@" + path, "key": "make-key", "password": "p"])
  }

  private static let flat: [String: JSONValue] = [
    "event": "CALL_REJECTED", "customer_phone": "+919876543210", "agent": "James Smith", "call_id": "call_1",
    "at": "2026-01-15T10:30:25.000Z", "call_duration": 0,
  ]

  static func answer(_ name: String, _ play: Play, _ end: DeliveryEnd, wait: ClosedRange<Double>? = nil) -> VendorCase {
    .init(name, send: "event", [play], end, wait: wait)
  }

  /// What holds for each of them.
  static func every(_ taken: Play) -> [VendorCase] {
    [
      .init("everything that is known", send: "event", [taken], .delivered, sees: flat),
      .init("a bare event", send: "event", [taken], .delivered, sees: ["agent": nil], events: AlertText.bare),
      .init(
        "the same key in each attempt", send: "event", [.close, taken], .delivered,
        target: "retry: { backoff: 1ms..2ms }", requests: { #expect($0.count == 2 && $0[0].body == $0[1].body) }),
      answer("no answer", .close, .waiting("connection_lost")),
      answer("trouble", .empty(502), .waiting("server_error")),
      answer("asked for less", .empty(429, ["Retry-After: 12"]), .waiting("rule_throttle"), wait: 11...13),
    ]
  }

  static let zapierCases =
    every(.json(#"{"attempt":"1","id":"1","request_id":"1","status":"success"}"#)) + [
      answer("silent mode", .empty(200), .delivered), answer("removed", .empty(410), .disabled("rule_disable")),
      answer("not there", .empty(404), .disabled("rule_disable")),
    ]
  @Test("Zapier's answers are met as documented", arguments: zapierCases) func zapier(_ one: VendorCase) async throws {
    try await Self.tool("zapier", "/hooks/catch/1234567/abcdef/").check(one)
  }

  static let pabblyCases =
    every(.json(#"{"status":"success","message":"Response Accepted"}"#)) + [
      answer("refused", .empty(400), .dead("rejected")), answer("not there", .empty(404), .dead("rejected")),
      answer("gone", .empty(410), .disabled("gone")), answer("not for us", .empty(401), .held("unauthorized")),
    ]
  @Test("Pabbly's answers are met", arguments: pabblyCases) func pabbly(_ one: VendorCase) async throws {
    try await Self.tool("pabbly", "/workflow/sendwebhookdata/IjU3NjYwNTY0MDYzNTA0_pc").check(one)
  }

  static let makeCases =
    every(.text("Accepted")) + [
      answer("a full queue", .text("Queue is full.", status: 400), .waiting("rule_retry"), wait: 59...61),
      answer("a body that does not validate", .text("Bad Request", status: 400), .dead("rule_fail")),
      answer(
        "no scenario", .text("There is no scenario listening for this webhook.", status: 410),
        .disabled("rule_disable")),
      answer("a wrong key", .empty(401), .held("rule_hold")),
      answer("the scenario failed", .text("Scenario failed to complete.", status: 500), .waiting("server_error")),
      .init(
        "with an API key", send: "event", [.text("Accepted")], .delivered,
        target: #"api_key: "{{ secrets.key }}""#,
        requests: { #expect($0.first?.header("x-make-apikey") == "make-key") }),
      .init(
        "without an API key", send: "event", [.text("Accepted")], .delivered,
        requests: { #expect($0.first?.header("x-make-apikey") == nil) }),
    ]
  @Test("Make's answers are met as documented", arguments: makeCases) func make(_ one: VendorCase) async throws {
    try await Self.tool("make", "/0123456789abcdefghijklmnopqrstuv").check(one)
  }

  private static let inactive =
    #"{"code":404,"message":"The requested webhook \"POST calls\" is not registered.","hint":"Activate it"}"#

  static let n8nCases =
    every(.json(#"{"message":"Workflow was started"}"#)) + [
      answer("an inactive workflow", .json(inactive, status: 404), .held("rule_hold")),
      answer("wrong credentials", .text("Authorization data is wrong!", status: 403), .held("rule_hold")),
      answer("too large", .empty(413), .dead("rule_fail")),
      .init(
        "with basic authentication", send: "event", [.empty(200)], .delivered,
        target: #"auth: { basic: { user: divert, password: "{{ secrets.password }}" } }"#,
        requests: { #expect($0.first?.header("authorization") == "Basic ZGl2ZXJ0OnA=") }),
      .init(
        "with a header", send: "event", [.empty(200)], .delivered,
        target: #"auth: { header: { X-Key: "{{ secrets.key }}" } }"#,
        requests: { #expect($0.first?.header("x-key") == "make-key") }),
    ]
  @Test("n8n's answers are met as documented", arguments: n8nCases) func n8n(_ one: VendorCase) async throws {
    try await Self.tool("n8n", "/webhook/calls-1").check(one)
  }
}
