// Several deliveries → one HTTP request (step 7 of the line): each item's body as it would go alone, and the batch's around them.

extension RequestRecipe {
  /// The action as a batch asks it: its path, and the body around the items. Nil: it has no batch.
  static func wrapped(_ action: ActionDefinition) -> ActionDefinition? {
    guard let batch = action.batch else { return nil }
    var wrapped = action
    wrapped.batch = nil
    wrapped.body = .json(batch.body)
    wrapped.maxLengths = [:]
    if let (method, path) = batch.request { (wrapped.method, wrapped.path) = (method, path) }
    if wrapped.idempotency.fieldPath != nil { wrapped.idempotency = .natural }
    return wrapped
  }

  /// A delivery that goes alone has the batch's body around it: a single one's request is no other.
  package var wrapsSingles: Bool { wrapper != nil && action.batch?.request == nil }
}

extension RequestRenderer {
  /// The body of one item of a batch.
  package static func item(_ job: RenderJob, secrets: SecretUse) throws(RenderFault) -> JSONValue {
    try item(job, context(job, secrets: secrets))
  }

  static func item(_ job: RenderJob, _ context: RenderContext) throws(RenderFault) -> JSONValue {
    guard case .json(let body) = job.recipe.action.body, let value = try jsonValue(body, job, context) else {
      throw RenderFault("value_missing", "the body of an item of a batch came out missing")
    }
    return value
  }

  /// The request of several items. `job` is the first one's; the templates around the items see no event.
  /// - Parameter keys: the items' idempotency keys, in order.
  package static func render(
    batch items: [JSONValue], around job: RenderJob, keys: [String], secrets: SecretUse
  ) throws(RenderFault) -> RenderedRequest {
    guard let wrapper = job.recipe.wrapper else {
      throw RenderFault("action_gone", "the action takes no batches in the configuration that planned this delivery")
    }
    var outer = job
    outer.recipe = wrapper
    outer.idempotencyKey = keys.count == 1 ? keys[0] : IdempotencyKey.derive(batch: keys)
    var context = try context(job, secrets: secrets)
    context.event = nil
    context.arguments = JSONObject()
    context.memo = DeliveryMemo()
    context.idempotencyKey = outer.idempotencyKey
    context.items = items
    return try render(outer, context)
  }
}

extension IdempotencyKey {
  /// The key of a batch: of these items in this order.
  package static func derive(batch keys: [String]) -> String { digest(bytes(of: keys)) }
}
