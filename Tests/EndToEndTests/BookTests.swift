// What routes remember, with the real binary: new counts over old events, kill -9 while history is read, what older versions ask,
// the suppression list and promises.

import DivertCore
import DivertStore
import Foundation
import TestSupport
import Testing

@Suite("Memory", .bounded) struct BookTests {
  private static func counting(_ count: Int, _ crm: MisbehavingTarget) -> String {
    House.config(
      targets: House.target("crm", crm),
      routes:
        "  often: { when: { event: CALL_REJECTED, count: { at_least: \(count), within: 7d } }, send: [crm.log] }\n")
  }

  private static func quiet(_ crm: MisbehavingTarget) -> String {
    House.config(
      targets: House.target("crm", crm), routes: "  none: { when: { event: CALL_ENDED }, send: [crm.log] }\n")
  }

  @Test("a count that a reload adds is right from the first event after it")
  func reload() async throws {
    let crm = MisbehavingTarget()
    let router = try RouterProcess(config: Self.quiet(crm), secrets: ["ingest_key": House.key])
    try await router.start()
    for call in ["call_1", "call_2"] { try await router.accept(now: .incomingRejected, call) }
    try Self.counting(3, crm).write(
      to: router.folder.appendingPathComponent("next.yaml"), atomically: true, encoding: .utf8)
    let applied = try await router.divert("apply", "next.yaml")
    #expect(applied.status == 0 && applied.out.contains("was gathered from history: 2 events"), "\(applied)")
    try await router.accept(now: .incomingRejected, "call_3")
    #expect(await crm.request(1).json["call"] == "call_3")
    // A restart forgets nothing, and a call that is delivered twice is one.
    try await router.terminate()
    try await router.start()
    try await router.accept(now: .incomingRejected, "call_4", phone: "919876543211")
    try await router.accept(now: .incomingRejected, "call_5")
    #expect(await crm.request(2).json["call"] == "call_5")
    #expect(crm.calls == ["call_3", "call_5"])
    try await router.expectAudit()
  }

  /// So many rejected calls of the last hours, of a hundred customers; the same two of one customer.
  private static func remember(_ count: Int, in data: URL, twice phone: String) throws {
    try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
    let store = try SQLiteStore.open(folder: data.path, sandbox: false)
    let began = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) - .hours(6)
    for block in 0..<(count / 1000) {
      var batch = StoreBatch()
      for place in block * 1000..<block * 1000 + 1000 {
        let at = began + .milliseconds(Int64(place) * 1000)
        var fields = Event.Fields(name: "CALL_REJECTED", at: at)
        fields.callID = "old_\(place)"
        fields.customerPhone = place == 7 || place == count - 7 ? phone : "+9198700000\(10 + place % 90)"
        let content = EventContent(
          source: "doubletick", receivedAt: at, fields: fields, body: Array("{}".utf8), raw: [:])
        batch.appends.append(Append(content, dedupe: nil, plan: Plan(), table: RouteTable(RouteTable.Parts())))
      }
      _ = try store.commit(batch, now: began + .hours(6))
    }
    try store.close()
  }

  @Test("kill -9 while history is read: the next start reads it, and no call is missing or counted twice")
  func crash() async throws {
    let crm = MisbehavingTarget()
    let router = try RouterProcess(config: Self.quiet(crm), secrets: ["ingest_key": House.key])
    try Self.remember(40_000, in: router.data, twice: "+919876543210")
    try await router.start()
    try router.write(config: Self.counting(4, crm))
    try await router.until("history is read") { router.log.contains("event=books_gather ") }
    try await router.accept(now: .incomingRejected, "meanwhile")
    try await router.crash()
    #expect(!router.log.contains("event=books_gathered "), "it was over before the crash: more history is needed")
    try await router.start()
    #expect(router.log.contains("event=books_gathered "))
    try await router.accept(now: .incomingRejected, "third", phone: "919876543211")
    try await router.accept(now: .incomingRejected, "fourth")
    #expect(await crm.request(1).json["call"] == "fourth")
    #expect(crm.calls == ["fourth"])
    try await router.expectAudit()
  }

  @Test("what a message of an older version waits for is still noticed after a reload and a restart")
  func olderVersion() async throws {
    let crm = MisbehavingTarget()
    let waiting = House.config(
      targets: House.target("crm", crm),
      routes: """
          calls: { when: { event: CALL_REJECTED }, send: [{ crm.log: {}, unless: { event: CALL_ACCEPTED } }] }

        """)
    let router = try RouterProcess(config: waiting, secrets: ["ingest_key": House.key])
    try await router.start()
    #expect(try await router.divert("targets", "pause", "crm").status == 0)
    try await router.accept(now: .incomingRejected, "call_1")
    try router.write(config: Self.quiet(crm))
    try await router.until("the next version is in force") {
      try await router.get("/api/status").answer["config"]?["number"]?.integer == 2
    }
    try await router.terminate()
    try await router.start()
    try await router.accept(now: .accepted, "call_2")
    #expect(try await router.divert("targets", "resume", "crm").status == 0)
    try await router.until("it is skipped") { try await router.states("call_1")["crm.log"] == "skipped unless" }
    #expect(crm.calls == [])
  }

  @Test("the list of suppressed phones is obeyed from the answer on, over a restart, and is kept while no router runs")
  func suppression() async throws {
    let whatsapp = MisbehavingTarget()
    let router = try await House.open(
      targets: """
          whatsapp:
            url: "\(whatsapp.url(""))"
            network: private
            actions:
              text: { post: /text, to_person: true, class: answer, body: { call: "{{ call.id }}" } }
              offer: { post: /offer, to_person: true, body: { call: "{{ call.id }}" } }

        """,
      routes: """
          all: { when: { event: CALL_REJECTED }, send: [whatsapp.text, whatsapp.offer] }
          asked: { when: { event: CALL_REJECTED, suppressed: true }, send: [whatsapp.text] }

        """)
    let added = try await router.divert("suppress", "add", "09876543210", "--reason", "grievance", "--for", "30d")
    #expect(added.status == 0 && added.out.contains("+919876543210 is on the list (grievance) until"), "\(added)")
    try await router.accept(now: .incomingRejected, "call_1")
    _ = await (whatsapp.request(1), whatsapp.request(2))
    try await router.until("the offer is withheld") {
      try await router.states("call_1")["whatsapp.offer"] == "skipped suppressed"
    }
    #expect(whatsapp.requests.allSatisfy { $0.path == "/text" })
    try await router.terminate()
    let all = try await router.divert("suppress", "add", "9876543210", "--reason", "grievance", "--all")
    #expect(all.status == 0 && all.out.contains("no message goes there"), "\(all)")
    let file = "phone,why\n\"+919876543219\",x\n# none\n\n98765 43218;y\n"
    let list = try await router.divert(["suppress", "add", "--reason", "list", "--file", "-"], input: file)
    #expect(list.status == 0 && list.out.contains("+919876543219") && list.out.contains("+919876543218"), "\(list)")
    try await router.start()
    #expect(try await router.json("suppress", "list")["count"]?.integer == 3)
    try await router.accept(now: .incomingRejected, "call_2")
    try await router.until("everything is withheld") {
      try await router.deliveries("call_2").filter { $0["reason"]?["code"] == "suppressed" }.count == 3
    }
    let removed = try await router.divert("suppress", "remove", "9876543210")
    #expect(removed.status == 0 && removed.out == "+919876543210 is off the list\n", "\(removed)")
    try await router.accept(now: .incomingRejected, "call_3")
    _ = await (whatsapp.request(3), whatsapp.request(4))
    #expect(Set(whatsapp.requests.dropFirst(2).map(\.path)) == ["/text", "/offer"])
    let wrong = try await router.divert("suppress", "add", "nobody", "--reason", "x")
    #expect(wrong.status == 1 && wrong.err.contains("no phone number that can be read"), "\(wrong)")
    #expect(try await router.divert("suppress", "remove", "9876543210").status == 1)
    try await router.expectAudit()
  }

  @Test("a promise is open, then kept, and told by list, find, status and metrics")
  func promise() async throws {
    let crm = MisbehavingTarget()
    let router = try await House.open(
      targets: House.target("crm", crm),
      routes: """
          declined:
            when: { event: CALL_REJECTED }
            expect: { when: { event: CALL_ACCEPTED }, within: 1h, else: [crm.log] }

        """)
    let opener = try await router.accept(now: .incomingRejected, "call_1")
    let open = try await router.divert("promises", "list", "--open")
    #expect(open.status == 0 && open.out.contains("open until") && open.out.contains(opener), "\(open)")
    try await router.accept(now: .accepted, "call_2", later: .minutes(3))
    let kept = try await router.json("promises", "list", "--kept")
    #expect(kept["promises"]?.array?.first?["kept_after_seconds"]?.integer == 180, "\(kept)")
    #expect(try await router.divert("promises", "list", "--broken").out == "no such promise\n")
    let found = try await router.divert("find", "call_1").out
    #expect(found.contains("promise of declined") && found.contains("kept after 3m"), "\(found)")
    let status = try await router.divert("status").out
    #expect(status.contains("promises of the last 24 hours: 0 open, 1 kept, 0 broken"), "\(status)")
    let metrics = try await router.get("/metrics").answer.string ?? ""
    #expect(metrics.contains(#"divert_promises{standing="kept"} 1"#))
    #expect(try await router.divert("promises", "list", "--open", "--kept").status == 64)
  }
}

extension RouterProcess {
  /// Posts an event that happens now (or later, by a sender's clock that goes ahead) and returns its id.
  @discardableResult
  fileprivate func accept(
    now event: SampleEvent, _ call: String, phone: String = "919876543210", later: Span = .zero
  ) async throws -> String {
    let at = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    let answer = try await post(event.body(callID: call, phone: phone, at: at + later), key: House.key)
    guard answer.status == 200, let id = answer.answer["id"]?.string else {
      throw Failure(description: "not accepted: \(answer)")
    }
    return id
  }
}
