// A user's target over its preset's: one tree in the language of `targets:`, with the parameters filled in.
import DivertCore

struct PresetMerge {
  private let preset: Preset
  private let values: [String: YAMLNode]
  /// Parameters that the tree refers to and nobody gave.
  private(set) var missing: [Preset.Parameter] = []

  init(_ preset: Preset, over user: YAMLNode) {
    self.preset = preset
    var values: [String: YAMLNode] = [:]
    for parameter in preset.parameters {
      if let value = user[parameter.name] ?? parameter.fallback { values[parameter.name] = value }
    }
    self.values = values
  }

  private static let ownFields = ["parameters", "name", "doc"]

  /// The merged tree. What the user gives replaces what the preset has, except that headers and actions are merged
  /// by name, an action's fields one by one, and the user's response rules stand before the preset's.
  mutating func merged(with user: YAMLNode) -> YAMLNode {
    let parameters = Set(preset.parameters.map(\.name)).subtracting(Language.target.fields.map(\.name))
    let mine = (user.entries ?? []).filter { !parameters.contains($0.key) }
    let theirs = (preset.root.entries ?? []).filter { !Self.ownFields.contains($0.key) && $0.key != "type" }
    let entries = Self.overlay(mine, theirs) { name, mine, theirs in
      switch name {
      case "headers": return Self.mapping(mine, theirs) { _, mine, _ in mine }
      case "actions": return Self.mapping(mine, theirs) { _, mine, theirs in Self.action(mine, theirs) }
      case "responses":
        guard let first = mine.items, let rest = theirs.items else { return mine }
        return YAMLNode(content: .sequence(first + rest), place: mine.place)
      default: return mine
      }
    }
    return fill(YAMLNode(content: .mapping(entries), place: user.place)) ?? user
  }

  private typealias Join = (String, YAMLNode, YAMLNode) -> YAMLNode

  private static func overlay(_ mine: [YAMLNode.Entry], _ theirs: [YAMLNode.Entry], _ join: Join) -> [YAMLNode.Entry] {
    var entries = theirs
    for entry in mine {
      if let place = entries.firstIndex(where: { $0.key == entry.key }) {
        let joined = join(entry.key, entry.value, entries[place].value)
        entries[place] = YAMLNode.Entry(key: entry.key, keyPlace: entry.keyPlace, value: joined)
      } else {
        entries.append(entry)
      }
    }
    return entries
  }

  private static func mapping(_ mine: YAMLNode, _ theirs: YAMLNode, _ join: Join) -> YAMLNode {
    guard let first = mine.entries, let rest = theirs.entries else { return mine }
    return YAMLNode(content: .mapping(overlay(first, rest, join)), place: mine.place)
  }

  private static func action(_ mine: YAMLNode, _ theirs: YAMLNode) -> YAMLNode {
    guard let first = mine.entries, let rest = theirs.entries else { return mine }
    let givesMethod = first.contains { Language.methods.contains($0.key) }
    let givesBody = first.contains { $0.key == "body" || $0.key == "form" }
    let kept = rest.filter { entry in
      !(givesMethod && Language.methods.contains(entry.key)) && !(givesBody && ["body", "form"].contains(entry.key))
    }
    let entries = overlay(first, kept) { name, mine, theirs in
      name == "arguments" || name == "headers" ? mapping(mine, theirs) { _, mine, _ in mine } : mine
    }
    return YAMLNode(content: .mapping(entries), place: mine.place)
  }
}

// Filling in `{{ target.name }}`.
extension PresetMerge {
  /// Nil: the node was nothing but a parameter that is not given, and is left out.
  private mutating func fill(_ node: YAMLNode) -> YAMLNode? {
    switch node.content {
    case .sequence(let items):
      return YAMLNode(content: .sequence(items.compactMap { fill($0) }), place: node.place)
    case .mapping(let entries):
      let filled = entries.compactMap { entry in
        fill(entry.value).map { YAMLNode.Entry(key: entry.key, keyPlace: entry.keyPlace, value: $0) }
      }
      return YAMLNode(content: .mapping(filled), place: node.place)
    case .scalar(let text, _):
      return text.contains("target.") ? fill(text, node) : node
    }
  }

  private mutating func fill(_ text: String, _ node: YAMLNode) -> YAMLNode? {
    var result = ""
    var rest = Substring(text)
    while let reference = Self.reference(in: rest) {
      if reference.range == rest.startIndex..<rest.endIndex, result.isEmpty { return value(reference.name) }
      result += rest[..<reference.range.lowerBound]
      result += value(reference.name)?.text ?? ""
      rest = rest[reference.range.upperBound...]
    }
    return YAMLNode(content: .scalar(result + rest, plain: false), place: node.place)
  }

  private mutating func value(_ name: String) -> YAMLNode? {
    if let value = values[name] { return value }
    if let parameter = preset.parameters.first(where: { $0.name == name && $0.required }),
      !missing.contains(where: { $0.name == name })
    {
      missing.append(parameter)
    }
    // An address is text for every other use, too, so that the rest of the preset can be read.
    if missing.contains(where: { $0.name == name }) {
      return YAMLNode(content: .scalar("https://missing.invalid", plain: false), place: preset.root.place)
    }
    return nil
  }

  /// The first `{{ target.name }}` of the text.
  private static func reference(in text: Substring) -> (name: String, range: Range<Substring.Index>)? {
    var from = text.startIndex
    while let open = text[from...].firstRange(of: "{{") {
      from = open.upperBound
      guard let close = text[from...].firstRange(of: "}}") else { return nil }
      let inside = SmallGrammar.trim(text[open.upperBound..<close.lowerBound])
      let name = inside.dropFirst("target.".count)
      let isName = name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
      if inside.hasPrefix("target."), isName { return (String(name), open.lowerBound..<close.upperBound) }
    }
    return nil
  }
}
