// What events can carry, held against the bodies that Divert itself makes up in the documented form.
import DivertCore
import Testing

@Suite struct EventCaseTests {
  @Test(
    "every sample body is one of the kinds, and carries nothing that its kind never carries",
    arguments: SampleEvent.allCases)
  func samples(sample: SampleEvent) throws {
    let source = SourceDefinition(name: "doubletick", type: "doubletick")
    let body = sample.body(callID: "call_1", phone: "919876543210", at: moment).encoded()
    let result = Normalizer.normalize(body, label: sample.label, source: source, country: "IN", receivedAt: moment)
    guard case .event(let fields, let raw, _) = result else {
      Issue.record("refused: \(result)")
      return
    }
    let event = Event(
      id: EventID(sequence: 0, tag: 0), source: source.name, receivedAt: moment, fields: fields, body: body, raw: raw)
    func text(_ field: EventField) -> EventCase.Value { event.value(field).map { .text($0.text) } ?? .missing }
    let kinds = EventCase.all.filter { kind in
      kind.isDocumented && [.event, .direction, .status].allSatisfy { kind.value(of: $0) == text($0) }
    }
    #expect(kinds.count == 1, "\(kinds)")
    for field in kinds.flatMap(\.absent) { #expect(event.value(field) == nil, "\(field.rawValue)") }
    // What the sample lacks is either said to be absent, or may be there in another event of the kind.
    if sample == .incomingRejected { #expect(kinds.first?.absent == [.callStartedAt, .callFailedReason]) }
  }

  @Test("every event that happens once a call has its kinds, and they fit the machine's word")
  func kinds() {
    for name in [
      "CALL_REJECTED", "CALL_MISSED", "CALL_ENDED", "CALL_ACCEPTED", "CALL_INCOMING_INITIATED",
      "CALL_OUTGOING_INITIATED",
    ] {
      #expect(EventCase.names.contains(name))
    }
    #expect(EventCase.all.count <= 64)
    #expect(EventCase.all.count { $0.event == .unknown } == 1)
  }

  @Test("a customer's call opens the time for free texts, a rejected call of ours does not")
  func window() {
    func windows(_ name: String, _ direction: String) -> Set<EventCase.Window> {
      Set(EventCase.all.filter { $0.name == name && $0.direction == .text(direction) }.map(\.window))
    }
    #expect(windows("CALL_REJECTED", "INCOMING") == [.opened])
    #expect(windows("CALL_REJECTED", "OUTGOING") == [.unopened])
    #expect(windows("CALL_ACCEPTED", "OUTGOING") == [.opened])
    #expect(windows("CALL_ENDED", "OUTGOING") == [.unknown])
  }
}
