// A delivery of a rehearsal: when it went out and with which request, or why it did not.

/// A delivery that would follow, with its request.
package struct RehearsedDelivery: Sendable {
  /// Route, label, target, action, order key and due time.
  package let plan: PlannedDelivery
  /// The place of its event among the clock's, and its own among the event's deliveries.
  package let event: Int
  let ordinal: Int
  /// The same in every attempt of the delivery.
  package let idempotencyKey: String
  /// The exact request with secrets by name (`{{ secrets.name }}`); or why there would be none: then it ends as `end` says, or is dead.
  package private(set) var request: Result<RenderedRequest, RenderFault>
  /// The definitions that the request was made by; nil where the configuration has no such action.
  package let recipe: RequestRecipe?
  /// The requests that go out before it: lookups and steps, in order.
  package private(set) var stages: [RehearsedStage] = []
  /// How it ends without its request; nil: by its request.
  package private(set) var end: RehearsedEnd?
  /// The conditions on lookups that decide when it is due, as far as they are open.
  package private(set) var openGuards: [Send.Guard] = []
  /// When its request goes out, or it ends.
  package var endedAt: Timestamp
  /// What it waited for beyond its due time.
  package var waits: [RehearsedWait] = []
  /// The label of the send that expired, whose `otherwise` this is.
  package var insteadOf: String?

  private let source: Event
  private let lookups: [String: LookupMock]

  /// It would end as skipped: expired, withheld, or a condition said no.
  package var isSkipped: Bool { withheld != nil }
  /// Why it would end as skipped; nil: it would not.
  package var withheld: Reason? {
    switch end {
    case .skipped(let reason), .expired(let reason): reason
    case .dead, .done, nil: nil
    }
  }
  /// Why it would be dead at once; nil: it would not, as far as is known.
  package var fault: Reason? {
    switch (end, request) {
    case (.skipped, _), (.expired, _), (.done, _), (_, .success): nil
    case (_, .failure(let fault)): fault.reason
    }
  }
  /// The lookups that it needs and the rehearsal was not told of, by full name.
  package var openLookups: [String] {
    stages.compactMap { stage in
      if case .lookup(let lookup) = stage.request.purpose, stage.answer == .open { lookup.name } else { nil }
    }
  }

  /// What is created for it, of which the rehearsal was not told and on which a condition of its depends: lookups' full names.
  package var openCreations: [String] {
    let creations = stages.compactMap { stage in
      if case .create(let lookup) = stage.request.purpose, stage.answer == .open { lookup.name } else { nil }
    }
    if creations.isEmpty { return [] }
    let steps = recipe?.action.steps.map(\.when) ?? []
    let asked = (openGuards.map(\.condition) + steps).flatMap(\.paths).lookupNames
    return creations.filter(asked.contains)
  }

  /// `target.action`.
  package var name: String { plan.target + "." + plan.action }
  /// It is a message to a person.
  package var isMessage: Bool { recipe?.action.toPerson ?? plan.toPerson }
  /// Its target is switched off (`enabled: false`): the delivery would wait.
  package var waitsForTarget: Bool { recipe.map { !$0.target.enabled } ?? false }
  /// It is an `else`: it goes out because a promise of this route was broken.
  package var brokenPromise: String? { recipe?.send.timing.promise }

  init(
    _ plan: PlannedDelivery, _ event: Event, _ place: Int, _ ordinal: Int, _ table: RouteTable,
    _ lookups: [String: LookupMock]
  ) {
    self.plan = plan
    self.event = place
    self.ordinal = ordinal
    self.lookups = lookups
    source = event
    endedAt = plan.due
    idempotencyKey = IdempotencyKey.derive(event: event.id, plan: plan)
    recipe = table.recipe(for: plan, newest: table)
    request = .failure(
      RenderFault("action_gone", "configuration \(table.version) has no action \(plan.target).\(plan.action)"))
  }

  /// Passes its gate: judged by time and memory, then its stages and its request.
  /// - Returns: until when it is held, and why; nil: it went out or ended.
  mutating func run(
    _ due: DueContext, _ table: RouteTable, _ memory: inout RehearsalMemory
  ) -> (until: Timestamp, Reason)? {
    guard let recipe else { return nil }
    guard recipe.prepares || plan.prepares else {
      render(recipe)
      return nil
    }
    var stages = StageRehearsal(recipe, source, plan, table, lookups, due)
    stages.run(&memory)
    if let held = stages.held { return held }
    request = stages.request ?? .failure(RenderFault("no_request", "it has no request"))
    self.stages = stages.stages
    end = stages.end
    var context = EvaluationContext(event: source, zone: table.zone, patterns: table.patterns)
    context.memo = stages.memo
    openGuards = recipe.send.guards.filter { $0.condition.verdict(for: context) == nil }
    return nil
  }

  private mutating func render(_ recipe: RequestRecipe) {
    let job = RenderJob(event: source, plan: plan, recipe: recipe, attemptAt: plan.due)
    do throws(RenderFault) {
      request = .success(try RequestRenderer.rehearse(job))
    } catch {
      request = .failure(error)
    }
  }

  /// Ends it without its request.
  mutating func fail(_ end: RehearsedEnd) {
    self.end = end
    request = .failure(RenderFault(end.reason.code, end.reason.sentence))
  }
}
