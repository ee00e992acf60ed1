// Whatever stands in a file, the loader answers with diagnostics that lie in the file, and never ends the process.
import Testing

@testable import DivertConfig

/// A small generator (SplitMix64), so that a failing seed can be run again.
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite struct FuzzTests {
  private static let pieces = [
    "{{", "}}", "{", "}", "[", "]", ":", ": ", "\n", "\n  ", "- ", "\"", "'", "|", ">", "&a ", "*a", "<<: *a", "!!int ",
    "#", "\t", "? ", "---\n", "...\n", "%YAML 1.1\n", "\u{0}", "\u{85}", "\u{2028}", "\u{feff}", "नमस्ते", "😀",
    "\u{E800}", "when", "secrets.x", "target.hook", "arguments.text", "9999999999999999999d", "-1", "..", "*.*", "\r\n",
  ]

  @Test("no change of a valid file ends in anything but a table or diagnostics", arguments: UInt64(1)...12)
  func mutations(seed: UInt64) throws {
    var random = Seeded(state: seed)
    let texts =
      try [Files.text("routes.yaml.example"), Presets.text(of: "doubletick") ?? ""] + Fixture.all.map(\.source)
    for _ in 0..<60 {
      var scalars = Array((texts.randomElement(using: &random) ?? "").unicodeScalars)
      for _ in 0..<Int.random(in: 1...6, using: &random) { Self.mutate(&scalars, &random) }
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars)
      Self.check(String(view), seed)
    }
  }

  private static func mutate(_ text: inout [Unicode.Scalar], _ random: inout Seeded) {
    let place = Int.random(in: 0...text.count, using: &random)
    let end = min(text.count, place + Int.random(in: 0...40, using: &random))
    switch Int.random(in: 0..<4, using: &random) {
    case 0: text.removeSubrange(place..<end)
    case 1: text.insert(contentsOf: (pieces.randomElement(using: &random) ?? "").unicodeScalars, at: place)
    case 2: text.insert(contentsOf: text[place..<end], at: Int.random(in: 0...text.count, using: &random))
    default: if place < text.count { text[place] = Unicode.Scalar(UInt8.random(in: 9...126, using: &random)) }
    }
  }

  private static func check(_ text: String, _ seed: UInt64) {
    let result = ConfigLoader.load(text: text, file: "routes.yaml")
    #expect((result.table == nil) == result.hasErrors, "seed \(seed):\n\(text)")
    for diagnostic in result.diagnostics {
      #expect(diagnostic.line >= 1 && diagnostic.column >= 1 && diagnostic.length >= 1, "seed \(seed):\n\(text)")
      #expect(diagnostic.column <= diagnostic.sourceLine.count + 1, "seed \(seed): \(diagnostic)\n\(text)")
      #expect(!diagnostic.description.isEmpty)
    }
  }

  @Test("deep nesting and aliases that multiply are refused")
  func bombs() {
    let deep = "version: 1\nroutes: " + String(repeating: "[", count: 5000)
    #expect(ConfigLoader.load(text: deep, file: "routes.yaml").hasErrors)
    let closed = "version: 1\ntables: " + String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
    #expect(ConfigLoader.load(text: closed, file: "routes.yaml").diagnostics.contains { $0.code == "too_deep" })
    var laughs = "version: 1\ntables:\n  a0: &a0 { x: y }\n"
    for level in 1...30 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
      laughs += "  a\(level): &a\(level) [\(aliases)]\n"
    }
    #expect(ConfigLoader.load(text: laughs, file: "routes.yaml").diagnostics.contains { $0.code == "too_deep" })
  }
}
