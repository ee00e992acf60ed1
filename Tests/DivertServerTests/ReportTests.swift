// `divert report` by value: what it tells, in which form, and what it refuses.

import DivertCore
import DivertServer
import DivertStore
import Testing

@Suite("The report") struct ReportTests {
  /// Three declined outgoing calls within a week and one incoming of one customer; one of another, whose number is unusual.
  private static func house() throws -> OperatorHouse {
    let house = try OperatorHouse()
    let calls: [(Int64, String, String, String, String?)] = [
      (0, "CALL_REJECTED", "INCOMING", "+919876543210", "+919811111111"),
      (1, "CALL_REJECTED", "OUTGOING", "+919876543210", "Priya <b>"),
      (2, "CALL_REJECTED", "OUTGOING", "+919876543210", "Priya <b>"),
      (6, "CALL_REJECTED", "OUTGOING", "+919876543210", "Priya <b>"),
      (3, "CALL_ENDED", "OUTGOING", "+919876543211", "Priya <b>"),
      (4, "CALL_MISSED", "INCOMING", "+919876543211", nil),
      (5, "CALL_REJECTED", "OUTGOING", "+919876543211", "=cmd()"),
      (40, "CALL_REJECTED", "OUTGOING", "+919876543211", "Priya <b>"),
    ]
    for (days, name, direction, phone, agent) in calls {
      var fields = Event.Fields(name: name, at: OperatorHouse.now - .days(days))
      fields.direction = direction
      fields.customerPhone = phone
      fields.agent = agent
      fields.callID = "call-\(days)"
      fields.customerID = "cust-\(phone.suffix(2))"
      let planned = PlannedDelivery(
        route: "declined", send: "1", target: "crm", action: "text", orderKey: nil, due: OperatorHouse.now,
        toPerson: true)
      var batch = StoreBatch()
      batch.appends = [
        Append(
          EventContent(
            source: "doubletick", receivedAt: OperatorHouse.now, fields: fields, body: Array("{}".utf8), raw: [:]),
          dedupe: nil, planned: days < 2 ? [planned] : [], table: house.table)
      ]
      _ = try house.store.commit(batch, now: OperatorHouse.now)
    }
    try end(house)
    return house
  }

  /// One message goes out, the other is withheld.
  private static func end(_ house: OperatorHouse) throws {
    let claims = try house.store.claim([ClaimWish(target: "crm", limit: 10)], now: OperatorHouse.now)
    var batch = StoreBatch()
    for (place, claimed) in claims.flatMap(\.deliveries).enumerated() {
      var delivery = claimed.delivery
      delivery.state = place == 0 ? .delivered : .skipped
      delivery.reason = place == 0 ? Reason("ok", "taken") : Reason("suppressed", "on the list")
      batch.rows.append(delivery)
    }
    #expect(batch.rows.count == 2)
    _ = try house.store.commit(batch, now: OperatorHouse.now)
  }

  private static func text(_ house: OperatorHouse, _ query: [String: String]) async throws -> String {
    let answer = await house.get("/api/report", query)
    #expect(answer.status == 200, "\(answer.body)")
    return try #require(answer.body.string)
  }

  @Test("of a month counts by agent, customer and rule; phones are masked")
  func json() async throws {
    let house = try Self.house()
    let body = await house.get("/api/report", ["month": "2026-01", "format": "json"]).body
    let totals = try #require(body["totals"])
    #expect(totals["incoming_calls"] == 2 && totals["incoming_rejected"] == 1 && totals["incoming_missed"] == 1)
    #expect(totals["outgoing_calls"] == 5 && totals["outgoing_rejected"] == 4)
    #expect(totals["sent"] == 1 && totals["withheld"] == 1)
    let agents = try #require(body["agents"]?.array)
    #expect(agents.map { $0["agent"]?.string } == ["+91******1111", "(no agent)", "=cmd()", "Priya <b>"])
    #expect(agents[0]["incoming_rejected"] == 1 && agents[3]["outgoing_rejected"] == 3 && agents[3]["withheld"] == 1)
    let customers = try #require(body["customers"]?.array)
    #expect(customers.map { $0["customer"]?.string } == ["+91******3210", "+91******3211"])
    #expect(customers[0]["most_in_7_days"] == 3 && customers[0]["outgoing_rejected"] == 3)
    #expect(customers[0]["last_rejected_at"] == "2026-01-14T16:00:25.000+05:30")
    let rules = try #require(body["messages"]?.array)
    #expect(rules.map { $0["outcome"]?.string } == ["sent", "withheld"] && rules[1]["reason"] == "suppressed")
    #expect(body["days"]?.array?.count == 15, "up to today, as the month is not over")
  }

  @Test("of other times, ways and breakdowns tells of these alone")
  func choosing() async throws {
    let house = try Self.house()
    func numbers(_ query: [String: String]) async -> JSONValue? {
      await house.get("/api/report", query.merging(["format": "json"]) { $1 }).body["totals"]
    }
    #expect(await numbers(["month": "2025-12"])?["outgoing_rejected"] == 1)
    #expect(await numbers(["from": "2026-01-10", "to": "2026-01-13"])?["outgoing_rejected"] == 2)
    #expect(await numbers(["month": "2026-01", "direction": "incoming"])?["outgoing_rejected"] == 0)
    #expect(await numbers([:])?["outgoing_rejected"] == 4, "the month that is under way")
    let days = try await Self.text(house, ["month": "2025-12", "by": "day", "format": "csv"])
    #expect(days.split(separator: "\r\n").count == 32)
    #expect(days.contains("2025-12-06,0,0,,0,1,1,100.0,"))
  }

  @Test("says phones whole where that is asked for")
  func full() async throws {
    let house = try Self.house()
    let csv = try await Self.text(house, ["month": "2026-01", "by": "customer", "format": "csv", "full": "true"])
    #expect(csv.contains("\r\n+919876543210,"))
    let page = try await Self.text(house, ["month": "2026-01", "format": "html"])
    #expect(!page.contains("9876543210") && page.contains("+91******3210"))
  }

  @Test("as CSV holds no formula and as a page no markup of others")
  func safety() async throws {
    let house = try Self.house()
    let csv = try await Self.text(house, ["month": "2026-01", "format": "csv"])
    #expect(csv.contains("\r\n'=cmd(),") && csv.hasPrefix("agent,incoming_calls,"))
    let page = try await Self.text(house, ["month": "2026-01", "format": "html"])
    #expect(page.contains("Priya &lt;b&gt;") && !page.contains("Priya <b>"))
    #expect(!page.contains("http") || page.contains("http-equiv"), "it needs nothing from elsewhere")
    #expect(page.contains("<svg") && page.contains("2026-01-14: 1"))
  }

  @Test("as a table lines up, and says what it leaves out")
  func table() async throws {
    let house = try Self.house()
    let text = try await Self.text(house, ["month": "2026-01", "by": "customer", "limit": "1"])
    #expect(text.hasPrefix("Rejection log of 2026-01\n") && text.contains("this time is not over yet"))
    #expect(text.contains("  +91******3210 ") && !text.contains("3211") && text.contains("and 1 more"))
  }

  @Test("sets outcomes beside rejections, by phone or by the customer's id")
  func outcomes() async throws {
    let house = try Self.house()
    let phones = "phone;outcome\n98765 43210;default\n+919876543211;paid\n+919999999999;paid\n"
    let accounts = "\u{feff}Outcome,\"Account\"\r\ndefault,cust-10\r\npaid,cust-11\r\n\"paid\",cust-99\r\n"
    for (file, first) in [(phones, "+91******3210"), (accounts, "cust-10")] {
      let body = await house.post(
        "/api/report", ["month": "2026-01", "format": "json", "by": "agent", "outcomes": .string(file)]
      ).body
      let rows = try #require(body["outcomes"]?.array)
      #expect(rows.map { $0["accounts"] } == [1, 1, 0, 1, 0, 1, 1, 3])
      #expect(rows[3]["default"] == 1 && rows[3]["default percent"] == .number("100.0") && rows[0]["paid"] == 1)
      let list = try #require(body["accounts"]?.array)
      #expect(list.map { $0["outgoing_rejected"] } == [3, 1] && list[0]["account"]?.string == first)
    }
  }

  @Test(
    "refuses what it cannot understand, with a way on",
    arguments: [
      (["month": "2026-13"], "no month"), (["month": "2026-01", "from": "2026-01-01"], "leave out"),
      (["from": "2026-01-03", "to": "2026-01-01"], "before"), (["to": "2026-01-01"], "`from` is missing"),
      (["by": "agents"], "did you mean `agent`?"), (["direction": "in"], "incoming or outgoing"),
      (["format": "pdf"], "html"), (["limit": "-1"], "whole number"), (["mont": "1"], "did you mean `month`?"),
      (["outcomes": "a,b\n1,2"], "`outcome` and `phone`"), (["outcomes": ""], "empty"),
    ])
  func refusals(_ query: [String: String], _ words: String) async throws {
    let house = try OperatorHouse()
    let answer = await house.get("/api/report", query)
    #expect(answer.status == 400)
    #expect(answer.body["error"]?["message"]?.string?.contains(words) == true, "\(answer.body)")
  }
}
