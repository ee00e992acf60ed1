// `divert fmt`: a text that YAML cannot read, or reads amiss, → the text that was meant, where only one can be meant. A
// text that is read well is never touched.
import DivertCore

/// What became of one file.
package struct FormattedFile: Sendable {
  package var file: ConfigBundle.File
  /// The text with all faults mended; nil where there is nothing to mend, or no certainty.
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

  /// The mended text; nil where nothing is to be done, or where that is not certain.
  mutating func format(_ text: String) -> String? {
    let before = faults(text)
    if before.isEmpty { return nil }
    var result = quoted(text)
    if !faults(result).isEmpty { result = untabbed(result) }
    if !faults(result).isEmpty { result = aligned(result) }
    guard faults(result).isEmpty, isRead(result) else {
      left = before
      return nil
    }
    return result
  }

  // MARK: Quotes

  private var quotes: [TemplateQuoter.Fix] = []

  private mutating func quoted(_ text: String) -> String {
    quotes = TemplateQuoter.fixes(TextLines(text))
    fixes += quotes.map { "line \($0.line + 1): quotes around \($0.raw)" }
    return Splice.apply(quotes.map { Splice($0.range, ScalarWriter.quoted($0.raw)) }, to: TextLines(text))
  }

  /// Each text that was put in quotes is now read as that text, on its line.
  private func isRead(_ text: String) -> Bool {
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

  /// Tabs of an indentation as blanks, where every width that can be read says the same.
  private mutating func untabbed(_ text: String) -> String {
    let lines = TextLines(text)
    let tabbed = (0..<lines.count).filter { Self.hasTab(lines, $0) }
    if tabbed.isEmpty { return text }
    let readings = [2, 4, 8, 3].compactMap { width -> (text: String, value: YAMLValue)? in
      let splices = tabbed.map { Splice(Self.margin(lines, $0), Self.blanks(lines, $0, width)) }
      let changed = Splice.apply(splices, to: lines)
      let (root, _) = YAMLReader.read(SourceText(file: name, text: changed))
      return root.flatMap { faults(changed).isEmpty ? (changed, YAMLValue($0)) : nil }
    }
    guard let first = readings.first, readings.allSatisfy({ $0.value == first.value }) else { return text }
    fixes += tabbed.map { "line \($0 + 1): blanks in place of tabs" }
    return first.text
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
  private mutating func aligned(_ text: String) -> String {
    var text = text
    for _ in 0..<Self.mostLines {
      guard let fault = faults(text).first else { break }
      let lines = TextLines(text)
      let readings = Self.readings(lines, at: fault.line - 1)
      let good = readings.filter { faults($0.text).isEmpty && isGood($0.text) }
      let further = readings.filter { reading in
        faults(reading.text).first.map { $0.line - 1 > reading.last } ?? false
      }
      guard let chosen = good.count == 1 ? good.first : good.isEmpty && further.count == 1 ? further.first : nil else {
        return text
      }
      fixes.append("line \(chosen.line + 1): moved from column \(chosen.from + 1) to \(chosen.to + 1)")
      text = chosen.text
    }
    return text
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
