// `divert sources list` and `last`: what comes in, and what was read from it, with what is personal masked.

import DivertCore

enum SourcesReport {
  /// Every source that is configured or was ever heard of, with its counts.
  static func list(_ context: OperatorContext) throws -> JSONValue {
    let totals = try context.store.totals().sources
    let configured = context.table()?.parts.sources ?? [:]
    let names = Set(totals.keys).union(configured.keys).sorted()
    return .array(
      try names.map { name in
        let last = try context.store.lastEvents(source: name, limit: 1).first
        let counts = totals[name] ?? .init()
        return RecordJSON.object([
          "source": .string(name), "type": configured[name].map { .string($0.type) },
          "configured": .bool(configured[name] != nil),
          "received": .number(counts.received), "accepted": .number(counts.accepted),
          "duplicate": .number(counts.duplicate), "quarantined": .number(counts.quarantined),
          "refused": .number(counts.refused), "unmatched": .number(counts.unmatched),
          "last_received_at": last.map { RecordJSON.moment($0.event.receivedAt) },
        ])
      })
  }

  /// The newest events with their bodies, phone numbers and names masked.
  static func last(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    let source = try input.text("source")
    let limit = try input.number("limit", in: 1...100, or: 3)
    let records = try context.store.lastEvents(source: source, limit: limit)
    if let source, records.isEmpty { try KnownNames(context).require(source: source) }
    return .array(
      records.map { record in
        [
          "source": .string(record.event.source), "id": .string(record.event.id.description),
          "received_at": RecordJSON.moment(record.event.receivedAt),
          "body": Masking.body(record.event.raw), "read": Masking.body(RecordJSON.event(record.event)),
          "deliveries": .number(record.deliveries.count),
        ]
      })
  }
}
