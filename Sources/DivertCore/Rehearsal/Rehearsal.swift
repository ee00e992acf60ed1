// What would follow an event, without anything following: the plan of step 3, what is judged when a delivery is due, and the requests
// of step 7, by the very functions that the router runs. For `divert explain`, `divert diff` and `divert test`.

/// One event under one configuration, and all that follows it on a clock of its own. A pure function of what it is given: nothing is
/// stored, sent or waited for.
package struct Rehearsal: Sendable {
  package let event: Event
  /// The configuration's version.
  package let version: String
  /// Every route's answer with each condition's, in the order of the file.
  package let routes: [RouteExplanation]
  /// What would follow, in the order in which it is planned; what follows something that expired comes last.
  package let deliveries: [RehearsedDelivery]
  /// The promises that it opens, as they stand in the end.
  package let promises: [Promise]
  /// The fields of lookups as far as they are known: null for nothing.
  package let lookups: [String: JSONValue]

  /// Rehearses an event before which none came, and after which none comes.
  /// - Parameters:
  ///   - explaining: with the answers of the routes; without, `routes` is empty.
  ///   - lookups: what lookups answer, by full name. What is not among them is open: it stands as `{{ … }}` in requests, and
  ///     deliveries that depend on it are among those that follow.
  package init(
    _ event: Event, under table: RouteTable, explaining: Bool = true, lookups: [String: LookupMock] = [:]
  ) {
    var setting = RehearsalSetting()
    setting.lookups = lookups
    setting.explains = explaining
    self.init(event, among: [], under: table, setting)
  }

  /// Rehearses an event among others.
  /// - Parameter others: in the order in which they came, before it and after it; the event itself is passed over. What stands after
  ///   it is what was received later.
  package init(_ event: Event, among others: [Event], under table: RouteTable, _ setting: RehearsalSetting) {
    var (quiet, clock) = (setting, RehearsalClock(table))
    quiet.explains = false
    clock.setting = quiet
    var ended: [RehearsedDelivery] = []
    func come(_ event: Event) -> RehearsalClock.Reception {
      ended += clock.run(until: event.receivedAt, including: false)
      return clock.receive(event)
    }
    for other in others where Self.comes(other, before: event) { _ = come(other) }
    clock.setting = setting
    let reception = come(event)
    clock.setting = quiet
    for other in others where other.id != event.id && !Self.comes(other, before: event) { _ = come(other) }
    ended += clock.run()
    self.event = event
    lookups = clock.fields
    version = table.version
    routes = reception.routes
    deliveries = Self.ordered(ended.filter { $0.event == reception.place })
    promises = clock.promises.filter { $0.event == event.id }
  }

  private static func comes(_ a: Event, before b: Event) -> Bool {
    a.id != b.id && (a.receivedAt, a.id.sequence) < (b.receivedAt, b.id.sequence)
  }

  /// As they were planned.
  static func ordered(_ deliveries: [RehearsedDelivery]) -> [RehearsedDelivery] {
    deliveries.sorted { $0.ordinal < $1.ordinal }
  }
}

extension Rehearsal {
  /// The id of an event that no store has: the one that the first event of the moment would get, but for the store's
  /// tag. Equal for equal moments.
  package static func eventID(at now: Timestamp, place: Int = 0) -> EventID {
    EventID(sequence: EventID.firstSequence(at: now) + Int64(place), tag: 0)
  }

  /// Reads a body as if it had been posted to a source's address at `now`.
  /// - Parameters:
  ///   - label: what follows the key in the address (`call-rejected`).
  ///   - place: tells events of one moment apart: their ids, and with them their idempotency keys, differ.
  package static func receive(
    _ body: [UInt8], label: String? = nil, source: SourceDefinition, under table: RouteTable, now: Timestamp,
    place: Int = 0
  ) -> Reception {
    Reception.of(
      body, label: label, source: source, country: table.parts.country, receivedAt: now,
      id: eventID(at: now, place: place))
  }
}

extension LookupMock {
  /// As a memo has it: an object of fields, null for nothing.
  package var json: JSONValue {
    switch self {
    case .found(let fields), .created(let fields): .object(fields)
    case .none: .null
    }
  }
}

extension RequestRenderer {
  /// The masked request of a job. Unlike `render(_:secrets: .masked)` it also fails where the address or a header would
  /// be refused when it is sent, as far as that does not depend on what the secrets hold.
  package static func rehearse(_ job: RenderJob) throws(RenderFault) -> RenderedRequest {
    let request = try render(job, secrets: .masked)
    let address = job.recipe.target.addressSecret
    do throws(RenderFault) {
      // "c2VjcmV0" is good as a key, a header's value, a part of an address, and as base64 for a signature.
      _ = try render(job, secrets: .resolved { $0 == address ? "https://secret.invalid" : "c2VjcmV0" })
    } catch {
      if ["url_invalid", "host_from_event", "header_invalid"].contains(error.reason.code) { throw error }
    }
    return request
  }
}
