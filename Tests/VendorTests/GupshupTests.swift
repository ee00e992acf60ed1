// Gupshup: forms with JSON in one of their fields.

import DivertCore
import TestSupport
import Testing

@Suite(.bounded) struct GupshupTests {
  static let api = VendorContract(
    "gupshup", target: #"{ type: gupshup, url: "@URL@", key: "{{ secrets.key }}", app: CollectionsApp }"#,
    secrets: ["key": "sk_abc123"])

  private static let submitted = Play.json(#"{"status":"submitted","messageId":"x"}"#, status: 202)
  private static let text = #"text: "Sorry \"{{ customer.name }}\" & co""#

  static let cases: [VendorCase] = [
    .init(
      "a text", send: text, [submitted], .delivered,
      sees: [
        "source": "919000000000", "destination": "919876543210",
        "message": #"{"type":"text","text":"Sorry \"Rohan Mehta\" & co"}"#,
      ]),
    .init(
      "a template",
      send: "template: { id: c6aecef6-bcb0-4fb1-8100-28c094e3bc6b, values: [\"{{ customer.name }}\", 5] }",
      [submitted], .delivered,
      sees: ["template": #"{"id":"c6aecef6-bcb0-4fb1-8100-28c094e3bc6b","params":["Rohan Mehta","5"]}"#]),
    .init(
      "a number of its own", send: text, [submitted], .delivered, sees: ["source": "918000000000"],
      target: "from: \"+91 80000 00000\""),
    .init(
      "a refusal in a 200", send: text, [.json(#"{"status":"error","message":"Invalid Destination"}"#)],
      .dead("rule_fail")),
    .init(
      "a request that is wrong", send: text,
      [.json(#"{"status":"error","message":"Invalid App Details"}"#, status: 400)], .dead("rule_fail")),
    .init(
      "too many", send: text,
      [.json(#"{"status":"error","message":"Too Many Requests"}"#, status: 429, ["Retry-After: 600"])],
      .waiting("rule_throttle"), wait: 599...601),
    .init(
      "the key is refused", send: text, [.json(#"{"status":"error","message":"Authentication Failed"}"#, status: 401)],
      .held("rule_hold")),
    .init("no answer", send: text, [.close], .ambiguous),
    .init("a template without an answer", send: "template: x", [.text("", status: 502)], .ambiguous),
    .init(
      "a text that is too long never leaves", send: "text: \"\(String(repeating: "x", count: 4097))\"", [],
      .dead("too_long")),
  ]

  @Test("each answer is met as documented", arguments: cases)
  func contract(_ one: VendorCase) async throws { try await Self.api.check(one) }
}
