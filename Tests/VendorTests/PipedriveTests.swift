// Pipedrive.

import DivertCore
import TestSupport
import Testing

@Suite(.bounded) struct PipedriveTests {
  static let crm = VendorContract(
    "pipedrive", target: #"{ type: pipedrive, url: "@URL@/api", token: "{{ secrets.token }}" }"#,
    secrets: ["token": "0123abcd"])

  static let found = Play.on(
    "search", .json(#"{"success":true,"data":{"items":[{"result_score":1,"item":{"id":17,"owner":{"id":2}}}]}}"#))
  static let nobody = Play.on("search", .json(#"{"success":true,"data":{"items":[]}}"#))
  static let logged = Play.on("create_activity", .json(#"{"success":true,"data":{"id":301}}"#, status: 201))
  static let soon = "actions: { log_call: { verify: { after: 1ms } }, task: { verify: { after: 1ms } } }"

  static let cases: [VendorCase] = [
    .init(
      "a call", send: "log_call", [found, logged], .delivered,
      sees: [
        "participants.0.person_id": 17, "owner_id": 2, "done": true, "due_date": "2026-01-15", "due_time": "10:30",
        "note": "Agent: James Smith. Customer: Rohan Mehta. (CALL_REJECTED call_1)",
      ]),
    .init("nobody has the number", send: "log_call", [nobody, nobody, nobody], .dead("lookup_none")),
    .init(
      "nobody has the number, so it is made", send: "log_call",
      [
        nobody, nobody, nobody, .on("create_person", .json(#"{"success":true,"data":{"id":18}}"#, status: 201)), logged,
      ],
      .delivered, sees: ["participants.0.person_id": 18, "owner_id": .null], target: "no_contact: create_contact"),
    .init(
      "asked for less", send: "note: Hello",
      [found, .on("create_note", .json(#"{"success":false}"#, status: 429, ["x-ratelimit-reset: 20"]))],
      .waiting("rule_throttle"), wait: 19...21),
    .init(
      "a refused token", send: "note: Hello",
      [found, .on("create_note", .json(#"{"success":false,"error":"unauthorized access"}"#, status: 401))],
      .held("rule_refresh")),
    .init(
      "shut out", send: "note: Hello",
      [
        found,
        .on(
          "create_note", Play(answer: .status(403, headers: ["Content-Type: text/html"], body: Array("<html>".utf8)))),
      ], .held("rule_hold")),
    .init(
      "a success that is none", send: "note: Hello",
      [found, .on("create_note", .json(#"{"success":false,"error":"no","data":null}"#))], .dead("rule_fail")),
    .init(
      "a refused one", send: "note: Hello",
      [found, .on("create_note", .json(#"{"success":false,"code":"ERR_SCHEMA_VALIDATION_FAILED"}"#, status: 400))],
      .dead("rejected")),
    .init(
      "one that arrived without an answer", send: "log_call",
      [
        found, .on("create_activity", .close),
        .on(
          "list_activities", .json(#"{"success":true,"data":[{"id":301,"note":"Agent: … (CALL_REJECTED call_1)"}]}"#)),
      ], .delivered, target: soon),
    .init(
      "a task that did not arrive", send: "task",
      [
        found, .on("create_activity", .close), .on("list_activities", .json(#"{"success":true,"data":[]}"#)), logged,
      ], .delivered, target: soon),
    .init(
      "a note without an answer goes again", send: "note: Hello", [found, .on("create_note", .close)],
      .waiting("connection_lost")),
    .init(
      "a field without an answer is set again",
      send: "set_field: { fields: { d4de1c1518b4531717c676029a45911c340390a6: high } }",
      [found, .on("update_person", .close)], .waiting("connection_lost")),
    .init(
      "asked for less, with a time", send: "note: Hello",
      [
        found,
        .on("create_note", .json(#"{"success":false}"#, status: 429, ["Retry-After: 30", "x-ratelimit-reset: 2"])),
      ],
      .waiting("rule_throttle"), wait: 29...31),
    .init(
      "a feature that the plan does not have", send: "note: Hello",
      [found, .on("create_note", .json(#"{"success":false,"code":"feature_capping_x"}"#, status: 403))],
      .dead("forbidden")),
    .init(
      "an account that is not paid", send: "note: Hello",
      [found, .on("create_note", .json(#"{"success":false}"#, status: 402))], .held("rule_hold")),
    .init(
      "a person alone", send: "create_contact",
      [.on("create_person", .json(#"{"success":true,"data":{"id":18}}"#, status: 201))], .delivered,
      sees: ["name": "Rohan Mehta"]),
    .init(
      "one that did not arrive", send: "log_call",
      [
        found, .on("create_activity", .close),
        .on("list_activities", .json(#"{"success":true,"data":[{"id":300,"note":"(CALL_MISSED call_1)"}]}"#)), logged,
      ], .delivered, target: soon),
    .init(
      "a task for somebody", send: "task: { owner: priya@example.com }",
      [found, .on("find_user", .json(#"{"success":true,"data":[{"id":5,"email":"priya@example.com"}]}"#)), logged],
      .delivered,
      sees: ["owner_id": 5, "type": "task", "done": false]),
    .init(
      "a field", send: "set_field: { fields: { d4de1c1518b4531717c676029a45911c340390a6: high } }",
      [found, .on("update_person", .json(#"{"success":true,"data":{"id":17}}"#))], .delivered,
      sees: ["custom_fields": ["d4de1c1518b4531717c676029a45911c340390a6": "high"]]),
  ]
  @Test("each answer is met as documented", arguments: cases) func contract(_ one: VendorCase) async throws {
    try await Self.crm.check(one)
  }
}
