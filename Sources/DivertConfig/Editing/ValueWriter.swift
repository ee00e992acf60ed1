// YAMLValue → YAML text: in one line, or as lines at a column.

struct ValueWriter {
  /// How much deeper a collection stands than its key.
  var step: Int
  /// Where a line should end at the latest.
  var width = 120

  /// `{ a: b }`, `[a, b]`, or a scalar.
  func inline(_ value: YAMLValue, inFlow: Bool) -> String {
    switch value {
    case .scalar(let text, let plain): return ScalarWriter.write(text, plain: plain, inFlow: inFlow)
    case .mapping(let entries):
      if entries.isEmpty { return "{}" }
      let parts = entries.map(pair)
      return "{ " + parts.joined(separator: ", ") + " }"
    case .sequence(let items):
      return "[" + items.map { inline($0, inFlow: true) }.joined(separator: ", ") + "]"
    }
  }

  /// `key: value` within braces.
  func pair(_ entry: YAMLValue.Entry) -> String {
    ScalarWriter.key(entry.key, inFlow: true) + ":" + after(entry.value, inFlow: true)
  }

  private func after(_ value: YAMLValue, inFlow: Bool) -> String {
    value.isNothing ? "" : " " + inline(value, inFlow: inFlow)
  }

  /// The lines of a value that begins at `column`; the first without its indentation.
  func block(_ value: YAMLValue, column: Int) -> [String] {
    switch value {
    case .scalar: return [inline(value, inFlow: false)]
    case .mapping(let entries):
      if entries.isEmpty { return ["{}"] }
      return unindented(entries.flatMap { lines($0, column: column) }, column)
    case .sequence(let items):
      if items.isEmpty { return ["[]"] }
      return unindented(items.flatMap { lines(item: $0, column: column) }, column)
    }
  }

  private func unindented(_ lines: [String], _ column: Int) -> [String] {
    [String(lines[0].dropFirst(column))] + lines.dropFirst()
  }

  /// `key: value` as lines at `column`.
  func lines(_ entry: YAMLValue.Entry, column: Int) -> [String] {
    let head = blanks(column) + ScalarWriter.key(entry.key, inFlow: false) + ":"
    let short = head + after(entry.value, inFlow: false)
    if entry.value.isLeaf || (entry.value.isSimple && short.count <= width) { return [short] }
    let deeper = column + step
    let body = block(entry.value, column: deeper)
    return [head, blanks(deeper) + body[0]] + body.dropFirst()
  }

  /// `- value` as lines at `column`.
  func lines(item: YAMLValue, column: Int) -> [String] {
    if item.isNothing { return [blanks(column) + "-"] }
    let short = blanks(column) + "- " + inline(item, inFlow: false)
    if item.isLeaf { return [short] }
    if case .sequence = item, item.isSimple, short.count <= width { return [short] }
    let body = block(item, column: column + 2)
    return [blanks(column) + "- " + body[0]] + body.dropFirst()
  }

  func blanks(_ count: Int) -> String { String(repeating: " ", count: count) }
}
