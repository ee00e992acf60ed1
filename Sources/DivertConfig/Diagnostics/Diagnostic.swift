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
  /// The line that is meant, as it stands in the file; of a long one, what stands around the place.
  package var sourceLine: String
  /// How many characters of the line stand before `sourceLine`.
  package var skipped: Int
  /// What would put it right, where that is plain.
  package var fix: Fix?
  /// Further places that belong to it, such as the first of two.
  package var notes: [Note]

  init(
    _ severity: Severity, _ code: String, _ place: Place, _ message: String, hint: String? = nil, notes: [Note] = [],
    fix: Fix? = nil
  ) {
    let excerpt = Excerpt(place)
    self.severity = severity
    self.code = code
    self.file = place.source.file
    self.line = place.line
    self.column = excerpt.column
    self.length = excerpt.length
    self.message = message
    self.hint = hint
    self.sourceLine = excerpt.line
    self.skipped = excerpt.skipped
    self.notes = notes
    self.fix = fix ?? Fix(place, excerpt, hint: hint)
  }
}

extension Diagnostic {
  /// A further place of a diagnostic, maybe in another file, and what it has to do with it.
  package struct Note: Sendable, Hashable {
    package var file: String
    /// Counted from 1, as the column is, in characters.
    package var line: Int
    package var column: Int
    package var length: Int
    package var message: String
    package var sourceLine: String
    package var skipped: Int

    init(_ place: Place, _ message: String) {
      let excerpt = Excerpt(place)
      file = place.source.file
      line = place.line
      column = excerpt.column
      length = excerpt.length
      self.message = message
      sourceLine = excerpt.line
      skipped = excerpt.skipped
    }
  }
}

/// The line of a place, with columns in characters, not in Unicode scalars.
struct Excerpt {
  var line: String
  var column: Int
  var length: Int
  /// Characters of the line that stand before `line`.
  var skipped: Int

  /// Of longer lines, only what stands around the place is shown.
  private static let longest = 400

  init(_ place: Place) {
    let whole = place.source.scalars(place.line)
    let before = whole.prefix(max(0, place.column - 1))
    let meant = whole.dropFirst(max(0, place.column - 1)).prefix(min(place.length, Self.longest))
    let cut = whole.count > Self.longest ? max(0, before.count - Self.longest / 4) : 0
    let left = SourceText.string(before.prefix(cut))
    let shown = SourceText.string(before.dropFirst(cut))
    // Counting the characters of an endless line takes longer than it is worth.
    skipped = cut > 100_000 ? cut : left.count
    column = skipped + shown.count + 1
    length = max(1, SourceText.string(meant).count)
    line = shown + SourceText.string(whole.dropFirst(before.count).prefix(Self.longest))
  }

  /// The line under its number, and a caret under what is meant.
  static func shown(_ sourceLine: String, _ number: Int, _ column: Int, _ length: Int) -> String {
    let margin = String(repeating: " ", count: String(number).count)
    let blanks = sourceLine.prefix(column - 1).map { $0 == "\t" ? "\t" : " " }.joined()
    let caret = blanks + "^" + String(repeating: "~", count: length - 1)
    return " \(number) | \(sourceLine)\n \(margin) | \(caret)\n"
  }
}

extension Diagnostic: CustomStringConvertible {
  /// `file:line:column: error: message`, the line, a caret under what is meant, the hint, and the notes the same way.
  package var description: String {
    let margin = String(repeating: " ", count: String(line).count)
    var text = "\(file):\(line):\(column): \(severity.rawValue): \(message)\n"
    text += Excerpt.shown(sourceLine, line, column - skipped, length)
    if let hint { text += " \(margin) = \(hint)\n" }
    for note in notes {
      text += "\(note.file):\(note.line):\(note.column): note: \(note.message)\n"
      text += Excerpt.shown(note.sourceLine, note.line, note.column - note.skipped, note.length)
    }
    return text
  }
}

extension Diagnostic {
  /// In the order of `files` (those that are not named there come after them), then of the lines; faults said twice
  /// are said once.
  static func inOrder(_ diagnostics: [Diagnostic], files known: [String] = []) -> [Diagnostic] {
    var seen: Set<Diagnostic> = []
    let files = diagnostics.map(\.file).reduce(into: known) { if !$0.contains($1) { $0.append($1) } }
    func rank(_ offset: Int, _ d: Diagnostic) -> (Int, Int, Int, Int) {
      (files.firstIndex(of: d.file) ?? 0, d.line, d.column, offset)
    }
    return diagnostics.enumerated()
      .sorted { rank($0.offset, $0.element) < rank($1.offset, $1.element) }
      .map(\.element)
      .filter { seen.insert($0).inserted }
  }
}
