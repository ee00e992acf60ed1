// Deliveries in stages, from the file to the last request: what is asked in which order, what answers do, what is remembered.
import DivertCore
import Testing

@testable import DivertConfig

/// One send of a file, followed through its stages with answers that the test gives.
struct StageWalk {
  let table: RouteTable
  let recipe: RequestRecipe
  let plan: PlannedDelivery
  let event: Event
  var memo = DeliveryMemo()
  /// What time and memory are judged by; nil: they are not.
  var due: DueContext?

  init(_ text: String, send place: Int = 0) throws {
    let result = ConfigLoader.load(text: text, file: "routes.yaml")
    let faults = result.diagnostics.filter { $0.severity == .error }.map(\.description).joined()
    table = try #require(result.table, "\(faults)")
    let body = SampleEvent.outgoingRejected.body(callID: "call_1", phone: "919876543210", at: Self.now)
    let source = SourceDefinition(name: "doubletick", type: "doubletick")
    guard
      case .event(let event, _) = Rehearsal.receive(body.encoded(), source: source, under: table, now: Self.now)
    else { throw Given.Missing() }
    self.event = event
    let plans = table.plan(event).deliveries
    guard plans.indices.contains(place) else { throw Given.Missing() }
    plan = plans[place]
    recipe = try #require(table.recipe(for: plan, newest: table))
  }

  static let now = Timestamp(milliseconds: 1_768_473_027_000)

  mutating func stage() -> Stage { recipe.stage(of: event, plan: plan, memo: &memo, due: due) }

  /// `lookups.account GET https://…`; or how it ends.
  mutating func next() throws -> String {
    switch stage() {
    case .ask(let request):
      let rendered = try rendered(request)
      return "\(request.name) \(rendered.method) \(rendered.url)"
    case .skip(let reason): return "skip \(reason.code): \(reason.sentence)"
    case .dead(let reason): return "dead \(reason.code): \(reason.sentence)"
    case .done(let reason): return "done \(reason.code)"
    case .hold(let until, let reason): return "hold \(until.iso8601(in: recipe.zone)) \(reason.code)"
    case .expired(let reason): return "expired \(reason.sentence)"
    case .consult: return "consult"
    }
  }

  func rendered(_ request: StageRequest) throws -> RenderedRequest {
    let recipe = try #require(recipe.recipe(of: request, newest: table))
    let job = RenderJob(
      event: event, plan: plan, recipe: recipe, attemptAt: Self.now, request: request, memo: memo)
    return try RequestRenderer.render(job, secrets: .resolved { _ in "s" })
  }

  /// Answers the next request.
  @discardableResult
  mutating func answer(_ status: Int, _ body: String = "") throws -> StageOutcome {
    guard case .ask(let request) = stage() else { throw Given.Missing() }
    let answer = HTTPAnswer(status: status, body: Array(body.utf8))
    let target = try #require(table.parts.targets[request.target])
    let judgement = ResponseRules.judge(
      .answered(answer), rules: target.responses, ambiguous: request.action.ambiguous, now: Self.now,
      patterns: table.patterns)
    return request.settle(.answered(answer), judgement, patterns: table.patterns, memo: &memo)
  }
}

@Suite struct StagePlanTests {
  private static func file(_ lookups: String, _ target: String, _ route: String) -> String {
    """
    version: 1
    targets:
      crm:
        url: https://crm.example.com
        \(target.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n    "))
    \(lookups)
    routes:
      declined:
        when: { event: CALL_REJECTED }
        \(route)
    """
  }

  private static let account = "lookups:\n  account: { get: \"crm:/accounts?phone={{ customer.phone }}\", "
  private static let log = "actions:\n  log: { post: \"/calls/{{ account.id }}\" }"

  @Test("a lookup that a template names is asked first, and its answer stands in the request")
  func lookup() throws {
    var walk = try StageWalk(Self.file(Self.account + "fields: { id: data.0.id } }", Self.log, "send: [crm.log]"))
    #expect(walk.plan.prepares)
    #expect(try walk.next() == "lookups.account GET https://crm.example.com/accounts?phone=%2B919876543210")
    #expect(try walk.answer(200, #"{"data":[{"id":7}]}"#) == .onward)
    #expect(walk.memo.lookups == ["account": ["id": 7]])
    #expect(try walk.next() == "log POST https://crm.example.com/calls/7")
    #expect(try walk.answer(201) == .ended(Judgement(.ok, Reason("accepted", "answer 201"))))
  }

  @Test(
    "nothing found is 204, 404, an empty body, an empty list or no field",
    arguments: [(204, ""), (404, "not here"), (200, ""), (200, #"{"data":[]}"#), (200, #"{"data":[{"id":null}]}"#)])
  func nothing(status: Int, body: String) throws {
    var walk = try StageWalk(Self.file(Self.account + "fields: { id: data.0.id } }", Self.log, "send: [crm.log]"))
    #expect(try walk.answer(status, body) == .onward)
    #expect(
      try walk.next() == "dead lookup_none: no account was found in crm for the event's `customer.phone`")
  }

  @Test("what is no JSON is dead at once, and trouble at the target is an attempt of its own")
  func trouble() throws {
    var walk = try StageWalk(Self.file(Self.account + "fields: { id: data.0.id } }", Self.log, "send: [crm.log]"))
    guard case .failed(let html) = try walk.answer(200, "<html>"), case .failed(let busy) = try walk.answer(503) else {
      Issue.record("neither failed")
      return
    }
    #expect(html.outcome == .fail && html.reason.code == "lookup_unreadable")
    #expect(busy.outcome == .retry)
    #expect(walk.memo.lookups.isEmpty && walk.memo.asked.isEmpty)
  }

  @Test("`none` says what follows", arguments: [("skip", "skip lookup_none"), ("empty", "log POST")])
  func policies(none: String, wanted: String) throws {
    let lookups = Self.account + "fields: { id: data.0.id }, none: \(none) }"
    let target = "actions:\n  log: { post: \"/calls\", body: { account: \"{{ account.id? }}\" } }"
    var walk = try StageWalk(Self.file(lookups, target, "send: [crm.log]"))
    try walk.answer(404)
    #expect(try walk.next().hasPrefix(wanted))
  }

  @Test("an action creates what is not found; its key is the event's, and its fields are the answer")
  func creation() throws {
    let lookups = Self.account + "fields: { id: data.0.id }, none: create }"
    let target =
      Self.log + "\n  create: { post: /accounts, body: { phone: \"{{ customer.phone }}\" }, fields: { id: id } }"
    var walk = try StageWalk(Self.file(lookups, target, "send: [crm.log, { crm.log: {}, as: again }]"))
    let other = try StageWalk(Self.file(lookups, target, "send: [crm.log, { crm.log: {}, as: again }]"), send: 1)
    try walk.answer(404)
    guard case .ask(let create) = walk.stage() else { throw Given.Missing() }
    #expect(create.idempotencyKey(walk.event.id, walk.plan) == create.idempotencyKey(other.event.id, other.plan))
    #expect(try walk.next() == "create POST https://crm.example.com/accounts")
    #expect(try walk.answer(201, #"{"id":9}"#) == .onward)
    #expect(try walk.next() == "log POST https://crm.example.com/calls/9")
  }

  @Test("variants are asked one after another, none twice; what was asked is remembered")
  func variants() throws {
    let lookups = """
      lookups:
        account:
          get: "crm:/accounts?phone={{ variant }}"
          variants: ["{{ customer.phone }}", "{{ device.id? }}", "{{ customer.phone | digits }}", "{{ customer.phone }}"]
          fields: { id: data.0.id }
      """
    var walk = try StageWalk(Self.file(lookups, Self.log, "send: [crm.log]"))
    #expect(try walk.next().hasSuffix("phone=%2B919876543210"))
    try walk.answer(204)
    #expect(walk.memo.asked == ["account": 1])
    while case .ask(let request) = walk.stage(), request.variant != "919876543210" { try walk.answer(204) }
    #expect(try walk.next().hasSuffix("phone=919876543210"))
    try walk.answer(204)
    #expect(try walk.next().hasPrefix("dead lookup_none"))
  }

  @Test(
    "of several items the first, the newest or none is meant",
    arguments: [("first", "1"), ("newest, newest_by: at", "2"), ("fail", "lookup_many")])
  func many(policy: String, wanted: String) throws {
    let lookups = Self.account + "items: data, fields: { id: id }, many: \(policy) }"
    var walk = try StageWalk(Self.file(lookups, Self.log, "send: [crm.log]"))
    let items = #"{"data":[{"id":1,"at":"2026-01-01T00:00:00Z"},{"id":2,"at":"2026-02-01T00:00:00Z"},{"id":3}]}"#
    switch try walk.answer(200, items) {
    case .onward: #expect(try walk.next() == "log POST https://crm.example.com/calls/\(wanted)")
    case .failed(let judgement): #expect(judgement.reason.code == wanted && judgement.outcome == .fail)
    default: Issue.record("neither")
    }
  }

  @Test(
    "`where` chooses the items that have a value, whatever the case of its letters; `items: '*'` is the answer itself")
  func chosen() throws {
    let target = """
      lookups:
        owner: { get: /users, items: '*', where: { email: "{{ arguments.owner }}" }, fields: { id: id } }
      actions:
        task: { post: "/tasks/{{ owner.id }}" }
      """
    var walk = try StageWalk(Self.file("", target, "send: [crm.task: Asha@Example.com]"))
    #expect(try walk.next() == "lookups.crm.owner GET https://crm.example.com/users")
    try walk.answer(200, #"[{"id":1,"email":"x@example.com"},{"id":2,"email":"asha@example.com"}]"#)
    #expect(try walk.next() == "task POST https://crm.example.com/tasks/2")
  }

  @Test("a lookup asks those that it names before itself")
  func order() throws {
    let lookups = """
      lookups:
        owner: { get: "crm:/owners/{{ account.owner }}", fields: { mail: mail } }
        account: { get: "crm:/accounts", fields: { owner: owner } }
      """
    let target = "actions:\n  log: { post: /calls, body: { mail: \"{{ owner.mail }}\" } }"
    var walk = try StageWalk(Self.file(lookups, target, "send: [crm.log]"))
    #expect(walk.recipe.send.lookups == ["account", "owner"])
    #expect(try walk.next() == "lookups.account GET https://crm.example.com/accounts")
    try walk.answer(200, #"{"owner":"o1"}"#)
    #expect(try walk.next() == "lookups.owner GET https://crm.example.com/owners/o1")
  }
}

// Guards, steps, verification.
extension StagePlanTests {
  private static let staged = account + "fields: { id: id, stage: stage } }"

  private static func guarded(_ condition: String) -> String {
    "also: { child: { when: \(condition), send: [crm.log] } }"
  }

  @Test("a route with a lookup's condition is planned unless its event part alone is false")
  func planned() throws {
    #expect(throws: Given.Missing.self) {
      try StageWalk(Self.file(Self.staged, Self.log, Self.guarded("{ direction: INCOMING, account.stage: late }")))
    }
    #expect(throws: Never.self) {
      try StageWalk(Self.file(Self.staged, Self.log, Self.guarded("{ direction: OUTGOING, account.stage: late }")))
    }
  }

  @Test("the answer decides when it is due: no ends it skipped, yes lets it go, and neither is judged again")
  func guards() throws {
    let file = Self.file(Self.staged, Self.log, Self.guarded("{ account.stage: late }"))
    var walk = try StageWalk(file)
    try walk.answer(200, #"{"id":7,"stage":"early"}"#)
    #expect(
      try walk.next()
        == "skip condition_not_met: route declined/child does not match: not so: account.stage is late")
    walk = try StageWalk(file)
    try walk.answer(200, #"{"id":7,"stage":"late"}"#)
    #expect(try walk.next() == "log POST https://crm.example.com/calls/7")
    #expect(walk.memo.isCleared)
  }

  @Test("a condition that holds without its lookup asks nobody, also within any and not")
  func lazy() throws {
    let plain = "actions:\n  log: { post: /calls }"
    let any = "{ any: [{ direction: OUTGOING }, { account.stage: late }] }"
    var walk = try StageWalk(Self.file(Self.staged, plain, Self.guarded(any)))
    #expect(try walk.next() == "log POST https://crm.example.com/calls")
    walk = try StageWalk(Self.file(Self.staged, plain, Self.guarded("{ not: { account.stage: late } }")))
    #expect(try walk.next().hasPrefix("lookups.account GET"))
    try walk.answer(200, #"{"id":7,"stage":"late"}"#)
    #expect(try walk.next().hasPrefix("skip condition_not_met"))
  }

  @Test("an answer depends on a send's arguments also where a lookup names them that it needs")
  func argumentsBehind() throws {
    let lookups = """
      lookups:
        contact: { get: "/contacts?phone={{ arguments.phone }}", fields: { id: id } }
        deal: { get: "/deals?contact={{ contact.id }}", fields: { id: id } }
        owner: { get: "/owners?of={{ customer.phone }}", fields: { id: id } }
      """
    let action = """
      actions:
        log:
          post: "/deals/{{ deal.id }}/{{ owner.id }}"
          arguments: { phone: { default: "{{ customer.phone }}" } }
      """
    let table = try StageWalk(Self.file("", lookups + "\n" + action, "send: [crm.log]")).table
    let named = table.parts.lookups.filter { table.asksByArguments($0.value) }
    #expect(named.keys.sorted() == ["crm.contact", "crm.deal"] && table.parts.lookups.count == 3)
  }

  @Test("a request edited by hand is not asked after when the process ended while it was under way")
  func interruptedEdit() throws {
    let action = """
      verify: { get: /status, after: 7s, landed: { status: 200 } }
      actions:
        log: { post: /calls, to_person: true }
      """
    let walk = try StageWalk(Self.file("", action, "send: [crm.log]"))
    var delivery = Delivery(id: DeliveryID(event: walk.event.id, ordinal: 0), plan: walk.plan, version: "v")
    #expect(walk.recipe.interruption(of: delivery, walk.event) == .verify(after: .seconds(7)))
    delivery.edited = EditedRequest(method: "POST", url: "https://crm.example.com/calls", headers: [], body: nil)
    #expect(walk.recipe.interruption(of: delivery, walk.event) == .park)
  }

  private static let message = """
    verify: { get: /status, after: 7s, landed: { status: 200 } }
    actions:
      log:
        to_person: true
        steps:
          - card: { post: /cards, fields: { id: id } }
          - seen: { get: "/cards/{{ steps.card.id }}" }
          - text: { post: /texts }
    """

  @Test("a message's steps that write are recorded, and parked where nobody knows; the last one is asked after")
  func interruptedStep() throws {
    let walk = try StageWalk(Self.file("", Self.message, "send: [crm.log]"))
    var delivery = Delivery(id: DeliveryID(event: walk.event.id, ordinal: 0), plan: walk.plan, version: "v")
    func pending() -> StageRequest {
      walk.recipe.pendingRequest(of: walk.event, plan: walk.plan, memo: delivery.memo)
    }
    #expect(pending().step == "card" && pending().isRecorded)
    #expect(walk.recipe.interruption(of: delivery, walk.event) == .park)
    delivery.memo.steps["card"] = .object(["id": "1"])
    #expect(pending().step == "seen" && !pending().isRecorded)
    #expect(walk.recipe.interruption(of: delivery, walk.event) == .again)
    delivery.memo.steps["seen"] = .object([:])
    #expect(pending().step == "text" && pending().isRecorded)
    #expect(walk.recipe.interruption(of: delivery, walk.event) == .verify(after: .seconds(7)))
  }

  @Test("an edited step goes first, and those after it follow")
  func editedStep() throws {
    var walk = try StageWalk(Self.file("", Self.message, "send: [crm.log]"))
    walk.memo.steps["card"] = .object(["id": "1"])
    guard
      case .ask(let first) = walk.recipe.stage(
        of: walk.event, plan: walk.plan, memo: &walk.memo, taking: "seen")
    else {
      Issue.record("nothing is asked")
      return
    }
    #expect(first.step == "seen")
    walk.memo.steps["seen"] = .object([:])
    guard
      case .ask(let second) = walk.recipe.stage(
        of: walk.event, plan: walk.plan, memo: &walk.memo, taking: "seen")
    else {
      Issue.record("nothing is asked")
      return
    }
    #expect(second.step == "text" && second.isOwn)
  }

  @Test("a parent's condition guards its children's sends, too")
  func inherited() throws {
    let route =
      "also:\n      p: { when: { account.stage: late }, also: { c: { when: { account.id: 7 }, send: [crm.log] } } }"
    let walk = try StageWalk(Self.file(Self.staged, Self.log, route))
    #expect(walk.recipe.send.guards.map(\.route) == ["declined/p", "declined/p/c"])
  }

  private static let steps = """
    actions:
      note:
        steps:
          - note: { post: /notes, body: { text: "{{ arguments.text }}" }, fields: { id: id } }
          - tag: { post: /tags, when: { arguments.text: { contains: urgent } } }
          - link: { post: "/links/{{ steps.note.id }}" }
    """

  @Test("steps go out one after another; a finished one is never repeated, and one whose condition fails is left out")
  func stepped() throws {
    var walk = try StageWalk(Self.file("", Self.steps, "send: [crm.note: hello]"))
    #expect(walk.plan.prepares)
    guard case .ask(let first) = walk.stage() else { throw Given.Missing() }
    #expect(try walk.rendered(first).body == Array(#"{"text":"hello"}"#.utf8))
    guard case .failed = try walk.answer(503) else { throw Given.Missing() }
    #expect(try walk.next() == "note.note POST https://crm.example.com/notes")
    #expect(try walk.answer(200, #"{"id":"n1"}"#) == .onward)
    guard case .ask(let last) = walk.stage() else { throw Given.Missing() }
    guard case .delivery = last.purpose else { throw Given.Missing() }
    #expect(try walk.next() == "note.link POST https://crm.example.com/links/n1")
    #expect(walk.memo.steps == ["note": ["id": "n1"], "tag": .null])
    #expect(first.idempotencyKey(walk.event.id, walk.plan) != last.idempotencyKey(walk.event.id, walk.plan))
  }

  @Test("a step's condition may ask for an argument")
  func conditional() throws {
    var walk = try StageWalk(Self.file("", Self.steps, "send: [crm.note: this is urgent]"))
    try walk.answer(200, #"{"id":"n1"}"#)
    #expect(try walk.next() == "note.tag POST https://crm.example.com/tags")
  }

  private static let verified = """
    actions:
      text:
        post: /messages
        to_person: true
        verify: { get: "/messages/{{ idempotency_key }}", after: 20s, landed: { status: 2xx, json: { status: SENT } } }
    """

  @Test("to a person, what may have arrived is asked for, and only sent again where it did not")
  func verify() throws {
    var walk = try StageWalk(Self.file("", Self.verified, "send: [crm.text]"))
    #expect(walk.plan.toPerson && walk.plan.prepares)
    #expect(walk.recipe.action.ambiguous == .verify)
    #expect(try walk.answer(504) == .uncertain(after: .seconds(20)))
    #expect(walk.memo.isUncertain)
    let key = IdempotencyKey.derive(event: walk.event.id, plan: walk.plan)
    #expect(try walk.next() == "text.verify GET https://crm.example.com/messages/\(key)")
    guard case .failed(let unclear) = try walk.answer(400) else { throw Given.Missing() }
    #expect(unclear.outcome == .retry && walk.memo.isUncertain)
    #expect(try walk.answer(404) == .onward)
    #expect(try walk.next() == "text POST https://crm.example.com/messages")
    try walk.answer(502)
    guard case .failed(let page) = try walk.answer(200, "<html>back soon</html>") else { throw Given.Missing() }
    #expect(page.outcome == .retry && page.reason.code == "verify_unreadable" && walk.memo.isUncertain)
    guard case .ended(let landed) = try walk.answer(200, #"{"status":"SENT"}"#) else { throw Given.Missing() }
    #expect(landed.outcome == .ok && landed.reason.code == "verified")
  }
}
