// The configuration in force, printed: it means the same as the files, and says where each value came from.
import DivertCore
import Testing

@testable import DivertConfig

/// What a table says, in a form that can be compared: every stored property, dictionaries by key, no version.
enum Meaning {
  static func of(_ table: RouteTable) -> String {
    var parts = table.parts
    parts.version = ""
    return text(parts, "")
  }

  private static func text(_ value: Any, _ margin: String) -> String {
    let mirror = Mirror(reflecting: value)
    let inner = margin + " "
    switch mirror.displayStyle {
    case .dictionary?:
      let entries = mirror.children.map { child -> String in
        let pair = Array(Mirror(reflecting: child.value).children)
        return "\n\(inner)\(pair[0].value): \(text(pair[1].value, inner))"
      }
      return entries.sorted().joined()
    case .set?: return mirror.children.map { "\n\(inner)- \(text($0.value, inner))" }.sorted().joined()
    case nil, .class?: return "\(value)"
    case _ where mirror.children.isEmpty: return "\(value)"
    default: return mirror.children.map { "\n\(inner)\($0.label ?? "-") \(text($0.value, inner))" }.joined()
    }
  }
}

@Suite struct ResolvedTests {
  /// The resolved text, after holding it against what it was made from.
  @discardableResult
  private func resolved(_ bundle: ConfigBundle, seed: UInt64 = 0) throws -> String {
    let given = ConfigLoader.load(bundle: bundle)
    let table = try #require(given.table, "seed \(seed): \(given.diagnostics)")
    let text = try #require(given.resolved).yaml
    let again = ConfigLoader.load(text: text, file: "resolved.yaml")
    let same = try #require(again.table, "seed \(seed): \(again.diagnostics)\n\(text)")
    #expect(Meaning.of(same) == Meaning.of(table), "seed \(seed)\n\(text)")
    #expect(again.sandboxAnswers == given.sandboxAnswers)
    // Said twice, nothing is added.
    let twice = try #require(again.resolved).yaml
    #expect(Self.bare(twice) == Self.bare(text))
    return text
  }

  /// Without the remarks.
  private static func bare(_ text: String) -> [Substring] {
    text.split(separator: "\n").dropFirst().map { line in
      line.firstRange(of: "  # ").map { line[..<$0.lowerBound] } ?? line
    }
  }

  @discardableResult
  private func resolved(_ text: String) throws -> String {
    try resolved(ConfigBundle(main: .init(name: "routes.yaml", text: text)))
  }

  @Test("the example and every whole file of the reference resolve to files that mean the same")
  func wholeFiles() throws {
    try resolved(try Files.text("routes.yaml.example"))
    for block in try Files.text("docs/routes.md").split(separator: "```") where block.hasPrefix("yaml\nversion: 1") {
      try resolved(String(block.dropFirst("yaml\n".count)))
    }
  }

  @Test("each value has its origin: the line of its file, its preset, or the language's default")
  func origins() throws {
    let main = """
      version: 1
      defaults:
        retry: { for: 12h }
      targets:
        crm:
          url: https://crm.example.com
          order_by: customer.phone
          actions:
            log: { post: /calls, retry: { attempts: 5 } }
      """
    let west = """
      targets:
        lead: { type: slack, hook: "{{ secrets.hook }}" }
      routes:
        west:
          send:
            - crm.log
            - { lead.alert: "x # y", retry: { backoff: 1s..2s } }
      """
    let text = try resolved(
      ConfigBundle(
        main: .init(name: "routes.yaml", text: main), more: [.init(name: "routes.d/west.yaml", text: west)]))
    func lines(_ part: String) -> [String] {
      text.split(separator: "\n").filter { $0.contains(part) }.map { line in
        line.split(separator: " ").joined(separator: " ")
      }
    }
    #expect(lines("version: 1") == ["version: 1 # routes.yaml:1"])
    #expect(lines("timezone") == ["timezone: UTC # default"])
    #expect(lines("url:").last == "url: \"{{ secrets.hook }}\" # routes.d/west.yaml:2")
    #expect(lines("limit:") == ["limit: 1/s # preset slack"])
    #expect(lines("attempts:") == Array(repeating: "attempts: 5 # routes.yaml:9", count: 2))
    #expect(Set(lines("for:")) == ["for: 12h # routes.yaml:3"])
    #expect(lines("backoff:").last == "backoff: 1s..2s # routes.d/west.yaml:7")
    #expect(lines("backoff:").first == "backoff: 5s..15m # default")
    #expect(lines("- crm.log:") == ["- crm.log: # routes.d/west.yaml:6"])
    #expect(lines("lead.alert") == ["- lead.alert: \"x # y\" # routes.d/west.yaml:7"])
    #expect(lines("order_by") == Array(repeating: "order_by: customer.phone # routes.yaml:7", count: 2))
    #expect(lines("defaults:").isEmpty && lines("type:").isEmpty)
  }

  @Test("as JSON, a value stands with its origin")
  func json() throws {
    let text = "version: 1\ntables: { t: { a: 007, b: \"1\" } }\n"
    let json = try #require(ConfigLoader.load(text: text, file: "routes.yaml").resolved).json
    #expect(json["version"] == ["value": 1, "origin": "routes.yaml:1"])
    #expect(json["country"] == ["value": "IN", "origin": "default"])
    #expect(json["tables"]?["t"]?["a"] == ["value": "007", "origin": "routes.yaml:2"])
    #expect(json["tables"]?["t"]?["b"] == ["value": "1", "origin": "routes.yaml:2"])
  }

  @Test("a configuration with an error has no resolved form")
  func errors() { #expect(ConfigLoader.load(text: "version: 2\n", file: "routes.yaml").resolved == nil) }

  @Test("scalars come back as they were, whatever they are made of", arguments: UInt64(1)...40)
  func scalars(seed: UInt64) throws {
    var random = Seeded(state: seed)
    let pieces = [
      "a", " ", "\"", "\\", "'", "#", " #", ": ", "\n", "\t", "\r", "\u{85}", "\u{2028}", "a\u{feff}", "\u{7}", "नमस्ते",
      "😀", "{{ agent? }}", "-", "007", "[", "|", "%", "@", "`", "&x", "*", "!", "?", "null", "~",
    ]
    func text() -> String {
      (0..<Int.random(in: 1...5, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
    }
    let rows = (0..<12).map { _ in "    \(YAMLText.quoted(text())): \(YAMLText.quoted(text()))\n" }
    let names = Dictionary(rows.map { ($0.split(separator: "\": \"")[0], $0) }) { first, _ in first }
    let plain = ["+919876543210", "no", "08:00", "7", "null", "a b", "x:y", "-1e5", "~", "http://a/b?c#d", "it's"]
    let items = plain.map { "          - \($0)\n" }.joined()
    try resolved(
      """
      version: 1
      tables:
        t:
      \(names.values.sorted().joined())
      targets:
        a: { url: https://a.example.com, actions: { b: { post: /b, body: { list: "{{ arguments.list }}" } } } }
      routes:
        r: { send: [a.b: { list: [1, "1", null, {}, [], [[], {a: b}]] }] }
        s:
          send:
          - a.b:
              list:
      \(items)
      """)
  }

  @Test("settings at any levels mean the same when they are filled in", arguments: UInt64(1)...60)
  func levels(seed: UInt64) throws {
    var levels = Levels(seed: seed)
    try resolved(ConfigBundle(main: .init(name: "routes.yaml", text: levels.file())), seed: seed)
  }
}

/// Files with inherited settings at random levels.
private struct Levels {
  private var random: Seeded

  init(seed: UInt64) { random = Seeded(state: seed) }

  private mutating func some(_ choices: [String]) -> String? {
    Bool.random(using: &random) ? choices.randomElement(using: &random) : nil
  }

  private mutating func retry() -> String {
    let fields = [
      some(["for: 1h", "for: 6h 30m"]), some(["backoff: 1s..9s", "backoff: 500ms..1h"]), some(["attempts: 3"]),
    ]
    return "retry: { \(fields.compactMap { $0 }.joined(separator: ", ")) }"
  }

  private mutating func shared() -> [String?] {
    [
      some([retry()]),
      some(["order_by: customer.phone", "order_by: none", "order_by: \"{{ call.id }}-{{ agent? }}\""]),
    ]
  }

  private mutating func ofTargets() -> [String?] {
    shared() + [
      some(["ambiguous: park", "ambiguous: retry"]),
      some(["timeout: 3s", "timeout: { connect: 2s }", "timeout: { total: 4s }", "timeout: { connect: 1s, total: 1m }"]
      ),
      some(["limit: 5/s", "limit: [2/s, 50/min]"]), some(["concurrency: 3"]),
      some(["responses: [{ status: 409, then: ok_duplicate }]", "responses: [{ text: { contains: x }, then: hold }]"]),
    ]
  }

  private func flow(_ settings: [String?]) -> String { settings.compactMap { $0 }.joined(separator: ", ") }

  private mutating func action() -> String {
    let own =
      shared() + [some(["ambiguous: park"]), some(["to_person: true"]), some(["idempotency: natural"])]
      + [some(["responses: [{ status: 404, then: ok }]"])]
    return "{ \(flow(["post: /x"] + own)) }"
  }

  private mutating func send(_ name: String) -> String { "{ \(flow(["\(name): {}"] + shared())) }" }

  mutating func file() -> String {
    """
    version: 1
    defaults: { \(flow(ofTargets())) }
    targets:
      a: { url: https://a.example.com, actions: { x: \(action()), y: \(action()) }, \(flow(ofTargets())) }
      b: { type: slack, hook: "{{ secrets.hook }}", \(flow(ofTargets())) }
    routes:
      r: { send: [a.x, \(send("a.x")), \(send("a.y")), { b.alert: hello }] }
    alarms: { send: [b.alert, { b.alert: stop, \(retry()) }] }

    """
  }
}
