// docs/routes.md is executed: its table of filters is the code's, its table of values holds, its tests give what it
// prints.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct LanguagePageTests {
  private static let page = "docs/routes.md"

  private static func blocks(_ language: String) throws -> [String] {
    try Block.all(of: page).filter { $0.language == language }.map(\.text)
  }

  @Test("the page's table of filters names every filter of the code and no other")
  func filterTable() throws {
    let page = try Files.text(Self.page)
    let section = try #require(page.firstRange(of: "### Filters").map { page[$0.upperBound...] })
    let table = section.split(separator: "\n").drop { !$0.hasPrefix("| filter |") }.dropFirst(2)
    var names: [String] = []
    for row in table.prefix(while: { $0.hasPrefix("|") }) {
      let cell = row.split(separator: "|")[0]
      // Between backticks stands a filter with its arguments: `truncate: n, '…'`.
      let spans = cell.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter {
        $0.offset % 2 == 1
      }
      names += spans.map { String($0.element.prefix { $0 != ":" }) }
    }
    #expect(names.sorted() == Filter.allCases.map(\.rawValue).sorted())
  }

  @Test("every example of a filter's signature is readable as a template")
  func signatures() throws {
    for filter in Filter.allCases {
      let text = "{{ \(filter.signature.example) }}"
      let scope = TemplateScope.target(arguments: .any, tables: ["team_leads"])
      let template = try Template.parse(text, in: scope).get()
      #expect(template.single?.filters.map(\.filter) == [filter], "\(text)")
    }
  }

  @Test("every row of the page's table of values gives what it says: types, missing values, phones")
  func cases() throws {
    let body = try #require(Self.blocks("json").first)
    let rows = try #require(Self.blocks("cases").first).split(separator: "\n").filter { !$0.hasPrefix("#") }
    let context = try DocumentationTests.context(body)
    #expect(rows.count > 40)
    for row in rows {
      let arrow = try #require(row.firstRange(of: " => "), "\(row)")
      let leaf = row[..<arrow.lowerBound]
      #expect(try Self.outcome(of: String(leaf), context) == String(row[arrow.upperBound...]), "\(leaf)")
    }
  }

  /// What a body's leaf becomes, as the page writes it.
  private static func outcome(of leaf: String, _ context: RenderContext) throws -> String {
    let text = """
      version: 1
      tables: { leads: { James Smith: priya@example.com } }
      targets: { crm: { url: https://crm.example.com, actions: { log: { post: /calls, body: { x: \(leaf) } } } } }
      """
    let result = ConfigLoader.load(text: text, file: "routes.yaml")
    let table = try #require(result.table, "\(result.diagnostics)")
    guard case .json(let tree) = try #require(table.parts.targets["crm"]?.actions["log"]).body else { return "no body" }
    do throws(RenderFault) {
      // The written bytes and the value are made by two pieces of code: they must agree.
      let bytes = try BodyProgram(tree).bytes(context)
      let value = try context.json(tree)
      #expect(value?.encoded() == bytes, "\(leaf)")
      return value?["x"].map(\.text) ?? "left out"
    } catch {
      return "dead: \(error.reason.code)"
    }
  }

  @Test("the page's tests give the report and the coverage that it prints")
  func report() throws {
    let reports = try Self.blocks("report")
    let coverages = try Self.blocks("coverage")
    let made = try Self.blocks("yaml").filter { $0.contains("\ntests:\n") }.map { file in
      let loaded = ConfigLoader.load(text: file, file: "routes.yaml")
      return ConfigTests.run(loaded.tests, table: try #require(loaded.table, "\(loaded.diagnostics)"))
    }
    #expect(reports == made.prefix(reports.count).map { $0.text + "\n" })
    #expect(reports.count == 2 && made.dropFirst(2).allSatisfy(\.passed))
    #expect(coverages == made.prefix(1).map { $0.coverage.text + "\n" })
  }

  @Test("the tests of routes.yaml.example pass and reach everything in it")
  func example() throws {
    let loaded = ConfigLoader.load(path: Files.root + "/routes.yaml.example")
    let report = ConfigTests.run(loaded.tests, table: try #require(loaded.table))
    #expect(report.passed && report.results.count == 5, "\(report.text)")
    #expect(report.coverage.percent == 100, "\(report.coverage.text)")
  }
}
