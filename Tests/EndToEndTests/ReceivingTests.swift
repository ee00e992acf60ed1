// What comes in over HTTP: every refusal with its status, duplicates, the quarantine and the captured bodies.

import DivertCore
import Foundation
import TestSupport
import Testing

@Suite("Receiving", .bounded) struct ReceivingTests {
  /// A request that is refused, and how.
  struct Refused: Sendable {
    var method = "POST"
    var path = "/in/doubletick/KEY"
    var headers = ["Content-Type: application/json"]
    var body = Array(#"{"event":"CALL_MISSED","callId":"c"}"#.utf8)
    var status: Int
    var code: String
  }

  static let table: [Refused] = [
    Refused(path: "/elsewhere", status: 404, code: "unknown_path"),
    Refused(path: "/in/nobody/KEY", status: 404, code: "unknown_source"),
    Refused(path: "/in/doubletick", status: 401, code: "wrong_key"),
    Refused(path: "/in/doubletick/KEX", status: 401, code: "wrong_key"),
    Refused(path: "/in/locked/KEY", status: 401, code: "wrong_header"),
    Refused(path: "/in/far/KEY", status: 403, code: "address_not_allowed"),
    Refused(method: "GET", body: [], status: 405, code: "wrong_method"),
    Refused(method: "PUT", status: 405, code: "wrong_method"),
    Refused(headers: ["Content-Type: text/plain"], status: 415, code: "not_json"),
    Refused(
      headers: ["Content-Type: application/json", "Content-Encoding: gzip"], status: 415, code: "compressed_body"),
    Refused(body: [], status: 400, code: "empty_body"),
    Refused(body: Array("{\"event\":".utf8), status: 400, code: "not_json_text"),
    Refused(body: Array("[1]".utf8), status: 422, code: "not_an_object"),
    Refused(body: Array(String(repeating: "[", count: 2000).utf8), status: 422, code: "too_deep"),
    Refused(body: Array(#"{"event":"CALL_REJECTED"}"#.utf8), status: 422, code: "not_an_event"),
    Refused(body: [UInt8](repeating: 0x20, count: 257 * 1024), status: 413, code: "too_large"),
    Refused(body: [UInt8](repeating: 0x20, count: 8 << 20), status: 413, code: "too_large"),
  ]

  private func open() async throws -> RouterProcess {
    let router = try RouterProcess(
      config: """
        version: 1
        country: IN
        sources:
          doubletick: { type: doubletick, key: "{{ secrets.ingest_key }}" }
          locked: { type: doubletick, key: "{{ secrets.ingest_key }}", header: { X-Team: blue } }
          far: { type: doubletick, key: "{{ secrets.ingest_key }}", allow: 10.9.8.0/24 }
        """,
      secrets: ["ingest_key": House.key])
    try await router.start()
    return router
  }

  @Test("each refusal has its status and its code, reaches the sender, and is counted")
  func refusals() async throws {
    let router = try await open()
    for one in Self.table {
      let url = router.origin + one.path.replacingOccurrences(of: "KEY", with: House.key)
      let answer = try await router.request(one.method, url, body: one.body, headers: one.headers)
      let code = answer.answer["error"]?["code"]?.string
      #expect(answer.status == one.status && code == one.code, "\(one.method) \(one.path): \(answer)")
      #expect(answer.answer["error"]?["message"]?.string?.isEmpty == false)
    }
    let quarantine = try await router.json("quarantine", "list")
    #expect(quarantine["count"]?.integer == 5, "\(quarantine.text)")
    let doubletick = try await router.get("/api/status").answer["sources"]?.array?.first {
      $0["source"]?.string == "doubletick"
    }
    #expect(
      doubletick?["quarantined"]?.integer == 5 && doubletick?["refused"]?.integer == 8, "\(doubletick?.text ?? "")")
    #expect(!router.log.contains(House.key))
    try await router.expectAudit()
  }

  @Test("the same event posted by many at once is accepted once, and all are told its id")
  func duplicates() async throws {
    let crm = MisbehavingTarget()
    let router = try await House.open(targets: House.target("crm", crm))
    let body = SampleEvent.incomingRejected.body(
      callID: "call_1", phone: "919876543210", at: Timestamp(milliseconds: 1_768_473_025_000))
    let answers = try await withThrowingTaskGroup(of: JSONValue.self) { group in
      for _ in 0..<24 { group.addTask { try await router.post(body, key: House.key).answer } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(answers.map { $0["id"]?.string }).count == 1)
    #expect(answers.count { $0["status"] == "accepted" } == 1 && answers.count { $0["status"] == "duplicate" } == 23)
    try await router.untilSettled(planned: 1)
    #expect(crm.requests.count == 1)
    try await router.expectAudit()
  }

  @Test("every fault of an event is named at once")
  func faults() async throws {
    let router = try await open()
    let answer = try await router.post(["event": "CALL_REJECTED"], key: House.key)
    let faults = (answer.answer["error"]?["faults"]?.array ?? []).compactMap(\.string)
    for field in ["callId", "callDirection", "customer"] {
      #expect(faults.contains { $0.contains(field) }, "\(field) in \(faults)")
    }
  }

  @Test("a refused body stays in the quarantine until it can be taken: mended by hand it is accepted, else it stays")
  func quarantine() async throws {
    let router = try await open()
    let good = SampleEvent.missed.body(callID: "call_1", phone: "919876543210", at: Timestamp(milliseconds: 0)).text
    let bad = String(good.dropLast())
    let answer = try await router.request(
      "POST", router.origin + "/in/doubletick/" + House.key, body: Array(bad.utf8))
    #expect(answer.status == 400)
    let list = try await router.json("quarantine", "list")
    let file = list["quarantined"]?.array?.first?["file"]?.string ?? ""
    #expect(try await router.divert("quarantine", "show", file).out.contains("call_1"))

    let again = try await router.divert("quarantine", "retry", file)
    #expect(again.status == 1 && again.out.contains("refused again"), "\(again)")
    #expect(try await router.json("quarantine", "list")["count"]?.integer == 1)

    let path = router.data.appendingPathComponent("quarantine/" + file)
    var kept = try JSONValue.parse(Array(Data(contentsOf: path))).object ?? JSONObject()
    kept["body"] = .string(good)
    try Data(JSONValue.object(kept).encoded()).write(to: path)
    let mended = try await router.divert("quarantine", "retry", "--all")
    #expect(mended.status == 0, "\(mended)")
    #expect(try await router.json("quarantine", "list")["count"]?.integer == 0)
    #expect(try await router.divert("find", "call_1").out.contains("CALL_MISSED"))
    try await router.expectAudit()
  }

  @Test("unknown events are kept, and `sources last` shows what came with phone and name masked")
  func captured() async throws {
    let router = try await open()
    let unknown = try await router.post(
      [
        "event": "CALL_TRANSFERRED", "callId": "call_9", "customerNumber": "919876543210",
        "customerName": "Rohan Mehta",
      ],
      key: House.key)
    #expect(unknown.status == 200)
    let repeated = try await router.post(
      [
        "customerName": "Rohan Mehta", "event": "CALL_TRANSFERRED", "callId": "call_9",
        "customerNumber": "919876543210",
      ],
      key: House.key)
    #expect(repeated.answer["status"] == "duplicate" && repeated.answer["id"] == unknown.answer["id"])
    let last = try await router.divert("sources", "last", "doubletick")
    #expect(last.status == 0 && last.out.contains("CALL_TRANSFERRED") && last.out.contains("call_9"))
    #expect(!last.out.contains("9876543210") && !last.out.contains("Rohan Mehta"), "\(last.out)")
    let metrics = try await router.get("/metrics").answer.string ?? ""
    #expect(metrics.contains(#"divert_events_unmatched_total{source="doubletick"} 1"#))
    #expect(try await router.divert("find", "call_9").out.contains("CALL_TRANSFERRED"))
  }
}
