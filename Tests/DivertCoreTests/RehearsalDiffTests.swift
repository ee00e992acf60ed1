// Two configurations over the same events: what appears, vanishes, changes or moves, and the counts of it.

import Testing

@testable import DivertCore

@Suite struct RehearsalDiffTests {
  private static func sends(_ sends: [String]) throws -> RouteTable {
    try RehearsalTests.table { $0.routes = [RehearsalTests.route("all", .all([]), sends)] }
  }

  private static func between(_ before: RouteTable, _ after: RouteTable) throws -> [DeliveryDifference] {
    let event = try event()
    return RehearsalDiff.between(Rehearsal(event, under: before), Rehearsal(event, under: after))
  }

  /// `+crm.log`, `-crm.log`, `~crm.log body.a`, `=crm.log`, ` crm.log`.
  private static func words(_ differences: [DeliveryDifference]) -> [String] {
    differences.map { difference in
      switch difference {
      case .appears(let d): "+" + d.name
      case .vanishes(let d): "-" + d.name
      case .changes(_, let d, let fields): "~" + ([d.name] + fields.map(\.field)).joined(separator: " ")
      case .moves(let a, let b): "=\(b.name) \(a.plan.send)→\(b.plan.send)"
      case .stays(let d): " " + d.name
      }
    }
  }

  private static func fields(
    _ change: (inout RouteTable.Parts) throws -> Void
  ) throws -> [FieldDifference] {
    let all = try between(
      sends(["crm.log"]),
      RehearsalTests.table { parts in
        parts.routes = [RehearsalTests.route("all", .all([]), ["crm.log"])]
        try change(&parts)
      })
    guard case .changes(_, _, let fields)? = all.first, all.count == 1 else { return [] }
    return fields
  }

  @Test("equal configurations differ in nothing")
  func same() throws {
    #expect(
      Self.words(try Self.between(Self.sends(["crm.log", "hook.event"]), Self.sends(["crm.log", "hook.event"])))
        == [" crm.log", " hook.event"])
  }

  @Test("a send that is added appears, one that is taken away vanishes, and those behind it only move")
  func places() throws {
    let (one, two) = (try Self.sends(["crm.log"]), try Self.sends(["hook.event", "crm.log"]))
    #expect(Self.words(try Self.between(one, two)) == ["+hook.event", "=crm.log 0→1"])
    #expect(Self.words(try Self.between(two, one)) == ["=crm.log 1→0", "-hook.event"])
  }

  @Test("the same action twice is paired by its label first")
  func twice() throws {
    let (one, two) = (try Self.sends(["crm.log", "crm.log"]), try Self.sends(["hook.event", "crm.log"]))
    #expect(Self.words(try Self.between(one, two)) == ["+hook.event", " crm.log", "-crm.log"])
  }

  @Test("each part of a request that differs is named, with what it was and what it would be")
  func parts() throws {
    let found = try Self.fields { parts in
      parts.targets["crm"]?.headers = [HeaderTemplate("X-Team", Template(literal: "west"))]
      var action = try RehearsalTests.action("log", "/v2/calls", ["agent": "Priya", "call": "{{ call.id }}"])
      action.method = "put"
      parts.targets["crm"]?.actions["log"] = action
    }
    #expect(
      found == [
        FieldDifference("method", "POST", "PUT"),
        FieldDifference(
          "url", "https://crm.example.com/api/calls/call_01HX9abc123", "https://crm.example.com/api/v2/calls"),
        FieldDifference("header Authorization", "Bearer {{ secrets.crm_token }}", nil),
        FieldDifference("header X-Team", nil, "west"),
        FieldDifference("body.agent", "\"James Smith\"", "\"Priya\""),
        FieldDifference("body.now", "\"2026-01-15T10:30:27.000Z\"", nil),
        FieldDifference("body.call", nil, "\"call_01HX9abc123\""),
      ])
  }

  @Test("a request that can no longer be made, and a target that is switched off, are changes")
  func fault() throws {
    let fault = try Self.fields {
      $0.targets["crm"]?.actions["log"] = try RehearsalTests.action("log", "/{{ raw.no }}", [:])
    }
    #expect(fault.map(\.field) == ["request"])
    #expect(fault[0].before == "POST https://crm.example.com/api/calls/call_01HX9abc123")
    #expect(fault[0].after?.hasPrefix("no request: `raw.no` is missing") == true)
    #expect(try Self.fields { $0.targets["crm"]?.enabled = false } == [FieldDifference("target", "on", "switched off")])
  }

  @Test("nested values are named by their path; a form by its fields")
  func nested() throws {
    func body(_ text: String) throws -> RequestBody { .json(.literal(try json(text))) }
    func table(_ body: RequestBody) throws -> RouteTable {
      try RehearsalTests.table { parts in
        parts.routes = [RehearsalTests.route("all", .all([]), ["crm.log"])]
        parts.targets["crm"]?.actions["log"]?.body = body
      }
    }
    let old = try table(body(#"{"a":{"b":[1,2]},"c":5,"d":null}"#))
    let new = try table(body(#"{"a":{"b":[1,3,4]},"c":"5","d":null}"#))
    #expect(Self.words(try Self.between(old, new)) == ["~crm.log body.a.b.1 body.a.b.2 body.c"])
    let form = [FormField("a", Template(literal: "1")), FormField("b", Template(literal: "x y"))]
    let words = Self.words(try Self.between(table(.form(form)), table(.form([form[1]]))))
    #expect(words == ["~crm.log body.a"])
  }

  @Test("a comparison counts every difference, and keeps some of every kind")
  func counts() throws {
    let before = try Self.sends(["crm.log", "hook.event"])
    let after = try RehearsalTests.table { parts in
      parts.sources = ["doubletick": doubletick]
      parts.routes = [RehearsalTests.route("all", .all([]), ["crm.log", "crm.chat"])]
      parts.targets["crm"]?.actions["log"]?.method = "put"
    }
    var comparison = ConfigComparison(before: before, after: after, limit: 4)
    let event = try event()
    for place in 0..<50 {
      comparison.add(
        Event(
          id: EventID(sequence: Int64(place) << 20, tag: 1), source: "doubletick", receivedAt: event.receivedAt,
          fields: event.fields, body: event.body, raw: event.raw))
    }
    comparison.finish()
    #expect(comparison.events == 50 && comparison.deliveriesBefore == 100 && comparison.deliveriesAfter == 100)
    #expect(comparison.counts == [.appears: 50, .vanishes: 50, .changes: 50] && comparison.staying == 0)
    #expect(comparison.summary.map(\.group.name) == ["crm.chat", "hook.event", "crm.log"])
    #expect(comparison.summary.map(\.group.fields) == [[], [], ["method"]])
    #expect(comparison.details.count == 4 && Set(comparison.details.map(\.group.kind)).count == 3)
  }

  @Test("under a configuration without the source everything vanishes; alarms are passed over")
  func sources() throws {
    var comparison = ConfigComparison(before: try Self.sends(["crm.log"]), after: try Self.sends(["crm.log"]), limit: 1)
    comparison.add(try event())
    comparison.finish()
    #expect(comparison.sourcesGone == ["doubletick": 1] && comparison.counts == [.vanishes: 1] && !comparison.isEmpty)
    let event = try event()
    comparison.add(
      Event(
        id: event.id, source: RouteTable.alarmSource, receivedAt: moment, fields: event.fields, body: event.body,
        raw: event.raw))
    #expect(comparison.events == 1)
  }

  @Test("another country reads the phone numbers of the same events anew")
  func country() throws {
    func table(_ country: String) throws -> RouteTable {
      try RehearsalTests.table { parts in
        parts.country = country
        parts.sources = ["doubletick": doubletick]
        parts.routes = [RehearsalTests.route("all", .all([]), ["crm.log"])]
        parts.targets["crm"]?.actions["log"] = try RehearsalTests.action("log", "", ["to": "{{ customer.phone }}"])
      }
    }
    var comparison = ConfigComparison(before: try table("IN"), after: try table("US"), limit: 1)
    let body = incomingRejected.split(separator: "919876543210").joined(separator: "2025550123")
    comparison.add(try event(body))
    comparison.finish()
    #expect(comparison.counts == [.changes: 1])
    #expect(comparison.summary.first?.group.fields == ["body.to"])
  }
}
