// What would follow an event, by value: the tree of routes, the deliveries, and their requests as they would be sent.

import DivertCore
import Testing

@Suite struct RehearsalTests {
  /// Two targets, a parent with two children, a route that is off and one that does not match.
  static func table(_ change: (inout RouteTable.Parts) throws -> Void = { _ in }) throws -> RouteTable {
    var parts = RouteTable.Parts()
    parts.version = "v1"
    parts.timezone = "Asia/Kolkata"
    var crm = TargetDefinition(name: "crm", base: try template("https://crm.example.com/api"))
    crm.headers = [HeaderTemplate("Authorization", try template("Bearer {{ secrets.crm_token }}"))]
    crm.actions["log"] = try action("log", "/calls/{{ call.id }}", ["agent": "{{ agent? }}", "now": "{{ now }}"])
    crm.actions["chat"] = try action("chat", "/chats", ["chat": "{{ raw.nothing }}"])
    var hook = TargetDefinition(name: "hook", base: try template("{{ secrets.hook_url }}"))
    hook.enabled = false
    hook.actions["event"] = try action("event", "", ["call": "{{ call.id }}"])
    parts.targets = ["crm": crm, "hook": hook]
    parts.routes = [
      route(
        "declined", event("CALL_REJECTED"), ["crm.log"],
        [
          route("declined/day", clock(8, 18), ["hook.event", "crm.chat"]),
          route("declined/night", clock(18, 8), ["hook.event"]),
        ]),
      route("off", .all([]), ["crm.log"]), route("other", event("CALL_ENDED"), ["crm.log"]),
    ]
    parts.routes[1].enabled = false
    try change(&parts)
    return RouteTable(parts)
  }

  static func action(_ name: String, _ path: String, _ body: KeyValuePairs<String, String>) throws -> ActionDefinition {
    var action = ActionDefinition(name: name, method: "post", path: try template(path))
    action.body = .json(.object(try body.map { .init($0.key, .template(try template($0.value))) }))
    return action
  }

  static func event(_ name: String) -> Condition { .value(.field(.event), .isOneOf([.string(name)])) }

  static func clock(_ from: Int, _ to: Int) -> Condition {
    .value(.local(.time), .between(.clock(from * 60), .clock(to * 60)))
  }

  static func route(_ path: String, _ when: Condition, _ sends: [String], _ children: [Route] = []) -> Route {
    var route = Route(name: String(path.split(separator: "/").last ?? ""), path: path, when: when)
    route.sends = sends.enumerated().map { place, send in
      let parts = send.split(separator: ".").map(String.init)
      return Send(route: path, label: String(place), target: parts[0], action: parts[1])
    }
    route.children = children
    return route
  }

  static func rehearse(_ body: String = incomingRejected, _ table: RouteTable) throws -> Rehearsal {
    let reception = Rehearsal.receive(bytes(body), source: doubletick, under: table, now: moment)
    guard case .event(let event, _) = reception else { throw RenderFault("refused", "\(reception)") }
    return Rehearsal(event, under: table)
  }

  @Test("a rehearsal has the router's own plan, each request exactly as it would be sent, secrets by name")
  func deliveries() throws {
    let table = try Self.table()
    let rehearsal = try Self.rehearse(incomingRejected, table)
    #expect(rehearsal.version == "v1")
    #expect(rehearsal.deliveries.map(\.plan) == table.plan(rehearsal.event).deliveries)
    #expect(rehearsal.deliveries.map(\.name) == ["crm.log", "hook.event", "crm.chat"])
    #expect(rehearsal.deliveries.map(\.plan.due) == [moment, moment, moment])
    #expect(rehearsal.deliveries.map(\.waitsForTarget) == [false, true, false])
    let first = rehearsal.deliveries[0]
    let request = try first.request.get()
    #expect(request.method == "POST" && request.url == "https://crm.example.com/api/calls/call_01HX9abc123")
    #expect(request.header("Authorization") == "Bearer {{ secrets.crm_token }}")
    #expect(request.header("Idempotency-Key") == first.idempotencyKey)
    #expect(request.body == bytes(#"{"agent":"James Smith","now":"2026-01-15T10:30:25.000Z"}"#))
    #expect(try rehearsal.deliveries[1].request.get().url == "{{ secrets.hook_url }}")
  }

  @Test("a request that could not be made is a fault of its delivery alone")
  func fault() throws {
    let rehearsal = try Self.rehearse(incomingRejected, Self.table())
    guard case .failure(let fault) = rehearsal.deliveries[2].request else {
      Issue.record("there is a request")
      return
    }
    #expect(fault.reason.code == "value_missing" && fault.reason.sentence.contains("`raw.nothing`"))
  }

  @Test("an address that would be refused when it is sent is a fault, though secrets are masked")
  func address() throws {
    let body = incomingRejected.split(separator: "call_01HX9abc123", maxSplits: 1).joined(separator: "..")
    let rehearsal = try Self.rehearse(body, Self.table())
    guard case .failure(let fault) = rehearsal.deliveries[0].request else {
      Issue.record("there is a request")
      return
    }
    #expect(fault.reason.code == "url_invalid")
  }

  @Test("the tree has every route with its condition's answer and the value that it saw")
  func tree() throws {
    let routes = try Self.rehearse(incomingRejected, Self.table()).routes
    #expect(routes.map(\.fired) == [true, false, false])
    #expect(routes[0].children.map(\.fired) == [true, false])
    #expect(routes[0].children[1].condition.lines == ["✗ local.time is between 18:00 and 08:00 (it is 16:00)"])
    #expect(routes[1].why == "it is switched off (`enabled: false`)")
    #expect(routes[2].condition.actual == "CALL_REJECTED")
  }

  @Test("the virtual clock is the time of receipt, the due time and the id's time")
  func clock() throws {
    let table = try Self.table()
    let later = moment + .hours(3)
    guard
      case .event(let event, _) = Rehearsal.receive(
        bytes(#"{"event":"CALL_REJECTED","callId":"c","callDirection":"INCOMING","customerNumber":"919876543210"}"#),
        source: doubletick, under: table, now: later)
    else {
      Issue.record("refused")
      return
    }
    #expect(event.receivedAt == later && event.fields.at == later)
    let rehearsal = Rehearsal(event, under: table)
    #expect(rehearsal.deliveries.map(\.plan.route) == ["declined", "declined/night"])
    #expect(rehearsal.deliveries.allSatisfy { $0.plan.due == later })
    let next = Rehearsal.eventID(at: later, place: 1)
    #expect(event.id == Rehearsal.eventID(at: later) && next.sequence == event.id.sequence + 1)
  }

  @Test("a body is refused with every fault that the ingest would name")
  func refused() throws {
    let table = try Self.table()
    func faults(_ body: String) -> [String] {
      guard case .refused(let faults) = Rehearsal.receive(bytes(body), source: doubletick, under: table, now: moment)
      else { return [] }
      return faults.map { $0.field ?? $0.code }
    }
    #expect(faults(#"{"event":"CALL_REJECTED"}"#) == ["callId", "callDirection", "customerNumber"])
    #expect(faults(" \n") == ["empty_body"])
    #expect(faults("[1]") == ["not_an_object"])
  }

  @Test("an event without a name of its own is named by the label, as at the address")
  func label() throws {
    let reception = Rehearsal.receive(
      bytes(#"{"callId":"c"}"#), label: "call-ended", source: doubletick, under: try Self.table(), now: moment)
    guard case .event(let event, _) = reception else {
      Issue.record("refused")
      return
    }
    #expect(event.fields.name == "CALL_ENDED")
  }

  @Test("one of Divert's own alarms is planned by `alarms`, with what the alarm says")
  func alarm() throws {
    let table = try Self.table { parts in
      var send = Send(route: "alarms", label: "0", target: "crm", action: "alarm")
      send.arguments = [.init("text", .template(try template("{{ alarm.text }}", .alarm)))]
      parts.alarms = [send]
      parts.targets["crm"]?.actions["alarm"] = try Self.action("alarm", "/alarms", ["text": "{{ arguments.text }}"])
    }
    let raw: JSONValue = ["event": "DIVERT_ALARM", "text": "Divert: crm refuses its key"]
    let event = Event(
      id: Rehearsal.eventID(at: moment), source: RouteTable.alarmSource, receivedAt: moment,
      fields: Event.Fields(name: "DIVERT_ALARM", at: moment), body: raw.encoded(), raw: raw)
    let rehearsal = Rehearsal(event, under: table)
    #expect(rehearsal.routes.isEmpty && rehearsal.deliveries.count == 1)
    #expect(try rehearsal.deliveries[0].request.get().body == bytes(#"{"text":"Divert: crm refuses its key"}"#))
  }
}
