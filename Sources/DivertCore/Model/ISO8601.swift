// Timestamp ↔ ISO 8601 text, the one form of times in events, files and bodies.

extension Timestamp {
  /// Reads `2026-01-15T10:30:25.000Z`; also with an offset (`+05:30`, `+0530`, `+05`), without seconds or their
  /// fraction, with a blank for the `T`, and a date alone (its midnight). Digits past the millisecond are dropped.
  /// - Parameter zone: what a text without `Z` or offset is read in; nil: such a text is refused.
  /// - Returns: nil for anything else.
  package init?(iso8601 text: String, in zone: Zone? = nil) {
    var text = text
    let reading = text.withUTF8 { buffer -> (CivilTime, Int?)? in
      var reader = ISO8601Reader(bytes: buffer)
      return reader.read()
    }
    guard let (civil, offset) = reading else { return nil }
    if let offset {
      self.init(milliseconds: civil.milliseconds - Int64(offset) * 1000)
    } else if let zone {
      self = zone.moment(of: civil)
    } else {
      return nil
    }
  }

  /// In UTC with milliseconds: `2026-01-15T10:30:25.000Z`.
  package var iso8601: String { Self.text(24) { append(iso8601To: &$0) } }

  /// On the zone's clock, with milliseconds and its offset: `2026-01-15T16:00:25.000+05:30`; UTC itself with `Z`.
  package func iso8601(in zone: Zone) -> String {
    Self.text(29) { append(iso8601To: &$0, offset: zone === Zone.utc ? nil : zone.offset(at: self)) }
  }

  /// Appends the ISO 8601 text. Years outside 0 … 9999 are written as the nearest of them.
  /// - Parameter offset: seconds east of UTC; nil: UTC, written `Z`.
  package func append(iso8601To bytes: inout [UInt8], offset: Int? = nil) {
    let bounds: ClosedRange<Int64> = -62_167_219_200_000 + 86_400_000...253_402_300_799_999 - 86_400_000
    let bounded = min(max(milliseconds, bounds.lowerBound), bounds.upperBound)
    let civil = CivilTime(milliseconds: bounded + Int64(offset ?? 0) * 1000)
    civil.append(dateTo: &bytes)
    bytes.append(UInt8(ascii: "T"))
    Digits.append(civil.hour, 2, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    Digits.append(civil.minute, 2, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    Digits.append(civil.second, 2, to: &bytes)
    bytes.append(UInt8(ascii: "."))
    Digits.append(civil.millisecond, 3, to: &bytes)
    guard let offset else { return bytes.append(UInt8(ascii: "Z")) }
    bytes.append(UInt8(ascii: offset < 0 ? "-" : "+"))
    Digits.append(abs(offset) / 3600, 2, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    Digits.append(abs(offset) / 60 % 60, 2, to: &bytes)
  }

  private static func text(_ count: Int, _ write: (inout [UInt8]) -> Void) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    write(&bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension CivilTime {
  /// Appends `2026-01-15`.
  func append(dateTo bytes: inout [UInt8]) {
    Digits.append(year, 4, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    Digits.append(month, 2, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    Digits.append(day, 2, to: &bytes)
  }
}

/// Decimal digits of fixed width.
enum Digits {
  /// Appends the lowest `count` decimal digits of `value`.
  static func append(_ value: Int, _ count: Int, to bytes: inout [UInt8]) {
    var divisor = 1
    for _ in 1..<count { divisor *= 10 }
    while divisor > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
      divisor /= 10
    }
  }
}

/// A cursor over an ISO 8601 text. The buffer outlives it.
private struct ISO8601Reader {
  let bytes: UnsafeBufferPointer<UInt8>
  var at = 0

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// The clock's reading and its offset in seconds (nil where the text has none); nil if the text is no such time.
  mutating func read() -> (CivilTime, Int?)? {
    guard let year = digits(4), take("-"), let month = digits(2), take("-"), let day = digits(2) else { return nil }
    var civil = CivilTime(year: year, month: month, day: day)
    if take("T") || take("t") || take(" ") {
      guard time(into: &civil) else { return nil }
    }
    var offset: Int?
    if at < bytes.count {
      guard let read = zone() else { return nil }
      offset = read
    }
    return at == bytes.count && civil.isValid ? (civil, offset) : nil
  }

  private mutating func time(into civil: inout CivilTime) -> Bool {
    guard let hour = digits(2), take(":"), let minute = digits(2) else { return false }
    civil.hour = hour
    civil.minute = minute
    guard take(":") else { return true }
    guard let second = digits(2) else { return false }
    civil.second = second
    guard take(".") || take(",") else { return true }
    guard let milliseconds = fraction() else { return false }
    civil.millisecond = milliseconds
    return true
  }

  private mutating func zone() -> Int? {
    if take("Z") || take("z") { return 0 }
    let negative = take("-")
    guard negative || take("+"), let hours = digits(2), hours < 24 else { return nil }
    var minutes = 0
    if take(":") || at < bytes.count {
      guard let read = digits(2), read < 60 else { return nil }
      minutes = read
    }
    let offset = hours * 3600 + minutes * 60
    return negative ? -offset : offset
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }

  private mutating func digits(_ count: Int) -> Int? {
    guard at + count <= bytes.count else { return nil }
    var value = 0
    for place in at..<at + count {
      let digit = bytes[place] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value * 10 + Int(digit)
    }
    at += count
    return value
  }

  /// Milliseconds of one digit or more after the point.
  private mutating func fraction() -> Int? {
    var value = 0
    var place = 0
    while at < bytes.count, bytes[at] &- UInt8(ascii: "0") < 10 {
      if place < 3 { value = value * 10 + Int(bytes[at] - UInt8(ascii: "0")) }
      place += 1
      at += 1
    }
    guard place > 0 else { return nil }
    for _ in min(place, 3)..<3 { value *= 10 }
    return value
  }
}
