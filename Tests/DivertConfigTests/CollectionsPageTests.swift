// docs/collections.md is executed: its file is good, its tests pass and reach everything, and every test that the page names exists.

import DivertCore
import Testing

@testable import DivertConfig

@Suite("The page on the collections team") struct CollectionsPageTests {
  private static let path = "examples/collections/routes.yaml"

  @Test("the example is good, its tests pass, and they reach everything in it")
  func example() throws {
    let loaded = ConfigLoader.load(path: Files.root + "/" + Self.path)
    #expect(loaded.diagnostics.map(\.description) == [])
    let report = ConfigTests.run(loaded.tests, table: try #require(loaded.table))
    #expect(report.passed, "\(report.text)")
    #expect(report.coverage.missed.isEmpty, "\(report.coverage.text)")
  }

  @Test("every test that the page names is one of the file, or one with the running router")
  func names() throws {
    let page = try Files.text("docs/collections.md")
    let file = try Files.text(Self.path)
    let running = try Files.text("Tests/EndToEndTests/CollectionsCaseTests.swift")
    let rows = page.split(separator: "\n").drop { !$0.hasPrefix("| the sentence") }.dropFirst(2)
      .prefix { $0.hasPrefix("|") }.map { $0.split(separator: "|").map(\.trimmed) }
    #expect(rows.count == 13)
    for cells in rows {
      let shown = cells[1].split(separator: ";").map(\.trimmed).filter { !["", "all", "the same"].contains($0) }
      for name in shown { #expect(file.contains("\n  \(name):\n"), "\(name)") }
      for name in cells[2].split(separator: "`") where !name.isEmpty && name.allSatisfy(\.isLetter) && name != "all" {
        #expect(running.contains("func \(name)()"), "\(name)")
      }
    }
  }
}

extension Substring {
  fileprivate var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
