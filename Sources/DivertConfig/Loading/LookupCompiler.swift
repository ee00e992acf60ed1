// `lookups:` of the file and of targets → LookupDefinitions.
import DivertCore

// Names, known before anything that names them is read.
extension LoadContext {
  /// The file's lookups as templates may name them.
  func declaredLookups(_ file: Fields) -> [String: LookupName] {
    var names: [String: LookupName] = [:]
    for entry in file["lookups"]?.entries ?? [] {
      lookupPlaces[entry.key] = entry.keyPlace
      var fields = Self.fieldNames(entry.value)
      if fields == nil, let from = entry.value["from"]?.text?.split(separator: ".").map(String.init), from.count == 2,
        let target = file["targets"]?[from[0]]
      {
        fields = fieldNames(of: from[1], target)
      }
      names[entry.key] = LookupName(entry.key, fields: fields)
    }
    return names
  }

  private static func fieldNames(_ lookup: YAMLNode) -> Set<String>? {
    lookup["fields"]?.entries.map { Set($0.map(\.key)) }
  }

  /// Of a target's own lookup, which may be its preset's.
  private func fieldNames(of lookup: String, _ target: YAMLNode) -> Set<String>? {
    if let own = target["lookups"]?[lookup].flatMap(Self.fieldNames) { return own }
    let preset = target["type"]?.text.flatMap { presets[$0] }
    return preset?.root["lookups"]?[lookup].flatMap(Self.fieldNames)
  }

  /// A target's own lookups beside the file's; its own come first.
  func ownLookupNames(_ target: String, _ fields: Fields) -> [String: LookupName] {
    var names = lookups
    for entry in fields["lookups"]?.entries ?? [] {
      lookupPlaces["\(target).\(entry.key)"] = entry.keyPlace
      names[entry.key] = LookupName("\(target).\(entry.key)", fields: Self.fieldNames(entry.value))
    }
    return names
  }

  /// Names that mean something else where a lookup's could stand.
  private static let reserved: Set<String> = Set(
    EventField.allCases.compactMap { $0.rawValue.split(separator: ".").first.map(String.init) } + [
      "raw", "local", "now", "secrets", "arguments", "steps", "variant", "token", "items", "alarm", "any", "not",
      "count", "suppressed", "target", "idempotency_key", "lookups",
    ])

  private func isFree(_ entry: YAMLNode.Entry) -> Bool {
    guard Self.reserved.contains(entry.key) else { return true }
    error("bad_name", entry.keyPlace, "'\(entry.key)' means something else already", "give the lookup another name")
    return false
  }
}

// A target's own.
extension LoadContext {
  /// Compiles a target's own lookups but for the actions that create: those are not known yet.
  func ownLookups(_ node: YAMLNode, target: String, _ names: [String: LookupName]) {
    for entry in named(node, "'lookups'") where isFree(entry) {
      guard let fields = fields(entry.value, .ownLookup, name: entry.keyPlace) else { continue }
      var scope = targetScope(.any)
      scope.idempotencyKey = false
      scope.lookups = names.filter { $0.key != entry.key }
      let name = "\(target).\(entry.key)"
      var lookup = LookupDefinition(name: name, target: target, request: question(fields, entry, scope))
      read(fields, entry, scope, &lookup)
      lookupDefinitions[name] = lookup
    }
  }

  /// The question's request: no key goes with it.
  private func question(_ fields: Fields, _ entry: YAMLNode.Entry, _ scope: TemplateScope) -> ActionDefinition {
    var action = ActionDefinition(name: entry.key, method: "GET", path: .placeholder)
    action.idempotency = .natural
    request(fields, entry, variantScope(fields, scope), &action, "lookup", Language.ownLookup)
    return action
  }

  private func variantScope(_ fields: Fields, _ scope: TemplateScope) -> TemplateScope {
    var scope = scope
    scope.variant = fields["variants"] != nil
    return scope
  }

  /// The actions that create what a target's own lookups do not find, now that its actions are known.
  func ownCreations(_ node: YAMLNode, target: String, _ actions: [String: CompiledAction]) {
    for entry in node.entries ?? [] {
      guard var lookup = lookupDefinitions["\(target).\(entry.key)"], let none = entry.value["none"] else { continue }
      setNone(none, actions, &lookup)
      lookupDefinitions[lookup.name] = lookup
    }
  }
}

// The file's.
extension LoadContext {
  /// Compiles the file's lookups; all targets are known.
  func fileLookups(_ node: YAMLNode?) {
    for entry in node.map({ named($0, "'lookups'") }) ?? [] where isFree(entry) {
      guard let fields = fields(entry.value, .lookup, name: entry.keyPlace) else { continue }
      let lookup = fields["from"].map { adopted($0, fields, entry) } ?? fileLookup(fields, entry)
      if let lookup { lookupDefinitions[entry.key] = lookup }
    }
    checkCycles()
  }

  private func fileScope(_ entry: YAMLNode.Entry) -> TemplateScope {
    var scope = sendScope
    scope.lookups[entry.key] = nil
    return scope
  }

  private func fileLookup(_ fields: Fields, _ entry: YAMLNode.Entry) -> LookupDefinition? {
    let scope = fileScope(entry)
    var action = ActionDefinition(name: entry.key, method: "GET", path: .placeholder)
    action.idempotency = .natural
    var target: String?
    request(fields, entry, variantScope(fields, scope), &action, "lookup", Language.lookup) { node, scope in
      guard let (name, path) = self.targetPath(node, scope) else { return nil }
      target = name
      return path
    }
    var lookup = LookupDefinition(name: entry.key, target: target ?? "", request: action)
    read(fields, entry, scope, &lookup)
    guard let target, let known = knownTarget(target, fields) else { return nil }
    fields["none"].map { setNone($0, known.actions, &lookup) }
    return lookup
  }

  /// `crm:/accounts?phone=…`: whose, and the path.
  private func targetPath(_ node: YAMLNode, _ scope: TemplateScope) -> (String, Template)? {
    guard let template = template(node, "a path", scope) else { return nil }
    guard case .literal(let text)? = template.parts.first, let colon = text.firstIndex(of: ":"),
      let first = text[text.index(after: colon)...].first, first == "/" || first == "?"
    else {
      error("bad_path", node.place, "a lookup names its target and a path", "\"target:/…\"")
      return nil
    }
    let path = String(text[text.index(after: colon)...])
    return (String(text[..<colon]), Template(parts: [.literal(path)] + template.parts.dropFirst()))
  }

  private func knownTarget(_ name: String, _ fields: Fields) -> CompiledTarget? {
    if let target = targets[name] { return target }
    guard !brokenTargets.contains(name), let node = Language.questionMethods.lazy.compactMap({ fields[$0] }).first
    else { return nil }
    let place = ScalarText.place(of: node, offset: 0, length: name.unicodeScalars.count)
    let hint = NearestName.hintOrList(name, in: Set(targets.keys).union(brokenTargets))
    error("unknown_target", place, "there is no target '\(name)'", hint ?? "add it under 'targets:'")
    return nil
  }

  /// A target's own lookup under a name of the file; what stands beside `from` replaces what it has.
  private func adopted(_ node: YAMLNode, _ fields: Fields, _ entry: YAMLNode.Entry) -> LookupDefinition? {
    guard let name = text(node, "'from'") else { return nil }
    guard var lookup = lookupDefinitions[name], lookup.name != lookup.request.name, name.contains(".") else {
      let own = lookupDefinitions.keys.filter { $0.contains(".") }
      let target = name.prefix { $0 != "." }
      if brokenTargets.contains(String(target)) || lookupPlaces[name] != nil { return nil }
      error(
        "unknown_lookup", node.place, "there is no lookup '\(name)' of a target",
        NearestName.hintOrList(name, in: own) ?? "'target.lookup'")
      return nil
    }
    for field in fields.entries where ["query", "headers", "body", "form"].contains(field.key) {
      error("contradictory", field.keyPlace, "'\(field.key)' does not go with 'from'", "write a lookup with 'get:'")
    }
    let arguments = lookup.templates.flatMap(\.paths).argumentNames.sorted()
    if let argument = arguments.first {
      let message = "'\(name)' names 'arguments.\(argument)', which only an action has"
      error("lookup_not_here", node.place, message, "name it in an action of its target")
    }
    let answer = stageAnswers["\(lookup.target).lookups.\(lookup.name)"]
    lookup.name = entry.key
    let scope = fileScope(entry)
    read(fields, entry, scope, &lookup)
    if fields["sandbox"] == nil, fields["fields"] == nil {
      stageAnswers["\(lookup.target).lookups.\(lookup.name)"] = answer
    }
    if let none = fields["none"], let target = targets[lookup.target] { setNone(none, target.actions, &lookup) }
    return lookup
  }
}

// What is made of an answer.
extension LoadContext {
  private func read(
    _ fields: Fields, _ entry: YAMLNode.Entry, _ scope: TemplateScope, _ lookup: inout LookupDefinition
  ) {
    if let node = fields["variants"] { lookup.variants = variants(node, fields, scope, lookup) }
    if let items = fields["items"] { lookup.items = itemsPath(items) }
    if let node = fields["where"] { lookup.wanted = wanted(node, scope, lookup) }
    if let node = fields["fields"] {
      lookup.fields = answerFields(node)
    } else if fields["from"] == nil, !fields.refused("fields", among: Language.lookup.fields.map(\.name)) {
      let hint = "fields: { id: data.0.id }"
      error("missing_field", entry.keyPlace, "lookup '\(entry.key)' needs 'fields': what is kept of the answer", hint)
    }
    if let cache = fields["cache"].flatMap({ duration($0, "'cache'", .zero ... .days(30)) }) { lookup.cache = cache }
    if fields["cache"] != nil { lookup.noneCache = min(lookup.cache, .minutes(1)) }
    if let cache = fields["none_cache"].flatMap({ duration($0, "'none_cache'", .zero ... .days(30)) }) {
      lookup.noneCache = cache
    }
    setMany(fields, &lookup)
    stageAnswers["\(lookup.target).lookups.\(lookup.name)"] =
      fields["sandbox"].map { sandbox($0) } ?? .made(of: lookup.fields, items: lookup.items)
  }

  private func variants(
    _ node: YAMLNode, _ fields: Fields, _ scope: TemplateScope, _ lookup: LookupDefinition
  ) -> [Template] {
    var scope = scope
    scope.secrets = false
    let items = list(node, "'variants'")
    if items.isEmpty, node.items != nil { error("no_value", node.place, "an empty list asks nothing", "remove it") }
    let asked = lookup.request.templates + lookup.wanted.map(\.value)
    if !asked.flatMap(\.paths).contains(.variant), let entry = fields.entry("variants"), fields["from"] == nil {
      let message = "nothing of the question names '{{ variant }}', so every variant asks the same"
      error("contradictory", entry.keyPlace, message, "?phone={{ variant }}")
    }
    return items.map { template($0, "a variant", scope) ?? .placeholder }
  }

  private func itemsPath(_ node: YAMLNode) -> [String]? {
    guard let text = text(node, "'items'") else { return nil }
    if text == Language.wholeAnswer { return [] }
    return path(text, node.place)
  }

  private func wanted(_ node: YAMLNode, _ scope: TemplateScope, _ lookup: LookupDefinition) -> [WantedValue] {
    if lookup.items == nil {
      error("contradictory", node.place, "'where' chooses among the items of a list", "add 'items': the list's path")
    }
    var scope = scope
    scope.variant = !lookup.variants.isEmpty
    scope.secrets = false
    return named(node, "'where'", strict: false).compactMap { entry in
      guard let steps = path(entry.key, entry.keyPlace) else { return nil }
      return WantedValue(steps, template(entry.value, "'\(entry.key)'", scope) ?? .placeholder)
    }
  }

  /// What is kept of an answer: names and paths.
  func answerFields(_ node: YAMLNode) -> [AnswerField] {
    let entries = named(node, "'fields'")
    if entries.isEmpty, node.entries?.isEmpty == true {
      error("no_value", node.place, "no field is named", "{ id: id }")
    }
    return entries.compactMap { entry in
      guard let text = text(entry.value, "'\(entry.key)'"), let steps = path(text, entry.value.place) else {
        return nil
      }
      return AnswerField(entry.key, steps)
    }
  }

  private func setMany(_ fields: Fields, _ lookup: inout LookupDefinition) {
    let many = fields["many"].flatMap { choice($0, "'many'", Language.lookupMany) }
    if let many, many != "first", lookup.items == nil, let place = fields.entry("many")?.keyPlace {
      error("contradictory", place, "'many: \(many)' needs 'items': the list of what was found", "items: data")
    }
    let by = fields["newest_by"].flatMap { node in
      text(node, "'newest_by'").flatMap { path($0, node.place) }
    }
    switch many {
    case "newest":
      if fields["newest_by"] == nil, let node = fields["many"] {
        error("contradictory", node.place, "'many: newest' needs 'newest_by': where an item says how new it is")
      }
      lookup.many = .newest(by: by ?? [])
    case "fail": lookup.many = .fail
    case "first": lookup.many = .first
    default: break
    }
    if many != "newest", let place = fields.entry("newest_by")?.keyPlace {
      error("contradictory", place, "'newest_by' goes with 'many: newest'", "add it, or remove this")
    }
  }

  /// `actions`: those of the lookup's target.
  private func setNone(_ node: YAMLNode, _ actions: [String: CompiledAction], _ lookup: inout LookupDefinition) {
    guard let text = text(node, "'none'") else { return }
    switch text {
    case "fail": lookup.none = .fail
    case "skip": lookup.none = .skip
    case "empty": lookup.none = .empty
    default:
      let prefix = lookup.target + "."
      let name = text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
      guard let action = actions[name] else {
        if targets[lookup.target]?.actionNames.contains(name) ?? false { return }
        let hint = NearestName.hintOrList(name, in: Language.lookupNone + actions.keys)
        error("unknown_action", node.place, "target '\(lookup.target)' has no action '\(name)' that creates it", hint)
        return
      }
      if checkCreation(action.definition, node, lookup) { lookup.none = .create(action.definition) }
    }
  }

  private func checkCreation(_ action: ActionDefinition, _ node: YAMLNode, _ lookup: LookupDefinition) -> Bool {
    let name = "\(lookup.target).\(action.name)"
    if !action.steps.isEmpty || action.toPerson {
      let what = action.toPerson ? "writes to a person" : "has several steps"
      error(
        "contradictory", node.place, "'\(name)' \(what), and so creates nothing for a lookup", "name another action")
      return false
    }
    if let argument = action.arguments.first(where: \.required) {
      let message = "'\(name)' needs the argument '\(argument.name)', which no lookup gives"
      error("missing_argument", node.place, message, "give it a default")
      return false
    }
    guard !action.fields.isEmpty else {
      error(
        "missing_field", node.place, "'\(name)' creates it, and does not say which 'fields' its answer has",
        "fields: { id: id } in the action")
      return false
    }
    let missing = lookup.fields.map(\.name).filter { field in !action.fields.contains { $0.name == field } }
    if !missing.isEmpty {
      let list = missing.map { "'\($0)'" }.joined(separator: " and ")
      warn("created_without", node.place, "what '\(name)' creates has no \(list)", "add it to the action's 'fields'")
    }
    return true
  }
}

// Lookups that need each other.
extension LoadContext {
  private func checkCycles() {
    var done: Set<String> = []
    for name in lookupDefinitions.keys.sorted() {
      guard let cycle = cycle(from: name, [], &done), let place = lookupPlaces[name] else { continue }
      let chain = cycle.joined(separator: " → ")
      error("lookup_cycle", place, "lookups need each other: \(chain)", "ask one of them by what the event has")
    }
  }

  /// The names from the first that is met twice to its second time; nil: there is no circle.
  private func cycle(from name: String, _ path: [String], _ done: inout Set<String>) -> [String]? {
    if let first = path.firstIndex(of: name) { return Array(path[first...]) + [name] }
    guard !done.contains(name), let lookup = lookupDefinitions[name] else { return nil }
    defer { done.insert(name) }
    var next = lookup.needs()
    if case .create(let action) = lookup.none, action.paths.lookupNames.contains(name) { next.insert(name, at: 0) }
    for other in next {
      if let cycle = cycle(from: other, path + [name], &done) { return cycle }
    }
    return nil
  }
}

extension SandboxAnswer {
  /// An answer that has something at every field.
  static func made(of fields: [AnswerField], items: [String]? = nil) -> SandboxAnswer {
    var item = JSONValue.null
    for field in fields { item.put(.string("sandbox-\(field.name)"), at: field.path[...]) }
    guard let items else { return SandboxAnswer(status: 200, body: item) }
    var body = JSONValue.null
    body.put(.array([item]), at: items[...])
    return SandboxAnswer(status: 200, body: body)
  }
}

extension JSONValue {
  /// Puts a value at the end of a path, making objects and lists on the way.
  fileprivate mutating func put(_ value: JSONValue, at path: ArraySlice<String>) {
    guard let step = path.first else {
      self = value
      return
    }
    if let index = Int(step), index < 100 {
      var items = self.array ?? []
      while items.count <= index { items.append(.null) }
      items[index].put(value, at: path.dropFirst())
      self = .array(items)
      return
    }
    var object = self.object ?? JSONObject()
    var inner = object[step] ?? .null
    inner.put(value, at: path.dropFirst())
    object[step] = inner
    self = .object(object)
  }
}
