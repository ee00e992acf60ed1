// The guide's collections team, the whole example of the language: it loads, passes its tests and plans what it says for both shapes of
// CALL_REJECTED.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct WholeExampleTests {
  private static func text() throws -> String { try Files.text("Tests/DivertConfigTests/Fixtures/whole.yaml") }

  /// The example, whole.
  private static func today() throws -> LoadResult { ConfigLoader.load(text: try text(), file: "whole.yaml") }

  @Test("it loads without a complaint, with nothing left out")
  func loads() throws {
    let result = try Self.today()
    #expect(result.diagnostics.map(\.description) == [])
    let routes = try #require(result.table).parts.routes
    #expect(routes.map { Self.lines($0) } == [Self.agentDeclined, Self.borrowerDeclined])
    #expect(result.tests.tests.map { $0.stages.map(\.after) } == [[.zero, .minutes(61)], [.zero]])
  }

  @Test("it passes its own tests")
  func passes() throws {
    let result = try Self.today()
    let report = ConfigTests.run(result.tests, table: try #require(result.table))
    #expect(report.results.map(\.name) == ["call back missed", "second decline in a week raises the risk once"])
    #expect(report.text.hasSuffix("2 tests passed"), "\(report.text)")
  }

  private static func lines(_ route: Route) -> [String] {
    var lines = ["\(route.path) when \(route.when.words)" + (route.once.map { ", " + $0.words } ?? "")]
    lines += route.everySend.map { "\($0.label) \($0.target).\($0.action) \($0.timing.words)" }
    lines += [route.expect.map { "expects \($0.words)" }].compactMap { $0 }
    return lines + route.children.flatMap(Self.lines)
  }

  private static let agentDeclined = [
    "agent-declined when event is CALL_REJECTED and direction is INCOMING", "0 crm.log_call []", "1 crm.log_agent []",
    "2 automation.event []", "3 team_lead.alert []", "else.0 team_lead.alert []",
    "expects event is one of CALL_OUTGOING_INITIATED, CALL_ACCEPTED within 1h",
    "agent-declined/apology-now when local.time is between 08:00 and 18:00",
    #"0 whatsapp.text ["expires after 15m"]"#, "0.otherwise.0 whatsapp.text []",
    "agent-declined/apology-after-hours when local.time is between 18:00 and 08:00", "0 whatsapp.text []",
  ]
  private static let borrowerDeclined = [
    "borrower-declined when event is CALL_REJECTED and direction is OUTGOING", "0 crm.log_call []",
    "borrower-declined/early when account.stage is early",
    #"0 whatsapp.template ["after 10m", "only 08:00-19:00"]"#,
    "borrower-declined/repeated when count at least 2 within 7d per customer.phone, once in 7d per customer.phone",
    "0 crm.raise_risk []", "1 crm.flag_review []",
    "borrower-declined/late when account.stage is late", "0 crm.escalate []",
  ]

  private static func rehearse(_ body: String, _ lookups: [String: LookupMock] = [:]) throws -> Rehearsal {
    let table = try #require(try today().table)
    let source = try #require(table.parts.sources["doubletick"])
    let now = try #require(Timestamp(iso8601: "2026-01-15T10:30:27Z"))
    guard case .event(let event, _) = Rehearsal.receive(Array(body.utf8), source: source, under: table, now: now) else {
      throw Given.Missing()
    }
    return Rehearsal(event, under: table, lookups: lookups)
  }

  private static func body(_ rehearsal: Rehearsal, _ name: String) throws -> JSONValue {
    let delivery = try #require(rehearsal.deliveries.first { $0.name == name })
    return try JSONValue.parse(try delivery.request.get().body)
  }

  @Test("an incoming rejection is logged twice, told to the hook and the team lead, and apologised for")
  func incoming() throws {
    let rehearsal = try Self.rehearse(
      """
      {"event":"CALL_REJECTED","callId":"call_01HX9abc123","chatMessageId":"msg_01HX9abc123","chatId":"chat_abc123",
       "wabaNumber":"919000000000","customerNumber":"919876543210","customerName":"Rohan Mehta",
       "customerId":"customer_pvgpZUh3wg","callDirection":"INCOMING","callStatus":"REJECT","failedReason":"",
       "durationInSeconds":0,"callStartedAt":"","callEndedAt":"2026-01-15T10:30:25.000Z","pickedBy":"",
       "rejectedBy":"James Smith","endedBy":"","recordingUrl":"","deviceId":"device_abc123"}
      """)
    #expect(
      rehearsal.deliveries.map { "\($0.plan.route) \($0.name)" } == [
        "agent-declined crm.log_call", "agent-declined crm.log_agent", "agent-declined automation.event",
        "agent-declined team_lead.alert", "agent-declined/apology-now whatsapp.text", "agent-declined team_lead.alert",
      ])
    // The last one only where nobody calls back.
    #expect(rehearsal.deliveries.map(\.brokenPromise) == [nil, nil, nil, nil, nil, "agent-declined"])
    #expect(rehearsal.promises.map { $0.standing(at: $0.judgedAt) } == [.broken])
    #expect(
      try Self.body(rehearsal, "crm.log_call") == [
        "type": "rejected", "direction": "INCOMING", "call_id": "call_01HX9abc123", "agent": "James Smith",
        "device": "device_abc123", "at": "2026-01-15T10:30:25.000Z",
      ])
    #expect(
      try Self.body(rehearsal, "team_lead.alert") == [
        "text": "James Smith declined a call from Rohan Mehta (+91******3210) at 16:00"
      ])
    let answer = rehearsal.routes.map { "\($0.path) \($0.fired)" }
    #expect(answer == ["agent-declined true", "borrower-declined false"])
    #expect(rehearsal.routes[0].children.map(\.fired) == [true, false])
    #expect(rehearsal.routes[1].why == "direction is OUTGOING, but it is INCOMING")
  }

  private static let outgoingBody = """
    {"event":"CALL_REJECTED","callId":"call_2","chatId":"chat_abc123","deviceId":"device_abc123",
     "pickedBy":"919812345678","callStatus":"REJECT","customerId":"customer_pvgpZUh3wg","wabaNumber":"919000000000",
     "callEndedAt":"2026-01-15T11:02:10.000Z","customerName":"Rohan Mehta","callDirection":"OUTGOING",
     "chatMessageId":"msg_2","customerNumber":"919876543210"}
    """

  @Test("an outgoing rejection, of which empty fields are left out, is logged with the agent who placed the call")
  func outgoing() throws {
    let rehearsal = try Self.rehearse(Self.outgoingBody, ["account": .found(["id": 7, "stage": "mid"])])
    let sent = rehearsal.deliveries.filter { !$0.isSkipped }
    #expect(sent.map { "\($0.plan.route) \($0.name)" } == ["borrower-declined crm.log_call"])
    #expect(try sent.first?.request.get().url == "https://crm.example.com/api/accounts/7/calls")
    #expect(
      try Self.body(rehearsal, "crm.log_call") == [
        "type": "rejected", "direction": "OUTGOING", "call_id": "call_2", "agent": "919812345678",
        "device": "device_abc123", "at": "2026-01-15T11:02:10.000Z",
      ])
    #expect(rehearsal.routes.map(\.fired) == [false, true])
    #expect(rehearsal.routes[1].children.map(\.fired) == [false, false, false])
  }

  @Test("the stage of the account decides when a delivery is due; as long as it is open, all that may follow do")
  func stages() throws {
    let open = try Self.rehearse(Self.outgoingBody)
    #expect(open.deliveries.map(\.name) == ["crm.log_call", "whatsapp.template", "crm.escalate"])
    #expect(
      open.deliveries.map { $0.openGuards.map(\.condition.words) } == [
        [], ["account.stage is early"], ["account.stage is late"],
      ])
    #expect(try open.deliveries[0].request.get().url == "https://crm.example.com/api/accounts/{{ account.id }}/calls")
    let late = try Self.rehearse(Self.outgoingBody, ["account": .found(["id": 7, "stage": "late"])])
    #expect(late.deliveries.filter { !$0.isSkipped }.map(\.name) == ["crm.log_call", "crm.escalate"])
    let none = try Self.rehearse(Self.outgoingBody, ["account": .none])
    #expect(none.deliveries.compactMap(\.fault?.code) == ["lookup_none", "lookup_none", "lookup_none"])
  }
}
