// How people's data are shown where only their shape is wanted: logs, and captured bodies (`divert sources last`).

package import DivertCore

package enum Masking {
  /// A phone number with all but its last four digits starred: `+919876543210` → `+********3210`.
  /// Up to four digits are starred whole.
  package static func phone(_ text: String) -> String {
    let digits = text.utf8.count { isDigit($0) }
    var seen = 0
    return String(
      text.map { character in
        guard let byte = character.asciiValue, isDigit(byte) else { return character }
        seen += 1
        return digits > 4 && seen > digits - 4 ? character : "*"
      })
  }

  /// A name as its initials: `Rohan Mehta` → `R. M.`.
  package static func name(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).compactMap { $0.first.map { "\($0)." } }.joined(separator: " ")
  }

  /// A URL without its query, fragment and credentials: `https://host/path?…`.
  package static func url(_ text: String) -> String {
    guard let scheme = text.firstRange(of: "://") else { return text }
    var rest = text[scheme.upperBound...]
    let end = rest.firstIndex { $0 == "?" || $0 == "#" }
    let wasCut = end != nil
    if let end { rest = rest[..<end] }
    let authority = rest.prefix { $0 != "/" }
    if let at = authority.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
    return text[..<scheme.upperBound] + rest + (wasCut ? "?…" : "")
  }

  /// A captured body with phones, names, addresses of mail and tokens masked; keys and structure stay, so that a person
  /// sees what the source sends without seeing whom it is about.
  package static func body(_ value: JSONValue) -> JSONValue { mask(value, key: "") }

  private static func mask(_ value: JSONValue, key: String) -> JSONValue {
    switch value {
    case .null, .bool: value
    case .number(let text): looksLikePhone(text) ? .string(phone(text)) : value
    case .string(let text): .string(mask(text, key: key))
    case .array(let items): .array(items.map { mask($0, key: key) })
    case .object(let object):
      .object(JSONObject(object.members.map { .init(key: $0.key, value: mask($0.value, key: $0.key.lowercased())) }))
    }
  }

  private static func mask(_ text: String, key: String) -> String {
    if text.isEmpty || isMoment(text) { return text }
    if text.contains("://") { return url(text) }
    if looksLikePhone(text) { return phone(text) }
    if isSecret(key) { return "***" }
    if text.contains("@") { return "***" + text[(text.lastIndex(of: "@") ?? text.startIndex)...] }
    return isPerson(key) ? name(text) : text
  }

  private static func isPerson(_ key: String) -> Bool {
    (key.hasSuffix("name") && !key.contains("template"))
      || ["agent", "pickedby", "rejectedby", "endedby", "text"].contains(key)
  }

  private static func isSecret(_ key: String) -> Bool {
    key.contains("token") || key.contains("secret") || key.contains("password") || key.contains("authorization")
  }

  /// `2026-01-15T…`: begins with a date.
  private static func isMoment(_ text: String) -> Bool {
    let bytes = Array(text.utf8.prefix(11))
    return bytes.count == 11 && bytes[4] == UInt8(ascii: "-") && bytes[7] == UInt8(ascii: "-")
      && bytes[10] == UInt8(ascii: "T")
  }

  /// 7 to 15 digits, with nothing else but `+`, blanks, dashes, dots and brackets.
  private static func looksLikePhone(_ text: String) -> Bool {
    var digits = 0
    for byte in text.utf8 {
      if isDigit(byte) {
        digits += 1
      } else if !"+ -().".utf8.contains(byte) {
        return false
      }
    }
    return (7...15).contains(digits)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
