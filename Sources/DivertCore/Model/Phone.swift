// Phone numbers: every spelling of a number becomes one E.164 text, so that keys, orders and targets agree (step 2 of
// the line).

/// Reads and shows phone numbers. Where a text cannot be read as one it stays as it came; nothing is guessed.
package enum Phone {
  /// `+` and 7 to 15 digits, or nil where `text` cannot be read as a phone number. Read in this order: with `+` or
  /// the country's prefix for foreign numbers (`00`); with the country's calling code (`919876543210` in IN); as one
  /// of its national numbers, with or without the trunk prefix (`09876543210`, `9876543210`); with any other
  /// country's calling code.
  /// - Parameter country: ISO 3166-1 alpha-2, for numbers that do not say theirs.
  package static func e164(_ text: String, country: String) -> String? {
    guard let (digits, plus) = bareDigits(text) else { return nil }
    if plus { return international(digits[...]) }
    let home = PhoneNumbering.countries[country]
    let prefix = home?.international ?? "00"
    if digits.hasPrefix(prefix) { return international(digits.dropFirst(prefix.utf8.count)) }
    if digits.hasPrefix("00") { return international(digits.dropFirst(2)) }
    if let home, let number = domestic(digits, home) { return number }
    return foreign(digits)
  }

  /// `e164`, or the text as it came.
  package static func normalised(_ text: String, country: String) -> String {
    e164(text, country: country) ?? text
  }

  /// The number without `+` and calling code (`9876543210`); nil where `text` cannot be read as a phone number.
  package static func national(_ text: String, country: String) -> String? {
    guard let number = e164(text, country: country), let code = PhoneNumbering.callingCode(of: number.dropFirst())
    else {
      return nil
    }
    return String(number.dropFirst(1 + code.utf8.count))
  }

  /// The digits of a text, everything else left out: `919876543210`.
  package static func digits(_ text: String) -> String {
    String(decoding: text.utf8.filter { $0 &- UInt8(ascii: "0") < 10 }, as: UTF8.self)
  }

  /// The text with all but the end hidden, for logs, alerts and pages: `+91******3210`. Of an E.164 number the
  /// calling code and the last four digits stay; of a text without a digit, a name, its initials (`R. M.`); of any other text the last
  /// four characters, if that is less than half of it.
  package static func mask(_ text: String) -> String {
    if !text.unicodeScalars.contains(where: { $0.properties.numericType != nil }) { return initials(text) }
    let visible = text.count > 8 ? 4 : 0
    if text.hasPrefix("+"), text.utf8.dropFirst().allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }),
      let code = PhoneNumbering.callingCode(of: text.dropFirst())
    {
      let hidden = max(0, text.count - 1 - code.count - visible)
      return "+" + code + String(repeating: "*", count: hidden) + text.suffix(visible)
    }
    return String(repeating: "*", count: text.count - visible) + text.suffix(visible)
  }

  /// The first character of each word, each with a dot.
  private static func initials(_ name: String) -> String {
    name.split(whereSeparator: \.isWhitespace).compactMap { $0.first.map { "\($0)." } }.joined(separator: " ")
  }

  /// The digits of `text`, and whether a `+` came first; nil when there is anything but digits and separators.
  private static func bareDigits(_ text: String) -> (digits: String, plus: Bool)? {
    var digits: [UInt8] = []
    var plus = false
    for scalar in (text.hasPrefix("tel:") ? text.dropFirst(4) : text[...]).unicodeScalars {
      switch scalar {
      case "0"..."9": digits.append(UInt8(ascii: scalar))
      case "+" where digits.isEmpty && !plus: plus = true
      case " ", "-", ".", "(", ")", "/", "\u{a0}", "\u{2011}", "\u{2013}": break
      default: return nil
      }
    }
    return digits.isEmpty ? nil : (String(decoding: digits, as: UTF8.self), plus)
  }

  private static func international(_ digits: Substring) -> String? {
    guard 7...15 ~= digits.utf8.count, digits.first != "0" else { return nil }
    return "+" + digits
  }

  private static func domestic(_ digits: String, _ home: PhoneNumbering) -> String? {
    let count = digits.utf8.count
    if digits.hasPrefix(home.callingCode), home.lengths.contains(count - home.callingCode.utf8.count) {
      return "+" + digits
    }
    if let trunk = home.trunk, digits.hasPrefix(trunk), home.lengths.contains(count - trunk.utf8.count) {
      return "+" + home.callingCode + digits.dropFirst(trunk.utf8.count)
    }
    guard home.lengths.contains(count), home.trunk == nil || digits.first != "0" else { return nil }
    return "+" + home.callingCode + digits
  }

  /// A number with another country's calling code and a length that this code allows.
  private static func foreign(_ digits: String) -> String? {
    guard let code = PhoneNumbering.callingCode(of: digits) else { return nil }
    let rest = digits.utf8.count - code.utf8.count
    guard (PhoneNumbering.lengthsByCode[code] ?? 7...(15 - code.utf8.count)).contains(rest) else { return nil }
    return international(digits[...])
  }
}
