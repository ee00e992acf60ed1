// Tests of a file on their clock: what falls due later, what is held, what expires, what memory withholds, and what is said of it.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct TimedTestTests {
  private static let head = """
    version: 1
    timezone: Asia/Kolkata
    calendars: { holidays: [2026-01-16] }
    targets:
      crm:
        url: https://crm.example.com
        actions: { log: { post: /calls, body: { agent: "{{ agent? }}" } }, risk: { post: /risk, body: { now: "{{ now }}" } } }
      whatsapp: { type: doubletick, key: "{{ secrets.k }}" }
      lead: { type: slack, hook: "{{ secrets.hook }}" }
    lookups: { account: { get: "crm:/accounts?phone={{ customer.phone }}", fields: { id: data.0.id, stage: data.0.stage } } }
    routes:
      declined:
        when: { event: CALL_REJECTED, direction: INCOMING }
        send:
          - whatsapp.text: "Sorry, within the hour."
            expires: 15m
            otherwise: [whatsapp.text: "Sorry, soon."]
        expect:
          when: { event: [CALL_OUTGOING_INITIATED, CALL_ACCEPTED] }
          within: 1h
          else: [lead.alert: "no call back to {{ customer.phone | mask }}"]
      borrower:
        when: { event: CALL_REJECTED, direction: OUTGOING }
        also:
          follow-up:
            send:
              - whatsapp.template: { name: emi_followup }
                after: 10m
                hours: { between: "08:00-19:00", except: holidays }
                unless: { event: CALL_ACCEPTED }
          repeated:
            when: { count: { at_least: 2, within: 7d } }
            once: 7d
            send: [crm.risk]
          late:
            when: { account.stage: late }
            once: 1d
            send: [crm.log]
      missed:
        when: { event: CALL_MISSED }
        send: [{ lead.alert: "missed", throttle: { at_most: 1, within: 1h } }]
      ended:
        when: { event: CALL_ENDED, suppressed: false }
        send: [crm.log]

    """

  private static func run(_ tests: String) throws -> TestReport {
    let loaded = ConfigLoader.load(text: head + "tests:\n" + tests, file: "routes.yaml")
    let table = try #require(loaded.table, "\(loaded.diagnostics)")
    return ConfigTests.run(loaded.tests, table: table)
  }

  /// The one test's differences, as sentences.
  private static func differences(_ test: String) throws -> [String] {
    let lines = test.split(separator: "\n").map { "    \($0)\n" }.joined()
    return try run("  one:\n" + lines).results.flatMap { $0.differences.map(\.sentence) }
  }

  private static let declined = "event: CALL_REJECTED, direction: INCOMING"
  private static let borrower = "event: CALL_REJECTED, direction: OUTGOING"

  @Test("what follows later is told stage by stage, and not at once")
  func stages() throws {
    #expect(try Self.differences("given: { \(Self.declined) }\nsends: [whatsapp.text]\nafter 61m: [lead.alert]") == [])
    #expect(
      try Self.differences("given: { \(Self.declined) }\nsends: [whatsapp.text, lead.alert]") == [
        "lead.alert was expected and not sent: route declined sends it later: 1h after the last event"
      ])
    #expect(
      try Self.differences("given: { \(Self.declined) }\nsends: [whatsapp.text]\nafter 59m: [lead.alert]\nafter 2h: []")
        == [
          "lead.alert was expected and not sent: it went out at another time: 1h after the last event",
          "lead.alert was sent and not expected (route declined, event 1): 1h after the last event",
        ])
  }

  @Test("a call back keeps the promise, also one that is reported late, and a late call does not")
  func promises() throws {
    func test(_ later: String) throws -> [String] {
      try Self.differences(
        "given: [{ \(Self.declined) }, { \(later) }]\nsends: [whatsapp.text]\nafter 2h: []")
    }
    #expect(try test("event: CALL_OUTGOING_INITIATED, at: 20m") == [])
    #expect(try test("event: CALL_ACCEPTED, at: 1h") == [])
    #expect(try test("event: CALL_ACCEPTED, at: 20m, customer: { phone: '+919812345678' }").count == 1)
    // The alert went out before the news came.
    #expect(
      try test("event: CALL_ACCEPTED, at: 20m, received: 3h") == [
        "lead.alert was sent and not expected (route declined, event 1)"
      ])
    let kept = try Self.run(
      "  one:\n    given: [{ \(Self.declined) }, { event: CALL_ACCEPTED, at: 5m }]\n    sends: []\n    after 2h: []\n")
    #expect(kept.results[0].withheld.map(\.reason.code) == ["promise_kept"])
  }

  @Test("what expires while its target is down is replaced by what stands under otherwise")
  func expiry() throws {
    let test = "given: { \(Self.declined) }\ndown: { whatsapp: 20m }\nsends: []\n"
    #expect(
      try Self.differences(
        test
          + "after 14m: []\nafter 21m: [whatsapp.text]\nbody: { whatsapp.text: { content: { text: 'Sorry, soon.' } } }")
        == [])
    let short = "given: { \(Self.declined) }\ndown: { whatsapp: 10m }\nsends: []\nafter 11m: [whatsapp.text]\n"
    #expect(
      try Self.differences(short + "body: { whatsapp.text: { content: { text: 'Sorry, within the hour.' } } }") == [])
    // It happened half an hour before it came.
    #expect(
      try Self.differences(
        "given: { \(Self.declined), received: 30m }\nsends: [whatsapp.text]\nbody: { whatsapp.text: { content: { text: 'Sorry, soon.' } } }"
      ) == [])
  }

  @Test("a message waits for its hours, over the night and over a holiday, and not where the customer calls before")
  func hours() throws {
    let mocks = "lookups: { account: { id: 1, stage: mid } }\n"
    #expect(
      try Self.differences(mocks + "given: { \(Self.borrower) }\nsends: []\nafter 10m: [whatsapp.template]") == [])
    // From the evening of the 15th over the holiday on the 16th to eight o'clock on the 17th.
    #expect(
      try Self.differences(
        mocks + "given: { \(Self.borrower), at: '18:55' }\nsends: []\nafter 37h: []\nafter 37h 5m: [whatsapp.template]")
        == [])
    let called =
      mocks
      + "given: [{ \(Self.borrower) }, { event: CALL_ACCEPTED, at: 5m }]\nsends: [whatsapp.template]\nafter 2h: []"
    let told = try Self.differences(called)
    #expect(told.count == 1)
    #expect(
      told.first?.hasPrefix(
        "whatsapp.template was expected and not sent: route borrower/follow-up sends it, but it was withheld: ")
        == true,
      "\(told)")
  }

  @Test("calls of an 'at' list are counted where they belong, late ones too, and once acts once")
  func counts() throws {
    func test(_ at: String, _ stage: String = "mid") throws -> [String] {
      try Self.run(
        "  one:\n    given: { \(Self.borrower), at: \(at) }\n    lookups: { account: { id: 1, stage: \(stage) } }\n    sends: []\n"
      ).results[0].deliveries.map { "\($0.name) \($0.event)" }.filter { !$0.hasPrefix("whatsapp") }
    }
    #expect(try test("[0d]") == [])
    #expect(try test("[0d, 6d, 6d 1h]") == ["crm.risk 2"])
    #expect(try test("[0d, 7d]") == [])
    #expect(try test("[0d, 14d, 8d]") == ["crm.risk 3"])
    #expect(try test("[0d, 6d, 14d, 15d]") == ["crm.risk 2", "crm.risk 4"])
    #expect(try test("[0d, 1h, 25h]", "late") == ["crm.log 1", "crm.risk 2", "crm.log 3"])
  }

  @Test("a throttle lets one through in its time")
  func throttle() throws {
    let report = try Self.run(
      "  one:\n    given: { event: CALL_MISSED, at: [0m, 20m, 61m] }\n    sends: [lead.alert, lead.alert]\n")
    #expect(report.passed, "\(report.text)")
    #expect(report.results[0].withheld.map { "\($0.event) \($0.reason.code)" } == ["2 capped"])
  }

  @Test("what is withheld by the suppression list is not sent, and said")
  func suppressed() throws {
    let report = try Self.run(
      "  one:\n    given: { \(Self.declined) }\n    suppressed: all\n    sends: [whatsapp.text]\n"
        + "  answers:\n    given: { \(Self.declined) }\n    suppressed: outreach\n    sends: [whatsapp.text]\n"
        + "  asked:\n    given: { event: CALL_ENDED }\n    suppressed: outreach\n    sends: []\n")
    #expect(report.results.map(\.passed) == [false, true, true])
    let other = try Self.run(
      "  one:\n    given: { \(Self.declined) }\n    suppressed: all\n    sends: []\n    after 61m: []\n")
    #expect(
      other.text.contains("· whatsapp.text  (declined) not sent: the customer is on the suppression list"),
      "\(other.text)")
    let text = report.results[0].text
    #expect(text.contains("it was withheld: the customer is on the suppression list"), "\(text)")
    let members = report.results[0].json["withheld"]
    #expect(members?.array?.first?["reason"]?["code"] == "suppressed")
  }

  @Test("an else and an otherwise that no test lets go out are named by the coverage")
  func coverage() throws {
    let one = try Self.run("  one:\n    given: { \(Self.declined) }\n    sends: [whatsapp.text]\n").coverage
    let missed = one.missed.filter { $0.kind == .branch }.map(\.name)
    #expect(missed.filter { $0.hasPrefix("declined") } == ["declined: 0.otherwise", "declined: expect.else"])
    let both = try Self.run(
      "  one:\n    given: { \(Self.declined), received: 20m }\n    sends: [whatsapp.text]\n    after 1h: [lead.alert]\n"
    )
    #expect(both.passed, "\(both.text)")
    #expect(both.coverage.missed.filter { $0.name.hasPrefix("declined") }.isEmpty)
  }

  @Test("why a route did not act is told: its once, its count")
  func reasons() throws {
    let mocks = "lookups: { account: { id: 1, stage: mid } }\n"
    let once = try Self.differences(
      mocks
        + "given: { \(Self.borrower), at: [0d, 1d, 2d] }\nsends: [crm.risk, crm.risk, whatsapp.template, whatsapp.template]"
    )
    #expect(once.first == "crm.risk was expected and not sent: it went out 1 time", "\(once)")
    let count = try Self.differences(mocks + "given: { \(Self.borrower) }\nsends: [crm.risk]")
    #expect(
      count == [
        "crm.risk was expected and not sent: route borrower/repeated sends it, but it did not match: "
          + "count at least 2 within 7d per customer.phone (it is 1)"
      ])
  }

  @Test("targets that are not there, times that cannot be: each is reported at its place")
  func faults() {
    let loaded = ConfigLoader.load(
      text: Self.head + """
        tests:
          one:
            given: [{ event: CALL_ENDED, at: 1h, received: 30m }, { event: CALL_ENDED, at: [1h, 2h], received: 3h }]
            down: { whatsap: 20m }
            sends: []

        """, file: "routes.yaml")
    #expect(loaded.diagnostics.map(\.code) == ["contradictory", "contradictory", "unknown_target"])
  }
}
