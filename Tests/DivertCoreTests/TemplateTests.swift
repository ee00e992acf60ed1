// Templates: their faults with places, each filter with its documented example, and missing values.

import DivertCore
import Testing

@Suite struct TemplateParserTests {
  @Test("expressions with filters, arguments and paths")
  func expression() throws {
    let template = try template("Hi {{ customer.name? | default: $customer.phone | truncate: 5, '…' }}!")
    let expression = Expression(
      path: .field(.customerName), optional: true,
      filters: [
        FilterCall(.default, [.path(.field(.customerPhone))]),
        FilterCall(.truncate, [.literal("5"), .literal("…")]),
      ])
    #expect(template.parts == [.literal("Hi "), .expression(expression), .literal("!")])
    #expect(expression.description == "customer.name? | default: $customer.phone | truncate: '5', '…'")
    #expect(try self.template("{{ raw.data.0.id }}").single?.path == .raw(["data", "0", "id"]))
    #expect(try self.template("{{ raw/data/0/id }}").single?.path == .raw(["data", "0", "id"]))
    #expect(try self.template("{{ arguments.values.0 }}").single?.path == .argument("values", ["0"]))
    #expect(try self.template("plain { } text").literal == "plain { } text")
    #expect(
      try self.template("{{ agent | default: 'a ''b'' }} c' }}").single?.filters[0].arguments == [
        .literal("a 'b' }} c")
      ])
  }

  private func template(_ text: String) throws -> Template {
    try DivertCoreTests.template(text)
  }

  @Test(
    "faults carry place, reason and the right name",
    arguments: [
      ("{{ customer.phon }}", 3, 13, "customer.phone"), ("ab {{ agent | uper }}", 14, 4, "upper"),
      ("{{ agent", 0, 2, nil), ("{{ agent | default: 'x }}", 20, 1, nil), ("{{ }}", 3, 1, nil),
      ("{{ agent upper }}", 9, 1, nil), ("{{ agent | upper: 1 }}", 11, 5, nil), ("{{ now | add: 4 }}", 14, 1, nil),
      ("{{ at | in_zone: Asia/Kolkatta }}", 17, 13, "Asia/Kolkata"), ("{{ agent | map: leeds }}", 16, 5, "leads"),
      ("{{ local.tim }}", 3, 9, "local.time"), ("{{ agent | default }}", 11, 7, nil), ("{{ agent | }}", 11, 1, nil),
    ] as [(String, Int, Int, String?)])
  func faults(text: String, offset: Int, length: Int, suggestion: String?) {
    guard case .failure(let faults) = Template.parse(text, in: .target(arguments: .any, tables: ["leads"])) else {
      Issue.record("accepted \(text)")
      return
    }
    #expect(faults.faults.count == 1)
    #expect(faults.faults.first?.offset == offset, "\(faults.faults)")
    #expect(faults.faults.first?.length == length, "\(faults.faults)")
    #expect(faults.faults.first?.suggestion == suggestion)
  }

  @Test("all faults of a text are found")
  func several() {
    guard case .failure(let faults) = Template.parse("{{ a }} {{ agent | b }} {{ agent }}", in: .send(tables: []))
    else {
      Issue.record("accepted")
      return
    }
    #expect(faults.faults.map(\.offset) == [3, 19])
  }

  @Test(
    "all faults of one expression are found, each once and in order",
    arguments: [
      ("{{ custmer.phone | upcase }}", [3, 19]), ("{{ a | default: $b | uper: $c }}", [3, 17, 21, 28]),
      ("{{ a | truncate }}", [3, 7]), ("{{ call id | upper }}", [3]), ("{{ a | uper", [0, 3, 7]),
    ])
  func severalInOne(text: String, offsets: [Int]) {
    guard case .failure(let faults) = Template.parse(text, in: .send(tables: [])) else {
      Issue.record("accepted")
      return
    }
    #expect(faults.faults.map(\.offset) == offsets, "\(faults.faults)")
  }

  @Test("a scope decides what may be named")
  func scopes() {
    func reads(_ text: String, _ scope: TemplateScope) -> Bool {
      if case .success = Template.parse(text, in: scope) { true } else { false }
    }
    #expect(!reads("{{ secrets.x }}", .send(tables: [])))
    #expect(reads("{{ secrets.x }}", .secretsOnly))
    #expect(!reads("{{ agent }}", .secretsOnly))
    #expect(!reads("{{ arguments.x }}", .send(tables: [])))
    #expect(!reads("{{ arguments.y }}", .target(arguments: .named(["x"]), tables: [])))
    #expect(reads("{{ alarm.text }}", .alarm))
    #expect(!reads("{{ now }}", .condition))
    #expect(!reads("{{ idempotency_key }}", .send(tables: [])))
  }

  @Test("random templates never crash the parser", arguments: 1...5)
  func random(seed: UInt64) {
    var random = Seeded(seed)
    let pieces = ["{{", "}}", "|", ":", "'", "$", " ", "agent", "default", "?", ",", "é", "{", "}", "x"]
    for _ in 0..<500 {
      let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
        .joined()
      if case .failure(let faults) = Template.parse(text, in: .send(tables: [])) {
        #expect(faults.faults.allSatisfy { 0...text.utf8.count ~= $0.offset })
      }
    }
  }
}

@Suite struct FilterTests {
  static let body = """
    {"event":"CALL_REJECTED","callId":"c","callDirection":"INCOMING","customerNumber":"919876543210","customerName":"Rohan Mehta",
     "rejectedBy":"James Smith","callEndedAt":"2026-01-15T10:30:25.000Z","durationInSeconds":5,
     "name1":"O'Neil","html":"<a> & \\"b\\"","padded":" Rohan ","risk":"low","tags":["a","b"],"amount":"12.50","pi":3.14159,
     "half":2.5,"minus":-2.5,"nines":9.96,"phone":"09876543210","obj":{"a":1},"search":"a-b?","big":12345678901234567,"when":"2026-01-15T10:30:25Z"}
    """

  @Test(
    "each filter does what its example says",
    arguments: [
      ("{{ raw.absent | default: 'An agent' }}", "An agent"), ("{{ raw.absent | default: $agent }}", "James Smith"),
      ("{{ agent | default: x }}", "James Smith"), ("{{ customer.name | upper }}", "ROHAN MEHTA"),
      ("{{ customer.name | lower }}", "rohan mehta"), ("{{ raw.padded | trim }}", "Rohan"),
      ("{{ customer.name | truncate: 5 }}", "Rohan"), ("{{ customer.name | truncate: 6, '…' }}", "Rohan…"),
      ("{{ customer.name | truncate: 50, '…' }}", "Rohan Mehta"), ("{{ at | date }}", "2026-01-15"),
      ("{{ at | time }}", "16:00"), ("{{ at | in_zone: UTC | time }}", "10:30"),
      ("{{ at | in_zone: America/New_York | date }}", "2026-01-15"),
      ("{{ now | add: 4h }}", "2026-01-15T14:30:25.000Z"),
      ("{{ now | add: -30m | time }}", "15:30"), ("{{ now | add: '1d 1h' | date }}", "2026-01-16"),
      ("{{ raw.when | add: 1h }}", "2026-01-15T11:30:25.000Z"),
      ("{{ at | in_zone: Asia/Kolkata }}", "2026-01-15T16:00:25.000+05:30"),
      ("{{ at | unix }}", .number("1768473025")), ("{{ at | unix_ms }}", .number("1768473025000")),
      ("{{ raw.phone | e164 }}", "+919876543210"), ("{{ raw.phone | e164: GB }}", "+449876543210"),
      ("{{ customer.phone | digits }}", "919876543210"), ("{{ customer.phone | national }}", "9876543210"),
      ("{{ customer.phone | mask }}", "+91******3210"), ("{{ raw.obj | json }}", #"{"a":1}"#),
      ("{{ raw.html | urlencode }}", "%3Ca%3E%20%26%20%22b%22"),
      ("{{ raw.html | mrkdwn_escape }}", "&lt;a&gt; &amp; \"b\""),
      ("{{ raw.html | html_escape }}", "&lt;a&gt; &amp; &quot;b&quot;"), ("{{ raw.name1 | soql_escape }}", #"O\'Neil"#),
      ("{{ raw.search | sosl_escape }}", #"a\-b\?"#), ("{{ agent | map: leads }}", "Priya"),
      ("{{ customer.name | map: leads | default: nobody }}", "nobody"),
      ("{{ raw.risk | next: low, medium, high }}", "medium"),
      ("{{ raw.tags | join }}", "a, b"), ("{{ raw.tags | join: '; ' }}", "a; b"),
      ("{{ raw.half | round }}", .number("3")), ("{{ raw.minus | round }}", .number("-3")),
      ("{{ raw.pi | round: 2 }}", .number("3.14")), ("{{ raw.nines | round: 1 }}", .number("10")),
      ("{{ raw.amount | number }}", .number("12.50")), ("{{ call.duration | string }}", "5"),
      ("{{ raw.big }}", .number("12345678901234567")), ("{{ raw.tags }}", ["a", "b"]),
      ("x{{ raw.big }}", "x12345678901234567"),
      ("{{ local.time }} {{ local.weekday }}", "16:00 thu"), ("{{ at }}", "2026-01-15T10:30:25.000Z"),
    ] as [(String, JSONValue)])
  func examples(text: String, wanted: JSONValue) throws {
    #expect(try context(try event(Self.body)).json(try template(text)) == wanted)
  }

  @Test("a derived UUID has the bits of version 4 and is the same each time")
  func uuid() throws {
    let text = try #require(try context().text(try template("{{ idempotency_key | uuid }}")))
    let uuid = Array(text)
    #expect(uuid.count == 36 && uuid[14] == "4" && "89ab".contains(uuid[19]))
    #expect(try context().text(try template("{{ idempotency_key | uuid }}")) == text)
  }

  @Test("the last of `next` stays and a stranger is a fault")
  func next() throws {
    let context = try context(try event(Self.body))
    #expect(try context.json(try template("{{ raw.risk | next: high, low }}")) == "low")
    #expect(throws: RenderFault.self) { try context.json(try template("{{ raw.risk | next: a, b }}")) }
  }

  @Test(
    "what a filter cannot read is a fault of the delivery",
    arguments: [
      "{{ agent | number }}", "{{ agent | date }}", "{{ agent | e164 }}", "{{ agent | round }}", "{{ agent | unix }}",
      "{{ call.duration | add: 1h }}",
    ])
  func faults(text: String) throws {
    let fault = try #require(throws: RenderFault.self) { try context(try event(Self.body)).json(try template(text)) }
    #expect(fault.reason.code == "filter_failed")
    #expect(!fault.reason.sentence.contains("James"))
  }

  @Test("a missing value is a fault that names it, unless it says `?`")
  func missing() throws {
    let context = try context(try event(Self.body))
    let fault = try #require(throws: RenderFault.self) { try context.text(try template("x {{ chat.id | upper }}")) }
    #expect(fault.reason.code == "value_missing")
    #expect(fault.reason.sentence.contains("`chat.id` is missing"))
    #expect(try context.text(try template("x {{ chat.id? }}")) == nil)
    #expect(try context.json(try template("{{ chat.id? | upper }}")) == nil)
  }

  @Test("bodies leave out what is missing and keep types")
  func bodies() throws {
    let context = try context(try event(Self.body))
    let body = BodyTemplate.object([
      .init("gone", .template(try template("{{ chat.id? }}"))),
      .init("call", .template(try template("{{ call.id }}"))),
      .init("mixedGone", .template(try template("\"a\" {{ chat.id? }}"))),
      .init("mixed", .template(try template("\"{{ agent }}\"\n"))),
      .init("n", .template(try template("{{ raw.big }}"))),
      .init("list", .array([.template(try template("{{ chat.id? }}")), .literal(1), .object([])])),
      .init("at", .template(try template("{{ at }}"))),
    ])
    let text = try BodyProgram(body).bytes(context)
    let wanted =
      #"{"call":"c","mixed":"\"James Smith\"\n","n":12345678901234567,"list":[1,{}],"at":"2026-01-15T10:30:25.000Z"}"#
    #expect(String(decoding: text, as: UTF8.self) == wanted)
    #expect(try context.json(body)?.text == wanted)
  }
}
