// LeadSquared.

import DivertCore
import TestSupport
import Testing

@Suite(.bounded) struct LeadSquaredTests {
  static let crm = VendorContract(
    "leadsquared",
    target: """
      type: leadsquared
      url: "@URL@/v2"
      access_key: "{{ secrets.access }}"
      secret_key: "{{ secrets.secret }}"
      activity: 201
      """,
    secrets: ["access": "u$r0123", "secret": "abcdef"])

  static let lead = "2bf6a491-c144-4ac9-90f9-f52b6fc44413"
  static let found = Play.on(
    "find_lead", .json(#"[{"ProspectID":"\#(lead)","OwnerId":"1","OwnerIdEmailAddress":"asha@example.com"}]"#))
  static let nobody = Play.on("find_lead", .json("[]"))
  static let logged = Play.on("post_activity", .json(saved))
  static let saved = #"{"Status":"Success","Message":{"Id":"\#(lead)","AffectedRows":1}}"#
  static let soon = "actions: { log_call: { verify: { after: 1ms } } }"

  static func exception(_ operation: String, _ type: String) -> Play {
    .on(
      operation,
      .json(#"{"Status":"Error","ExceptionType":"\#(type)","ExceptionMessage":"no"}"#, status: 500))
  }

  static let cases: [VendorCase] = [
    .init(
      "a call", send: "log_call", [found, logged], .delivered,
      sees: [
        "RelatedProspectId": .string(lead), "ActivityEvent": 201, "ActivityDateTime": "2026-01-15 10:30:25",
        "ActivityNote": "WhatsApp call declined. Agent: James Smith. (CALL_REJECTED call_1)",
      ]),
    .init("nobody has the number", send: "log_call", [nobody, nobody, nobody], .dead("lookup_none")),
    .init(
      "nobody has the number, so it is made", send: "log_call",
      [nobody, nobody, nobody, .on("create_lead", .json(saved)), logged], .delivered,
      target: "no_contact: create_contact"),
    .init(
      "asked for less", send: "log_call",
      [found, .on("post_activity", .text("API calls exceeded the limit of 25 in 5 second(s)", status: 429))],
      .waiting("rule_throttle"), wait: 4...6),
    .init(
      "refused keys", send: "note: Hello", [found, .on("create_note", .json(#"{"Status":"Error"}"#, status: 401))],
      .held("rule_hold")),
    .init(
      "a 500 for good", send: "note: Hello", [found, exception("create_note", "MXInvalidInputException")],
      .dead("rule_fail")),
    .init(
      "a duplicate", send: "note: Hello", [found, exception("create_note", "MXDuplicateEntryException")], .delivered),
    .init(
      "a 500 that passes", send: "set_field: { name: mx_Risk, value: High }",
      [found, .on("update_lead", .text("Internal Server Error", status: 500))], .waiting("server_error")),
    .init(
      "one that arrived without an answer", send: "log_call",
      [
        found, .on("post_activity", .close),
        .on(
          "list_activities",
          .json(#"{"ProspectActivities":[{"ActivityNote":"WhatsApp call declined. (CALL_REJECTED call_1)"}]}"#)),
      ], .delivered, target: soon),
    .init(
      "another event of the same call is no proof", send: "log_call: { text: Declined }",
      [
        found, .on("post_activity", .close),
        .on("list_activities", .json(#"{"ProspectActivities":[{"ActivityNote":"(CALL_INCOMING_INITIATED call_1)"}]}"#)),
        logged,
      ], .delivered, sees: ["ActivityNote": "Declined (CALL_REJECTED call_1)"], target: soon),
    .init(
      "a note without an answer goes again", send: "note: Hello", [found, .on("create_note", .close)],
      .waiting("connection_lost")),
    .init(
      "a task without an answer goes again", send: "task", [found, .on("create_task", .close)],
      .waiting("connection_lost")),
    .init(
      "a unique value that another lead has", send: "set_field: { name: mx_Number, value: \"7\" }",
      [found, exception("update_lead", "MXDuplicateEntryException")], .dead("rule_fail")),
    .init(
      "a field without an answer is set again", send: "set_field: { name: mx_Risk, value: High }",
      [found, .on("update_lead", .close)], .waiting("connection_lost")),
    .init("a contact alone", send: "create_contact", [.on("create_lead", .json(saved))], .delivered),
    .init(
      "an error in a 200", send: "note: Hello", [found, .on("create_note", .json(#"{"Status":"Error"}"#))],
      .dead("rule_fail")),
    .init(
      "one that did not arrive", send: "log_call",
      [
        found, .on("post_activity", .close),
        .on("list_activities", .json(#"{"RecordCount":0,"ProspectActivities":[]}"#)), logged,
      ], .delivered, target: soon),
    .init(
      "a task for the lead's owner", send: "task", [found, .on("create_task", .json(saved))], .delivered,
      sees: ["OwnerEmailAddress": "asha@example.com", "RelatedEntityId": .string(lead)]),
    .init(
      "a task for somebody", send: "task: { owner: priya@example.com }", [found, .on("create_task", .json(saved))],
      .delivered, sees: ["OwnerEmailAddress": "priya@example.com"]),
    .init(
      "a field", send: "set_field: { name: mx_Risk, value: High }", [found, .on("update_lead", .json(saved))],
      .delivered,
      sees: ["0": ["Attribute": "mx_Risk", "Value": "High"]]),
  ]
  static let batches: [VendorCase] = [
    .init(
      "calls in one request", send: "log_call",
      [
        found,
        .on(
          "post_activities", .json(#"{"Response":[{"RowNumber":1,"ActivityCreated":true,"ProspectActivityId":"6e"}]}"#)),
      ], .delivered, sees: ["0.RelatedProspectId": .string(lead)], target: "batch_wait: 10ms"),
    .init(
      "an activity that is refused", send: "log_call",
      [
        found,
        .on(
          "post_activities", .json(#"{"Response":[{"RowNumber":1,"ActivityCreated":false,"ExceptionMessage":"no"}]}"#)),
      ], .dead("rule_fail"), target: "batch_wait: 10ms"),
  ]
  @Test("each answer is met as documented", arguments: cases + batches) func contract(_ one: VendorCase) async throws {
    try await Self.crm.check(one)
  }
}
