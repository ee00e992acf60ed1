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
    derive(event, bytes(of: [route, send, target + "." + action, step]))
  }

  /// The key of a planned delivery of an event.
  package static func derive(event: EventID, plan: PlannedDelivery) -> String { derive(event, plan.origin.keyBytes) }

  /// Each part and a byte that no UTF-8 text holds, so that no two lists of parts give the same bytes.
  static func bytes(of parts: [String]) -> [UInt8] {
    var bytes: [UInt8] = []
    for part in parts {
      bytes.append(contentsOf: part.utf8)
      bytes.append(0xff)
    }
    return bytes
  }

  private static func derive(_ event: EventID, _ send: [UInt8]) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32 + send.count)
    event.append(to: &bytes)
    bytes.append(0xff)
    bytes.append(contentsOf: send)
    return digest(bytes)
  }

  static func digest(_ bytes: [UInt8]) -> String {
    SHA256.hash(data: bytes).withUnsafeBytes { Hex.text($0.prefix(16), after: "dv1_") }
  }
}
