// docs/targets: each page's files load, and it names everything that its type can be given and asked for.

import DivertCore
import Foundation
import Testing

@testable import DivertConfig

@Suite("The targets' pages") struct TargetPageTests {
  private static let folder =
    #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/docs/targets/"

  private static func text(_ type: String) throws -> String {
    try String(contentsOfFile: folder + type + ".md", encoding: .utf8)
  }

  /// The types that have a page.
  static let types = Presets.names.filter { FileManager.default.fileExists(atPath: folder + $0 + ".md") }

  @Test("every whole file loads", arguments: types) func files(_ type: String) throws {
    let blocks = try Self.text(type).components(separatedBy: "```yaml\n").dropFirst()
      .map { $0.components(separatedBy: "```")[0] }
    #expect(!blocks.isEmpty)
    for block in blocks {
      #expect(block.hasPrefix("version: 1\n"), "\(block)")
      let result = ConfigLoader.load(text: block, file: type + ".md")
      #expect(result.diagnostics.map(\.description) == [])
    }
    #expect(blocks.contains { $0.contains("type: \(type)") })
  }

  @Test("every parameter, action and argument is on it, and the command that adds one", arguments: types)
  func names(_ type: String) throws {
    let page = try Self.text(type)
    let preset = try #require(Preset.all[type])
    let actions = preset.root["actions"]?.entries ?? []
    let arguments = actions.flatMap { $0.value["arguments"]?.entries ?? [] }
    for name in preset.parameters.map(\.name) + (actions + arguments).map(\.key) {
      #expect(page.contains("`\(name)`") || page.contains("`\(name):"), "\(type).md does not name \(name)")
    }
    if page.contains("the faults are") {
      for fault in preset.root["faults"]?.entries ?? [] { #expect(page.contains("`\(fault.key)`"), "\(fault.key)") }
    }
    #expect(page.contains("divert targets add \(type) "))
  }

  @Test("every type has a page, every page a type, and the index has them all") func pages() throws {
    let index = try Self.text("README")
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder)
    let pages = files.filter { $0.hasSuffix(".md") }.map { String($0.dropLast(3)) }
    #expect(Set(pages).subtracting(["README", "adding-one"]) == Set(Presets.names))
    #expect(
      Set(index.matches(of: /\]\(([a-z0-9_-]+)\.md\)/).map { String($0.1) }) == Set(pages).subtracting(["README"]))
    for type in Presets.names { #expect(index.contains("](\(type).md) | `\(type)` |"), "\(type)") }
  }

  @Test("the command on the page adds a target with the secrets that the page names", arguments: types)
  func command(_ type: String) throws {
    let page = try Self.text(type)
    let command = try #require(page.firstMatch(of: /`divert targets add (\S+) ([^` ]+)([^`]*)`/))
    #expect(String(command.1) == type)
    let fields = String(command.3).replacing("'", with: "").matches(of: /(\w+)=(\{\{[^}]*\}\}|\S+)/)
    let with = fields.map { YAMLValue.Entry(String($0.1), .text(String($0.2))) }
    let bundle = ConfigBundle(main: .init(name: "routes.yaml", text: "version: 1\n"))
    let edited = try ConfigEditor.edit(bundle, [.addTarget(type: type, name: String(command.2), with: with)])
    let loaded = ConfigLoader.load(bundle: edited.bundle)
    #expect(!loaded.hasErrors)
    for secret in loaded.secretsNamed { #expect(page.contains("`\(secret.name)`"), "\(type).md: \(secret.name)") }
  }

  @Test("the index tells of every action what follows when its answer got lost", arguments: Presets.names)
  func lostAnswers(_ type: String) throws {
    let table = try Self.text("README").components(separatedBy: "## When an answer got lost")[1]
    let rows = table.split(separator: "\n").filter { $0.hasPrefix("| `") }
    let row = try #require(rows.first { $0.split(separator: "|")[0].contains("`\(type)`") }, "no row of \(type)")
    let cells = row.split(separator: "|", omittingEmptySubsequences: false).dropFirst(2).map(String.init)
    let result = ConfigLoader.load(text: try PresetAnswerTests.file(type), file: "routes.yaml")
    for (name, action) in try #require(result.table?.parts.targets["vendor"]).actions {
      let places = cells.indices.filter { cells[$0].contains("`\(name)`") }
      #expect(places.count == 1, "\(type).\(name) stands in \(places.count) places")
      switch action.ambiguous {
      case .verify: #expect(places == [0], "\(type).\(name)")
      case .park: #expect(places == [1], "\(type).\(name)")
      case .retry: #expect(places == [2] || places == [3], "\(type).\(name)")
      }
    }
  }
}
