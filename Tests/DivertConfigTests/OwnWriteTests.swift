// Events that report Divert's own writes: recognised, marked, and without a way to lead to themselves.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct OwnWriteTests {
  private static func table(_ routes: String) throws -> RouteTable {
    try Given.table(
      """
      targets:
        dt: { type: doubletick, key: "{{ secrets.dt }}" }
        lead: { type: slack, hook: "{{ secrets.hook }}" }
      routes:
      \(routes)
      """)
  }

  private static let now = Timestamp(milliseconds: 1_768_473_025_000)

  private static func event(_ body: String, label: String? = nil, at time: Timestamp = now) throws -> Event {
    let source = SourceDefinition(name: "doubletick", type: "doubletick")
    guard
      case .event(let event, _) = Reception.of(
        Array(body.utf8), label: label, source: source, country: "IN", receivedAt: time)
    else { throw Given.Missing() }
    return event
  }

  private static func tagAdded(_ tag: String, _ phone: String = "+919876543210", at time: Timestamp = now) throws
    -> Event
  {
    try event(
      #"{"tagId":"t","tagName":"\#(tag)","from":"\#(phone)","dtCustomerId":"c","channelType":"WHATSAPP","tagAdded":true}"#,
      at: time)
  }

  /// What a send writes, as its vendor will report it.
  private static func echoes(_ table: RouteTable, _ event: Event) throws -> [ExpectedEcho] {
    try table.plan(event).deliveries.flatMap { plan in
      let recipe = try #require(table.recipe(for: plan, newest: table))
      return RequestRenderer.echoes(RenderJob(event: event, plan: plan, recipe: recipe, attemptAt: now))
    }
  }

  private static let rejected =
    #"{"event":"CALL_REJECTED","callId":"c1","callDirection":"INCOMING","customerNumber":"919876543210","wabaNumber":"919000000000"}"#

  @Test("a tag that Divert put on a customer comes back as its own, for ten minutes and for that customer alone")
  func tags() throws {
    let table = try Self.table("  all: { when: { event: CALL_REJECTED }, send: [dt.tag: call-rejected] }")
    let writes = OwnWrites()
    #expect(try !writes.isOwn(Self.tagAdded("call-rejected")))
    writes.expect(try Self.echoes(table, Self.event(Self.rejected)), now: Self.now)
    #expect(try writes.isOwn(Self.tagAdded("call-rejected")))
    #expect(try writes.isOwn(Self.tagAdded("Call Rejected", "919876543210")))
    #expect(try !writes.isOwn(Self.tagAdded("vip")))
    #expect(try !writes.isOwn(Self.tagAdded("call-rejected", "+919876543211")))
    #expect(try writes.isOwn(Self.tagAdded("call-rejected", at: Self.now + .minutes(10))))
    #expect(try !writes.isOwn(Self.tagAdded("call-rejected", at: Self.now + .minutes(10) + .milliseconds(1))))
  }

  @Test("so do a custom field by its value, an assignment by the team member, a message by its id")
  func others() throws {
    let table = try Self.table(
      """
        all:
          when: { event: CALL_REJECTED }
          send:
            - dt.set_field: { field: last_reject_at, value: "{{ at }}" }
            - dt.assign: "+91 98111 11111"
            - dt.text: Sorry
            - dt.template_named: apology
      """)
    let writes = OwnWrites()
    let rejected = try Self.event(Self.rejected)
    let echoes = try Self.echoes(table, rejected)
    writes.expect(echoes, now: Self.now)
    #expect(
      echoes.map(\.event) == [
        "UPDATE_CUSTOMER_CUSTOM_FIELD", "CHAT_ASSIGNED_TO_AGENT", "MESSAGE_STATUS_UPDATE", "MESSAGE_STATUS_UPDATE",
      ])
    func field(_ value: String) throws -> Event {
      try Self.event(
        #"{"customerPhone":"+919876543210","customFieldId":"f","value":\#(value),"customFieldEventType":"ATTRIBUTE_SET"}"#
      )
    }
    #expect(try writes.isOwn(field("\"\(rejected.fields.at.iso8601)\"")))
    #expect(try !writes.isOwn(field("\"other\"")))
    #expect(try !writes.isOwn(field("null")))
    let assigned =
      #"{"chatId":"x","assignedUserId":"u","assignedUserPhone":"+919811111111","customerPhone":"+919876543210"}"#
    #expect(try writes.isOwn(Self.event(assigned)))
    func status(_ id: String, _ more: String = "") throws -> Event {
      try Self.event(
        #"{"messageId":"\#(id)","to":"919876543210","status":"READ","statusTimestamp":"2026-01-15T10:31:00.000Z"\#(more)}"#,
        at: Self.now + .hours(23))
    }
    let plans = table.plan(rejected).deliveries
    let key = IdempotencyKey.derive(event: rejected.id, plan: plans[2])
    var context = RenderContext(event: nil, now: Self.now, idempotencyKey: key)
    context.arguments = JSONObject()
    let scope = TemplateScope.target(arguments: .any, tables: [])
    let uuid = try #require(try context.text(try Template.parse("{{ idempotency_key | uuid }}", in: scope).get()))
    #expect(try writes.isOwn(status(uuid)))
    #expect(try !writes.isOwn(status("another")))
    let other = IdempotencyKey.derive(event: rejected.id, plan: plans[3])
    #expect(try writes.isOwn(status("dt1", #","divertKey":"\#(other)""#)))
  }

  @Test("for an own event the sends that would come back are left out, unless their route names 'own'")
  func leftOut() throws {
    let routes = """
        added:
          when: { event: ADD_TAG }
          send: [dt.tag: seen, lead.alert: "{{ raw.tagName }}"]
          also:
            chain: { when: { own: true, raw.tagName: late }, send: [dt.tag: checked] }
        people: { when: { event: ADD_TAG, own: false }, send: [dt.set_field: { field: a, value: b }] }
      """
    let table = try Self.table(routes)
    func sent(_ event: Event) -> [String] { table.plan(event).deliveries.map { "\($0.route) \($0.action)" } }
    #expect(sent(try Self.tagAdded("late")) == ["added tag", "added alert", "people set_field"])
    #expect(sent(try Self.tagAdded("late").ownWrite) == ["added alert", "added/chain tag"])
    // The mark is kept with the event.
    let fields = try Self.tagAdded("late").ownWrite.fields
    #expect(Event.Fields(decoding: fields.encoded())?.own == true)
  }

  @Test("a loop ends with the first event that reports its own write, whether it comes before or after the answer")
  func loop() throws {
    let table = try Self.table(
      "  all: { when: { event: [UPDATE_CUSTOMER_CUSTOM_FIELD, CALL_REJECTED] }, send: [dt.set_field: { field: seen_at, value: \"{{ at }}\" }] }"
    )
    let writes = OwnWrites()
    var event = try Self.event(Self.rejected)
    var rounds = 0
    while !table.plan(event).deliveries.isEmpty, rounds < 10 {
      // The write leaves after it was noted, and its report may come at once.
      writes.expect(try Self.echoes(table, event), now: Self.now)
      let value = event.fields.at.iso8601
      event = try Self.event(
        #"{"customerPhone":"+919876543210","customFieldId":"f","value":"\#(value)","customFieldEventType":"ATTRIBUTE_SET"}"#
      )
      if writes.isOwn(event) { event = event.ownWrite }
      rounds += 1
    }
    #expect(rounds == 1)
  }

  @Test("a test of the file can be given an own event")
  func given() throws {
    let loaded = ConfigLoader.load(
      text: """
        version: 1
        targets:
          dt: { type: doubletick, key: "{{ secrets.dt }}" }
        routes:
          added: { when: { event: ADD_TAG, raw.tagName: late }, send: [dt.tag: checked] }
        tests:
          by a person:
            given: { event: ADD_TAG, customer: { phone: "+919876543210" }, raw: { tagName: late, from: "+919876543210" } }
            sends: [dt.tag]
          by Divert:
            given: { event: ADD_TAG, own: true, customer: { phone: "+919876543210" }, raw: { tagName: late, from: "+919876543210" } }
            sends: []
        """, file: "routes.yaml")
    let report = ConfigTests.run(loaded.tests, table: try #require(loaded.table, "\(loaded.diagnostics)"))
    #expect(report.passed, "\(report.text)")
  }

  @Test("the memory is bounded: what would be forgotten first goes")
  func bound() throws {
    let writes = OwnWrites()
    func echo(_ n: Int) -> ExpectedEcho {
      ExpectedEcho(event: "ADD_TAG", customer: "91\(9_000_000_000 + n)", fields: [], holds: .minutes(10))
    }
    for n in 0..<120 { writes.expect((0..<1000).map { echo(n * 1000 + $0) }, now: Self.now + .milliseconds(Int64(n))) }
    func isKnown(_ n: Int) throws -> Bool {
      writes.isOwn(try Self.tagAdded("x", "+91\(9_000_000_000 + n)", at: Self.now + .seconds(1)))
    }
    #expect(try isKnown(119_999))
    #expect(try !isKnown(0))
  }
}
