// The walk-through of docs/routes.md, "Going live", is executed: what the page prints is what the commands print.

import Foundation
import TestSupport
import Testing

@Suite("The page on going live", .bounded) struct GoingLivePageTests {
  /// A fenced block of the section.
  private struct Block {
    var language: Substring
    var text: String
  }

  private static func blocks() throws -> [Block] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let page = try String(contentsOf: root.appendingPathComponent("docs/routes.md"), encoding: .utf8)
    let section = try #require(
      page.components(separatedBy: "\n## Going live\n").last?.components(separatedBy: "\n## ").first)
    let parts = section.components(separatedBy: "```")
    return stride(from: 1, to: parts.count, by: 2).map { place in
      let end = parts[place].firstIndex(of: "\n") ?? parts[place].endIndex
      return Block(language: parts[place][..<end], text: String(parts[place][end...].dropFirst()))
    }
  }

  /// Times, users and events are other ones each time; blanks follow from them.
  private static func masked(_ text: String) -> [String] {
    text.split(separator: "\n").map { line in
      var words = line.split(separator: " ").map { word in
        if word.count == 24, word.hasSuffix("Z"), word.dropFirst(10).first == "T" { return "TIME" }
        if word.hasPrefix("evt_") { return "EVENT" }
        return word == "asha" || word == NSUserName()[...] ? "USER" : String(word)
      }
      if let ms = words.firstIndex(of: "ms"), ms > 0 { words[ms - 1] = "N" }
      return words.joined(separator: " ")
    }
  }

  @Test("explain, test, diff, apply, history and rollback print what the page says")
  func walkThrough() async throws {
    let blocks = try Self.blocks()
    let files = blocks.filter { $0.language == "yaml" }.map(\.text)
    let session = try #require(blocks.first { $0.language == "console" }).text
    try #require(files.count == 2)
    let router = try RouterProcess(config: files[0], sandbox: true)
    try files[1].write(to: router.folder.appendingPathComponent("new.yaml"), atomically: true, encoding: .utf8)
    try await router.start()
    for step in session.components(separatedBy: "$ divert ").dropFirst() {
      let lines = step.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
      let output = try await router.divert(Self.words(String(lines[0])))
      #expect(output.status == 0, "\(output)")
      #expect(Self.masked(output.out) == Self.masked(String(lines[1])), "$ divert \(lines[0])\n\(output.out)")
    }
  }

  /// Splits at blanks outside of quotes.
  private static func words(_ line: String) -> [String] {
    line.split(separator: "\"", omittingEmptySubsequences: false).enumerated().flatMap { place, part in
      place % 2 == 1 ? [String(part)] : part.split(separator: " ").map { String($0) }
    }
  }
}
