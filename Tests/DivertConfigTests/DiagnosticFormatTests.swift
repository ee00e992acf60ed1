// Diagnostics as JSON and as GitHub's annotations; long lines; the order with absent secrets among them.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct DiagnosticFormatTests {
  private let text = """
    version: 1
    targets:
      crm: { url: https://crm.example.com, auth: { bearer: "{{ secrets.crm }}" }, actions: { note: { post: /notes } } }
    routes:
      a: { when: { event: CALL_REJCTED }, sned: [crm.note] }
    """

  @Test("JSON: place, severity, code, message, hint and fix, in the order of the lines")
  func json() throws {
    let all = ConfigLoader.load(text: text, file: "routes.yaml").diagnostics { _ in false }
    #expect(all.map(\.code) == ["absent_secret", "near_miss", "unknown_field"])
    let last = try #require(all.last).json
    let wanted: JSONValue = [
      "file": "routes.yaml", "line": 5, "column": 39, "end_column": 43, "severity": "error", "code": "unknown_field",
      "message": "unknown field 'sned' in a route", "hint": "did you mean 'send'?",
      "fix": ["column": 39, "end_column": 43, "text": "send"], "notes": [],
    ]
    #expect(last == wanted)
    #expect(all[0].json["fix"] == .null)
  }

  @Test("a secret's absence is a warning of check and an error of serve")
  func severity() {
    let result = ConfigLoader.load(text: text, file: "routes.yaml")
    #expect(result.absentSecrets { _ in false }.map(\.severity) == [.warning])
    #expect(result.absentSecrets(as: .error) { _ in false }.map(\.severity) == [.error])
    #expect(result.absentSecrets { _ in true }.isEmpty)
  }

  @Test("GitHub: one line each, with what would end it escaped")
  func github() {
    let result = ConfigLoader.load(text: text, file: "conf,a:b/100%.yaml")
    #expect(
      result.diagnostics.map(\.annotation) == [
        "::warning file=conf%2Ca%3Ab/100%25.yaml,line=5,col=23,endColumn=35,title=near_miss::"
          + "'CALL_REJCTED' is no event that is known%0Adid you mean 'CALL_REJECTED'?",
        "::error file=conf%2Ca%3Ab/100%25.yaml,line=5,col=39,endColumn=43,title=unknown_field::"
          + "unknown field 'sned' in a route%0Adid you mean 'send'?",
      ])
  }

  @Test("of a long line, what stands around the place is shown, and the column is the line's")
  func longLine() throws {
    let text = "version: 1\ntables: { a: { " + (0..<2000).map { "k\($0): v, " }.joined() + "}, b: x }\n"
    let all = ConfigLoader.load(text: text, file: "routes.yaml").diagnostics
    let last = try #require(all.last { $0.code == "not_a_mapping" })
    #expect(last.sourceLine.count <= 801 && last.description.count < 3000)
    #expect(last.column == text.split(separator: "\n")[1].count - 2)
    #expect(Array(last.sourceLine)[last.column - last.skipped - 1] == "x")
  }

  @Test("a file with endless mistakes is answered with the first of them")
  func many() {
    let fields = (0..<5000).map { "field\($0): x\n" }.joined()
    let all = ConfigLoader.load(text: "version: 1\n" + fields, file: "routes.yaml").diagnostics
    #expect(all.count == LoadContext.maxDiagnostics + 1)
    #expect(all.last?.code == "too_many")
  }
}
