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
  private let scalars: [Unicode.Scalar]
  /// Where the lines begin and end in `scalars`, their breaks left out; cut where YAML 1.1 cuts them, so that line
  /// numbers agree with the parser's.
  private let ranges: [Range<Int>]

  init(file: String, text: String, name: String? = nil, hasLines: Bool = true) {
    self.file = file
    self.name = name ?? file
    self.hasLines = hasLines
    self.text = text
    scalars = Array(text.unicodeScalars)
    ranges = SourceText.cut(scalars)
  }

  /// How many lines there are, at least one.
  var lineCount: Int { ranges.count }

  /// The line with this number, counted from 1; empty past the end.
  func line(_ number: Int) -> String { Self.string(scalars(number)) }

  /// The same as Unicode scalars, from a column on, counted from 1. Costs nothing, however long the line is.
  func scalars(_ number: Int, from column: Int = 1) -> ArraySlice<Unicode.Scalar> {
    guard number >= 1, number <= ranges.count else { return [] }
    let range = ranges[number - 1]
    return scalars[min(range.upperBound, range.lowerBound + max(0, column - 1))..<range.upperBound]
  }

  static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  /// Where the line with this number begins in the text's Unicode scalars; the end of the text past the last.
  func offset(ofLine number: Int) -> Int {
    number >= 1 && number <= ranges.count ? ranges[number - 1].lowerBound : scalars.count
  }

  /// The text with the given stretches (of Unicode scalars) filled with others, one for one.
  func text(with fillings: [(range: Range<Int>, scalar: Unicode.Scalar)]) -> String {
    var changed = scalars
    for filling in fillings {
      for place in filling.range where changed.indices.contains(place) { changed[place] = filling.scalar }
    }
    return Self.string(changed)
  }

  private static func cut(_ scalars: [Unicode.Scalar]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = 0
    for (place, scalar) in scalars.enumerated() where isBreak(scalar) {
      if scalar == "\n", place > 0, scalars[place - 1] == "\r" {
        start = place + 1
        continue
      }
      ranges.append(start..<place)
      start = place + 1
    }
    ranges.append(start..<scalars.count)
    return ranges
  }

  private static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x80
      ? scalar == "\n" || scalar == "\r" : scalar == "\u{85}" || scalar == "\u{2028}" || scalar == "\u{2029}"
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
