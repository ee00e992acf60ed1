// The record's head, and the changes on record that are no events.

/// Where the chain stands: its last entry and the hash of everything up to it. Published outside, it makes every change of what
/// came before it visible.
package struct RecordHead: Sendable, Hashable, CustomStringConvertible {
  /// Entries are counted from 1; 0: none yet.
  package var entry: Int64
  /// SHA-256, 64 hexadecimal digits.
  package var hash: String

  package init(entry: Int64, hash: String) {
    self.entry = entry
    self.hash = hash
  }

  /// Reads what `description` writes, `1234:9f86…`; nil for anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let entry = Int64(parts[0]), entry > 0, let bytes = HexBytes.decode(parts[1]),
      bytes.count == 32
    else { return nil }
    self.init(entry: entry, hash: HexBytes.text(bytes))
  }

  package var description: String { "\(entry):\(hash)" }

  /// The name of the event that publishes a head; its source is `RouteTable.alarmSource`.
  package static let eventName = "DIVERT_RECORD_HEAD"
}

/// What kind of change a row of `changes` is. The raw values are stored.
package enum RecordChangeKind: String, Sendable, Hashable, CaseIterable {
  /// The record began.
  case start
  /// A configuration was kept: from now on deliveries may be planned by it.
  case config
  /// The list of suppressions.
  case suppression
  /// What was removed for good at somebody's request: `{"events": […], "changes": […]}`, their sequences and numbers.
  case erasure
  /// What retention removed: `{"what": "payloads" | "attempts" | "record", "from": …, "to": …}`, sequences, both included.
  case sweep
}

/// A change on record.
package struct RecordChange: Sendable, Hashable {
  package var id: Int64
  package var at: Timestamp
  package var kind: RecordChangeKind
  /// The phone of a suppression, the version of a configuration.
  package var subject: String?
  package var content: JSONValue

  package init(id: Int64, at: Timestamp, kind: RecordChangeKind, subject: String?, content: JSONValue) {
    self.id = id
    self.at = at
    self.kind = kind
    self.subject = subject
    self.content = content
  }
}

/// Bytes as lower-case hexadecimal digits.
package enum HexBytes {
  package static func text(_ bytes: some Collection<UInt8>) -> String { Hex.text(bytes) }

  /// Nil for an odd number of digits or a foreign character.
  package static func decode(_ text: some StringProtocol) -> [UInt8]? {
    let digits = Array(text.utf8)
    if digits.count % 2 == 1 { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for place in stride(from: 0, to: digits.count, by: 2) {
      guard let high = value(digits[place]), let low = value(digits[place + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
