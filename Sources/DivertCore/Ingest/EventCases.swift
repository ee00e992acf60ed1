// What each kind of event can carry, as the source documents it: data for the warnings of `divert check`. Beside the
// normaliser, and tested against the sample bodies, so that the two cannot drift apart.

/// One kind of event as far as conditions can tell: its name, direction and status, the fields that it never carries, and
/// what it means for WhatsApp's window. Source: docs.doubletick.io/reference/call-webhooks and its neighbours.
package struct EventCase: Sendable, Hashable {
  /// What is known of a field in all events of the case.
  package enum Value: Sendable, Hashable {
    case text(String)
    case missing
    case unknown
  }

  /// The time in which a business may write to a customer freely, 24 hours long. A customer's message or call opens it,
  /// whether the call was accepted or not, and so does a customer who accepts a call; one who rejects it does not
  /// (Meta's pages on calling).
  package enum Window: Sendable, Hashable {
    case opened, unopened, unknown
  }

  /// `.unknown`: every event whose name is not among `EventCase.names`.
  package var event: Value
  package var direction: Value
  package var status: Value
  /// Fields that are missing in every event of the case.
  package var absent: Set<EventField>
  package var window: Window
  /// False where a documented field is taken as missing, which the normaliser allows.
  package var isDocumented = true

  /// The name; nil for the case of all other events.
  package var name: String? { if case .text(let name) = event { name } else { nil } }

  /// What is known of a field's value.
  package func value(of field: EventField) -> Value {
    switch field {
    case .event: event
    case .direction: direction
    case .status: status
    default: absent.contains(field) ? .missing : .unknown
    }
  }
}

extension EventCase {
  /// Every event belongs to at least one of these; at most 64.
  package static let all: [EventCase] =
    calls.flatMap(\.cases) + withoutCall.map(messageCase)
    + [EventCase(event: .unknown, direction: .unknown, status: .unknown, absent: [], window: .unknown)]

  /// The names that cases exist for.
  package static let names: Set<String> = Set(all.compactMap(\.name))

  /// The documented fields of a call's event that are empty in it.
  private struct Call {
    var name: String
    var directions: [String]
    /// CALL_REJECTED is refused without one; the others are taken.
    var directionMayMiss = true
    var statuses: [String]
    var absent: Set<EventField>

    var cases: [EventCase] {
      let ways = directions.map(Value.text) + (directionMayMiss ? [.missing] : [])
      return ways.flatMap { way in (statuses.map(Value.text) + [.missing]).map { one(way, $0) } }
    }

    private func one(_ direction: Value, _ status: Value) -> EventCase {
      var absent = absent
      if direction == .missing { absent.insert(.direction) }
      if status == .missing { absent.insert(.status) }
      // A reason comes with FAILED only.
      if case .text(let text) = status, text != "FAILED" { absent.insert(.callFailedReason) }
      return EventCase(
        event: .text(name), direction: direction, status: status, absent: absent, window: window(direction),
        isDocumented: direction != .missing && status != .missing)
    }

    private func window(_ direction: Value) -> Window {
      switch direction {
      case .text("INCOMING"): .opened
      case .text("OUTGOING"): name == "CALL_ACCEPTED" ? .opened : name == "CALL_ENDED" ? .unknown : .unopened
      default: .unknown
      }
    }
  }

  // An incoming call names no agent while it rings; CALL_NOT_PICKED never does. CALL_ENDED may be an outgoing call that
  // was cancelled before it was answered, so its times may be there.
  private static let calls: [Call] = [
    Call(
      name: "CALL_INCOMING_INITIATED", directions: ["INCOMING"], statuses: ["INITIATED"],
      absent: [.callStartedAt, .callEndedAt, .callFailedReason, .agent]),
    Call(
      name: "CALL_OUTGOING_INITIATED", directions: ["OUTGOING"], statuses: ["INITIATED"],
      absent: [.callStartedAt, .callEndedAt, .callFailedReason]),
    Call(
      name: "CALL_ACCEPTED", directions: ["INCOMING", "OUTGOING"], statuses: ["IN_PROGRESS"],
      absent: [.callEndedAt, .callFailedReason]),
    Call(name: "CALL_ENDED", directions: ["INCOMING", "OUTGOING"], statuses: ["END", "FAILED"], absent: []),
    Call(
      name: "CALL_REJECTED", directions: ["INCOMING", "OUTGOING"], directionMayMiss: false, statuses: ["REJECT"],
      absent: [.callStartedAt, .callFailedReason]),
    Call(
      name: "CALL_MISSED", directions: ["INCOMING"], statuses: ["MISSED"], absent: [.callStartedAt, .callFailedReason]),
    Call(
      name: "CALL_NOT_PICKED", directions: ["INCOMING"], statuses: ["INITIATED"],
      absent: [.callStartedAt, .callEndedAt, .callFailedReason, .agent]),
  ]

  // Documented bodies that say nothing of a call. Others, and MESSAGE_STATUS_UPDATE (over whose root a template's own
  // data is spread), may carry anything.
  private static let withoutCall = [
    "MESSAGE_RECEIVED", "CALL_PERMISSION_REPLY_RECEIVED", "CHAT_ASSIGNED_TO_AGENT", "CHAT_UNASSIGNED",
    "CONVERSATION_OPENED", "CLOSE_CONVERSATION", "ADD_TAG", "REMOVE_TAG", "UPDATE_CUSTOMER_CUSTOM_FIELD",
  ]

  private static func messageCase(_ name: String) -> EventCase {
    EventCase(
      event: .text(name), direction: .missing, status: .unknown,
      absent: [.direction, .callID, .callStartedAt, .callEndedAt, .callDuration, .callFailedReason, .deviceID],
      window: name == "MESSAGE_RECEIVED" ? .opened : .unknown)
  }
}
