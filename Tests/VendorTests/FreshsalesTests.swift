// Freshsales.

import DivertCore
import TestSupport
import Testing

@Suite(.bounded) struct FreshsalesTests {
  static let crm = VendorContract(
    "freshsales",
    target: #"{ type: freshsales, url: "@URL@/crm/sales/api", bundle: acme, key: "{{ secrets.key }}" }"#,
    secrets: ["key": "sfg999"])

  static let found = Play.on("lookup", .json(#"{"contacts":{"contacts":[{"id":7001,"owner_id":101}]}}"#))
  static let nobody = Play.on("lookup", .json(#"{"contacts":{"contacts":[]}}"#))
  static let logged = Play.on("log_call", .json(#"{"phone_call":{"id":201}}"#, status: 201))
  static let soon = "actions: { log_call: { verify: { after: 1ms } } }"

  static let cases: [VendorCase] = [
    .init(
      "a call", send: "log_call", [found, logged], .delivered,
      sees: [
        "phone_call.targetable.id": 7001, "phone_call.call_direction": "true",
        "phone_call.note.description": "WhatsApp call declined. Agent: James Smith. (CALL_REJECTED call_1)",
      ]),
    .init(
      "a call as a sales activity", send: "log_call",
      [found, .on("log_activity", .json(#"{"sales_activity":{"id":204}}"#, status: 201))], .delivered,
      sees: ["sales_activity.sales_activity_type_id": 3, "sales_activity.owner_id": 101], target: "activity_type_id: 3"),
    .init("nobody has the number", send: "log_call", [nobody, nobody, nobody], .dead("lookup_none")),
    .init(
      "nobody has the number, so it is made", send: "log_call",
      [nobody, nobody, nobody, .on("upsert_contact", .json(#"{"contact":{"id":7002}}"#)), logged], .delivered,
      sees: ["phone_call.targetable.id": 7002], target: "no_contact: create_contact"),
    .init(
      "asked for less", send: "note: Hello",
      [found, .on("create_note", .json("{}", status: 429, ["Retry-After: 30"]))],
      .waiting("rule_throttle"), wait: 29...31),
    .init(
      "a refused key", send: "note: Hello",
      [found, .on("create_note", .json(#"{"login":"failed","message":"no"}"#, status: 401))], .held("rule_hold")),
    .init(
      "a refused one", send: "note: Hello",
      [found, .on("create_note", .json(#"{"errors":{"code":400,"message":["no"]}}"#, status: 400))], .dead("rejected")),
    .init(
      "a duplicate", send: "note: Hello",
      [found, .on("create_note", .json(#"{"errors":{"code":3002,"message":["already"]}}"#, status: 422))], .delivered),
    .init(
      "one that arrived without an answer", send: "log_call",
      [
        found, .on("log_call", .close),
        .on("activities", .json(#"{"activities":[{"note":"… (CALL_REJECTED call_1)"}]}"#)),
      ],
      .delivered, target: soon),
    .init(
      "a note without an answer goes again", send: "note: Hello", [found, .on("create_note", .close)],
      .waiting("connection_lost")),
    .init(
      "a task without an answer goes again", send: "task", [found, .on("create_task", .close)],
      .waiting("connection_lost")),
    .init(
      "a unique value that another contact has", send: "set_field: { fields: { cf_number: \"7\" } }",
      [found, .on("update_contact", .json(#"{"errors":{"code":3002,"message":["already"]}}"#, status: 422))],
      .dead("rule_fail")),
    .init(
      "a field without an answer is set again", send: "set_field: { fields: { cf_risk: High } }",
      [found, .on("update_contact", .close)], .waiting("connection_lost")),
    .init(
      "a contact alone", send: "create_contact", [.on("upsert_contact", .json(#"{"contact":{"id":7002}}"#))],
      .delivered,
      sees: ["unique_identifier": ["mobile_number": "+919876543210"]]),
    .init(
      "a failure in a 200", send: "note: Hello", [found, .on("create_note", .json(#"{"errors":{"code":400}}"#))],
      .dead("rule_fail")),
    .init(
      "one that did not arrive", send: "log_call",
      [found, .on("log_call", .close), .on("activities", .json(#"{"activities":[]}"#)), logged], .delivered,
      target: soon),
    .init(
      "a task for somebody", send: "task: { owner: priya@example.com }",
      [
        found,
        .on("owners", .json(#"{"users":[{"id":1,"email":"a@example.com"},{"id":2,"email":"priya@example.com"}]}"#)),
        .on("create_task", .json(#"{"task":{"id":203}}"#, status: 201)),
      ], .delivered, sees: ["task.owner_id": 2]),
    .init(
      "a field", send: "set_field: { fields: { cf_risk: High } }",
      [found, .on("update_contact", .json(#"{"contact":{"id":7001}}"#))], .delivered,
      sees: ["contact.custom_field": ["cf_risk": "High"]]),
  ]
  @Test("each answer is met as documented", arguments: cases) func contract(_ one: VendorCase) async throws {
    try await Self.crm.check(one)
  }
}
