// Templates that stand without quotes, which YAML takes for mappings or cannot read at all: found in the text itself, so
// that every one of them is reported, with the quotes it needs, and the rest of the file is read all the same.

/// A value that must be quoted: one stretch of one line.
struct UnquotedTemplate: Sendable, Hashable {
  /// Counted from 1.
  var line: Int
  /// Unicode scalars of the line, from 0: the whole value.
  var range: Range<Int>
  /// Where its first `{{` stands.
  var braces: Int

  /// The value in quotes. Within `{{ … }}` a double quote becomes a single one, which is what templates have.
  static func quoted(_ text: String) -> String {
    let value = text.contains("'") ? text : withSingleQuotes(text)
    guard value.contains("\"") || value.contains("\\") else { return "\"\(value)\"" }
    return "'" + value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }

  private static func withSingleQuotes(_ text: String) -> String {
    var result = ""
    var rest = Substring(text)
    while let open = rest.firstRange(of: "{{"), let close = rest[open.upperBound...].firstRange(of: "}}") {
      result += rest[..<open.lowerBound]
      result += rest[open.lowerBound..<close.upperBound].map { $0 == "\"" ? "'" : String($0) }.joined()
      rest = rest[close.upperBound...]
    }
    return result + rest
  }

  /// All of them, in order. Only asked of a text that YAML cannot read as it is meant.
  static func all(in source: SourceText) -> [UnquotedTemplate] {
    Outline(of: source).templates
  }
}
