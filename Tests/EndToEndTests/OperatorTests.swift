// What operators are promised beside deliveries: planning again, cancelling, backup, audit, and what machines read.

import DivertCore
import Foundation
import GRDBSQLite
import TestSupport
import Testing

@Suite("Operating", .bounded) struct OperatorTests {
  @Test("events that matched nothing are planned by `rerun --unmatched` after a route was added, once")
  func rerun() async throws {
    let crm = MisbehavingTarget()
    let targets = House.target("crm", crm)
    let none = "  none: { when: { event: CALL_ENDED }, send: [crm.log] }\n"
    let router = try await House.open(targets: targets, routes: none)
    for call in 1...3 { try await router.accept("call_\(call)") }
    #expect(try await router.terminate() == 0)
    try router.write(config: House.config(targets: targets, routes: none + House.sendToCRM))
    try await router.start()
    let dry = try await router.divert("rerun", "--since", "1h", "--unmatched", "--dry-run")
    #expect(dry.status == 0 && dry.out.contains("3 deliveries would be planned"), "\(dry)")
    let rerun = try await router.divert("rerun", "--since", "1h", "--unmatched")
    #expect(rerun.status == 0 && rerun.out.contains("3 deliveries planned"), "\(rerun)")
    try await router.untilSettled(planned: 3)
    let again = try await router.divert("rerun", "--since", "1h")
    #expect(again.out.contains("0 deliveries planned, 3 there already"), "\(again)")
    #expect(crm.calls.sorted() == ["call_1", "call_2", "call_3"])
    try await router.expectAudit()
  }

  @Test("a paused target's deliveries wait, also over a restart, and can be cancelled")
  func pauseAndCancel() async throws {
    let (crm, hook) = (MisbehavingTarget(), MisbehavingTarget())
    let router = try await House.open(
      targets: House.target("crm", crm) + House.target("hook", hook), routes: House.route("crm.log, hook.log"))
    #expect(try await router.divert("targets", "pause", "crm", "--reason", "migration").status == 0)
    for call in 1...3 { try await router.accept("call_\(call)") }
    _ = await hook.request(3)
    #expect(try await router.divert("status").out.contains("migration"))
    #expect(try await router.terminate() == 0)
    try await router.start()
    let event = try await router.accept("call_4")
    _ = await hook.request(4)
    #expect(crm.connections == 0)
    let one = try await router.divert("cancel", "--target", "crm", "--event", event)
    #expect(one.out.contains("1 cancelled"), "\(one)")
    let rest = try await router.divert("cancel", "--target", "crm")
    #expect(rest.out.contains("3 cancelled"), "\(rest)")
    #expect(try await router.divert("targets", "resume", "crm").status == 0)
    try await router.accept("call_5")
    _ = await crm.request(1)
    try await router.untilSettled(planned: 10)
    #expect(crm.calls == ["call_5"])
    #expect(try await router.states("call_1")["crm.log"] == "skipped cancelled")
    try await router.expectAudit()
  }

  @Test("a backup of a running store opens as a store and goes on from where it was")
  func backup() async throws {
    let crm = MisbehavingTarget()
    let router = try await House.open(targets: House.target("crm", crm))
    for call in 1...3 { try await router.accept("call_\(call)") }
    try await router.untilSettled(planned: 3)
    #expect(try await router.divert("targets", "pause", "crm").status == 0)
    try await router.accept("call_4")
    let folder = router.folder.appendingPathComponent("copy")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    let file = folder.appendingPathComponent("divert.sqlite").path
    let backup = try await router.divert("backup", file)
    #expect(backup.status == 0, "\(backup)")
    #expect(try await router.divert("backup", file).status == 1)
    let audit = try await router.divert("audit", "--data", "copy")
    #expect(audit.status == 0 && audit.out.contains("4 planned"), "\(audit)")
    #expect(try await router.terminate() == 0)
    try await router.start(["--data", "copy"])
    let answer = try await router.post(
      SampleEvent.incomingRejected.body(
        callID: "call_1", phone: "919876543210", at: Timestamp(milliseconds: 1_768_473_025_000)), key: House.key)
    #expect(answer.answer["status"] == "duplicate")
    #expect(try await router.divert("targets", "resume", "crm", "--data", "copy").status == 0)
    #expect(await crm.request(4).json["call"] == "call_4")
  }

  @Test("the audit fails when a row was tampered with, and when a dead letter's file is gone")
  func audit() async throws {
    let crm = MisbehavingTarget { $0.json["call"] == "call_1" ? .status(422) : .ok }
    let router = try await House.open(targets: House.target("crm", crm))
    for call in 1...2 { try await router.accept("call_\(call)") }
    try await router.untilSettled(planned: 2)
    #expect(try await router.terminate() == 0)
    try await router.expectAudit()
    let letters = router.data.appendingPathComponent("dead-letters")
    let aside = router.folder.appendingPathComponent("aside")
    try FileManager.default.moveItem(at: letters, to: aside)
    let bare = try await router.divert("audit")
    #expect(bare.status == 1 && bare.out.contains("no file"), "\(bare)")
    if FileManager.default.fileExists(atPath: letters.path) { try FileManager.default.removeItem(at: letters) }
    try FileManager.default.moveItem(at: aside, to: letters)
    try await router.expectAudit()
    try tamper(router, "UPDATE deliveries SET state = 2 WHERE state = 3")
    let tampered = try await router.divert("audit")
    #expect(tampered.status == 1 && tampered.out.contains("do not balance"), "\(tampered)")
    try tamper(router, "DELETE FROM deliveries")
    let emptied = try await router.divert("audit")
    #expect(emptied.status == 1 && emptied.out.contains("has no row"), "\(emptied)")
  }

  @Test("find tells of an event by phone, call and id: which routes matched, why others did not, every attempt")
  func find() async throws {
    let crm = MisbehavingTarget { $0.number == 1 ? .json("busy", status: 503) : .ok }
    let router = try await House.open(
      targets: House.target("crm", crm),
      routes: House.sendToCRM + "  borrower: { when: { direction: OUTGOING }, send: [crm.log] }\n")
    let event = try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    for what in ["call_1", event, "+919876543210", "98765 43210"] {
      let found = try await router.divert("find", what)
      for part in [event, "✓ all", "✗ borrower: direction", "delivered", "503", "200"] {
        #expect(found.out.contains(part), "\(part) is not in \(found)")
      }
    }
    #expect(try await router.divert("find", "call_2").status == 1)
  }

  @Test("send takes a sample, a file and standard input, tells the deliveries, and fails when one died")
  func send() async throws {
    let crm = MisbehavingTarget()
    let router = try await House.open(targets: House.target("crm", crm))
    let sample = try await router.divert("send", "outgoing-rejected", "--call-id", "call_1")
    #expect(sample.status == 0 && sample.out.contains("accepted as evt_") && sample.out.contains("200 in"), "\(sample)")
    let again = try await router.divert("send", "outgoing-rejected", "--call-id", "call_1")
    #expect(again.out.contains("duplicate as evt_"), "\(again)")
    let body = SampleEvent.incomingRejected.body(
      callID: "call_2", phone: "919876543210", at: Timestamp(milliseconds: 0)
    ).text
    #expect(try await router.divert("send", "-", input: body).status == 0)
    let file = router.folder.appendingPathComponent("event.json")
    try body.replacingOccurrences(of: "call_2", with: "call_3").write(to: file, atomically: true, encoding: .utf8)
    #expect(try await router.divert("send", file.path).status == 0)
    #expect(crm.calls == ["call_1", "call_2", "call_3"])
    crm.answer { _ in .status(422) }
    let died = try await router.divert("send", "incoming-rejected")
    #expect(died.status == 1 && died.out.contains("dead"), "\(died)")
    let refused = try await router.divert("send", "-", input: "{}{")
    #expect(refused.status == 1 && refused.err.contains("not JSON"), "\(refused)")
  }

  /// Changes the stopped router's store behind its back.
  private func tamper(_ router: RouterProcess, _ sql: String) throws {
    var connection: OpaquePointer?
    defer { sqlite3_close(connection) }
    let path = router.data.appendingPathComponent("divert.sqlite").path
    guard sqlite3_open(path, &connection) == SQLITE_OK, sqlite3_exec(connection, sql, nil, nil, nil) == SQLITE_OK,
      sqlite3_changes(connection) > 0
    else { throw RouterProcess.Failure(description: "\(sql) changed nothing") }
  }
}

@Suite("What machines read", .bounded) struct ObservabilityTests {
  /// A router with something in every family: delivered, dead, held, waiting, a duplicate, a refusal.
  private func busy() async throws -> (RouterProcess, MisbehavingTarget) {
    let crm = MisbehavingTarget { $0.json["call"] == "call_1" ? .status(422) : .ok }
    let held = MisbehavingTarget { _ in .status(401) }
    let router = try await House.open(
      targets: House.target("crm", crm) + House.target("held", held), routes: House.route("crm.log, held.log"))
    for call in ["call_1", "call_2", "call_2"] { try await router.accept(call) }
    _ = try await router.post([1], key: House.key)
    _ = await crm.request(2)
    try await router.untilTarget("held") { $0["state"] == "held" }
    try await router.untilTarget("crm") { $0["dead"]?.integer == 1 && $0["delivered"]?.integer == 1 }
    return (router, held)
  }

  @Test("/metrics counts what happened")
  func metrics() async throws {
    let (router, _) = try await busy()
    let page = try await router.get("/metrics").answer.string ?? ""
    for line in [
      #"divert_events_total{source="doubletick",status="accepted"} 2"#,
      #"divert_events_total{source="doubletick",status="duplicate"} 1"#,
      #"divert_events_total{source="doubletick",status="quarantined"} 1"#,
      #"divert_deliveries_total{target="crm",state="planned"} 2"#,
      #"divert_deliveries_total{target="crm",state="delivered"} 1"#,
      #"divert_dead_letters{target="crm"} 1"#, #"divert_deliveries_waiting{target="held"} 2"#,
      #"divert_target_held{target="held",kind="held"} 1"#, #"divert_attempts_total{target="crm",outcome="ok"} 1"#,
    ] { #expect(page.contains(line + "\n"), "\(line) is not in \(page)") }
  }

  @Test(
    "promtool accepts /metrics",
    .enabled(if: Promtool.path != nil, "promtool is not on PATH; scripts/test puts it there"))
  func promtool() async throws {
    let (router, _) = try await busy()
    let page = try await router.get("/metrics").answer.string ?? ""
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Promtool.path))
    process.arguments = ["check", "metrics"]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    process.standardError = output
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(page.utf8))
    try input.fileHandleForWriting.close()
    let said = try await background {
      String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(said)")
  }

  @Test("/healthz and /readyz answer; another Host name and an order without its header are refused")
  func protection() async throws {
    let router = try await House.open(targets: House.target("crm", MisbehavingTarget()))
    #expect(try await router.get("/healthz").status == 200)
    #expect(try await router.get("/readyz").status == 200)
    let rebound = try await router.request(
      "GET", router.operatorAddress + "/api/status", headers: ["Host: evil.example.com"])
    #expect(rebound.status == 421 && rebound.answer["error"]?["code"] == "wrong_host")
    let forged = try await router.request(
      "POST", router.operatorAddress + "/api/targets/pause", body: Array(#"{"target":"crm"}"#.utf8),
      headers: ["Content-Type: application/json"])
    #expect(forged.status == 403 && forged.answer["error"]?["code"] == "no_order")
    #expect(try await router.target("crm")["state"] == "open")
  }

  @Test("with an operator key, questions and orders need it")
  func operatorKey() async throws {
    let router = try await House.open(
      targets: House.target("crm", MisbehavingTarget()),
      top: #"server: { operator_key: "{{ secrets.operator_key }}" }"#,
      secrets: ["operator_key": "0123456789abcdef"])
    #expect(try await router.get("/healthz").status == 200)
    for path in ["/metrics", "/api/status", "/api/sources/last"] { #expect(try await router.get(path).status == 401) }
    let withKey = try await router.request(
      "GET", router.operatorAddress + "/api/status", headers: ["Authorization: Bearer 0123456789abcdef"])
    #expect(withKey.status == 200)
    #expect(try await router.divert("status").status == 1)
  }

  @Test("each attempt is one log line with its fixed fields, and no key, phone or payload is in the log")
  func attemptLine() async throws {
    let (router, _) = try await busy()
    #expect(try await router.terminate() == 0)
    let lines = router.log.split(separator: "\n").filter { $0.contains(" event=attempt ") }
    let crm = lines.filter { $0.contains(" target=crm ") }
    #expect(crm.count == 2)
    let names = crm.map { line in line.split(separator: " ").map { $0.prefix { $0 != "=" } }.joined(separator: " ") }
    let fixed = "time level event id event_id route target action attempt outcome status ms reason"
    #expect(names.allSatisfy { $0 == fixed }, "\(names)")
    #expect(crm.contains { $0.contains("level=info") && $0.contains("outcome=ok status=200") })
    #expect(crm.contains { $0.contains("level=warning") && $0.contains("outcome=fail status=422") })
    for secret in [House.key, "9876543210", "Rohan", "call_1"] { #expect(!router.log.contains(secret), "\(secret)") }
  }
}

/// Prometheus' own judge of metrics pages, where it is installed.
private enum Promtool {
  static let path = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":")
    .map { $0 + "/promtool" }.first { FileManager.default.isExecutableFile(atPath: $0) }
}
