// An action of a target → ActionDefinition.
package import DivertCore

/// What an action takes from its target.
struct ActionInheritance {
  var retry: PartialRetry
  var orderBy: OrderBy?
  var ambiguous: AmbiguousPolicy?
  var verify: VerifyDefinition?
  /// The lookups that its templates may name.
  var lookups: [String: LookupName] = [:]
  var target = ""
}

/// What the sandbox's emulator answers to an action.
package struct SandboxAnswer: Sendable, Hashable {
  /// The HTTP status.
  package var status: Int
  /// A string is sent as it is, as plain text; anything else as JSON.
  package var body: JSONValue
  /// Nil: the action takes no batches.
  package var batch: SandboxBatch?

  package init(status: Int, body: JSONValue) {
    self.status = status
    self.body = body
  }

  /// 200 and `{"ok":true}`.
  package static let standard = SandboxAnswer(status: 200, body: ["ok": true])

  /// Under which action's name a credential's answer stands: `crm_login.oauth2_token`.
  package static let tokenAction = "oauth2_token"
  /// A token that is none.
  package static let token = SandboxAnswer(
    status: 200, body: ["access_token": "sandbox", "token_type": "Bearer", "expires_in": 3600])
}

extension LoadContext {
  func action(_ entry: YAMLNode.Entry, _ inherited: ActionInheritance) -> CompiledAction? {
    guard let fields = fields(entry.value, .action, name: entry.keyPlace) else { return nil }
    var declared: [ArgumentDefinition]?
    let declaresWell = isClean { declared = fields["arguments"].map(arguments) }
    var scope = targetScope(declaresWell ? declared.map { .named(Set($0.map(\.name))) } ?? .any : .any)
    scope.lookups = inherited.lookups
    var action = ActionDefinition(name: entry.key, method: "POST", path: .placeholder)
    let asksWell = isClean { requests(fields, entry, scope, &action, inherited) }
    action.toPerson = fields["to_person"].flatMap { boolean($0, "'to_person'") } ?? false
    setClass(fields, &action)
    setAmbiguous(fields, inherited, &action)
    if let node = fields["idempotency"], let placement = idempotency(node, action.body) {
      action.idempotency = placement
    }
    action.echoes = fields["echo"].map { oneOrMore($0).compactMap { echo($0, scope) } } ?? []
    action.maxLengths = fields["max"].map { maxLengths($0, action.body, query: action.query.map(\.name)) } ?? [:]
    action.fields = fields["fields"].map(answerFields) ?? []
    action.responses = fields["responses"].map(responses) ?? []
    var answer =
      fields["sandbox"].map(sandbox) ?? (action.fields.isEmpty ? .standard : .made(of: action.fields))
    if fields["sandbox"] != nil, (200...299).contains(answer.status) {
      let sample = answer.body.fields(action.fields)
      action.sample = sample.members.isEmpty ? nil : sample
    }
    if let entry = fields.entry("batch") { batch(entry, &action, &answer) }
    action.arguments = declared ?? inferredArguments(action)
    if declared != nil, declaresWell { checkLookupArguments(action, entry) }
    action.finishSteps()
    return CompiledAction(
      definition: action, retry: (fields["retry"].map(retry) ?? PartialRetry()).over(inherited.retry),
      orderBy: fields["order_by"].flatMap { orderBy($0, sendScope) } ?? inherited.orderBy,
      sandbox: answer,
      window: fields["window"].flatMap { duration($0, "'window'") }, declares: declared != nil,
      argumentsKnown: declared == nil ? asksWell && fields.isWhole : declaresWell)
  }

  /// Method, path, query, headers and body.
  /// - Parameters:
  ///   - what: as messages call it.
  ///   - path: reads the path where it is more than one.
  func request(
    _ fields: Fields, _ entry: YAMLNode.Entry, _ scope: TemplateScope, _ action: inout ActionDefinition,
    _ what: String, _ description: MappingDescription, path: ((YAMLNode, TemplateScope) -> Template?)? = nil
  ) {
    let methods = methods(fields, entry, what, description)
    if methods.count == 1, let only = methods.first { action.method = only.key.uppercased() }
    for method in methods {
      action.path = (path.map { $0(method.value, scope) } ?? self.path(method.value, scope)) ?? .placeholder
    }
    action.query = fields["query"].map { pairs($0, "'query'", scope) } ?? []
    action.headers = fields["headers"].map { headers($0, "'headers'", scope) } ?? []
    action.body = body(fields, action.method, scope)
  }

  /// The methods with their paths: one where all is well.
  private func methods(
    _ fields: Fields, _ entry: YAMLNode.Entry, _ what: String, _ description: MappingDescription
  ) -> [YAMLNode.Entry] {
    let names = description.fields.map(\.name)
    let methods = Language.methods.filter(names.contains)
    let given = fields.entries.filter { methods.contains($0.key) }
    if given.count > 1 {
      let message = "\(description.name) has one method, not \(given.count)"
      error("contradictory", given[1].keyPlace, message, what == "action" ? "make it two actions" : "keep one")
    } else if given.isEmpty, !methods.contains(where: { fields.refused($0, among: names) }) {
      let method = methods.contains("patch") ? "post" : "get"
      let called = what.isEmpty ? description.name : "\(what) '\(entry.key)'"
      let path = description.field("from") == nil ? "/path" : "target:/path"
      error("missing_field", entry.keyPlace, "\(called) needs a method and a path", "\(method): \(path)")
    }
    return given
  }

  func path(_ node: YAMLNode, _ scope: TemplateScope) -> Template? {
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
    if entry.key == "form" { return .form(form(entry.value, scope)) }
    return tree(entry.value, scope).map { .json($0) } ?? .none
  }

  /// A form's fields: a mapping or a list becomes JSON text, a scalar is text as it stands.
  private func form(_ node: YAMLNode, _ scope: TemplateScope) -> [FormField] {
    named(node, "'form'", strict: false).map { entry in
      if entry.value.entries != nil || entry.value.items != nil {
        return FormField(entry.key, tree(entry.value, scope) ?? .template(.placeholder))
      }
      return FormField(entry.key, template(entry.value, "'\(entry.key)'", scope) ?? .placeholder)
    }
  }

  func ambiguous(_ node: YAMLNode) -> AmbiguousPolicy? {
    choice(node, "'ambiguous'", Language.ambiguous).flatMap(AmbiguousPolicy.init)
  }

  func idempotency(_ node: YAMLNode, _ body: RequestBody) -> IdempotencyPlacement? {
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

  func maxLengths(_ node: YAMLNode, _ body: RequestBody, query: [String] = []) -> [String: Int] {
    var lengths: [String: Int] = [:]
    for entry in named(node, "'max'", strict: false) {
      guard let length = whole(entry.value, "'\(entry.key)'", Language.maxLength) else { continue }
      if !query.contains(entry.key), !Self.leads(entry.key, into: body) {
        error("unknown_path", entry.keyPlace, "the body has nothing at '\(entry.key)'", "a path such as content.text")
      }
      lengths[entry.key] = length
    }
    return lengths
  }

  private static func leads(_ path: String, into body: RequestBody) -> Bool {
    guard let steps = JSONPath.steps(path) else { return false }
    switch body {
    case .none: return false
    case .json(let tree): return leads(steps[...], into: tree)
    case .form(let fields):
      if fields.contains(where: { $0.name == path }) { return true }
      return fields.first { $0.name == steps.first }.map { leads(steps.dropFirst(), into: $0.value) } ?? false
    }
  }

  private static func leads(_ steps: ArraySlice<String>, into tree: BodyTemplate) -> Bool {
    var tree = tree
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

  func sandbox(_ node: YAMLNode) -> SandboxAnswer {
    var answer = SandboxAnswer.standard
    guard let fields = fields(node, .sandbox) else { return answer }
    if let status = fields["status"].flatMap({ whole($0, "'status'", Language.statuses) }) { answer.status = status }
    if let body = fields["body"].flatMap({ tree($0, .secretsOnly) }) { answer.body = body.value }
    return answer
  }
}

// Several requests, lookups, and what is done when nobody knows.
extension LoadContext {
  /// The one request, or the steps; the lookups that they need; how it is verified.
  private func requests(
    _ fields: Fields, _ entry: YAMLNode.Entry, _ scope: TemplateScope, _ action: inout ActionDefinition,
    _ inherited: ActionInheritance
  ) {
    var last = scope
    if let steps = fields["steps"] {
      action.steps = self.steps(steps, scope, of: action, target: inherited.target)
      for step in action.steps { last.steps[step.name] = Set(step.request.fields.map(\.name)) }
      let others = Language.methods + ["query", "headers", "body", "form"]
      for other in fields.entries where others.contains(other.key) {
        error("contradictory", other.keyPlace, "an action has 'steps' or a request of its own", "move it into a step")
      }
    } else {
      request(fields, entry, scope, &action, "action", Language.action)
    }
    action.needs = fields["needs"].map { needs($0, scope) } ?? []
    let name = "\(inherited.target).\(entry.key).verify"
    action.verify = fields["verify"].flatMap { verify($0, last, name: name) } ?? inherited.verify
  }

  private func needs(_ node: YAMLNode, _ scope: TemplateScope) -> [String] {
    oneOrMore(node).compactMap { item in
      guard let name = text(item, "'needs'") else { return nil }
      if let lookup = scope.lookups[name] { return lookup.fullName }
      let hint = NearestName.hintOrList(name, in: scope.lookups.keys) ?? "add it under 'lookups:'"
      error("unknown_lookup", item.place, "there is no lookup '\(name)'", hint)
      return nil
    }
  }

  private func setClass(_ fields: Fields, _ action: inout ActionDefinition) {
    guard let entry = fields.entry("class") else { return }
    let choice = choice(entry.value, "'class'", Language.messageClasses).flatMap(MessageClass.init)
    if let choice { action.writesAs = choice }
    if !action.toPerson {
      error(
        "contradictory", entry.keyPlace,
        "'class' says what kind of message to a person it is, and this action writes to nobody",
        "add 'to_person: true', or remove it")
    }
  }

  private func setAmbiguous(_ fields: Fields, _ inherited: ActionInheritance, _ action: inout ActionDefinition) {
    let standard: AmbiguousPolicy = action.toPerson ? (action.verify == nil ? .park : .verify) : .retry
    let own = fields["ambiguous"].flatMap(ambiguous)
    if own == .verify, action.verify == nil, let node = fields["ambiguous"], fields["verify"] == nil {
      error(
        "contradictory", node.place, "'ambiguous: verify' needs 'verify': how the target is asked",
        "verify: { get: …, landed: { … } }")
    }
    let usual = action.toPerson ? nil : defaults.ambiguous
    action.ambiguous = own ?? inherited.ambiguous ?? usual ?? standard
    // What is said for many actions holds for those that can.
    if own == nil, action.ambiguous == .verify, action.verify == nil {
      action.ambiguous = action.toPerson ? .park : .retry
    }
  }

  /// The templates of the lookups that an action needs: they may name its arguments.
  private func lookupTemplates(_ action: ActionDefinition) -> [Template] {
    RouteTable.order(of: action.needs + action.paths.lookupNames, in: lookupDefinitions)
      .compactMap { lookupDefinitions[$0] }.flatMap(\.templates)
  }

  private func checkLookupArguments(_ action: ActionDefinition, _ entry: YAMLNode.Entry) {
    let declared = action.arguments.map(\.name)
    for name in RouteTable.order(of: action.needs + action.paths.lookupNames, in: lookupDefinitions) {
      let named = lookupDefinitions[name]?.templates.flatMap(\.paths).argumentNames ?? []
      for argument in named.sorted() where !declared.contains(argument) {
        let message = "'\(entry.key)' asks the lookup '\(name)', which names 'arguments.\(argument)'"
        error("unknown_argument", entry.keyPlace, message, "add '\(argument)' to the action's 'arguments'")
      }
    }
  }
}

extension ActionDefinition {
  /// Each step's answers are judged by the action's rules. The last step is what the action itself is: to a person or not, and
  /// what is done when nobody knows. What a step before it writes to a person cannot be asked after, and goes no second time on a
  /// guess either.
  fileprivate mutating func finishSteps() {
    for index in steps.indices { steps[index].request.responses = responses }
    guard let last = steps.indices.last else { return }
    let parks = ambiguous == .park || toPerson && ambiguous != .retry
    for place in steps.indices where parks && !["GET", "HEAD"].contains(steps[place].request.method) {
      steps[place].request.ambiguous = .park
    }
    steps[last].request.toPerson = toPerson
    steps[last].request.ambiguous = ambiguous
    steps[last].request.verify = verify
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
    var argument = ArgumentDefinition(name: entry.key, required: required, fallback: fallback, main: main)
    argument.choices = fields["one_of"].map { list($0, "'one_of'").compactMap { text($0, "a value") } } ?? []
    if let node = fields["default"] { check(node, of: argument, "'default'") }
    return argument
  }

  /// A value that is written out must be one of those that the argument takes; a template's shows only when it is sent.
  func check(_ node: YAMLNode, of argument: ArgumentDefinition, _ what: String) {
    guard !argument.choices.isEmpty, node.text?.contains("{{") != true else { return }
    _ = choice(node, what, argument.choices)
  }

  /// The arguments that an action's templates name; the only one is the main one.
  private func inferredArguments(_ action: ActionDefinition) -> [ArgumentDefinition] {
    var required: [(name: String, required: Bool)] = []
    for template in action.allTemplates + lookupTemplates(action) {
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
    for name in action.steps.flatMap(\.when.paths).argumentNames.sorted()
    where !required.contains(where: { $0.name == name }) {
      required.append((name, false))
    }
    return required.map {
      ArgumentDefinition(name: $0.name, required: $0.required, fallback: nil, main: required.count == 1)
    }
  }
}

extension BodyTemplate {
  /// The tree as it stands, templates as empty text.
  var value: JSONValue {
    switch self {
    case .literal(let value): value
    case .template: ""
    case .object(let entries): .object(JSONObject(entries.map { .init(key: $0.key, value: $0.value.value) }))
    case .array(let items): .array(items.map(\.value))
    }
  }
}
