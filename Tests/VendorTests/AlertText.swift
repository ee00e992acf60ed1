// What every alert without a text of its own must say.

import DivertCore
import TestSupport
import Testing

enum AlertText {
  /// A check for a case's `requests`: the text at this path of the last body names who, whom, when and which event,
  /// and gives no phone number away.
  static func isReadable(at path: String) -> @Sendable ([ReceivedRequest]) throws -> Void {
    { requests in
      let body = try #require(requests.last)
      let text = try #require(body.document.value(at: JSONPath.steps(path) ?? [])?.string)
      for part in ["CALL_REJECTED", "James Smith", "R. M.", "+91******3210", "2026-01-15 16:00", "evt_"] {
        #expect(text.contains(part), "\(text)")
      }
      #expect(!body.text.contains("9876543210") && !body.text.contains("Rohan"))
    }
  }

  /// An event of which little is known: the text is made of it all the same.
  static let bare: [JSONValue] = [["rejectedBy": "", "customerName": "", "chatId": "", "deviceId": ""]]
}
