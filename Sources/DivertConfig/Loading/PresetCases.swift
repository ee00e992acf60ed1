// A preset's `cases:`: what it is where its parameters say so, laid over the rest of it before the user's target is.
import DivertCore

struct PresetCases {
  private let preset: Preset
  /// What the parameters have: given, set by a case that applies, or by default.
  let values: [String: YAMLNode]

  init(_ preset: Preset, given: [String: YAMLNode]) {
    self.preset = preset
    var values = given
    for parameter in preset.parameters where values[parameter.name] == nil {
      values[parameter.name] = parameter.fallback
    }
    for node in preset.root["cases"]?.items ?? [] where Self.applies(node, values) {
      for entry in node["set"]?.entries ?? [] where given[entry.key] == nil { values[entry.key] = entry.value }
    }
    self.values = values
  }

  /// The preset's fields, every case that applies laid over them in the order in which they are written.
  func entries() -> [YAMLNode.Entry] {
    (preset.root["cases"]?.items ?? []).reduce(preset.root.entries ?? []) { entries, node in
      guard Self.applies(node, values) else { return entries }
      return Self.lay((node.entries ?? []).filter { $0.key != "when" && $0.key != "set" }, over: entries)
    }
  }

  /// All that its `when` says of parameters holds: a value, one of a list of them, or `{ exists: true }`.
  private static func applies(_ node: YAMLNode, _ values: [String: YAMLNode]) -> Bool {
    (node["when"]?.entries ?? []).allSatisfy { condition in
      let value = values[condition.key].flatMap { $0.isEmpty ? nil : $0 }
      if let exists = condition.value["exists"]?.text { return (exists == "true") == (value != nil) }
      let wanted = condition.value.items ?? [condition.value]
      return wanted.contains { $0.text != nil && $0.text == value?.text }
    }
  }

  /// Mappings are joined name by name however deep, `null` removes, everything else replaces.
  private static func lay(_ upper: [YAMLNode.Entry], over lower: [YAMLNode.Entry]) -> [YAMLNode.Entry] {
    var entries = lower
    for entry in upper {
      let place = entries.firstIndex { $0.key == entry.key }
      if entry.value.isNull {
        if let place { entries.remove(at: place) }
      } else if let place {
        entries[place] = YAMLNode.Entry(
          key: entry.key, keyPlace: entry.keyPlace, value: lay(entry.value, over: entries[place].value))
      } else {
        entries.append(entry)
      }
    }
    return entries
  }

  private static func lay(_ upper: YAMLNode, over lower: YAMLNode) -> YAMLNode {
    guard let mine = upper.entries, let theirs = lower.entries else { return upper }
    return YAMLNode(content: .mapping(lay(mine, over: theirs)), place: upper.place)
  }
}

extension YAMLNode {
  /// `null`, unquoted.
  var isNull: Bool { plainText == "null" }
}

extension LoadContext {
  /// Cases speak of parameters that there are.
  func check(cases node: YAMLNode?, parameters: Set<String>) {
    for item in node.map({ list($0, "'cases'") }) ?? [] {
      guard let fields = fields(item, .presetCase) else { continue }
      for entry in (fields["when"]?.entries ?? []) + (fields["set"]?.entries ?? [])
      where !parameters.contains(entry.key) {
        let hint = NearestName.hintOrList(entry.key, in: parameters.sorted()) ?? "declare it under 'parameters:'"
        error("unknown_parameter", entry.keyPlace, "there is no parameter '\(entry.key)'", hint)
      }
    }
  }
}
