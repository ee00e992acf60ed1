// Another value in the place of one that is there, or where nothing stands yet.

extension Splicer {
  func replace(_ spot: Spot, with value: YAMLValue) -> [Splice] {
    let node = spot.node
    guard let holder = spot.holder else {
      return [Splice(node.whole, block(value, column: column(node)))]
    }
    if holder.parent.form != .block { return inFlow(node, holder, writer.inline(value, inFlow: true)) }
    if !isBlock(value, over: node, holder) {
      let text = value.isNothing ? "" : writer.inline(value, inFlow: false)
      return node.form == .block ? inlineOverBlock(node, holder, text) : inlineOverInline(node, holder, text)
    }
    return node.form == .block ? blockOverBlock(node, holder, value) : blockOverInline(node, holder, value)
  }

  /// New entries where nothing stands: `key:` and no more.
  func fill(_ spot: Spot, _ entries: [YAMLValue.Entry], _ written: String?) -> [Splice] {
    guard let holder = spot.holder else { return [] }
    let value = YAMLValue.mapping(entries)
    if holder.parent.form != .block { return inFlow(spot.node, holder, writer.inline(value, inFlow: true)) }
    if holder.parent.isSequence { return blockOverInline(spot.node, holder, value) }
    let place = lineEnd(contentStart(spot.node, holder))
    return [Splice(place..<place, added(entries, written, column: childColumn(holder)))]
  }

  /// Entries as lines, a break in front of each.
  func added(_ entries: [YAMLValue.Entry], _ written: String?, column: Int) -> String {
    let text = written.map { Snippet.indented($0, to: column) } ?? entries.flatMap { writer.lines($0, column: column) }
    return text.map { lineBreak + $0 }.joined()
  }

  /// Where the value of an entry's lines begins: behind `key:`, and behind an anchor.
  func contentStart(_ node: SyntaxNode, _ holder: Holder) -> Int {
    max(holder.lead, node.anchor?.range.upperBound ?? 0)
  }

  func childColumn(_ holder: Holder) -> Int { column(holder.parent) + writer.step }

  private func isBlock(_ value: YAMLValue, over node: SyntaxNode, _ holder: Holder) -> Bool {
    if value.isLeaf || node.form == .flow { return false }
    if node.form == .block || !value.isSimple { return true }
    return lines.column(of: holder.lead) + 1 + writer.inline(value, inFlow: false).count > writer.width
  }

  private func block(_ value: YAMLValue, column: Int) -> String {
    writer.block(value, column: column).joined(separator: lineBreak)
  }

  private func inFlow(_ node: SyntaxNode, _ holder: Holder, _ text: String) -> [Splice] {
    guard node.form == .nothing else { return [Splice(node.whole, text)] }
    if case .mapping(let entries) = holder.parent.content, !entries[holder.index].hasColon {
      return [Splice(holder.lead..<holder.lead, ": " + text)]
    }
    return [Splice(holder.lead..<contentStart(node, holder), " " + text)]
  }

  /// The mark and the digits of a block scalar; nil for anything else.
  func header(_ node: SyntaxNode) -> Range<Int>? {
    guard case .scalar = node.form, let first = lines[node.range.lowerBound], first == "|" || first == ">" else {
      return nil
    }
    var end = node.range.lowerBound
    while let scalar = lines[end], !TextLines.isBlank(scalar), !TextLines.isBreak(scalar) { end += 1 }
    return node.range.lowerBound..<end
  }

  private func inlineOverInline(_ node: SyntaxNode, _ holder: Holder, _ text: String) -> [Splice] {
    if node.form == .nothing { return [Splice(holder.lead..<contentStart(node, holder), " " + text)] }
    guard let header = header(node) else { return [Splice(node.whole, text)] }
    return [
      Splice(node.whole.lowerBound..<header.upperBound, text),
      Splice(lineEnd(header.lowerBound)..<node.range.upperBound, ""),
    ]
  }

  private func inlineOverBlock(_ node: SyntaxNode, _ holder: Holder, _ text: String) -> [Splice] {
    if holder.parent.isSequence { return [Splice(node.whole, text)] }
    let start = contentStart(node, holder)
    let end = lineEnd(node.range.upperBound)
    if hasBreak(holder.lead..<start) { return [Splice(holder.lead..<end, " " + text)] }
    return [Splice(holder.lead..<start, " " + text), Splice(lineEnd(start)..<end, "")]
  }

  private func blockOverBlock(_ node: SyntaxNode, _ holder: Holder, _ value: YAMLValue) -> [Splice] {
    let anchor = node.anchor.map { [Splice(holder.lead..<$0.range.upperBound, "")] } ?? []
    let column = column(node)
    if column > self.column(holder.parent) || !node.isSequence {
      return anchor + [Splice(node.range, block(value, column: column))]
    }
    // A list that stands at its key's own column: what takes its place must stand deeper.
    let start = lineEnd(contentStart(node, holder))
    let deeper = writer.blanks(childColumn(holder)) + block(value, column: childColumn(holder))
    return anchor + [Splice(start..<lineEnd(node.range.upperBound), lineBreak + deeper)]
  }

  private func blockOverInline(_ node: SyntaxNode, _ holder: Holder, _ value: YAMLValue) -> [Splice] {
    if holder.parent.isSequence {
      let column = node.form == .nothing ? lines.column(of: holder.part.lowerBound) + 2 : column(node)
      let text = block(value, column: column)
      if node.form == .nothing { return [Splice(holder.lead..<contentStart(node, holder), " " + text)] }
      return [Splice(node.whole, text)]
    }
    let end = node.form == .nothing ? contentStart(node, holder) : node.range.upperBound
    let child = childColumn(holder)
    let text = lineBreak + writer.blanks(child) + block(value, column: child)
    if let header = header(node) {
      return [Splice(holder.lead..<header.upperBound, ""), Splice(lineEnd(header.lowerBound)..<end, text)]
    }
    if hasBreak(holder.lead..<max(holder.lead, node.whole.lowerBound)) {
      return [Splice(node.whole, block(value, column: lines.column(of: node.whole.lowerBound)))]
    }
    return [Splice(holder.lead..<end, ""), Splice(lineEnd(end)..<lineEnd(end), text)]
  }
}
