// The key by which a target knows a delivery again: equal in every attempt and replay, different for any two sends.

import Crypto
import FoundationEssentials

package enum IdempotencyKey {
  /// `dv1_` and 32 hexadecimal digits of the SHA-256 over the parts.
  /// - Parameters:
  ///   - send: the send's label.
  ///   - step: the place of a request in a chain of them; empty for a single request.
  package static func derive(
    event: EventID, route: String, send: String, target: String, action: String, step: String = ""
  ) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(128)
    for part in [event.description, route, send, target + "." + action, step] {
      bytes.append(contentsOf: part.utf8)
      // No UTF-8 text holds this byte, so that no two lists of parts give the same bytes.
      bytes.append(0xff)
    }
    return "dv1_" + Hex.text(SHA256.hash(data: bytes).prefix(16))
  }

  /// The key of a planned delivery of an event.
  package static func derive(event: EventID, plan: PlannedDelivery) -> String {
    derive(event: event, route: plan.route, send: plan.send, target: plan.target, action: plan.action)
  }
}
