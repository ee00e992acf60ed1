// The sandbox that fails on purpose: what `--sandbox-faults` plays reaches the engine as a real target's failures would.

import DivertCore
import Foundation
import TestSupport
import Testing

@Suite("Faults of the sandbox", .bounded) struct SandboxFaultTests {
  private static let config = House.config(
    targets: """
        crm:
          url: https://crm.example.com
          timeout: 2s
          actions: { log: { post: /log, body: { call: "{{ call.id }}" } } }
          faults: { full: { status: 400, body: { error: quota } } }
        lead: { type: slack, hook: "{{ secrets.lead }}" }
      """, routes: House.route("crm.log, lead.alert: declined"))

  private func post(_ router: RouterProcess, _ call: String) async throws {
    let body = SampleEvent.incomingRejected.body(
      callID: call, phone: "919876543210", at: Timestamp(milliseconds: 1_768_473_025_000))
    #expect(try await router.post(body, key: "sandbox").status == 200)
  }

  @Test("each kind of failure ends as a real one, and the others go on")
  func kinds() async throws {
    let router = try RouterProcess(config: Self.config, sandbox: true)
    try await router.start(["--sandbox-faults", "crm: full first 1"])
    try await post(router, "call_1")
    try await router.until("the refusal") { try await router.states("call_1")["crm.log"] == "dead rejected" }
    try await router.until("the alert") { try await router.states("call_1")["lead.alert"] == "delivered rule_ok" }
    for (fault, code) in [
      ("500", "server_error"), ("reset", "connection_lost"), ("refused", "connect_refused"), ("timeout", "timeout"),
    ] {
      let set = try await router.divert("sandbox", "faults", "crm: \(fault) first 1")
      #expect(set.out == "crm: \(fault) first 1\n", "\(set)")
      try await post(router, "call_\(fault)")
      try await router.until(fault) { try await router.states("call_\(fault)")["crm.log"] == "delivered accepted" }
      let found = try await router.divert("find", "call_\(fault)", "--format", "json")
      #expect(found.out.contains("\"\(code)\""), "\(found.out)")
    }
    let received = try await router.json("sandbox", "requests", "crm", "--limit", "3")
    let requests = received["requests"]?.array ?? []
    #expect(requests.count == 3 && requests.allSatisfy { $0["target"] == "crm" && $0["path"] == "/log" })
    #expect(requests.last?["body"] == ["call": "call_timeout"] && requests.last?["answer"]?["status"] == 200)
    let hook = try await router.json("sandbox", "requests", "lead", "--limit", "1")["requests"]?.array?.first
    #expect(hook?["path"] == "/lead", "\(hook ?? .null)")
    let none = try await router.divert("sandbox", "requests", "crn")
    #expect(none.status == 1 && none.err.contains("did you mean crm?"), "\(none)")
    try await router.expectAudit()
  }

  @Test("faults that cannot be keep it from starting, with their place; so do faults without a sandbox")
  func refused() async throws {
    let router = try RouterProcess(
      config: Self.config, secrets: ["ingest_key": House.key, "lead": "https://a.example"])
    let misspelt = try await router.tryStart(["--sandbox", "--sandbox-faults", "crm: 429 5%, lead: timout 1%"])
    #expect(misspelt.status == 1 && misspelt.err.contains("part 2 ('lead: timout 1%')"), "\(misspelt)")
    #expect(misspelt.err.contains("did you mean 'timeout'?"))
    let variable = try await router.tryStart(["--sandbox"], environment: ["DIVERT_SANDBOX_FAULTS": "crm 429"])
    #expect(variable.status == 1 && variable.err.contains("DIVERT_SANDBOX_FAULTS, part 1"), "\(variable)")
    let live = try await router.tryStart(["--sandbox-faults", "crm: 429"])
    #expect(live.status == 1 && live.err.contains("--sandbox-faults is for the sandbox"), "\(live)")
    try await router.start()
    let real = try await router.divert("sandbox", "requests", "--operator", router.operatorAddress)
    #expect(real.status == 1 && real.err.contains("is no sandbox"), "\(real)")
  }
}
