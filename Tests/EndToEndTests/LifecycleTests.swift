// Starting, refusing to start, stopping, and what a restart picks up, with the real binary.

import DivertCore
import Foundation
import TestSupport
import Testing

@Suite("Start, stop and restart", .bounded) struct LifecycleTests {
  @Test("the sandbox needs no secret, delivers to its emulator, and reaches nobody else")
  func sandbox() async throws {
    let outside = MisbehavingTarget()
    let router = try RouterProcess(
      config: House.config(
        targets: House.target("crm", outside, #"auth: { bearer: "{{ secrets.crm_token }}" }"#)
          + """
            alerts: { type: slack, hook: "{{ secrets.hook }}" }
            signed:
              url: https://signed.example.com
              auth: { sign: standard-webhooks, secret: "{{ secrets.sign }}" }
              actions: { log: { post: /log, body: { call: "{{ call.id }}" } } }

          """,
        routes: House.route("crm.log, signed.log, { alerts.alert: declined }")),
      sandbox: true)
    try await router.start()
    let sent = try await router.divert("send", "incoming-rejected")
    #expect(sent.status == 0, "\(sent.out)\(sent.err)")
    #expect(sent.out.contains("delivered") && sent.out.contains("crm.log") && sent.out.contains("alerts.alert"))
    let posted = try await router.post(
      SampleEvent.incomingRejected.body(callID: "c", phone: "919876543210", at: Timestamp(milliseconds: 0)),
      key: "sandbox")
    #expect(posted.status == 200)
    try await router.untilSettled(planned: 6)
    try await router.expectAudit()
    #expect(outside.connections == 0)
    #expect(try await router.terminate() == 0)
  }

  @Test("the example configuration runs in the sandbox, and every sample is delivered")
  func example() async throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = root.appendingPathComponent("routes.yaml.example")
    let router = try RouterProcess(config: try String(contentsOf: file, encoding: .utf8), sandbox: true)
    try await router.start()
    for sample in SampleEvent.allCases {
      let sent = try await router.divert("send", sample.rawValue)
      #expect(sent.status == 0 && !sent.out.contains("dead"), "\(sample): \(sent.out)\(sent.err)")
      if sample == .incomingRejected { #expect(sent.out.contains("delivered"), "\(sent)") }
    }
    try await router.expectAudit()
    #expect(try await router.terminate() == 0)
  }

  @Test("flags can be set in the environment")
  func environment() async throws {
    let router = try RouterProcess(
      config: House.config(targets: House.target("crm", MisbehavingTarget()), routes: House.sendToCRM),
      secrets: ["other_name": House.key])
    let refused = try await router.tryStart([], environment: ["DIVERT_CONFIG": "nowhere.yaml"])
    #expect(refused.status == 1 && refused.err.contains("nowhere.yaml"), "\(refused)")
    let named = try await router.tryStart([], environment: ["DIVERT_SECRETS": "elsewhere"])
    #expect(named.status == 1 && named.err.contains("elsewhere"), "\(named)")
    let started = try await router.tryStart(
      [], environment: ["DIVERT_SECRET_INGEST_KEY": House.key, "DIVERT_DATA": "here"])
    #expect(started.status == 0 && started.out.contains("Divert is running."), "\(started)")
    #expect(FileManager.default.fileExists(atPath: router.folder.appendingPathComponent("here/divert.sqlite").path))
  }

  @Test("a live start without a secret is refused with its name and place")
  func missingSecret() async throws {
    let router = try RouterProcess(
      config: House.config(
        targets: House.target("crm", MisbehavingTarget(), #"auth: { bearer: "{{ secrets.crm_token }}" }"#),
        routes: House.sendToCRM),
      secrets: ["ingest_key": House.key])
    let refused = try await router.tryStart([])
    #expect(refused.status == 1)
    #expect(refused.err.contains("crm_token") && !refused.err.contains("ingest_key"), "\(refused.err)")
  }

  @Test("a second serve on the same data is refused with the first one's process id, and disturbs nothing")
  func second() async throws {
    let crm = MisbehavingTarget()
    let router = try await House.open(targets: House.target("crm", crm))
    let refused = try await router.tryStart([])
    #expect(refused.status == 1 && refused.err.contains("process \(router.pid)"), "\(refused.err)")
    try await router.accept("call_1")
    _ = await crm.request(1)
  }

  @Test("neither the sandbox nor a live router opens the other's store")
  func modes() async throws {
    let targets = House.target("crm", MisbehavingTarget())
    let router = try RouterProcess(
      config: House.config(targets: targets, routes: House.sendToCRM), secrets: ["ingest_key": House.key])
    try await router.start(["--sandbox", "--data", "one"])
    #expect(try await router.terminate() == 0)
    let live = try await router.tryStart(["--data", "one/sandbox"])
    #expect(live.status == 1 && live.err.contains("sandbox"), "\(live.err)")
    try await router.start(["--data", "two/sandbox"])
    #expect(try await router.terminate() == 0)
    let sandboxed = try await router.tryStart(["--sandbox", "--data", "two"])
    #expect(sandboxed.status == 1 && sandboxed.err.contains("real deliveries"), "\(sandboxed.err)")
  }

  @Test("a file with errors is refused by serve and check, each error with file, line and column")
  func errors() async throws {
    let router = try RouterProcess(
      config: """
        version: 1
        targets:
          crm: { url: "https://crm.example.com", concurency: 3 }
        routes:
          all: { send: [crn.log] }
        """)
    let refused = try await router.tryStart([])
    #expect(refused.status == 1)
    for place in ["routes.yaml:3:", "routes.yaml:5:"] { #expect(refused.err.contains(place), "\(refused.err)") }
    let check = try await router.divert("check")
    #expect(check.status == 1)
    #expect(check.out.contains("routes.yaml:3:42") && check.out.contains("concurrency"), "\(check.out)")
    #expect(check.out.contains("routes.yaml:5:17") && check.out.contains("crm"), "\(check.out)")
  }

  @Test("check --resolved prints a file that check takes, with origins; the schema is printed; routes.d is served")
  func resolved() async throws {
    let router = try RouterProcess(
      config: """
        version: 1
        targets:
          lead: { type: slack, hook: "{{ secrets.hook }}" }
        sources: { doubletick: { type: doubletick } }
        """, secrets: ["hook": "x"])
    let more = router.folder.appending(path: "routes.d")
    try FileManager.default.createDirectory(at: more, withIntermediateDirectories: true)
    try Data("routes:\n  west: { send: [lead.alert: declined] }\n".utf8).write(to: more.appending(path: "west.yaml"))
    let printed = try await router.divert("check", "--resolved")
    #expect(printed.status == 0 && printed.err.isEmpty, "\(printed.err)")
    for part in ["# routes.yaml:3\n", "# routes.d/west.yaml:2\n", "# preset slack\n", "# default\n"] {
      #expect(printed.out.contains(part), "\(printed.out)")
    }
    #expect(printed.out.contains("url: \"{{ secrets.hook }}\" "))
    try Data(printed.out.utf8).write(to: more.appending(path: "all.yml"))
    #expect(try await router.divert("check", "routes.d/all.yml").status == 0)
    try FileManager.default.removeItem(at: more.appending(path: "all.yml"))
    let schema = try JSONValue.parse(Array(try await router.divert("schema").out.utf8))
    #expect(schema["properties"]?["routes"] != nil && schema["required"] == ["version"])
    try await router.start()
    #expect(try await router.get("/api/status").answer["process"]?["config_version"]?.string?.count == 12)
    #expect(try await router.terminate() == 0)
  }

  @Test("an address that strangers can reach is refused without a key, for events and for orders")
  func addresses() async throws {
    let router = try RouterProcess(config: "version: 1\nsources: { doubletick: { type: doubletick } }\n")
    let ingest = try await router.tryStart(["--listen", "0.0.0.0:0"])
    #expect(ingest.status == 1 && ingest.err.contains("sources.doubletick.key"), "\(ingest.err)")
    let orders = try await router.tryStart(["--operator", "0.0.0.0:0"])
    #expect(orders.status == 1 && orders.err.contains("server.operator_key"), "\(orders.err)")
  }

  @Test("SIGTERM lets a slow request in flight finish, commits its result and exits with 0")
  func gracefulStop() async throws {
    let gate = Gate()
    let crm = MisbehavingTarget { _ in .slow(gate, then: .ok) }
    let router = try await House.open(targets: House.target("crm", crm))
    try await router.accept("call_1")
    _ = await crm.request(1)
    let address = router.origin + "/in/doubletick/" + House.key
    async let status = router.terminate()
    // It has begun to stop when it takes nothing more.
    while let answer = try? await router.request("GET", address), answer.status == 405 {}
    gate.open()
    #expect(try await status == 0)
    #expect(
      try await router.json("find", "call_1")["events"]?.array?.first?["deliveries"]?.array?.first?["state"]
        == "delivered")
    try await router.start()
    try await router.accept("call_2")
    _ = await crm.request(2)
    #expect(crm.calls == ["call_1", "call_2"])
    try await router.untilSettled(planned: 2)
    try await router.expectAudit()
  }

  @Test(
    "a restart picks up what was accepted and not finished, after SIGTERM and after kill -9", arguments: [true, false])
  func restart(kill: Bool) async throws {
    let crm = MisbehavingTarget { _ in .json("{}", status: 503) }
    let router = try await House.open(targets: House.target("crm", crm))
    try await router.accept("call_1")
    _ = await crm.request(2)
    if kill { try await router.crash() } else { #expect(try await router.terminate() == 0) }
    let before = crm.requests.count
    crm.answer { _ in .ok }
    try await router.start()
    let after = await crm.request(before + 1)
    #expect(after.header("idempotency-key") == crm.requests[0].header("idempotency-key"))
    try await router.untilSettled(planned: 1)
    // A duplicate stays one across the restart.
    try await router.accept("call_1")
    try await router.accept("call_2")
    try await router.untilSettled(planned: 2)
    #expect(crm.calls.filter { $0 == "call_1" }.count == before + 1)
    #expect(crm.calls.filter { $0 == "call_2" }.count == 1)
    try await router.expectAudit()
  }

  @Test("a message to a person that a kill caught under way is parked, never sent again")
  func killedWhileSending() async throws {
    let person = MisbehavingTarget { _ in .hang }
    let router = try await House.open(
      targets:
        """
          whatsapp: { type: doubletick, key: "{{ secrets.k }}", url: "\(person.url(""))", network: private, ambiguous: park }

        """,
      routes: House.route("{ whatsapp.text: hello }"), secrets: ["k": "dt-k3y"])
    try await router.accept("call_1")
    _ = await person.request(1)
    try await router.crash()
    try await router.start()
    try await router.untilSettled(planned: 1)
    #expect(try await router.states("call_1") == ["whatsapp.text": "dead ambiguous"])
    #expect(person.requests.count == 1)
    try await router.expectAudit()
  }
}
