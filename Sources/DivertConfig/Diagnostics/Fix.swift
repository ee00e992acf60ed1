// What would put a fault right, for programs: a stretch of one line and the text to put in its place.

extension Diagnostic {
  /// A replacement of one stretch of the diagnostic's line.
  package struct Fix: Sendable, Hashable {
    /// Counted from 1, in characters.
    package var column: Int
    /// The column behind the last character that is replaced.
    package var endColumn: Int
    package var text: String

    init(column: Int, endColumn: Int, text: String) {
      self.column = column
      self.endColumn = endColumn
      self.text = text
    }

    /// The name that the hint offers, where the place is exactly one name: in quotes if it stands in quotes.
    init?(_ place: Place, _ excerpt: Excerpt, hint: String?) {
      let (before, after) = ("did you mean '", "'?")
      guard let hint, hint.hasPrefix(before), hint.hasSuffix(after) else { return nil }
      let name = String(hint.dropFirst(before.count).dropLast(after.count))
      let meant = SourceText.string(place.source.scalars(place.line, from: place.column).prefix(place.length))
      let quote = meant.first.flatMap { $0 == "\"" || $0 == "'" ? String($0) : nil } ?? ""
      let typed = meant.dropFirst(quote.count).dropLast(quote.count)
      guard !typed.isEmpty, !typed.contains(where: \.isWhitespace), meant.hasSuffix(quote) else { return nil }
      self.init(column: excerpt.column, endColumn: excerpt.column + excerpt.length, text: quote + name + quote)
    }
  }

  /// For YAML that takes `{{ x }}` for a mapping.
  static func unquotedTemplate(_ place: Place, fix: Fix? = nil) -> Diagnostic {
    let message = "a template must be in quotes: YAML reads '{{' as the beginning of a mapping"
    let hint = fix.map { $0.text.count <= 100 ? "quote it: \($0.text)" : "quote it" } ?? "quote it: \"{{ … }}\""
    return Diagnostic(.error, "unquoted_template", place, message, hint: hint, fix: fix)
  }

  static func unquotedTemplate(_ template: UnquotedTemplate, in source: SourceText) -> Diagnostic {
    let value = SourceText.string(source.scalars(template.line)[relative: template.range])
    let whole = Place(
      source: source, line: template.line, column: template.range.lowerBound + 1, length: template.range.count)
    let excerpt = Excerpt(whole)
    let fix = Fix(
      column: excerpt.column, endColumn: excerpt.column + value.count, text: UnquotedTemplate.quoted(value))
    return unquotedTemplate(
      Place(source: source, line: template.line, column: template.braces + 1, length: 2), fix: fix)
  }
}

extension ArraySlice {
  /// The elements at these places, counted from the slice's beginning.
  fileprivate subscript(relative range: Range<Int>) -> ArraySlice {
    dropFirst(range.lowerBound).prefix(range.count)
  }
}
