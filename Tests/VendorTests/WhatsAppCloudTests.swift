// The WhatsApp Cloud API: its limits come as 400, and some lasting refusals as 500.

import DivertCore
import TestSupport
import Testing

@Suite(.bounded) struct WhatsAppCloudTests {
  static let api = VendorContract(
    "whatsapp_cloud",
    target: #"{ type: whatsapp_cloud, url: "@URL@", token: "{{ secrets.token }}", phone_number_id: 106540352242922 }"#,
    secrets: ["token": "EAAabc123"])

  private static let accepted = Play.json(
    #"{"messaging_product":"whatsapp","contacts":[{"input":"9","wa_id":"9"}],"messages":[{"id":"wamid.1"}]}"#)
  /// Some of Meta's answers name a time.
  private static func error(_ code: Int, _ status: Int = 400) -> Play {
    .json(
      #"{"error":{"message":"(#\#(code)) x","type":"OAuthException","code":\#(code),"error_data":{"details":"x"}}}"#,
      status: status, code == 130429 ? ["Retry-After: 600"] : [])
  }
  private static let text = "text: \"Sorry, {{ customer.name }}\""

  static let messages: [VendorCase] = [
    .init(
      "a text", send: text, [accepted], .delivered,
      sees: ["to": "919876543210", "type": "text", "text.body": "Sorry, Rohan Mehta", "text.preview_url": false]),
    .init(
      "a template", send: "template: { name: emi_followup, language: hi, values: [\"{{ customer.name }}\", 5] }",
      [accepted], .delivered,
      sees: [
        "template.language.code": "hi",
        "template.components": [
          ["parameters": [["text": "Rohan Mehta", "type": "text"], ["text": "5", "type": "text"]], "type": "body"]
        ],
      ]),
    .init(
      "a template without values", send: "template: hello_world", [accepted], .delivered,
      sees: ["template.components": .null]),
    .init("no answer", send: text, [.close], .ambiguous),
    .init("an answer of a gateway", send: "template: hello_world", [.text("", status: 504)], .ambiguous),
    .init(
      "a template that Meta has paused", send: "template: hello_world",
      [.json(#"{"messages":[{"id":"wamid.1","message_status":"paused"}]}"#)], .ambiguous, because: "paused"),
    .init(
      "held for its quality is accepted", send: "template: hello_world",
      [.json(#"{"messages":[{"id":"wamid.1","message_status":"held_for_quality_assessment"}]}"#)], .delivered),
  ]

  /// Code, HTTP status, end, and how long it waits.
  static let codes: [(Int, Int, DeliveryEnd, ClosedRange<Double>?)] =
    [
      (0, 401, .held("rule_hold"), nil), (190, 401, .held("rule_hold"), nil), (190, 400, .held("rule_hold"), nil),
      (4, 400, .waiting("rule_throttle"), 299...301), (80007, 400, .waiting("rule_throttle"), 299...301),
      (130429, 400, .waiting("rule_throttle"), 599...601), (131056, 400, .waiting("rule_retry"), 5.5...3601),
      (131048, 400, .held("rule_hold"), nil), (368, 403, .held("rule_hold"), nil),
      (131031, 403, .held("rule_hold"), nil), (131042, 400, .held("rule_hold"), nil),
      (3, 500, .dead("rule_fail"), nil), (10, 403, .dead("rule_fail"), nil), (200, 403, .dead("rule_fail"), nil),
      (299, 403, .dead("rule_fail"), nil), (131005, 403, .dead("rule_fail"), nil),
    ]
    + [1, 2, 131000, 131016, 131057].map { ($0, $0 == 1 ? 400 : 500, .waiting("rule_retry"), 29.5...3601) }
    + [
      131049, 130472, 131047, 100, 131008, 131009, 131021, 131051, 33, 131026, 132000, 132001, 132005, 132007, 132012,
      132015,
    ]
    .map { ($0, $0 == 132001 ? 404 : 400, .dead("rule_fail"), nil) }

  @Test("each answer is met as documented", arguments: messages)
  func message(_ one: VendorCase) async throws { try await Self.api.check(one) }

  @Test("each error is known by its code, whatever its status", arguments: codes.indices)
  func code(_ index: Int) async throws {
    let (code, status, end, wait) = Self.codes[index]
    try await Self.api.check(.init("error \(code)", send: Self.text, [Self.error(code, status)], end, wait: wait))
  }
}
