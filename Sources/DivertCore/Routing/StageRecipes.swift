// How a stage's request is rendered: the delivery's own recipe, narrowed to what the request names (between steps 6 and 7 of the
// line).

extension RequestRecipe {
  /// The lookups that an action's templates, the send's arguments and `needs` name, each once.
  package static func needs(_ send: Send, _ action: ActionDefinition) -> [String] {
    let given = Set(send.arguments.map(\.key))
    let defaults = action.arguments.filter { !given.contains($0.name) }.compactMap(\.fallback)
    let templates = send.arguments.flatMap(\.value.templates) + defaults.flatMap(\.templates)
    let named = (templates.flatMap(\.paths) + action.paths).lookupNames
    return action.needs + named.filter { !action.needs.contains($0) }
  }

  /// The lookups that templates need: those that they name, and those that the arguments need which they name.
  func needs(of templates: [Template]) -> [String] {
    let paths = templates.flatMap(\.paths)
    let names = paths.argumentNames
    let given = send.arguments.filter { names.contains($0.key) }
    let defaults = action.arguments.filter { one in names.contains(one.name) && !given.contains { $0.key == one.name } }
    let bodies = given.map(\.value) + defaults.compactMap(\.fallback)
    return (paths + bodies.flatMap(\.templates).flatMap(\.paths)).lookupNames
  }

  /// The same delivery with another request, which takes these of its arguments and no others: what the others name need not be
  /// known yet.
  func restricted(to names: Set<String>, action other: ActionDefinition, target: TargetDefinition? = nil)
    -> RequestRecipe
  {
    var send = send
    send.arguments = send.arguments.filter { names.contains($0.key) }
    var other = other
    other.arguments = action.arguments.filter { names.contains($0.name) }
    return RequestRecipe(send: send, action: other, target: target ?? self.target, table: table)
  }

  /// The recipe of a stage's request, its target as `newest` has it (as it was where that is gone); nil: there is no such target.
  package func recipe(of request: StageRequest, newest: RouteTable) -> RequestRecipe? {
    if case .delivery = request.purpose, action.steps.isEmpty { return self }
    let known = request.target == target.name ? target : newest.parts.targets[request.target]
    guard let target = known ?? table.parts.targets[request.target] else { return nil }
    let names = request.action.templates.flatMap(\.paths).argumentNames
    return restricted(to: names, action: request.action, target: target)
  }

  /// The secrets that its requests name: to be masked in what is shown of them and their answers.
  package var secretNames: Set<String> { target.ownSecrets.union(action.secretNames) }
}

extension RenderJob {
  /// The job of a stage's request. `recipe`: `RequestRecipe.recipe(of:newest:)`'s for it.
  package init(
    event: Event, plan: PlannedDelivery, recipe: RequestRecipe, attemptAt: Timestamp, request: StageRequest,
    memo: DeliveryMemo
  ) {
    self.init(
      event: event, plan: plan, recipe: recipe, attemptAt: attemptAt, key: request.idempotencyKey(event.id, plan))
    self.memo = memo
    variant = request.variant
  }
}

extension StageRequest {
  /// Equal in every attempt. Of a creation it is equal for all deliveries of the event, since each would create the same.
  package func idempotencyKey(_ event: EventID, _ plan: PlannedDelivery) -> String {
    if case .create(let lookup) = purpose {
      return IdempotencyKey.derive(
        event: event, route: "lookups/" + lookup.name, send: "", target: target, action: action.name, step: step)
    }
    if step.isEmpty { return IdempotencyKey.derive(event: event, plan: plan) }
    return IdempotencyKey.derive(
      event: event, route: plan.route, send: plan.send, target: plan.target, action: plan.action, step: step)
  }
}

extension RouteTable {
  /// Every lookup that names need, those that their own questions need included, in the order in which they are asked.
  package static func order(
    of names: [String], in lookups: [String: LookupDefinition], arguments: [BodyTemplate.Entry] = []
  ) -> [String] {
    var order: [String] = []
    var seen: Set<String> = []
    func add(_ name: String) {
      guard seen.insert(name).inserted else { return }
      if let lookup = lookups[name] { lookup.needs(arguments).forEach(add) }
      order.append(name)
    }
    names.forEach(add)
    return order
  }
}

extension RouteTable {
  /// Whether a lookup's answer depends on what a send gives to its action: it names an argument, or a lookup that it needs does.
  package func asksByArguments(_ lookup: LookupDefinition) -> Bool {
    Self.order(of: [lookup.name], in: parts.lookups).compactMap { parts.lookups[$0] }
      .contains { !$0.templates.flatMap(\.paths).argumentNames.isEmpty }
  }
}

extension LookupDefinition {
  /// The lookups that its question needs, and the action that creates what it does not find.
  package func needs(_ arguments: [BodyTemplate.Entry] = []) -> [String] {
    var templates = templates
    if case .create(let action) = none { templates += action.templates }
    let paths = templates.flatMap(\.paths)
    let names = paths.argumentNames
    let given = arguments.filter { names.contains($0.key) }.flatMap(\.value.templates).flatMap(\.paths)
    return (paths + given).lookupNames.filter { $0 != name }
  }
}
