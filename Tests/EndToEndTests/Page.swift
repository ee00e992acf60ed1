// A page of the documentation with files and commands in it, to be executed: what it prints must be what it does.

import Foundation

/// A Markdown page's fenced blocks under one heading.
struct Page {
  /// A fenced block by its language.
  struct Block {
    var language: String
    var text: String
  }

  /// A line after `$ `, and what the page prints for it.
  struct Command {
    var arguments: [String]
    var output: String
  }

  var blocks: [Block] = []

  /// Where `docs` is.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The blocks of `docs/…` between the heading `## section` and the next of its level; without a section, all of them.
  init(_ path: String, section: String? = nil) throws {
    let text = try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
    var (inside, open): (Bool, Block?) = (section == nil, nil)
    for line in text.components(separatedBy: "\n") {
      if open == nil, line.hasPrefix("## "), let section { inside = line == "## " + section }
      guard inside else { continue }
      if line.hasPrefix("```") {
        if let block = open { blocks.append(block) }
        open = open == nil ? Block(language: String(line.dropFirst(3)), text: "") : nil
      } else {
        open?.text += line + "\n"
      }
    }
  }

  /// The first block of a language.
  func first(_ language: String) -> String? { blocks.first { $0.language == language }?.text }

  /// A text with the lines behind `-` of a `diff` block replaced by those behind `+`, pair by pair.
  func changed(_ text: String) -> String {
    let lines = (first("diff") ?? "").components(separatedBy: "\n")
    let old = lines.filter { $0.hasPrefix("-") }.map { String($0.dropFirst()) }
    let new = lines.filter { $0.hasPrefix("+") }.map { String($0.dropFirst()) }
    return zip(old, new).reduce(text) { text, pair in
      text.components(separatedBy: pair.0 + "\n").joined(separator: pair.1 + "\n")
    }
  }

  /// Every `$ divert …` of the `console` blocks, in order.
  var commands: [Command] {
    blocks.filter { $0.language == "console" }.flatMap { block in
      block.text.components(separatedBy: "$ divert ").dropFirst().map { part in
        let lines = part.components(separatedBy: "\n")
        return Command(
          arguments: lines[0].split(separator: " ").map(String.init),
          output: lines.dropFirst().joined(separator: "\n").trimmingCharacters(in: .newlines))
      }
    }
  }

  /// Output without what differs from run to run: ids of stored events, and since when something was counted.
  static func steady(_ output: String) -> String {
    var text = output.trimmingCharacters(in: .newlines)
    for (pattern, steady) in [("evt_[0-9a-z]{19}", "evt_…"), ("since [0-9T:.-]+Z", "since …")] {
      text = text.replacingOccurrences(of: pattern, with: steady, options: .regularExpression)
    }
    return text
  }
}
