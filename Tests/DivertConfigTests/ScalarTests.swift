// What a scalar is: text where the language wants text, JSON in a body only where it is exactly JSON.
import DivertCore
import Testing

@testable import DivertConfig

enum Given {
  /// A file with one action whose body is `body` (a flow mapping), and one route.
  static func body(_ body: String) throws -> BodyTemplate {
    let text = """
      version: 1
      targets:
        crm: { url: https://crm.example.com, actions: { log: { post: /calls, body: \(body) } } }
      """
    let result = ConfigLoader.load(text: text, file: "routes.yaml")
    let table = try #require(result.table, "\(result.diagnostics)")
    guard case .json(let tree) = try #require(table.parts.targets["crm"]?.actions["log"]).body else {
      throw Missing()
    }
    return tree
  }

  struct Missing: Error {}

  static func table(_ text: String) throws -> RouteTable {
    let result = ConfigLoader.load(text: "version: 1\n" + text, file: "routes.yaml")
    return try #require(result.table, "\(result.diagnostics)")
  }
}

@Suite struct ScalarTests {
  @Test(
    "a plain scalar of a body is text unless it is exactly JSON",
    arguments: [
      "+919876543210", "no", "yes", "007", "08:00", "2026-01-15", "0x1F", "1_000", ".5", "5.", "1e", "True", "NULL",
      "~", "1 2", "0o17", "12:30:45", "Infinity", ".inf", "on",
    ])
  func text(scalar: String) throws {
    #expect(try Given.body("{ a: \(scalar) }") == .object([.init("a", .literal(.string(scalar)))]))
  }

  @Test(
    "a plain scalar that is exactly a JSON number keeps its literal text",
    arguments: ["0", "-0", "7", "12345678901234567", "1.50", "1e5", "-2.5E-3"])
  func numbers(scalar: String) throws {
    #expect(try Given.body("{ a: \(scalar) }") == .object([.init("a", .literal(.number(scalar)))]))
  }

  @Test("true, false and null are JSON; quoted they are text")
  func words() throws {
    let tree = try Given.body("{ a: true, b: false, c: null, d: \"true\", e: 'null', f: \"5\" }")
    #expect(
      tree
        == .object([
          .init("a", .literal(true)), .init("b", .literal(false)), .init("c", .literal(nil)),
          .init("d", .literal("true")), .init("e", .literal("null")), .init("f", .literal("5")),
        ]))
  }

  @Test("a leaf that is one expression is kept as one; mixed text is a template with parts")
  func templates() throws {
    let tree = try Given.body("{ a: \"{{ call.duration }}\", b: \"took {{ call.duration }} s\" }")
    let duration = Template.Part.expression(Expression(path: .field(.callDuration)))
    #expect(
      tree
        == .object([
          .init("a", .template(Template(parts: [duration]))),
          .init("b", .template(Template(parts: [.literal("took "), duration, .literal(" s")]))),
        ]))
  }

  @Test("a condition on a text field compares with text, whatever YAML thinks of the value")
  func conditions() throws {
    let table = try Given.table(
      """
      targets: { crm: { url: https://crm.example.com, actions: { log: { post: /calls } } } }
      routes:
        a:
          when: { agent: 007, customer.phone: +919876543210, raw.n: 5, raw.t: "5", call.duration: { at_least: 1.5 } }
          send: [crm.log]
      """)
    #expect(
      table.parts.routes[0].when
        == .all([
          .value(.field(.agent), .isOneOf(["007"])), .value(.field(.customerPhone), .isOneOf(["+919876543210"])),
          .value(.raw(["n"]), .isOneOf([5])), .value(.raw(["t"]), .isOneOf(["5"])),
          .value(.field(.callDuration), .atLeast(.number("1.5"))),
        ]))
  }

  @Test("every operator compiles; lists are an OR, fields an AND, any and not nest")
  func operators() throws {
    let table = try Given.table(
      """
      targets: { crm: { url: https://crm.example.com, actions: { log: { post: /calls } } } }
      routes:
        a:
          when:
            event: [CALL_REJECTED, CALL_MISSED]
            direction: { not: OUTGOING }
            customer.name: { contains: [a, b], starts_with: x, ends_with: y, matches: "^[a-z]+$", exists: true }
            call.duration: { above: 1, below: 9, at_most: 8, between: [2, 3] }
            at: { above: "2026-01-15T16:00:25+05:30" }
            local.time: { between: "18:00-08:00" }
            local.weekday: [mon, tue]
            any: [{ agent: x }, { not: { waba: y } }]
          send: [crm.log]
      """)
    let moment = try #require(Timestamp(iso8601: "2026-01-15T16:00:25+05:30"))
    #expect(
      table.parts.routes[0].when
        == .all([
          .value(.field(.event), .isOneOf(["CALL_REJECTED", "CALL_MISSED"])),
          .value(.field(.direction), .isNoneOf(["OUTGOING"])),
          .any([
            .value(.field(.customerName), .contains("a")), .value(.field(.customerName), .contains("b")),
          ]),
          .value(.field(.customerName), .startsWith("x")), .value(.field(.customerName), .endsWith("y")),
          .value(.field(.customerName), .matches(Pattern(checked: "^[a-z]+$"))),
          .value(.field(.customerName), .exists(true)),
          .value(.field(.callDuration), .above(.number("1"))), .value(.field(.callDuration), .below(.number("9"))),
          .value(.field(.callDuration), .atMost(.number("8"))),
          .value(.field(.callDuration), .between(.number("2"), .number("3"))),
          .value(.field(.at), .above(.moment(moment))),
          .value(.local(.time), .between(.clock(18 * 60), .clock(8 * 60))),
          .value(.local(.weekday), .isOneOf(["mon", "tue"])),
          .any([.value(.field(.agent), .isOneOf(["x"])), .not(.value(.field(.waba), .isOneOf(["y"])))]),
        ]))
  }

  @Test("an anchor and its alias stand for the same text")
  func anchors() throws {
    let tree = try Given.body("{ a: &x 007, b: *x }")
    #expect(tree == .object([.init("a", .literal("007")), .init("b", .literal("007"))]))
  }

  @Test("where the language wants text, a plain scalar is text whatever it looks like")
  func textPlaces() throws {
    for text in [
      "+919876543210", "007", "no", "08:00", "1e5", "true", "null", "2026-01-15", "0x1F", "12345678901234567890",
    ] {
      let parts = try Given.table(
        """
        sources: { s: { type: doubletick, key: \(text), header: { X: \(text) } } }
        tables: { t: { \(text): \(text) } }
        targets:
          a:
            url: https://a.example.com
            headers: { X: \(text) }
            auth: { query: { q: \(text) } }
            responses: [{ header: { X: \(text) }, text: \(text), then: fail, because: \(text) }]
            actions: { go: { post: /go, query: { q: \(text) }, form: { \(text): \(text) } } }
        routes:
          r:
            description: \(text)
            when: { customer.phone: \(text), agent: [\(text)], any: [{ customer.name: { contains: \(text) } }] }
            send: [{ a.go: {}, as: \(text) }]
        """
      ).parts
      let plain = Template(literal: text)
      #expect(parts.sources["s"]?.key == plain && parts.sources["s"]?.requiredHeader?.value == plain)
      #expect(parts.tables["t"] == [text: text])
      let target = try #require(parts.targets["a"])
      #expect(target.headers.map(\.value) == [plain] && target.query.map(\.value) == [plain])
      #expect(target.responses.first?.because == text)
      #expect(
        target.responses.first?.conditions == [
          .header("x", .isOneOf([.string(text)])), .text(.isOneOf([.string(text)])),
        ])
      let action = try #require(target.actions["go"])
      #expect(action.query.map(\.value) == [plain] && action.body == .form([FormField(text, plain)]))
      let route = try #require(parts.routes.first)
      #expect(route.description == text && route.sends.first?.label == text)
      #expect(
        route.when
          == .all([
            .value(.field(.customerPhone), .isOneOf([.string(text)])),
            .value(.field(.agent), .isOneOf([.string(text)])),
            .any([.value(.field(.customerName), .contains(text))]),
          ]))
    }
  }

  @Test("a phone number stays one, and a leaf keeps its type, from the file to the bytes of the request")
  func bytes() throws {
    let table = try Given.table(
      """
      targets:
        crm:
          url: https://crm.example.com
          actions:
            log:
              post: /calls
              body:
                office: +919876543210
                pin: 007
                id: 12345678901234567
                price: 1.50
                customer: "{{ customer.phone }}"
                seconds: "{{ call.duration }}"
                text: "{{ call.duration }} s"
                big: "{{ raw.big }}"
                to: "{{ arguments.to }}"
      routes: { a: { send: [crm.log: { to: +911234567890 }] } }
      """)
    var fields = Event.Fields(name: "CALL_REJECTED", at: Timestamp(milliseconds: 0))
    (fields.customerPhone, fields.callDuration) = ("+919876543210", "42")
    let event = Event(
      id: EventID(sequence: 1, tag: 1), source: "s", receivedAt: Timestamp(milliseconds: 0), fields: fields, body: [],
      raw: ["big": .number("98765432109876543")])
    let (target, send) = (try #require(table.parts.targets["crm"]), try #require(table.send(route: "a", label: "0")))
    let plan = PlannedDelivery(
      route: "a", send: "0", target: "crm", action: "log", orderKey: nil, due: Timestamp(milliseconds: 0),
      toPerson: false)
    let recipe = RequestRecipe(send: send, action: try #require(target.actions["log"]), target: target, table: table)
    let job = RenderJob(event: event, plan: plan, recipe: recipe, attemptAt: Timestamp(milliseconds: 0))
    let request = try RequestRenderer.render(job, secrets: .resolved { $0 })
    #expect(
      String(decoding: request.body, as: UTF8.self)
        == #"{"office":"+919876543210","pin":"007","id":12345678901234567,"price":1.50,"customer":"+919876543210","#
        + #""seconds":42,"text":"42 s","big":98765432109876543,"to":"+911234567890"}"#)
  }

  @Test("the small grammar takes what the language says and nothing else")
  func grammar() {
    #expect(SmallGrammar.duration("6d 1h") == .hours(145))
    #expect(SmallGrammar.duration("100ms") == .milliseconds(100))
    for text in ["", "5", "5 s", "-5s", "5x", "1.5h", "99999999999999d"] { #expect(SmallGrammar.duration(text) == nil) }
    #expect(SmallGrammar.rate("100/10s") == RateLimit(count: 100, per: .seconds(10)))
    #expect(SmallGrammar.rate("40000/day") == RateLimit(count: 40000, per: .days(1)))
    for text in ["0/min", "5", "5/", "/min", "5/0s", "5/min/s", "-1/s"] { #expect(SmallGrammar.rate(text) == nil) }
    #expect(SmallGrammar.size("256KiB") == 262_144)
    #expect(SmallGrammar.clock("24:00") == 1440)
    for text in ["8:00", "24:01", "08:60", "0800", "٠٨:٠٠"] { #expect(SmallGrammar.clock(text) == nil) }
    #expect(SmallGrammar.statuses("2xx") == 200...299)
    for text in ["", "-", "6xx", "99", "600", "504-500", "200-", "1-2-3"] {
      #expect(SmallGrammar.statuses(text) == nil)
    }
    for text in ["::1", "10.0.0.0/8", "2001:db8::/32", "::ffff:10.0.0.1"] { #expect(AddressBlock.isValid(text)) }
    for text in ["", "10.0.0", "10.0.0.0/33", ":::", "1:2", "10.0.0.01", "a/8"] { #expect(!AddressBlock.isValid(text)) }
  }
}
