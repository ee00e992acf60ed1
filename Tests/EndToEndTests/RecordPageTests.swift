// docs/record.md is executed: its configuration runs, its commands do what the page says, and a change of the file is found.

import DivertCore
import Foundation
import GRDBSQLite
import TestSupport
import Testing

@Suite("The page on the record", .bounded) struct RecordPageTests {
  private func router() throws -> RouterProcess {
    let page = try Page("docs/record.md", section: "A head kept elsewhere")
    let record = try #require(page.first("yaml"))
    return try RouterProcess(
      config: """
        version: 1
        sources:
          doubletick: { type: doubletick, key: "{{ secrets.doubletick_ingest_key }}" }
        targets:
          team_lead: { type: slack, hook: "{{ secrets.team_lead_hook }}" }
        routes:
          rejected:
            when: { event: CALL_REJECTED }
            send:
              - team_lead.alert: "{{ agent | default: 'An agent' }} declined a call"
        \(record)
        """, sandbox: true)
  }

  private func divert(_ router: RouterProcess, _ arguments: String...) async throws -> RouterProcess.Output {
    let output = try await router.divert(arguments + ["--sandbox"])
    #expect(output.status == 0, "\(arguments): \(output)")
    return output
  }

  @Test("a head is published, the record verified, a history shown, handed over and checked")
  func page() async throws {
    let router = try router()
    try await router.start()
    _ = try await divert(router, "send", "incoming-rejected", "--wait", "20s")
    let head = try await divert(router, "record", "head").out.split(separator: "\n")
    #expect(RecordHead(String(head[0])) != nil && head[1].hasPrefix("extracts are signed by ed25519:"))
    let verified = try await divert(router, "record", "verify", "--head", String(head[0])).out
    #expect(verified.contains("✓ head \(head[0])") && verified.hasSuffix("the record holds\n"))
    let phone = try await phone(router)
    let shown = try await divert(router, "record", "show", phone).out
    #expect(shown.hasPrefix("\(phone): 1 events") && shown.contains("team_lead.alert  delivered"))
    let files = try await divert(router, "record", "export", phone, "--to", router.folder.path).out.split(
      separator: "\n")
    #expect(files.count == 2 && files[0].hasSuffix(".json") && files[1].hasSuffix(".html"))
    let key = String(head[1].split(separator: " ").last ?? "")
    let checked = try await router.divert(["record", "check", String(files[0]), "--key", key])
    #expect(checked.status == 0 && checked.out.hasPrefix("as it was signed:"), "\(checked)")
    try await expectRefused(router, String(files[0]))
    let html = try String(contentsOfFile: String(files[1]), encoding: .utf8)
    #expect(html.contains("Record of \(phone)") && !html.contains("<script") && html.contains("CALL_REJECTED"))
    #expect(try await router.terminate() == 0)
  }

  /// The first customer that the store knows.
  private func phone(_ router: RouterProcess) async throws -> String {
    let events = try await divert(router, "sources", "last", "doubletick", "--format", "json").out
    let id = try #require(try JSONValue.parse(Array(events.utf8)).array?.last?["id"]?.string)
    let found = try await divert(router, "find", id, "--format", "json").out
    let event = try JSONValue.parse(Array(found.utf8))["events"]?.array?.first?["event"]
    return try #require(event?["customer"]?["phone"]?.string)
  }

  /// One letter of the extract is another.
  private func expectRefused(_ router: RouterProcess, _ file: String) async throws {
    let text = try String(contentsOfFile: file, encoding: .utf8)
    let changed = text.replacingOccurrences(of: "CALL_REJECTED", with: "CALL_RECEIVED")
    let path = router.folder.path + "/changed.json"
    try changed.write(toFile: path, atomically: true, encoding: .utf8)
    let output = try await router.divert(["record", "check", path])
    #expect(output.status == 1 && output.out.contains("it was changed after it was signed"), "\(output)")
  }

  @Test("a published head is found delivered, and a change made in the file of a stopped router is named")
  func tampering() async throws {
    let router = try router()
    try await router.start()
    _ = try await divert(router, "send", "incoming-rejected", "--wait", "20s")
    let head = try await divert(router, "record", "head").out.split(separator: "\n")[0]
    #expect(try await router.terminate() == 0)
    let before = try await router.divert(["record", "verify", "--sandbox"])
    #expect(before.status == 0 && before.out.contains("published; hold it against the"), "\(before)")
    let path = router.data.appendingPathComponent("divert.sqlite").path
    var handle: OpaquePointer?
    #expect(sqlite3_open(path, &handle) == SQLITE_OK)
    let sql = "UPDATE events SET phone = '+15550001111' WHERE source = 'doubletick'"
    #expect(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK)
    sqlite3_close(handle)
    let after = try await router.divert(["record", "verify", "--sandbox", "--head", String(head)])
    #expect(after.status == 1 && after.out.contains("changed (entry"), "\(after)")
    #expect(after.out.contains("its customer's phone was changed"), "\(after)")
    let copy = try await router.divert(["record", "verify", "--store", path, "--head", String(head)])
    #expect(copy.status == 1 && copy.out == after.out, "\(copy)")
  }
}
