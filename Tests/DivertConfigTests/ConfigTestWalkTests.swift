// Random events under the example: a test that expects exactly what follows passes, and any change of what it expects
// fails it.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct ConfigTestWalkTests {
  private static func run(_ given: String, _ more: String) throws -> TestResult {
    let text = try Files.text("routes.yaml.example")
    let head = try #require(text.firstRange(of: "\ntests:\n").map { String(text[..<$0.lowerBound]) })
    let file = head + "\ntests:\n  one:\n    given: \(given)\n\(more)\n"
    let loaded = ConfigLoader.load(text: file, file: "routes.yaml")
    let report = ConfigTests.run(loaded.tests, table: try #require(loaded.table, "\(loaded.diagnostics)\n\(file)"))
    return try #require(report.results.first)
  }

  private static func given(_ random: inout Seeded) -> String {
    let sample = SampleEvent.allCases.randomElement(using: &random) ?? .missed
    let names = [#""Rohan Mehta""#, #""""#, #""O'Neil \"x\" <a>""#, #""007""#, #""no""#]
    var fields = ["event: \(sample.eventName)", "direction: \(sample.direction)"]
    if Bool.random(using: &random) { fields.append("agent: \(names.randomElement(using: &random) ?? "x")") }
    if Bool.random(using: &random) {
      fields.append("customer: { name: \(names.randomElement(using: &random) ?? "x"), phone: \"+4930123456\" }")
    }
    if Bool.random(using: &random) { fields.append("device: { id: \"\" }") }
    let times = (0..<Int.random(in: 1...3, using: &random)).map { _ in
      let (hour, minute) = (Int.random(in: 10...23, using: &random), Int.random(in: 10...59, using: &random))
      return "\"\(hour):\(minute)\""
    }
    fields.append("at: [\(times.joined(separator: ", "))]")
    return "{ \(fields.joined(separator: ", ")) }"
  }

  /// The lines that expect these deliveries with these bodies.
  private static func expecting(_ sends: [String], _ bodies: [(name: String, body: JSONValue)]) -> String {
    var lines = ["    sends: [\(sends.joined(separator: ", "))]"]
    if !bodies.isEmpty { lines.append("    body:") }
    for name in Set(bodies.map(\.name)).sorted() {
      let values = bodies.filter { $0.name == name }.map(\.body.text)
      lines.append("      \(name): [\(values.joined(separator: ", "))]")
    }
    return lines.joined(separator: "\n")
  }

  @Test("what follows is what a test of it must expect, no more and no less", arguments: UInt64(1)...20)
  func walk(seed: UInt64) throws {
    var random = Seeded(state: seed)
    for _ in 0..<5 {
      let given = Self.given(&random)
      let deliveries = try Self.run(given, "    sends: []").deliveries
      let sends = deliveries.map(\.name)
      var bodies = deliveries.compactMap { delivery in delivery.body.map { (name: delivery.name, body: $0) } }
      let exact = try Self.run(given, Self.expecting(sends.shuffled(using: &random), bodies))
      #expect(exact.differences.map(\.sentence) == [], "seed \(seed): \(given)")
      #expect(try Self.run(given, Self.expecting(sends + ["crm.log_agent"], [])).differences.map(\.kind) == [.missing])
      guard let place = sends.indices.randomElement(using: &random) else { continue }
      var fewer = sends
      fewer.remove(at: place)
      #expect(try Self.run(given, Self.expecting(fewer, [])).differences.map(\.kind) == [.unexpected])
      guard let changed = bodies.indices.randomElement(using: &random) else { continue }
      bodies[changed].body = bodies[changed].body.overlaid(with: [
        "type": "changed", "text": "changed", "event": "changed",
      ])
      let wrong = try Self.run(given, Self.expecting(sends, bodies))
      #expect(!wrong.passed && wrong.differences.allSatisfy { $0.kind == .body }, "seed \(seed): \(given)")
    }
  }

  private static let fragments: [(key: String, values: [String])] = [
    (
      "given",
      [
        "{ event: CALL_REJECTED, direction: INCOMING }", "{ event: CALL_ENDED, call: { duration: 1e999999999 } }", "[]",
        "{}", "[{ event: CALL_MISSED }, { event: CALL_MISSED, at: -1d }]", "{ event: X, at: [3650d, 0d, 3650d] }",
        #"{ event: CALL_MISSED, at: "0001-01-01T00:00:00Z" }"#, #"{ event: CALL_MISSED, at: "9999-12-31T23:59:59Z" }"#,
        #"{ event: CALL_ENDED, call: { ended_at: "9999-12-31T23:59:59Z" } }"#, "{ event: ADD_TAG, raw: { from: 5 } }",
        #"{ event: CALL_MISSED, raw: { event: null, callId: 5, callEndedAt: "0000-01-01T00:00:00Z" } }"#,
        "{ event: CALL_MISSED, raw: [] }", "{ event: CALL_MISSED, raw: 5 }", "{ event: CALL_MISSED, raw: null }", "7",
        #"{ event: "\n", agent: "\u0000" }"#, "{ event: CALL_REJECTED, direction: OUTGOING, at: [1d, 1d, 1d] }",
      ]
    ),
    ("sends", ["[]", "[crm.log_call]", "[crm.log_call, crm.log_call]", "crm.log_call", "[{}]", "[crm.]", "[.]", "{}"]),
    (
      "body",
      [
        "{ crm.log_call: { a: 1 } }", "{ crm.log_call: [] }", "{ crm.log_call: [[[]]] }", "{ crm.log_call: null }",
        "{ crm.log_call: { a..b: 1, /~: 2, '': 3 } }", "{}", "[]", "{ crm.log_call: }",
      ]
    ),
    ("lookups", ["{}", "{ a: { b: 1 } }", "[]"]), ("after 5m", ["[]", "[crm.log_call]"]), ("after", ["[]"]),
    ("'after '", ["[]"]),
  ]

  @Test("whatever stands under 'tests', the file is refused with its faults or its tests run to a report")
  func anything() {
    var random = Seeded(state: 7)
    let head = """
      version: 1
      targets: { crm: { url: https://crm.example.com, actions: { log_call: { post: /c, body: { a: "{{ agent? }}" } } } } }
      routes: { a: { when: { event: [CALL_MISSED, CALL_REJECTED, CALL_ENDED, X] }, send: [crm.log_call] } }
      """
    var ran = 0
    for _ in 0..<400 {
      var file = head + "\ntests:\n"
      for number in 0..<Int.random(in: 1...3, using: &random) {
        file += "  test \(number):\n"
        for fragment in Self.fragments.prefix(Bool.random(using: &random) ? 2 : Self.fragments.count) {
          if Int.random(in: 0..<8, using: &random) == 0 { continue }
          file += "    \(fragment.key): \(fragment.values.randomElement(using: &random) ?? "")\n"
        }
      }
      let loaded = ConfigLoader.load(text: file, file: "routes.yaml")
      #expect((loaded.table == nil) == loaded.hasErrors, "\(file)")
      guard let table = loaded.table else { continue }
      ran += 1
      let report = ConfigTests.run(loaded.tests, table: table)
      #expect(report.passed == report.results.allSatisfy(\.differences.isEmpty))
      #expect(report.annotations.count == report.failures && !report.text.isEmpty)
    }
    #expect(ran > 5)
  }
}
