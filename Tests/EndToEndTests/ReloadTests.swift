// The configuration changes while the real binary runs: saved, ordered, refused, rolled back; and what deliveries make of it.

import DivertCore
import Foundation
import TestSupport
import Testing

@Suite("Going live", .bounded) struct ReloadTests {
  /// One target whose action tells the version; `extra` goes into the target.
  private static func config(_ version: String, _ crm: MisbehavingTarget, _ extra: String = "") -> String {
    House.config(
      targets: """
          crm:
            url: "\(crm.url(""))"
            network: private
            \(extra)
            actions: { log: { post: /log, body: { call: "{{ call.id }}", version: "v\(version)" } } }

        """,
      routes: House.sendToCRM)
  }

  private static func open(_ crm: MisbehavingTarget, _ extra: String = "") async throws -> RouterProcess {
    let router = try RouterProcess(config: config("1", crm, extra), secrets: ["ingest_key": House.key])
    try await router.start()
    return router
  }

  private static let broken = "version: 1\nroutes:\n  all: { sent: [crm.log] }\n"

  @Test("an editor's save by rename goes into force")
  func rename() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    try router.write(config: Self.config("2", crm))
    try await router.untilConfig { $0["number"]?.integer == 2 }
    try await router.accept("call_1")
    #expect(await crm.request(1).json["version"] == "v2")
    #expect(try await router.config()["who"] == "file")
    try await router.expectAudit()
  }

  @Test("a save in place, and two saves in a hurry, end with what was written last in force")
  func inPlace() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    let file = try FileHandle(forWritingTo: router.routesFile)
    try file.truncate(atOffset: 0)
    try file.write(contentsOf: Data(Self.config("2", crm).utf8))
    try file.close()
    try await router.untilConfig { $0["number"]?.integer == 2 }
    try router.write(config: Self.config("3", crm))
    try router.write(config: Self.config("4", crm))
    let last = ContentHash.short(Self.config("4", crm))
    try await router.untilConfig { $0["version"]?.string == last }
    try await router.accept("call_1")
    #expect(await crm.request(1).json["version"] == "v4")
  }

  @Test("a file in routes.d goes into force when it is saved, also when the folder is new")
  func folder() async throws {
    let (crm, other) = (MisbehavingTarget(), MisbehavingTarget())
    let router = try await Self.open(crm)
    let more = router.folder.appendingPathComponent("routes.d")
    try FileManager.default.createDirectory(at: more, withIntermediateDirectories: true)
    let text =
      "targets:\n" + House.target("other", other) + "routes:\n"
      + House.route("other.log")
      .replacingOccurrences(of: "all:", with: "more:")
    try text.write(to: more.appendingPathComponent("more.yaml"), atomically: true, encoding: .utf8)
    try await router.untilConfig { $0["files"]?.array?.count == 2 }
    try await router.accept("call_1")
    _ = await (crm.request(1), other.request(1))
    let back = try await router.divert("rollback", "1")
    #expect(back.status == 0, "\(back)")
    #expect(!FileManager.default.fileExists(atPath: more.appendingPathComponent("more.yaml").path))
    let again = try await router.divert("rollback", "2")
    #expect(again.status == 0, "\(again)")
    #expect(try String(contentsOf: more.appendingPathComponent("more.yaml"), encoding: .utf8) == text)
  }

  @Test("apply takes FILE with the routes.d beside it, and refuses to lose the router's without a word")
  func applyWhole() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    let files = FileManager.default
    let more = "routes:\n  missed: { when: { event: CALL_MISSED }, send: [crm.log] }\n"
    for folder in ["routes.d", "other/routes.d", "bare"] {
      try files.createDirectory(at: router.folder.appendingPathComponent(folder), withIntermediateDirectories: true)
    }
    func write(_ text: String, _ name: String) throws {
      try text.write(to: router.folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }
    try write(more, "other/routes.d/missed.yaml")
    try write(Self.config("2", crm), "other/routes.yaml")
    let whole = try await router.divert("apply", "other/routes.yaml")
    #expect(whole.status == 0, "\(whole)")
    #expect(files.fileExists(atPath: router.folder.appendingPathComponent("routes.d/missed.yaml").path))
    #expect(try await router.config()["files"]?.array?.count == 2)
    try write(Self.config("3", crm), "bare/routes.yaml")
    let bare = try await router.divert("apply", "bare/routes.yaml")
    #expect(bare.status == 1 && bare.err.contains("routes.d/missed.yaml would be gone"), "\(bare)")
    #expect(try await router.config()["number"]?.integer == 2)
  }

  @Test("a broken save keeps the old one, is said everywhere once, and is over when the file is good")
  func broken() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    try router.write(config: Self.broken)
    try await router.untilConfig { $0["file_in_force"]?.bool == false }
    try await router.accept("call_1")
    #expect(await crm.request(1).json["version"] == "v1")
    let status = try await router.divert("status").out
    #expect(status.contains("version 1 in force") && status.contains("'sent'"), "\(status)")
    #expect(status.contains("alarm: the saved configuration was refused"), "\(status)")
    let metrics = try await router.get("/metrics").answer.string ?? ""
    #expect(metrics.contains("divert_config_last_reload_successful 0"))
    #expect(metrics.contains("divert_config_reload_failures_total 1"))
    // The same once more is no new attempt: a save of something else is the signal that it was seen.
    try router.write(config: Self.broken)
    try router.write(config: Self.broken + "\n# still\n")
    try await router.untilConfig { $0["failures"]?.integer == 2 }
    try router.write(config: Self.config("2", crm))
    try await router.untilConfig { $0["file_in_force"]?.bool == true && $0["number"]?.integer == 2 }
    // The engine rings the alarm's end in a turn of its own, after the swap.
    try await router.until("the alarm's end is in the log") { router.log.contains("event=alarm_over ") }
    #expect(
      router.log.split(separator: "event=alarm ", omittingEmptySubsequences: false).count - 1 == 1, "\(router.log)")
    #expect(
      router.log.split(separator: "event=alarm_over ", omittingEmptySubsequences: false).count - 1 == 1, "\(router.log)"
    )
    #expect(
      router.log.split(separator: "event=config_refused ", omittingEmptySubsequences: false).count - 1 == 2,
      "\(router.log)")
    #expect(router.log.contains("event=config_diagnostic"), "\(router.log)")
    let after = try await router.get("/metrics").answer.string ?? ""
    #expect(after.contains("divert_config_last_reload_successful 1"))
  }

  @Test("a save that was refused for an absent secret goes into force when the secret appears")
  func secretAppears() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    try router.write(config: Self.config("2", crm, #"auth: { bearer: "{{ secrets.crm_token }}" }"#))
    try await router.untilConfig { $0["file_in_force"]?.bool == false }
    let file = router.folder.appendingPathComponent("secrets/crm_token")
    try "t0ken-of-the-crm".write(to: file, atomically: true, encoding: .utf8)
    try await router.untilConfig { $0["number"]?.integer == 2 }
    #expect(try await router.config()["way"] == "save")
  }

  @Test("failing tests: an apply is refused, despite them it goes into force, and a start only warns")
  func failingTests() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    let text =
      Self.config("2", crm) + "\ntests:\n  wrong: { given: { event: CALL_REJECTED, direction: INCOMING }, sends: [] }\n"
    try text.write(to: router.folder.appendingPathComponent("new.yaml"), atomically: true, encoding: .utf8)
    let refused = try await router.divert("apply", "new.yaml")
    #expect(refused.status == 1 && refused.err.contains("(new.yaml:"), "\(refused)")
    #expect(refused.err.contains("`divert test new.yaml`") && !refused.err.contains("(routes.yaml"), "\(refused)")
    let applied = try await router.divert("apply", "new.yaml", "--despite-tests")
    #expect(applied.status == 0 && applied.out.contains("though 1 of its 1 test fails"), "\(applied)")
    #expect(try await router.divert("history").out.contains("tests: 1 failed, put into force despite it"))
    try await router.terminate()
    try await router.start()
    #expect(router.log.contains("event=config_test_failed"))
    #expect(try await router.divert("status").out.contains("in force though a test of it fails: 'wrong'"))
  }

  @Test("an empty text, and what is not understood, is refused; a version that was not read, too")
  func notUnderstood() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    let empty = try await router.divert(["apply", "-"], input: "")
    #expect(empty.status == 1 && empty.err.contains("the file is empty"), "\(empty)")
    for (body, status) in [(#"{"text":""}"#, 422), (#"{"txt":"x"}"#, 400), (#"{"why":"a\u001b[2J"}"#, 400)] {
      let answer = try await router.order("/api/config", body)
      #expect(answer.status == status, "\(body): \(answer)")
    }
    #expect(try await router.order("/api/config", "{}", ["If-Match: \"0000\""]).status == 412)
    #expect(try await router.config()["number"]?.integer == 1)
  }

  @Test("an edit by command at a running router is in force when it returns, with who and how")
  func edit() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    let edited = try await router.divert("routes", "disable", "all")
    #expect(edited.status == 0 && edited.out.contains("version 2 ("), "\(edited)")
    let config = try await router.config()
    #expect(config["number"]?.integer == 2 && config["way"] == "edit" && config["who"] != "file")
  }

  @Test("a router that cannot listen leaves nothing in the history")
  func busy() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    let other = try RouterProcess(config: Self.config("1", crm), secrets: ["ingest_key": House.key])
    let port = String(router.operatorAddress.split(separator: ":").last ?? "")
    let refused = try await other.tryStart(["--listen", "127.0.0.1:\(port)"])
    #expect(refused.status == 1 && refused.err.contains("another program listens there"), "\(refused)")
    #expect(!refused.err.contains("CancellationError"), "\(refused)")
    let history = other.folder.appendingPathComponent("data/config-history")
    #expect((try? FileManager.default.contentsOfDirectory(atPath: history.path))?.isEmpty != false)
  }

  @Test("a secret that is absent refuses a save; SIGHUP tries it again when it is there")
  func secret() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    try router.write(config: Self.config("2", crm, #"auth: { bearer: "{{ secrets.crm_token }}" }"#))
    try await router.untilConfig { $0["file_in_force"]?.bool == false }
    #expect(try await router.config()["refused"]?["code"] == "secrets")
    let file = router.folder.appendingPathComponent("secrets/crm_token")
    try "t0ken-of-the-crm".write(to: file, atomically: true, encoding: .utf8)
    kill(router.pid, SIGHUP)
    try await router.untilConfig { $0["number"]?.integer == 2 }
    try await router.accept("call_1")
    let request = await crm.request(1)
    #expect(request.header("authorization") == "Bearer t0ken-of-the-crm")
    #expect(try await router.config()["way"] == "signal")
  }

  @Test("SIGHUP with the same file reads a source's key again")
  func rotatedKey() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    let file = router.folder.appendingPathComponent("secrets/ingest_key")
    try "another-k3y-of-the-source".write(to: file, atomically: true, encoding: .utf8)
    let body = SampleEvent.incomingRejected.body(
      callID: "c", phone: "919876543210", at: Timestamp(milliseconds: 1_768_473_025_000))
    #expect(try await router.post(body, key: "another-k3y-of-the-source").status == 401)
    kill(router.pid, SIGHUP)
    try await router.until("the key") {
      try await router.post(body, key: "another-k3y-of-the-source").status == 200
    }
    #expect(try await router.config()["number"]?.integer == 1)
  }

  @Test("waiting deliveries take the target's new address and keep their body")
  func newAddress() async throws {
    let (old, new) = (MisbehavingTarget { _ in .json("{}", status: 503) }, MisbehavingTarget())
    let router = try await Self.open(old)
    try await router.accept("call_1")
    let first = await old.request(1)
    try router.write(config: Self.config("2", new))
    let second = await new.request(1)
    #expect(second.body == first.body && second.json["version"] == "v1")
    #expect(second.header("idempotency-key") == first.header("idempotency-key"))
    try await router.accept("call_2")
    let third = await new.request(2)
    #expect(third.json["version"] == "v2")
    try await router.untilSettled(planned: 2)
    try await router.expectAudit()
  }

  @Test("a target that is gone drains as retired, by its last definition, also after a restart")
  func retired() async throws {
    let (crm, other) = (MisbehavingTarget { _ in .json("{}", status: 503) }, MisbehavingTarget())
    let router = try await Self.open(crm)
    try await router.accept("call_1")
    _ = await crm.request(1)
    try router.write(config: House.config(targets: House.target("other", other), routes: House.route("other.log")))
    try await router.untilConfig { $0["number"]?.integer == 2 }
    try await router.untilTarget("crm") { $0["state"] == "retired" || $0["state"] == "broken" }
    try await router.terminate()
    crm.answer { _ in .ok }
    let before = crm.requests.count
    try await router.start()
    #expect(await crm.request(before + 1).json["version"] == "v1")
    try await router.accept("call_2")
    _ = await other.request(1)
    try await router.untilSettled(planned: 2)
    try await router.expectAudit()
  }

  @Test("drop-waiting makes dead letters of a retired target's rest, running and stopped", arguments: [true, false])
  func dropWaiting(running: Bool) async throws {
    let (crm, other) = (MisbehavingTarget(), MisbehavingTarget())
    let router = try await Self.open(crm)
    _ = try await router.divert("targets", "pause", "crm")
    for number in 0..<40 { try await router.accept("call_\(number)", phone: "9198765432\(10 + number % 7)") }
    let early = try await router.divert("targets", "drop-waiting", "crm")
    #expect(early.status == 1 && early.err.contains("in the configuration"), "\(early)")
    try router.write(config: House.config(targets: House.target("other", other), routes: House.route("other.log")))
    try await router.untilConfig { $0["number"]?.integer == 2 }
    if !running { try await router.terminate() }
    let listed = try await router.divert("targets", "list").out
    #expect(listed.contains("retired (paused)") && listed.contains("`divert targets drop-waiting crm`"), "\(listed)")
    let dropped = try await router.divert("targets", "drop-waiting", "crm", "--reason", "the CRM was replaced")
    #expect(dropped.status == 0 && dropped.out.hasPrefix("40 given up"), "\(dropped)")
    #expect(crm.requests.isEmpty)
    let letters = try await router.json("dead-letters", "list", "--target", "crm")
    #expect(letters["dead_letters"]?.array?.count == 40)
    #expect(letters["dead_letters"]?.array?.first?["reason"]?["code"] == "given_up")
    try await router.expectAudit()
    // They can be sent after all when the target is back.
    try router.write(config: Self.config("3", crm))
    if running {
      try await router.untilConfig { $0["number"]?.integer == 3 }
      _ = try await router.divert("targets", "resume", "crm")
      let replay = try await router.divert("dead-letters", "replay", "--target", "crm")
      #expect(replay.status == 0, "\(replay)")
      _ = await crm.request(40)
      try await router.untilSettled(planned: 80)
      try await router.expectAudit()
    }
  }

  @Test("apply writes the file, keeps the history, and refuses what is wrong with everything as it was")
  func apply() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    let new = router.folder.appendingPathComponent("new.yaml")
    try Self.config("2", crm).write(to: new, atomically: true, encoding: .utf8)
    let applied = try await router.divert("apply", "new.yaml", "-m", "two is more than one")
    #expect(applied.status == 0 && applied.out.hasPrefix("version 2 "), "\(applied)")
    #expect(try String(contentsOf: router.routesFile, encoding: .utf8) == Self.config("2", crm))
    try await router.accept("call_1")
    #expect(await crm.request(1).json["version"] == "v2")
    let refused = try await router.divert(["apply", "-"], input: Self.broken)
    #expect(refused.status == 1 && refused.err.contains("standard input:3:10"), "\(refused)")
    #expect(refused.err.contains("version 2") && refused.err.contains("stays in force"), "\(refused)")
    #expect(try String(contentsOf: router.routesFile, encoding: .utf8) == Self.config("2", crm))
    #expect(try await router.config()["file_in_force"] == true)
    let versions = try await router.json("history")["versions"]?.array ?? []
    #expect(versions.map { $0["why"]?.string } == ["two is more than one", "the first start"])
    let shown = try await router.divert("history", "show", "2", "--diff")
    #expect(
      shown.out.contains("+    actions: { log: { post: /log, body: { call: \"{{ call.id }}\", version: \"v2\" } } }"))
    let back = try await router.divert("rollback", "1", "-m", "one was enough")
    #expect(back.status == 0 && back.out.hasPrefix("version 3 "), "\(back)")
    #expect(try String(contentsOf: router.routesFile, encoding: .utf8) == Self.config("1", crm))
    try await router.accept("call_2")
    let second = await crm.request(2)
    #expect(second.json["version"] == "v1")
    #expect(try await router.json("history")["versions"]?.array?.first?["rollback_of"]?.integer == 1)
  }

  @Test("what is applied while no router runs waits in the file, and is known when it starts")
  func offline() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    try await router.terminate()
    let refused = try await router.divert(["apply", "-"], input: Self.broken)
    #expect(refused.status == 1, "\(refused)")
    let applied = try await router.divert(["apply", "-", "-m", "at night"], input: Self.config("2", crm))
    #expect(applied.status == 0 && applied.out.contains("when the router starts"), "\(applied)")
    #expect(try await router.divert("history", "show", "2").out == Self.config("2", crm))
    #expect(try await router.divert("history").out.contains("not yet: written"))
    try await router.start()
    try await router.accept("call_1")
    #expect(await crm.request(1).json["version"] == "v2")
    #expect(try await router.config()["why"] == "at night")
    try await router.terminate()
    try router.write(config: Self.config("3", crm))
    try await router.start()
    #expect(try await router.config()["number"]?.integer == 3)
    #expect(try await router.config()["why"] == "the file had changed before this start")
  }

  @Test("a setting that needs a restart is named")
  func restart() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    let text = Self.config("2", crm) + "\nserver: { grace: 3s }\n"
    let applied = try await router.divert(["apply", "-"], input: text)
    #expect(applied.out.contains("needs a restart of the router: server.grace"), "\(applied)")
    #expect(try await router.divert("status").out.contains("needs a restart of the router: server.grace"))
    let back = try await router.divert("rollback", "1")
    #expect(!back.out.contains("restart"), "\(back)")
    try await router.terminate()
    let offline = try await router.divert(["apply", "-"], input: text)
    #expect(offline.status == 0 && !offline.out.contains("restart"), "\(offline)")
  }
}

extension RouterProcess {
  /// An order at the operator address.
  fileprivate func order(
    _ path: String, _ body: String, _ more: [String] = []
  ) async throws -> (status: Int, answer: JSONValue) {
    try await request(
      "POST", operatorAddress + path, body: Array(body.utf8),
      headers: ["Content-Type: application/json", "X-Divert-Request: 1"] + more)
  }

  var routesFile: URL { folder.appendingPathComponent("routes.yaml") }

  /// The configuration as `divert status` shows it.
  func config() async throws -> JSONValue { try await get("/api/status").answer["config"] ?? .null }

  func untilConfig(_ isSo: (JSONValue) -> Bool) async throws {
    try await until("the configuration") { isSo(try await config()) }
  }
}
