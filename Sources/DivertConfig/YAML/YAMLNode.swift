// A YAML document as the loader sees it: text, order and places, without YAML's own ideas of types.

/// A node of a document with its place.
struct YAMLNode: Sendable {
  indirect enum Content: Sendable {
    /// Plain: written without quotes and not as a block.
    case scalar(String, plain: Bool)
    case mapping([Entry])
    case sequence([YAMLNode])
  }

  struct Entry: Sendable {
    var key: String
    var keyPlace: Place
    var value: YAMLNode
  }

  var content: Content
  var place: Place

  /// The text of a scalar; nil for mappings and lists.
  var text: String? { if case .scalar(let text, _) = content { text } else { nil } }
  /// The entries of a mapping; nil for scalars and lists.
  var entries: [Entry]? { if case .mapping(let entries) = content { entries } else { nil } }
  /// The items of a list; nil for scalars and mappings.
  var items: [YAMLNode]? { if case .sequence(let items) = content { items } else { nil } }
  /// The text of a scalar that was written without quotes.
  var plainText: String? { if case .scalar(let text, plain: true) = content { text } else { nil } }
  /// Nothing was written here: `key:` and no more.
  var isEmpty: Bool { plainText == "" }

  /// What kind of node this is, as messages say it.
  var kindName: String {
    switch content {
    case .scalar(let text, let plain): plain && text.isEmpty ? "nothing" : "a single value"
    case .mapping: "a mapping"
    case .sequence: "a list"
    }
  }

  /// The value of the entry with this key; nil where there is none.
  subscript(key: String) -> YAMLNode? { entries?.first { $0.key == key }?.value }
}
