// Reports over random histories, held against a recount of everything that happened: late events, calls reported twice, messages,
// promises, digests at any moment, restarts, phones that were erased.

import DivertCore
import DivertStore
import Testing

@Suite("Reports over a random history") struct ReportWalkTests {
  @Test("say what a recount says, however much is digested", arguments: [UInt64.random(in: 0...UInt64.max), 1, 2, 3])
  func walk(seed: UInt64) throws {
    var walk = try ReportWalk(seed)
    for _ in 0..<40 {
      try walk.step()
      try walk.compare()
    }
    print("walked from seed \(seed)")
  }
}

private struct ReportWalk {
  struct Message {
    var at: Timestamp
    var event: Event
    /// It ended before its customer was erased.
    var isErased = false
    var end: MessageEnd
  }

  let seed: UInt64
  let folder = Folder()
  let zone: Zone
  var store: SQLiteStore
  var random: SeededGenerator
  var now = start
  var events: [Event] = []
  var messages: [Message] = []
  var promises: [Promise] = []
  var forgotten: Set<String> = []

  init(_ seed: UInt64) throws {
    self.seed = seed
    random = SeededGenerator(state: seed)
    store = try SQLiteStore.open(folder: folder.path, sandbox: false)
    zone = try #require(Zone.named("America/New_York"))
  }

  mutating func chance(_ n: Int) -> Bool { Int.random(in: 0..<n, using: &random) == 0 }

  mutating func pick<T>(_ all: [T]) throws -> T { try #require(all.randomElement(using: &random)) }

  // MARK: What happens

  mutating func step() throws {
    now = now + .milliseconds(Int64.random(in: -10_000...30_000_000, using: &random))
    for _ in 0..<Int.random(in: 1...8, using: &random) { try happen() }
    for _ in 0..<Int.random(in: 0...3, using: &random) { try end() }
    if chance(3) { _ = try store.digest(size: Int.random(in: 1...30, using: &random)) }
    if chance(8) { try reopen() }
    if chance(15) { try forget() }
  }

  private mutating func reopen() throws {
    try store.close()
    store = try SQLiteStore.open(folder: folder.path, sandbox: false)
  }

  private mutating func happen() throws {
    let late = try pick([0, 0, 5_000, 3_600_000, 40 * 86_400_000])
    var fields = Event.Fields(
      name: try pick(["CALL_REJECTED", "CALL_REJECTED", "CALL_MISSED", "CALL_ENDED", "CALL_ACCEPTED", "OTHER"]),
      at: now - .milliseconds(Int64(late)))
    fields.direction = try pick(["INCOMING", "OUTGOING", "OUTGOING", nil])
    fields.agent = try pick(["+919811111111", "Priya", nil])
    fields.waba = try pick(["+919000000000", "+919000000001"])
    fields.customerPhone = try pick(
      ["+919876543210", "+919876543211", "+14155550100", "anonymous", nil].filter { !forgotten.contains($0 ?? "") })
    fields.callID = chance(6) ? nil : "call-\(Int.random(in: 0..<40, using: &random))"
    let append = Append(
      EventContent(source: "s", receivedAt: now, fields: fields, body: Array("{}".utf8), raw: [:]), dedupe: nil,
      planned: chance(3) ? [.to("wa", due: now, person: true, route: try pick(["a", "b"]))] : [], table: .version("v"))
    let event = try store.accept(append, now: now)
    events.append(event)
    if chance(4) { try promise(event) }
  }

  private mutating func promise(_ event: Event) throws {
    let at = event.fields.at
    var promise = Promise(
      event: event.id, route: "r", place: BookPlace(book: try pick(["b1", "b2"]), key: "k"), openedAt: at,
      deadline: at + .hours(1), judgedAt: max(at + .hours(1), event.receivedAt + .seconds(60)))
    if chance(2) {
      promise.keeper = event.id
      promise.keptAt = at + .minutes(Int64.random(in: 1...60, using: &random))
      promise.reportedAt = promise.judgedAt + .minutes(Int64.random(in: -30...30, using: &random))
    }
    promises.append(promise)
    try store.commit(now: now) {
      $0.additions = [Addition(event: event.id, planned: [], version: "v", promises: [promise])]
    }
  }

  /// A message comes to its end.
  private mutating func end() throws {
    let open = try store.claim([ClaimWish(target: "wa", limit: 100)], now: now).flatMap(\.deliveries)
    guard let claimed = open.randomElement(using: &random) else { return }
    var delivery = claimed.delivery
    let state = try pick([DeliveryState.delivered, .skipped, .dead])
    let code = try pick(["suppressed", "expired", "ok"])
    delivery.state = state
    delivery.reason = Reason(code, "so it is")
    if chance(3) { delivery.held = now }
    messages.append(
      Message(
        at: now, event: claimed.event,
        end: MessageEnd(
          route: delivery.plan.route, send: delivery.plan.send, action: "wa.a", state: state, code: code,
          wasHeld: delivery.held != nil)))
    var rows = open.map(\.delivery)
    rows.removeAll { $0.id == delivery.id }
    try store.commit(now: now) { $0.rows = rows + [delivery] }
  }

  private mutating func forget() throws {
    let phone = try pick(["+919876543210", "anonymous"])
    // What is not digested is the eraser's own to blank: here everything is, before.
    while try store.digest(size: 1) {}
    _ = try store.forgetInReports(phones: [phone])
    #expect(try store.forgetInReports(phones: [phone]) == 0)
    forgotten.insert(phone)
    for place in messages.indices where messages[place].event.fields.customerPhone == phone {
      messages[place].isErased = true
    }
  }

  // MARK: Comparing

  mutating func compare() throws {
    let from = now - .milliseconds(Int64.random(in: 0...4_000_000_000, using: &random))
    let to = from + .milliseconds(Int64.random(in: 1...4_000_000_000, using: &random))
    let question = ReportQuestion(
      from: from, to: to, zone: zone, direction: try pick([nil, "INCOMING", "OUTGOING"]), now: now)
    let found = try store.promises(openedFrom: from, to: to)
    #expect(Set(found) == Set(promises.filter { $0.openedAt >= from && $0.openedAt < to }), "seed \(seed)")
    var maker = ReportMaker(question, promises: found)
    try store.reportBlocks(from: from, to: to) { maker.take($0) }
    for event in maker.missing { maker.settle(event, try store.event(event)?.event.fields) }
    let report = maker.finish()
    var recount = Recount(question)
    for event in events { recount.add(event, forgotten) }
    for message in messages { recount.add(message.end, message.at, message.event, message.isErased ? forgotten : []) }
    for promise in promises {
      try recount.add(promise, try #require(events.first { $0.id == promise.event }), forgotten)
    }
    #expect(report.totals == recount.totals, "seed \(seed)")
    #expect(report.agents == recount.agents, "seed \(seed)")
    #expect(report.wabas == recount.wabas, "seed \(seed)")
    #expect(report.days == recount.days, "seed \(seed)")
    #expect(report.customers.mapValues(\.measures) == recount.customers, "seed \(seed)")
    #expect(
      report.customers.compactMapValues { $0.outgoingRejections.isEmpty ? nil : $0.outgoingRejections }
        == recount.declined.mapValues { $0.sorted() }, "seed \(seed)")
    #expect(report.rules.map { "\($0)" }.sorted() == recount.rules.values.map { "\($0)" }.sorted(), "seed \(seed)")
    #expect(report.promises.map(\.promise.event).count == recount.promises, "seed \(seed)")
  }
}

/// Everything counted one by one.
private struct Recount {
  let question: ReportQuestion
  var totals = ReportMeasures()
  var agents: [String: ReportMeasures] = [:]
  var wabas: [String: ReportMeasures] = [:]
  var days: [Int: ReportMeasures] = [:]
  var customers: [String: ReportMeasures] = [:]
  var declined: [String: [Timestamp]] = [:]
  var rules: [String: RuleLine] = [:]
  var promises = 0
  private var calls: [String: Set<String>] = [:]

  init(_ question: ReportQuestion) { self.question = question }

  private mutating func add(
    _ event: Event, _ at: Timestamp, _ forgotten: Set<String>, _ change: (inout ReportMeasures) -> Void
  ) {
    let phone = customer(event, forgotten)
    change(&totals)
    change(&agents[event.fields.agent ?? "", default: ReportMeasures()])
    change(&wabas[event.fields.waba ?? "", default: ReportMeasures()])
    change(&days[question.zone.day(at: at), default: ReportMeasures()])
    change(&customers[phone, default: ReportMeasures()])
    agents = agents.filter { $0.value != ReportMeasures() }
    wabas = wabas.filter { $0.value != ReportMeasures() }
    days = days.filter { $0.value != ReportMeasures() }
    customers = customers.filter { $0.value != ReportMeasures() }
  }

  private func customer(_ event: Event, _ forgotten: Set<String>) -> String {
    event.fields.customerPhone.map { forgotten.contains($0) ? "" : $0 } ?? ""
  }

  private func isMeant(_ event: Event, _ at: Timestamp) -> Bool {
    at >= question.from && at < question.to && (question.direction ?? event.fields.direction) == event.fields.direction
  }

  mutating func add(_ event: Event, _ forgotten: Set<String>) {
    let fields = event.fields
    guard isMeant(event, fields.at), ["CALL_REJECTED", "CALL_MISSED", "CALL_ENDED"].contains(fields.name) else {
      return
    }
    // An erased customer's calls are known by their events alone.
    let isErased = fields.customerPhone.map { forgotten.contains($0) } ?? false
    let call = isErased ? event.id.description : fields.callID ?? event.id.description
    let key = customer(event, forgotten) + " " + call
    let known = calls[key] ?? []
    guard calls[key, default: []].insert(fields.name).inserted else { return }
    let one = known.isEmpty ? 1 : 0
    if fields.name == "CALL_REJECTED", fields.direction == "OUTGOING" {
      declined[customer(event, forgotten), default: []].append(fields.at)
    }
    add(event, fields.at, forgotten) { measures in
      if fields.direction == "OUTGOING" {
        measures.outgoingCalls += one
        if fields.name == "CALL_REJECTED" { measures.outgoingRejected += 1 }
      } else if fields.direction == "INCOMING" {
        measures.incomingCalls += one
        if fields.name == "CALL_REJECTED" { measures.incomingRejected += 1 }
        if fields.name == "CALL_MISSED" { measures.incomingMissed += 1 }
      }
    }
  }

  mutating func add(_ end: MessageEnd, _ at: Timestamp, _ event: Event, _ forgotten: Set<String>) {
    guard isMeant(event, at) else { return }
    add(event, at, forgotten) { measures in
      switch end.state {
      case .delivered: measures.sent += 1
      case .skipped: measures.withheld += 1
      default: measures.failed += 1
      }
      if end.wasHeld { measures.held += 1 }
    }
    let key = "\(end.route) \(end.send) \(end.state) \(end.code)"
    var line =
      rules[key] ?? RuleLine(route: end.route, send: end.send, action: end.action, state: end.state, code: end.code)
    line.count += 1
    if end.wasHeld { line.held += 1 }
    rules[key] = line
  }

  mutating func add(_ promise: Promise, _ event: Event, _ forgotten: Set<String>) throws {
    guard isMeant(event, promise.openedAt) else { return }
    promises += 1
    let isCall = ["CALL_REJECTED", "CALL_MISSED", "CALL_ENDED"].contains(event.fields.name)
    let standing = promise.standing(at: question.now)
    // Of other events the store itself is asked, which this walk does not erase.
    add(event, promise.openedAt, isCall ? forgotten : []) { measures in
      switch standing {
      case .kept: measures.kept += 1
      case .keptReportedLate: measures.keptLate += 1
      case .broken: measures.broken += 1
      case .open: measures.open += 1
      }
    }
  }
}
