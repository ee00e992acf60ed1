// What is quoted, a comment, a block, a plain value or a bracket in a YAML text that need not be right: for faults that the
// YAML parser itself cannot explain, or would not survive.

/// A reader of YAML's outlines: what is quoted, a comment, a block or a plain value, and how deep in brackets.
struct Outline {
  private(set) var templates: [UnquotedTemplate] = []
  /// Where a key begins that is a list, a mapping or an alias: the first of them.
  private(set) var complexKey: (line: Int, column: Int)?
  /// The brackets that are open.
  private var brackets: [Unicode.Scalar] = []
  /// Behind a `{`, or a `,` within one.
  private var isKeyPlace = false
  /// The quote that a value of an earlier line is still in.
  private var quote: Unicode.Scalar?
  private var block: Block?
  /// How far the line was indented whose last value was plain, and may go on.
  private var plainIndent: Int?

  private struct Block {
    var parent: Int
    var indent: Int?
  }

  private var line: [Unicode.Scalar] = []
  private var at = 0
  private var number = 0

  init(of source: SourceText) {
    for number in 1...source.lineCount { read(Array(source.scalars(number)), number) }
  }

  private var depth: Int { brackets.count }

  private mutating func read(_ line: [Unicode.Scalar], _ number: Int) {
    let indent = line.prefix { $0 == " " }.count
    if indent == line.count || isInBlock(indent) { return }
    self.line = line
    self.number = number
    at = 0
    if quote == nil, depth == 0, let plainIndent, indent > plainIndent { return }
    plainIndent = nil
    if quote != nil { skipQuoted() }
    while at < line.count { readValue(indent) }
  }

  private mutating func isInBlock(_ indent: Int) -> Bool {
    guard var block else { return false }
    if block.indent == nil, indent > block.parent { block.indent = indent }
    let isIn = block.indent.map { indent >= $0 } ?? false
    self.block = isIn ? block : nil
    return isIn
  }

  /// Reads what stands at a place where a value may begin.
  private mutating func readValue(_ indent: Int) {
    let scalar = line[at]
    switch scalar {
    case " ", "\t": at += 1
    case "#": at = line.count
    case ",":
      isKeyPlace = brackets.last == "{"
      at += 1
    case "\"", "'":
      quote = scalar
      at += 1
      skipQuoted()
      isKeyPlace = false
    case "-" where depth == 0 && isBlank(at + 1): at += 1
    case "?" where isBlank(at + 1):
      note(complexKey: at)
      at += 1
    case ":" where isBlank(at + 1) || depth > 0:
      isKeyPlace = false
      at += 1
    case "&", "!": skipWord()
    case "*": readAlias()
    case "|" where depth == 0, ">" where depth == 0:
      block = Block(parent: indent)
      at = line.count
    case "{" where sees("{{", at: at): readTemplate(from: at, braces: at)
    case "[", "{", "]", "}": readBracket(scalar)
    default: readPlain(indent)
    }
  }

  private mutating func readBracket(_ bracket: Unicode.Scalar) {
    if bracket == "[" || bracket == "{" {
      if isKeyPlace { note(complexKey: at) }
      brackets.append(bracket)
      isKeyPlace = bracket == "{"
      at += 1
    } else {
      _ = brackets.popLast()
      isKeyPlace = false
      at += 1
      if isColon(behind: at) { note(complexKey: at - 1) }
    }
  }

  private mutating func readAlias() {
    let start = at
    while at < line.count, !isBlank(at), !isBracket(at), line[at] != ":" { at += 1 }
    if isKeyPlace || isColon(behind: at) { note(complexKey: start) }
    isKeyPlace = false
  }

  private func isColon(behind place: Int) -> Bool {
    line[min(place, line.count)...].first { $0 != " " && $0 != "\t" } == ":"
  }

  private mutating func note(complexKey column: Int) {
    complexKey = complexKey ?? (number, column + 1)
  }

  private mutating func skipQuoted() {
    while at < line.count, let quote {
      if quote == "\"", line[at] == "\\" {
        at += 2
      } else if line[at] == quote, quote == "'", sees("''", at: at) {
        at += 2
      } else {
        if line[at] == quote { self.quote = nil }
        at += 1
      }
    }
  }

  private mutating func skipWord() {
    while at < line.count, !isBlank(at) { at += 1 }
  }

  /// A plain value, or a key: up to `: `, a comment, the end of the line, and in brackets up to one of those or a comma.
  private mutating func readPlain(_ indent: Int) {
    let start = at
    isKeyPlace = false
    while at < line.count {
      if sees("{{", at: at) {
        if depth > 0 || breaks(template: at) { return readTemplate(from: start, braces: at) }
        at = end(ofTemplate: at)
        continue
      }
      if line[at] == ":", isBlank(at + 1) || (depth > 0 && isBracket(at + 1)) { return }
      if line[at] == "#", isBlank(at - 1) { break }
      if depth > 0, isBracket(at) { return }
      at += 1
    }
    if depth == 0 { plainIndent = indent }
  }

  /// Whether the inside of a template ends a plain value: `: ` or ` #`.
  private func breaks(template start: Int) -> Bool {
    (start..<end(ofTemplate: start)).contains { place in
      (line[place] == ":" && isBlank(place + 1)) || (line[place] == "#" && isBlank(place - 1))
    }
  }

  private mutating func readTemplate(from start: Int, braces: Int) {
    at = braces
    isKeyPlace = false
    while at < line.count {
      if sees("{{", at: at) {
        at = end(ofTemplate: at)
      } else if depth > 0 ? isBracket(at) : line[at] == "#" && isBlank(at - 1) {
        break
      } else {
        at += 1
      }
    }
    var last = min(at, line.count)
    while last > start, isBlank(last - 1) { last -= 1 }
    templates.append(UnquotedTemplate(line: number, range: start..<last, braces: braces))
  }

  /// Behind the `}}` of a template; the end of what can belong to it where there is none.
  private func end(ofTemplate start: Int) -> Int {
    var place = start + 2
    while place < line.count {
      if sees("}}", at: place) { return place + 2 }
      place += 1
    }
    return line.count
  }

  private func sees(_ two: StaticString, at place: Int) -> Bool {
    guard place + 1 < line.count else { return false }
    return line[place].value == UInt32(two.utf8Start[0]) && line[place + 1].value == UInt32(two.utf8Start[1])
  }

  private func isBlank(_ place: Int) -> Bool {
    place < 0 || place >= line.count || line[place] == " " || line[place] == "\t"
  }

  private func isBracket(_ place: Int) -> Bool {
    place < line.count && [",", "[", "]", "{", "}"].contains(line[place])
  }
}
