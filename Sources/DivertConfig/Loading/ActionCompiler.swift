// An action of a target → ActionDefinition.
package import DivertCore

/// What an action takes from its target.
struct ActionInheritance {
  var retry: PartialRetry
  var orderBy: OrderBy?
  var ambiguous: AmbiguousPolicy?
}

/// What the sandbox's emulator answers to an action.
package struct SandboxAnswer: Sendable, Hashable {
  /// The HTTP status.
  package var status: Int
  /// A string is sent as it is, as plain text; anything else as JSON.
  package var body: JSONValue

  package init(status: Int, body: JSONValue) {
    self.status = status
    self.body = body
  }

  /// 200 and `{"ok":true}`.
  package static let standard = SandboxAnswer(status: 200, body: ["ok": true])
}

extension LoadContext {
  func action(_ entry: YAMLNode.Entry, _ inherited: ActionInheritance) -> CompiledAction? {
    guard let fields = fields(entry.value, .action, name: entry.keyPlace) else { return nil }
    var declared: [ArgumentDefinition]?
    let declaresWell = isClean { declared = fields["arguments"].map(arguments) }
    let scope = targetScope(declaresWell ? declared.map { .named(Set($0.map(\.name))) } ?? .any : .any)
    var action = ActionDefinition(name: entry.key, method: "POST", path: .placeholder)
    let asksWell = isClean { request(fields, entry, scope, &action) }
    action.toPerson = fields["to_person"].flatMap { boolean($0, "'to_person'") } ?? false
    action.ambiguous =
      fields["ambiguous"].flatMap(ambiguous) ?? inherited.ambiguous
      ?? (action.toPerson ? .park : defaults.ambiguous ?? .retry)
    if let node = fields["idempotency"], let placement = idempotency(node, action.body) {
      action.idempotency = placement
    }
    action.maxLengths = fields["max"].map { maxLengths($0, action.body) } ?? [:]
    action.arguments = declared ?? Self.inferredArguments(action)
    return CompiledAction(
      definition: action, retry: (fields["retry"].map(retry) ?? PartialRetry()).over(inherited.retry),
      orderBy: fields["order_by"].flatMap { orderBy($0, sendScope) } ?? inherited.orderBy,
      sandbox: fields["sandbox"].map(sandbox) ?? .standard,
      window: fields["window"].flatMap { duration($0, "'window'") }, declares: declared != nil,
      argumentsKnown: declared == nil ? asksWell && fields.isWhole : declaresWell)
  }

  /// Method, path, query, headers and body.
  private func request(
    _ fields: Fields, _ entry: YAMLNode.Entry, _ scope: TemplateScope, _ action: inout ActionDefinition
  ) {
    let methods = methods(fields, entry)
    if methods.count == 1, let only = methods.first { action.method = only.key.uppercased() }
    for method in methods { action.path = path(method.value, scope) ?? .placeholder }
    action.query = fields["query"].map { pairs($0, "'query'", scope) } ?? []
    action.headers = fields["headers"].map { headers($0, "'headers'", scope) } ?? []
    action.body = body(fields, action.method, scope)
  }

  /// The methods with their paths: one where all is well.
  private func methods(_ fields: Fields, _ entry: YAMLNode.Entry) -> [YAMLNode.Entry] {
    let names = Language.action.fields.map(\.name)
    let given = fields.entries.filter { Language.methods.contains($0.key) }
    if given.count > 1 {
      error("contradictory", given[1].keyPlace, "an action has one method, not \(given.count)", "make it two actions")
    } else if given.isEmpty, !Language.methods.contains(where: { fields.refused($0, among: names) }) {
      error("missing_field", entry.keyPlace, "action '\(entry.key)' needs a method and a path", "post: /path")
    }
    return given
  }

  private func path(_ node: YAMLNode, _ scope: TemplateScope) -> Template? {
    guard let path = template(node, "a path", scope) else { return nil }
    guard let first = path.parts.first else { return path }
    if case .literal(let text) = first, text.hasPrefix("/") || text.hasPrefix("?") { return path }
    error("bad_path", node.place, "a path begins with '/' and is joined to the target's 'url'", "\"/…\"")
    return nil
  }

  private func body(_ fields: Fields, _ method: String, _ scope: TemplateScope) -> RequestBody {
    guard let entry = fields.entry("body") ?? fields.entry("form") else { return .none }
    if let form = fields.entry("form"), fields.entry("body") != nil {
      error("contradictory", form.keyPlace, "an action has a 'body' or a 'form', not both", "remove one")
    }
    if method == "GET" {
      error("contradictory", entry.keyPlace, "a GET request carries no \(entry.key)", "use 'query:'")
    }
    if entry.key == "form" { return .form(pairs(entry.value, "'form'", scope)) }
    return tree(entry.value, scope).map { .json($0) } ?? .none
  }

  func ambiguous(_ node: YAMLNode) -> AmbiguousPolicy? {
    guard let text = choice(node, "'ambiguous'", Language.ambiguous + Language.laterAmbiguous) else { return nil }
    if Language.laterAmbiguous.contains(text) {
      error("not_supported", node.place, "'ambiguous: \(text)' is not supported yet", "use park or retry")
    }
    return AmbiguousPolicy(rawValue: text)
  }

  private func idempotency(_ node: YAMLNode, _ body: RequestBody) -> IdempotencyPlacement? {
    guard node.entries != nil else {
      let choice = choice(node, "'idempotency'", Language.naturalKey)
      return choice == nil ? nil : .natural
    }
    guard let fields = fields(node, .idempotency) else { return nil }
    guard fields.entries.count == 1, let entry = fields.entries.first, let text = text(entry.value, "'\(entry.key)'")
    else {
      error("contradictory", node.place, "'idempotency' takes one of header and field", "{ header: Idempotency-Key }")
      return nil
    }
    if entry.key == "header" {
      check(header: text, at: entry.value.place)
      return .header(text)
    }
    guard case .json(.object) = body, let steps = JSONPath.steps(text) else {
      error("contradictory", entry.keyPlace, "'field' needs a JSON body that is a mapping", "use { header: … }")
      return nil
    }
    return .field(steps)
  }

  private func maxLengths(_ node: YAMLNode, _ body: RequestBody) -> [String: Int] {
    var lengths: [String: Int] = [:]
    for entry in named(node, "'max'", strict: false) {
      guard let length = whole(entry.value, "'\(entry.key)'", Language.maxLength) else { continue }
      if !Self.leads(entry.key, into: body) {
        error("unknown_path", entry.keyPlace, "the body has nothing at '\(entry.key)'", "a path such as content.text")
      }
      lengths[entry.key] = length
    }
    return lengths
  }

  private static func leads(_ path: String, into body: RequestBody) -> Bool {
    if case .form(let pairs) = body { return pairs.contains { $0.name == path } }
    guard case .json(var tree) = body, let steps = JSONPath.steps(path) else { return false }
    for step in steps {
      switch tree {
      case .object(let entries):
        guard let entry = entries.first(where: { $0.key == step }) else { return false }
        tree = entry.value
      case .array(let items):
        guard let index = Int(step), items.indices.contains(index) else { return false }
        tree = items[index]
      case .template: return true
      case .literal: return false
      }
    }
    return true
  }

  private func sandbox(_ node: YAMLNode) -> SandboxAnswer {
    var answer = SandboxAnswer.standard
    guard let fields = fields(node, .sandbox) else { return answer }
    if let status = fields["status"].flatMap({ whole($0, "'status'", Language.statuses) }) { answer.status = status }
    if let body = fields["body"].flatMap({ tree($0, .secretsOnly) }) { answer.body = body.value }
    return answer
  }
}

// Arguments.
extension LoadContext {
  private func arguments(_ node: YAMLNode) -> [ArgumentDefinition] {
    let arguments = named(node, "'arguments'").compactMap(argument)
    if arguments.count(where: \.main) > 1 {
      error("contradictory", node.place, "one argument at most can be 'main'", "remove 'main' from the others")
    }
    return arguments
  }

  private func argument(_ entry: YAMLNode.Entry) -> ArgumentDefinition? {
    guard let fields = fields(entry.value, .argument) else { return nil }
    let fallback = fields["default"].flatMap { tree($0, targetScope(.none)) }
    let required = fields["required"].flatMap { boolean($0, "'required'") } ?? (fallback == nil)
    if required, fallback != nil, let place = fields.entry("required")?.keyPlace {
      error("contradictory", place, "an argument with a default is not required", "remove one of the two")
    }
    let main = fields["main"].flatMap { boolean($0, "'main'") } ?? false
    return ArgumentDefinition(name: entry.key, required: required, fallback: fallback, main: main)
  }

  /// The arguments that an action's templates name; the only one is the main one.
  private static func inferredArguments(_ action: ActionDefinition) -> [ArgumentDefinition] {
    var required: [(name: String, required: Bool)] = []
    for template in action.templates {
      for case .expression(let expression) in template.parts {
        let optional = expression.optional || expression.filters.contains { $0.filter == .default }
        let arguments = expression.filters.flatMap(\.arguments)
        let others = arguments.compactMap { if case .path(let path) = $0 { path } else { nil } }
        for (index, path) in ([expression.path] + others).enumerated() {
          guard case .argument(let name, _) = path else { continue }
          let needed = !(optional && index == 0)
          if let place = required.firstIndex(where: { $0.name == name }) {
            required[place].required = required[place].required || needed
          } else {
            required.append((name, needed))
          }
        }
      }
    }
    return required.map {
      ArgumentDefinition(name: $0.name, required: $0.required, fallback: nil, main: required.count == 1)
    }
  }
}

extension ActionDefinition {
  /// Every template of its request.
  var templates: [Template] {
    let bodies: [Template] =
      switch body {
      case .none: []
      case .json(let tree): tree.templates
      case .form(let pairs): pairs.map(\.value)
      }
    return [path] + query.map(\.value) + headers.map(\.value) + bodies
  }
}

extension BodyTemplate {
  /// The tree as it stands, templates as empty text.
  fileprivate var value: JSONValue {
    switch self {
    case .literal(let value): value
    case .template: ""
    case .object(let entries): .object(JSONObject(entries.map { .init(key: $0.key, value: $0.value.value) }))
    case .array(let items): .array(items.map(\.value))
    }
  }
}
