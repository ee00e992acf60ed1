// `fmt` mends what can mean one thing only, and leaves everything else alone.
import Testing

@testable import DivertConfig

@Suite struct FormatTests {
  private static let head = """
    version: 1
    targets:
      crm:
        url: https://crm.example.com
        actions:
          log: { post: /log, body: { call: "{{ call.id }}" } }
          note: { post: /note, arguments: { text: { main: true } }, body: { text: "{{ arguments.text }}" } }
    routes:
      one:
        send:

    """

  private static func format(_ text: String) -> FormattedFile {
    ConfigFormatter.format(ConfigBundle(main: .init(name: "routes.yaml", text: text)))[0]
  }

  /// A send item written wrongly, and as it was meant; nil: it must be left alone.
  private static let quotes: [(String, String?)] = [
    ("- crm.note: {{ call.id }}", "- crm.note: \"{{ call.id }}\""),
    ("- crm.note: {{ call.id }} was declined  # remark", "- crm.note: \"{{ call.id }} was declined\"  # remark"),
    ("- crm.note: Declined {{ agent | default: 'x' }} now", "- crm.note: \"Declined {{ agent | default: 'x' }} now\""),
    ("- crm.note: { text: {{ call.id }} }", "- crm.note: { text: \"{{ call.id }}\" }"),
    ("- crm.note: {text: {{ call.id }}}", "- crm.note: {text: \"{{ call.id }}\"}"),
    ("- crm.note: { text: call {{ call.id }} }", "- crm.note: { text: \"call {{ call.id }}\" }"),
    (
      "- { crm.note: {{ call.id | default: 'a, b' }}, as: x }",
      "- { crm.note: \"{{ call.id | default: 'a, b' }}\", as: x }"
    ),
    ("- crm.note: { text: {{ call.id }}, and more }", nil),
    ("- crm.note: {{ call.id", nil),
    ("- crm.note: {{ call.id }}: x", nil),
    ("- crm.note: \"{{ call.id }}\"", nil),
    ("- crm.note: called {{ call.id }}", nil),
    ("- crm.note: |\n          {{ call.id }}: {{ agent? }}", nil),
  ]

  @Test("templates without quotes get them where their end is certain", arguments: quotes)
  func quoting(wrong: String, right: String?) {
    let formatted = Self.format(Self.head + "      " + wrong + "\n")
    #expect(formatted.text == right.map { Self.head + "      " + $0 + "\n" }, "\(formatted.left)")
    guard let text = formatted.text else { return }
    #expect(Self.format(text).text == nil, "it is done at once")
    #expect(!ConfigLoader.load(text: text, file: "routes.yaml").hasErrors)
  }

  @Test("tabs in the indentation become blanks where every width reads the same")
  func tabs() {
    let text = "version: 1\ntables:\n\tleads:\n\t\ta: b\n\tmore: { c: d }  # \t remark\n"
    let wanted = "version: 1\ntables:\n  leads:\n    a: b\n  more: { c: d }  # \t remark\n"
    let formatted = Self.format(text)
    #expect(formatted.text == wanted)
    #expect(formatted.fixes.count == 3)
    let mixed = "version: 1\ntables:\n  leads:\n    a: b\n\tc: d\n"
    #expect(Self.format(mixed).text == nil)
    #expect(!Self.format(mixed).left.isEmpty)
  }

  @Test("a line that fits nothing is moved where only one column makes the file good")
  func indentation() {
    let crooked = Self.head + "      - crm.log\n     when: { event: CALL_REJECTED }\n"
    let formatted = Self.format(crooked)
    #expect(formatted.text == Self.head + "      - crm.log\n    when: { event: CALL_REJECTED }\n")
    let child =
      "      - crm.log\n    also:\n      two:\n        send: [crm.log]\n       when: { event: CALL_REJECTED }\n"
    #expect(Self.format(Self.head + child).text == nil, "it may be the condition of either")
  }

  @Test(
    "with tabs, too, a line is moved; what cannot be mended is shown, and what is in front of it mended"
  )
  func several() {
    func text(_ send: String, _ agent: String) -> String {
      "version: 1\ntargets:\n\tlead: { type: slack, hook: {{ secrets.x }} }\nroutes:\n\tone:\n"
        + "\t\twhen: { event: CALL_REJECTED }\n\(send)send:\n\t\t\t- lead.alert: {{ \(agent) }} declined\n"
    }
    let mended = Self.format(text("\t ", "agent | default: 'x'"))
    #expect(mended.text?.contains("\n    when: { event: CALL_REJECTED }\n    send:\n") == true, "\(mended)")
    #expect(mended.left.isEmpty)
    let open = Self.format(text("\t ", "agent | oddity"))
    #expect(open.text == nil && open.left.first?.line == 7, "\(open.left)")
    let part = Self.format(
      text("   ", "agent | oddity").replacing("\t\t\t", with: "      ").replacing("\t\t", with: "    ")
        .replacing("\t", with: "  "))
    #expect(part.text?.contains("hook: \"{{ secrets.x }}\" }") == true && part.fixes.count == 1, "\(part)")
    #expect(part.text?.contains("- lead.alert: {{ agent | oddity }} declined\n") == true)
    #expect(part.left.map(\.line) == [7] && part.left.map(\.code) == ["yaml"], "\(part.left)")
  }

  @Test("line breaks, a byte order mark and a missing last break stay")
  func frame() {
    let text = "\u{FEFF}version: 1\r\ntables:\r\n  a: { b: {{ x }} }"
    #expect(Self.format(text).text == "\u{FEFF}version: 1\r\ntables:\r\n  a: { b: \"{{ x }}\" }")
  }

  @Test(
    "no fixture changes its meaning: what is read well stays, what is mended is mended once", arguments: Fixture.all)
  func fixtures(fixture: Fixture) {
    let formatted = Self.format(fixture.source)
    guard let text = formatted.text else { return }
    let codes = ConfigLoader.load(text: fixture.source, file: "f").diagnostics.map(\.code)
    #expect(codes.contains("unquoted_template") || codes.contains("yaml") || codes.contains("bad_key"))
    #expect(Self.format(text).text == nil)
    let left = ConfigLoader.load(text: text, file: "f").diagnostics.contains { $0.code == "unquoted_template" }
    #expect(!left || !formatted.left.isEmpty)
  }

  @Test("the example is as it should be")
  func example() throws { #expect(Self.format(try Files.text("routes.yaml.example")).text == nil) }
}
