// A sample body with other values in it: events of tests, told field by field as `routes.yaml` names them, in the shape
// that the source sends. Stands before step 2 of the line, so that the normaliser reads them as it reads real ones.

extension SampleEvent {
  /// `INCOMING` or `OUTGOING`, as its body says it.
  package var direction: String { isOutgoing ? "OUTGOING" : "INCOMING" }

  /// The samples of an event by its name; empty for events that Divert cannot make up.
  package static func all(of event: String) -> [SampleEvent] { allCases.filter { $0.eventName == event } }
}

/// What an event is to say in place of its sample.
package struct SampleOverlay: Sendable {
  /// The event's name.
  package var event: String
  /// Values by field; an empty text makes the field missing. The name, the direction and moments among them.
  package var fields: [(field: EventField, value: JSONValue)] = []
  /// Laid over the body as it would come: objects member by member, anything else in place of what is there.
  package var raw: JSONValue?

  package init(event: String) { self.event = event }

  /// The body of an event that happened at `at`: the sample's of that event and direction, where there is one, with
  /// the fields and then `raw` laid over it.
  /// - Parameter callID: of the call, where `fields` names none.
  package func body(sample: SampleEvent?, callID: String, at: Timestamp) -> JSONValue {
    var body = sample?.body(callID: callID, phone: "919876543210", at: at).object ?? JSONObject()
    body["event"] = .string(event)
    // The agent last: by which key it is told depends on the direction.
    for (field, value) in fields.filter({ $0.field != .agent }) + fields.filter({ $0.field == .agent }) {
      for key in keys(of: field, in: body) { body[key] = value }
    }
    guard let raw else { return .object(body) }
    return JSONValue.object(body).overlaid(with: raw)
  }

  /// The body's keys that a field is read from: the first is written, and others that would speak in its place.
  private func keys(of field: EventField, in body: JSONObject) -> [String] {
    switch field {
    case .id, .source, .receivedAt, .at, .own: []
    case .event: ["event"]
    case .direction: ["callDirection"]
    case .status: ["callStatus"]
    case .waba: ["wabaNumber"]
    case .agent: agentKeys(body)
    case .callID: ["callId"]
    case .callStartedAt: ["callStartedAt"]
    case .callEndedAt: ["callEndedAt"]
    case .callDuration: ["durationInSeconds"]
    case .callFailedReason: ["failedReason"]
    case .customerID: ["customerId"]
    case .customerName: ["customerName"]
    case .customerPhone: ["customerNumber"]
    case .chatID: ["chatId"]
    case .chatMessageID: ["chatMessageId"]
    case .deviceID: ["deviceId"]
    }
  }

  /// Who rejected an incoming call, who picked up any other; the sample's other names for the same agent follow.
  private func agentKeys(_ body: JSONObject) -> [String] {
    let rejects = event == "CALL_REJECTED" && body["callDirection"] == "INCOMING"
    switch event {
    case "CHAT_ASSIGNED_TO_AGENT": return ["assignedUserName"]
    case "MESSAGE_STATUS_UPDATE": return ["sentBy"]
    default:
      return [rejects ? "rejectedBy" : "pickedBy"] + (body["endedBy"]?.string?.isEmpty == false ? ["endedBy"] : [])
    }
  }
}

extension JSONValue {
  /// This value with another laid over it: objects member by member, anything else replaced.
  package func overlaid(with other: JSONValue) -> JSONValue {
    guard var object, let above = other.object else { return other }
    for member in above.members {
      object[member.key] = object[member.key]?.overlaid(with: member.value) ?? member.value
    }
    return .object(object)
  }
}
