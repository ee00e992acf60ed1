// A configuration file's text with its lines: what places point into and what diagnostics quote.

/// One file, or one built-in preset, that the loader reads.
final class SourceText: Sendable {
  /// The name that diagnostics print.
  let file: String
  /// The name that origins print: from the main file's folder, so that it is the same wherever the folder lies.
  let name: String
  /// Whether lines of it mean something to a reader: a preset and the language's defaults are named as a whole.
  let hasLines: Bool
  let text: String
  /// The lines without their breaks, cut where YAML 1.1 cuts them, so that line numbers agree with the parser's.
  let lines: [String]

  init(file: String, text: String, name: String? = nil, hasLines: Bool = true) {
    self.file = file
    self.name = name ?? file
    self.hasLines = hasLines
    self.text = text
    lines = SourceText.cut(text)
  }

  /// The line with this number, counted from 1; empty past the end.
  func line(_ number: Int) -> String {
    number >= 1 && number <= lines.count ? lines[number - 1] : ""
  }

  private static func cut(_ text: String) -> [String] {
    var lines: [String] = []
    var line = String.UnicodeScalarView()
    var afterReturn = false
    for scalar in text.unicodeScalars {
      defer { afterReturn = scalar == "\r" }
      if scalar == "\n", afterReturn { continue }
      guard isBreak(scalar) else {
        line.append(scalar)
        continue
      }
      lines.append(String(line))
      line = String.UnicodeScalarView()
    }
    lines.append(String(line))
    return lines
  }

  private static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "\n" || scalar == "\r" || scalar == "\u{85}" || scalar == "\u{2028}" || scalar == "\u{2029}"
  }
}

/// A stretch of one line of a file. Columns count Unicode scalars from 1, as the YAML parser does.
struct Place: Sendable {
  var source: SourceText
  var line: Int
  var column: Int
  var length: Int

  /// The part of this place that begins `offset` scalars into it.
  func part(_ offset: Int, _ length: Int) -> Place {
    Place(source: source, line: line, column: column + offset, length: max(1, length))
  }
}
