// A user's target over its preset's: one tree in the language of `targets:`, with the parameters filled in.
import DivertCore

struct PresetMerge {
  private let preset: Preset
  private let cases: PresetCases
  private let values: [String: YAMLNode]
  /// Parameters that the tree refers to and nobody gave.
  private(set) var missing: [Preset.Parameter] = []

  init(_ preset: Preset, over user: YAMLNode) {
    self.preset = preset
    var given: [String: YAMLNode] = [:]
    for parameter in preset.parameters { given[parameter.name] = user[parameter.name] }
    cases = PresetCases(preset, given: given)
    values = cases.values
  }

  private static let ownFields = ["parameters", "name", "doc", "cases"]

  /// The merged tree. What the user gives replaces what the preset has in the end, `null` removing it, except that headers,
  /// lookups and actions are merged by name, a lookup's and an action's fields one by one, and the user's response rules
  /// stand before the preset's: the target's also before those of the preset's actions.
  mutating func merged(with user: YAMLNode) -> YAMLNode {
    let parameters = Set(preset.parameters.map(\.name)).subtracting(Language.target.fields.map(\.name))
    let mine = (user.entries ?? []).filter { !parameters.contains($0.key) }
    let theirs = cases.entries().filter {
      !Self.ownFields.contains($0.key) && $0.key != "type"
    }.map { $0.key == "actions" ? Self.judged($0, first: user["responses"]) : $0 }
    let entries = Self.overlay(mine, theirs) { name, mine, theirs in
      switch name {
      case "headers", "faults": return Self.mapping(mine, theirs) { _, mine, _ in mine }
      case "actions", "lookups": return Self.mapping(mine, theirs) { _, mine, theirs in Self.action(mine, theirs) }
      case "auth": return Self.auth(mine, theirs)
      case "responses": return Self.rules(mine, theirs)
      default: return mine
      }
    }
    return fill(YAMLNode(content: .mapping(entries), place: user.place)) ?? user
  }

  private typealias Join = (String, YAMLNode, YAMLNode) -> YAMLNode

  private static func overlay(_ mine: [YAMLNode.Entry], _ theirs: [YAMLNode.Entry], _ join: Join) -> [YAMLNode.Entry] {
    var entries = theirs
    for entry in mine {
      let place = entries.firstIndex { $0.key == entry.key }
      if let place, entry.value.isNull {
        entries.remove(at: place)
      } else if let place {
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

  private static func rules(_ mine: YAMLNode, _ theirs: YAMLNode) -> YAMLNode {
    guard let first = mine.items, let rest = theirs.items else { return mine }
    return YAMLNode(content: .sequence(first + rest), place: mine.place)
  }

  /// The preset's actions, these rules before those that they have.
  private static func judged(_ actions: YAMLNode.Entry, first: YAMLNode?) -> YAMLNode.Entry {
    guard let first, first.items != nil, let entries = actions.value.entries else { return actions }
    let judged = entries.map { action in
      guard let own = action.value["responses"], let fields = action.value.entries else { return action }
      let all = fields.map { field in
        field.key == "responses"
          ? YAMLNode.Entry(key: field.key, keyPlace: field.keyPlace, value: rules(first, own)) : field
      }
      let value = YAMLNode(content: .mapping(all), place: action.value.place)
      return YAMLNode.Entry(key: action.key, keyPlace: action.keyPlace, value: value)
    }
    let value = YAMLNode(content: .mapping(judged), place: actions.value.place)
    return YAMLNode.Entry(key: actions.key, keyPlace: actions.keyPlace, value: value)
  }

  /// The user's, whole; but an `oauth2` of his without `grant` changes single fields of the preset's.
  private static func auth(_ mine: YAMLNode, _ theirs: YAMLNode) -> YAMLNode {
    guard let own = mine["oauth2"], own["grant"] == nil, theirs["oauth2"] != nil else { return mine }
    return mapping(mine, theirs) { name, mine, theirs in
      name == "oauth2" ? mapping(mine, theirs) { _, mine, _ in mine } : mine
    }
  }

  private static func action(_ mine: YAMLNode, _ theirs: YAMLNode) -> YAMLNode {
    guard let first = mine.entries, let rest = theirs.entries else { return mine }
    let requests = Language.methods + ["steps"]
    let givesMethod = first.contains { requests.contains($0.key) }
    let givesBody = first.contains { $0.key == "body" || $0.key == "form" }
    let givesSteps = first.contains { $0.key == "steps" }
    let kept = rest.filter { entry in
      !(givesMethod && requests.contains(entry.key))
        && !(givesBody && ["body", "form"].contains(entry.key))
        && !(givesSteps && (Language.methods + ["query", "body", "form", "batch"]).contains(entry.key))
    }
    let entries = overlay(first, kept) { name, mine, theirs in
      if name == "responses" { return rules(mine, theirs) }
      return ["arguments", "headers", "fields", "verify", "batch"].contains(name)
        ? mapping(mine, theirs) { _, mine, _ in mine } : mine
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
        fill(entry.value).flatMap { value in
          key(of: entry).map { YAMLNode.Entry(key: $0, keyPlace: entry.keyPlace, value: value) }
        }
      }
      return YAMLNode(content: .mapping(filled), place: node.place)
    case .scalar(let text, _):
      return text.contains("target.") ? fill(text, node) : node
    }
  }

  /// A key may name a parameter, too; nil: one that is not given, and the entry is left out.
  private mutating func key(of entry: YAMLNode.Entry) -> String? {
    guard entry.key.contains("target.") else { return entry.key }
    return fill(entry.key, YAMLNode(content: .scalar(entry.key, plain: false), place: entry.keyPlace))?.text
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
  static func reference(in text: Substring) -> (name: String, range: Range<Substring.Index>)? {
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
