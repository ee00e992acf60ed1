// Zoho CRM.

import DivertCore
import TestSupport
import Testing

@Suite(.bounded) struct ZohoTests {
  static let crm = VendorContract(
    "zoho",
    target: """
      type: zoho
      url: "@URL@"
      client_id: "{{ secrets.id }}"
      client_secret: "{{ secrets.secret }}"
      refresh_token: "{{ secrets.refresh }}"
      auth: { oauth2: { token_url: "@URL@/oauth/v2/token", network: private, base_url: null } }
      """,
    secrets: ["id": "1000.ABC", "secret": "abcdef", "refresh": "1000.def"])

  static let token = Play.on(
    "token", .json(#"{"access_token":"1000.t1","token_type":"Bearer","expires_in":3600}"#))
  static let found = Play.on("search", .json(#"{"data":[{"id":"524157","Owner":{"id":"411"}}],"info":{"count":1}}"#))
  static let nobody = Play.on("search", .empty(204))
  static let soon = "actions: { log_call: { verify: { after: 1ms } }, task: { verify: { after: 1ms } } }"

  static func saved(_ operation: String, status: Int = 201) -> Play {
    .on(
      operation,
      .json(
        #"{"data":[{"code":"SUCCESS","details":{"id":"600"},"message":"record added","status":"success"}]}"#,
        status: status))
  }

  static func refused(_ operation: String, _ code: String, status: Int) -> Play {
    .on(operation, .json(#"{"data":[{"code":"\#(code)","details":{},"status":"error"}]}"#, status: status))
  }

  static func fault(_ operation: String, _ code: String, status: Int) -> Play {
    .on(operation, .json(#"{"code":"\#(code)","details":{},"message":"","status":"error"}"#, status: status))
  }

  static let cases: [VendorCase] = [
    .init(
      "a call", send: "log_call", [token, found, saved("create_calls")], .delivered,
      sees: [
        "data.0.Call_Type": "Inbound", "data.0.Call_Start_Time": "2026-01-15T16:00:25+05:30",
        "data.0.Who_Id": ["id": "524157"], "data.0.Owner": ["id": "411"], "trigger": ["workflow"],
      ]),
    .init("nobody has the number", send: "log_call", [token, nobody, nobody, nobody], .dead("lookup_none")),
    .init(
      "nobody has the number, so it is made", send: "log_call",
      [token, nobody, nobody, nobody, saved("create_contact"), saved("create_calls")], .delivered,
      sees: ["data.0.Who_Id": ["id": "600"], "data.0.Owner": .null], target: "no_contact: create_contact"),
    .init(
      "a lead", send: "log_call", [token, found, saved("create_calls")], .delivered,
      sees: ["data.0.What_Id": ["id": "524157"], "data.0.Who_Id": .null, "data.0.$se_module": "Leads"],
      target: "module: Leads"),
    .init(
      "a call by a field of its own", send: "log_call", [token, found, saved("create_calls", status: 200)], .delivered,
      sees: ["data.0.DT_Call_ID": "call_1", "duplicate_check_fields": ["DT_Call_ID"]],
      target: "call_id_field: DT_Call_ID"),
    .init(
      "asked for less", send: "log_call", [token, found, fault("create_calls", "TOO_MANY_REQUESTS", status: 429)],
      .waiting("rule_throttle"), wait: 29...31),
    .init(
      "an expired token", send: "note: Hello",
      [token, found, fault("create_note", "INVALID_TOKEN", status: 401), token, saved("create_note")], .delivered),
    .init(
      "a scope that is missing", send: "note: Hello",
      [token, found, fault("create_note", "OAUTH_SCOPE_MISMATCH", status: 401)], .dead("rule_fail"),
      because: "lacks a scope"),
    .init(
      "an error inside a 202", send: "log_call",
      [token, found, refused("create_calls", "MANDATORY_NOT_FOUND", status: 202)],
      .dead("rule_fail")),
    .init(
      "an error inside a 200", send: "set_field: { fields: { Risk_Level: High } }",
      [token, found, refused("update", "INVALID_DATA", status: 200)], .dead("rule_fail")),
    .init(
      "a duplicate", send: "note: Hello", [token, found, refused("create_note", "DUPLICATE_DATA", status: 202)],
      .delivered),
    .init(
      "one that arrived without an answer", send: "log_call",
      [token, found, .on("create_calls", .close), .on("coql", .json(#"{"data":[{"id":"600"}]}"#))], .delivered,
      target: soon),
    .init(
      "one that did not arrive", send: "log_call",
      [token, found, .on("create_calls", .close), .on("coql", .empty(204)), saved("create_calls")], .delivered,
      target: soon),
    .init(
      "trouble of which nobody knows what it did: the call is asked for", send: "log_call",
      [
        token, found, fault("create_calls", "INTERNAL_ERROR", status: 500),
        .on("coql", .json(#"{"data":[{"id":"6"}]}"#)),
      ], .delivered, target: soon),
    .init(
      "a task that arrived without an answer", send: "task",
      [token, found, .on("create_task", .close), .on("coql", .json(#"{"data":[{"id":"600"}]}"#))], .delivered,
      target: soon),
    .init(
      "a task that did not arrive", send: "task",
      [token, found, .on("create_task", .close), .on("coql", .empty(204)), saved("create_task")], .delivered,
      target: soon),
    .init(
      "a note without an answer goes again", send: "note: Hello", [token, found, .on("create_note", .close)],
      .waiting("connection_lost")),
    .init(
      "a field without an answer is set again", send: "set_field: { fields: { Risk_Level: High } }",
      [token, found, .on("update", .close)], .waiting("connection_lost")),
    .init(
      "a call by a field of its own, without an answer, is written again", send: "log_call",
      [token, found, .on("create_calls", .close)], .waiting("connection_lost"), target: "call_id_field: DT_Call_ID"),
    .init(
      "a record that was changed meanwhile", send: "set_field: { fields: { Risk_Level: High } }",
      [token, found, refused("update", "ALREADY_MODIFIED", status: 412)], .waiting("rule_retry"), wait: 1...3),
    .init(
      "a locked record", send: "set_field: { fields: { Risk_Level: High } }",
      [token, found, refused("update", "RECORD_LOCKED", status: 400)], .waiting("rule_retry"), wait: 29...31),
    .init(
      "a user who may not", send: "note: Hello", [token, found, fault("create_note", "NO_PERMISSION", status: 403)],
      .dead("rule_fail")),
    .init(
      "a value that another contact has, which is unique", send: "set_field: { fields: { Customer_No: \"7\" } }",
      [token, found, refused("update", "DUPLICATE_DATA", status: 202)], .dead("rule_fail")),
    .init(
      "a contact alone", send: "create_contact", [token, saved("create_contact")], .delivered,
      sees: ["duplicate_check_fields": ["Phone"], "data.0.Phone": "+919876543210"]),
    .init(
      "a task for somebody", send: "task: { owner: priya@example.com }",
      [
        token, found,
        .on(
          "users", .json(#"{"users":[{"id":"1","email":"dev@example.com"},{"id":"2","email":"priya@example.com"}]}"#)),
        saved("create_task"),
      ], .delivered, sees: ["data.0.Owner": ["id": "2"], "data.0.Status": "Not Started"]),
    .init(
      "a field", send: "set_field: { fields: { Risk_Level: High } }", [token, found, saved("update", status: 200)],
      .delivered, sees: ["data.0": ["Risk_Level": "High"]]),
  ]
  static let batches: [VendorCase] = [
    .init(
      "calls in one request", send: "log_call", [token, found, saved("create_calls")], .delivered,
      sees: ["data.0.Who_Id": ["id": "524157"], "trigger": ["workflow"]], target: "batch_wait: 10ms"),
    .init(
      "two calls in one request, each with a result", send: "log_call",
      [
        token, found, found,
        .on(
          "create_calls",
          .json(status: 207) { asked in
            ["data": .array((asked["data"]?.array ?? []).map { _ in ["code": "SUCCESS", "status": "success"] })]
          }),
      ], .delivered, target: "batch_wait: 15s\nactions: { log_call: { batch: { max: 2 } } }", events: [[:], [:]]),
    .init(
      "a refusal among the results", send: "log_call",
      [token, found, refused("create_calls", "INVALID_DATA", status: 207)], .dead("rule_fail"),
      target: "batch_wait: 10ms"),
    .init(
      "a locked record among the results", send: "log_call",
      [token, found, refused("create_calls", "RECORD_LOCKED", status: 207)], .waiting("rule_retry"),
      target: "batch_wait: 10ms"),
  ]
  @Test("each answer is met as documented", arguments: cases + batches) func contract(_ one: VendorCase) async throws {
    try await Self.crm.check(one)
  }
}
