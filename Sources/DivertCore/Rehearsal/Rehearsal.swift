// What would follow an event, without anything following: the plan of step 3 and the requests of step 7, by the very
// functions that the router runs. For `divert explain`, `divert diff` and `divert test`.

/// One event under one configuration. A pure function of the two: nothing is stored, sent or waited for.
package struct Rehearsal: Sendable {
  package let event: Event
  /// The configuration's version.
  package let version: String
  /// Every route's answer with each condition's, in the order of the file.
  package let routes: [RouteExplanation]
  /// What would follow, in the order in which it is planned.
  package let deliveries: [RehearsedDelivery]
  /// The fields of lookups as far as they are known: null for nothing.
  package let lookups: [String: JSONValue]

  /// Rehearses an event. Deliveries fall due as they were planned: counted from `event.receivedAt`.
  /// - Parameters:
  ///   - explaining: with the answers of the routes; without, `routes` is empty.
  ///   - lookups: what lookups answer, by full name. What is not among them is open: it stands as `{{ … }}` in requests, and
  ///     deliveries that depend on it are among those that follow.
  package init(
    _ event: Event, under table: RouteTable, explaining: Bool = true, lookups: [String: LookupMock] = [:]
  ) {
    self.event = event
    let fields = Dictionary(
      lookups.compactMap { name, mock in
        table.parts.lookups[name].flatMap { $0.fields(mocked: mock) }.map { (name, $0) }
      }
    ) { $1 }
    self.lookups = fields
    version = table.version
    // Divert's own alarms are no business of the routes.
    let isAlarm = event.source == RouteTable.alarmSource
    routes = isAlarm || !explaining ? [] : table.explain(event, lookups: fields)
    let planned = isAlarm ? table.planAlarm(event) : table.plan(event)
    deliveries = planned.map { RehearsedDelivery($0, event, table, lookups) }
  }
}

extension Rehearsal {
  /// The id of an event that no store has: the one that the first event of the moment would get, but for the store's
  /// tag. Equal for equal moments.
  package static func eventID(at now: Timestamp, place: Int = 0) -> EventID {
    EventID(sequence: EventID.firstSequence(at: now) + Int64(place), tag: 0)
  }

  /// Reads a body as if it had been posted to a source's address at `now`.
  /// - Parameters:
  ///   - label: what follows the key in the address (`call-rejected`).
  ///   - place: tells events of one moment apart: their ids, and with them their idempotency keys, differ.
  package static func receive(
    _ body: [UInt8], label: String? = nil, source: SourceDefinition, under table: RouteTable, now: Timestamp,
    place: Int = 0
  ) -> Reception {
    Reception.of(
      body, label: label, source: source, country: table.parts.country, receivedAt: now,
      id: eventID(at: now, place: place))
  }
}

/// A delivery that would follow, with its request.
package struct RehearsedDelivery: Sendable {
  /// Route, label, target, action, order key and due time.
  package let plan: PlannedDelivery
  /// The same in every attempt of the delivery.
  package let idempotencyKey: String
  /// The exact request with secrets by name (`{{ secrets.name }}`); or why there would be none, which would make the
  /// delivery dead.
  package let request: Result<RenderedRequest, RenderFault>
  /// The definitions that the request was made by; nil where the configuration has no such action.
  package let recipe: RequestRecipe?
  /// The requests that go out before it: lookups and steps, in order.
  package private(set) var stages: [RehearsedStage] = []
  /// How it ends without its request; nil: by its request.
  package private(set) var end: RehearsedEnd?
  /// The conditions on lookups that decide when it is due, as far as they are open.
  package private(set) var openGuards: [Send.Guard] = []

  /// It would end as skipped.
  package var isSkipped: Bool { if case .skipped = end { true } else { false } }
  /// Why it would be dead at once; nil: it would not, as far as is known.
  package var fault: Reason? {
    switch (end, request) {
    case (.skipped, _), (.done, _), (_, .success): nil
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

  init(_ plan: PlannedDelivery, _ event: Event, _ table: RouteTable, _ lookups: [String: LookupMock] = [:]) {
    self.plan = plan
    idempotencyKey = IdempotencyKey.derive(event: event.id, plan: plan)
    recipe = table.recipe(for: plan, newest: table)
    guard let recipe else {
      request = .failure(
        RenderFault("action_gone", "configuration \(table.version) has no action \(plan.target).\(plan.action)"))
      return
    }
    if recipe.prepares {
      var stages = StageRehearsal(recipe, event, plan, table, lookups)
      stages.run()
      request = stages.request ?? .failure(RenderFault("no_request", "it has no request"))
      self.stages = stages.stages
      end = stages.end
      var context = EvaluationContext(event: event, zone: table.zone, patterns: table.patterns)
      context.memo = stages.memo
      openGuards = recipe.send.guards.filter { $0.condition.verdict(for: context) == nil }
      return
    }
    let job = RenderJob(event: event, plan: plan, recipe: recipe, attemptAt: plan.due)
    do throws(RenderFault) {
      request = .success(try RequestRenderer.rehearse(job))
    } catch {
      request = .failure(error)
    }
  }
}

extension LookupMock {
  /// As a memo has it: an object of fields, null for nothing.
  package var json: JSONValue {
    switch self {
    case .found(let fields), .created(let fields): .object(fields)
    case .none: .null
    }
  }
}

extension RequestRenderer {
  /// The masked request of a job. Unlike `render(_:secrets: .masked)` it also fails where the address or a header would
  /// be refused when it is sent, as far as that does not depend on what the secrets hold.
  package static func rehearse(_ job: RenderJob) throws(RenderFault) -> RenderedRequest {
    let request = try render(job, secrets: .masked)
    let address = job.recipe.target.addressSecret
    do throws(RenderFault) {
      // "c2VjcmV0" is good as a key, a header's value, a part of an address, and as base64 for a signature.
      _ = try render(job, secrets: .resolved { $0 == address ? "https://secret.invalid" : "c2VjcmV0" })
    } catch {
      if ["url_invalid", "host_from_event", "header_invalid"].contains(error.reason.code) { throw error }
    }
    return request
  }
}
