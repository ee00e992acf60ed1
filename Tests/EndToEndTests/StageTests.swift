// Deliveries that ask before they go, take steps, and are asked after: through the real binary, against a CRM on this machine.

import DivertCore
import Foundation
import TestSupport
import Testing

@Suite("Deliveries in stages", .bounded) struct StageTests {
  /// A CRM that finds contact 7 by phone, keeps notes and links them.
  private static func crm(_ target: MisbehavingTarget, _ more: String = "") -> String {
    """
      crm:
        url: "\(target.url(""))"
        network: private
        \(more)
        lookups:
          contact: { get: "/contacts?phone={{ customer.phone }}", items: data, fields: { id: id, stage: stage } }
        actions:
          log: { post: /log, body: { call: "{{ call.id }}", contact: "{{ contact.id }}" } }
          plain: { post: /plain, body: { call: "{{ call.id }}" } }
          note:
            steps:
              - note: { post: /notes, body: { text: "{{ call.id }}" }, fields: { id: id } }
              - link: { post: /links, body: { note: "{{ steps.note.id }}", call: "{{ call.id }}" } }

    """
  }

  private static let accounts = """
    lookups:
      account: { get: "crm:/accounts?phone={{ customer.phone }}", fields: { id: id, stage: stage }, none: empty }
    """

  private static func answers(_ target: MisbehavingTarget) {
    target.answer("/contacts") { _ in .json(#"{"data":[{"id":7,"stage":"late"},{"id":8}]}"#) }
    target.answer("/accounts") { _ in .json(#"{"id":31,"stage":"early"}"#) }
    target.answer("/notes") { _ in .json(#"{"id":"n1"}"#, status: 201) }
  }

  private func requests(_ target: MisbehavingTarget, _ path: String) -> [ReceivedRequest] {
    target.requests.filter { $0.path.hasPrefix(path) }
  }

  @Test("search, extract, log: the found contact's id is in the request, and find shows what was asked")
  func search() async throws {
    let crm = MisbehavingTarget()
    Self.answers(crm)
    let router = try await House.open(targets: Self.crm(crm))
    let event = try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    #expect(crm.requests.map(\.path) == ["/contacts?phone=%2B919876543210", "/log"])
    #expect(crm.requests[1].json["contact"] == 7)
    let delivery = try await router.deliveries(event).first
    #expect(delivery?["state"] == "delivered")
    #expect(delivery?["attempts"]?.array?.map { $0["stage"]?.string } == ["lookup crm.contact", nil])
    #expect(delivery?["memo"]?["lookups"]?["crm.contact"]?["id"] == 7)
    #expect(router.log.contains("stage=\"lookup crm.contact\""), "\(router.log)")
    try await router.expectAudit()
  }

  @Test("a condition by a lookup ends the delivery as skipped with the reason, or lets it go")
  func condition() async throws {
    let crm = MisbehavingTarget()
    Self.answers(crm)
    let routes = """
        late: { when: { event: CALL_REJECTED, account.stage: late }, send: [crm.plain] }
        early: { when: { event: CALL_REJECTED, account.stage: early }, send: [crm.log] }

      """
    let router = try await House.open(targets: Self.crm(crm), routes: routes, top: Self.accounts)
    let event = try await router.accept("call_1")
    try await router.untilSettled(planned: 2)
    #expect(
      try await router.states(event) == ["crm.plain": "skipped condition_not_met", "crm.log": "delivered accepted"])
    #expect(requests(crm, "/accounts").count == 1 && requests(crm, "/plain").isEmpty)
    #expect(requests(crm, "/log").count == 1)
    try await router.expectAudit()
  }

  @Test("a failed second step is tried again, and the first is not repeated")
  func steps() async throws {
    let crm = MisbehavingTarget()
    Self.answers(crm)
    crm.answer("/links") { $0.number <= 3 ? .json("{}", status: 500) : .ok }
    let router = try await House.open(targets: Self.crm(crm), routes: House.route("crm.note"))
    let event = try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    #expect(requests(crm, "/notes").count == 1)
    let links = requests(crm, "/links")
    #expect(links.count == 3 && links.allSatisfy { $0.json["note"] == "n1" })
    #expect(Set(links.map { $0.header("idempotency-key") }).count == 1)
    #expect(links[0].header("idempotency-key") != requests(crm, "/notes")[0].header("idempotency-key"))
    #expect(try await router.states(event) == ["crm.note": "delivered accepted"])
    try await router.expectAudit()
  }

  @Test("a kill between two steps repeats neither the first nor the event")
  func killedBetween() async throws {
    let crm = MisbehavingTarget()
    Self.answers(crm)
    crm.answer("/links") { _ in .hang }
    let router = try await House.open(targets: Self.crm(crm), routes: House.route("crm.note"))
    let event = try await router.accept("call_1")
    _ = await crm.request(2)
    try await router.crash()
    crm.answer("/links") { _ in .ok }
    try await router.start()
    try await router.untilSettled(planned: 1)
    #expect(requests(crm, "/notes").count == 1 && requests(crm, "/links").count == 2)
    #expect(requests(crm, "/links").allSatisfy { $0.json["note"] == "n1" })
    #expect(try await router.states(event) == ["crm.note": "delivered accepted"])
    try await router.expectAudit()
  }

  @Test("a CRM that is down holds up those that must ask it, and nobody else")
  func down() async throws {
    let (crm, hook) = (MisbehavingTarget { _ in .json("{}", status: 503) }, MisbehavingTarget())
    let targets =
      Self.crm(crm) + """
          hook:
            url: "\(hook.url(""))"
            network: private
            concurrency: 1
            actions:
              log: { post: /log, body: { call: "{{ call.id }}" } }
              asked: { post: /asked, body: { call: "{{ call.id }}", account: "{{ account.id }}" } }

        """
    let router = try await House.open(
      targets: targets, routes: House.route("hook.asked, hook.log"), top: Self.accounts)
    for call in 1...30 { try await router.accept("call_\(call)", phone: "9198765432\(10 + call)") }
    _ = await hook.request(30)
    #expect(requests(hook, "/log").count == 30 && requests(hook, "/asked").isEmpty)
    #expect(try await router.target("hook")["state"] == "open")
    Self.answers(crm)
    _ = try await router.divert("targets", "resume", "crm")
    try await router.untilSettled(planned: 60)
    #expect(requests(hook, "/asked").count == 30)
    #expect(requests(hook, "/asked").allSatisfy { $0.json["account"] == 31 })
    try await router.expectAudit()
  }

  @Test("two deliveries of one event ask once, and so do those of other events while the answer holds")
  func once() async throws {
    let (crm, hook) = (MisbehavingTarget(), MisbehavingTarget())
    Self.answers(crm)
    let top = Self.accounts.replacingOccurrences(of: "none: empty", with: "none: empty, cache: 1h")
    let targets =
      Self.crm(crm) + """
          hook:
            url: "\(hook.url(""))"
            network: private
            actions: { asked: { post: /asked, body: { account: "{{ account.id }}" } } }

        """
    let routes = """
        a: { when: { event: CALL_REJECTED }, send: [hook.asked, { hook.asked: {}, as: again }] }
        b: { when: { event: CALL_REJECTED, account.stage: early }, send: [crm.plain] }

      """
    let router = try await House.open(targets: targets, routes: routes, top: top)
    try await router.accept("call_1")
    try await router.untilSettled(planned: 3)
    #expect(requests(crm, "/accounts").count == 1 && requests(hook, "/asked").count == 2)
    try await router.accept("call_2")
    try await router.untilSettled(planned: 6)
    #expect(requests(crm, "/accounts").count == 1 && requests(hook, "/asked").count == 4)
    #expect(requests(crm, "/plain").count == 2)
    try await router.accept("call_3", phone: "919876500000")
    try await router.untilSettled(planned: 9)
    #expect(requests(crm, "/accounts").count == 2)
    try await router.expectAudit()
  }

  @Test("what nobody finds is created once for all deliveries of the customer")
  func created() async throws {
    let crm = MisbehavingTarget()
    crm.answer("/contacts") { $0.method == "GET" ? .json(#"{"data":[]}"#) : .json(#"{"id":99}"#, status: 201) }
    let targets = Self.crm(crm)
      .replacingOccurrences(of: "stage: stage } }", with: "stage: stage }, none: create_contact }")
      .replacingOccurrences(
        of: "    actions:\n",
        with: """
              actions:
                create_contact: { post: /contacts, body: { phone: "{{ customer.phone }}" }, fields: { id: id } }

          """)
    let router = try await House.open(targets: targets, routes: House.route("crm.log, { crm.log: {}, as: again }"))
    let event = try await router.accept("call_1")
    try await router.untilSettled(planned: 2)
    #expect(requests(crm, "/contacts").map(\.method) == ["GET", "POST"])
    #expect(requests(crm, "/log").map { $0.json["contact"] } == [99, 99])
    let attempts = try await router.deliveries(event).flatMap { $0["attempts"]?.array ?? [] }
    #expect(attempts.contains { $0["stage"] == "create crm.contact" })
    try await router.expectAudit()
  }

  // MARK: Asking whether it arrived

  private static func messenger(_ target: MisbehavingTarget) -> String {
    """
      wa:
        url: "\(target.url(""))"
        network: private
        timeout: 1s
        verify: { get: "/status?id={{ idempotency_key | uuid }}", after: 50ms, landed: { json: { status: SENT } } }
        actions:
          text:
            post: /text
            to_person: true
            ambiguous: verify
            body: { id: "{{ idempotency_key | uuid }}", to: "{{ customer.phone }}" }

    """
  }

  @Test("a message whose answer is lost is asked after and not sent twice")
  func landed() async throws {
    let wa = MisbehavingTarget()
    wa.answer("/text") { _ in .close }
    wa.answer("/status") { _ in .json(#"{"status":"SENT"}"#) }
    let router = try await House.open(targets: Self.messenger(wa), routes: House.route("wa.text"))
    let event = try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    #expect(wa.requests.map(\.method) == ["POST", "GET"])
    #expect(wa.requests[1].path == "/status?id=\(wa.requests[0].json["id"]?.string ?? "?")")
    #expect(try await router.states(event) == ["wa.text": "delivered verified"])
    try await router.expectAudit()
  }

  @Test("a message that did not arrive is sent again, with the same key")
  func notLanded() async throws {
    let wa = MisbehavingTarget()
    wa.answer("/text") { $0.number == 1 ? .close : .ok }
    wa.answer("/status") { _ in .json("{}", status: 404) }
    let router = try await House.open(targets: Self.messenger(wa), routes: House.route("wa.text"))
    let event = try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    #expect(wa.requests.map(\.method) == ["POST", "GET", "POST"])
    #expect(wa.requests[0].json["id"] == wa.requests[2].json["id"])
    #expect(try await router.states(event) == ["wa.text": "delivered accepted"])
    try await router.expectAudit()
  }

  @Test("a kill while a message is under way is asked after, too")
  func killedSending() async throws {
    let wa = MisbehavingTarget()
    wa.answer("/text") { _ in .hang }
    wa.answer("/status") { _ in .json(#"{"status":"SENT"}"#) }
    let router = try await House.open(targets: Self.messenger(wa), routes: House.route("wa.text"))
    let event = try await router.accept("call_1")
    _ = await wa.request(1)
    try await router.crash()
    try await router.start()
    try await router.untilSettled(planned: 1)
    #expect(wa.requests.map(\.method) == ["POST", "GET"])
    #expect(try await router.states(event) == ["wa.text": "delivered verified"])
    try await router.expectAudit()
  }

  // MARK: Dead letters

  @Test("a letter tells what was asked and done; its replay keeps the finished step and asks anew")
  func replay() async throws {
    let crm = MisbehavingTarget()
    Self.answers(crm)
    crm.answer("/links") { _ in .json(#"{"error":"no"}"#, status: 422) }
    let targets = Self.crm(crm).replacingOccurrences(
      of: #"note: "{{ steps.note.id }}","#, with: #"note: "{{ steps.note.id }}", contact: "{{ contact.id }}","#)
    let router = try await House.open(targets: targets, routes: House.route("crm.note"))
    try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    let letter = try await router.json("dead-letters", "list")["dead_letters"]?.array?.first
    let file = router.data.appendingPathComponent("dead-letters/" + (letter?["file"]?.string ?? "?"))
    let text = try JSONValue.parse(Array(try Data(contentsOf: file)))
    #expect(text["memo"]?["steps"]?["note"]?["id"] == "n1" && text["memo"]?["lookups"]?["crm.contact"]?["id"] == 7)
    #expect(text["request"]?["url"]?.string?.hasSuffix("/links") == true && text["request"]?["body"]?["note"] == "n1")

    crm.answer("/links") { _ in .ok }
    crm.answer("/contacts") { _ in .json(#"{"data":[{"id":70}]}"#) }
    let replayed = try await router.divert("dead-letters", "replay", "--all")
    #expect(replayed.status == 0, "\(replayed)")
    try await router.until("the replay") { requests(crm, "/links").count == 2 }
    #expect(requests(crm, "/notes").count == 1 && requests(crm, "/contacts").count == 2)
    #expect(requests(crm, "/links")[1].json["contact"] == 70 && requests(crm, "/links")[1].json["note"] == "n1")
    try await router.expectAudit()
  }
}
