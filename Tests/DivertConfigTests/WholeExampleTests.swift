// The guide's collections team, the whole example of the language: what comes later is reported as coming and nothing
// else is, and without those parts it loads, passes its tests and plans what it says for both shapes of CALL_REJECTED.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct WholeExampleTests {
  private static func text() throws -> String { try Files.text("Tests/DivertConfigTests/Fixtures/whole.yaml") }

  @Test("the parts that come later are reported as coming, each at its place, and nothing else is")
  func later() throws {
    let result = ConfigLoader.load(text: try Self.text(), file: "whole.yaml")
    #expect(result.table == nil)
    #expect(Set(result.diagnostics.map(\.code)) == ["not_supported"])
    let places = result.diagnostics.map { "\($0.line):\($0.column) \(Self.meant($0))" }
    #expect(
      places == [
        "55:13 expires", "56:13 otherwise", "62:5 expect", "77:13 after", "78:13 hours", "80:17 count", "81:9 once",
        "92:5 after 61m",
      ])
  }

  /// The text above the carets.
  private static func meant(_ diagnostic: Diagnostic) -> String {
    String(diagnostic.sourceLine.dropFirst(diagnostic.column - 1).prefix(diagnostic.length))
  }

  /// What has to go for today: each occurs once. Routes that stand on a lookup or a count go whole.
  private static let changes: [(from: String, to: String)] = [
    (
      """
                  expires: 15m
                  otherwise:
                    - whatsapp.text: "We missed your call and we apologise. An officer will contact you as soon as possible."

      """, ""
    ),
    (
      """
          expect:
            when: { event: [CALL_OUTGOING_INITIATED, CALL_ACCEPTED] }
            same: customer.phone
            within: 1h
            else:
              - team_lead.alert: "No call back to {{ customer.phone | mask }} within the hour (declined by {{ agent | default: 'an agent' }})"

      """, ""
    ),
    ("            after: 10m\n            hours: \"08:00-19:00\"\n", ""),
    (
      """
            repeated:
              when: { count: { at_least: 2, within: 7d, per: customer.phone } }
              once: 7d
              send: [crm.raise_risk, crm.flag_review]

      """, ""
    ),
    ("    after 61m: [team_lead.alert]\n", ""),
    (
      "crm.log_call, crm.log_call, crm.raise_risk, crm.flag_review, crm.log_call",
      "crm.log_call, crm.log_call, crm.log_call"
    ),
    ("    body: { crm.raise_risk: { risk: high } }\n", ""),
  ]

  /// The example without what comes later.
  private static func today() throws -> LoadResult {
    var text = try text()
    for change in changes {
      let ranges = text.ranges(of: change.from)
      #expect(ranges.count == 1, "\(change.from)")
      if let range = ranges.first { text.replaceSubrange(range, with: change.to) }
    }
    return ConfigLoader.load(text: text, file: "whole.yaml")
  }

  @Test("without them it loads without a complaint and passes its own tests")
  func loads() throws {
    let result = try Self.today()
    #expect(result.diagnostics.filter { $0.severity == .error }.map(\.description) == [])
    let report = ConfigTests.run(result.tests, table: try #require(result.table))
    #expect(report.results.map(\.name) == ["call back missed", "second decline in a week raises the risk once"])
    #expect(report.text.hasSuffix("2 tests passed"), "\(report.text)")
  }

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
        "agent-declined team_lead.alert", "agent-declined/apology-now whatsapp.text",
      ])
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
    #expect(rehearsal.routes[1].children.map(\.fired) == [false, false])
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
