// The JSON Schema, judged by a validator that knows nothing of Divert, and held against what the loader takes.
import DivertCore
import Foundation
import TestSupport
import Testing

@testable import DivertConfig

/// Python's jsonschema on files, through scripts/schema-validator.py.
private enum SchemaValidator {
  private static let program = Validator("schema-validator")
  static let isThere = program.isThere

  /// The faults of each text, by its name.
  static func faults(_ texts: [String: String], _ schema: JSONValue = LanguageSchema.file) throws -> [String: [String]]
  {
    let names = texts.keys.sorted()
    var files = ["schema.json": String(decoding: schema.prettyEncoded(), as: UTF8.self)]
    for (index, name) in names.enumerated() { files["\(index).yaml"] = texts[name] }
    let folder = try TemporaryFolder(files)
    let lines = try program.lines([folder.path + "/schema.json"] + names.indices.map { folder.path + "/\($0).yaml" })
      .map { try JSONValue.parse($0) }
    try #require(lines.count == names.count)
    return Dictionary(
      uniqueKeysWithValues: zip(names, lines.map { ($0["faults"]?.array ?? []).compactMap(\.string) }))
  }
}

extension Fixture {
  /// Kinds of mistakes that no schema can know of: they lie between values, inside of templates, or in the world.
  private static let beyondSchemas: Set = [
    "bad_regex", "bad_template", "duplicate_label", "missing_argument", "no_main_argument", "unknown_action",
    "unknown_argument", "unknown_target", "unknown_zone", "yaml_tag",
  ]

  /// Whether the schema must refuse it: as its remark `# schema: refuses` or `# schema: cannot know` says; without one,
  /// by the kinds of its errors.
  fileprivate var isForSchema: Bool {
    if text.contains("\n# schema: refuses") { return true }
    if text.contains("\n# schema: cannot know") { return false }
    let errors = expectations.map { $0.head.split(separator: " ") }.filter { $0.dropFirst().first == "error" }
    return errors.contains { !Self.beyondSchemas.contains(String($0[2])) }
  }
}

@Suite struct SchemaTests {
  @Test("the schema takes every good file: the example, the pages', and their resolved forms", SchemaValidator.isThere)
  func good() throws {
    var texts = ["example": try Files.text("routes.yaml.example")]
    for page in ["README.md", "docs/routes.md"] {
      for (index, block) in try Files.text(page).components(separatedBy: "```").enumerated()
      where block.hasPrefix("yaml\nversion: 1") {
        texts["\(page) \(index)"] = String(block.dropFirst("yaml\n".count))
      }
    }
    for (name, text) in texts {
      texts[name + ", resolved"] = try #require(ConfigLoader.load(text: text, file: name).resolved).yaml
    }
    texts["values"] = Self.values
    #expect(!ConfigLoader.load(text: Self.values, file: "values").hasErrors)
    for (name, faults) in try SchemaValidator.faults(texts) { #expect(faults == [], "\(name)") }
  }

  /// Each form of each value that the loader takes.
  private static let values = """
    version: 1
    country: NO
    server: { max_body: 65536, request_timeout: 1m 30s, quarantine: { bytes: 10 MB } }
    sources:
      a: { type: doubletick, key: 12345, header: { X-Key: yes }, allow: 10.0.0.1 }
      b: { type: doubletick, allow: ["2001:db8::/32", 203.0.113.0/24, "::1"] }
    defaults: { order_by: raw.customer.id, limit: [2/s, 100/min, 5000/2d 1h], timeout: 5s }
    tables: { leads: { 919876543210: +919876543210, no: 007, x.y z: 08:00 } }
    targets:
      a:
        url: HTTPS://{{ secrets.host }}/x?y={{ waba }}
        auth: { sign: standard-webhooks, secret: ["{{ secrets.a }}", "{{ secrets.b }}"] }
        order_by: "{{ call.id }}-x"
        responses:
          - { status: [404, 2xx, 500-504], header: { X-Id: { starts_with: a } }, then: retry, wait: 5s }
          - { text: 5, json: { a.0: null, b: { above: 5 } }, any: { a.*.b: [1, x] }, then: hold, wait: { json: 0 } }
        actions:
          go: { get: "", query: { a: 1 }, idempotency: { header: X }, responses: [{ status: 4xx, then: ok }] }
          put: { put: /a, body: [null, 5, { a: "{{ arguments.a }}" }], max: { 2.a: 5 }, idempotency: natural }
    routes:
      r:
        when:
          call.duration: { at_least: 5, not: [7, 8] }
          at: { between: ["2026-01-15T00:00:00+05:30", "2026-01-16T00:00:00Z"] }
          local.time: { between: "18:00-08:00" }
          local.weekday: mon
          raw.a.b: { contains: [x, 5], exists: true }
          customer.phone: [+919876543210, 5, { }]
          any: [{ status: SOMETHING }, { not: { event: [A, B] } }]
        send:
          - a.go: {}
          - { a.put: text, as: 1, order_by: none }
          - { a.put: text, as: 2, after: 1h, expires: 2h, otherwise: [a.put: late], unless: { event: X, same: agent } }
          - a.put: text
            as: 3
            hours: ["08:00-12:00", "14:00-19:00"]
            throttle: { at_most: 1, within: 1h, per: "{{ customer.phone }}" }
          - { a.put: text, as: 4, hours: { between: "08:00-19:00", weekdays: mon, except: [days, 2026-01-26] } }
        once: 7d
        per: raw.customer.id
        expect: { when: { event: A, any: [{ agent: x }, { raw.x: 5 }] }, within: 1h, else: [a.go: {}] }
        also:
          s: { when: { suppressed: false, count: { is: [2, 3], above: 1, between: [1, 9], within: 7d } }, send: [a.go] }
    calendars: { days: [2026-01-26, 2026-08-15], none: [] }
    retention: { payloads: 90d, attempts: 30d, record: 3650d }
    record: { publish: a.go, every: 12h }
    tests:
      t: { given: { event: CALL_MISSED }, sends: [], after 61m: [a.go], after 6d 1h: [], suppressed: all }

    """.replacingOccurrences(of: ", { }]", with: "]").replacingOccurrences(
      of: "url: HTTPS://{{ secrets.host }}/x?y={{ waba }}", with: "url: \"HTTPS://{{ secrets.host }}/x?y={{ waba }}\"")

  @Test("the schema refuses every bad fixture that a schema can know of, and no other", SchemaValidator.isThere)
  func bad() throws {
    let faults = try SchemaValidator.faults(Dictionary(uniqueKeysWithValues: Fixture.all.map { ($0.name, $0.text) }))
    for fixture in Fixture.all {
      #expect((faults[fixture.name] != []) == fixture.isForSchema, "\(fixture.name): \(faults[fixture.name] ?? [])")
    }
  }

  @Test("a file of routes.d has a schema of its own, without what belongs to the main file", SchemaValidator.isThere)
  func routesFile() throws {
    let texts = [
      "good": "targets: { t: { type: slack, hook: x } }\nroutes: { a: { send: [t.alert: hello] } }\n",
      "version": "version: 1\n", "defaults": "defaults: {}\n", "typo": "rutes: {}\n",
    ]
    let faults = try SchemaValidator.faults(texts, LanguageSchema.routesFile)
    #expect(faults["good"] == [] && faults.filter { $0.value.isEmpty }.count == 1)
  }

  @Test("each field of the language is in the schema with its sentence")
  func fields() {
    let definitions = LanguageSchema.file["definitions"]
    for part in LanguagePart.allCases {
      let name = part == .file ? nil : part.rawValue
      let schema = name.map { definitions?[$0] ?? .null } ?? LanguageSchema.file
      guard let properties = schema["properties"], part != .file || definitions != nil else { continue }
      for field in part.description.fields {
        #expect(properties[field.name]?["description"]?.string == field.doc, "\(part.rawValue).\(field.name)")
      }
    }
    let operators = ValueKind.all.flatMap { kind in
      (kind.comparison["anyOf"]?.array?.last?["properties"]?.object?.members ?? []).map(\.key)
    }
    #expect(Set(operators) == Set(Language.comparison.fields.map(\.name)))
  }

  @Test("the schema's patterns take what the small grammar takes, and refuse what it refuses", arguments: UInt64(1)...8)
  func patterns(seed: UInt64) throws {
    var random = Seeded(state: seed)
    let pieces = [
      "1", "05", "10", "2", "59", "s", "m", "h", "d", "ms", " ", ":", "-", "/", "..", "xx", "min", "day", "KiB", "MB",
      "B", "08:00", "19:30", "24:00", "23:59", "404", "5xx", "200", "x", "",
    ]
    let grammars: [(pattern: String, takes: (String) -> Bool)] = [
      (SchemaPattern.duration, { SmallGrammar.duration($0) != nil }),
      (SchemaPattern.backoff, { SmallGrammar.backoff($0) != nil }),
      (SchemaPattern.rate, { SmallGrammar.rate($0) != nil }),
      (SchemaPattern.clock, { SmallGrammar.clock($0) != nil }),
      (SchemaPattern.clockRange, { SmallGrammar.clockRange($0) != nil }),
      (SchemaPattern.statuses, { SmallGrammar.statuses($0) != nil }),
      (SchemaPattern.size, { SmallGrammar.size($0).map { $0 > 0 } ?? false }),
    ]
    for (pattern, takes) in grammars {
      let regex = try Regex(pattern)
      for _ in 0..<1500 {
        let text = (0..<Int.random(in: 1...5, using: &random))
          .map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
        // What only counting can tell: '504-500', and what is longer or larger than allowed.
        let isTurned = text.contains("-") && pattern == SchemaPattern.statuses || text.contains(/[0-9]{4}/)
        if takes(text) { #expect(text.contains(regex), "\(text): \(pattern)") }
        if text.contains(regex), !isTurned { #expect(takes(text), "\(text): \(pattern)") }
      }
    }
  }
}
