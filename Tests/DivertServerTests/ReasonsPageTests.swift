// docs/reasons.md names every code that the sources can produce.

import Foundation
import Testing

@Suite struct ReasonsPageTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The Swift files of every module but DivertConfig, whose codes belong to diagnostics with a place of their own.
  private static func sources() throws -> [String] {
    let folder = root.appendingPathComponent("Sources")
    let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
    return try files.compactMap { $0 as? URL }
      .filter { $0.pathExtension == "swift" && !$0.path.contains("/DivertConfig/") }
      .map { try String(contentsOf: $0, encoding: .utf8) }
  }

  private static func codes(in source: String) throws -> [String] {
    let made = try Regex(
      #"(?:Reason|RenderFault|IngestFault|OperatorFailure|IngestRefusal|StoreError|self\.init|\.conflict)"#
        + #"\(\s*(?:[0-9]+,\s*)?(?:code:\s*)?"([a-z_0-9]+)""#, as: (Substring, Substring).self)
    let mapped = try Regex(#"case SQLITE_[A-Z_, ]+:\s*\("([a-z_]+)""#, as: (Substring, Substring).self)
    var codes = (source.matches(of: made) + source.matches(of: mapped)).map { String($0.output.1) }
    if let list = source.firstRange(of: "enum Code: String") {
      let body = source[list.upperBound...].prefix { $0 != "}" }
      let named = try Regex(#"case ([a-zA-Z]+)(?: = "([a-z_]+)")?"#, as: (Substring, Substring, Substring?).self)
      codes += body.matches(of: named).map { String($0.output.2 ?? $0.output.1) }
    }
    return codes
  }

  /// The codes in the first column of the page's tables.
  private static func described() throws -> Set<String> {
    let page = try String(contentsOf: root.appendingPathComponent("docs/reasons.md"), encoding: .utf8)
    var codes: Set<String> = []
    for line in page.split(separator: "\n") where line.hasPrefix("| `") {
      let cell = line.dropFirst().prefix { $0 != "|" }
      let parts = cell.split(separator: "`", omittingEmptySubsequences: false)
      for (place, part) in parts.enumerated() where place % 2 == 1 { codes.insert(String(part)) }
    }
    return codes
  }

  @Test("every code in the sources stands on the page")
  func complete() throws {
    let described = try Self.described()
    var codes = Set(try Self.sources().flatMap(Self.codes))
    #expect(codes.count > 80, "the search finds too little: \(codes.count)")
    codes.remove("rule_")
    codes.formUnion(
      ["ok", "ok_duplicate", "retry", "throttle", "refresh", "fail", "hold", "disable"].map { "rule_" + $0 })
    #expect(codes.subtracting(described).sorted() == [])
  }

  @Test("the page describes no code that the sources do not have")
  func nothingElse() throws {
    let sources = try Self.sources()
    let stale = try Self.described().filter { code in
      !code.hasPrefix("rule_") && !sources.contains { $0.contains("\"\(code)\"") || $0.contains("case \(code)\n") }
    }
    #expect(stale.sorted() == [])
  }
}
