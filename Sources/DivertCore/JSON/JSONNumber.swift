// Numbers by their literal text: compared and rounded exactly, digit by digit, so that two 17-digit ids never become
// equal.

/// A decimal number taken apart: `0.d₁d₂… · 10^point`, no zero at either end of the digits; no digits is zero.
struct JSONNumber: Sendable, Hashable {
  private(set) var negative: Bool
  private(set) var digits: [UInt8]
  private(set) var point: Int

  /// - Parameter literal: a JSON number; nil for anything else.
  init?(_ literal: String) {
    guard JSONValue.isNumber(literal) else { return nil }
    negative = literal.utf8.first == UInt8(ascii: "-")
    digits = []
    point = 0
    var rest = literal.utf8.dropFirst(negative ? 1 : 0)
    var fraction = false
    while let byte = rest.first, byte | 0x20 != UInt8(ascii: "e") {
      rest = rest.dropFirst()
      if byte == UInt8(ascii: ".") {
        fraction = true
      } else {
        digits.append(byte &- UInt8(ascii: "0"))
        if !fraction { point += 1 }
      }
    }
    if !rest.isEmpty { point += Self.exponent(rest.dropFirst()) }
    normalise()
  }

  /// An exponent's value, bounded so that sums of it cannot overflow.
  private static func exponent(_ text: Substring.UTF8View) -> Int {
    let negative = text.first == UInt8(ascii: "-")
    var value = 0
    for byte in text where byte &- UInt8(ascii: "0") < 10 {
      value = min(value * 10 + Int(byte - UInt8(ascii: "0")), 1_000_000_000)
    }
    return negative ? -value : value
  }

  private mutating func normalise() {
    let zeros = digits.prefix { $0 == 0 }.count
    digits.removeFirst(zeros)
    point -= zeros
    while digits.last == 0 { digits.removeLast() }
    if digits.isEmpty {
      negative = false
      point = 0
    }
  }

  /// Below 0 when `a` is less than `b`, 0 when they are the same number, above 0 when it is more; nil unless both are
  /// numbers.
  static func compare(_ a: String, _ b: String) -> Int? {
    if let x = Int64(a), let y = Int64(b) { return x < y ? -1 : x == y ? 0 : 1 }
    guard let x = JSONNumber(a), let y = JSONNumber(b) else { return nil }
    if x.sign != y.sign { return x.sign - y.sign }
    return x.sign * compareMagnitudes(x, y)
  }

  private var sign: Int { digits.isEmpty ? 0 : negative ? -1 : 1 }

  private static func compareMagnitudes(_ x: JSONNumber, _ y: JSONNumber) -> Int {
    if x.point != y.point { return x.point < y.point ? -1 : 1 }
    if x.digits == y.digits { return 0 }
    return x.digits.lexicographicallyPrecedes(y.digits) ? -1 : 1
  }

  /// The literal of the number rounded to `places` digits after the point, a half away from zero, without zeros at
  /// its end; nil when it would need more than 400 digits.
  func rounded(places: Int) -> String? {
    guard point < 400, places < 400 else { return nil }
    var result = self
    let kept = point + places
    if kept < digits.count {
      let up = kept >= 0 && digits[kept] >= 5
      result.digits = [0] + digits.prefix(max(0, kept))
      result.point = kept >= 0 ? point + 1 : 0
      if up { result.increment() }
      result.normalise()
    }
    return result.literal
  }

  /// Adds one to the last digit. The first digit is 0 and takes the carry.
  private mutating func increment() {
    var place = digits.count - 1
    while digits[place] == 9 {
      digits[place] = 0
      place -= 1
    }
    digits[place] += 1
  }

  private var literal: String {
    if digits.isEmpty { return "0" }
    var text = negative ? "-" : ""
    if point <= 0 { text += "0." + String(repeating: "0", count: -point) }
    for (place, digit) in digits.enumerated() {
      if place == point, point > 0 { text += "." }
      text += String(digit)
    }
    if point > digits.count { text += String(repeating: "0", count: point - digits.count) }
    return text
  }
}
