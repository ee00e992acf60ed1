// DoubleTick's sending API: messages to customers, tags, custom fields, team members.

import DivertCore
import TestSupport
import Testing

@Suite(.bounded) struct DoubleTickTests {
  static let api = VendorContract(
    "doubletick", target: #"{ type: doubletick, url: "@URL@", key: "{{ secrets.key }}" }"#,
    secrets: ["key": "key_abc123"])

  private static let sent = Play.json(#"{"recipient":"919876543210","status":"SENT","messageId":"x"}"#, status: 201)
  private static func failed(_ status: Int, _ message: String) -> Play {
    .json(#"{"statusCode":\#(status),"message":\#(message),"error":"Error"}"#, status: status)
  }
  private static let text = "text: \"Sorry, {{ customer.name }}\""

  private static let known = Play.json(#"{"messageId":"x","sentAt":null,"deliveredAt":null,"failedAt":null}"#)
  /// Not after half a minute.
  private static let soon =
    "actions: { text: { verify: { get: \"/whatsapp/message/status?messageId={{ idempotency_key | uuid }}\", after: 10ms, landed: { status: 200 } } } }"

  static let messages: [VendorCase] = [
    .init(
      "a text", send: text, [sent], .delivered,
      sees: [
        "to": "+919876543210", "from": "+919000000000", "content.text": "Sorry, Rohan Mehta",
      ]),
    .init(
      "a text that could not be sent, in a 201", send: text, [.json(#"{"status":"FAILED"}"#, status: 201)],
      .dead("rule_fail")),
    .init("the window is closed", send: text, [failed(400, #"["text outside of the window"]"#)], .dead("rule_fail")),
    .init("a number that is none", send: text, [failed(422, #""bad phone""#)], .dead("rule_fail")),
    .init(
      "too many", send: text, [failed(429, #""Too Many Requests: Rate Limit Exceeded""#)], .waiting("rule_throttle"),
      wait: 29...31),
    .init(
      "too many, with a time", send: text,
      [.json("{}", status: 429, ["Retry-After: 90"])], .waiting("rule_throttle"), wait: 89...91),
    .init("the key has expired", send: text, [failed(401, #""Invalid public api key""#)], .held("rule_hold")),
    .init(
      "no answer: it is asked for, and was there", send: text, [.on("text", .close), .on("status", known)], .delivered,
      target: soon),
    .init(
      "no answer: it is asked for, was not there, and is sent once more", send: text,
      [.on("text", .close), .on("status", failed(404, #""No message found with this messageId""#)), .on("text", sent)],
      .delivered, target: soon),
    .init(
      "a gateway without an answer", send: text,
      [.on("text", .text("Bad Gateway", status: 502)), .on("status", known)], .delivered, target: soon),
    .init("not now", send: text, [.text("", status: 503)], .waiting("unavailable")),
    .init(
      "a template", send: "template: { name: emi_followup, values: [Rohan, 5] }",
      [.json(#"{"messages":[{"status":"ENQUEUED","recipient":"9","messageId":"x"}]}"#, status: 201)], .delivered,
      sees: [
        "messages.0.content.templateName": "emi_followup",
        "messages.0.content.templateData.body.placeholders": ["Rohan", "5"],
        "messages.0.content.templateData.header": .null,
      ]),
    .init(
      "a template with a picture and a button",
      send: """
        template:
            name: apology
            header: { type: IMAGE, mediaUrl: https://example.com/a.png }
            buttons: [{ type: URL, parameter: "{{ call.id }}" }]
        """, [sent], .delivered,
      sees: ["messages.0.content.templateData.buttons.0.parameter": "call_1"]),
    .init(
      "a template that failed, in a 201", send: "template: apology",
      [.json(#"{"messages":[{"status":"FAILED","errorMessage":"no such template"}]}"#, status: 201)],
      .dead("rule_fail"), because: "could not send"),
    .init("a template without an answer", send: "template: apology", [.close], .ambiguous),
    .init(
      "a template with named placeholders",
      send: "template_named: { name: apology, values: [{ name: \"{{ customer.name }}\" }, { amount: \"1,200\" }] }",
      [sent], .delivered,
      sees: ["messages.0.content.templateData.body.placeholders": [["name": "Rohan Mehta"], ["amount": "1,200"]]]),
  ]

  private static let assigned = Play.json(
    #"{"tags":{"added":["x"],"errored":[]},"customFields":{"added":[],"errored":[]},"customerId":"customer_1"}"#,
    status: 201)

  static let customers: [VendorCase] = [
    .init(
      "a tag", send: "tag: call-rejected", [assigned], .delivered,
      sees: ["phone": "919876543210", "tags": ["call-rejected"]]),
    .init(
      "a tag that was refused, in a 201", send: "tag: call-rejected",
      [.json(#"{"tags":{"added":[],"errored":[{"tag":"call-rejected","error":"no"}]}}"#, status: 201)],
      .dead("rule_fail"), because: "could not set the tag"),
    .init("a tag without an answer is set again", send: "tag: call-rejected", [.close], .waiting("connection_lost")),
    .init(
      "a custom field", send: "set_field: { field: last_reject_at, value: \"{{ at }}\" }", [assigned], .delivered,
      sees: [
        "phone": "919876543210", "customFields": [["name": "last_reject_at", "value": "2026-01-15T10:30:25.000Z"]],
      ]),
    .init(
      "a number in a custom field", send: "set_field: { field: rejects, value: \"{{ call.duration }}\" }", [assigned],
      .delivered, sees: ["customFields.0.value": "0"]),
    .init(
      "a custom field that was refused, in a 201", send: "set_field: { field: nothing, value: 1 }",
      [
        .json(
          #"{"tags":{"added":[],"errored":[]},"customFields":{"added":[],"errored":[{"customField":"nothing","error":"no"}]}}"#,
          status: 201)
      ], .dead("rule_fail"), because: "could not set the custom field"),
    .init(
      "a team member", send: "assign: \"+91 98111 11111\"", [.empty(201)], .delivered,
      sees: [
        "assignedUserPhoneNumber": "919811111111", "customerPhoneNumber": "919876543210", "wabaNumber": "919000000000",
        "reassign": true,
      ]),
    .init(
      "nobody of the team", send: "assign: \"+919811111111\"", [failed(422, #""User is not a member of the team""#)],
      .dead("rule_fail")),
  ]

  private static let field = Play.on(
    "details",
    .json(#"{"customer":{"id":"c","customFields":[{"name":"city","value":"Pune"},{"name":"stage","value":"early"}]}}"#))

  static let lookups: [VendorCase] = [
    .init(
      "a custom field by its name", send: #"text: "{{ stage.value }}""#, [field, .on("text", sent)], .delivered,
      sees: ["content.text": "early"], top: "lookups: { stage: { from: vendor.custom_field, where: { name: stage } } }"),
    .init(
      "what is known of the customer", send: #"text: "{{ profile.agent }}""#,
      [.on("details", .json(#"{"customer":{"id":"c","assignedToUser":"Priya"}}"#)), .on("text", sent)], .delivered,
      sees: ["content.text": "Priya"], top: "lookups: { profile: { from: vendor.profile } }"),
    .init(
      "a customer who is not known", send: #"text: "{{ profile.agent | default: nobody }}""#,
      [.on("details", failed(404, #""Customer not found""#)), .on("text", sent)], .delivered,
      sees: ["content.text": "nobody"], top: "lookups: { profile: { from: vendor.profile } }"),
    .init(
      "whether the window is open", send: #"text: "{{ window.open }}""#,
      [.on("window", .json(#"{"customerPhoneNumber":"9","wabaNumber":"9","isOpen":true}"#)), .on("text", sent)],
      .delivered, sees: ["content.text": "true"], top: "lookups: { window: { from: vendor.window } }"),
    .init(
      "asked for less by a lookup", send: #"text: "{{ window.open }}""#,
      [.on("window", failed(429, #""Too Many Requests: Rate Limit Exceeded""#))], .waiting("rule_throttle"),
      wait: 29...31, top: "lookups: { window: { from: vendor.window } }"),
  ]

  @Test("each answer to a question is met as documented", arguments: lookups)
  func lookup(_ one: VendorCase) async throws { try await Self.api.check(one) }

  @Test("each answer to a message is met as documented", arguments: messages)
  func message(_ one: VendorCase) async throws { try await Self.api.check(one) }

  @Test("each answer to a tag, a field, an assignment is met as documented", arguments: customers)
  func customer(_ one: VendorCase) async throws { try await Self.api.check(one) }
}
