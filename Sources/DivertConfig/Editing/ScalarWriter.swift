// Text → a YAML scalar that the language reads back exactly, and that no other YAML reader takes for something else.

enum ScalarWriter {
  /// One line, plain where that is safe.
  /// - Parameters:
  ///   - plain: as in `YAMLValue`: whether a word such as `true` or `12` is meant as the value of JSON.
  ///   - inFlow: within `{ … }` or `[ … ]`.
  static func write(_ text: String, plain: Bool, inFlow: Bool) -> String {
    if YAMLValue.isWord(text), !text.isEmpty { return plain ? text : "\"\(text)\"" }
    return isSafe(text, inFlow: inFlow) && !looksLikeMore(text) ? text : quoted(text)
  }

  static func key(_ text: String, inFlow: Bool) -> String {
    let isPlain = isSafe(text, inFlow: inFlow) && text.unicodeScalars.count < 100 && !text.contains(":")
    return isPlain && !looksLikeMore(text) && text != "<<" ? text : quoted(text)
  }

  static func quoted(_ text: String) -> String {
    let scalars = text.unicodeScalars
    let isPrintable = scalars.allSatisfy { !needsEscape($0) }
    if isPrintable, scalars.contains("\"") || scalars.contains("\\"), !scalars.contains("'") { return "'\(text)'" }
    return "\"" + scalars.map(escaped).joined() + "\""
  }

  private static func needsEscape(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar == "\u{2028}" || scalar == "\u{2029}"
      || scalar == "\u{FEFF}"
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\"": return "\\\""
    case "\\": return "\\\\"
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    default:
      guard needsEscape(scalar) else { return String(scalar) }
      let digits = String(scalar.value, radix: 16, uppercase: true)
      return scalar.value < 0x100
        ? "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
        : "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
  }

  /// YAML reads it as this very text.
  private static func isSafe(_ text: String, inFlow: Bool) -> Bool {
    guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last else { return false }
    if first == " " || last == " " || last == ":" || text.contains("{{") { return false }
    if "-?:,[]{}#&*!|>'\"%@`=~<".unicodeScalars.contains(first) { return false }
    if text.contains(": ") || text.contains(" #") { return false }
    if inFlow, text.unicodeScalars.contains(where: { ",[]{}?".unicodeScalars.contains($0) }) { return false }
    return text.unicodeScalars.allSatisfy { !needsEscape($0) && $0.value < 0xD800 }
  }

  /// Some YAML reader takes it for a truth value, a number, a time or a date.
  private static func looksLikeMore(_ text: String) -> Bool {
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
    if words.contains(text.lowercased()) { return true }
    guard let first = text.unicodeScalars.first, "0123456789+-.".unicodeScalars.contains(first) else { return false }
    if text.lowercased().hasPrefix("0x") || text.lowercased().hasPrefix("0o") { return true }
    if text.lowercased().hasSuffix(".inf") || text.lowercased().hasSuffix(".nan") { return true }
    return text.unicodeScalars.allSatisfy { "0123456789+-._:,eEtTzZ ".unicodeScalars.contains($0) }
  }
}
