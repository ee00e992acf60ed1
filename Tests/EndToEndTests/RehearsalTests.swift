// Looking before leaping, with the real binary: explain, graph and diff.

import DivertCore
import Foundation
import TestSupport
import Testing

@Suite("Rehearsing", .bounded) struct RehearsalTests {
  /// A CRM that wants a token, and a hook that is a secret as a whole.
  private static func routes(
    _ crm: MisbehavingTarget, agent: String = "{{ agent | default: nobody }}", more: String = "", top: String = ""
  ) -> String {
    House.config(
      targets: """
          crm:
            url: "\(crm.url("/api"))"
            network: private
            auth: { bearer: "{{ secrets.crm_token }}" }
            actions:
              log: { post: "/calls?of={{ customer.name }}", body: { agent: "\(agent)", note: "it's $HOME, {{ customer.name }}" } }
          hook:
            url: "{{ secrets.hook }}"
            network: private
            actions: { event: { post: /in, form: { call: "{{ call.id }}", name: "{{ customer.name }}" } } }
        """,
      routes: """
          declined:
            when: { event: CALL_REJECTED, direction: INCOMING }
            send: [crm.log]
            also:
              day: { when: { local.time: { between: "08:00-18:00" } }, send: [hook.event] }
          outgoing: { when: { direction: OUTGOING }, send: [crm.log] }
        \(more)
        """, top: top)
  }

  private static func open(_ crm: MisbehavingTarget, start: Bool = true) async throws -> RouterProcess {
    let router = try RouterProcess(
      config: routes(crm),
      secrets: ["ingest_key": House.key, "crm_token": "t0ken's \"own\" $x", "hook": crm.url("/hook")])
    if start { try await router.start() }
    return router
  }

  // MARK: explain

  @Test("explain shows each condition with its value and each request whole, without a router, and sends nothing")
  func explain() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm, start: false)
    let output = try await router.divert("explain", "incoming-rejected", "--at", "2026-01-15T10:30:25Z")
    #expect(output.status == 0 && output.err.isEmpty, "\(output)")
    for line in [
      "(not stored)  CALL_REJECTED INCOMING  at 2026-01-15T10:30:25.000Z", "✓ declined",
      "    ✓ direction is INCOMING (it is INCOMING)", "  ✓ declined/day",
      "      ✓ local.time is between 08:00 and 18:00 (it is 16:00)", "✗ outgoing",
      "    ✗ direction is OUTGOING (it is INCOMING)", "1. crm.log  (declined, send 0)  due 2026-01-15T10:30:25.000Z",
      "   POST \(crm.url("/api"))/calls?of=Rohan%20Mehta", "   Authorization: Bearer {{ secrets.crm_token }}",
      "     \"agent\": \"James Smith\",", "   POST {{ secrets.hook }}/in",
      "   call=call_sample_1768473025000&name=Rohan%20Mehta",
      "2 deliveries would follow. Nothing was sent.",
    ] {
      #expect(output.out.split(separator: "\n").contains { $0 == line }, "\(line)\n\(output.out)")
    }
    #expect(crm.connections == 0)
  }

  @Test("a body from a file or standard input is read as the router would read it; --set and --at change it")
  func bodies() async throws {
    let router = try await Self.open(MisbehavingTarget(), start: false)
    let body =
      #"{"callId":"c1","callDirection":"INCOMING","customerNumber":"919876543210","customerName":"Rohan","rejectedBy":"Priya"}"#
    try body.write(to: router.folder.appendingPathComponent("call.json"), atomically: true, encoding: .utf8)
    let file = try await router.json(
      "explain", "call.json", "--label", "call-rejected", "--at", "2026-01-15T22:00:00+05:30")
    #expect(file["event"]?["event"] == "CALL_REJECTED" && file["stored"] == false)
    #expect(file["deliveries"]?.array?.map { $0["route"]?.string ?? "" } == ["declined"])
    #expect(file["deliveries"]?.array?.first?["due"] == "2026-01-15T16:30:00.000Z")
    let input = try await router.divert(
      ["explain", "-", "--label", "call-rejected", "--set", "callDirection=OUTGOING", "--format", "json"], input: body)
    let set = try JSONValue.parse(Array(input.out.utf8))
    #expect(set["event"]?["direction"] == "OUTGOING")
    #expect(set["deliveries"]?.array?.map { $0["route"]?.string ?? "" } == ["outgoing"])
  }

  @Test("what the ingest would refuse is refused, every fault named; a request that cannot be made is one, too")
  func refused() async throws {
    let router = try await Self.open(MisbehavingTarget(), start: false)
    let bad = try await router.divert("explain", "-", input: #"{"event":"CALL_REJECTED","callDirection":"UP"}"#)
    #expect(bad.status == 1)
    #expect(bad.out.hasPrefix("refused with 422 not_an_event:") && bad.out.contains("`callDirection` must be INCOMING"))
    #expect(bad.out.contains("CALL_REJECTED needs `callId`") && bad.out.contains("`customerNumber`"))
    let json = try await router.divert(["explain", "-", "--format", "json"], input: "[]")
    #expect(json.status == 1 && json.out.contains(#""code": "not_an_object""#))
    let fault = try await router.divert("explain", "incoming-rejected", "--set", "customerName=")
    #expect(fault.status == 1 && fault.out.contains("✗ no request: `customer.name` is missing"), "\(fault)")
    let none = try await router.divert("explain", "nothing.json")
    #expect(none.status == 1 && none.err.contains("neither a file that can be read"))
    try router.write(config: "version: 1\nroute: {}\n")
    let broken = try await router.divert("explain", "incoming-rejected")
    #expect(broken.status == 1 && broken.err.contains("routes.yaml:2:1"), "\(broken)")
  }

  @Test("the curl commands of a stored event, run by a shell, send what the router sent, byte for byte")
  func curl() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    let event = try await router.accept("it's \\ call", phone: "919876543210")
    try await router.untilSettled(planned: 2)
    let sent = crm.requests
    let commands = try await router.divert("explain", event, "--as", "curl")
    #expect(commands.status == 0, "\(commands)")
    let token = try Self.secret(router, "crm_token")
    let without = try await Self.shell(commands.out, ["DIVERT_SECRET_HOOK": crm.url("/hook")])
    #expect(without != 0 && crm.requests.count == sent.count)
    #expect(
      try await Self.shell(commands.out, ["DIVERT_SECRET_HOOK": crm.url("/hook"), "DIVERT_SECRET_CRM_TOKEN": token])
        == 0)
    _ = await crm.request(4)
    let again = Array(crm.requests.dropFirst(sent.count))
    for request in sent {
      let twin = try #require(again.first { $0.path == request.path }, "\(request.path)")
      #expect(twin.method == request.method && twin.body == request.body)
      for name in ["content-type", "authorization", "idempotency-key"] {
        #expect(twin.header(name) == request.header(name), "\(name)")
      }
    }
  }

  @Test("an event is explained by its id while the router runs and while it is stopped, also under other routes")
  func byID() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    let event = try await router.accept("call_1")
    let found = try await router.json("find", event)
    let key = found["events"]?.array?.first?["deliveries"]?.array?.first?["id"]?.string ?? ""
    let running = try await router.json("explain", event)
    #expect(running["stored"] == true && running["event"]?["call"]?["id"] == "call_1")
    try Self.routes(crm, agent: "x").write(
      to: router.folder.appendingPathComponent("new.yaml"), atomically: true, encoding: .utf8)
    let other = try await router.json("explain", key, "--config", "new.yaml")
    #expect(other["deliveries"]?.array?.first?["request"]?["body"]?.string?.contains(#""agent":"x""#) == true)
    let again = try await router.json("explain", "incoming-rejected", "--call-id", "call_1")
    #expect(again["duplicate_of"]?.string == event && again["stored"] == false, "\(again)")
    let told = try await router.divert("explain", "incoming-rejected", "--call-id", "call_1")
    #expect(told.out.contains("\n  received before as \(event): the router would take it for a duplicate"), "\(told)")
    #expect(told.out.hasSuffix(" would follow, were it no duplicate. Nothing was sent.\n"), "\(told)")
    for (sample, call) in [("outgoing-rejected", "call_2"), ("missed", "call_1")] {
      #expect(try await router.json("explain", sample, "--call-id", call)["duplicate_of"] == nil, "\(sample)")
    }
    let missing = try await router.divert("explain", "evt_0000000000000000000")
    #expect(missing.status == 1 && missing.err.contains("there is no event"))
    #expect(try await router.terminate() == 0)
    let stopped = try await router.json("explain", event)
    #expect(stopped == running)
  }

  @Test("whatever a name holds, a shell hands it to curl as it is, and a terminal is not moved by it")
  func quoting() async throws {
    let router = try await Self.open(MisbehavingTarget(), start: false)
    var random = SystemRandomNumberGenerator()
    for _ in 0..<6 {
      let name = String(
        (0..<80).map { _ in "'\"\\$`!&|;<>(){}[]*?~#%@=é\u{1b}\n\t aA".randomElement(using: &random) ?? "'" })
      let set = "customerName=" + JSONValue.string(name).text
      let script = try await router.divert("explain", "incoming-rejected", "--as", "curl", "--set", set)
      #expect(script.status == 0 && !script.out.contains("\u{1b}"), "\(script)")
      let words = try await Self.words(script.out + "\n", router)
      let place = try #require(words.firstIndex(of: "--data-raw"))
      let body = try JSONValue.parse(Array(words[place + 1].utf8))
      #expect(body["note"]?.string == "it's $HOME, " + name)
      let text = try await router.divert("explain", "incoming-rejected", "--set", set)
      #expect(!text.out.contains("\u{1b}"))
    }
  }

  /// The words of every `curl` of a script, as a shell makes them.
  private static func words(_ script: String, _ router: RouterProcess) async throws -> [String] {
    let file = router.folder.appendingPathComponent("words")
    let all = "curl() { printf '%s\\0' \"$@\"; }\n" + script
    let environment = ["DIVERT_SECRET_HOOK": "http://127.0.0.1:9/hook", "DIVERT_SECRET_CRM_TOKEN": "t"]
    #expect(try await shell("{\n" + all + "} > '\(file.path)'", environment) == 0)
    let bytes = try Data(contentsOf: file)
    return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
  }

  // MARK: graph

  @Test("graph counts what routes matched while the router runs, duplicates once, and says when the file is another")
  func graph() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    for call in ["call_1", "call_2", "call_2"] { try await router.accept(call) }
    let drawn = try await router.divert("graph")
    #expect(drawn.status == 0 && drawn.out.contains(": 2 events since "), "\(drawn)")
    for line in ["declined  2 events", "│   → crm.log  2 planned", "└─ day  2 events", "outgoing  0 events"] {
      #expect(drawn.out.split(separator: "\n").contains { $0 == line }, "\(line)\n\(drawn.out)")
    }
    let json = try await router.json("graph")
    #expect(json["events"] == 2 && json["routes"]?.array?.map { $0["matched"] ?? .null } == [2, 0])
    let metrics = try await router.get("/metrics").answer.string ?? ""
    #expect(metrics.contains("divert_route_matches_total{route=\"declined/day\"} 2\n"))
    let chart = try await router.divert("graph", "--mermaid")
    #expect(chart.out.hasPrefix("flowchart LR\n  event([\"2 events\"])\n"), "\(chart)")
    try Self.routes(crm, agent: "x").write(
      to: router.folder.appendingPathComponent("other.yaml"), atomically: true, encoding: .utf8)
    let other = try await router.divert("graph", "--config", "other.yaml")
    #expect(other.status == 0 && !other.out.contains("events") && other.err.contains("no counts"), "\(other)")
    #expect(try await router.terminate() == 0)
    let alone = try await router.divert("graph")
    #expect(alone.status == 0 && alone.err.isEmpty && alone.out.contains("when direction is OUTGOING"), "\(alone)")
  }

  // MARK: diff

  @Test("diff counts and shows what a new file would have done with the events that came in, running and stopped")
  func diff() async throws {
    let crm = MisbehavingTarget()
    let router = try await Self.open(crm)
    for call in 1...3 { try await router.accept("call_\(call)") }
    try await router.untilSettled(planned: 6)
    let new = Self.routes(
      crm, agent: "{{ agent }} (x)", more: "  new: { when: { event: CALL_REJECTED }, send: [hook.event] }\n"
    )
    .components(separatedBy: "send: [hook.event] }\n  outgoing").joined(separator: "send: [crm.log] }\n  outgoing")
    try new.write(to: router.folder.appendingPathComponent("new.yaml"), atomically: true, encoding: .utf8)
    let running = try await router.divert("diff", "new.yaml", "--limit", "4", "--exit-code")
    #expect(running.status == 1 && running.err.isEmpty, "\(running)")
    for part in [
      "3 events: 6 deliveries under the configuration in force", "9 under new.yaml",
      "6 would appear, 3 would vanish, 3 would change, 0 stay as they are", "body.agent",
      "      body.agent: \"James Smith\" → \"James Smith (x)\"", "  - hook.event  (declined/day, send 0)  POST ",
      "8 more differences are not shown",
    ] {
      #expect(running.out.contains(part), "\(part)\n\(running.out)")
    }
    let json = try await router.json("diff", "new.yaml", "--against", "1h")
    #expect(json["appear"] == 6 && json["vanish"] == 3 && json["change"] == 3 && json["stay"] == 0)
    #expect(json["groups"]?.array?.count == 4 && json["details"]?.array?.count == 12)
    #expect(try await router.terminate() == 0)
    let stopped = try await router.json("diff", "new.yaml")
    #expect(stopped == json)
    let same = try await router.divert("diff", "routes.yaml", "--exit-code")
    #expect(same.status == 0 && same.out.contains("0 would change, 6 stay as they are"), "\(same)")
    let none = try await router.divert("diff", "new.yaml", "--against", "2040-01-01")
    #expect(none.status == 0 && none.out.contains("no event came in"), "\(none)")
    #expect(crm.requests.count == 6)
  }

  // MARK: The page

  @Test("the commands of docs/commands.md under \"Before it goes live\" print what the page prints")
  func page() async throws {
    let page = try Page("docs/commands.md", section: "Before it goes live")
    let config = try #require(page.first("yaml"))
    let router = try RouterProcess(config: config, sandbox: true)
    let new = page.changed(config)
    #expect(new != config)
    try new.write(to: router.folder.appendingPathComponent("new.yaml"), atomically: true, encoding: .utf8)
    try await router.start()
    for call in 1...3 {
      let night = Timestamp(milliseconds: 1_768_492_800_000)
      let body = SampleEvent.incomingRejected.body(callID: "call_\(call)", phone: "919876543210", at: night)
      #expect(try await router.post(body, key: "sandbox").status == 200)
    }
    #expect(page.commands.count == 5)
    for command in page.commands {
      let output = try await router.divert(command.arguments)
      #expect(output.status == 0 && output.err.isEmpty, "\(command.arguments): \(output)")
      #expect(
        Page.steady(output.out) == Page.steady(command.output), "divert \(command.arguments.joined(separator: " "))")
    }
  }

  // MARK: Shell

  private static func secret(_ router: RouterProcess, _ name: String) throws -> String {
    try String(contentsOf: router.folder.appendingPathComponent("secrets/\(name)"), encoding: .utf8)
  }

  /// Runs a script; returns its exit status.
  private static func shell(_ script: String, _ environment: [String: String]) async throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-e", "-c", script]
    process.environment = environment.merging(["PATH": "/usr/bin:/bin"]) { own, _ in own }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return try await background {
      process.waitUntilExit()
      return process.terminationStatus
    }
  }
}
