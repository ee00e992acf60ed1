// `targets.crm.limit`, `routes.agent-declined.when.local.time`, `/targets/crm/limit` → the steps of a path in a file.
package import DivertCore

/// Reads paths as people write them.
package enum EditPath {
  /// The steps that a written path means in this file. Dots part them; a name that has dots of its own is taken whole
  /// where it stands in the file, where it is a field of an event, or in quotes. Beginning with `/`, slashes part them.
  package static func steps(_ path: String, in root: YAMLValue) throws(EditFault) -> [String] {
    if path.hasPrefix("/") { return path.dropFirst().split(separator: "/").map(String.init) }
    var rest = try tokens(path)[...]
    var steps: [String] = []
    var value: YAMLValue? = root
    while let first = rest.first {
      let count = length(rest, in: value, isCondition: steps.contains("when"))
      let step = count == 1 ? first.text : rest.prefix(count).map(\.text).joined(separator: ".")
      steps.append(step)
      rest = rest.dropFirst(count)
      value = value?[step]
    }
    return steps
  }

  /// A route's path, `agent-declined/by-day`, as steps.
  package static func route(_ path: String) -> [String] {
    let names = path.split(separator: "/").map(String.init)
    return ["routes"] + Array(names.map { [$0] }.joined(separator: ["also"]))
  }

  private struct Token {
    var text: String
    var isQuoted: Bool
  }

  private static func tokens(_ path: String) throws(EditFault) -> [Token] {
    var tokens: [Token] = []
    var rest = Substring(path)
    while true {
      if let quote = rest.first, quote == "\"" || quote == "'" {
        rest.removeFirst()
        guard let end = rest.firstIndex(of: quote) else { throw bad(path) }
        tokens.append(Token(text: String(rest[..<end]), isQuoted: true))
        rest = rest[rest.index(after: end)...]
      } else {
        let text = rest.prefix { $0 != "." }
        if text.isEmpty { throw bad(path) }
        tokens.append(Token(text: String(text), isQuoted: false))
        rest = rest.dropFirst(text.count)
      }
      if rest.isEmpty { return tokens }
      guard rest.removeFirst() == "." else { throw bad(path) }
    }
  }

  private static func bad(_ path: String) -> EditFault {
    EditFault("bad_path", "'\(path)' is no path: write names with dots between, such as targets.crm.limit")
  }

  /// How many tokens the next name is made of.
  private static func length(_ tokens: ArraySlice<Token>, in value: YAMLValue?, isCondition: Bool) -> Int {
    let bare = tokens.prefix { !$0.isQuoted }.map(\.text)
    guard bare.count > 1 else { return 1 }
    let names = (1...bare.count).reversed().map { bare.prefix($0).joined(separator: ".") }
    if let known = names.first(where: { value?[$0] != nil }) { return known.split(separator: ".").count }
    guard isCondition else { return 1 }
    let fields = Set(EventField.allCases.map(\.rawValue) + ["local.time", "local.weekday"])
    return names.first { fields.contains($0) }.map { $0.split(separator: ".").count } ?? 1
  }
}

extension YAMLValue {
  /// The value under a name, or at a place in a list; nil where there is none.
  package subscript(step: String) -> YAMLValue? {
    switch self {
    case .scalar: nil
    case .mapping(let entries): entries.first { $0.key == step }?.value
    case .sequence(let items): Int(step).flatMap { items.indices.contains($0) ? items[$0] : nil }
    }
  }

  /// The value at a path.
  package func at(_ path: some Sequence<String>) -> YAMLValue? {
    path.reduce(Optional(self)) { $0?[$1] }
  }

  /// The entries of a mapping; nil for scalars and lists.
  package var entries: [Entry]? { if case .mapping(let entries) = self { entries } else { nil } }
  /// The text of a scalar; nil for mappings and lists.
  package var text: String? { if case .scalar(let text, _) = self { text } else { nil } }

  /// JSON as the language writes it: numbers, `true`, `false`, `null` and `none` plain, all other text as text.
  package init(json: JSONValue) {
    switch json {
    case .string(let text): self = .scalar(text, plain: text == "none")
    case .array(let items): self = .sequence(items.map(YAMLValue.init(json:)))
    case .object(let object): self = .mapping(object.members.map { Entry($0.key, YAMLValue(json: $0.value)) })
    case .null, .bool, .number: self = .scalar(json.text, plain: true)
    }
  }

  /// YAML as somebody wrote it. What is wrong with it is said under the name `what`.
  package init(yaml text: String, what: String) throws(EditFault) {
    let (root, faults) = YAMLReader.read(SourceText(file: what, text: text))
    if root == nil, faults.isEmpty { throw EditFault("bad_yaml", "\(what) is empty, so nothing was changed") }
    guard let root, faults.isEmpty else {
      throw EditFault("bad_yaml", "\(what) is not readable as YAML, so nothing was changed", faults)
    }
    self.init(root)
  }
}
