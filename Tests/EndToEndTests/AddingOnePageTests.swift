// docs/targets/adding-one.md is executed: its files are written, its commands print what it says, and what it describes
// delivers to a server that judges the requests.

import DivertCore
import Foundation
import TestSupport
import Testing

@Suite("The page on adding a vendor", .bounded) struct AddingOnePageTests {
  private static func blocks() throws -> [Page.Block] { try Page("docs/targets/adding-one.md").blocks }

  /// The files of the page by the names in their first lines.
  private static func files() throws -> [String: String] {
    try blocks().filter { $0.language == "yaml" }.reduce(into: [:]) { files, block in
      files[String(block.text.prefix { $0 != "\n" }.dropFirst(2))] = block.text
    }
  }

  private static func write(_ text: String, _ name: String, in folder: URL) throws {
    let file = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: file, atomically: true, encoding: .utf8)
  }

  /// Times, durations and ids are other ones each time.
  private static func masked(_ text: String) -> String {
    var text = text
    for (pattern, steady) in [
      ("(evt|dlv)_[0-9a-z]{19}", "$1_…"), ("[0-9-]{10}T[0-9:.]{12}Z", "TIME"), (" in [0-9]+ ms", " in N ms"),
    ] {
      text = text.replacingOccurrences(of: pattern, with: steady, options: .regularExpression)
    }
    return text
  }

  @Test("its files and commands, in order, do and print what it says")
  func walkThrough() async throws {
    let files = try Self.files()
    let router = try RouterProcess(config: try #require(files["routes.yaml"]), sandbox: true)
    var commands = 0
    for block in try Self.blocks() {
      switch block.language {
      case "yaml":
        let name = String(block.text.prefix { $0 != "\n" }.dropFirst(2))
        try Self.write(block.text, name, in: router.folder)
      case "sh":
        #expect(block.text == "divert serve --sandbox\n")
        try await router.start()
      default:
        for step in block.text.components(separatedBy: "$ ").dropFirst() {
          let lines = step.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
          let said = try await RouterProcess.shell(String(lines[0]), in: router.folder)
          #expect(Self.masked(said) == Self.masked(String(lines[1])), "$ \(lines[0])\n\(said)")
          commands += 1
        }
      }
    }
    #expect(commands > 12)
  }

  /// Acme, as the page describes it; what it cannot take answers 400, with what is wrong.
  private static func acme(_ request: ReceivedRequest) -> Answer {
    var faults: [String] = []
    if request.method != "POST" || request.path != "/v1/calls" { faults.append("\(request.method) \(request.path)") }
    if request.header("authorization") != "Bearer the token" { faults.append("authorization") }
    if request.header("content-type") != "application/json" { faults.append("content-type") }
    let body = request.json.object ?? JSONObject()
    let fields = ["external_id", "phone", "direction", "agent", "at", "note"]
    if body.members.map(\.key) != fields { faults.append("\(body.members.map(\.key))") }
    for field in fields where body[field]?.string == nil { faults.append("\(field) is no text") }
    if body["phone"]?.string?.hasPrefix("+91") != true { faults.append("phone") }
    if body["at"]?.string.flatMap({ Timestamp(iso8601: $0) }) == nil { faults.append("at") }
    guard faults.isEmpty else { return .json("{\"faults\": \"\(faults)\"}", status: 400) }
    switch body["external_id"]?.string {
    case "call_1" where request.number == 1:
      let headers = ["Content-Type: application/json", "X-Reset: 1"]
      return .status(403, headers: headers, body: Array(#"{"error":"rate_limited"}"#.utf8))
    case "call_2": return .json("{}", status: 409)
    case "call_3": return .json(#"{"ok":false,"message":"unknown customer"}"#)
    case "call_4": return .json("{}", status: 401)
    default: return .json(#"{"ok":true,"id":4711}"#, status: 201)
    }
  }

  @Test("a router with the page's preset delivers to such a vendor, and takes each of its answers as the page says")
  func delivers() async throws {
    let server = MisbehavingTarget { Self.acme($0) }
    let files = try Self.files()
    let router = try RouterProcess(config: try #require(files["routes.yaml"]), secrets: ["crm_token": "the token"])
    try Self.write(try #require(files["presets.d/acme.yaml"]), "presets.d/acme.yaml", in: router.folder)
    for command in [
      "divert targets add acme crm region=in url=\(server.url("/v1")) network=private",
      "divert routes add declined --when event=CALL_REJECTED --send 'crm.log_call=Declined by {{ agent }}'",
    ] {
      let said = try await RouterProcess.shell(command, in: router.folder)
      #expect(said.hasSuffix("routes.yaml is written\n"), "\(said)")
    }
    try await router.start()
    func post(_ call: String) async throws {
      let body = SampleEvent.incomingRejected.body(
        callID: call, phone: "919876543210", at: Timestamp(milliseconds: 1_768_473_025_000))
      #expect(try await router.request("POST", router.ingest, body: body.encoded()).status == 200)
    }
    let ends = [
      ("call_1", "delivered"), ("call_2", "delivered"), ("call_3", "dead rule_fail"),
    ]
    for (call, end) in ends {
      try await post(call)
      try await router.until("\(call): \(end)") {
        try await router.states(call)["crm.log_call"]?.hasPrefix(end) == true
      }
    }
    #expect(server.requests.map { $0.json["external_id"] } == ["call_1", "call_1", "call_2", "call_3"])
    try await post("call_4")
    try await router.untilTarget("crm") { $0["state"]?.string == "held" }
    try await router.expectAudit()
  }

  @Test(
    "a preset that is saved goes into force with its targets; one with a fault is refused, and rollback brings it back")
  func saved() async throws {
    let server = MisbehavingTarget()
    let preset =
      "url: https://unused.example\nactions: { log: { post: /log, body: { call: \"{{ call.id }}\", v: 1 } } }\n"
    let router = try RouterProcess(
      config: House.config(
        targets: "  crm: { type: own, url: \"\(server.url(""))\", network: private }\n", routes: House.sendToCRM),
      secrets: ["ingest_key": House.key])
    try Self.write(preset, "presets.d/own.yaml", in: router.folder)
    try await router.start()
    try await router.accept("call_1")
    #expect(await server.request(1).json["v"] == 1)
    try Self.write(preset.replacingOccurrences(of: "v: 1", with: "v: 2"), "presets.d/own.yaml", in: router.folder)
    try await router.untilConfig { $0["number"]?.integer == 2 }
    try await router.accept("call_2")
    #expect(await server.request(2).json["v"] == 2)
    try Self.write(preset.replacingOccurrences(of: "post:", with: "pots:"), "presets.d/own.yaml", in: router.folder)
    try await router.untilConfig { $0["refused"]?["text"]?.string?.contains("presets.d/own.yaml:2:19: error") == true }
    let back = try await router.divert("rollback", "1")
    #expect(back.status == 0 && back.out.contains("presets.d/own.yaml"), "\(back)")
    try await router.accept("call_3")
    #expect(await server.request(3).json["v"] == 1)
    let listed = try await router.json("preset", "list")["presets"]?.array ?? []
    #expect(listed.first { $0["name"] == "own" }?["file"] == "presets.d/own.yaml")
    let shown = try await router.divert("preset", "show", "own")
    #expect(shown.out == preset)
    let schema = try await router.divert("schema")
    #expect(try JSONValue.parse(Array(schema.out.utf8))["definitions"]?["target_own"] != nil)
    let none = try await router.divert("preset", "show", "ovn")
    #expect(none.status == 1 && none.err.contains("did you mean own?"))
  }

  @Test("every page of docs/targets stands in its list")
  func listed() throws {
    let folder = Page.root.appendingPathComponent("docs/targets")
    let index = try String(contentsOf: folder.appendingPathComponent("README.md"), encoding: .utf8)
    let pages = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".md") }
    for page in pages where page != "README.md" { #expect(index.contains("](\(page))"), "\(page)") }
  }
}
