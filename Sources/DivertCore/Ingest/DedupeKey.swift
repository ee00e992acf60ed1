// By what a repeated event is known (step 2 of the line); the store answers with it inside the append transaction.

import Crypto
import FoundationEssentials

/// An event's identity: events of equal keys are the same one.
package struct DedupeKey: Sendable, Hashable {
  /// 16 bytes: a SHA-256, cut.
  package let bytes: [UInt8]
  /// How long after the first receipt a second one counts as a duplicate; nil: as long as the record is kept.
  package let holds: Span?

  package init(bytes: [UInt8], holds: Span?) {
    self.bytes = bytes
    self.holds = holds
  }

  /// What the store keeps of it for an event received at `receivedAt`.
  package func entry(receivedAt: Timestamp) -> DedupeEntry {
    DedupeEntry(key: bytes, until: holds.map { receivedAt + $0 })
  }

  /// The key of an event that happens once a call: source, call id and event name.
  package static func identity(source: String, callID: String, event: String) -> DedupeKey {
    // A byte that no UTF-8 text holds keeps the parts apart.
    let text = [Array("call".utf8), Array(source.utf8), Array(callID.utf8), Array(event.utf8)].joined(separator: [0xff])
    return DedupeKey(bytes: hash(Array(text)), holds: nil)
  }

  /// The key of an event without an identity of its own: the source, the event's name and the body, whatever the
  /// order of its keys.
  static func content(source: String, event: String, body: JSONValue, holds: Span) -> DedupeKey {
    var text = Array("body".utf8) + [0xff] + Array(source.utf8) + [0xff] + Array(event.utf8) + [0xff]
    JSONWriter.appendCanonical(body, to: &text)
    return DedupeKey(bytes: hash(text), holds: holds)
  }

  private static func hash(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes).prefix(16)) }
}
