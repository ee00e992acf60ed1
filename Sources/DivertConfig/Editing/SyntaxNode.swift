// A YAML document with the exact stretch of every part of it, which the parser's tree does not have.

/// A node as it is written.
struct SyntaxNode: Sendable {
  enum Form: Sendable, Hashable {
    /// In quotes, plain, or as a block.
    case scalar
    /// Nothing is written.
    case nothing
    /// `*name`.
    case alias
    /// Lines of `key: value`, or of `- item`.
    case block
    /// `{ … }` or `[ … ]`.
    case flow
    /// `[ key: value ]`: a mapping without braces in a list.
    case pair
  }

  struct Entry: Sendable {
    var name: String
    var key: Range<Int>
    /// Behind the `:`; the key's end where there is none.
    var colon: Int
    var hasColon: Bool
    var value: SyntaxNode
  }

  struct Item: Sendable {
    /// The `-` of a block; the value itself in a flow list.
    var start: Int
    var value: SyntaxNode
  }

  enum Content: Sendable {
    case scalar
    case mapping([Entry])
    case sequence([Item])
  }

  var form: Form
  /// Without the anchor.
  var range: Range<Int>
  var content: Content
  /// `&name` in front of it.
  var anchor: (name: String, range: Range<Int>)?
  /// The name of an alias.
  var alias: String?

  /// With the anchor.
  var whole: Range<Int> { (anchor?.range.lowerBound ?? range.lowerBound)..<range.upperBound }

  var entries: [Entry] { if case .mapping(let entries) = content { entries } else { [] } }
  var items: [Item] { if case .sequence(let items) = content { items } else { [] } }
  var isMapping: Bool { if case .mapping = content { true } else { false } }
  var isSequence: Bool { if case .sequence = content { true } else { false } }
  var isCollection: Bool { isMapping || isSequence }

  /// The parts in it, whole: an entry from its key, an item from its dash.
  var parts: [Range<Int>] {
    switch content {
    case .scalar: []
    case .mapping(let entries): entries.map { $0.key.lowerBound..<max($0.colon, $0.value.range.upperBound) }
    case .sequence(let items): items.map { $0.start..<max($0.start + 1, $0.value.range.upperBound) }
    }
  }

  /// The values in it, in order.
  var values: [SyntaxNode] {
    switch content {
    case .scalar: []
    case .mapping(let entries): entries.map(\.value)
    case .sequence(let items): items.map(\.value)
    }
  }

  /// The child that a step of a path names.
  func child(_ step: String) -> (index: Int, node: SyntaxNode)? {
    switch content {
    case .scalar: return nil
    case .mapping(let entries):
      return entries.firstIndex { $0.name == step }.map { ($0, entries[$0].value) }
    case .sequence(let items):
      return Int(step).flatMap { items.indices.contains($0) ? ($0, items[$0].value) : nil }
    }
  }

  /// Every anchor in it, and every alias.
  var names: (anchors: Set<String>, aliases: Set<String>) {
    var names: (anchors: Set<String>, aliases: Set<String>) = ([], [])
    collect(&names)
    return names
  }

  private func collect(_ names: inout (anchors: Set<String>, aliases: Set<String>)) {
    if let anchor { names.anchors.insert(anchor.name) }
    if let alias { names.aliases.insert(alias) }
    for value in values { value.collect(&names) }
  }
}
