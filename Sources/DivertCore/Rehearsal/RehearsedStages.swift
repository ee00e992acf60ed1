// A delivery in stages, rehearsed: its lookups are asked of nobody, but answered by what the rehearsal was given, or left open.

/// What a lookup answers in a rehearsal.
package enum LookupMock: Sendable, Hashable {
  case found(JSONObject)
  case none
  /// It finds nothing, and what is created then has these fields.
  case created(JSONObject)
}

extension LookupDefinition {
  /// What its fields are in a rehearsal that was given an answer: those found, or created; null for nothing; nil: not known, as it
  /// creates what it does not find, and nobody said what that is.
  func fields(mocked mock: LookupMock) -> JSONValue? {
    switch mock {
    case .found(let fields): .object(fields)
    case .none, .created: if case .create = none { created(mocked: mock).map { .object($0) } } else { .null }
    }
  }

  /// The fields of what it creates: as the rehearsal was given them, else by the action's sandbox answer.
  func created(mocked mock: LookupMock?) -> JSONObject? {
    if case .created(let fields)? = mock { return fields }
    if case .create(let action) = none { return action.sample }
    return nil
  }
}

/// A request that would go out before a delivery's own.
package struct RehearsedStage: Sendable {
  package enum Answer: Sendable, Hashable {
    /// The rehearsal was given it.
    case given(LookupMock)
    /// It is not known: what names it stands as `{{ … }}`.
    case open
  }

  package let request: StageRequest
  /// With secrets, and what is not known, by name.
  package let rendered: Result<RenderedRequest, RenderFault>
  /// The definitions that it was made by; nil: its target is gone.
  package let recipe: RequestRecipe?
  package let answer: Answer

  /// `lookup account`, `create contact`, `step note`.
  package var title: String {
    switch request.purpose {
    case .lookup(let lookup): "lookup " + lookup.name
    case .create(let lookup): "create " + lookup.name
    case .step(let step): "step " + step.name
    case .verify, .delivery: request.name
    }
  }
}

/// How a delivery ends that is rehearsed, where that is not by its request.
package enum RehearsedEnd: Sendable, Hashable {
  case skipped(Reason)
  /// Its time is over; its `otherwise` follows.
  case expired(Reason)
  case dead(Reason)
  /// Its steps are done, and those that are left are left out.
  case done(Reason)

  package var reason: Reason {
    switch self {
    case .skipped(let reason), .expired(let reason), .dead(let reason), .done(let reason): reason
    }
  }
}

/// Runs through a delivery's stages.
struct StageRehearsal {
  let recipe: RequestRecipe
  let event: Event
  let plan: PlannedDelivery
  let table: RouteTable
  let mocks: [String: LookupMock]
  var memo = DeliveryMemo()
  var opened: Set<String> = []
  var stages: [RehearsedStage] = []
  var end: RehearsedEnd?
  var request: Result<RenderedRequest, RenderFault>?
  /// What is known at the moment.
  var due: DueContext
  /// Its allowed hours begin then.
  var held: (until: Timestamp, Reason)?

  init(
    _ recipe: RequestRecipe, _ event: Event, _ plan: PlannedDelivery, _ table: RouteTable,
    _ mocks: [String: LookupMock], _ due: DueContext
  ) {
    self.recipe = recipe
    self.event = event
    self.plan = plan
    self.table = table
    self.mocks = mocks
    self.due = due
  }

  mutating func run(_ memory: inout RehearsalMemory) {
    while request == nil, held == nil {
      switch recipe.stage(of: event, plan: plan, memo: &memo, due: due, opened: opened) {
      case .ask(let request): ask(request)
      case .skip(let reason): finish(.skipped(reason))
      case .dead(let reason): finish(.dead(reason))
      case .done(let reason): finish(.done(reason))
      case .expired(let reason): finish(.expired(reason))
      case .hold(let until, let reason): held = (until, reason)
      case .consult(let question): due.answer = question.judge(&memory)
      }
    }
  }

  private mutating func finish(_ end: RehearsedEnd) {
    self.end = end
    request = .failure(RenderFault(end.reason.code, end.reason.sentence))
  }

  private mutating func ask(_ request: StageRequest) {
    let recipe = recipe.recipe(of: request, newest: table)
    let rendered = render(request, recipe)
    switch request.purpose {
    case .delivery, .verify:
      self.request = rendered
      return
    case .lookup(let lookup): answer(lookup)
    case .create(let lookup): create(lookup)
    case .step(let step): opened.insert("steps." + step.name)
    }
    stages.append(RehearsedStage(request: request, rendered: rendered, recipe: recipe, answer: known(request)))
    if case .failure(let fault) = rendered { finish(.dead(fault.reason)) }
  }

  private func known(_ request: StageRequest) -> RehearsedStage.Answer {
    switch request.purpose {
    case .lookup(let lookup):
      switch mocks[lookup.name] {
      case .found(let fields)?: .given(.found(fields))
      case .some: .given(.none)
      case nil: .open
      }
    case .create(let lookup): lookup.created(mocked: mocks[lookup.name]).map { .given(.found($0)) } ?? .open
    case .step, .verify, .delivery: .open
    }
  }

  private mutating func create(_ lookup: LookupDefinition) {
    guard let fields = lookup.created(mocked: mocks[lookup.name]) else {
      opened.insert(lookup.name)
      return
    }
    memo.lookups[lookup.name] = .object(fields)
    memo.asked[lookup.name] = nil
  }

  private mutating func answer(_ lookup: LookupDefinition) {
    switch mocks[lookup.name] {
    case .found(let fields)?: memo.lookups[lookup.name] = .object(fields)
    case .some(.none), .created?: memo.asked[lookup.name] = max(1, lookup.variants.count)
    case nil: opened.insert(lookup.name)
    }
  }

  private func render(_ request: StageRequest, _ recipe: RequestRecipe?) -> Result<RenderedRequest, RenderFault> {
    guard let recipe else {
      return .failure(RenderFault("action_gone", "configuration \(table.version) has no target \(request.target)"))
    }
    let job = RenderJob(
      event: event, plan: plan, recipe: recipe, attemptAt: plan.due, request: request, memo: memo)
    do throws(RenderFault) { return .success(try RequestRenderer.rehearse(job)) } catch { return .failure(error) }
  }
}
