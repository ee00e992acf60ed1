// What was given up: found, read, mended, sent again, put away; while the router runs and while it does not.

import DivertCore
import Foundation
import TestSupport
import Testing

@Suite("Dead letters", .bounded) struct DeadLetterTests {
  /// A router with so many dead letters of a CRM that refuses, of customers 0, 1, 2 …
  private func house(_ count: Int, _ crm: MisbehavingTarget) async throws -> RouterProcess {
    crm.answer { _ in .json(#"{"error":"no"}"#, status: 422) }
    let router = try await House.open(
      targets: House.target("crm", crm, #"auth: { bearer: "{{ secrets.crm_token }}" }"#),
      secrets: ["crm_token": "crm-t0ken"])
    for number in 0..<count { try await router.accept("call_\(number)", phone: "91987654321\(number)") }
    try await router.untilSettled(planned: count)
    return router
  }

  /// Everything that lies there, as `list` shows it.
  private func list(_ router: RouterProcess, _ filters: String...) async throws -> [JSONValue] {
    let output = try await router.divert(["dead-letters", "list", "--format", "json"] + filters)
    guard output.status == 0 else { throw RouterProcess.Failure(description: "\(output)") }
    return try JSONValue.parse(Array(output.out.utf8))["dead_letters"]?.array ?? []
  }

  private func file(_ router: RouterProcess, _ letter: JSONValue?) -> URL {
    router.data.appendingPathComponent("dead-letters/" + (letter?["file"]?.string ?? "?"))
  }

  @Test("a letter holds event, request and attempts for a person to read, and no secret; filters find it")
  func shown() async throws {
    let crm = MisbehavingTarget()
    let router = try await house(3, crm)
    #expect(try await list(router).count == 3)
    let one = try await list(router, "--phone", "98765 43211")
    #expect(one.count == 1 && one[0]["phone"] == "+919876543211", "\(one)")
    #expect(
      try await list(router, "--target", "crm", "--route", "all", "--reason", "rejected", "--since", "1h").count == 3)
    for none in [["--reason", "gone"], ["--until", "1h"]] {
      let output = try await router.divert(["dead-letters", "list", "--format", "json"] + none)
      #expect(output.out.contains(#""count": 0"#), "\(none): \(output)")
    }
    for unknown in [["--target", "cmr"], ["--route", "al"], ["--reason", "rejcted"]] {
      let output = try await router.divert(["dead-letters", "list"] + unknown)
      #expect(output.status == 1 && output.err.contains("did you mean"), "\(unknown): \(output)")
    }
    let text = try String(contentsOf: file(router, one.first), encoding: .utf8)
    #expect(text.contains("call_1") && text.contains("{{ secrets.crm_token }}") && text.contains("422"))
    #expect(!text.contains("crm-t0ken"))
    let shown = try await router.divert("dead-letters", "show", one[0]["id"]?.string ?? "")
    #expect(shown.status == 0 && shown.out.contains("/log") && !shown.out.contains("crm-t0ken"))
    let folder = file(router, one.first).deletingLastPathComponent().path
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 3)
    try await router.expectAudit()
  }

  @Test("--dry-run prints the requests with secrets by name and sends nothing")
  func dryRun() async throws {
    let crm = MisbehavingTarget()
    let router = try await house(2, crm)
    let dry = try await router.divert("dead-letters", "replay", "--all", "--dry-run")
    #expect(dry.status == 0 && dry.out.contains("POST \(crm.url("/log"))"), "\(dry)")
    #expect(dry.out.contains("call_1") && dry.out.contains("{{ secrets.crm_token }}") && !dry.out.contains("crm-t0ken"))
    #expect(try await list(router).count == 2)
    try await router.accept("call_9")
    _ = await crm.request(3)
    #expect(crm.calls.sorted() == ["call_0", "call_1", "call_9"])
  }

  @Test("an edited request is sent as edited, under a new key, with its own secret")
  func edited() async throws {
    let crm = MisbehavingTarget()
    let router = try await house(1, crm)
    let id = try await list(router).first?["id"]?.string ?? ""
    let edit = try await router.divert(
      "dead-letters", "edit", id, "--set", "request.body.call=mended", "--set", "request.headers.X-By=hand")
    #expect(edit.status == 0, "\(edit)")
    crm.answer { _ in .ok }
    let replay = try await router.divert("dead-letters", "replay", id)
    #expect(replay.status == 0, "\(replay)")
    let sent = await crm.request(2)
    #expect(sent.json["call"] == "mended" && sent.json["customer"] == "+919876543210")
    #expect(sent.header("x-by") == "hand" && sent.header("authorization") == "Bearer crm-t0ken")
    #expect(sent.header("idempotency-key")?.isEmpty == false)
    #expect(sent.header("idempotency-key") != crm.requests[0].header("idempotency-key"))
    try await router.untilSettled(planned: 2)
    try await router.expectAudit()
  }

  @Test("an edit to another host, or with another target's secret, is refused and changes nothing")
  func refusedEdits() async throws {
    let (crm, thief) = (MisbehavingTarget(), MisbehavingTarget())
    let router = try await house(1, crm)
    let letter = try await list(router).first
    let id = letter?["id"]?.string ?? ""
    let before = try Data(contentsOf: file(router, letter))
    for setting in [
      "request.url=\(thief.url("/log"))", "request.url=http://127.0.0.1:\(crm.port)@127.0.0.1:\(thief.port)/log",
      "request.body.call={{ secrets.ingest_key }}",
    ] {
      let edit = try await router.divert("dead-letters", "edit", id, "--set", setting)
      #expect(edit.status == 1, "\(setting): \(edit)")
    }
    let noTerminal = try await router.divert("dead-letters", "edit", id)
    #expect(noTerminal.status == 1 && noTerminal.err.contains("--set"), "\(noTerminal)")
    #expect(try Data(contentsOf: file(router, letter)) == before)

    // The same by hand in the file: refused at the replay.
    let text = try String(contentsOf: file(router, letter), encoding: .utf8)
    try text.replacingOccurrences(of: crm.url("/log"), with: thief.url("/log"))
      .write(to: file(router, letter), atomically: true, encoding: .utf8)
    let replay = try await router.divert("dead-letters", "replay", id)
    #expect(replay.status == 1 && replay.out.contains("scheme and host"), "\(replay)")
    #expect(thief.connections == 0 && crm.requests.count == 1)
  }

  @Test("a target that stays down ends in a dead letter, whose replay has full retries once it is back")
  func exhausted() async throws {
    let crm = MisbehavingTarget { $0.number <= 4 ? .json("{}", status: 503) : .ok }
    let router = try await House.open(
      targets: House.target("crm", crm), retry: "{ for: 24h, backoff: 1ms..5ms, attempts: 3 }")
    try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    #expect(try await router.states("call_1") == ["crm.log": "dead attempts_exhausted"])
    #expect(try await list(router).first?["attempts"]?.integer == 3)
    let replay = try await router.divert("dead-letters", "replay", "--reason", "attempts_exhausted")
    #expect(replay.status == 0 && replay.out.contains(" as dlv_"), "\(replay)")
    try await router.untilSettled(planned: 2)
    #expect(crm.requests.count == 5)
    #expect(Set(crm.requests.map { $0.header("idempotency-key") }).count == 1)
    #expect(try await list(router).isEmpty)
    try await router.expectAudit()
  }

  @Test("a letter of another router's store is refused with the reason and stays")
  func foreign() async throws {
    let crm = MisbehavingTarget()
    let (one, other) = (try await house(1, crm), try await house(0, crm))
    let letter = try await list(one).first
    let copy = file(other, letter)
    try FileManager.default.createDirectory(at: copy.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: file(one, letter), to: copy)
    #expect(try await list(other).count == 1)
    let replay = try await other.divert("dead-letters", "replay", "--all")
    #expect(replay.status == 1 && replay.out.contains("not in this store"), "\(replay)")
    #expect(FileManager.default.fileExists(atPath: copy.path) && crm.requests.count == 1)
  }

  @Test("a replayed letter moves, a second replay of it by a copied file sends nothing")
  func twice() async throws {
    let crm = MisbehavingTarget()
    let router = try await house(1, crm)
    let letter = try await list(router).first
    let copy = try Data(contentsOf: file(router, letter))
    let gate = Gate()
    crm.answer { _ in .slow(gate, then: .ok) }
    #expect(try await router.divert("dead-letters", "replay", "--target", "crm").status == 0)
    _ = await crm.request(2)
    #expect(!FileManager.default.fileExists(atPath: file(router, letter).path))
    try copy.write(to: file(router, letter))
    let again = try await router.divert("dead-letters", "replay", "--all", "--format", "json")
    #expect(again.out.contains("already_replayed"), "\(again)")
    gate.open()
    try await router.untilSettled(planned: 2)
    try copy.write(to: file(router, letter))
    _ = try await router.divert("dead-letters", "replay", "--all")
    try await router.accept("call_9")
    _ = await crm.request(3)
    try await router.untilSettled(planned: 3)
    #expect(crm.calls == ["call_0", "call_0", "call_9"])
    try await router.expectAudit()
  }

  @Test("a replay that a kill cut off is run again: every letter is delivered, none successfully twice")
  func replayKilled() async throws {
    let crm = MisbehavingTarget()
    let router = try await house(9, crm)
    crm.answer { _ in .hang }
    async let cut = router.divert("dead-letters", "replay", "--all", "--rate", "3/s")
    _ = await crm.request(11)
    try await router.crash()
    #expect(try await cut.status != 0)
    let before = crm.requests.count
    crm.answer { _ in .ok }
    try await router.start()
    let again = try await router.divert("dead-letters", "replay", "--all")
    #expect(again.status == 0, "\(again)")
    try await router.untilSettled(planned: 18)
    #expect(crm.calls.dropFirst(before).sorted() == (0..<9).map { "call_\($0)" })
    #expect(try await list(router).isEmpty)
    try await router.expectAudit()
  }

  @Test("a damaged file is reported by name and left alone; a file copied in by hand is replayed under the same rules")
  func byHand() async throws {
    let crm = MisbehavingTarget()
    let router = try await house(2, crm)
    let letters = try await list(router)
    let folder = file(router, letters.first).deletingLastPathComponent()
    try Data("{ \"divert\": 1, ".utf8).write(to: folder.appendingPathComponent("broken.json"))
    // Another name, as a person would give it; the first one's own file is gone.
    try FileManager.default.moveItem(at: file(router, letters.first), to: folder.appendingPathComponent("mine.json"))
    let shown = try await router.divert("dead-letters", "list")
    #expect(shown.status == 0 && shown.out.contains("damaged") && shown.out.contains("broken.json"), "\(shown)")
    crm.answer { _ in .ok }
    let replay = try await router.divert("dead-letters", "replay", "--all")
    #expect(
      replay.status == 1 && replay.out.contains("broken.json") && replay.out.contains("2 replayed, 1 refused"),
      "\(replay)")
    try await router.untilSettled(planned: 4)
    #expect(crm.calls.sorted() == ["call_0", "call_0", "call_1", "call_1"])
    #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent("broken.json").path))
    #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("mine.json").path))
  }

  @Test("a delivered delivery's file cannot be sent again, and a dropped one is put away and still accounted for")
  func dropped() async throws {
    let crm = MisbehavingTarget()
    let router = try await house(2, crm)
    let letters = try await list(router)
    #expect(try await router.divert("dead-letters", "drop").status == 1)
    let drop = try await router.divert("dead-letters", "drop", letters[0]["id"]?.string ?? "")
    #expect(drop.status == 0 && drop.out.contains("1 dropped"), "\(drop)")
    #expect(try await list(router).count == 1)
    let metrics = try await router.get("/metrics").answer.string ?? ""
    #expect(metrics.contains(#"divert_dead_letters{target="crm"} 1"#), "\(metrics)")
    #expect(metrics.contains(#"divert_deliveries_total{target="crm",state="dead"} 2"#), "\(metrics)")
    try await router.expectAudit()

    // A letter of a delivery that is alive.
    crm.answer { _ in .ok }
    let event = try await router.accept("call_8")
    try await router.untilSettled(planned: 3)
    let text = try String(contentsOf: file(router, letters[1]), encoding: .utf8)
    let old = letters[1]["event"]?.string ?? "?"
    let forged = text.replacingOccurrences(of: old, with: event)
      .replacingOccurrences(
        of: old.replacingOccurrences(of: "evt_", with: "dlv_"),
        with: event.replacingOccurrences(of: "evt_", with: "dlv_"))
    #expect(forged != text)
    try forged.write(
      to: file(router, letters[1]).deletingLastPathComponent().appendingPathComponent("forged.json"), atomically: true,
      encoding: .utf8)
    let replay = try await router.divert("dead-letters", "replay", "forged.json")
    #expect(replay.status == 1 && replay.out.contains("not dead"), "\(replay)")
    #expect(crm.requests.count == 3)
  }

  @Test("letters are listed, edited, dropped and replayed while the router is stopped; the start sends them")
  func stopped() async throws {
    let crm = MisbehavingTarget()
    let router = try await house(3, crm)
    #expect(try await router.terminate() == 0)
    let letters = try await list(router)
    #expect(letters.count == 3)
    let ids = letters.map { $0["id"]?.string ?? "" }
    #expect(try await router.divert("dead-letters", "edit", ids[0], "--set", "request.body.call=mended").status == 0)
    #expect(try await router.divert("dead-letters", "drop", ids[1]).status == 0)
    let replay = try await router.divert("dead-letters", "replay", "--all")
    #expect(replay.status == 0 && replay.out.contains("2 replayed"), "\(replay)")
    try await router.expectAudit()
    #expect(crm.requests.count == 3)
    crm.answer { _ in .ok }
    try await router.start()
    try await router.untilSettled(planned: 5)
    #expect(crm.calls.suffix(2).sorted() == ["call_2", "mended"])
    try await router.expectAudit()
  }

  @Test("a replay runs under today's definition, or with --as-was under its own")
  func definitions() async throws {
    let crm = MisbehavingTarget()
    let router = try await house(2, crm)
    #expect(try await router.terminate() == 0)
    let today = House.config(
      targets: House.target("crm", crm, #"auth: { bearer: "{{ secrets.crm_token }}" }"#), routes: House.sendToCRM)
    try router.write(config: today.replacingOccurrences(of: "{ call: \"", with: "{ renamed: \""))
    crm.answer { _ in .ok }
    try await router.start()
    #expect(try await router.divert("dead-letters", "replay", "--phone", "919876543210").status == 0)
    #expect(await crm.request(3).json["renamed"] == "call_0")
    #expect(try await router.divert("dead-letters", "replay", "--phone", "919876543211", "--as-was").status == 0)
    #expect(await crm.request(4).json["call"] == "call_1")
    try await router.untilSettled(planned: 4)
    try await router.expectAudit()
  }
}
