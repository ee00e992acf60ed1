// A rehearsal as curl commands, and routes as a drawing.

import Testing

@testable import DivertCore

@Suite struct RehearsalFormTests {
  private func rehearse(
    _ name: String = "Rohan", _ change: (inout TargetDefinition) throws -> Void = { _ in }
  ) throws -> Rehearsal {
    let table = try RehearsalTests.table { parts in
      parts.routes = [RehearsalTests.route("all", .all([]), ["crm.log"])]
      parts.targets["crm"]?.actions["log"] = try RehearsalTests.action("log", "/calls", ["name": "{{ customer.name }}"])
      parts.targets["crm"]?.actions["log"]?.idempotency = .natural
      if var crm = parts.targets["crm"] {
        try change(&crm)
        parts.targets["crm"] = crm
      }
    }
    let start = #"{"event":"CALL_REJECTED","callId":"c","callDirection":"INCOMING","customerNumber":"919876543210","#
    return try RehearsalTests.rehearse(start + #""customerName":"# + JSONValue.string(name).text + "}", table)
  }

  private func curl(_ rehearsal: Rehearsal) throws -> (text: String, remarks: [String]) {
    let delivery = try #require(rehearsal.deliveries.first)
    let request = try delivery.request.get()
    let text = CurlCommand.text(request, by: delivery.recipe, event: rehearsal.event) { "S_" + $0.uppercased() }
    return (text, CurlCommand.remarks(request, by: delivery.recipe, event: rehearsal.event))
  }

  @Test("a curl command has every part of the request, quoted, with secrets from the environment")
  func command() throws {
    let command = try curl(rehearse("Rohan's \"$HOME`"))
    #expect(
      command.text == #"""
        curl --request POST --url 'https://crm.example.com/api/calls' \
          --header 'Content-Type: application/json' \
          --header 'Authorization: Bearer '"${S_CRM_TOKEN:?}" \
          --data-raw '{"name":"Rohan'\''s \"$HOME`"}'
        """#)
    #expect(command.remarks.isEmpty)
  }

  @Test("basic authentication is curl's own, an address may be a secret, a header may be empty")
  func forms() throws {
    let command = try curl(
      rehearse { crm in
        crm.base = try template("{{ secrets.hook }}")
        crm.basicAuth = BasicAuth(user: Template(literal: "me"), password: try template("{{ secrets.crm_token }}"))
        crm.headers = [HeaderTemplate("X-Empty", Template(literal: ""))]
      })
    #expect(command.text.contains(#"--globoff --url "${S_HOOK:?}"'/calls'"#))
    #expect(command.text.contains(#"--user 'me:'"${S_CRM_TOKEN:?}""#))
    #expect(command.text.contains("--header 'X-Empty;'"))
  }

  @Test("text of an event that looks like a secret is never filled in, and the command says so")
  func lookalike() throws {
    let command = try curl(rehearse("{{ secrets.crm_token }}"))
    #expect(!command.text.contains("${"))
    #expect(command.remarks.count == 1 && command.remarks[0].contains("by hand"))
    let other = try curl(rehearse("{{ secrets.other }}"))
    #expect(other.text.contains(#"{"name":"{{ secrets.other }}"}"#))
  }

  @Test("a signature is left out, which is said")
  func signature() throws {
    let command = try curl(rehearse { $0.signing = Signing(secrets: [try template("{{ secrets.sign }}")]) })
    #expect(!command.text.contains("webhook-signature") && command.text.contains("webhook-id"))
    #expect(command.remarks.count == 1 && command.remarks[0].contains("signature"))
  }

  // MARK: Routes drawn

  @Test("conditions in words")
  func words() {
    let (a, b) = (RehearsalTests.event("A"), RehearsalTests.clock(8, 18))
    #expect(Condition.all([]).words == "every event")
    #expect(Condition.all([a, b]).words == "event is A and local.time is between 08:00 and 18:00")
    #expect(
      Condition.all([.any([a, b]), .not(a)]).words
        == "(event is A or local.time is between 08:00 and 18:00) and not (event is A)")
  }

  @Test("the tree has every route with its condition, its sends and what it matched")
  func tree() throws {
    let table = try RehearsalTests.table { $0.routes[0].description = "an agent declined" }
    let event = try event()
    for _ in 0..<3 {
      table.matches.count(table.plan(event).matched, receivedAt: event.receivedAt)
    }
    #expect(table.matches.current.routes == [3, 3, 0, 0, 0] && table.matches.current.since == event.receivedAt)
    #expect(
      RouteGraph(table, counts: table.matches.current).lines.joined(separator: "\n") == """
        declined  3 events  # an agent declined
        │   when event is CALL_REJECTED
        │   → crm.log  3 planned
        ├─ day  3 events
        │      when local.time is between 08:00 and 18:00
        │      → hook.event  3 planned
        │      → crm.chat  3 planned
        └─ night  0 events
               when local.time is between 18:00 and 08:00
               → hook.event  0 planned
        off  (switched off)  0 events
            when every event
            → crm.log  0 planned
        other  0 events
            when event is CALL_ENDED
            → crm.log  0 planned
        """)
    #expect(RouteGraph(table).lines[0] == "declined  # an agent declined")
    #expect(RouteGraph(table, counts: RouteMatches.Counts(routes: [1])).counts == nil)
  }

  @Test("a Mermaid chart names no character that Mermaid would take for its own")
  func mermaid() throws {
    let table = try RehearsalTests.table { parts in
      parts.routes = [
        RehearsalTests.route("a", .value(.field(.agent), .isOneOf([.string("\"]; x --> y <b>#`")])), ["hook.event"])
      ]
    }
    #expect(
      RouteGraph(table).mermaid == """
        flowchart LR
          event(["event"])
          r0["a<br/>when agent is #34;#93;#59; x --#62; y #60;b#62;#35;#96;"]
          event --> r0
          r0 -->|"event"| t0
          t0[("hook")]:::off
          classDef off stroke-dasharray: 4 4
        """)
    var counts = RouteMatches.Counts(routes: [1])
    counts.events = 1
    #expect(RouteGraph(table, counts: counts).mermaid.contains("event([\"1 event\"])"))
  }

  @Test("the JSON of the tree nests the routes as the file does")
  func asJSON() throws {
    let json = RouteGraph(try RehearsalTests.table()).json
    #expect(json["routes"]?.array?.count == 3)
    let first = json["routes"]?.array?.first
    #expect(first?["also"]?.array?.compactMap { $0["route"]?.string } == ["declined/day", "declined/night"])
    #expect(first?["when"] == "event is CALL_REJECTED" && first?["matched"] == nil)
    #expect(first?["sends"]?.array?.first?["target"] == "crm")
  }

  // MARK: The same answers

  @Test("what is explained, planned and counted agrees for any routes and any event", arguments: 0..<8 as Range<UInt64>)
  func agreement(seed: UInt64) throws {
    var random = Seeded(seed)
    for _ in 0..<40 {
      let table = try RehearsalTests.table { $0.routes = (0..<4).map { Self.route("r\($0)", depth: 0, &random) } }
      let event = try event()
      let plan = table.plan(event)
      let rehearsal = Rehearsal(event, under: table)
      func flat(_ routes: [RouteExplanation]) -> [RouteExplanation] { routes.flatMap { [$0] + flat($0.children) } }
      let fired = flat(rehearsal.routes).enumerated().filter(\.element.fired)
      #expect(fired.map(\.offset) == plan.matched)
      #expect(fired.flatMap { $0.element.sends } == plan.deliveries.map { $0.target + "." + $0.action })
      #expect(rehearsal.deliveries.map(\.plan) == plan.deliveries)
    }
  }

  private static func route(_ path: String, depth: Int, _ random: inout Seeded) -> Route {
    let children = depth < 2 ? (0..<Int.random(in: 0...2, using: &random)) : 0..<0
    var route = RehearsalTests.route(
      path, condition(depth: 0, &random), Bool.random(using: &random) ? ["crm.log"] : ["hook.event", "crm.log"],
      children.map { Self.route("\(path)/c\($0)", depth: depth + 1, &random) })
    route.enabled = Int.random(in: 0..<5, using: &random) > 0
    return route
  }

  private static func condition(depth: Int, _ random: inout Seeded) -> Condition {
    switch Int.random(in: 0..<(depth < 2 ? 6 : 3), using: &random) {
    case 0: RehearsalTests.event(Bool.random(using: &random) ? "CALL_REJECTED" : "CALL_ENDED")
    case 1: RehearsalTests.clock(Int.random(in: 0..<24, using: &random), Int.random(in: 0..<24, using: &random))
    case 2: .value(.field(.chatID), .exists(Bool.random(using: &random)))
    case 3: .not(condition(depth: depth + 1, &random))
    case 4: .any((0..<2).map { _ in condition(depth: depth + 1, &random) })
    default: .all((0..<2).map { _ in condition(depth: depth + 1, &random) })
    }
  }
}
