// Tests of a file: what is given becomes the event that would come, and each way of not being as expected is told.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct ConfigTestTests {
  private static let head = """
    version: 1
    timezone: Asia/Kolkata
    targets:
      crm:
        url: https://crm.example.com
        actions:
          log:
            post: /calls
            body: { call: "{{ call.id }}", agent: "{{ agent? }}", phone: "{{ customer.phone }}", at: "{{ at }}",
              seconds: "{{ call.duration }}", tags: "{{ raw.tags? }}", lead: "{{ raw.lead? }}" }
          task: { post: /tasks, form: { queue: late calls, agent: "{{ agent }}" } }
      chat:
        url: https://chat.example.com
        actions: { say: { post: /, body: { content: { text: "{{ arguments.text }}" } } } }
    routes:
      rejected:
        when: { event: CALL_REJECTED, direction: INCOMING }
        send: [crm.log]
        also:
          late:
            when: { local.time: { between: "20:00-08:00" } }
            send: [crm.task, chat.say: "{{ customer.name }} called"]
      other:
        when:
          any:
            - event: [MESSAGE_RECEIVED, ADD_TAG]
            - { event: CALL_ENDED, call.duration: { at_least: 30 } }
        send: [crm.log]
      off: { enabled: false, when: { event: [A, B] }, send: [crm.task] }

    """

  private static func load(_ tests: String) -> LoadResult {
    ConfigLoader.load(text: head + "tests:\n" + tests, file: "routes.yaml")
  }

  private static func run(_ tests: String, only: [String] = []) throws -> TestReport {
    let loaded = load(tests)
    let table = try #require(loaded.table, "\(loaded.diagnostics)")
    return ConfigTests.run(loaded.tests, table: table, only: only)
  }

  /// The one test's differences, as sentences.
  private static func differences(_ test: String) throws -> [String] {
    try run("  one:\n" + test).results.flatMap { $0.differences.map(\.sentence) }
  }

  /// The events that a test is given.
  private static func events(_ given: String) throws -> [Event] {
    let loaded = load("  one:\n    given: \(given)\n    sends: []\n")
    return try #require(loaded.tests.tests.first, "\(loaded.diagnostics)").events.map(\.event)
  }

  private static let declined = "event: CALL_REJECTED, direction: INCOMING"

  // MARK: What is given

  @Test("what is not given comes from the sample of that event and direction, at noon of the file's clock")
  func sample() throws {
    let event = try #require(try Self.events("{ \(Self.declined) }").first)
    #expect(event.fields.name == "CALL_REJECTED")
    #expect(event.fields.direction == "INCOMING")
    #expect(event.fields.status == "REJECT")
    #expect(event.fields.agent == "James Smith")
    #expect(event.fields.customerPhone == "+919876543210")
    #expect(event.fields.at.iso8601 == "2026-01-15T06:30:00.000Z")
    #expect(event.receivedAt == event.fields.at)
    let outgoing = try #require(try Self.events("{ event: CALL_REJECTED, direction: OUTGOING }").first)
    #expect(outgoing.raw["rejectedBy"] == "")
    #expect(outgoing.fields.agent == "James Smith")
  }

  @Test("every field that is given is what the routes see, and an empty text makes it missing")
  func fields() throws {
    let event = try #require(
      try Self.events(
        """
        { \(Self.declined), status: LOST, agent: Asha Rao, waba: "+919111111111",
              customer: { phone: "098765 43211", name: Meera, id: c1 },
              call: { id: call_9, started_at: "2026-01-15T16:00:00+05:30", ended_at: "2026-01-15T16:02:25+05:30",
                duration: 145, failed_reason: busy },
              chat: { id: chat_9, message_id: msg_9 }, device: { id: device_9 }, raw: { tags: [vip], lead: { id: 7 } } }
        """
      ).first)
    let fields = event.fields
    #expect([fields.status, fields.agent, fields.waba] == ["LOST", "Asha Rao", "+919111111111"])
    #expect([fields.customerPhone, fields.customerName, fields.customerID] == ["+919876543211", "Meera", "c1"])
    #expect([fields.callID, fields.callDuration, fields.callFailedReason] == ["call_9", "145", "busy"])
    #expect([fields.chatID, fields.chatMessageID, fields.deviceID] == ["chat_9", "msg_9", "device_9"])
    #expect(fields.callStartedAt?.iso8601 == "2026-01-15T10:30:00.000Z")
    #expect(fields.at.iso8601 == "2026-01-15T10:32:25.000Z")
    #expect(event.raw["tags"] == ["vip"])
    #expect(event.raw["customerNumber"] == "919876543211")
    let bare = try #require(
      try Self.events(
        """
        { \(Self.declined), agent: "", customer: { name: "", id: "" }, chat: { id: "" }, device: { id: "" } }
        """
      ).first)
    #expect(bare.fields.agent == nil && bare.fields.customerName == nil && bare.fields.customerID == nil)
    #expect(bare.fields.chatID == nil && bare.fields.deviceID == nil)
  }

  @Test(
    "the agent that is given is the event's agent, whatever the event calls it",
    arguments: SampleEvent.allCases)
  func agents(sample: SampleEvent) throws {
    let given = "event: \(sample.eventName), direction: \(sample.direction)"
    let named = try #require(try Self.events("{ \(given), agent: Asha Rao }").first)
    #expect(named.fields.agent == "Asha Rao")
    #expect(named.fields.direction == sample.direction)
    let none = try #require(try Self.events(#"{ \#(given), agent: "" }"#).first)
    #expect(none.fields.agent == nil)
  }

  @Test("an event without a sample is made of what is given and of 'raw'")
  func withoutSample() throws {
    let event = try #require(
      try Self.events(#"{ event: ADD_TAG, raw: { from: "+919876543210", tagAdded: true } }"#).first)
    #expect(event.fields.name == "ADD_TAG")
    #expect(event.fields.customerPhone == "+919876543210")
    #expect(event.fields.callID == nil)
  }

  @Test("moments are absolute, of the first day, or counted from its noon; each is a call of its own")
  func moments() throws {
    let events = try Self.events(#"{ \#(Self.declined), at: ["23:30", 1d, 6d 1h, "2026-02-01T10:00:00Z", "08:00"] }"#)
    #expect(
      events.map(\.fields.at.iso8601) == [
        "2026-01-15T18:00:00.000Z", "2026-01-16T06:30:00.000Z", "2026-01-21T07:30:00.000Z", "2026-02-01T10:00:00.000Z",
        "2026-01-15T02:30:00.000Z",
      ])
    // The clock never goes back: the last one comes late.
    #expect(events.last?.receivedAt.iso8601 == "2026-02-01T10:00:00.000Z")
    #expect(Set(events.map(\.fields.callID)).count == 5)
    #expect(Set(events.map(\.id)).count == 5)
  }

  @Test("a list of events comes in its order; the same event of the same call counts once, and the report says so")
  func duplicates() throws {
    let given =
      "    given:\n      - { \(Self.declined), call: { id: c1 } }\n"
      + "      - { \(Self.declined), call: { id: c1 }, at: 1h }\n"
    let passed = try Self.run("  one:\n" + given + "    sends: [crm.log]\n")
    #expect(passed.passed)
    let failed = try Self.run("  one:\n" + given + "    sends: [crm.log, crm.log]\n")
    #expect(failed.results[0].notes == ["event 2 is a duplicate of event 1 and was dropped"])
    #expect(failed.text.contains("note: event 2 is a duplicate"))
    let twice =
      "    given:\n      - { event: CALL_ENDED, call: { id: c1, duration: 40 } }\n"
      + "      - { \(Self.declined), call: { id: c1 } }\n"
    #expect(try Self.differences(twice + "    sends: [crm.log, crm.log]\n") == [])
  }

  // MARK: What is expected

  @Test("deliveries are compared whatever their order, each as often as it is expected")
  func order() throws {
    let given = "    given: { \(Self.declined), at: \"22:00\" }\n"
    #expect(try Self.differences(given + "    sends: [chat.say, crm.task, crm.log]\n") == [])
    #expect(
      try Self.differences(given + "    sends: [crm.log, crm.log, crm.task]\n") == [
        "crm.log was expected and not sent: it went out 1 time",
        "chat.say was sent and not expected (route rejected/late, event 1)",
      ])
  }

  @Test("what was not sent is told with the route that would send it, what stood against it, and what is nearest")
  func why() throws {
    let day = "    given: { \(Self.declined), at: \"10:00\" }\n"
    #expect(
      try Self.differences(day + "    sends: [crm.log, chat.say]\n") == [
        "chat.say was expected and not sent: route rejected/late sends it, "
          + "but it did not match: local.time is between 20:00 and 08:00 (it is 10:00)"
      ])
    let outgoing = "    given: { event: CALL_REJECTED, direction: OUTGOING }\n"
    #expect(
      try Self.differences(outgoing + "    sends: [chat.say]\n") == [
        "chat.say was expected and not sent: route rejected/late sends it, "
          + "but route rejected above it did not match: direction is INCOMING (it is OUTGOING)"
      ])
    let off = "    given: { event: B }\n"
    #expect(
      try Self.differences(off + "    sends: [crm.task]\n") == [
        "crm.task was expected and not sent: route off sends it, but it is switched off (routes.yaml:29)"
      ])
    let instead = "    given: { \(Self.declined), at: \"10:00\" }\n"
    #expect(
      try Self.differences(instead + "    sends: [crm.task]\n").first?.hasSuffix(
        "; crm.log went out in its place (route rejected)") == true)
  }

  @Test(
    "a body must have what is named, by value and type; the rest is free",
    arguments: [
      ("crm.log: { agent: James Smith }", []),
      ("crm.log: { seconds: 0 }", []),
      ("crm.log: { seconds: 0.0 }", []),
      (#"crm.log: { seconds: "0" }"#, [#"seconds "0" 0"#]),
      ("crm.log: { agent: James, phone: +919876543210 }", [#"agent "James" "James Smith""#]),
      ("crm.log: { nothing: null }", []),
      ("crm.log: { nothing: 1 }", ["nothing 1 -"]),
      ("crm.log: { agent: null }", [#"agent - "James Smith""#]),
      ("crm.log: { tags: [vip, emi] }", []),
      ("crm.log: { tags: [vip] }", [#"tags ["vip"] ["vip","emi"]"#]),
      ("crm.log: { tags: [vip, late] }", [#"tags.1 "late" "emi""#]),
      ("crm.log: { tags.0: vip, lead: { id: 7 } }", []),
      ("crm.log: { lead.id: 8 }", ["lead.id 8 7"]),
      ("crm.log: { lead: 7 }", [#"lead 7 {"id":7,"name":"x"}"#]),
      ("crm.task: { queue: late calls, agent: James Smith }", []),
      ("crm.task: { queue: early calls }", [#"queue "early calls" "late calls""#]),
      (#"chat.say: { content: { text: "Rohan Mehta called" } }"#, []),
      (#"chat.say: { content.text: "Meera called" }"#, [#"content.text "Meera called" "Rohan Mehta called""#]),
      ("chat.say: x", [#" "x" {"content":{"text":"Rohan Mehta called"}}"#]),
    ])
  func bodies(body: String, expected: [String]) throws {
    let report = try Self.run(
      """
        one:
          given: { \(Self.declined), at: "22:00", raw: { tags: [vip, emi], lead: { id: 7, name: x } } }
          sends: [crm.log, crm.task, chat.say]
          body: { \(body) }
      """)
    let differences = report.results.flatMap(\.differences)
    #expect(differences.allSatisfy { $0.kind == .body })
    #expect(
      differences.map { "\($0.path ?? "?") \($0.expected?.text ?? "-") \($0.actual?.text ?? "-")" } == expected)
  }

  @Test("one body is meant for every delivery of its action, a list has one for each")
  func bodyLists() throws {
    let given = "    given: { \(Self.declined), at: [0d, 1h] }\n    sends: [crm.log, crm.log]\n"
    #expect(try Self.differences(given + "    body: { crm.log: { agent: James Smith } }\n") == [])
    let both = "    body: { crm.log: [{ call: call_test_1 }, { call: call_test_3 }] }\n"
    #expect(
      try Self.differences(given + both) == [
        #"the body of crm.log (route rejected, event 2) at call was expected to be "call_test_3", but is "call_test_2""#
      ])
  }

  @Test("a delivery whose request cannot be made fails the test")
  func faults() throws {
    let given = "    given: { \(Self.declined), agent: \"\", customer: { name: \"\" }, at: \"22:00\" }\n"
    let found = try Self.differences(given + "    sends: [crm.log, crm.task, chat.say]\n")
    #expect(found.count == 2)
    #expect(found[0].hasPrefix("crm.task could not be sent (route rejected/late, event 1): `agent` is missing"))
    #expect(found[1].hasPrefix("chat.say could not be sent (route rejected/late, event 1): `customer.name` is missing"))
  }

  // MARK: The report

  @Test("coverage names what is not reached: routes, alternatives and actions, with their lines; not what is off")
  func coverage() throws {
    let tests = """
        day: { given: { \(Self.declined), at: "10:00" }, sends: [crm.log] }
        tag: { given: { event: ADD_TAG }, sends: [] }
      """
    let loaded = Self.load(tests)
    #expect(!loaded.hasErrors)
    let report = try Self.run(tests)
    #expect(
      report.coverage.missed.map { "\($0.place.line) \($0.kind) \($0.name)" } == [
        "11 action crm.task", "14 action chat.say", "20 route rejected/late",
        "26 branch other: event is MESSAGE_RECEIVED",
        "27 branch other: event is CALL_ENDED and call.duration is at least 30",
      ])
    #expect(report.coverage.points.count == 10)
    #expect(report.coverage.percent == 50)
    #expect(
      report.coverage.text.hasPrefix("coverage: 50.0% (5 of 10 routes, branches and actions)\nno test reaches:\n"))
    let all = try Self.run(
      tests + """

          night: { given: { \(Self.declined), at: "22:00" }, sends: [crm.log, crm.task, chat.say] }
          long: { given: { event: CALL_ENDED, call: { duration: 30 } }, sends: [crm.log] }
          message: { given: { event: MESSAGE_RECEIVED }, sends: [crm.log] }
        """)
    #expect(all.coverage.percent == 100)
    #expect(all.coverage.missed.isEmpty)
  }

  @Test("only the tests that are asked for are run")
  func only() throws {
    let tests =
      "  a day: { given: { \(Self.declined) }, sends: [crm.log] }\n"
      + "  a night: { given: { \(Self.declined) }, sends: [] }\n"
    #expect(try Self.run(tests, only: ["day"]).results.map(\.name) == ["a day"])
    #expect(try Self.run(tests, only: ["day", "a n"]).summary == "1 of 2 tests failed: 'a night'")
    #expect(try Self.run(tests, only: ["week"]).results.isEmpty)
  }

  @Test("a file without tests has a report without results, and everything is unreached")
  func none() throws {
    let loaded = ConfigLoader.load(text: Self.head, file: "routes.yaml")
    let report = ConfigTests.run(loaded.tests, table: try #require(loaded.table))
    #expect(report.passed && report.results.isEmpty && report.summary == "no tests")
    #expect(report.coverage.percent == 0)
  }

  @Test("the same file gives the same report, also as JSON and as annotations that fit in a line each")
  func formats() throws {
    let tests = "  50%, or:so: { given: { \(Self.declined) }, sends: [] }\n"
    let report = try Self.run(tests)
    #expect(report.json == (try Self.run(tests)).json)
    #expect(report.json["tests"]?.array?.first?["line"] == .number(31))
    #expect(report.json["passed"] == false)
    let line = try #require(report.annotations.first)
    #expect(line.hasPrefix("::error file=routes.yaml,line=31,title=divert test%3A 50%25%2C or%3Aso::crm.log was sent"))
    #expect(!line.contains("\n"))
  }
}
