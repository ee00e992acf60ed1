// Whatever stands in a file, the loader answers with diagnostics that lie in the file, and never ends the process.
// `scripts/fuzz` runs the same generator for millions of inputs.
import ConfigFuzz
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct FuzzTests {
  @Test("no text ends in anything but a table or diagnostics", arguments: UInt64(1)...8)
  func inputs(seed: UInt64) throws {
    let corpus =
      try [Files.text("routes.yaml.example"), Presets.text(of: "doubletick") ?? ""] + Fixture.all.map(\.source)
    let inputs = FuzzInputs(seed: seed, corpus: corpus)
    for number in UInt64(0)..<120 {
      let text = inputs.input(number)
      let fault = FuzzCheck.fault(of: text)
      #expect(fault == nil, "seed \(seed), input \(number):\n\(text)")
    }
  }

  @Test("no preset ends in anything but target types or diagnostics, used or not", arguments: UInt64(1)...4)
  func presets(seed: UInt64) throws {
    let inputs = FuzzInputs(seed: seed, corpus: Presets.names.compactMap(Presets.text))
    for number in UInt64(0)..<120 {
      let text = inputs.input(number)
      let fault = FuzzCheck.fault(ofPreset: text)
      #expect(fault == nil, "seed \(seed), input \(number): \(fault ?? "")\n\(text)")
    }
  }

  @Test("the files that the language's description makes are configurations often enough to be worth something")
  func grammar() {
    let inputs = FuzzInputs(seed: 3, corpus: ["version: 1\n"])
    let tables = (UInt64(0)..<400).count { ConfigLoader.load(text: inputs.input($0), file: "f").table != nil }
    #expect(tables >= 4, "\(tables) of 400")
  }

  @Test("deep nesting and aliases that multiply are refused")
  func bombs() {
    for count in [5000, 20_000] {
      let deep = "version: 1\nroutes: " + String(repeating: "[", count: count)
      let said = ConfigLoader.load(text: deep, file: "routes.yaml").diagnostics
      #expect(said.map(\.message) == ["the file is nested too deep"])
    }
    let closed = "version: 1\ntables: " + String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
    #expect(ConfigLoader.load(text: closed, file: "routes.yaml").diagnostics.contains { $0.code == "too_deep" })
    let blocks = "version: 1\ntables:" + (1...3000).map { "\n" + String(repeating: " ", count: $0) + "a:" }.joined()
    #expect(ConfigLoader.load(text: blocks, file: "routes.yaml").hasErrors)
    let laughs = ConfigLoader.load(text: Self.laughs(), file: "routes.yaml").diagnostics
    #expect(laughs.contains { $0.code == "too_many_values" } && !laughs.contains { $0.code == "too_deep" })
    for key in [
      "? *a30\n: x", "*a30 : x", "{ *a30, b }", "[ *a30 : x ]", "? [*a30]\n: x", "{ ? *a30 : x }", "{{ *a30 }}",
    ] {
      let text = Self.laughs() + "defaults:\n  " + key.replacing("\n", with: "\n  ") + "\n"
      #expect(ConfigLoader.load(text: text, file: "routes.yaml").hasErrors, "\(key)")
    }
  }

  /// Thirty anchors, each nine times the one before it.
  private static func laughs() -> String {
    var laughs = "version: 1\ntables:\n  a0: &a0 { x: y }\n"
    for level in 1...30 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
      laughs += "  a\(level): &a\(level) [\(aliases)]\n"
    }
    return laughs
  }

  @Test("one endless line, one endless list, one endless key: each is read or refused in the end")
  func endless() {
    let line = "version: 1\ntables: { a: { " + (0..<20_000).map { "k\($0): v, " }.joined() + "} }\n"
    #expect(!ConfigLoader.load(text: line, file: "routes.yaml").hasErrors)
    let list = "version: 1\nsources: [" + String(repeating: "a,", count: 20_000) + "]\n"
    #expect(ConfigLoader.load(text: list, file: "routes.yaml").hasErrors)
    let key = "version: 1\n" + String(repeating: "k", count: 900) + ": x\n"
    #expect(ConfigLoader.load(text: key, file: "routes.yaml").hasErrors)
  }
}
