// Salesforce.

import DivertCore
import TestSupport
import Testing

@Suite(.bounded) struct SalesforceTests {
  static let crm = VendorContract(
    "salesforce",
    target: """
      type: salesforce
      url: "@URL@"
      client_id: "{{ secrets.id }}"
      client_secret: "{{ secrets.secret }}"
      refresh_token: "{{ secrets.refresh }}"
      auth: { oauth2: { token_url: "@URL@/services/oauth2/token", network: private, base_url: null } }
      """,
    secrets: ["id": "3MVG9", "secret": "abcdef", "refresh": "5Aep"])

  static let token = Play.on(
    "token", .json(#"{"access_token":"00D!t1","instance_url":"https://acme.my.salesforce.com","token_type":"Bearer"}"#))
  static let found = Play.on(
    "search",
    .json(
      #"{"searchRecords":[{"attributes":{"type":"Contact"},"Id":"003000000000001AAA","OwnerId":"005000000000001AAA"}]}"#
    ))
  static let nobody = Play.on("search", .json(#"{"searchRecords":[]}"#))
  static let soon = "actions: { log_call: { verify: { after: 1ms } }, task: { verify: { after: 1ms } } }"
  static let noted = Play.on("create_note", .json(#"{"id":"069000000000001AAA","success":true}"#, status: 201))

  static func results(_ text: String, _ operation: String = "create_tasks") -> Play { .on(operation, .json(text)) }
  static let logged = Play.on(
    "create_task", .json(#"{"id":"00T000000000001AAA","success":true,"errors":[]}"#, status: 201))

  static func failed(_ code: String) -> Play {
    results(#"[{"success":false,"errors":[{"statusCode":"\#(code)","message":"","fields":[]}]}]"#)
  }

  static func fault(_ operation: String, _ code: String, status: Int) -> Play {
    .on(operation, .json(#"[{"message":"no","errorCode":"\#(code)","fields":[]}]"#, status: status))
  }

  static let cases: [VendorCase] = [
    .init(
      "a call", send: "log_call", [token, found, logged], .delivered,
      sees: [
        "WhoId": "003000000000001AAA", "OwnerId": "005000000000001AAA",
        "CallObject": "call_1", "CallType": "Inbound", "ActivityDate": "2026-01-15",
        "CallDisposition": "Declined",
      ]),
    .init("nobody has the number", send: "log_call", [token, nobody, nobody], .dead("lookup_none")),
    .init(
      "nobody has the number, so a lead is made", send: "log_call",
      [
        token, nobody, nobody,
        .on("create_contact", .json(#"{"id":"00Q000000000002AAA","success":true}"#, status: 201)),
        logged,
      ], .delivered, sees: ["WhoId": "00Q000000000002AAA", "OwnerId": .null],
      target: "no_contact: create_contact\nobject: Lead"),
    .init(
      "a call by an external id", send: "log_call",
      [
        token, found,
        .on(
          "upsert_task", .json(#"{"id":"00T000000000001AAA","success":true,"errors":[],"created":true}"#, status: 201)),
      ],
      .delivered,
      sees: ["DT_Call_ID__c": .null, "CallObject": "call_1"], target: "call_id_field: DT_Call_ID__c"),
    .init(
      "several records of one external id", send: "log_call",
      [token, found, .on("upsert_task", .json(#"["/a","/b"]"#, status: 300))], .dead("rule_fail"),
      target: "call_id_field: DT_Call_ID__c"),
    .init(
      "requests that are used up", send: "note: Hello",
      [token, found, fault("create_note", "REQUEST_LIMIT_EXCEEDED", status: 403)], .waiting("rule_throttle"),
      wait: 899...901),
    .init(
      "an expired session", send: "set_field: { fields: { Risk__c: High } }",
      [token, found, fault("update", "INVALID_SESSION_ID", status: 401), token, .on("update", .empty(204))], .delivered),
    .init(
      "a locked row", send: "set_field: { fields: { Risk__c: High } }",
      [token, found, fault("update", "UNABLE_TO_LOCK_ROW", status: 400)], .waiting("rule_retry"), wait: 4...6),
    .init(
      "a refused one", send: "set_field: { fields: { Risk__c: High } }",
      [token, found, fault("update", "INVALID_FIELD", status: 400)], .dead("rejected")),
    .init(
      "one that arrived without an answer", send: "log_call",
      [token, found, .on("create_task", .close), .on("query", .json(#"{"totalSize":1,"records":[{"Id":"00T"}]}"#))],
      .delivered, target: soon),
    .init(
      "one that did not arrive", send: "log_call",
      [token, found, .on("create_task", .close), .on("query", .json(#"{"totalSize":0,"records":[]}"#)), logged],
      .delivered, target: soon),
    .init(
      "a call by an external id, without an answer, is written again", send: "log_call",
      [token, found, .on("upsert_task", .close)], .waiting("connection_lost"), target: "call_id_field: DT_Call_ID__c"),
    .init(
      "a task that arrived without an answer", send: "task",
      [token, found, .on("create_task", .close), .on("query", .json(#"{"totalSize":1,"records":[{"Id":"00T"}]}"#))],
      .delivered, target: soon),
    .init(
      "a task that did not arrive", send: "task",
      [token, found, .on("create_task", .close), .on("query", .json(#"{"totalSize":0,"records":[]}"#)), logged],
      .delivered, target: soon),
    .init(
      "a note without an answer goes again", send: "note: Hello", [token, found, .on("create_note", .close)],
      .waiting("connection_lost")),
    .init(
      "a note whose link got no answer is not written twice", send: "note: Hello",
      [
        token, found, noted, .on("link_note", .close),
        .on("link_note", .json(#"{"id":"06A000000000001AAA","success":true}"#, status: 201)),
      ], .delivered, target: "retry: { backoff: 1ms..2ms }"),
    .init(
      "a unique value that another contact has", send: "set_field: { fields: { Customer_No__c: \"7\" } }",
      [token, found, fault("update", "DUPLICATE_VALUE", status: 400)], .dead("rule_fail")),
    .init(
      "a duplicate", send: "log_call", [token, found, fault("create_task", "DUPLICATE_VALUE", status: 400)], .delivered),
    .init(
      "a session that no token cures", send: "log_call",
      [
        token, found,
        .on(
          "create_task",
          .json(#"[{"message":"This session is not valid for use with the REST API","errorCode":"X"}]"#, status: 401)),
      ], .held("rule_hold")),
    .init(
      "not available", send: "log_call",
      [
        token, found,
        .on("create_task", .json(#"[{"errorCode":"SERVER_UNAVAILABLE"}]"#, status: 503, ["Retry-After: 40"])),
      ],
      .waiting("rule_retry"), wait: 39...41),
    .init(
      "by client credentials", send: "log_call", [token, found, logged], .delivered,
      target: "grant: client_credentials",
      requests: { #expect($0.first?.document["grant_type"] == "client_credentials") }),
    .init(
      "a contact alone", send: "create_contact",
      [token, .on("create_contact", .json(#"{"id":"003000000000002AAA","success":true}"#, status: 201))], .delivered,
      sees: ["LastName": "Rohan Mehta", "Phone": "+919876543210"]),
    .init(
      "a note in two steps", send: "note: Hello",
      [
        token, found, .on("create_note", .json(#"{"id":"069000000000001AAA","success":true}"#, status: 201)),
        .on("link_note", .json(#"{"id":"06A000000000001AAA","success":true}"#, status: 201)),
      ], .delivered,
      sees: ["ContentDocumentId": "069000000000001AAA", "LinkedEntityId": "003000000000001AAA"]),
    .init(
      "a task for somebody", send: "task: { owner: priya@example.com }",
      [
        token, found,
        .on("query", .json(#"{"totalSize":1,"records":[{"Id":"005000000000002AAA","Email":"priya@example.com"}]}"#)),
        .on("create_task", .json(#"{"id":"00T000000000002AAA","success":true}"#, status: 201)),
      ], .delivered, sees: ["OwnerId": "005000000000002AAA", "Status": "Not Started"]),
  ]
  static let batches: [VendorCase] = [
    .init(
      "calls in one request", send: "log_call",
      [token, found, results(#"[{"id":"00T000000000001AAA","success":true,"errors":[]}]"#)], .delivered,
      sees: ["allOrNone": false, "records.0.attributes": ["type": "Task"]], target: "batch_wait: 10ms"),
    .init(
      "calls by an external id in one request", send: "log_call",
      [token, found, results(#"[{"id":"00T000000000001AAA","success":true,"created":true}]"#, "upsert_tasks")],
      .delivered, sees: ["records.0.DT_Call_ID__c": "call_1"],
      target: "call_id_field: DT_Call_ID__c\nbatch_wait: 10ms"),
    .init(
      "a locked row among the results", send: "log_call", [token, found, failed("UNABLE_TO_LOCK_ROW")],
      .waiting("rule_retry"), target: "batch_wait: 10ms"),
    .init(
      "a duplicate among the results", send: "log_call", [token, found, failed("DUPLICATE_VALUE")], .delivered,
      target: "batch_wait: 10ms"),
    .init(
      "a refusal among the results", send: "log_call", [token, found, failed("REQUIRED_FIELD_MISSING")],
      .dead("rule_fail"), target: "batch_wait: 10ms"),
  ]
  @Test("each answer is met as documented", arguments: cases + batches) func contract(_ one: VendorCase) async throws {
    try await Self.crm.check(one)
  }
}
