// `steps:` and `verify:` of an action or target → StepDefinitions and VerifyDefinitions.
import DivertCore

extension LoadContext {
  /// The requests of an action that has several in a row.
  /// - Parameter scope: what the action's templates may name; each step may name those before it, too.
  func steps(_ node: YAMLNode, _ scope: TemplateScope, of action: ActionDefinition, target: String) -> [StepDefinition]
  {
    var scope = scope
    var steps: [StepDefinition] = []
    let items = list(node, "'steps'")
    if items.isEmpty, node.items != nil {
      error("no_value", node.place, "an action without a step does nothing", "- note: { post: /notes }")
    }
    scope.laterSteps = Set(items.compactMap { $0.entries?.first?.key })
    for item in items {
      guard let entry = stepEntry(item) else { continue }
      if scope.steps[entry.key] != nil {
        error("duplicate_label", entry.keyPlace, "two steps have the name '\(entry.key)'", "give one another name")
      }
      let step = step(entry, scope, of: action, target: target)
      scope.steps[entry.key] = Set((entry.value["fields"]?.entries ?? []).map(\.key))
      scope.laterSteps.remove(entry.key)
      if let step { steps.append(step) }
    }
    return steps
  }

  private func stepEntry(_ node: YAMLNode) -> YAMLNode.Entry? {
    if let method = node.entries?.first(where: { Language.methods.contains($0.key) }) {
      let message = "a step has a name, and its request under it"
      error("bad_step", node.place, message, "- first: { \(method.key): \(method.value.text ?? "/path"), … }")
      return nil
    }
    let entries = named(node, "a step")
    if entries.count > 1 {
      error("contradictory", entries[1].keyPlace, "two steps in one item of 'steps'", "begin a new item with '- '")
    } else if entries.isEmpty, node.entries?.isEmpty == true {
      error("no_value", node.place, "a step has a name", "- note: { post: /notes }")
    }
    return entries.first
  }

  private func step(
    _ entry: YAMLNode.Entry, _ scope: TemplateScope, of action: ActionDefinition, target: String
  ) -> StepDefinition? {
    guard let fields = fields(entry.value, .step, name: entry.keyPlace) else { return nil }
    var own = ActionDefinition(name: entry.key, method: "POST", path: .placeholder)
    request(fields, entry, scope, &own, "step", Language.step)
    if let node = fields["idempotency"], let placement = idempotency(node, own.body) { own.idempotency = placement }
    own.maxLengths = fields["max"].map { maxLengths($0, own.body, query: own.query.map(\.name)) } ?? [:]
    own.fields = fields["fields"].map(answerFields) ?? []
    stageAnswers["\(target).\(action.name).\(entry.key)"] =
      fields["sandbox"].map { sandbox($0) } ?? (own.fields.isEmpty ? .standard : .made(of: own.fields))
    var step = StepDefinition(name: entry.key, request: own)
    if let when = fields["when"] { step.when = condition(when, of: scope) }
    return step
  }

  /// A condition that may name what `scope` has.
  private func condition(_ node: YAMLNode, of scope: TemplateScope) -> Condition {
    let before = (conditionScope, conditionOwner)
    defer { (conditionScope, conditionOwner) = before }
    conditionOwner = .step
    conditionScope.lookups = scope.lookups
    conditionScope.steps = scope.steps
    conditionScope.arguments = scope.arguments
    return condition(node)
  }

  func verify(_ node: YAMLNode, _ scope: TemplateScope, name: String) -> VerifyDefinition? {
    guard let fields = fields(node, .verify) else { return nil }
    let entry = YAMLNode.Entry(key: "verify", keyPlace: node.place, value: node)
    var action = ActionDefinition(name: "verify", method: "GET", path: .placeholder)
    action.idempotency = .natural
    request(fields, entry, scope, &action, "", Language.verify)
    let after = fields["after"].flatMap { duration($0, "'after'", .zero ... .hours(24)) } ?? .seconds(10)
    var conditions: [ResponseCondition] = []
    var contains: Template?
    if let landed = fields["landed"].flatMap({ self.fields($0, .landed) }) {
      conditions = self.conditions(of: landed)
      contains = landed["contains"].flatMap { template($0, "'contains'", scope) }
      if landed.entries.isEmpty, landed.isWhole {
        error(
          "no_condition", landed.node.place, "'landed' without a condition holds for every answer", "{ status: 2xx }")
      }
    }
    if let answer = fields["sandbox"] { stageAnswers[name] = sandbox(answer) }
    return VerifyDefinition(request: action, after: after, landed: conditions, contains: contains)
  }
}
