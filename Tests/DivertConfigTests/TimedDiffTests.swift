// Two files with time and memory over one history: both remember its events, one after another, and are compared when all has followed.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct TimedDiffTests {
  private static func table(_ count: Int, within: String = "1h") throws -> RouteTable {
    let text = """
      version: 1
      timezone: Asia/Kolkata
      sources: { doubletick: { type: doubletick, key: "{{ secrets.key }}" } }
      targets:
        crm: { url: https://crm.example.com, actions: { log: { post: /calls, body: { call: "{{ call.id }}" } }, risk: { post: /risk, body: {} } } }
        lead: { type: slack, hook: "{{ secrets.hook }}" }
      routes:
        declined:
          when: { event: CALL_REJECTED, direction: INCOMING }
          send: [{ crm.log: {}, after: 10m, unless: { event: CALL_ACCEPTED } }]
          expect: { when: { event: CALL_ACCEPTED }, within: \(within), else: [lead.alert: "no call back"] }
          also:
            often:
              when: { count: { at_least: \(count), within: 7d } }
              once: 7d
              send: [crm.risk]
      """
    let loaded = ConfigLoader.load(text: text, file: "routes.yaml")
    return try #require(loaded.table, "\(loaded.diagnostics)")
  }

  private static let start = Timestamp(milliseconds: 1_768_473_000_000)

  /// An event that came so long after the start, and happened `late` before that.
  private static func event(
    _ name: SampleEvent, after: Span, late: Span = .zero, phone: String = "919876543210", place: Int
  ) throws -> Event {
    let received = start + after
    var overlay = SampleOverlay(event: name.eventName)
    overlay.fields = [(.customerPhone, .string(phone))]
    let body = overlay.body(sample: name, callID: "call_\(place)", at: received - late)
    let reception = Reception.of(
      body.encoded(), label: nil, source: SourceDefinition(name: "doubletick", type: "doubletick"), country: "IN",
      receivedAt: received, id: Rehearsal.eventID(at: received, place: place))
    guard case .event(let event, _) = reception else { throw Given.Missing() }
    return event
  }

  private static func history(_ names: [(SampleEvent, Span)]) throws -> [Event] {
    try names.enumerated().map { try event($1.0, after: $1.1, place: $0) }
  }

  private static func compared(
    _ before: RouteTable, _ after: RouteTable, _ events: [Event], from start: Timestamp? = nil
  ) -> ConfigComparison {
    var comparison = ConfigComparison(before: before, after: after, limit: 20, from: start)
    for event in events { comparison.add(event) }
    comparison.finish()
    return comparison
  }

  private static func summary(_ comparison: ConfigComparison) -> [String] {
    comparison.summary.map { "\($0.group.kind) \($0.group.route) \($0.group.name) \($0.count)" }
  }

  @Test("counts and once of both files are answered from the history")
  func counts() throws {
    let events = try Self.history([
      (.incomingRejected, .zero), (.incomingRejected, .days(1)), (.incomingRejected, .days(2)),
      (.incomingRejected, .days(9)),
    ])
    let two = Self.compared(try Self.table(2), try Self.table(3), events)
    #expect(
      Self.summary(two) == ["appears declined/often crm.risk 1", "vanishes declined/often crm.risk 1"])
    #expect(two.details.map(\.event) == [events[1].id, events[2].id])
    #expect(two.events == 4)
  }

  @Test("a promise that is kept under one file and broken under the other shows in its else")
  func promises() throws {
    let events = try Self.history([(.incomingRejected, .zero), (.accepted, .minutes(40))])
    let compared = Self.compared(try Self.table(9), try Self.table(9, within: "30m"), events)
    #expect(Self.summary(compared) == ["changes declined lead.alert 1"])
    guard case .changes(let old, let new, let fields) = try #require(compared.details.first).difference else {
      throw Given.Missing()
    }
    #expect(old.withheld?.code == "promise_kept")
    #expect(new.withheld == nil && new.endedAt == Self.start + .minutes(30))
    #expect(fields.map(\.field) == ["due", "request"])
  }

  @Test("events before the stretch that is compared are remembered and not compared")
  func earlier() throws {
    let events = try Self.history([(.incomingRejected, .zero), (.incomingRejected, .days(3))])
    let compared = Self.compared(try Self.table(2), try Self.table(3), events, from: Self.start + .days(1))
    #expect(compared.events == 1)
    #expect(Self.summary(compared) == ["vanishes declined/often crm.risk 1"])
    #expect(ConfigComparison.reach(try Self.table(2), try Self.table(3)) >= .days(7))
  }

  @Test("a file differs from itself in nothing, over histories with late events", arguments: 0..<20)
  func itself(seed: Int) throws {
    var random = Seeded(state: UInt64(seed))
    let names: [SampleEvent] = [.incomingRejected, .incomingRejected, .accepted, .ended]
    var (events, after): ([Event], Span) = ([], .zero)
    for place in 0..<60 {
      after = after + .minutes(Int64.random(in: 0...600, using: &random))
      let late = Span.minutes(Int64.random(in: 0...3, using: &random) * Int64.random(in: 0...900, using: &random))
      let phone = ["919876543210", "919812345678"].randomElement(using: &random) ?? ""
      events.append(
        try Self.event(
          names.randomElement(using: &random) ?? .ended, after: after, late: late, phone: phone, place: place))
    }
    let table = try Self.table(2)
    let compared = Self.compared(table, table, events)
    #expect(compared.isEmpty && compared.events == 60 && compared.staying == compared.deliveriesBefore)
    // One event among the others has what followed it when all of them were taken together.
    var clock = RehearsalClock(table)
    var ended: [RehearsedDelivery] = []
    for event in events {
      ended += clock.run(until: event.receivedAt, including: false)
      _ = clock.receive(event)
    }
    ended += clock.run()
    let place = Int.random(in: 0..<60, using: &random)
    let alone = Rehearsal(events[place], among: events, under: table, RehearsalSetting())
    let together = ended.filter { $0.event == place }
    func words(_ list: [RehearsedDelivery]) -> Set<String> {
      Set(list.map { "\($0.plan.route) \($0.plan.send) \($0.endedAt) \($0.withheld?.code ?? "sent")" })
    }
    #expect(words(alone.deliveries) == words(together))
    #expect(ended.count == compared.deliveriesBefore)
  }
}
