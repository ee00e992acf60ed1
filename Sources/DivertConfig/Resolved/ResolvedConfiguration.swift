// The configuration in force, for people and programs: what `divert check --resolved` prints.
package import DivertCore

/// Presets expanded, inherited settings and the language's defaults filled in, and each value with where it came from.
package struct ResolvedConfiguration: Sendable {
  private let root: YAMLNode
  /// The configuration's version.
  package let version: String

  init(_ root: YAMLNode, version: String) {
    self.root = root
    self.version = version
  }

  /// A whole file in the language that means the same, each value with its origin in a remark behind it.
  package var yaml: String {
    "# The configuration in force, version \(version): presets, inherited settings and defaults filled in.\n"
      + YAMLText(remark: \.origin).text(root)
  }

  /// The same tree; a value is `{"value": …, "origin": "routes.yaml:12"}`.
  package var json: JSONValue { Self.json(root) }

  private static func json(_ node: YAMLNode) -> JSONValue {
    switch node.content {
    case .mapping(let entries):
      .object(JSONObject(entries.map { JSONObject.Member(key: $0.key, value: json($0.value)) }))
    case .sequence(let items): .array(items.map(json))
    case .scalar(let text, let plain):
      [
        "value": plain ? (text.isEmpty ? .null : PlainScalar.value(text) ?? .string(text)) : .string(text),
        "origin": .string(node.place.origin),
      ]
    }
  }
}

extension Place {
  /// Where a value came from, in short: `routes.yaml:12`, `routes.d/west.yaml:3`, `preset http`, `default`.
  var origin: String { source.hasLines ? "\(source.name):\(line)" : source.name }
}

extension LoadResult {
  /// The configuration in force; nil where the files have errors.
  package var resolved: ResolvedConfiguration? {
    guard let table, let root else { return nil }
    return ResolvedConfiguration(Resolver(root, presets).resolved(), version: table.version)
  }
}
