// Conditions: every operator, missing values, and that nothing is coerced.

import DivertCore
import Testing

@Suite struct ConditionTests {
  static let body = """
    {"event":"CALL_REJECTED","callId":"call_1","callDirection":"INCOMING","customerNumber":"919876543210","callEndedAt":"2026-01-15T10:30:25.000Z",
     "durationInSeconds":5,"n":12345678901234567,"text":"5","flag":true,"tags":["vip","late"],"nothing":null,"empty":"","list":[{"id":7}]}
    """

  private func holds(_ path: ValuePath, _ comparison: Comparison) throws -> Bool {
    let context = EvaluationContext(
      event: try event(Self.body), zone: try zone("Asia/Kolkata"), patterns: PatternCache())
    return Condition.value(path, comparison).holds(for: context)
  }

  @Test(
    "operators",
    arguments: [
      (.field(.direction), .isOneOf(["INCOMING"]), true),
      (.field(.direction), .isOneOf(["OUTGOING", "INCOMING"]), true),
      (.field(.direction), .isOneOf(["incoming"]), false), (.field(.direction), .isNoneOf(["OUTGOING"]), true),
      (.field(.direction), .isNoneOf(["INCOMING", "X"]), false),
      (.field(.callDuration), .above(.number("4.9")), true), (.field(.callDuration), .above(.number("5")), false),
      (.field(.callDuration), .below(.number("5e1")), true), (.field(.callDuration), .atLeast(.number("5.0")), true),
      (.field(.callDuration), .atMost(.number("4")), false),
      (.field(.callDuration), .between(.number("5"), .number("5")), true),
      (.field(.customerPhone), .contains("9876"), true), (.field(.customerPhone), .contains("99999"), false),
      (.field(.customerPhone), .startsWith("+91"), true), (.field(.customerPhone), .endsWith("3210"), true),
      (.field(.customerPhone), .matches(Pattern(checked: #"^\+91[6-9]"#)), true),
      (.field(.customerPhone), .matches(Pattern(checked: "^91")), false),
      (.raw(["tags"]), .contains("vip"), true), (.raw(["tags"]), .contains("vi"), false),
      (.raw(["list", "0", "id"]), .isOneOf([7]), true), (.raw(["flag"]), .isOneOf([true]), true),
      (.field(.at), .above(.moment(moment - .milliseconds(1))), true), (.field(.at), .below(.moment(moment)), false),
      (.field(.at), .between(.moment(moment), .moment(moment)), true),
      (.local(.time), .between(.clock(16 * 60), .clock(17 * 60)), true),
      (.local(.time), .between(.clock(8 * 60), .clock(16 * 60)), false),
      (.local(.time), .between(.clock(15 * 60), .clock(8 * 60)), true),
      (.local(.time), .between(.clock(18 * 60), .clock(8 * 60)), false),
      (.local(.weekday), .isOneOf(["mon", "thu"]), true), (.local(.weekday), .isOneOf(["mon", "tue"]), false),
    ] as [(ValuePath, Comparison, Bool)])
  func operators(path: ValuePath, comparison: Comparison, wanted: Bool) throws {
    #expect(try holds(path, comparison) == wanted)
  }

  @Test(
    "nothing is coerced",
    arguments: [
      (.raw(["text"]), .isOneOf([5])), (.field(.callDuration), .isOneOf(["5"])), (.raw(["flag"]), .isOneOf(["true"])),
      (.raw(["text"]), .above(.number("4"))), (.raw(["text"]), .between(.number("4"), .number("6"))),
      (.raw(["n"]), .isOneOf([.number("12345678901234568")])), (.field(.callDuration), .startsWith("5")),
      (.field(.callDuration), .above(.clock(1))), (.local(.time), .above(.number("1"))),
      (.field(.direction), .above(.moment(moment))),
    ] as [(ValuePath, Comparison)])
  func kinds(path: ValuePath, comparison: Comparison) throws {
    #expect(try !holds(path, comparison))
  }

  @Test(
    "a missing value satisfies only `exists: false` and `not`",
    arguments: [.field(.agent), .raw(["nothing"]), .raw(["empty"]), .raw(["list", "1"]), .raw(["absent", "x"])]
      as [ValuePath])
  func missing(path: ValuePath) throws {
    #expect(try holds(path, .exists(false)))
    #expect(try !holds(path, .exists(true)))
    #expect(try holds(path, .isNoneOf(["x"])))
    for comparison in [
      .isOneOf([nil, ""]), .contains(""), .startsWith(""), .matches(Pattern(checked: "")), .below(.number("1")),
    ] as [Comparison] {
      #expect(try !holds(path, comparison))
    }
  }

  @Test("groups, and the explanation of each leaf")
  func explained() throws {
    let context = EvaluationContext(event: try event(Self.body), zone: .utc, patterns: PatternCache())
    let condition = Condition.all([
      .value(.field(.event), .isOneOf(["CALL_REJECTED"])),
      .any([.value(.field(.direction), .isOneOf(["OUTGOING"])), .value(.field(.agent), .exists(true))]),
      .not(.value(.raw(["flag"]), .isOneOf([true]))),
    ])
    #expect(!condition.holds(for: context))
    #expect(Condition.all([]).holds(for: context))
    #expect(!Condition.any([]).holds(for: context))
    #expect(
      condition.explained(for: context).lines == [
        "✗ all of", "  ✓ event is CALL_REJECTED (it is CALL_REJECTED)", "  ✗ any of",
        "    ✗ direction is OUTGOING (it is INCOMING)", "    ✗ agent exists (it is missing)", "  ✗ not",
        "    ✓ raw.flag is true (it is true)",
      ])
  }

  @Test("a pattern that cannot be read is named")
  func pattern() {
    #expect(Pattern.check("^a+$") == nil)
    #expect(Pattern.check("(") != nil)
  }
}

@Suite struct PlanningTests {
  private func send(_ route: String, _ label: String, _ action: String) -> Send {
    var send = Send(route: route, label: label, target: "crm", action: action)
    send.orderBy = Template(parts: [.expression(Expression(path: .field(.customerPhone)))])
    return send
  }

  private func table() -> RouteTable {
    var parts = RouteTable.Parts()
    parts.timezone = "Asia/Kolkata"
    var declined = Route(name: "declined", path: "declined", when: .value(.field(.event), .isOneOf(["CALL_REJECTED"])))
    declined.sends = [send("declined", "0", "log"), send("declined", "1", "tell")]
    var evening = Route(name: "evening", path: "declined/evening", when: .value(.local(.time), .atLeast(.clock(960))))
    evening.sends = [send("declined/evening", "0", "late")]
    var off = Route(name: "off", path: "declined/off", when: .all([]))
    off.enabled = false
    off.sends = [send("declined/off", "0", "never")]
    declined.children = [evening, off]
    var missed = Route(name: "missed", path: "missed", when: .value(.field(.event), .isOneOf(["CALL_MISSED"])))
    missed.sends = [send("missed", "0", "log")]
    var any = Route(name: "any", path: "any", when: .value(.field(.direction), .isOneOf(["INCOMING"])))
    any.sends = [send("any", "0", "log")]
    parts.routes = [missed, declined, any]
    return RouteTable(parts)
  }

  @Test("every route that matches fires, a parent before its children, in the file's order")
  func plan() throws {
    let planned = table().plan(try event()).deliveries
    #expect(
      planned.map { "\($0.route)#\($0.send) \($0.action)" } == [
        "declined#0 log", "declined#1 tell", "declined/evening#0 late", "any#0 log",
      ])
    #expect(Set(planned.map(\.orderKey)) == ["+919876543210"])
    #expect(planned.allSatisfy { $0.due == moment + .seconds(2) })
  }

  @Test("an explanation says why a route did not fire")
  func explain() throws {
    let routes = table().explain(try event())
    #expect(routes.map(\.fired) == [false, true, true])
    #expect(routes[0].why == "event is CALL_MISSED, but it is CALL_REJECTED")
    #expect(routes[1].children.map(\.why) == [nil, "it is switched off (`enabled: false`)"])
  }

  @Test("two sends never share an idempotency key, and a replay keeps it")
  func keys() throws {
    let event = try event()
    let keys = table().plan(event).deliveries.map { IdempotencyKey.derive(event: event.id, plan: $0) }
    #expect(Set(keys).count == 4)
    #expect(keys == table().plan(event).deliveries.map { IdempotencyKey.derive(event: event.id, plan: $0) })
    #expect(keys.allSatisfy { $0.hasPrefix("dv1_") && $0.count == 36 })
  }
}
