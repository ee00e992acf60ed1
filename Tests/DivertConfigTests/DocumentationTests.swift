// The pages are executed: every whole file in README.md and docs/routes.md loads, every filter example gives what it says.
import DivertCore
import Testing

@testable import DivertConfig

/// A fenced block of a Markdown page.
struct Block {
  var language: Substring
  var text: String

  /// The blocks of a page, in order.
  static func all(of page: String) throws -> [Block] {
    var blocks: [Block] = []
    var open: Block?
    for line in try Files.text(page).split(separator: "\n", omittingEmptySubsequences: false) {
      guard line.hasPrefix("```") else {
        open?.text += line + "\n"
        continue
      }
      if let block = open { blocks.append(block) }
      open = open == nil ? Block(language: line.dropFirst(3), text: "") : nil
    }
    return blocks
  }
}

@Suite struct DocumentationTests {
  @Test("every whole file on the pages loads without an error", arguments: ["README.md", "docs/routes.md"])
  func wholeFiles(page: String) throws {
    let files = try Block.all(of: page).filter { $0.language == "yaml" && $0.text.hasPrefix("version: 1") }
    #expect(!files.isEmpty)
    for file in files {
      let result = ConfigLoader.load(text: file.text, file: page)
      #expect(result.diagnostics.map(\.description) == [])
      #expect(result.table != nil)
    }
  }

  @Test("what the page says that `check --resolved` prints is what it prints")
  func resolved() throws {
    let blocks = try Block.all(of: "docs/routes.md")
    let place = try #require(blocks.firstIndex { $0.language == "resolved" })
    let loaded = ConfigLoader.load(text: blocks[place - 1].text, file: "routes.yaml")
    var printed = try #require(loaded.resolved).yaml.split(separator: "\n")[...]
    for line in blocks[place].text.split(separator: "\n") {
      printed = printed.drop { $0 != line }
      #expect(!printed.isEmpty, "\(line)")
    }
  }

  @Test("every filter example of docs/routes.md gives what the page says")
  func filters() throws {
    let blocks = try Block.all(of: "docs/routes.md")
    let body = try #require(blocks.first { $0.language == "json" }).text
    let examples = try #require(blocks.first { $0.language == "filters" }).text.split(separator: "\n")
    let context = try Self.context(body)
    var shown: Set<Filter> = []
    for example in examples {
      let arrow = try #require(example.firstRange(of: " => "), "\(example)")
      var source = String(example[..<arrow.lowerBound])
      while source.last == " " { source.removeLast() }
      let wanted = try JSONValue.parse(Array(example[arrow.upperBound...].utf8))
      let template = try Template.parse(source, in: .send(tables: ["leads"])).get()
      #expect(try context.json(template) == wanted, "\(source)")
      for case .expression(let expression) in template.parts { shown.formUnion(expression.filters.map(\.filter)) }
    }
    #expect(Set(Filter.allCases).subtracting(shown).map(\.rawValue).sorted() == [])
  }

  static func context(_ body: String) throws -> RenderContext {
    let bytes = Array(body.utf8)
    let now = try #require(Timestamp(iso8601: "2026-01-15T10:30:27Z"))
    let source = SourceDefinition(name: "doubletick", type: "doubletick")
    let result = Normalizer.normalize(bytes, label: nil, source: source, country: "IN", receivedAt: now)
    guard case .event(let fields, let raw, _) = result else {
      throw RenderFault("refused", "the page's event was refused: \(result)")
    }
    let event = Event(
      id: EventID(sequence: 0, tag: 0), source: source.name, receivedAt: now, fields: fields, body: bytes, raw: raw)
    return RenderContext(
      event: event, now: now, zone: try #require(Zone.named("Asia/Kolkata")), country: "IN",
      tables: ["leads": ["James Smith": "priya@example.com"]])
  }

  @Test("every field that is refused as coming is named on the page, and so is every other field of the language")
  func fields() throws {
    let page = try Files.text("docs/routes.md")
    for part in LanguagePart.allCases where part != .preset {
      for field in part.description.fields {
        #expect(page.contains("`\(field.name)") || page.contains(" \(field.name)"), "\(part.rawValue): \(field.name)")
      }
    }
  }
}
