// YAMLNode → SyntaxNode: walks the text along the parser's tree and finds where each part ends. What it does not expect
// ends the walk, so that it never says of a text what the parser does not say.

struct SyntaxReader {
  private let lines: TextLines

  private init(_ lines: TextLines) { self.lines = lines }

  /// The document's root, in the text that `root` was read from.
  static func read(_ root: YAMLNode, in lines: TextLines) throws(EditFault) -> SyntaxNode {
    let reader = SyntaxReader(lines)
    return try reader.node(root, from: lines.offset(root.place), indent: -1, inFlow: false)
  }

  private func surprise(at offset: Int) -> EditFault {
    let line = lines.line(of: min(offset, lines.scalars.count)) + 1
    return EditFault(
      "unusual_yaml",
      "line \(line) is written in a way that edits by command do not understand: edit the file by hand")
  }

  /// The next place that is neither blank nor a break nor in a comment.
  private func skip(_ offset: Int) -> Int {
    var index = offset
    while let scalar = lines[index] {
      if scalar == "#", index == 0 || Self.isSpace(lines[index - 1]) {
        index = lines.ends[lines.line(of: index)]
      } else if TextLines.isBlank(scalar) || TextLines.isBreak(scalar) {
        index += 1
      } else {
        break
      }
    }
    return index
  }

  private func skipBlanks(_ offset: Int) -> Int {
    var index = offset
    while let scalar = lines[index], TextLines.isBlank(scalar) { index += 1 }
    return index
  }

  private static func isSpace(_ scalar: Unicode.Scalar?) -> Bool {
    scalar.map { TextLines.isBlank($0) || TextLines.isBreak($0) } ?? true
  }

  private func nameEnd(_ offset: Int) -> Int {
    var index = offset
    while let scalar = lines[index], !Self.isSpace(scalar), !",[]{}".unicodeScalars.contains(scalar) { index += 1 }
    return index
  }
}

// Nodes.
extension SyntaxReader {
  /// `indent`: the column of the innermost block collection around it.
  private func node(_ tree: YAMLNode, from cursor: Int, indent: Int, inFlow: Bool) throws(EditFault) -> SyntaxNode {
    var start = tree.isEmpty ? skipBlanks(cursor) : skip(cursor)
    if lines[start] == "*" {
      let end = nameEnd(start + 1)
      return SyntaxNode(
        form: .alias, range: start..<end, content: .scalar, anchor: nil, alias: lines.text(start + 1..<end))
    }
    var anchor: (name: String, range: Range<Int>)?
    if lines[start] == "&" {
      let end = nameEnd(start + 1)
      anchor = (lines.text(start + 1..<end), start..<end)
      start = tree.isEmpty ? end : skip(end)
    }
    if tree.isEmpty {
      let place = anchor?.range.upperBound ?? cursor
      return SyntaxNode(form: .nothing, range: place..<place, content: .scalar, anchor: anchor, alias: nil)
    }
    var node = try content(tree, at: start, indent: indent, inFlow: inFlow)
    if let anchor, node.form == .block, lines.line(of: anchor.range.lowerBound) == lines.line(of: start) {
      throw surprise(at: start)
    }
    node.anchor = anchor
    return node
  }

  private func content(_ tree: YAMLNode, at start: Int, indent: Int, inFlow: Bool) throws(EditFault) -> SyntaxNode {
    func node(_ form: SyntaxNode.Form, _ end: Int, _ content: SyntaxNode.Content) -> SyntaxNode {
      SyntaxNode(form: form, range: start..<end, content: content, anchor: nil, alias: nil)
    }
    switch tree.content {
    case .scalar(let text, let plain):
      return node(.scalar, try scalarEnd(text, plain: plain, at: start, indent: indent), .scalar)
    case .mapping(let entries):
      if lines[start] == "{" {
        let (found, end) = try flowEntries(entries, from: start + 1)
        return node(.flow, end, .mapping(found))
      }
      if inFlow {
        guard entries.count == 1 else { throw surprise(at: start) }
        let entry = try flowEntry(entries[0], at: start)
        return node(.pair, max(entry.colon, entry.value.range.upperBound), .mapping([entry]))
      }
      let found = try blockEntries(entries, from: start)
      return node(.block, found.last.map { max($0.colon, $0.value.range.upperBound) } ?? start, .mapping(found))
    case .sequence(let items):
      if lines[start] == "[" {
        let (found, end) = try flowItems(items, from: start + 1)
        return node(.flow, end, .sequence(found))
      }
      let found = try blockItems(items, from: start)
      return node(.block, found.last.map { max($0.start + 1, $0.value.range.upperBound) } ?? start, .sequence(found))
    }
  }

  private func blockEntries(_ entries: [YAMLNode.Entry], from start: Int) throws(EditFault) -> [SyntaxNode.Entry] {
    let column = lines.column(of: start)
    var found: [SyntaxNode.Entry] = []
    var cursor = start
    for entry in entries {
      let place = skip(cursor)
      guard place == lines.offset(entry.keyPlace), lines.column(of: place) == column else { throw surprise(at: place) }
      let key = place..<(try keyEnd(entry.key, at: place))
      let colon = skipBlanks(key.upperBound)
      guard lines[colon] == ":" else { throw surprise(at: place) }
      let value = try node(entry.value, from: colon + 1, indent: column, inFlow: false)
      found.append(.init(name: entry.key, key: key, colon: colon + 1, hasColon: true, value: value))
      cursor = max(colon + 1, value.range.upperBound)
    }
    return found
  }

  private func blockItems(_ items: [YAMLNode], from start: Int) throws(EditFault) -> [SyntaxNode.Item] {
    let column = lines.column(of: start)
    var found: [SyntaxNode.Item] = []
    var cursor = start
    for item in items {
      let place = skip(cursor)
      guard lines[place] == "-", Self.isSpace(lines[place + 1]), lines.column(of: place) == column else {
        throw surprise(at: place)
      }
      let value = try node(item, from: place + 1, indent: column, inFlow: false)
      found.append(.init(start: place, value: value))
      cursor = max(place + 1, value.range.upperBound)
    }
    return found
  }

  private func flowEntries(_ entries: [YAMLNode.Entry], from start: Int) throws(EditFault) -> (
    [SyntaxNode.Entry], end: Int
  ) {
    var found: [SyntaxNode.Entry] = []
    var cursor = start
    for entry in entries {
      let place = try flowStart(cursor, isFirst: found.isEmpty)
      let next = try flowEntry(entry, at: place)
      found.append(next)
      cursor = max(next.colon, next.value.range.upperBound)
    }
    return (found, try flowEnd(cursor, "}", isEmpty: found.isEmpty))
  }

  private func flowEntry(_ entry: YAMLNode.Entry, at place: Int) throws(EditFault) -> SyntaxNode.Entry {
    guard place == lines.offset(entry.keyPlace) else { throw surprise(at: place) }
    let key = place..<(try keyEnd(entry.key, at: place))
    let colon = skip(key.upperBound)
    guard lines[colon] == ":" else {
      guard entry.value.isEmpty else { throw surprise(at: place) }
      let end = key.upperBound
      let value = SyntaxNode(form: .nothing, range: end..<end, content: .scalar, anchor: nil, alias: nil)
      return .init(name: entry.key, key: key, colon: end, hasColon: false, value: value)
    }
    let value = try node(entry.value, from: colon + 1, indent: -1, inFlow: true)
    return .init(name: entry.key, key: key, colon: colon + 1, hasColon: true, value: value)
  }

  private func flowItems(_ items: [YAMLNode], from start: Int) throws(EditFault) -> ([SyntaxNode.Item], end: Int) {
    var found: [SyntaxNode.Item] = []
    var cursor = start
    for item in items {
      let place = try flowStart(cursor, isFirst: found.isEmpty)
      let value = try node(item, from: place, indent: -1, inFlow: true)
      found.append(.init(start: value.whole.lowerBound, value: value))
      cursor = value.range.upperBound
    }
    return (found, try flowEnd(cursor, "]", isEmpty: found.isEmpty))
  }

  private func flowStart(_ cursor: Int, isFirst: Bool) throws(EditFault) -> Int {
    let place = skip(cursor)
    if isFirst { return place }
    guard lines[place] == "," else { throw surprise(at: place) }
    return skip(place + 1)
  }

  private func flowEnd(_ cursor: Int, _ bracket: Unicode.Scalar, isEmpty: Bool) throws(EditFault) -> Int {
    var place = skip(cursor)
    if lines[place] == ",", !isEmpty { place = skip(place + 1) }
    guard lines[place] == bracket else { throw surprise(at: place) }
    return place + 1
  }
}

// Scalars.
extension SyntaxReader {
  private func keyEnd(_ key: String, at start: Int) throws(EditFault) -> Int {
    if lines[start] == "\"" || lines[start] == "'" { return try quotedEnd(start) }
    let end = start + key.unicodeScalars.count
    guard end <= lines.scalars.count, lines.text(start..<end) == key, end > start else { throw surprise(at: start) }
    return end
  }

  private func scalarEnd(_ text: String, plain: Bool, at start: Int, indent: Int) throws(EditFault) -> Int {
    if plain { return try plainEnd(text, start) }
    switch lines[start] {
    case "\"", "'": return try quotedEnd(start)
    case "|", ">": return blockEnd(start, indent)
    default: throw surprise(at: start)
    }
  }

  private func quotedEnd(_ start: Int) throws(EditFault) -> Int {
    let quote = lines[start]
    var index = start + 1
    while let scalar = lines[index] {
      if scalar == "\\", quote == "\"" {
        index += 2
      } else if scalar == quote {
        guard quote == "'", lines[index + 1] == "'" else { return index + 1 }
        index += 2
      } else {
        index += 1
      }
    }
    throw surprise(at: start)
  }

  /// Follows the value through the text: breaks between words are folded in it.
  private func plainEnd(_ text: String, _ start: Int) throws(EditFault) -> Int {
    var index = start
    var value = Array(text.unicodeScalars)[...]
    while let next = value.first {
      guard next == " " || next == "\t" || next == "\n" else {
        guard lines[index] == next else { throw surprise(at: index) }
        index += 1
        value.removeFirst()
        continue
      }
      var end = index
      var breaks = 0
      while let scalar = lines[end], Self.isSpace(scalar) {
        let isPair = scalar == "\r" && lines[end + 1] == "\n"
        if TextLines.isBreak(scalar), !isPair { breaks += 1 }
        end += 1
      }
      let width = breaks == 0 ? end - index : max(1, breaks - 1)
      guard value.count > width, end > index else { throw surprise(at: index) }
      value.removeFirst(width)
      index = end
    }
    return index
  }

  /// The end of the last line that belongs to a block scalar.
  private func blockEnd(_ start: Int, _ indent: Int) -> Int {
    let header = lines.line(of: start)
    let marks = lines.text(start..<lines.ends[header]).unicodeScalars.prefix { !Self.isSpace($0) }
    let keeps = marks.contains("+")
    let given = marks.first { ("1"..."9").contains($0) }.map { Int($0.value) - 48 + max(0, indent) }
    var wanted = given
    var last = header
    var line = header + 1
    while line < lines.count {
      let depth = lines.indentation(line)
      let isEmpty = lines.starts[line] + depth == lines.ends[line]
      if !isEmpty, wanted == nil { wanted = max(depth, indent + 1, 1) }
      if !isEmpty, depth < wanted ?? 0 { break }
      if !isEmpty || keeps || (wanted.map { depth > $0 } ?? false) { last = line }
      line += 1
    }
    // A file's last break does not begin a line of its own.
    if last == lines.count - 1, last > header, lines.starts[last] == lines.ends[last] { last -= 1 }
    return lines.ends[last]
  }
}
