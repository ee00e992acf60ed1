// Which stretches of the text an edit replaces. Finds the way along the path; the files beside have the kinds of change.

struct Splicer {
  let lines: TextLines
  let root: SyntaxNode

  /// A node with what is around it.
  struct Spot {
    var node: SyntaxNode
    /// The entry or item that it is the value of; nil for the root.
    var holder: Holder?
    /// What follows of the path where it ends; empty where all of it was found.
    var rest: ArraySlice<String> = []
  }

  struct Holder {
    var parent: SyntaxNode
    var index: Int
    /// The parent's own holder, for what becomes of a parent whose last part goes.
    var above: [(parent: SyntaxNode, index: Int)]

    /// The end of `key:` or `-`, behind which the value stands.
    var lead: Int {
      switch parent.content {
      case .mapping(let entries): entries[index].colon
      case .sequence(let items): parent.form == .block ? items[index].start + 1 : items[index].start
      case .scalar: parent.range.lowerBound
      }
    }

    /// Where the parent's lines begin.
    var part: Range<Int> { parent.parts[index] }
  }

  var writer: ValueWriter { ValueWriter(step: step) }
  var lineBreak: String { lines.lineBreak }

  func splices(_ change: YAMLChange, at path: [String]) throws(EditFault) -> [Splice] {
    let spot = try walk(path)
    switch change {
    case .remove: return try remove(spot)
    case .set(let value):
      guard spot.rest.isEmpty else { return try create(spot, change) }
      return replace(spot, with: value)
    case .add(let entries, let written):
      guard spot.rest.isEmpty else { return try create(spot, change) }
      if spot.node.isMapping { return insert(entries, written: written, into: spot) }
      return fill(spot, entries, written)
    case .addFirst(let entries):
      guard spot.rest.isEmpty, spot.node.isMapping, let holder = spot.holder else { return try create(spot, change) }
      return insertFirst(entries, into: spot.node, holder)
    }
  }

  /// Follows the path as far as it leads. Refuses to go into an alias, or into what an alias repeats.
  private func walk(_ path: [String]) throws(EditFault) -> Spot {
    var spot = Spot(node: root, holder: nil)
    let aliased = root.names.aliases
    for (depth, step) in path.enumerated() {
      try refuse(spot.node, aliased, path.prefix(depth))
      guard let (index, child) = spot.node.child(step) else {
        spot.rest = path[depth...]
        return spot
      }
      let above = spot.holder.map { $0.above + [($0.parent, $0.index)] } ?? []
      spot.holder = Holder(parent: spot.node, index: index, above: above)
      spot.node = child
    }
    try refuseLoss(spot.node, path)
    return spot
  }

  private func refuse(_ node: SyntaxNode, _ aliased: Set<String>, _ path: ArraySlice<String>) throws(EditFault) {
    let name = path.joined(separator: ".")
    let line = lines.line(of: node.whole.lowerBound) + 1
    if let alias = node.alias {
      throw EditFault(
        "aliased",
        "'\(name)' is the alias *\(alias) (line \(line)): a change in it would change what it repeats. "
          + "Edit the file by hand")
    }
    if let anchor = node.anchor, aliased.contains(anchor.name) {
      throw EditFault(
        "aliased",
        "'\(name)' is repeated elsewhere as *\(anchor.name) (&\(anchor.name), line \(line)): a change in it "
          + "would change both. Edit the file by hand")
    }
  }

  /// What goes must not hold an anchor that is named elsewhere.
  private func refuseLoss(_ node: SyntaxNode, _ path: [String]) throws(EditFault) {
    let inside = node.names
    guard let lost = inside.anchors.sorted().first(where: { name in uses(name, outside: node) }) else { return }
    throw EditFault(
      "aliased",
      "'\(path.joined(separator: "."))' holds &\(lost), which *\(lost) repeats elsewhere: edit the file by hand")
  }

  private func uses(_ anchor: String, outside node: SyntaxNode) -> Bool {
    func count(_ other: SyntaxNode) -> Int {
      (other.alias == anchor ? 1 : 0) + other.values.reduce(0) { $0 + count($1) }
    }
    return count(root) > count(node)
  }

  /// How much deeper the file's first collection in a collection stands; 2 where there is none.
  private var step: Int {
    func find(_ node: SyntaxNode) -> Int? {
      for value in node.values where value.form == .block && value.isMapping {
        let difference = lines.column(of: value.range.lowerBound) - lines.column(of: node.range.lowerBound)
        if node.form == .block, node.isMapping, difference > 0 { return difference }
        if let deeper = find(value) { return deeper }
      }
      return nil
    }
    return find(root) ?? 2
  }

  // MARK: What the kinds of change share

  func lineEnd(_ offset: Int) -> Int { lines.ends[lines.line(of: offset)] }

  func column(_ node: SyntaxNode) -> Int { lines.column(of: node.range.lowerBound) }

  func hasComment(_ range: Range<Int>) -> Bool {
    range.contains { index in
      lines.scalars[index] == "#"
        && (index == 0 || TextLines.isBlank(lines.scalars[index - 1]) || TextLines.isBreak(lines.scalars[index - 1]))
    }
  }

  func hasBreak(_ range: Range<Int>) -> Bool { lines.scalars[range].contains(where: TextLines.isBreak) }

  /// What the rest of the path and the change make, under the rest's first name in the mapping or list that is there.
  private func create(_ spot: Spot, _ change: YAMLChange) throws(EditFault) -> [Splice] {
    guard let name = spot.rest.first, let value = YAMLValue.created(spot.rest.dropFirst(), change) else {
      if case .add(let entries, let written) = change { return fill(spot, entries, written) }
      if case .addFirst(let entries) = change { return fill(spot, entries, nil) }
      throw EditFault("not_found", "there is nothing at that path")
    }
    var written: String?
    if case .add(_, let text?) = change { written = Snippet.wrapped(text, in: spot.rest.dropFirst(), step: step) }
    let entry = YAMLValue.Entry(name, value)
    if spot.node.isSequence { return append(value, to: spot.node) }
    let line = written.map { Snippet.wrapped($0, in: [name], step: step) }
    if spot.node.isMapping { return insert([entry], written: line, into: spot) }
    return fill(spot, [entry], line)
  }
}

/// Lines that somebody wrote, to be put elsewhere.
enum Snippet {
  /// The lines of a text under keys, one within the other.
  static func wrapped(_ text: String, in keys: some BidirectionalCollection<String>, step: Int) -> String {
    keys.reversed().reduce(text) { text, key in
      ScalarWriter.key(key, inFlow: false) + ":\n" + indented(text, to: step).joined(separator: "\n")
    }
  }

  /// The lines of a block-style text, shifted so that they stand at `column`; empty lines stay empty.
  static func indented(_ text: String, to column: Int) -> [String] {
    let source = TextLines(text)
    var written = (0..<source.count).map { source.text(source.starts[$0]..<source.ends[$0]) }
    while let last = written.last, last.allSatisfy({ $0 == " " || $0 == "\t" }) { written.removeLast() }
    while let first = written.first, first.allSatisfy({ $0 == " " || $0 == "\t" }) { written.removeFirst() }
    let depths = written.filter { !$0.allSatisfy { $0 == " " || $0 == "\t" } }
      .map { $0.unicodeScalars.prefix { $0 == " " }.count }
    let shift = column - (depths.min() ?? 0)
    return written.map { line in
      if line.isEmpty { return line }
      return shift >= 0 ? String(repeating: " ", count: shift) + line : String(line.dropFirst(-shift))
    }
  }
}
