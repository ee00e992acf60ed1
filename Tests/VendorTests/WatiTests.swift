// WATI: refusals come as 200.

import DivertCore
import TestSupport
import Testing

@Suite(.bounded) struct WatiTests {
  static let api = VendorContract(
    "wati", target: #"{ type: wati, endpoint: "@URL@/12345", token: "{{ secrets.token }}" }"#,
    secrets: ["token": "eyJhbGci"])

  private static let text = "text: \"Sorry & hello, {{ customer.name }}\""

  static let cases: [VendorCase] = [
    .init(
      "a text", send: text, [.on("text", .json(#"{"ok":true,"result":"success","message":{}}"#))], .delivered,
      requests: {
        #expect(
          $0.map(\.path) == [
            "/12345/api/v1/sendSessionMessage/919876543210?messageText=Sorry%20%26%20hello%2C%20Rohan%20Mehta"
          ])
      }),
    .init(
      "the window is closed, in a 200", send: text, [.json(#"{"result":false,"info":"Ticket has been expired."}"#)],
      .dead("rule_fail")),
    .init("another refusal in a 200", send: text, [.json(#"{"ok":false,"result":"error"}"#)], .dead("rule_fail")),
    .init(
      "a template", send: "template: { name: emi_followup, values: { name: \"{{ customer.name }}\", amount: 1200 } }",
      [.on("template", .json(#"{"result":true,"error":null}"#))], .delivered,
      sees: [
        "template_name": "emi_followup", "broadcast_name": "divert",
        "parameters": [["name": "name", "value": "Rohan Mehta"], ["name": "amount", "value": "1200"]],
      ]),
    .init(
      "a template without values", send: "template: hello", [.json(#"{"result":true}"#)], .delivered,
      sees: ["parameters": []]),
    .init(
      "a template that is refused, in a 200", send: "template: hello",
      [.json(#"{"result":false,"info":"no such template"}"#)], .dead("rule_fail")),
    .init(
      "too many", send: text, [.text("", status: 429, ["Retry-After: 600"])], .waiting("rule_throttle"), wait: 599...601
    ),
    .init("the token has expired", send: text, [.empty(401)], .held("rule_hold")),
    .init("the token may not", send: text, [.empty(403)], .held("rule_hold")),
    .init("a request that is wrong", send: text, [.json("{}", status: 400)], .dead("rejected")),
    .init("no answer", send: text, [.close], .ambiguous),
    .init(
      "a text that is too long never leaves", send: "text: \"\(String(repeating: "x", count: 4097))\"", [],
      .dead("too_long")),
    .init("a template without an answer", send: "template: hello", [.text("", status: 500)], .ambiguous),
  ]

  @Test("each answer is met as documented", arguments: cases)
  func contract(_ one: VendorCase) async throws { try await Self.api.check(one) }
}
