// `faults:` of targets and presets: how the sandbox can let requests fail.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct SandboxFaultConfigTests {
  private func load(_ faults: String, preset: String = "") -> LoadResult {
    let main = """
      version: 1
      targets:
        crm: { \(preset.isEmpty ? "url: https://crm.example" : "type: acme"), timeout: 8s, actions: { log: { post: / } }, faults: \(faults) }

      """
    let file = "url: https://acme.example\nactions: { log: { post: /calls }, note: { post: /notes } }\n" + preset
    return ConfigLoader.load(
      bundle: ConfigBundle(
        main: .init(name: "routes.yaml", text: main),
        more: preset.isEmpty ? [] : [.init(name: "presets.d/acme.yaml", text: file)]))
  }

  @Test("answers, closed connections and delays, by name") func kinds() throws {
    let result = load(
      """
      { "429": { status: 429, headers: { Retry-After: 30 }, body: { code: BUSY } }, gone: { hang_up: true, delay: 2s },
          late: { delay: 9s }, text: { status: 200, body: error } }
      """)
    #expect(!result.hasErrors, "\(result.diagnostics)")
    #expect(
      result.sandboxTargets["crm"]
        == SandboxTarget(
          type: "http", actions: ["log"], timeout: .seconds(8),
          faults: [
            "429": SandboxFault(status: 429, headers: [HTTPHeader("Retry-After", "30")], body: ["code": "BUSY"]),
            "gone": SandboxFault(hangsUp: true, delay: .seconds(2)), "late": SandboxFault(delay: .seconds(9)),
            "text": SandboxFault(status: 200, body: "error"),
          ]))
  }

  @Test("a preset's stay beside the target's own, which replace those of their name") func preset() throws {
    let result = load(
      "{ expired: { status: 403 } }",
      preset: "faults: { expired: { status: 401, body: { code: OLD } }, busy: { status: 503 } }\n")
    #expect(!result.hasErrors, "\(result.diagnostics)")
    let target = try #require(result.sandboxTargets["crm"])
    #expect(target.type == "acme" && target.actions == ["log", "note"])
    #expect(target.faults == ["expired": SandboxFault(status: 403), "busy": SandboxFault(status: 503)])
  }

  @Test(
    "what makes no sense is refused",
    arguments: [
      ("{ a: {} }", "missing_field"), ("{ a: { body: x } }", "missing_field"),
      ("{ a: { hang_up: true, status: 200 } }", "contradictory"), ("{ a: { status: 99 } }", "bad_number"),
      ("{ a: { statu: 200 } }", "unknown_field"), ("{ a b: { status: 200 } }", "bad_name"),
      ("{ a: { status: 200, headers: { \"X-A\": \"a\\nb\" } } }", "bad_header"), ("{ a: 429 }", "not_a_mapping"),
      ("{ a: { delay: soon } }", "bad_duration"),
    ])
  func refused(faults: String, code: String) {
    #expect(load(faults).diagnostics.filter { $0.severity == .error }.map(\.code) == [code])
  }

  @Test("the built-in presets' are read") func builtIn() {
    for preset in Preset.all.values {
      let context = LoadContext()
      if let faults = preset.root["faults"] { #expect(!context.faults(faults).isEmpty) }
      #expect(context.diagnostics.isEmpty, "\(preset.name)")
    }
  }
}
