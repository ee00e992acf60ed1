// Events, deliveries and attempts as the JSON that the operator interface answers with; one shape in every command.

import DivertCore

/// How the store's records are written for people and programs.
enum RecordJSON {
  /// Members whose value is null are left out.
  static func object(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
    .object(
      JSONObject(
        members.compactMap { key, value in
          guard let value, value != .null else { return nil }
          return JSONObject.Member(key: key, value: value)
        }))
  }

  static func event(_ event: Event) -> JSONValue {
    let f = event.fields
    return object([
      "id": .string(event.id.description), "source": .string(event.source),
      "received_at": moment(event.receivedAt), "event": .string(f.name), "at": moment(f.at),
      "direction": text(f.direction), "status": text(f.status),
      "call": some([
        "id": text(f.callID), "started_at": f.callStartedAt.map(moment), "ended_at": f.callEndedAt.map(moment),
        "duration": f.callDuration.map { .number($0) }, "failed_reason": text(f.callFailedReason),
      ]),
      "customer": some(["id": text(f.customerID), "name": text(f.customerName), "phone": text(f.customerPhone)]),
      "waba": text(f.waba), "agent": text(f.agent),
      "chat": some(["id": text(f.chatID), "message_id": text(f.chatMessageID)]),
      "device": some(["id": text(f.deviceID)]), "own": f.own ? true : nil,
    ])
  }

  /// - Parameter isMessage: it is a message to a person; nil: what is recorded before it goes is taken for one.
  static func delivery(_ d: Delivery, isMessage: Bool? = nil) -> JSONValue {
    object([
      "id": .string(d.id.description), "route": .string(d.plan.route), "send": .string(d.plan.send),
      "target": .string(d.plan.target), "action": .string(d.plan.action), "state": .string(d.state.name),
      "planned_for": moment(d.plan.due), "due": d.state == .waiting ? moment(d.due) : nil,
      "reason": d.reason.map(reason), "to_person": .bool(isMessage ?? d.plan.toPerson), "version": .string(d.version),
      "replay_of": d.replayOf.map { .string(DeliveryID(event: d.id.event, ordinal: $0).description) },
      "replayed_by": d.replayedBy.map { .string(DeliveryID(event: d.id.event, ordinal: $0).description) },
      "edited": d.edited == nil ? nil : true,
      "queue": text(d.queue), "memo": d.memo.isEmpty ? nil : d.memo.json,
      "attempts": .array(d.attempts.map(attempt)),
    ])
  }

  static func attempt(_ a: Attempt) -> JSONValue {
    object([
      "stage": text(a.stage), "at": moment(a.startedAt), "milliseconds": .number(a.duration.milliseconds),
      "status": a.status.map { .number($0) }, "outcome": .string(a.outcome.rawValue), "reason": reason(a.reason),
      "answer": a.answer.isEmpty ? nil : .string(a.answer),
    ])
  }

  static func reason(_ r: Reason) -> JSONValue { ["code": .string(r.code), "sentence": .string(r.sentence)] }

  static func request(_ r: EditedRequest) -> JSONValue {
    object([
      "step": text(r.step), "method": .string(r.method), "url": .string(r.url),
      "headers": .array(r.headers.map { ["name": .string($0.name), "value": .string($0.value)] }),
      "body": text(r.body),
    ])
  }

  static func moment(_ t: Timestamp) -> JSONValue { .string(OperatorTime.text(t)) }
  static func text(_ s: String?) -> JSONValue? { s.map(JSONValue.string) }

  /// Nil where every member is null.
  private static func some(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue? {
    let value = object(members)
    return value.object?.members.isEmpty == true ? nil : value
  }
}
