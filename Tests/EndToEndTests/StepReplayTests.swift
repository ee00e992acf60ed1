// Dead letters of actions with steps, and batches that were cut off by a kill: through the real binary.

import DivertCore
import Foundation
import TestSupport
import Testing

@Suite("Replays of steps", .bounded) struct StepReplayTests {
  private static func crm(_ target: MisbehavingTarget) -> String {
    """
      crm:
        url: "\(target.url(""))"
        network: private
        actions:
          note:
            steps:
              - draft: { post: /drafts, body: { call: "{{ call.id }}" }, fields: { id: id } }
              - note: { post: /notes, body: { draft: "{{ steps.draft.id }}", text: call }, fields: { id: id } }
              - link: { post: /links, body: { note: "{{ steps.note.id }}" } }

    """
  }

  private func requests(_ target: MisbehavingTarget, _ path: String) -> [ReceivedRequest] {
    target.requests.filter { $0.path.hasPrefix(path) }
  }

  /// A router whose only delivery died of its second step.
  private func refused(_ crm: MisbehavingTarget) async throws -> RouterProcess {
    crm.answer("/drafts") { _ in .json(#"{"id":"d1"}"#, status: 201) }
    crm.answer("/notes") { _ in .json(#"{"error":"no"}"#, status: 422) }
    let router = try await House.open(targets: Self.crm(crm), routes: House.route("crm.note"))
    try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    return router
  }

  @Test(
    "the letter has the request that was refused, with its step's name; unedited it is sent again, and the rest follows"
  )
  func letter() async throws {
    let crm = MisbehavingTarget()
    let router = try await refused(crm)
    let list = try await router.json("dead-letters", "list")["dead_letters"]?.array?.first
    #expect(list?["to_person"] == false)
    let shown = try await router.divert("dead-letters", "show", list?["id"]?.string ?? "?")
    let letter = try JSONValue.parse(Array(shown.out.utf8))
    #expect(letter["request"]?["step"] == "note")
    #expect(letter["request"]?["url"]?.string?.hasSuffix("/notes") == true)
    crm.answer("/notes") { _ in .json(#"{"id":"n1"}"#, status: 201) }
    #expect(try await router.divert("dead-letters", "replay", "--all").status == 0)
    try await router.until("the replay") { requests(crm, "/links").count == 1 }
    #expect(requests(crm, "/drafts").count == 1 && requests(crm, "/notes").count == 2)
    let keys = Set(requests(crm, "/notes").map { $0.header("idempotency-key") })
    #expect(keys.count == 1 && requests(crm, "/links")[0].json["note"] == "n1")
    try await router.expectAudit()
  }

  @Test("an edited one takes its step's place under the key that the dry run shows, and the steps after it follow")
  func edited() async throws {
    let crm = MisbehavingTarget()
    let router = try await refused(crm)
    let id = try await router.json("dead-letters", "list")["dead_letters"]?.array?.first?["id"]?.string ?? "?"
    #expect(try await router.divert("dead-letters", "edit", id, "--set", "request.body.text=mended").status == 0)
    crm.answer("/notes") { _ in .json(#"{"id":"n2"}"#, status: 201) }
    let dry = try await router.json("dead-letters", "replay", id, "--dry-run").array?.first
    #expect(dry?["outcome"] == "would_send", "\(String(describing: dry))")
    #expect(dry?["note"]?.string?.contains("in place of step note") == true)
    let shown = dry?["request"]?["headers"]?.array?
      .first { $0["name"]?.string?.lowercased() == "idempotency-key" }?["value"]?.string
    #expect(try await router.divert("dead-letters", "replay", id).status == 0)
    try await router.until("the replay") { requests(crm, "/links").count == 1 }
    let notes = requests(crm, "/notes")
    #expect(requests(crm, "/drafts").count == 1 && notes.count == 2)
    #expect(notes[1].json["text"] == "mended" && notes[1].json["draft"] == "d1")
    #expect(shown != nil && notes[1].header("idempotency-key") == shown)
    #expect(notes[0].header("idempotency-key") != shown)
    #expect(requests(crm, "/links")[0].json["note"] == "n2")
    try await router.expectAudit()
  }

  // MARK: Batches

  @Test("after a kill in the middle of a batch each of its items is asked for, and only what did not arrive goes again")
  func killedBatch() async throws {
    let crm = MisbehavingTarget()
    crm.answer("/calls") { _ in .hang }
    crm.answer("/status") { $0.path.hasSuffix("call_1") ? .json("{}") : .json("{}", status: 404) }
    let targets = """
        crm:
          url: "\(crm.url(""))"
          network: private
          verify: { get: "/status?call={{ call.id }}", after: 50ms, landed: { status: 200 } }
          actions:
            log:
              post: /calls
              body: { call: "{{ call.id }}" }
              ambiguous: verify
              idempotency: natural
              batch: { max: 3, wait: 5s, body: { data: "{{ items }}" }, results: data }

      """
    let router = try await House.open(targets: targets, routes: House.route("crm.log"))
    for call in 1...3 { try await router.accept("call_\(call)") }
    _ = await crm.request(1)
    try await router.crash()
    crm.answer("/calls") { request in
      let body = try? JSONValue.parse(request.body)
      let count = body?["data"]?.array?.count ?? 0
      return .json(#"{"data":[\#([String](repeating: "{}", count: count).joined(separator: ","))]}"#)
    }
    try await router.start()
    try await router.untilSettled(planned: 3)
    #expect(requests(crm, "/status").count == 3)
    let again = requests(crm, "/calls").dropFirst().flatMap { request in
      (try? JSONValue.parse(request.body))?["data"]?.array?.compactMap { $0["call"]?.string } ?? []
    }
    #expect(again.sorted() == ["call_2", "call_3"])
    try await router.expectAudit()
  }
}
