// Sample bodies in DoubleTick's shape, for `divert send`, the first run and tests of routes.

/// The events that Divert can make up.
package enum SampleEvent: String, Sendable, CaseIterable {
  case incomingRejected = "incoming-rejected"
  case outgoingRejected = "outgoing-rejected"
  case missed, ended, accepted
  case incomingInitiated = "incoming-initiated"
  case outgoingInitiated = "outgoing-initiated"
  case notPicked = "not-picked"

  /// The label that follows the key in the address: `call-rejected`.
  package var label: String { String(eventName.lowercased().map { $0 == "_" ? "-" : $0 }) }

  package var eventName: String {
    switch self {
    case .incomingRejected, .outgoingRejected: "CALL_REJECTED"
    case .missed: "CALL_MISSED"
    case .ended: "CALL_ENDED"
    case .accepted: "CALL_ACCEPTED"
    case .incomingInitiated: "CALL_INCOMING_INITIATED"
    case .outgoingInitiated: "CALL_OUTGOING_INITIATED"
    case .notPicked: "CALL_NOT_PICKED"
    }
  }

  private var status: String {
    switch self {
    case .incomingRejected, .outgoingRejected: "REJECT"
    case .missed: "MISSED"
    case .ended: "END"
    case .accepted: "IN_PROGRESS"
    case .incomingInitiated, .outgoingInitiated, .notPicked: "INITIATED"
    }
  }

  var isOutgoing: Bool { self == .outgoingRejected || self == .outgoingInitiated }

  /// The documented fields with the documentation's own values, and the given ones.
  /// - Parameters:
  ///   - phone: digits with a country code, as DoubleTick sends them.
  ///   - at: when the call ended, or was picked up.
  package func body(callID: String, phone: String, at: Timestamp) -> JSONValue {
    let isOver = self == .incomingRejected || self == .outgoingRejected || self == .missed || self == .ended
    let started: String =
      switch self {
      case .ended: (at - .seconds(145)).iso8601
      case .accepted: at.iso8601
      default: ""
      }
    let picked = isOutgoing || self == .ended || self == .accepted
    var body: JSONValue = [
      "event": .string(eventName), "callId": .string(callID), "chatMessageId": .string("msg_" + callID),
      "chatId": "chat_abc123", "wabaNumber": "919000000000", "customerNumber": .string(phone),
      "customerName": "Rohan Mehta", "customerId": "customer_pvgpZUh3wg",
      "callDirection": isOutgoing ? "OUTGOING" : "INCOMING", "callStatus": .string(status), "failedReason": "",
      "durationInSeconds": self == .ended ? 145 : 0, "callStartedAt": .string(started),
      "callEndedAt": .string(isOver ? at.iso8601 : ""), "pickedBy": picked ? "James Smith" : "",
      "rejectedBy": self == .incomingRejected ? "James Smith" : "", "endedBy": self == .ended ? "James Smith" : "",
      "recordingUrl": .string(self == .ended ? "https://recordings.example.com/\(callID).mp3" : ""),
      "deviceId": "device_abc123",
    ]
    if self == .missed, var object = body.object {
      object["isNewCaller"] = false
      object["isChatAssigned"] = false
      body = .object(object)
    }
    return body
  }
}
