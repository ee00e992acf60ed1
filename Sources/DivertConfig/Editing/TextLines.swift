// A text as Unicode scalars with its lines: what the syntax reader walks and what splices count in.

/// Offsets count scalars; lines are cut where YAML 1.1 cuts them and counted from 0.
struct TextLines: Sendable {
  let scalars: [Unicode.Scalar]
  /// Where each line begins.
  let starts: [Int]
  /// Where each line's content ends, in front of its break.
  let ends: [Int]

  init(_ text: String) {
    let scalars = Array(text.unicodeScalars)
    var starts = [0]
    var ends: [Int] = []
    var index = 0
    while index < scalars.count {
      if Self.isBreak(scalars[index]) {
        ends.append(index)
        if scalars[index] == "\r", index + 1 < scalars.count, scalars[index + 1] == "\n" { index += 1 }
        starts.append(index + 1)
      }
      index += 1
    }
    ends.append(scalars.count)
    self.scalars = scalars
    self.starts = starts
    self.ends = ends
  }

  var count: Int { starts.count }

  subscript(index: Int) -> Unicode.Scalar? { index >= 0 && index < scalars.count ? scalars[index] : nil }

  func text(_ range: Range<Int>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars[range])
    return String(view)
  }

  func offset(_ place: Place) -> Int { starts[min(place.line, count) - 1] + place.column - 1 }

  /// The line that holds this offset.
  func line(of offset: Int) -> Int {
    var (low, high) = (0, count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if starts[middle] <= offset { low = middle } else { high = middle - 1 }
    }
    return low
  }

  func column(of offset: Int) -> Int { offset - starts[line(of: offset)] }

  /// How many blanks a line begins with.
  func indentation(_ line: Int) -> Int {
    var index = starts[line]
    while index < ends[line], scalars[index] == " " { index += 1 }
    return index - starts[line]
  }

  func isBlank(_ line: Int) -> Bool { scalars[starts[line]..<ends[line]].allSatisfy { $0 == " " || $0 == "\t" } }

  func isComment(_ line: Int) -> Bool {
    scalars[starts[line]..<ends[line]].first { $0 != " " && $0 != "\t" } == "#"
  }

  /// Nothing but blanks from here to the beginning of its line.
  func isFirst(_ offset: Int) -> Bool {
    let line = line(of: offset)
    return starts[line] + indentation(line) >= offset
  }

  /// The break that most lines end with; a line feed where there is none.
  var lineBreak: String {
    guard let end = ends.first, end < scalars.count else { return "\n" }
    return text(end..<starts[1])
  }

  static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "\n" || scalar == "\r" || scalar == "\u{85}" || scalar == "\u{2028}" || scalar == "\u{2029}"
  }

  static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" }
}

/// A replacement of a stretch of a text; the rest stays as it is.
package struct Splice: Sendable, Hashable {
  /// Scalars of the old text.
  package var range: Range<Int>
  package var text: String

  init(_ range: Range<Int>, _ text: String) {
    self.range = range
    self.text = text
  }

  /// The text with every splice made. They must not overlap; those at one place are made in their order.
  static func apply(_ splices: [Splice], to lines: TextLines) -> String {
    var result = String.UnicodeScalarView()
    var from = 0
    let ordered = splices.enumerated().sorted {
      ($0.element.range.lowerBound, $0.offset) < ($1.element.range.lowerBound, $1.offset)
    }
    for splice in ordered.map(\.element) {
      result.append(contentsOf: lines.scalars[from..<max(from, splice.range.lowerBound)])
      result.append(contentsOf: splice.text.unicodeScalars)
      from = max(from, splice.range.upperBound)
    }
    result.append(contentsOf: lines.scalars[from...])
    return String(result)
  }
}
