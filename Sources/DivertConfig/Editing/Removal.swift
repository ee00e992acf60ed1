// What goes with an entry or an item: its lines, the comment block directly above it at its own indentation, remarks
// behind it and deeper ones under it, and one of two empty lines around it. What opens the file never goes.

extension Splicer {
  func remove(_ spot: Spot) throws(EditFault) -> [Splice] {
    guard let holder = spot.holder, spot.rest.isEmpty else {
      throw EditFault("not_found", "there is nothing at that path")
    }
    if holder.parent.form == .block { return try removeLines(holder) }
    return removeInline(holder.parent, holder.index)
  }

  /// The first line of a part with the comments that belong to it.
  func head(_ index: Int, of node: SyntaxNode, after lead: Int = 0) -> Int {
    let parts = node.parts
    let own = lines.line(of: parts[index].lowerBound)
    let column = lines.column(of: parts[index].lowerBound)
    let limit = index > 0 ? lines.line(of: parts[index - 1].upperBound) : lead > 0 ? lines.line(of: lead) : -1
    var line = own
    while line - 1 > limit, lines.isComment(line - 1), lines.indentation(line - 1) == column { line -= 1 }
    return line == 0 ? own : line
  }

  private func removeLines(_ holder: Holder) throws(EditFault) -> [Splice] {
    let node = holder.parent
    let part = holder.part
    guard let above = holder.above.last else {
      if node.parts.count == 1 { throw EditFault("not_found", "it is all that the file holds") }
      return [lines(of: holder, lead: 0)]
    }
    let outer = Holder(parent: above.parent, index: above.index, above: [])
    if node.parts.count == 1 { return removeOnly(holder, outer) }
    if lines.isFirst(part.lowerBound) { return [lines(of: holder, lead: outer.lead)] }
    let next = node.parts[holder.index + 1].lowerBound
    let end = lines.ends[tail(part, column: lines.column(of: part.lowerBound))]
    if !hasComment(end..<next) { return [Splice(part.lowerBound..<next, "")] }
    return [Splice(outer.lead..<end, "")]
  }

  /// The last part of a collection goes: an empty one stays behind its key.
  private func removeOnly(_ holder: Holder, _ outer: Holder) -> [Splice] {
    let node = holder.parent
    let empty = node.isMapping ? "{}" : "[]"
    guard lines.isFirst(holder.part.lowerBound) else {
      let end = lines.ends[tail(holder.part, column: column(node))]
      return [Splice(node.range.lowerBound..<end, empty)]
    }
    let lead = max(outer.lead, node.anchor?.range.upperBound ?? 0)
    return [Splice(lead..<lead, " " + empty), lines(of: holder, lead: outer.lead)]
  }

  private func lines(of holder: Holder, lead: Int) -> Splice {
    let node = holder.parent
    let part = holder.part
    var first = head(holder.index, of: node, after: lead)
    var last = tail(part, column: lines.column(of: part.lowerBound))
    let limit = holder.index > 0 ? lines.line(of: node.parts[holder.index - 1].upperBound) : lines.line(of: lead)
    let isLast = holder.index == node.parts.count - 1
    let marks = holder.index > 0 ? blockMarks(of: node.values[holder.index - 1]) : nil
    if marks?.contains("+") == true {
      // Empty lines that come to stand under such a text would be part of it.
      while last + 1 < lines.count - 1, lines.isBlank(last + 1) { last += 1 }
    } else if isEnd(last) || lines.isBlank(last + 1) || (isLast && holder.index > 0) {
      while first - 1 > limit, lines.isBlank(first - 1) { first -= 1 }
    }
    if last + 1 < lines.count { return Splice(lines.starts[first]..<lines.starts[last + 1], "") }
    // Without a break at its end a file stays so, unless the text of a block would lose its own.
    let keepsBreak = first == 0 || marks.map { !$0.contains("-") } == true
    return Splice((keepsBreak ? lines.starts[first] : lines.ends[first - 1])..<lines.scalars.count, "")
  }

  private func isEnd(_ line: Int) -> Bool {
    line + 1 >= lines.count || (line + 2 == lines.count && lines.isBlank(line + 1))
  }

  /// The marks of the block scalar that a value ends with; nil where it ends otherwise.
  func blockMarks(of value: SyntaxNode) -> String? {
    if value.form == .block, let last = value.values.last { return blockMarks(of: last) }
    return header(value).map(lines.text)
  }

  // MARK: Within brackets

  private func removeInline(_ node: SyntaxNode, _ index: Int) -> [Splice] {
    guard node.form == .flow else { return [] }
    let parts = node.parts
    let part = parts[index]
    let close = node.range.upperBound - 1
    if let whole = ownLines(node, index) { return [whole] }
    if parts.count == 1 {
      let inside = node.range.lowerBound + 1..<close
      if !hasBreak(inside) { return [Splice(inside, "")] }
      let comma = comma(in: part.upperBound..<close)
      let end = comma.map { $0 + 1 } ?? part.upperBound
      return [Splice(part.lowerBound..<(remarkEnd(node, index, before: close) ?? end), "")]
    }
    if index + 1 < parts.count {
      let next = parts[index + 1].lowerBound
      let remark = remarkEnd(node, index, before: next)
      if !hasComment((remark ?? part.upperBound)..<next) { return [Splice(part.lowerBound..<next, "")] }
      if let remark { return [Splice(part.lowerBound..<remark, "")] }
      let end = comma(in: part.upperBound..<next).map { $0 + 1 } ?? part.upperBound
      return [Splice(part.lowerBound..<end, "")]
    }
    let before = parts[index - 1].upperBound
    return [Splice((hasComment(before..<part.lowerBound) ? part.lowerBound : before)..<part.upperBound, "")]
  }

  /// The end of the remark behind a part whose line no other part is on; nil where there is none.
  private func remarkEnd(_ node: SyntaxNode, _ index: Int, before next: Int) -> Int? {
    let part = node.parts[index]
    let end = lineEnd(part.upperBound)
    if index > 0, lines.line(of: node.parts[index - 1].upperBound) == lines.line(of: part.lowerBound) { return nil }
    return end < next && hasComment(part.upperBound..<end) ? end : nil
  }

  /// The lines of a part that shares them with no other.
  private func ownLines(_ node: SyntaxNode, _ index: Int) -> Splice? {
    let parts = node.parts
    let part = parts[index]
    let next = index + 1 < parts.count ? parts[index + 1].lowerBound : node.range.upperBound - 1
    let last = lines.line(of: part.upperBound)
    guard lines.isFirst(part.lowerBound), lines.line(of: next) > last,
      lines.line(of: part.lowerBound) > lines.line(of: node.range.lowerBound)
    else { return nil }
    if index + 1 < parts.count {
      guard let comma = comma(in: part.upperBound..<next), lines.line(of: comma) == last else { return nil }
    }
    let first = head(index, of: node, after: node.range.lowerBound)
    return Splice(lines.starts[first]..<lines.starts[last + 1], "")
  }
}
