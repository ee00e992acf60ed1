// Finds text with `{{ … }}` that must stand in quotes and does not, in a file that YAML need not be able to read.

/// A scanner over lines: it knows quotes, comments, brackets and blocks, and takes `{{ … }}` for one word.
struct TemplateQuoter {
  struct Fix {
    /// From 0.
    var line: Int
    var range: Range<Int>
    var raw: String
  }

  private let lines: TextLines
  private var fixes: [Fix] = []
  /// The brackets that are open.
  private var open: [Unicode.Scalar] = []
  /// The quote that is open at a line's end.
  private var quote: Unicode.Scalar?
  /// Lines deeper than this are the text of a block.
  private var block: Int?

  private init(_ lines: TextLines) { self.lines = lines }

  /// What must be put in quotes, as far as its end is certain.
  static func fixes(_ lines: TextLines) -> [Fix] {
    var quoter = TemplateQuoter(lines)
    for line in 0..<lines.count { quoter.scan(line) }
    return quoter.fixes
  }

  private mutating func scan(_ line: Int) {
    if let block {
      if lines.isBlank(line) || lines.indentation(line) > block { return }
      self.block = nil
    }
    var index = lines.starts[line]
    let end = lines.ends[line]
    var column = lines.indentation(line)
    if let quote { index = closing(quote, from: index, end) }
    while index < end {
      let scalar = lines.scalars[index]
      switch scalar {
      case " ", "\t": index += 1
      case "#": return
      case "\"", "'": index = closing(scalar, from: index + 1, end)
      case "|" where open.isEmpty, ">" where open.isEmpty:
        block = column
        return
      case "-" where open.isEmpty && isSpace(index + 1, end), "?" where open.isEmpty && isSpace(index + 1, end):
        column = index - lines.starts[line]
        index += 1
      case "{" where !isTemplate(index, end), "[":
        open.append(scalar)
        index += 1
      case "}", "]":
        _ = open.popLast()
        index += 1
      case ",", ":": index += 1
      case "&", "*", "!": while index < end, !isSpace(index, end) { index += 1 }
      default:
        if open.isEmpty, isKey(index, end) { column = index - lines.starts[line] }
        index = plain(line, from: index, end)
      }
    }
  }

  private func isSpace(_ index: Int, _ end: Int) -> Bool { index >= end || TextLines.isBlank(lines.scalars[index]) }

  private func isTemplate(_ index: Int, _ end: Int) -> Bool {
    index + 1 < end && lines.scalars[index] == "{" && lines.scalars[index + 1] == "{"
  }

  private func isKey(_ index: Int, _ end: Int) -> Bool {
    (index..<end).contains { lines.scalars[$0] == ":" && isSpace($0 + 1, end) }
  }

  /// Behind the closing quote; the line's end where it stays open.
  private mutating func closing(_ quote: Unicode.Scalar, from start: Int, _ end: Int) -> Int {
    var index = start
    self.quote = nil
    while index < end {
      if lines.scalars[index] == "\\", quote == "\"" {
        index += 2
      } else if lines.scalars[index] == quote {
        guard quote == "'", index + 1 < end, lines.scalars[index + 1] == "'" else { return index + 1 }
        index += 2
      } else {
        index += 1
      }
    }
    self.quote = quote
    return end
  }

  /// Behind a text without quotes: a key with its ':', or a value, which is noted where it must be in quotes.
  private mutating func plain(_ line: Int, from start: Int, _ end: Int) -> Int {
    var index = start
    var needs = isTemplate(start, end)
    var isCertain = true
    scan: while index < end {
      if isTemplate(index, end) {
        guard let close = closingBraces(index + 2, end) else { return end }
        needs = needs || !open.isEmpty || breaksText(index..<close)
        index = close
        continue
      }
      switch lines.scalars[index] {
      case ":" where isSpace(index + 1, end):
        if !needs { return index + 1 }
        isCertain = false
      case "#" where index > start && TextLines.isBlank(lines.scalars[index - 1]): break scan
      case ",", "}", "]", "[", "{":
        if !open.isEmpty { break scan }
      default: break
      }
      index += 1
    }
    var last = index
    while last > start, TextLines.isBlank(lines.scalars[last - 1]) { last -= 1 }
    if needs, isCertain, isEnd(index, end, of: start..<last) {
      fixes.append(Fix(line: line, range: start..<last, raw: lines.text(start..<last)))
    }
    return index
  }

  private func closingBraces(_ from: Int, _ end: Int) -> Int? {
    var index = from
    while index + 1 < end {
      if lines.scalars[index] == "}", lines.scalars[index + 1] == "}" { return index + 2 }
      index += 1
    }
    return nil
  }

  /// What stands between the braces would end a text without quotes.
  private func breaksText(_ braces: Range<Int>) -> Bool {
    let inside = lines.text(braces)
    return inside.contains(": ") || inside.contains(" #")
  }

  /// Whether the text certainly ends here: at the line's end or a remark; within brackets at one that closes, or at a
  /// comma behind which something new begins.
  private func isEnd(_ index: Int, _ end: Int, of text: Range<Int>) -> Bool {
    if open.isEmpty { return true }
    guard index < end, let bracket = open.last else { return false }
    switch lines.scalars[index] {
    case "}": return bracket == "{"
    case "]": return bracket == "["
    case ",":
      if bracket == "{" { return isKeyNext(index + 1, end) }
      return isTemplate(text.lowerBound, end) && closingBraces(text.lowerBound, end) == text.upperBound
    default: return false
    }
  }

  private func isKeyNext(_ from: Int, _ end: Int) -> Bool {
    let rest = lines.text(from..<end)
    let key = rest.drop { $0 == " " }.prefix { $0.isLetter || $0.isNumber || "._-\"'".contains($0) }
    let after = rest.drop { $0 == " " }.dropFirst(key.count)
    return !key.isEmpty && after.hasPrefix(":")
  }
}
