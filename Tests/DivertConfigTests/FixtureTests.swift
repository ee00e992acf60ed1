// Every mistake of a configuration, one file each: the diagnostics stand in comments at the file's end.
import Foundation
import Testing

@testable import DivertConfig

/// `Fixtures/bad.<fault>.yaml`. Its last lines are the expectations:
/// `# expect <line>:<column> <severity> <code>: <part of the message or hint>`.
struct Fixture: Sendable, CustomTestStringConvertible {
  var name: String
  var text: String

  var testDescription: String { name }

  static let all: [Fixture] = {
    let folder = Files.root + "/Tests/DivertConfigTests/Fixtures"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasPrefix("bad.") }.sorted().compactMap { name in
      FileManager.default.contents(atPath: folder + "/" + name).map {
        Fixture(name: name, text: String(decoding: $0, as: UTF8.self))
      }
    }
  }()

  /// The text in front of the expectations.
  var source: String { text.firstRange(of: "\n# expect").map { text[..<$0.lowerBound] + "\n" } ?? text }

  var expectations: [(head: String, part: String)] {
    text.split(separator: "\n").filter { $0.hasPrefix("# expect ") }.map { line in
      let parts = line.dropFirst("# expect ".count).split(separator: ": ", maxSplits: 1).map(String.init)
      return (parts[0], parts.count > 1 ? parts[1] : "")
    }
  }
}

@Suite struct FixtureTests {
  @Test("there are fixtures for every kind of mistake")
  func count() { #expect(Fixture.all.count >= 60) }

  @Test("each mistake is reported at its place, with its remedy, and nothing else is", arguments: Fixture.all)
  func diagnostics(fixture: Fixture) {
    let result = ConfigLoader.load(text: fixture.source, file: fixture.name)
    let heads = result.diagnostics.map { "\($0.line):\($0.column) \($0.severity.rawValue) \($0.code)" }
    let shown = result.diagnostics.map(\.description).joined()
    #expect(heads == fixture.expectations.map(\.head), "\(shown)")
    for (diagnostic, expected) in zip(result.diagnostics, fixture.expectations) {
      let said = diagnostic.message + " = " + (diagnostic.hint ?? "")
      #expect(said.contains(expected.part), "\(said)")
    }
    #expect((result.table == nil) == result.hasErrors)
  }

  /// What takes more than one file, a folder, or a text too long for a fixture; they have tests of their own.
  private static let withoutFixture: Set = [
    "absent_file", "absent_secret", "main_file_only", "name_given_twice", "not_read", "part_of_another",
    "preset_exists", "too_large", "too_many", "too_many_values", "unknown_parameter", "unreadable",
  ]

  @Test("every kind of diagnostic that the sources can give has a fixture")
  func kinds() throws {
    let call = try Regex(#"(?:error|warn|report|Diagnostic)\(\s*(?:\.(?:error|warning),\s*)?"([a-z_]+)""#)
    let folder = Files.root + "/Sources/DivertConfig"
    var codes: Set<String> = []
    for name in FileManager.default.enumerator(atPath: folder)?.compactMap({ $0 as? String }) ?? [] {
      guard name.hasSuffix(".swift") else { continue }
      let source = try Files.text("Sources/DivertConfig/" + name)
      for match in source.matches(of: call) { codes.insert(String(match.output[1].substring ?? "")) }
    }
    let shown = Set(
      Fixture.all.flatMap(\.expectations).compactMap { $0.head.split(separator: " ").last.map(String.init) })
    #expect(codes.count > 60)
    #expect(codes.subtracting(shown).subtracting(Self.withoutFixture).sorted() == [])
  }
}
