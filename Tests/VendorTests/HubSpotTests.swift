// HubSpot CRM.

import DivertCore
import TestSupport
import Testing

@Suite(.bounded) struct HubSpotTests {
  static let crm = VendorContract(
    "hubspot", target: #"{ type: hubspot, url: "@URL@", token: "{{ secrets.token }}" }"#,
    secrets: ["token": "pat-in1-0123"])

  static let found = Play.on(
    "search_contacts", .json(#"{"total":1,"results":[{"id":"500","properties":{"hubspot_owner_id":"41"}}]}"#))
  static let nobody = Play.on("search_contacts", .json(#"{"total":0,"results":[]}"#))
  static let created = Play.on("create_call", .json(#"{"id":"601"}"#, status: 201))
  static let soon = "actions: { log_call: { verify: { after: 1ms } }, task: { verify: { after: 1ms } } }"
  static let atOnce = "retry: { backoff: 1ms..2ms }"

  static func limit(_ policy: String) -> String {
    #"{"status":"error","message":"limit","errorType":"RATE_LIMIT","policyName":"\#(policy)"}"#
  }

  static let cases: [VendorCase] = [
    .init(
      "a call", send: "log_call", [found, created], .delivered,
      sees: [
        "properties.hs_call_external_id": "call_1", "properties.hs_call_direction": "INBOUND",
        "properties.hs_call_status": "BUSY", "properties.hs_call_from_number": "+919876543210",
        "properties.hs_call_title": "WhatsApp call declined", "properties.hubspot_owner_id": "41",
        "associations.0.to.id": "500",
      ]),
    .init(
      "nobody has the number", send: "log_call", [nobody], .dead("lookup_none")),
    .init(
      "nobody has the number, so it is made", send: "log_call",
      [nobody, .on("create_contact", .json(#"{"id":"501"}"#, status: 201)), created], .delivered,
      sees: ["associations.0.to.id": "501", "properties.hubspot_owner_id": .null],
      target: "no_contact: create_contact"),
    .init(
      "asked for less", send: "log_call",
      [found, .on("create_call", .json(limit("TEN_SECONDLY_ROLLING"), status: 429))],
      .waiting("rule_throttle"), wait: 9...11),
    .init(
      "a second's limit", send: "log_call", [found, .on("create_call", .json(limit("SECONDLY"), status: 429))],
      .waiting("rule_throttle"), wait: 0.9...1.1),
    .init(
      "the day's limit", send: "log_call", [found, .on("create_call", .json(limit("DAILY"), status: 429))],
      .waiting("rule_throttle"), wait: 1...86_400, because: "daily"),
    .init(
      "a host that cannot be reached", send: "log_call", [found, .on("create_call", .json("{}", status: 521))],
      .waiting("rule_retry")),
    .init(
      "a locked record", send: "set_field: { fields: { risk_level: high } }",
      [found, .on("set_properties", .json("{}", status: 423))], .waiting("rule_retry"), wait: 1...3),
    .init(
      "an account that moves", send: "note: Hello",
      [found, .on("create_note", .json("{}", status: 477, ["Retry-After: 600"]))], .waiting("rule_retry"),
      wait: 599...601),
    .init(
      "an expired token", send: "note: Hello",
      [found, .on("create_note", .json(#"{"category":"EXPIRED_AUTHENTICATION"}"#, status: 401))],
      .held("rule_refresh")),
    .init(
      "a wrong token", send: "note: Hello",
      [found, .on("create_note", .json(#"{"category":"INVALID_AUTHENTICATION"}"#, status: 401))], .held("rule_hold")),
    .init(
      "a scope that is missing", send: "note: Hello",
      [found, .on("create_note", .json(#"{"category":"MISSING_SCOPES"}"#, status: 403))], .dead("rule_fail"),
      because: "lacks a scope"),
    .init(
      "a value that is unique and there already", send: "log_call",
      [found, .on("create_call", .json(#"{"status":"error","category":"CONFLICT"}"#, status: 409))], .delivered),
    .init(
      "a unique value that another contact has", send: "set_field: { fields: { customer_id: \"7\" } }",
      [found, .on("set_properties", .json(#"{"status":"error","category":"CONFLICT"}"#, status: 409))],
      .dead("rejected")),
    .init(
      "a call by a property of its own that meets a conflict", send: "log_call",
      [found, .on("upsert_calls", .json(#"{"status":"error","category":"CONFLICT"}"#, status: 409))],
      .dead("rejected"), target: "call_id_property: divert_call_id"),
    .init(
      "a refused one", send: "log_call",
      [found, .on("create_call", .json(#"{"status":"error","category":"VALIDATION_ERROR"}"#, status: 400))],
      .dead("rejected")),
    .init(
      "one that arrived without an answer", send: "log_call",
      [found, .on("create_call", .close), .on("search_calls", .json(#"{"total":1,"results":[{"id":"601"}]}"#))],
      .delivered, target: soon),
    .init(
      "one that did not arrive", send: "log_call",
      [found, .on("create_call", .close), .on("search_calls", .json(#"{"total":0,"results":[]}"#)), created],
      .delivered, target: soon),
    .init(
      "a task that arrived without an answer", send: "task",
      [found, .on("create_task", .close), .on("search_tasks", .json(#"{"total":1,"results":[{"id":"603"}]}"#))],
      .delivered, target: soon),
    .init(
      "a task that did not arrive", send: "task",
      [
        found, .on("create_task", .close), .on("search_tasks", .json(#"{"total":0,"results":[]}"#)),
        .on("create_task", .json(#"{"id":"603"}"#, status: 201)),
      ], .delivered, target: soon),
    .init(
      "a note without an answer goes again", send: "note: Hello", [found, .on("create_note", .close)],
      .waiting("connection_lost")),
    .init(
      "a field without an answer is set again", send: "set_field: { fields: { risk_level: high } }",
      [found, .on("set_properties", .close)], .waiting("connection_lost")),
    .init(
      "a contact that was made without an answer is found, and not made twice", send: "log_call",
      [nobody, .on("create_contact", .close), found, created], .delivered, sees: ["associations.0.to.id": "500"],
      target: "no_contact: create_contact\n" + atOnce),
    .init(
      "a number becomes text", send: "set_field: { fields: { score: 5 } }",
      [found, .on("set_properties", .json(#"{"id":"500"}"#))], .delivered, sees: ["properties": ["score": "5"]]),
    .init(
      "a contact alone", send: "create_contact",
      [.on("create_contact", .json(#"{"id":"501"}"#, status: 201))], .delivered,
      sees: ["properties": ["phone": "+919876543210", "firstname": "Rohan Mehta"]]),
    .init(
      "a call by a property of its own, without an answer, is written again", send: "log_call",
      [found, .on("upsert_calls", .close)], .waiting("connection_lost"), target: "call_id_property: divert_call_id"),
    .init(
      "a call by a property of its own", send: "log_call",
      [
        found, .on("upsert_calls", .json(#"{"status":"COMPLETE","results":[{"id":"601"}]}"#)),
        .on("link_call", .json(#"{"id":"601"}"#)),
      ], .delivered, target: "call_id_property: divert_call_id"),
    .init(
      "a note", send: "note: He said <no>", [found, .on("create_note", .json(#"{"id":"602"}"#, status: 201))],
      .delivered,
      sees: ["properties.hs_note_body": "He said &lt;no&gt;"]),
    .init(
      "a task for somebody", send: "task: { owner: priya@example.com }",
      [
        found, .on("owner", .json(#"{"results":[{"id":"77","email":"priya@example.com"}]}"#)),
        .on("create_task", .json(#"{"id":"603"}"#, status: 201)),
      ], .delivered, sees: ["properties.hubspot_owner_id": "77", "properties.hs_task_status": "NOT_STARTED"]),
    .init(
      "a task for nobody in particular", send: "task",
      [found, .on("create_task", .json(#"{"id":"603"}"#, status: 201))],
      .delivered, sees: ["properties.hubspot_owner_id": "41", "properties.hs_task_subject": "Call Rohan Mehta back"]),
    .init(
      "a field", send: "set_field: { fields: { risk_level: high } }",
      [found, .on("set_properties", .json(#"{"id":"500"}"#))], .delivered, sees: ["properties": ["risk_level": "high"]]),
  ]
  static let batches: [VendorCase] = [
    .init(
      "two calls in one request", send: "log_call",
      [found, found, results(turned: true)], .delivered,
      target: "batch_wait: 15s\nactions: { log_call: { batch: { max: 2 } } }", events: [[:], [:]]),
    .init(
      "a call that is refused in a batch", send: "log_call", [found, errors("VALIDATION_ERROR")], .dead("rule_fail"),
      target: "batch_wait: 10ms"),
    .init(
      "a call of a batch that HubSpot has already", send: "log_call", [found, errors("CONFLICT")], .delivered,
      target: "batch_wait: 10ms"),
    .init(
      "a batch without an answer: each call is asked for", send: "log_call",
      [
        found, found, .on("create_calls", .close), .on("search_calls", .json(#"{"total":1,"results":[{"id":"601"}]}"#)),
        .on("search_calls", .json(#"{"total":1,"results":[{"id":"602"}]}"#)),
      ], .delivered,
      target: "batch_wait: 15s\nactions: { log_call: { batch: { max: 2 }, verify: { after: 1ms } } }",
      events: [[:], [:]]),
  ]

  /// Results in another order than the calls are known by their trace ids.
  static func results(turned: Bool) -> Play {
    .on(
      "create_calls",
      .json(status: 201) { asked in
        let traces = (asked["inputs"]?.array ?? []).map { $0["objectWriteTraceId"] ?? .null }
        let results = traces.map { trace -> JSONValue in ["id": "601", "objectWriteTraceId": trace] }
        return ["status": "COMPLETE", "results": .array(turned ? results.reversed() : results)]
      })
  }

  /// 207: every call is refused.
  static func errors(_ category: String) -> Play {
    .on(
      "create_calls",
      .json(status: 207) { asked in
        let errors = (asked["inputs"]?.array ?? []).map { input -> JSONValue in
          let trace = input["objectWriteTraceId"] ?? .null
          return [
            "status": "error", "category": .string(category), "message": "no",
            "context": ["objectWriteTraceId": .array([trace])],
          ]
        }
        return ["status": "COMPLETE", "results": [], "numErrors": 1, "errors": .array(errors)]
      })
  }
  @Test("each answer is met as documented", arguments: cases + batches) func contract(_ one: VendorCase) async throws {
    try await Self.crm.check(one)
  }

  @Test("an app's token that has expired is renewed") func app() async throws {
    let app = VendorContract(
      "hubspot", target: #"{ type: hubspot, url: "@URL@", auth: hubspot_app }"#,
      secrets: ["id": "1", "secret": "s", "refresh": "r"],
      top: """
        credentials:
          hubspot_app:
            oauth2:
              grant: refresh_token
              token_url: "@URL@/oauth/v1/token"
              network: private
              client_id: "{{ secrets.id }}"
              client_secret: "{{ secrets.secret }}"
              refresh_token: "{{ secrets.refresh }}"
        """)
    let token = Play.on("token", .json(#"{"access_token":"t","refresh_token":"r","expires_in":1800}"#))
    let expired = Play.on("create_note", .json(#"{"category":"EXPIRED_AUTHENTICATION"}"#, status: 401))
    let written = Play.on("create_note", .json(#"{"id":"602"}"#, status: 201))
    try await app.check(
      .init("an expired token", send: "note: Hello", [token, Self.found, expired, token, written], .delivered))
  }
}
