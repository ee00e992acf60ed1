// What comes next of a delivery that goes out in stages (between steps 6 and 7 of the line): a lookup to ask, a step to take, its
// request, or its end. A pure function of its definitions, its event and what it remembers.

/// What comes next.
package enum Stage: Sendable {
  case ask(StageRequest)
  /// It ends without being sent.
  case skip(Reason)
  case dead(Reason)
  /// It is delivered: the steps that are left are left out.
  case done(Reason)
  /// Its allowed hours begin then.
  case hold(until: Timestamp, Reason)
  /// It ends without being sent, and what stands under `otherwise` follows.
  case expired(Reason)
  /// It asks what is stored; comes again with the answer.
  case consult(DueQuestion)
}

/// One request of a delivery that goes out in stages.
package struct StageRequest: Sendable {
  /// What its answer is for.
  package enum Purpose: Sendable {
    case lookup(LookupDefinition)
    /// A lookup found nothing, and this creates it.
    case create(LookupDefinition)
    /// A step that is not the last one.
    case step(StepDefinition)
    case verify(VerifyDefinition)
    /// The delivery's own request, or the last of its steps.
    case delivery
  }

  package let purpose: Purpose
  /// Whose gate, credential and response rules hold for it.
  package let target: String
  package let action: ActionDefinition
  /// For logs, and what the sandbox answers by: `log_call`, `note.link`, `log_call.verify`, `lookups.account`.
  package let name: String
  /// Its share in the idempotency key; empty for a delivery's one request.
  package let step: String
  /// Of a lookup: the variant that is asked, and its place among them.
  package let variant: String?
  package let place: Int
  /// Of a lookup: what an item must have at these paths.
  package let wanted: [(path: [String], text: String)]

  init(
    _ purpose: Purpose, target: String, action: ActionDefinition, name: String, step: String, variant: String? = nil,
    place: Int = 0, wanted: [(path: [String], text: String)] = []
  ) {
    self.purpose = purpose
    self.target = target
    self.action = action
    self.name = name
    self.step = step
    self.variant = variant
    self.place = place
    self.wanted = wanted
  }
}

extension RequestRecipe {
  /// Whether a delivery by it goes out in stages.
  package var prepares: Bool { action.prepares || !send.guards.isEmpty || !needs.isEmpty }

  /// What comes next: expired, withheld, held; conditions and their lookups; the lookups that its request needs; what it asks of what
  /// is stored; its steps and its request. One whose attempt may have arrived is asked after before all of that. The memo learns
  /// what takes no request: that the guards said yes, steps that are left out, lookups that stay empty.
  /// - Parameter due: what is known now; nil: time and memory are not judged.
  /// - Parameter opened: for rehearsals: lookups, and steps as `steps.note`, that are as good as answered, though nothing is known of
  ///   the answer; what depends on them is taken to hold.
  /// - Parameter edited: the step whose request a person edited: it goes first and whatever the conditions say, if it is not finished.
  package func stage(
    of event: Event, plan: PlannedDelivery, memo: inout DeliveryMemo, due: DueContext? = nil, opened: Set<String> = [],
    taking edited: String? = nil
  ) -> Stage {
    var planner = StagePlanner(
      recipe: self, event: event, plan: plan, due: due, opened: opened, edited: edited, memo: memo)
    defer { memo = planner.memo }
    do throws(RenderFault) { return try planner.next() } catch { return .dead(error.reason) }
  }
}

extension ActionDefinition {
  /// Something comes before its last request, whatever sends it.
  package var prepares: Bool { !steps.isEmpty || !needs.isEmpty || !paths.lookupNames.isEmpty }
}

/// One look at a delivery.
private struct StagePlanner {
  let recipe: RequestRecipe
  let event: Event
  let plan: PlannedDelivery
  let due: DueContext?
  let opened: Set<String>
  let edited: String?
  var memo: DeliveryMemo

  mutating func next() throws(RenderFault) -> Stage {
    if memo.isUncertain, let verify = recipe.action.verify { return .ask(try question(verify)) }
    if !memo.isUncertain, let due, let stage = recipe.judged(plan, due) { return stage }
    if due?.isEdited == true { return .ask(recipe.ownRequest(of: plan)) }
    if let edited {
      let place = recipe.action.steps.firstIndex { $0.name == edited && memo.steps[edited] == nil }
      if let place { return .ask(request(ofStep: place)) }
    } else if !memo.isCleared, let stage = try judgeGuards() {
      return stage
    }
    if opened.isEmpty { memo.isCleared = true }
    for name in recipe.needs {
      if let stage = try ask(name) { return stage }
    }
    if !memo.isUncertain, let due, let stage = consult(due) { return stage }
    return recipe.action.steps.isEmpty ? .ask(delivery) : try nextStep()
  }

  /// What it asks of what is stored, or what it was told; nil: nothing speaks against it. A replay does not ask.
  private func consult(_ due: DueContext) -> Stage? {
    switch due.answer {
    case .skip(let reason): return .skip(reason)
    case .go: return nil
    case nil: break
    }
    guard !due.isReplay, recipe.send.timing.asksMemory, let delivery = due.delivery else { return nil }
    let question = recipe.send.question(delivery, event: event, now: due.now, under: recipe.table)
    return question.map { .consult($0) }
  }

  private var delivery: StageRequest {
    StageRequest(.delivery, target: plan.target, action: recipe.action, name: plan.action, step: "")
  }

  private func question(_ verify: VerifyDefinition) throws(RenderFault) -> StageRequest {
    var wanted: [(path: [String], text: String)] = []
    if let contains = verify.contains, let text = try rendering(recipe).text(contains) { wanted = [([], text)] }
    return StageRequest(
      .verify(verify), target: plan.target, action: verify.request, name: plan.action + ".verify",
      step: recipe.action.steps.last?.name ?? "", wanted: wanted)
  }

  /// The first guard that says no ends it; one that cannot be judged yet asks what it lacks. Nil: all said yes.
  private mutating func judgeGuards() throws(RenderFault) -> Stage? {
    for guarding in recipe.send.guards {
      while true {
        let verdict = guarding.condition.verdict(for: context())
        if verdict == true { break }
        if verdict == false { return .skip(refusal(guarding)) }
        let open = guarding.condition.openLookups(for: context())
        guard let missing = open.first(where: { !opened.contains($0) }) else { break }
        if let stage = try ask(missing) { return stage }
      }
    }
    return nil
  }

  private func refusal(_ guarding: Send.Guard) -> Reason {
    let failures = guarding.condition.explained(for: context()).failures
    let words = failures.map { $0.isLeaf ? $0.text : guarding.condition.words }
    return Reason(
      "condition_not_met", "route \(guarding.route) does not match: not so: \(words.joined(separator: "; "))")
  }

  private func context(arguments: JSONObject = JSONObject()) -> EvaluationContext {
    var context = EvaluationContext(event: event, zone: recipe.zone, patterns: recipe.table.patterns)
    context.memo = memo
    context.arguments = arguments
    return context
  }

  // MARK: Steps

  private mutating func nextStep() throws(RenderFault) -> Stage {
    let steps = recipe.action.steps
    for (place, step) in steps.enumerated()
    where memo.steps[step.name] == nil && !opened.contains("steps." + step.name) {
      guard step.when.verdict(for: context(arguments: try arguments(of: step.when))) != false else {
        memo.steps[step.name] = .null
        continue
      }
      return .ask(request(ofStep: place))
    }
    let took = steps.contains { memo.steps[$0.name] != .null }
    let name = plan.target + "." + plan.action
    return took
      ? .done(Reason("accepted", "the last steps of \(name) were left out, as their conditions say"))
      : .skip(Reason("no_step", "no step of \(name) was to be taken, as their conditions say"))
  }

  private func request(ofStep place: Int) -> StageRequest {
    let step = recipe.action.steps[place]
    let isLast = place == recipe.action.steps.count - 1
    return StageRequest(
      isLast ? .delivery : .step(step), target: plan.target, action: step.request, name: plan.action + "." + step.name,
      step: step.name)
  }

  private func arguments(of condition: Condition) throws(RenderFault) -> JSONObject {
    let names = condition.paths.argumentNames
    if names.isEmpty { return JSONObject() }
    return try rendering(recipe.restricted(to: names, action: recipe.action)).arguments
  }

  private func rendering(_ recipe: RequestRecipe) throws(RenderFault) -> RenderContext {
    var job = RenderJob(event: event, plan: plan, recipe: recipe, attemptAt: plan.due)
    job.memo = memo
    return try RequestRenderer.context(job, secrets: .masked)
  }

  // MARK: Lookups

  /// What must be asked before a lookup has its answer; nil: it has, or stays empty.
  private mutating func ask(_ name: String) throws(RenderFault) -> Stage? {
    guard memo.lookups[name] == nil, !opened.contains(name) else { return nil }
    guard let lookup = recipe.table.parts.lookups[name] else {
      return .dead(Reason("lookup_gone", "configuration \(recipe.table.version) has no lookup \(name)"))
    }
    for other in recipe.needs(of: lookup.templates) where other != name {
      if let stage = try ask(other) { return stage }
    }
    if let request = try question(lookup) { return .ask(request) }
    return try nothing(lookup)
  }

  /// The next variant to ask; nil: all have been, or there is nothing to ask with.
  private func question(_ lookup: LookupDefinition) throws(RenderFault) -> StageRequest? {
    let asked = memo.asked[lookup.name] ?? 0
    guard asked < max(1, lookup.variants.count) else { return nil }
    let names = lookup.templates.flatMap(\.paths).argumentNames
    let context = try rendering(recipe.restricted(to: names, action: lookup.request))
    guard let wanted = try wanted(lookup, context) else { return nil }
    guard !lookup.variants.isEmpty else { return request(lookup, nil, 0, wanted) }
    var before: Set<String> = []
    for (place, variant) in lookup.variants.enumerated() {
      guard let text = try context.text(variant), !text.isEmpty, before.insert(text).inserted, place >= asked else {
        continue
      }
      return request(lookup, text, place, wanted)
    }
    return nil
  }

  private func request(
    _ lookup: LookupDefinition, _ variant: String?, _ place: Int, _ wanted: [(path: [String], text: String)]
  ) -> StageRequest {
    StageRequest(
      .lookup(lookup), target: lookup.target, action: lookup.request, name: "lookups." + lookup.name,
      step: "lookup " + lookup.name, variant: variant, place: place, wanted: wanted)
  }

  /// Nil: a value is missing that may be: nothing can be found.
  private func wanted(
    _ lookup: LookupDefinition, _ context: RenderContext
  ) throws(RenderFault) -> [(path: [String], text: String)]? {
    var values: [(path: [String], text: String)] = []
    for wanted in lookup.wanted {
      guard let text = try context.text(wanted.value) else { return nil }
      values.append((wanted.path, text))
    }
    return values
  }

  /// What follows when a lookup found nothing; nil: its fields are missing, and it goes on.
  private mutating func nothing(_ lookup: LookupDefinition) throws(RenderFault) -> Stage? {
    if memo.asked[lookup.name] == nil, lookup.variants.isEmpty {
      // There was nothing to ask with: a value that may be missing is.
      memo.lookups[lookup.name] = .null
      return nil
    }
    switch lookup.none {
    case .fail: return .dead(absence(lookup))
    case .skip: return .skip(absence(lookup))
    case .empty:
      memo.lookups[lookup.name] = .null
      return nil
    case .create(let action):
      for other in recipe.needs(of: action.templates) where other != lookup.name {
        if let stage = try ask(other) { return stage }
      }
      return .ask(
        StageRequest(
          .create(lookup), target: lookup.target, action: action, name: action.name, step: "create " + lookup.name))
    }
  }

  private func absence(_ lookup: LookupDefinition) -> Reason {
    let fields = lookup.templates.flatMap(\.paths).compactMap { path -> String? in
      switch path {
      case .field, .argument, .raw: path.description
      default: nil
      }
    }
    let whose = fields.first.map { " for the event's `\($0)`" } ?? ""
    let target = lookup.name.hasPrefix(lookup.target + ".") ? "" : " in \(lookup.target)"
    return Reason("lookup_none", "no \(lookup.name) was found\(target)\(whose)")
  }
}
