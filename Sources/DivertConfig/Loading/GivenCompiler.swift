// `given:` of a test → the events that come, read by the source's own normaliser from a body in its shape.
import DivertCore

extension LoadContext {
  /// The events of `given:`, in the order in which they come; each arrives when it happens, but never before the one
  /// that stands before it. Empty where they cannot be read, which is reported.
  func givenEvents(_ node: YAMLNode, _ parts: RouteTable.Parts) -> [TestEvent] {
    let items = oneOrMore(node)
    if items.isEmpty {
      error("no_value", node.place, "a test without an event proves nothing", "{ event: CALL_REJECTED }")
    }
    let clock = TestClock(zone: Zone.named(parts.timezone) ?? .utc)
    var events: [TestEvent] = []
    for item in items {
      guard let given = given(item, clock, parts) else { continue }
      for time in given.times {
        let number = events.count + 1
        let received = max(given.received ?? time, time, events.last?.event.receivedAt ?? time)
        if let event = event(given, time, received, number, parts) { events.append(event) }
      }
    }
    return events
  }

  private func event(_ given: Given, _ time: Timestamp, _ received: Timestamp, _ number: Int, _ parts: RouteTable.Parts)
    -> TestEvent?
  {
    let body = given.overlay.body(sample: given.sample, callID: "call_test_\(number)", at: time)
    let id = Rehearsal.eventID(at: received, place: number)
    let reception = Reception.of(
      body.encoded(), label: nil, source: given.source, country: parts.country, receivedAt: received, id: id)
    switch reception {
    case .event(let event, let key): return TestEvent(event: given.own ? event.ownWrite : event, dedupe: key)
    case .refused(let faults):
      let reasons = faults.map(\.sentence).joined(separator: "; ")
      error(
        "refused_event", given.place, "this event would be refused: \(reasons)", "complete it, under 'raw:' if need be")
      return nil
    }
  }
}

/// An item of `given:`, read.
private struct Given {
  var overlay: SampleOverlay
  var sample: SampleEvent?
  var source: SourceDefinition
  /// It reports a write of Divert's own.
  var own: Bool
  /// When it happens; each is an event of its own.
  var times: [Timestamp]
  /// When it comes; nil: when it happens.
  var received: Timestamp?
  var place: Place
}

/// The clock of a test: what its moments are counted from.
private struct TestClock {
  let zone: Zone
  /// Noon of Thursday, 15 January 2026, on the file's clock.
  let start: Timestamp

  init(zone: Zone) {
    self.zone = zone
    start = Timestamp(iso8601: "2026-01-15T12:00:00", in: zone) ?? Timestamp(milliseconds: 1_768_478_400_000)
  }

  /// What ids can be made of.
  private static let times = Timestamp(milliseconds: 0)...Timestamp(milliseconds: 7_258_118_400_000)

  /// A moment with a zone from 1970 to 2199, a time of the first day, or a duration after the start; nil for anything
  /// else.
  func moment(_ text: String) -> Timestamp? { read(text).flatMap { Self.times.contains($0) ? $0 : nil } }

  private func read(_ text: String) -> Timestamp? {
    if let minutes = SmallGrammar.clock(text), minutes < 24 * 60 {
      return Timestamp(iso8601: "2026-01-15T\(text):00", in: zone)
    }
    return Timestamp(iso8601: text) ?? SmallGrammar.duration(text).map { start + $0 }
  }
}

extension LoadContext {
  private func given(_ node: YAMLNode, _ clock: TestClock, _ parts: RouteTable.Parts) -> Given? {
    guard let fields = fields(node, .given) else { return nil }
    var values: [(field: EventField, value: JSONValue)] = []
    let readsWell = isClean {
      for entry in fields.entries { values += givenValues(entry) }
    }
    let source = givenSource(fields["source"], parts)
    let times = givenTimes(fields, values, clock)
    guard readsWell, let name = values.first(where: { $0.field == .event })?.value.string, let source, !times.isEmpty,
      let sample = sample(name, fields)
    else { return nil }
    var overlay = SampleOverlay(event: name)
    overlay.fields = values.map { ($0.field, Self.asSent($0.field, $0.value, parts.country)) }
    overlay.raw = fields["raw"].map(plainTree)
    let place = fields.entry("event")?.value.place ?? node.place
    let own = fields["own"].flatMap { boolean($0, "'own'") } ?? false
    let received = fields["received"].flatMap { receipt($0, times, clock) }
    return Given(
      overlay: overlay, sample: sample.first, source: source, own: own, times: times, received: received, place: place)
  }

  /// The samples to lay it over: one, or none where Divert cannot make up such an event. Nil: the direction is missing.
  private func sample(_ name: String, _ fields: Fields) -> [SampleEvent]? {
    let samples = SampleEvent.all(of: name)
    guard samples.count > 1 else { return samples }
    let direction = fields["direction"]?.text
    if let sample = samples.first(where: { $0.direction == direction }) { return [sample] }
    let place = fields.entry("event")?.value.place ?? fields.node.place
    let both = samples.map(\.direction).joined(separator: " or ")
    if direction == nil {
      error("missing_field", place, "there are samples of \(name) in two directions", "add 'direction': \(both)")
    }
    return nil
  }

  private func givenSource(_ node: YAMLNode?, _ parts: RouteTable.Parts) -> SourceDefinition? {
    guard let node else {
      let names = parts.sources.keys.sorted()
      let usual = names.first { parts.sources[$0]?.type == "doubletick" } ?? names.first
      return usual.flatMap { parts.sources[$0] } ?? SourceDefinition(name: "doubletick", type: "doubletick")
    }
    guard let name = text(node, "'source'") else { return nil }
    if let source = parts.sources[name] { return source }
    let hint = NearestName.hintOrList(name, in: parts.sources.keys)
    error("unknown_source", node.place, "there is no source '\(name)'", hint ?? "add it under 'sources:'")
    return nil
  }

  /// When it happens: `at`, else when the call ended or began, else the clock's start. Empty for a fault.
  private func givenTimes(_ fields: Fields, _ values: [(field: EventField, value: JSONValue)], _ clock: TestClock)
    -> [Timestamp]
  {
    guard let node = fields["at"] else {
      let told = [EventField.callEndedAt, .callStartedAt].compactMap { field in
        values.first { $0.field == field }?.value.string.flatMap(clock.moment)
      }
      return [told.first ?? clock.start]
    }
    let items = oneOrMore(node)
    if items.count > 1, let call = fields["call"]?.entries?.first(where: { $0.key == "id" }) {
      let message = "each entry of 'at' is a call of its own, and so cannot have the same id"
      error("contradictory", call.keyPlace, message, "remove the id, or make it a list of events")
    }
    if items.isEmpty { error("no_value", node.place, "an empty list is no time", "at: [0d, 6d]") }
    let times = items.compactMap { givenTime($0, clock) }
    return times.count == items.count ? times : []
  }

  /// When it comes: not before it happens.
  private func receipt(_ node: YAMLNode, _ times: [Timestamp], _ clock: TestClock) -> Timestamp? {
    guard let moment = givenTime(node, clock, "'received'") else { return nil }
    if times.count > 1 {
      error("contradictory", node.place, "several events cannot come at one moment", "make 'given' a list of events")
    } else if let time = times.first, moment < time {
      error("contradictory", node.place, "it cannot come before it happens", "a moment after 'at'")
    }
    return moment
  }

  private func givenTime(_ node: YAMLNode, _ clock: TestClock, _ name: String = "'at'") -> Timestamp? {
    guard let text = text(node, name) else { return nil }
    if let time = clock.moment(text) { return time }
    let hint = "write 2026-01-15T16:00:25+05:30, \"21:15\", or 6d 1h (after the first day's noon)"
    error("bad_moment", node.place, "\(name): '\(text)' is no moment", hint)
    return nil
  }
}

// The event's fields.
extension LoadContext {
  private static let groups: [String: LanguagePart] = [
    "customer": .givenCustomer, "call": .givenCall, "chat": .givenChat, "device": .givenDevice,
  ]

  private func givenValues(_ entry: YAMLNode.Entry) -> [(field: EventField, value: JSONValue)] {
    if let part = Self.groups[entry.key] {
      return (fields(entry.value, part)?.entries ?? []).flatMap { inner in
        givenValue(inner.value, "\(entry.key).\(inner.key)")
      }
    }
    return ["at", "received", "source", "raw", "own"].contains(entry.key) ? [] : givenValue(entry.value, entry.key)
  }

  private func givenValue(_ node: YAMLNode, _ name: String) -> [(field: EventField, value: JSONValue)] {
    guard let field = EventField(rawValue: name), let text = text(node, "'\(name)'") else { return [] }
    if text.contains("{{") {
      error("no_template", node.place, "a test takes plain values, no templates", "write the value itself")
    } else if node.plainText == "null" || node.plainText == "~" {
      error("wrong_kind", node.place, "'\(name)' cannot be \(text)", "write \"\" for a value that is missing")
    } else if let value = value(text, of: field, node, name) {
      return [(field, value)]
    }
    return []
  }

  private func value(_ text: String, of field: EventField, _ node: YAMLNode, _ name: String) -> JSONValue? {
    if field == .event, text.isEmpty {
      error("no_value", node.place, "an event without a name", "CALL_REJECTED")
      return nil
    }
    if field == .event { warnIfUnknown(text, node) }
    if field == .direction { return choice(node, "'direction'", KnownValues.directions).map { .string($0) } }
    if text.isEmpty { return .string("") }
    switch ValueKind.of(field) {
    case .number:
      if node.plainText != nil, JSONValue.isNumber(text) { return .number(text) }
      error("type_mismatch", node.place, "'\(name)' is a number; '\(text)' is none", "write the number without quotes")
      return nil
    case .moment:
      if let time = Timestamp(iso8601: text) { return .string(time.iso8601) }
      error("type_mismatch", node.place, "'\(name)' is a moment; '\(text)' is none", "write 2026-01-15T16:00:25+05:30")
      return nil
    default:
      if field == .customerPhone || field == .waba, Phone.e164(text, country: country) == nil {
        warn(
          "near_miss", node.place, "'\(text)' is no phone number: the event comes without '\(field.rawValue)'",
          "write +919876543210")
      }
      return .string(text)
    }
  }

  private func warnIfUnknown(_ event: String, _ node: YAMLNode) {
    guard !KnownValues.events.contains(event), let near = NearestName.to(event, among: KnownValues.events) else {
      return
    }
    warn("near_miss", node.place, "'\(event)' is no event that is known", "did you mean '\(near)'?")
  }

  /// A value in the source's own spelling: phone numbers come as digits.
  private static func asSent(_ field: EventField, _ value: JSONValue, _ country: String) -> JSONValue {
    guard field == .customerPhone || field == .waba, let text = value.string else { return value }
    return Phone.e164(text, country: country).map { .string(Phone.digits($0)) } ?? value
  }
}
