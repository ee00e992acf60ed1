// What the operator interface gives to commands that rehearse: whole events by the page, the configuration's text, counts.

import DivertCore
import DivertServer
import Testing

@Suite struct OperatorRehearsalTests {
  @Test("stored events come whole, a page at a time, in order")
  func pages() async throws {
    let house = try OperatorHouse()
    let stored = try (1...5).map { try house.accept("call_\($0)") }
    var (found, after): ([Event], String?) = ([], nil)
    repeat {
      let query = ["since": "1h", "limit": "2"].merging(after.map { ["after": $0] } ?? [:]) { $1 }
      let page = await house.get("/api/events", query)
      #expect(page.status == 200)
      found += (page.body["events"]?.array ?? []).compactMap { EventExchange.event($0) }
      after = page.body["next"]?.string
    } while after != nil
    #expect(found.map(\.id) == stored.map(\.id))
    #expect(found.map(\.body) == stored.map(\.body) && found.map(\.fields) == stored.map(\.fields))
    #expect(found.map(\.receivedAt) == stored.map(\.receivedAt) && found.map(\.raw) == stored.map(\.raw))
    let none = await house.get("/api/events", ["since": "2026-01-16"])
    #expect(none.body == ["events": []])
  }

  @Test("one event is found by its id and by a delivery's; another is not")
  func one() async throws {
    let house = try OperatorHouse()
    let event = try house.accept("call_1")
    for id in [event.id.description, DeliveryID(event: event.id, ordinal: 0).description] {
      let answer = await house.get("/api/events", ["id": id])
      #expect(answer.body["events"]?.array?.first?["id"]?.string == event.id.description)
      #expect(answer.body["events"]?.array?.first?["version"]?.string == house.table.version)
    }
    for id in ["evt_0000000000000000000", "call_1"] {
      let answer = await house.get("/api/events", ["id": id])
      #expect(answer.status == 404 && answer.body["error"]?["message"]?.string?.contains(id) == true)
    }
  }

  @Test("a page asked for in a wrong way is refused", arguments: [["limit": "0"], ["after": "x"], ["since": "soon"]])
  func wrong(query: [String: String]) async throws {
    let house = try OperatorHouse()
    #expect(await house.get("/api/events", query).status == 400)
  }

  @Test("the text of the configuration in force is given, and of a version that is kept")
  func configuration() async throws {
    let house = try OperatorHouse()
    let wanted: JSONValue = ["version": .string(house.table.version), "text": .string(OperatorHouse.routes)]
    #expect(await house.get("/api/configuration").body == wanted)
    #expect(await house.get("/api/configuration", ["version": house.table.version]).body == wanted)
    #expect(await house.get("/api/configuration", ["version": "0"]).status == 404)
  }

  @Test("while no router runs nothing is counted, and the answer says so")
  func counts() async throws {
    let answer = try await OperatorHouse().get("/api/routes/counts")
    #expect(answer.status == 503 && answer.body["error"]?["code"] == "not_running")
  }

  @Test("counts are read for the table that they were taken of, and for no other")
  func exchange() throws {
    let table = try OperatorHouse().table
    let value: JSONValue = [
      "version": .string(table.version), "since": "2026-01-15T10:30:25.000Z", "events": 7,
      "routes": [["route": "declined", "matched": 5], ["route": "outgoing", "matched": 2]],
    ]
    let counts = try #require(RouteCounts.counts(value, of: table))
    #expect(counts.routes == [5, 2] && counts.events == 7 && counts.since == OperatorHouse.now)
    #expect(RouteCounts.counts(["version": "other", "routes": []], of: table) == nil)
  }
}
