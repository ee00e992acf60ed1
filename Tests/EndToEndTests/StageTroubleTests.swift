// Deliveries in stages where somebody or something gets in between: through the real binary, against targets on this machine.

import DivertCore
import Foundation
import TestSupport
import Testing

@Suite("Deliveries in stages, in trouble", .bounded) struct StageTroubleTests {
  private static func crm(_ target: MisbehavingTarget) -> String {
    """
      crm:
        url: "\(target.url(""))"
        network: private
        responses: [{ status: 409, then: ok_duplicate }]
        lookups:
          contact:
            get: "/contacts?phone={{ customer.phone }}"
            items: data
            fields: { id: id }
            none: create_contact
        actions:
          create_contact: { post: /contacts, body: { phone: "{{ customer.phone }}" }, fields: { id: id } }
          log: { post: /log, body: { call: "{{ call.id }}", contact: "{{ contact.id }}" } }

    """
  }

  @Test("what somebody else created between search and creation is looked for again, and found")
  func createdElsewhere() async throws {
    let crm = MisbehavingTarget()
    crm.answer("/contacts") { request in
      if request.method == "POST" { return .json(#"{"message":"it exists"}"#, status: 409) }
      return .json(request.number == 1 ? #"{"data":[]}"# : #"{"data":[{"id":5}]}"#)
    }
    let router = try await House.open(targets: Self.crm(crm))
    let event = try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    #expect(crm.requests.map(\.method) == ["GET", "POST", "GET", "POST"])
    #expect(crm.requests.last?.path == "/log" && crm.requests.last?.json["contact"] == 5)
    #expect(try await router.states(event) == ["crm.log": "delivered accepted"])
    try await router.expectAudit()
  }

  @Test("a replay judges the condition that was never judged, and a dry run says what is asked first")
  func replayOfUnjudged() async throws {
    let crm = MisbehavingTarget()
    crm.answer("/accounts") { _ in .json("{}", status: 422) }
    let top = """
      lookups:
        account: { get: "crm:/accounts?phone={{ customer.phone }}", fields: { stage: stage } }
      """
    let routes = "  late: { when: { event: CALL_REJECTED, account.stage: late }, send: [crm.plain] }\n"
    let targets = """
        crm:
          url: "\(crm.url(""))"
          network: private
          actions: { plain: { post: /plain, body: { call: "{{ call.id }}", stage: "{{ account.stage }}" } } }

      """
    let router = try await House.open(targets: targets, routes: routes, top: top)
    let event = try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    let dry = try await router.divert("dead-letters", "replay", "--all", "--dry-run")
    #expect(dry.out.contains("would_send") && dry.out.contains("lookup account comes first"), "\(dry)")

    crm.answer("/accounts") { _ in .json(#"{"stage":"early"}"#) }
    #expect(try await router.divert("dead-letters", "replay", "--all").status == 0)
    try await router.untilSettled(planned: 2)
    #expect(!crm.requests.contains { $0.path == "/plain" })
    let codes = try await router.deliveries(event).map { $0["reason"]?["code"]?.string }
    #expect(codes.contains("condition_not_met"), "\(codes)")
    try await router.expectAudit()
  }

  @Test("a replay asks anew for what was not found, and an edited request with an unfilled value in it is refused")
  func replayOfNotFound() async throws {
    let crm = MisbehavingTarget()
    crm.answer("/contacts") { _ in .json(#"{"data":[]}"#) }
    let targets = """
        crm:
          url: "\(crm.url(""))"
          network: private
          lookups: { contact: { get: "/contacts?phone={{ customer.phone }}", items: data, fields: { id: id }, cache: 5m } }
          actions: { log: { post: /log, body: { contact: "{{ contact.id }}" } } }

      """
    let router = try await House.open(targets: targets)
    let event = try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    let id = try await router.json("dead-letters", "list")["dead_letters"]?.array?.first?["id"]?.string ?? ""
    let edit = try await router.divert("dead-letters", "edit", id, "--set", "request.body.note=x")
    #expect(edit.status != 0 && (edit.out + edit.err).contains("crm.contact"), "\(edit)")

    crm.answer("/contacts") { _ in .json(#"{"data":[{"id":7}]}"#) }
    #expect(try await router.divert("dead-letters", "replay", id).status == 0)
    try await router.untilSettled(planned: 2)
    #expect(crm.requests.map(\.path).filter { $0.hasPrefix("/log") }.count == 1)
    #expect(crm.requests.last?.json["contact"] == 7)
    let codes = try await router.deliveries(event).compactMap { $0["reason"]?["code"]?.string }
    #expect(codes.sorted() == ["accepted", "lookup_none"], "\(codes)")
    try await router.expectAudit()
  }

  @Test("an edited message whose answer is lost is parked: to ask after the one that was planned would send it twice")
  func editedAndLost() async throws {
    let wa = MisbehavingTarget()
    wa.answer("/text") { _ in .json("{}", status: 422) }
    wa.answer("/status") { _ in .json("{}", status: 404) }
    let targets = """
        wa:
          url: "\(wa.url(""))"
          network: private
          timeout: 1s
          verify: { get: "/status?id={{ idempotency_key | uuid }}", after: 50ms, landed: { json: { status: SENT } } }
          actions: { text: { post: /text, to_person: true, body: { to: "{{ customer.phone }}", text: hello } } }

      """
    let router = try await House.open(targets: targets, routes: House.route("wa.text"))
    let event = try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    let id = try await router.json("dead-letters", "list")["dead_letters"]?.array?.first?["id"]?.string ?? ""
    #expect(try await router.divert("dead-letters", "edit", id, "--set", "request.body.text=hi").status == 0)
    wa.answer("/text") { _ in .close }
    #expect(try await router.divert("dead-letters", "replay", id).status == 0)
    try await router.untilSettled(planned: 2)
    #expect(wa.requests.map(\.path) == ["/text", "/text"] && wa.requests[1].json["text"] == "hi")
    let codes = try await router.deliveries(event).compactMap { $0["reason"]?["code"]?.string }
    #expect(codes.sorted() == ["ambiguous", "rejected"], "\(codes)")
    try await router.expectAudit()
  }
}
