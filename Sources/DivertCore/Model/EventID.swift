// Names of events and deliveries: time-ordered, unique across stores, and readable back into the row they name.

/// An event's id. `sequence` is its place in the store (time-ordered: milliseconds, then a counter), `tag` a random number
/// that the store drew when it was made, so that two stores never make the same id (and with it the same idempotency key).
/// Written `evt_` and 19 characters of Crockford's base 32.
package struct EventID: Sendable, Hashable {
  package let sequence: Int64
  /// 30 random bits, the same for every event of a store.
  package let tag: UInt32

  package init(sequence: Int64, tag: UInt32) {
    self.sequence = sequence
    self.tag = tag & 0x3fff_ffff
  }

  /// Reads what `description` writes; nil for anything else.
  package init?(_ text: String) {
    guard text.hasPrefix("evt_") else { return nil }
    self.init(bare: text.dropFirst(4))
  }

  init?(bare text: Substring) {
    guard text.utf8.count == 19, let sequence = Base32.decode(text.prefix(13)), let tag = Base32.decode(text.suffix(6)),
      sequence <= UInt64(Int64.max)
    else { return nil }
    self.init(sequence: Int64(sequence), tag: UInt32(tag))
  }

  /// Appends what `description` says.
  package func append(to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "evt_".utf8)
    appendBare(to: &bytes)
  }

  fileprivate func appendBare(to bytes: inout [UInt8]) {
    Base32.append(UInt64(sequence), 13, to: &bytes)
    Base32.append(UInt64(tag), 6, to: &bytes)
  }

  /// The first sequence that an event received at `time` may get: milliseconds times 2²⁰.
  package static func firstSequence(at time: Timestamp) -> Int64 { max(0, time.milliseconds) << 20 }
}

extension EventID: CustomStringConvertible {
  package var description: String {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// A delivery's id: its event and its place among the event's deliveries. Written `dlv_<event's characters>_<ordinal>`.
package struct DeliveryID: Sendable, Hashable {
  package let event: EventID
  /// Counts an event's deliveries from 0 in the order they were planned; replays and reruns continue it.
  package let ordinal: Int

  package init(event: EventID, ordinal: Int) {
    self.event = event
    self.ordinal = ordinal
  }

  /// Appends what `description` says.
  package func append(to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "dlv_".utf8)
    event.appendBare(to: &bytes)
    bytes.append(UInt8(ascii: "_"))
    if ordinal < 10 { bytes.append(UInt8(ascii: "0") + UInt8(ordinal)) } else { bytes += Array(String(ordinal).utf8) }
  }

  /// Reads what `description` writes; nil for anything else.
  package init?(_ text: String) {
    guard text.hasPrefix("dlv_") else { return nil }
    let parts = text.dropFirst(4).split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 2, let event = EventID(bare: parts[0]), let ordinal = Int(parts[1]), ordinal >= 0 else {
      return nil
    }
    self.init(event: event, ordinal: ordinal)
  }
}

extension DeliveryID: CustomStringConvertible {
  package var description: String {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// Crockford's base 32 in lower case (https://www.crockford.com/base32.html): no i, l, o, u.
enum Base32 {
  private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

  /// Appends the lowest `5 · count` bits of `value`, most significant first.
  static func append(_ value: UInt64, _ count: Int, to bytes: inout [UInt8]) {
    for place in stride(from: 5 * (count - 1), through: 0, by: -5) {
      bytes.append(digit(place < 64 ? UInt8(truncatingIfNeeded: value >> UInt64(place)) & 31 : 0))
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    switch value {
    case ..<10: UInt8(ascii: "0") + value
    case ..<18: UInt8(ascii: "a") + value - 10
    case ..<20: UInt8(ascii: "j") + value - 18
    case ..<22: UInt8(ascii: "m") + value - 20
    case ..<27: UInt8(ascii: "p") + value - 22
    default: UInt8(ascii: "v") + value - 27
    }
  }

  /// The number that `text` spells; nil for a foreign character or more than 64 bits.
  static func decode(_ text: Substring) -> UInt64? {
    var value: UInt64 = 0
    for byte in text.utf8 {
      guard let digit = alphabet.firstIndex(of: byte), value >> 59 == 0 else { return nil }
      value = value << 5 | UInt64(digit)
    }
    return value
  }
}
