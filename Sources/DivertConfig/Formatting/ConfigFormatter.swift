// `divert fmt`: a text that YAML cannot read, or reads amiss, → the text that was meant, where only one can be meant. A
// text that is read well is never touched.
import DivertCore

/// What became of one file.
package struct FormattedFile: Sendable {
  package var file: ConfigBundle.File
  /// The text with what could be mended; nil where there is nothing to mend, or no certainty.
  package var text: String?
  /// What was mended, a sentence each.
  package var fixes: [String]
  /// What keeps the file from being read and has more than one remedy, or none that is certain.
  package var left: [Diagnostic]
}

package enum ConfigFormatter {
  /// Every file of the bundle, in its order.
  package static func format(_ bundle: ConfigBundle) -> [FormattedFile] {
    var files = bundle.files
    return files.indices.map { index in
      let file = files[index]
      var formatter = FileFormatter(name: bundle.path(of: file)) { text in
        var changed = files
        changed[index].text = text
        let main = changed[0]
        let other = ConfigBundle(main: main, more: Array(changed.dropFirst()), folder: bundle.folder)
        return !ConfigLoader.load(bundle: other).hasErrors
      }
      let (mark, bare) = TextEdit.split(file.text)
      let text = formatter.format(bare)
      if let text { files[index].text = mark + text }
      return FormattedFile(
        file: file, text: text.map { mark + $0 }, fixes: text == nil ? [] : formatter.fixes, left: formatter.left)
    }
  }
}

/// Mends one text: quotes around templates, tabs, then lines whose indentation fits nothing.
private struct FileFormatter {
  let name: String
  /// Whether the whole configuration is good with this text in the file's place.
  let isGood: (String) -> Bool
  private(set) var fixes: [String] = []
  private(set) var left: [Diagnostic] = []

  init(name: String, isGood: @escaping (String) -> Bool) {
    self.name = name
    self.isGood = isGood
  }

  private static let mendable = ["yaml", "unquoted_template", "bad_key"]
  private static let mostLines = 20

  /// What keeps a text from being read as it was meant.
  private func faults(_ text: String) -> [Diagnostic] {
    YAMLReader.read(SourceText(file: name, text: text)).diagnostics.filter { Self.mendable.contains($0.code) }
  }

  /// The mended text; nil where nothing is to be done, or where that is not certain. Where all but one place can be
  /// mended, what stands in front of that place is.
  mutating func format(_ text: String) -> String? {
    if faults(text).isEmpty { return nil }
    let quoted = quoted(text)
    var (result, more) = (quoted, [String]())
    if !faults(result).isEmpty { (result, more) = untabbed(result) }
    if !faults(result).isEmpty { (result, more) = aligned(quoted) }
    if faults(result).isEmpty, isRead(result, quotes) {
      fixes += more
      return result
    }
    return part(of: text, stoppedBy: stops(quoted))
  }

  /// The quotes in front of the first place that cannot be mended: the lines there are read without it.
  private mutating func part(of text: String, stoppedBy stops: [Diagnostic]) -> String? {
    fixes = []
    left = shown(stops.isEmpty ? faults(text) : stops, in: text)
    guard let stop = left.map(\.line).min() else { return nil }
    let sure = quotes.filter { $0.line + 1 < stop }
    let result = Self.text(TextLines(text), with: sure)
    let lines = TextLines(result)
    let front = lines.text(0..<lines.starts[min(stop, lines.count) - 1])
    guard !sure.isEmpty, faults(front).isEmpty, isRead(front, sure) else { return nil }
    fixes = sure.map(Self.sentence)
    left = shown(left, in: result)
    return result
  }

  /// The faults as they stand in this text, which differs from the one that they were found in by quotes.
  private func shown(_ found: [Diagnostic], in text: String) -> [Diagnostic] {
    let here = faults(text)
    return found.map { fault in here.first { $0.line == fault.line && $0.code == fault.code } ?? fault }
  }

  // MARK: Quotes

  private var quotes: [TemplateQuoter.Fix] = []

  private mutating func quoted(_ text: String) -> String {
    quotes = TemplateQuoter.fixes(TextLines(text))
    fixes += quotes.map(Self.sentence)
    return Self.text(TextLines(text), with: quotes)
  }

  private static func sentence(_ quote: TemplateQuoter.Fix) -> String {
    "line \(quote.line + 1): quotes around \(quote.raw)"
  }

  private static func text(_ lines: TextLines, with quotes: [TemplateQuoter.Fix]) -> String {
    Splice.apply(quotes.map { Splice($0.range, ScalarWriter.quoted($0.raw)) }, to: lines)
  }

  /// Each text that was put in quotes is now read as that text, on its line.
  private func isRead(_ text: String, _ quotes: [TemplateQuoter.Fix]) -> Bool {
    guard let root = YAMLReader.read(SourceText(file: name, text: text)).root else { return false }
    var found: [Int: [String]] = [:]
    func collect(_ node: YAMLNode) {
      if let text = node.text { found[node.place.line - 1, default: []].append(text) }
      for value in node.entries?.map(\.value) ?? node.items ?? [] { collect(value) }
    }
    collect(root)
    return quotes.allSatisfy { found[$0.line]?.contains($0.raw) == true }
  }

  // MARK: Tabs

  /// What cannot be mended: where blanks in place of tabs always lead to one line, what is wrong there.
  private func stops(_ text: String) -> [Diagnostic] {
    let lines = TextLines(text)
    let found = Self.widths.map { faults(Self.untabbed(lines, width: $0)) }
    guard let first = found.first?.first, found.allSatisfy({ $0.first?.line == first.line }) else {
      return faults(text)
    }
    return found[0]
  }

  private static let widths = [2, 4, 8, 3]

  private static func untabbed(_ lines: TextLines, width: Int) -> String {
    let tabbed = (0..<lines.count).filter { hasTab(lines, $0) }
    return Splice.apply(tabbed.map { Splice(margin(lines, $0), blanks(lines, $0, width)) }, to: lines)
  }

  /// Tabs of an indentation as blanks, where every width that can be read says the same; lines that fit nothing then
  /// are moved.
  private func untabbed(_ text: String) -> (text: String, fixes: [String]) {
    let lines = TextLines(text)
    let tabbed = (0..<lines.count).filter { Self.hasTab(lines, $0) }
    if tabbed.isEmpty { return (text, []) }
    let readings = Self.widths.compactMap { width -> (text: String, moves: [String], value: YAMLValue)? in
      let (changed, moves) = aligned(Self.untabbed(lines, width: width))
      let (root, _) = YAMLReader.read(SourceText(file: name, text: changed))
      return root.flatMap { faults(changed).isEmpty ? (changed, moves, YAMLValue($0)) : nil }
    }
    guard let first = readings.first, readings.allSatisfy({ $0.value == first.value }) else { return (text, []) }
    return (first.text, tabbed.map { "line \($0 + 1): blanks in place of tabs" } + first.moves)
  }

  private static func margin(_ lines: TextLines, _ line: Int) -> Range<Int> {
    let content = lines.scalars[lines.starts[line]..<lines.ends[line]]
    return content.startIndex..<(content.firstIndex { !TextLines.isBlank($0) } ?? content.endIndex)
  }

  private static func hasTab(_ lines: TextLines, _ line: Int) -> Bool {
    !lines.isBlank(line) && lines.scalars[margin(lines, line)].contains("\t")
  }

  private static func blanks(_ lines: TextLines, _ line: Int, _ width: Int) -> String {
    let column = lines.scalars[margin(lines, line)].reduce(0) { $1 == "\t" ? ($0 / width + 1) * width : $0 + 1 }
    return String(repeating: " ", count: column)
  }

  // MARK: Indentation

  /// Lines that fit nothing, moved to the one column above at which the whole configuration is good.
  private func aligned(_ text: String) -> (text: String, fixes: [String]) {
    var text = text
    var fixes: [String] = []
    for _ in 0..<Self.mostLines {
      guard let fault = faults(text).first else { break }
      let lines = TextLines(text)
      let readings = Self.readings(lines, at: fault.line - 1)
      let good = readings.filter { faults($0.text).isEmpty && isGood($0.text) }
      let further = readings.filter { reading in
        faults(reading.text).first.map { $0.line - 1 > reading.last } ?? false
      }
      guard let chosen = good.count == 1 ? good.first : good.isEmpty && further.count == 1 ? further.first : nil else {
        return (text, fixes)
      }
      fixes.append("line \(chosen.line + 1): moved from column \(chosen.from + 1) to \(chosen.to + 1)")
      text = chosen.text
    }
    return (text, fixes)
  }

  private struct Reading {
    var text: String
    var line: Int
    var last: Int
    var from: Int
    var to: Int
  }

  /// The line, or the one above it, with what stands deeper under it, at each column that the lines above have.
  private static func readings(_ lines: TextLines, at fault: Int) -> [Reading] {
    guard fault < lines.count else { return [] }
    let above = (0..<fault).reversed().first { !lines.isBlank($0) && !lines.isComment($0) }
    return [fault, above].compactMap { $0 }.flatMap { readings(lines, moving: $0) }
  }

  private static func readings(_ lines: TextLines, moving line: Int) -> [Reading] {
    let from = lines.indentation(line)
    var last = line
    while last + 1 < lines.count, lines.isBlank(last + 1) || lines.indentation(last + 1) > from { last += 1 }
    while last > line, lines.isBlank(last) { last -= 1 }
    let columns = Set((0..<line).filter { !lines.isBlank($0) && !lines.isComment($0) }.map { lines.indentation($0) })
    return columns.sorted().filter { $0 != from }.map { column in
      let splices = (line...last).filter { !lines.isBlank($0) }.map { moved in
        let start = lines.starts[moved]
        let depth = lines.indentation(moved)
        let blanks = String(repeating: " ", count: max(0, depth + column - from))
        return Splice(start..<start + depth, blanks)
      }
      return Reading(text: Splice.apply(splices, to: lines), line: line, last: last, from: from, to: column)
    }
  }
}
