// A fault of a configuration, found when it is read: place, reason and remedy, printed as a good compiler prints it.

/// One thing that is wrong with a file, or likely to be.
package struct Diagnostic: Sendable, Hashable {
  package enum Severity: String, Sendable, Hashable {
    /// The file cannot be used.
    case error
    /// The file can be used, and probably does not do what was meant.
    case warning
  }

  package var severity: Severity
  /// A stable name of the kind of fault, lower-case words joined by `_`.
  package var code: String
  package var file: String
  /// Counted from 1.
  package var line: Int
  /// Counted from 1, in characters.
  package var column: Int
  /// How many characters are meant, at least 1.
  package var length: Int
  package var message: String
  /// The remedy or the nearest right name.
  package var hint: String?
  /// The line that is meant, as it stands in the file.
  package var sourceLine: String

  init(_ severity: Severity, _ code: String, _ place: Place, _ message: String, hint: String? = nil) {
    let line = place.source.line(place.line)
    let before = line.unicodeScalars.prefix(max(0, place.column - 1))
    let meant = line.unicodeScalars.dropFirst(max(0, place.column - 1)).prefix(place.length)
    self.severity = severity
    self.code = code
    self.file = place.source.file
    self.line = place.line
    self.column = String(String.UnicodeScalarView(before)).count + 1
    self.length = max(1, String(String.UnicodeScalarView(meant)).count)
    self.message = message
    self.hint = hint
    self.sourceLine = line
  }

  /// For YAML that takes `{{ x }}` for a mapping.
  static func unquotedTemplate(_ place: Place) -> Diagnostic {
    let message = "a template must be in quotes: YAML reads '{{' as the beginning of a mapping"
    return Diagnostic(.error, "unquoted_template", place, message, hint: "quote it: \"{{ … }}\"")
  }
}

extension Diagnostic: CustomStringConvertible {
  /// `file:line:column: error: message`, the line, a caret under what is meant, and the hint.
  package var description: String {
    let number = String(line)
    let margin = String(repeating: " ", count: number.count)
    var text = "\(file):\(line):\(column): \(severity.rawValue): \(message)\n"
    text += " \(number) | \(sourceLine)\n \(margin) | \(caret)\n"
    if let hint { text += " \(margin) = \(hint)\n" }
    return text
  }

  private var caret: String {
    let blanks = sourceLine.prefix(column - 1).map { $0 == "\t" ? "\t" : " " }.joined()
    return blanks + "^" + String(repeating: "~", count: length - 1)
  }
}

extension Diagnostic {
  /// In the order of the files' lines; faults said twice are said once.
  static func inOrder(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
    var seen: Set<Diagnostic> = []
    let files = diagnostics.map(\.file).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    func rank(_ offset: Int, _ d: Diagnostic) -> (Int, Int, Int, Int) {
      (files.firstIndex(of: d.file) ?? 0, d.line, d.column, offset)
    }
    return diagnostics.enumerated()
      .sorted { rank($0.offset, $0.element) < rank($1.offset, $1.element) }
      .map(\.element)
      .filter { seen.insert($0).inserted }
  }
}
