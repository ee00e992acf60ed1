// New entries and items: in lines behind the last one, in braces behind a comma, in the style of what is there.

extension Splicer {
  /// Behind the last entry of the mapping.
  func insert(_ entries: [YAMLValue.Entry], written: String?, into spot: Spot) -> [Splice] {
    let node = spot.node
    if node.form == .block {
      return append(added(entries, written, column: column(node)), to: node)
    }
    if node.form == .flow, node.entries.isEmpty, let holder = spot.holder, isOpen(node, holder, entries, written) {
      let end = node.range.upperBound
      let text = added(entries, written, column: childColumn(holder))
      return [Splice(holder.lead..<end, ""), Splice(lineEnd(end)..<lineEnd(end), text)]
    }
    return insert(entries.map(writer.pair), into: node)
  }

  /// Behind the last item of the list.
  func append(_ value: YAMLValue, to node: SyntaxNode) -> [Splice] {
    if node.form == .flow { return insert([writer.inline(value, inFlow: true)], into: node) }
    return append(writer.lines(item: value, column: column(node)).map { lineBreak + $0 }.joined(), to: node)
  }

  /// In front of the first entry of the mapping.
  func insertFirst(_ entries: [YAMLValue.Entry], into node: SyntaxNode, _ holder: Holder) -> [Splice] {
    if node.form == .block {
      if holder.parent.isMapping {
        let place = lineEnd(contentStart(node, holder))
        return [Splice(place..<place, added(entries, nil, column: column(node)))]
      }
      let lines = entries.flatMap { writer.lines($0, column: column(node)) }
      let text = lines.joined(separator: lineBreak).dropFirst(column(node))
      let place = node.range.lowerBound
      return [Splice(place..<place, text + lineBreak + writer.blanks(column(node)))]
    }
    guard let first = node.parts.first else { return insert(entries.map(writer.pair), into: node) }
    let text = entries.map(writer.pair).joined(separator: ", ") + ", "
    return [Splice(first.lowerBound..<first.lowerBound, text)]
  }

  /// Whether `{}` behind a key may become lines under it.
  private func isOpen(_ node: SyntaxNode, _ holder: Holder, _ entries: [YAMLValue.Entry], _ written: String?) -> Bool {
    let isAlone = holder.parent.form == .block && holder.parent.isMapping && node.anchor == nil
    let isBare = node.range.count == 2 && !hasBreak(holder.lead..<node.range.lowerBound)
    return isAlone && isBare && (written != nil || !YAMLValue.mapping(entries).isSimple)
  }

  /// Lines behind the last part of a block collection and the comments in it, with an empty line between where the
  /// parts before are apart.
  private func append(_ text: String, to node: SyntaxNode) -> [Splice] {
    guard let last = node.parts.last else { return [] }
    let place = lines.ends[tail(last, column: column(node))]
    return [Splice(place..<place, (isSpaced(node) ? lineBreak : "") + text)]
  }

  /// The last line of a part, with the comment lines under it that stand deeper than its beginning.
  func tail(_ part: Range<Int>, column: Int) -> Int {
    var line = lines.line(of: part.upperBound)
    while line + 1 < lines.count, lines.isComment(line + 1), lines.indentation(line + 1) > column { line += 1 }
    return line
  }

  private func isSpaced(_ node: SyntaxNode) -> Bool {
    let parts = node.parts
    guard parts.count > 1, let last = node.values.last else { return false }
    // An empty line under such a text would be part of it.
    if blockMarks(of: last)?.contains("+") == true { return false }
    let head = head(parts.count - 1, of: node)
    return head > 0 && lines.isBlank(head - 1) && head - 1 > lines.line(of: parts[parts.count - 2].upperBound)
  }

  /// Behind the last part within brackets.
  private func insert(_ texts: [String], into node: SyntaxNode) -> [Splice] {
    guard node.form == .flow else { return [] }
    let (open, close) = (node.range.lowerBound + 1, node.range.upperBound - 1)
    guard let last = node.parts.last else {
      let text = texts.joined(separator: ", ")
      let blank = node.isMapping ? " " : ""
      if hasBreak(open..<close) { return [Splice(open..<open, " " + text)] }
      return [Splice(open..<close, blank + text + blank)]
    }
    let end = last.upperBound
    if lines.isFirst(last.lowerBound), hasBreak(end..<close) { return insertLines(texts, behind: last, close) }
    let gap = lines[end - 1] == ":" ? " , " : ", "
    return [Splice(end..<end, gap + texts.joined(separator: ", "))]
  }

  /// Within brackets whose parts have a line each.
  private func insertLines(_ texts: [String], behind last: Range<Int>, _ close: Int) -> [Splice] {
    let end = last.upperBound
    let indentation = lineBreak + writer.blanks(lines.column(of: last.lowerBound))
    let text = texts.map { indentation + $0 }.joined(separator: ",")
    let comma = comma(in: end..<close)
    let place = lineEnd(end)
    if let comma, comma < place { return [Splice(place..<place, text + ",")] }
    if comma != nil || close < place { return [Splice(end..<end, ", " + texts.joined(separator: ", "))] }
    return [Splice(end..<end, ","), Splice(place..<place, text)]
  }

  /// The comma between two parts of a flow collection.
  func comma(in gap: Range<Int>) -> Int? {
    var index = gap.lowerBound
    while index < gap.upperBound {
      if lines.scalars[index] == "," { return index }
      index = lines.scalars[index] == "#" ? lineEnd(index) : index + 1
    }
    return nil
  }
}
