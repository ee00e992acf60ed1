// What a person changed in a dead letter's request: whether anything, and whether it may be sent.

import DivertCore

/// A dead letter's request beside the one that its templates make.
enum RequestEdits {
  enum Verdict: Sendable {
    /// As it was rendered: a replay renders it again, under the same idempotency key.
    case unchanged
    /// Sent as it stands, under a new key.
    case edited(EditedRequest)
    case refused(Reason)
  }

  /// Blocking (the configuration that planned it may have to be compiled).
  static func judge(_ letter: DeadLetter, _ context: OperatorContext) -> Verdict {
    guard let request = letter.request else { return .unchanged }
    let table = context.tableOfVersion(letter.delivery.version)
    if letter.delivery.pendingEdit == nil, let table, isAsRendered(request, letter, table, context) {
      return .unchanged
    }
    if let step = request.step, letter.delivery.memo.steps[step] != nil {
      let sentence =
        "step `\(step)` is finished, and is not repeated: an edited request takes the place of one that is not"
      return .refused(Reason("step_finished", sentence))
    }
    guard let target = (context.table() ?? table)?.parts.targets[letter.delivery.plan.target] else {
      return .refused(Reason("gone", "today's routes.yaml has no target \(letter.delivery.plan.target): put it back"))
    }
    if let problem = problem(request, target) ?? unfilled(request, letter.delivery.plan, table) {
      return .refused(problem)
    }
    return .edited(request)
  }

  /// An edited request goes out as it stands, before anything is asked: what a lookup or step had not answered when the letter was written would go
  /// to the target by its name.
  private static func unfilled(_ request: EditedRequest, _ plan: PlannedDelivery, _ table: RouteTable?) -> Reason? {
    guard plan.prepares else { return nil }
    let names = (table?.send(route: plan.route, label: plan.send)?.lookups ?? []) + ["steps"]
    let texts = [request.url, request.body ?? ""] + request.headers.map(\.value)
    guard let name = names.first(where: { name in texts.contains { $0.contains("{{ \(name).") } }) else { return nil }
    let what = name == "steps" ? "a step" : "the lookup `\(name)`"
    return Reason(
      "unfilled",
      "the edited request still has `{{ \(name).… }}` in it, which \(what) had not answered: put the value there yourself, or "
        + "replay the letter unedited, which asks first")
  }

  /// What `--dry-run` shows: the request as it would be sent, secrets by name; or why the delivery would die.
  static func preview(
    _ letter: DeadLetter, plan: PlannedDelivery, edited: EditedRequest?, asWas: Bool, _ context: OperatorContext
  ) throws(RenderFault) -> JSONValue {
    if let edited { return RecordJSON.request(try resolved(edited, letter, plan, asWas: asWas, context)) }
    let table = asWas ? context.tableOfVersion(letter.delivery.version) : context.table()
    guard let table, let request = try made(plan, letter, definitions: table, context) else {
      throw RenderFault("action_gone", "the target, action or send that made it is gone from routes.yaml")
    }
    return RecordJSON.request(request)
  }

  /// An edited request as it goes out: under its own key, signed and authorised anew.
  private static func resolved(
    _ edited: EditedRequest, _ letter: DeadLetter, _ plan: PlannedDelivery, asWas: Bool, _ context: OperatorContext
  ) throws(RenderFault) -> EditedRequest {
    let table = asWas ? context.tableOfVersion(letter.delivery.version) : context.table()
    guard let table, let recipe = table.recipe(for: plan, newest: context.table() ?? table) else { return edited }
    let steps = recipe.action.steps
    let step = edited.step.map { name in steps.first { $0.name == name } } ?? steps.last
    let rendered = try RequestRenderer.resolve(
      edited, target: recipe.target, action: step?.request ?? recipe.action,
      idempotencyKey: edited.idempotencyKey(letter.event.id, plan), attemptAt: context.now(), secrets: .masked)
    return EditedRequest(rendered, step: edited.step)
  }

  /// The edited request as the replay takes it: in place of a step that others follow, or as all that goes out.
  static func placed(
    _ edited: EditedRequest, _ plan: PlannedDelivery, in table: RouteTable
  ) -> Result<EditedRequest, RenderFault> {
    guard let step = edited.step else { return .success(edited) }
    let steps = table.parts.targets[plan.target]?.actions[plan.action]?.steps ?? []
    var placed = edited
    if steps.last?.name == step || steps.isEmpty { placed.step = nil }
    if !steps.isEmpty, !steps.contains(where: { $0.name == step }) {
      let sentence = "\(plan.target).\(plan.action) has no step `\(step)` any more, whose request this is: put it back"
      return .failure(RenderFault("gone", sentence))
    }
    return .success(placed)
  }

  /// What a replay does before its own request: `lookup crm.contact`, `step note`; nil: nothing, or that cannot be told.
  static func preparation(
    _ letter: DeadLetter, plan: PlannedDelivery, asWas: Bool, _ context: OperatorContext
  ) -> String? {
    let table = asWas ? context.tableOfVersion(letter.delivery.version) : context.table()
    guard plan.prepares, let table, let recipe = table.recipe(for: plan, newest: context.table() ?? table) else {
      return nil
    }
    var memo = letter.delivery.memo.forReplay
    guard case .ask(let request) = recipe.stage(of: letter.event, plan: plan, memo: &memo) else { return nil }
    return request.stage
  }

  /// Whether the request is the one that its templates make, for the target as it was or as it is today: a target that was
  /// mended since is no edit of the letter.
  private static func isAsRendered(
    _ request: EditedRequest, _ letter: DeadLetter, _ table: RouteTable, _ context: OperatorContext
  ) -> Bool {
    let plan = letter.delivery.plan
    let targets = [table, context.table()].map { $0?.parts.targets[plan.target] }
    return targets.contains { target in
      same(request, rendered(plan, letter, definitions: table, target: target, context))
    }
  }

  /// The request of a plan, masked; nil where its templates fail or are gone. `target`: nil for today's.
  private static func rendered(
    _ plan: PlannedDelivery, _ letter: DeadLetter, definitions table: RouteTable, target: TargetDefinition? = nil,
    _ context: OperatorContext
  ) -> EditedRequest? {
    try? made(plan, letter, definitions: table, target: target, context)
  }

  /// The request of a plan, masked, with what the letter's delivery remembers; nil where its target, action or send is gone.
  private static func made(
    _ plan: PlannedDelivery, _ letter: DeadLetter, definitions table: RouteTable, target: TargetDefinition? = nil,
    _ context: OperatorContext
  ) throws(RenderFault) -> EditedRequest? {
    guard let own = table.parts.targets[plan.target], let action = own.actions[plan.action],
      let send = table.send(route: plan.route, label: plan.send)
    else { return nil }
    let target = target ?? context.table()?.parts.targets[plan.target] ?? own
    let event = letter.event
    let recipe = RequestRecipe(send: send, action: action, target: target, table: table)
    // A letter of an older Divert names no step, and has the last one's request.
    let isOld = letter.request != nil && letter.request?.step == nil
    let last =
      isOld ? recipe.ownRequest(of: plan) : recipe.pendingRequest(of: event, plan: plan, memo: letter.delivery.memo)
    var job = RenderJob(
      event: event, plan: plan, recipe: recipe.recipe(of: last, newest: table) ?? recipe, attemptAt: context.now(),
      request: last, memo: letter.delivery.memo)
    if event.source == AlarmBell.source { job.given["alarm"] = event.raw }
    let request = try RequestRenderer.render(job, secrets: .masked)
    return EditedRequest(request, step: last.step.isEmpty ? nil : last.step)
  }

  /// Equal but for what an attempt's time makes different (a signature's headers).
  private static func same(_ a: EditedRequest, _ b: EditedRequest?) -> Bool {
    guard let b else { return false }
    func lasting(_ headers: [HTTPHeader]) -> [HTTPHeader] {
      headers.filter { !["webhook-timestamp", "webhook-signature"].contains($0.name.lowercased()) }
    }
    return a.method == b.method && a.url == b.url && a.body == b.body && lasting(a.headers) == lasting(b.headers)
  }

  // MARK: What an edited request may be

  /// Why an edited request may not be sent to a target; nil if it may.
  static func problem(_ request: EditedRequest, _ target: TargetDefinition) -> Reason? {
    if !goesToItsTarget(request.url, target) {
      return Reason(
        "origin_refused",
        "an edited request goes to its target's own scheme and host or nowhere: `\(target.name)` is at another than the "
          + "edited url")
    }
    let texts = [request.url, request.body ?? ""] + request.headers.map(\.value)
    let foreign = texts.flatMap(secretNames).first { !target.ownSecrets.contains($0) }
    if let foreign {
      return Reason("secret_refused", "the secret `\(foreign)` is not one that the target `\(target.name)` uses")
    }
    let broken = request.headers.first { header in
      (header.name + header.value).utf8.contains { $0 < 0x20 && $0 != 0x09 || $0 == 0x7f }
    }
    if let broken { return Reason("header_invalid", "the header `\(broken.name)` has a line break in it") }
    let isWord = !request.method.isEmpty && request.method.allSatisfy { $0.isASCII && $0.isLetter }
    return isWord ? nil : Reason("method_refused", "the method must be a word such as POST")
  }

  /// Scheme and host are the target's. Where they come from a secret, the url must begin with that very address.
  private static func goesToItsTarget(_ url: String, _ target: TargetDefinition) -> Bool {
    let context = RenderContext(event: nil, now: Timestamp(milliseconds: 0))
    guard let base = try? context.text(target.base) else { return false }
    if let wanted = origin(base), !wanted.contains("{{") {
      return origin(url) == wanted
    }
    guard url.hasPrefix(base) else { return false }
    let next = url.dropFirst(base.count).first
    return base.hasSuffix("/") || next == nil || next == "/" || next == "?"
  }

  /// Scheme, host and port in lower case; nil for anything that is not http(s), or has a user in it.
  private static func origin(_ url: String) -> String? {
    let lower = url.lowercased()
    guard let scheme = ["https://", "http://"].first(where: lower.hasPrefix) else { return nil }
    let host = lower.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" && $0 != "\\" }
    return host.isEmpty || host.contains("@") ? nil : scheme + host
  }

  /// Every `name` of `{{ secrets.name }}`.
  private static func secretNames(_ text: String) -> [String] {
    var names: [String] = []
    var rest = text[...]
    while let place = rest.firstRange(of: "{{ secrets.") {
      rest = rest[place.upperBound...]
      names.append(String(rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }))
    }
    return names
  }
}
