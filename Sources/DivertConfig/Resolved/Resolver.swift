// The merged tree of a configuration → the one that says everything: presets expanded (ResolvedTargets), inherited
// settings and the language's defaults filled in. Nodes keep their places, which are their origins.

struct Resolver {
  let root: Fields
  let presets: PresetSet
  /// `target.action` → what its sends inherit.
  private var actions: [String: YAMLNode] = [:]

  init(_ root: Fields, _ presets: PresetSet) {
    self.root = root
    self.presets = presets
  }

  var defaults: YAMLNode? { root["defaults"] }

  /// A tree without `defaults` and presets that means the same. The tree must be one without errors.
  func resolved() -> YAMLNode {
    var resolver = self
    let targets = root["targets"].map { Self.named($0) { target($0) } }
    for target in targets?.entries ?? [] {
      for action in target.value["actions"]?.entries ?? [] {
        resolver.actions["\(target.key).\(action.key)"] = action.value
      }
    }
    return resolver.file(targets)
  }

  private func file(_ targets: YAMLNode?) -> YAMLNode {
    let fields = Language.file.fields.filter { $0.name != "defaults" }
    return Self.mapping(root.node.place, fields) { field in
      let own = root[field.name]
      switch field.name {
      case "targets": return targets
      case "routes": return own.map { Self.named($0) { route($0) } }
      case "alarms": return own.map { Self.replaced($0, "send") { sends($0, alarm: true) } }
      case "record":
        return own.map { Self.replaced(Self.filled($0, Language.record), "publish") { sends($0, alarm: true) } }
      default: return own.map { Self.filled($0, field.kind) } ?? Self.standard(field)
      }
    }
  }

  private func route(_ node: YAMLNode) -> YAMLNode {
    var route = Self.filled(node, Language.route)
    route = Self.replaced(route, "send") { sends($0) }
    route = Self.replaced(route, "expect") { Self.replaced($0, "else") { sends($0) } }
    return Self.replaced(route, "also") { Self.named($0) { self.route($0) } }
  }

  private func sends(_ node: YAMLNode, alarm: Bool = false) -> YAMLNode {
    YAMLNode(content: .sequence((node.items ?? [node]).map { send($0, alarm) }), place: node.place)
  }

  /// An alarm's send may not name an event's field, so the order that its action has stays with the action.
  private func send(_ node: YAMLNode, _ alarm: Bool) -> YAMLNode {
    let nothing = YAMLNode(content: .scalar("", plain: true), place: node.place)
    let entries = node.entries ?? [.init(key: node.text ?? "", keyPlace: node.place, value: nothing)]
    guard let name = entries.first(where: { $0.key.contains(".") }) else { return node }
    let action = actions[name.key]
    let options = Language.sendOptions.fields.compactMap { field -> YAMLNode.Entry? in
      let own = entries.first { $0.key == field.name }?.value
      let value =
        switch field.name {
        case "retry": Self.retry([own, action?["retry"]])
        case "order_by": own ?? (alarm ? nil : action?["order_by"])
        case "otherwise": own.map { sends($0) }
        default: own.map { Self.filled($0, field.kind) }
        }
      return value.map { .init(key: field.name, keyPlace: $0.place, value: $0) }
    }
    return YAMLNode(content: .mapping([name] + options), place: node.place)
  }
}

// Filling in what the language says where the file says nothing.
extension Resolver {
  /// `node` with the defaults of everything in it that is left out.
  static func filled(_ node: YAMLNode, _ kind: FieldKind) -> YAMLNode {
    switch kind {
    case .mapping(let part): return filled(node, part.description)
    case .named(let kind), .entries(let kind): return named(node) { filled($0, kind) }
    case .list(let kind), .oneOrMore(let kind):
      guard let items = node.items else { return filled(node, kind) }
      return YAMLNode(content: .sequence(items.map { filled($0, kind) }), place: node.place)
    case .either(let kinds):
      guard node.entries != nil else { return node }
      return kinds.reduce(node) { filled($0, $1) }
    default: return node
    }
  }

  static func filled(_ node: YAMLNode, _ description: MappingDescription) -> YAMLNode {
    guard let entries = node.entries else { return node }
    let filled = mapping(node.place, description.fields) { field in
      node[field.name].map { Self.filled($0, field.kind) } ?? standard(field)
    }
    let others = entries.filter { description.field($0.key) == nil }
    return YAMLNode(content: .mapping((filled.entries ?? []) + others), place: node.place)
  }

  /// What holds where the field is left out, whole; nil where that is nothing.
  static func standard(_ field: FieldDescription) -> YAMLNode? {
    guard let text = field.standard else { return nil }
    let source = SourceText(file: "default", text: text, hasLines: false)
    return YAMLReader.read(source).root.map { filled($0, field.kind) }
  }

  /// `retry:`, each field from the nearest level that has it.
  static func retry(_ levels: [YAMLNode?]) -> YAMLNode? {
    let place = levels.compactMap { $0 }.first?.place
    let fields = Language.retry.fields.compactMap { field -> YAMLNode.Entry? in
      let value = levels.compactMap { $0?[field.name] }.first ?? standard(field)
      return value.map { .init(key: field.name, keyPlace: $0.place, value: $0) }
    }
    return (place ?? fields.first?.keyPlace).map { YAMLNode(content: .mapping(fields), place: $0) }
  }

  /// A mapping of those fields that have a value, in the order of the language.
  static func mapping(_ place: Place, _ fields: [FieldDescription], _ value: (FieldDescription) -> YAMLNode?)
    -> YAMLNode
  {
    let entries = fields.compactMap { field in
      value(field).map { YAMLNode.Entry(key: field.name, keyPlace: $0.place, value: $0) }
    }
    return YAMLNode(content: .mapping(entries), place: place)
  }

  /// The mapping with each of its values changed.
  static func named(_ node: YAMLNode, _ change: (YAMLNode) -> YAMLNode) -> YAMLNode {
    guard let entries = node.entries else { return node }
    let changed = entries.map { YAMLNode.Entry(key: $0.key, keyPlace: $0.keyPlace, value: change($0.value)) }
    return YAMLNode(content: .mapping(changed), place: node.place)
  }

  /// The mapping with the value of one key changed, where it has that key.
  static func replaced(_ node: YAMLNode, _ key: String, _ change: (YAMLNode) -> YAMLNode) -> YAMLNode {
    guard let entries = node.entries else { return node }
    let changed = entries.map { $0.key == key ? .init(key: key, keyPlace: $0.keyPlace, value: change($0.value)) : $0 }
    return YAMLNode(content: .mapping(changed), place: node.place)
  }
}
