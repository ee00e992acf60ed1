// A body as it was posted → an event, or everything that is wrong with it (step 2 of the line): for the ingest, and for
// what is rehearsed.

/// What became of a posted body.
package enum Reception: Sendable {
  /// An event, not stored yet; with no key it never counts as a duplicate.
  case event(Event, DedupeKey?)
  /// Nothing that could be an event; every fault at once, at least one.
  case refused([IngestFault])

  /// Reads a body as if it had been posted to a source's address at `receivedAt`.
  /// - Parameters:
  ///   - label: what follows the key in the address (`call-rejected`); names the event when the body does not.
  ///   - country: for phone numbers without a country code.
  ///   - id: the event's; the store gives every event that it takes an id of its own.
  package static func of(
    _ body: [UInt8], label: String?, source: SourceDefinition, country: String, receivedAt: Timestamp,
    id: EventID = EventID(sequence: 0, tag: 0)
  ) -> Reception {
    if body.allSatisfy({ $0 <= 0x20 }) {
      return .refused([IngestFault("empty_body", "the body is empty")])
    }
    let result = Normalizer.normalize(
      body, label: label, source: source, country: country, receivedAt: receivedAt)
    switch result {
    case .refused(let faults): return .refused(faults)
    case .event(let fields, let raw, let key):
      let event = Event(
        id: id, source: source.name, receivedAt: receivedAt, fields: fields, body: body, raw: raw)
      return .event(event, key)
    }
  }
}
