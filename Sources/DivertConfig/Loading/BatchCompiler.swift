// `batch:` of an action → BatchDefinition; `quota:` of a target → QuotaRules.
import DivertCore

extension LoadContext {
  /// Gives the action its batch. `node`: what stands after `batch:`.
  func batch(_ entry: YAMLNode.Entry, _ action: inout ActionDefinition, _ answer: inout SandboxAnswer) {
    guard let fields = fields(entry.value, .batch, name: entry.keyPlace) else { return }
    guard case .json = action.body else {
      return error("contradictory", entry.keyPlace, "'batch' needs a JSON body: one delivery's", "add 'body:'")
    }
    if action.toPerson {
      error("contradictory", entry.keyPlace, "messages to people go one by one: none is sent again for another", nil)
    }
    let most = fields["max"].flatMap { whole($0, "'max'", Language.batchMost) } ?? Language.batchMost.lowerBound
    let path = fields["results"].flatMap { answerPath($0, "'results'") }
    // `*`: the answer itself is the list.
    let results = path == ["*"] ? [] : path
    var batch = BatchDefinition(
      most: most, wait: fields["wait"].map(batchWait) ?? .milliseconds(500),
      body: fields["body"].flatMap(batchBody) ?? .template(.placeholder), results: results ?? [])
    batch.request = batchRequest(fields)
    batch.errors = fields["errors"].flatMap { answerPath($0, "'errors'") }
    batch.match = fields["match"].flatMap(batchMatch)
    if let match = batch.match, let place = fields.entry("match")?.keyPlace { checkItem(match, of: action, at: place) }
    if fields["errors"] != nil, fields["match"] == nil, let place = fields.entry("errors")?.keyPlace {
      error("missing_field", place, "'errors' needs 'match': which error is whose", "match: { item: id, result: id }")
    }
    batch.each = fields["each"].map(responses) ?? []
    checkOneAddress(entry, action, batch)
    if let own = fields["sandbox"] { answer = sandbox(own) }
    answer.batch = SandboxBatch(batch)
    action.batch = batch
  }

  private func batchWait(_ node: YAMLNode) -> Span {
    guard let wait = duration(node, "'wait'") else { return .milliseconds(500) }
    if !Language.batchWaits.contains(wait) {
      error("out_of_range", node.place, "'wait' is 0s to \(Language.batchWaits.upperBound.duration)", "500ms")
    }
    return wait
  }

  /// What stands around the items sees no event: it is one for all of them.
  private var batchScope: TemplateScope {
    var scope = TemplateScope(event: false, now: false, secrets: true, idempotencyKey: true, tables: Set(tables.keys))
    scope.items = true
    return scope
  }

  private func batchBody(_ node: YAMLNode) -> BodyTemplate? {
    guard let body = tree(node, batchScope) else { return nil }
    let names = body.templates.flatMap(\.paths)
    if !names.contains(.items), !body.templates.contains(.placeholder) {
      error("missing_field", node.place, "the body of a batch has no items in it", "data: \"{{ items }}\"")
    }
    return body
  }

  private func batchRequest(_ fields: Fields) -> (method: String, path: Template)? {
    let given = fields.entries.filter { Language.methods.contains($0.key) }
    guard let entry = given.first else { return nil }
    if given.count > 1 {
      error("contradictory", given[1].keyPlace, "a batch has one method, not \(given.count)", "remove one")
    }
    return path(entry.value, batchScope).map { (entry.key.uppercased(), $0) }
  }

  private func batchMatch(_ node: YAMLNode) -> BatchDefinition.Match? {
    guard let fields = fields(node, .batchMatch) else { return nil }
    let item = fields["item"].flatMap { answerPath($0, "'item'") }
    let result = fields["result"].flatMap { answerPath($0, "'result'") }
    let failed = fields["error"].flatMap { answerPath($0, "'error'") }
    guard let item, let result else { return nil }
    return BatchDefinition.Match(item: item, result: result, error: failed)
  }

  /// An item that has not what it is found by would never be found: each would be sent again, though it was taken.
  private func checkItem(_ match: BatchDefinition.Match, of action: ActionDefinition, at place: Place) {
    guard case .json(.object(let entries)) = action.body, let first = match.item.first else { return }
    if entries.contains(where: { $0.key == first }) || action.idempotency.fieldPath?.first == first { return }
    let nearest = NearestName.hint(first, in: entries.map(\.key))
    error(
      "contradictory", place, "an item has no '\(match.item.joined(separator: "."))' to find its result by",
      nearest ?? "put it into the action's 'body'")
  }

  private func answerPath(_ node: YAMLNode, _ what: String) -> [String]? {
    guard let text = text(node, what) else { return nil }
    if let steps = JSONPath.steps(text) { return steps }
    error("bad_path", node.place, "'\(text)' is no path into JSON", "such as data.0.id")
    return nil
  }

  /// All items of a batch go to one address, with one set of headers.
  private func checkOneAddress(_ entry: YAMLNode.Entry, _ action: ActionDefinition, _ batch: BatchDefinition) {
    var templates = action.query.map(\.value) + action.headers.map(\.value)
    if batch.request == nil { templates.append(action.path) }
    for path in templates.flatMap(\.paths) where path.isOfOneDelivery {
      error(
        "contradictory", entry.keyPlace,
        "'\(path)' is another for each delivery, and a batch has one address and "
          + "one set of headers", "give the batch a path of its own, or leave '\(path)' to the body")
      return
    }
  }

  // MARK: Quotas

  /// `quota:`: what a target's answers say of what is left.
  func quota(_ node: YAMLNode) -> [QuotaRule] {
    oneOrMore(node).compactMap { node in
      guard let fields = fields(node, .quota) else { return nil }
      let below = fields["below"].flatMap { whole($0, "'below'", Language.quotaBelow) } ?? 0
      let wait = fields["reset"].flatMap(wait)
      guard let remaining = fields["remaining"].flatMap(answerPlace),
        let reset = wait?.source ?? wait?.atLeast.map({ .fixed($0) })
      else { return nil }
      return QuotaRule(remaining: remaining, below: below, reset: reset)
    }
  }

  private func answerPlace(_ node: YAMLNode) -> AnswerPlace? {
    guard let fields = fields(node, .answerPlace) else { return nil }
    let places = fields.entries.filter { $0.key != "form" }
    guard places.count == 1, let entry = places.first else {
      error(
        "contradictory", node.place, "'remaining' takes one of header and json", "{ header: x-ratelimit-remaining }")
      return nil
    }
    let place: AnswerPlace? =
      entry.key == "header"
      ? text(entry.value, "'header'").map { .header($0.lowercased()) }
      : answerPath(entry.value, "'json'").map { .json($0) }
    guard let form = fields["form"] else { return place }
    return choice(form, "'form'", Language.quotaForms) == nil ? nil : place.map { .usedOfAll($0) }
  }
}

extension ValuePath {
  /// Its value is a delivery's own.
  fileprivate var isOfOneDelivery: Bool {
    switch self {
    case .secret, .token, .items: false
    case .idempotencyKey: false
    default: true
    }
  }
}
