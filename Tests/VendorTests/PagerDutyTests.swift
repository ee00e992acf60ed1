// PagerDuty's Events API v2.

import DivertCore
import TestSupport
import Testing

@Suite("PagerDuty", .bounded) struct PagerDutyTests {
  static let service = VendorContract(
    "pagerduty", target: #"{ type: pagerduty, url: "@URL@", key: "{{ secrets.key }}" }"#,
    secrets: ["key": "0123456789abcdef0123456789abcdef"])

  private static let taken = Play.json(
    #"{"status":"success","message":"Event processed","dedup_key":"divert/call_1"}"#, status: 202)

  static let cases: [VendorCase] = [
    .init(
      "an incident", send: "trigger: Nobody called back", [taken], .delivered,
      sees: [
        "routing_key": "0123456789abcdef0123456789abcdef", "event_action": "trigger", "dedup_key": "divert/call_1",
        "payload.summary": "Nobody called back", "payload.severity": "error",
        "payload.timestamp": "2026-01-15T10:30:25.000Z", "payload.custom_details.customer_phone": "+91******3210",
        "payload.custom_details.agent": "James Smith",
      ]),
    .init(
      "no text", send: "trigger", [taken], .delivered,
      sees: ["payload.summary": "CALL_REJECTED INCOMING: James Smith, customer R. M. (+91******3210)"]),
    .init("a bare event", send: "trigger", [taken], .delivered, events: AlertText.bare),
    .init(
      "a long text is cut", send: #"trigger: { summary: "{{ raw.long }}", severity: critical, group: emi }"#, [taken],
      .delivered, sees: ["payload.severity": "critical", "payload.group": "emi"],
      events: [["long": .string(String(repeating: "x", count: 2000))]]),
    .init(
      "resolved", send: "resolve", [taken], .delivered,
      sees: ["event_action": "resolve", "dedup_key": "divert/call_1", "payload": nil]),
    .init(
      "acknowledged under a key of one's own", send: #"acknowledge: "customer {{ customer.id }}""#, [taken], .delivered,
      sees: ["event_action": "acknowledge", "dedup_key": "customer customer_pvgpZUh3wg"]),
    .init(
      "asked for less", send: "trigger: Hi", [.text("Request Limit Exceeded", status: 429)], .waiting("rule_throttle"),
      wait: 29...31),
    .init(
      "refused", send: "trigger: Hi",
      [.json(#"{"status":"invalid event","message":"Event object is invalid","errors":["…"]}"#, status: 400)],
      .dead("rule_fail")),
    .init("an unknown key", send: "trigger: Hi", [.empty(403)], .held("rule_hold")),
    .init("trouble", send: "trigger: Hi", [.empty(500)], .waiting("server_error")),
    .init(
      "no answer: the same incident again", send: "trigger: Hi", [.close, taken], .delivered,
      target: "retry: { backoff: 1ms..2ms }", requests: { #expect($0.count == 2 && $0[0].body == $0[1].body) }),
  ]
  @Test("each answer is met as documented", arguments: cases) func contract(_ one: VendorCase) async throws {
    try await Self.service.check(one)
  }
}
