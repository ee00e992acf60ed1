// `divert record show`: everything that is on record of one customer, in the order in which it happened.

import DivertCore

/// One customer's history, read once.
struct RecordHistory {
  var phone: String
  var events: [EventRecord]
  var promises: [EventID: [Promise]] = [:]
  var changes: [RecordChange]

  /// - Throws: `not_found` where nothing is on record of any spelling of the phone.
  static func find(_ wanted: String, _ context: OperatorContext) throws -> RecordHistory {
    for phone in FindReport.spellings(of: wanted, context) {
      let events = try context.store.events(phone: phone, callID: nil, limit: .max)
      let changes = try context.store.recordChanges(of: phone).filter { $0.kind == .suppression }
      if events.isEmpty, changes.isEmpty { continue }
      var history = RecordHistory(phone: phone, events: events.reversed(), changes: changes)
      for record in events {
        let promises = try context.store.promises(of: record.event.id)
        if !promises.isEmpty { history.promises[record.event.id] = promises }
      }
      return history
    }
    throw OperatorFailure.notFound(
      "nothing is on record of `\(OperatorText.line(wanted, limit: 80))`: give the phone number with its country code")
  }

  func json(now: Timestamp) -> JSONValue {
    RecordJSON.object([
      "phone": .string(phone), "made_at": RecordJSON.moment(now), "events": .number(events.count),
      "history": .array(entries(now)),
    ])
  }

  /// By the time at which each happened.
  private func entries(_ now: Timestamp) -> [JSONValue] {
    let told = events.map { ($0.event.fields.at, json($0, now)) } + changes.map { ($0.at, json($0)) }
    return told.enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }.map(\.element.1)
  }

  private func json(_ record: EventRecord, _ now: Timestamp) -> JSONValue {
    RecordJSON.object([
      "kind": "event", "at": RecordJSON.moment(record.event.fields.at), "event": RecordJSON.event(record.event),
      "body": .string(String(decoding: record.event.body, as: UTF8.self)), "configuration": .string(record.version),
      "deliveries": .array(record.deliveries.map { RecordJSON.delivery($0) }),
      "promises": (promises[record.event.id]).map { .array($0.map { Self.json($0, now) }) },
    ])
  }

  private func json(_ change: RecordChange) -> JSONValue {
    func moment(_ name: String) -> JSONValue? {
      change.content[name]?.integer.map { RecordJSON.moment(Timestamp(milliseconds: $0)) }
    }
    return RecordJSON.object([
      "kind": "suppression", "at": RecordJSON.moment(change.at), "number": .number(change.id),
      "change": change.content["change"], "reason": change.content["reason"],
      "answers": change.content["answers"], "since": moment("since"), "until": moment("until"),
    ])
  }

  static func json(_ promise: Promise, _ now: Timestamp) -> JSONValue {
    RecordJSON.object([
      "route": .string(promise.route), "opened_at": RecordJSON.moment(promise.openedAt),
      "deadline": RecordJSON.moment(promise.deadline), "standing": .string(promise.standing(at: now).rawValue),
      "kept_by": promise.keeper.map { .string($0.description) }, "kept_at": promise.keptAt.map(RecordJSON.moment),
      "kept_after_seconds": promise.keptAfter.map { .number($0.milliseconds / 1000) },
      "reported_at": promise.reportedAt.map(RecordJSON.moment),
    ])
  }
}

enum RecordReport {
  static func show(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    try input.expect(only: ["phone"])
    return try RecordHistory.find(input.requiredText("phone"), context).json(now: context.now())
  }

  /// The extract: a signed document, and a page made of it.
  static func export(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    try input.expect(only: ["phone"])
    let history = try RecordHistory.find(input.requiredText("phone"), context)
    let proof = try context.store.recordProof(
      events: history.events.map(\.event.id), changes: history.changes.map(\.id))
    let document = try RecordExtract.signed(history, proof, by: context.signingKey(), now: context.now())
    return ["document": document, "page": .string(RecordPage.html(document, zone: context.table()?.zone ?? .utc))]
  }
}

extension OperatorContext {
  func signingKey() throws -> RecordKey {
    if let recordKey { return try recordKey() }
    throw OperatorFailure.conflict("record_key", "there is no key to sign with here")
  }
}
