// `explain`: what an event would lead to, condition by condition and request by request. Nothing is sent.

import ArgumentParser
import DivertConfig
import DivertCore
import DivertServer

struct Explain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what an event would lead to: each condition with the value it saw, each delivery with its request.",
    discussion: """
      Nothing is sent, and no router is needed but for an event's id. The routes are those of --config. \
      Samples: \(SampleEvent.allCases.map(\.rawValue).joined(separator: ", ")).

      Exit status: 0 the event would be taken, and every request could be made; 1 it would be refused, or a request could \
      not be made, or the routes file has errors; 3 an event's id was given and neither a router nor its data can be reached.
      """)

  enum Form: String, ExpressibleByArgument, CaseIterable { case curl }

  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "A file, a sample's name, an event's id (evt_…), or - for standard input.") var event: String
  @Option(help: "curl: print each request as a curl command, secrets from the environment.") var `as`: Form?
  @Option(help: "As if received at this time: 2026-01-15T10:30:25Z; also 2h (ago).") var at: String?
  @Option(help: "The source it comes from (default: doubletick, or the only one).") var source: String?
  @Option(help: "Names the event when the body does not (call-rejected).") var label: String?
  @Option(name: .customLong("set"), help: "Change the body first: callDirection=OUTGOING. Can be repeated.")
  var changes: [String] = []
  @Option(help: "The customer's phone number, for a sample.") var phone = "919876543210"
  @Option(help: "The call's id, for a sample.") var callID: String?
  @OptionGroup var setting: ExplainSetting

  func run() async throws {
    let table = try RoutesFile.table(options.serve.config)
    let now = try moment(table)
    let (event, key) =
      isStored ? (try await stored(at: now), nil) : try received(table, at: now ?? WallClock.now())
    let others = isStored || setting.history ? try await history(event, table) : nil
    let rehearsal = Rehearsal(event, among: others ?? [], under: table, try setting.setting(event, table))
    let first = namesItsCall ? await DuplicateLookup.first(event, key, options) : nil
    if output.format == .json {
      Console.print(json: RehearsalReport.json(rehearsal, stored: isStored, others: others?.count, duplicateOf: first))
    } else if self.as == .curl {
      CurlTeller.tell(rehearsal)
    } else {
      RehearsalTeller(
        rehearsal: rehearsal, stored: isStored, duplicateOf: first, others: others?.count, table: table
      ).tell()
    }
    if rehearsal.deliveries.contains(where: \.isFault) { throw ExitCode(1) }
  }

  /// What is named is on record: an event, or a delivery's.
  private var isStored: Bool { EventID(event) != nil || DeliveryID(event) != nil }

  /// A sample is a new call unless one is named.
  private var namesItsCall: Bool { SampleEvent(rawValue: event) == nil || callID != nil }

  func validate() throws {
    try SamplePhone.check(phone)
    if self.as != nil, output.format == .json { throw ValidationError("--as curl and --format json are two answers") }
    if isStored, !changes.isEmpty { throw ValidationError("--set changes a body, not a stored event") }
  }

  /// The other events that its routes may remember.
  private func history(_ event: Event, _ table: RouteTable) async throws -> [Event] {
    var found: [Event] = []
    if ConfigComparison.reach(table) == .zero { return found }
    try await Desk.open(options) { desk in
      found = try await ExplainHistory(event: event, table: table).events(desk).filter { $0.id != event.id }
    }
    return found
  }

  private func moment(_ table: RouteTable) throws -> Timestamp? {
    do {
      return try at.map { try OperatorTime.read($0, now: WallClock.now(), zone: table.zone) }
    } catch let failure as OperatorFailure {
      throw ValidationError("--at: \(failure.message)")
    }
  }

  /// The event as it is kept; with another time of receipt where one is asked for.
  private func stored(at now: Timestamp?) async throws -> Event {
    var found: Event?
    try await Desk.open(options) { desk in
      let events = try await desk.get("/api/events", ["id": event])
      found = events.items("events").first.flatMap { EventExchange.event($0) }
    }
    guard let found else { throw Console.fail("the router's answer about \(event) cannot be read") }
    guard let now else { return found }
    return Event(
      id: found.id, source: found.source, receivedAt: now, fields: found.fields, body: found.body, raw: found.raw)
  }

  /// The body as the router would take it in; what it would refuse is printed, and the exit status thrown.
  private func received(_ table: RouteTable, at now: Timestamp) throws -> (Event, DedupeKey?) {
    let source = try source(table)
    var given = try GivenBody.read(event, phone: phone, callID: callID, at: now)
    try given.set(changes)
    let most = table.parts.server.maxBody
    if given.bytes.count > most { throw refused(.tooLarge(most)) }
    let reception = Rehearsal.receive(
      given.bytes, label: label ?? given.label, source: source, under: table, now: now)
    switch reception {
    case .event(let event, let key): return (event, key)
    case .refused(let faults): throw refused(IngestRefusal(faults))
    }
  }

  private func refused(_ refusal: IngestRefusal) -> ExitCode {
    if output.format == .json {
      Console.print(json: RehearsalReport.json(refusal))
    } else {
      Console.print("refused with \(refusal.status) \(refusal.code): \(refusal.message)")
      for fault in refusal.faults { Console.print("  ✗ \(Console.safe(fault))") }
    }
    return ExitCode(1)
  }

  private func source(_ table: RouteTable) throws -> SourceDefinition {
    let sources = table.parts.sources
    let only = sources.count == 1 ? sources.values.first : nil
    if let found = source.map({ sources[$0] }) ?? sources["doubletick"] ?? only { return found }
    let names = sources.keys.sorted().joined(separator: ", ")
    throw Console.fail(
      source.map { "there is no source `\($0)`; there are: \(names)" }
        ?? "say with --source which of the sources it comes from: \(names)")
  }
}

/// A rehearsal for people.
private struct RehearsalTeller {
  var rehearsal: Rehearsal
  var stored: Bool
  var duplicateOf: EventID?
  /// How many other events are known; nil: the router was not asked.
  var others: Int?
  var table: RouteTable

  func tell() {
    let event = RehearsalReport.json(rehearsal, stored: stored)["event"] ?? .null
    EventHead.print(event, id: stored ? rehearsal.event.id.description : "(not stored)")
    if let duplicateOf {
      Console.print("  received before as \(duplicateOf): the router would take it for a duplicate, and plan nothing")
    }
    tellHistory()
    if !rehearsal.routes.isEmpty { Console.print("") }
    for route in rehearsal.routes { tell(route, level: 0, above: nil) }
    for (place, delivery) in rehearsal.deliveries.enumerated() {
      Console.print("")
      tell(delivery, number: place + 1)
    }
    for promise in rehearsal.promises { tell(promise) }
    Console.print("")
    Console.print(conclusion)
  }

  /// What routes that count and remember were given to know.
  private func tellHistory() {
    if ConfigComparison.reach(table) == .zero { return }
    let known = others.map { $0 == 1 ? "1 other event is known" : "\($0) other events are known" }
    Console.print(
      "  " + (known ?? "as if no other event had come (--history: those that the router has)"))
  }

  private func tell(_ promise: Promise) {
    let words = table.expectation(of: promise.route)
    Console.print("\nroute \(promise.route) expects: \(Console.safe(words)), by \(OperatorTime.text(promise.deadline))")
    if let keeper = promise.keeper {
      let after = promise.keptAfter.map { " after \(OperatorTime.words($0))" } ?? ""
      let late = promise.standing(at: promise.judgedAt) == .keptReportedLate ? ", reported late" : ""
      Console.print("   kept by \(keeper)\(after)\(late)")
    } else {
      Console.print("   if it does not come, it is broken at \(OperatorTime.text(promise.judgedAt))")
    }
  }

  private func tell(_ route: RouteExplanation, level: Int, above: RouteExplanation?) {
    let indent = String(repeating: "  ", count: level)
    Console.print("\(indent)\(route.fired ? "✓" : "✗") \(route.path)\(Self.remark(route, above: above))")
    let condition = route.condition
    let parts = condition.text == "all of" ? condition.parts : [condition]
    for line in parts.flatMap(\.lines) { Console.print("\(indent)    \(Console.safe(line))") }
    if route.fired, !route.sends.isEmpty { Console.print("\(indent)    → \(route.sends.joined(separator: ", "))") }
    for child in route.children { tell(child, level: level + 1, above: route) }
  }

  /// Why it did not fire, where its own conditions do not say so.
  private static func remark(_ route: RouteExplanation, above: RouteExplanation?) -> String {
    if !route.enabled { return " (switched off)" }
    if let withheld = route.withheld { return " (did not act: \(withheld))" }
    guard let above, !above.fired, route.condition.holds else { return "" }
    return above.enabled ? " (its parent does not match)" : " (its parent is switched off)"
  }

  private func tell(_ delivery: RehearsedDelivery, number: Int) {
    Console.print("\(number). \(delivery.title)")
    if delivery.waitsForTarget { Console.print("   would wait: its target is switched off (enabled: false)") }
    for remark in delivery.remarks { Console.print("   \(Console.safe(remark))") }
    for guarding in delivery.openGuards { Console.print("   if \(Console.safe(guarding.condition.words))") }
    for stage in delivery.stages { tell(stage) }
    switch (delivery.end, delivery.request) {
    case (.skipped(let reason)?, _), (.expired(let reason)?, _):
      Console.print("   would be skipped: \(Console.safe(reason.sentence))")
    case (.done(let reason)?, _): Console.print("   would be done: \(Console.safe(reason.sentence))")
    case (_, .failure(let fault)): Console.print("   ✗ no request: \(Console.safe(fault.reason.sentence))")
    case (_, .success(let request)): tell(request)
    }
  }

  private func tell(_ stage: RehearsedStage) {
    Console.print("   first: \(stage.title) (\(stage.request.target))\(stage.remark)")
    if case .success(let request) = stage.rendered { tell(request) }
    Console.print("")
  }

  private func tell(_ request: RenderedRequest) {
    Console.print("   \(request.method) \(Console.safe(request.url))")
    for header in request.headers { Console.print("   \(header.name): \(Console.safe(header.value))") }
    if request.body.isEmpty { return }
    Console.print("")
    let json = try? JSONValue.parse(request.body).prettyEncoded()
    let text = String(decoding: json ?? request.body, as: UTF8.self)
    for line in text.split(separator: "\n") { Console.print("   \(Console.safe(String(line)))") }
  }

  private var conclusion: String {
    let count = rehearsal.deliveries.count
    if count == 0 { return "no route matches: the event would be kept, and nothing sent" }
    let skipped = rehearsal.deliveries.count(where: \.isSkipped)
    let faults = rehearsal.deliveries.count(where: \.isFault)
    let dead = faults == 0 ? "" : "; \(faults) of them could not be made and would be dead at once"
    let without = skipped == 0 ? "" : "; \(skipped) of them would be skipped"
    let short = rehearsal.deliveries.count { if case .done = $0.end { true } else { false } }
    let partly = short == 0 ? "" : "; \(short) of them would end before the last step"
    let condition = duplicateOf == nil ? "" : ", were it no duplicate"
    return
      "\(count) \(count == 1 ? "delivery" : "deliveries") would follow\(condition)\(without)\(partly)\(dead). Nothing was sent."
  }
}

/// A rehearsal as shell commands.
private enum CurlTeller {
  static func tell(_ rehearsal: Rehearsal) {
    for (place, delivery) in rehearsal.deliveries.enumerated() {
      if place > 0 { Console.print("") }
      Console.print("# \(place + 1). \(delivery.title)")
      for stage in delivery.stages {
        Console.print("# first: \(stage.title) (\(stage.request.target))\(stage.remark)")
        tell(stage.rendered, stage.recipe, rehearsal.event, open: true)
      }
      if !delivery.stages.isEmpty { Console.print("# then") }
      tell(delivery.request, delivery.recipe, rehearsal.event, open: !delivery.stages.isEmpty)
    }
    if rehearsal.deliveries.isEmpty { Console.print("# no route matches: nothing would be sent") }
  }

  private static func tell(
    _ rendered: Result<RenderedRequest, RenderFault>, _ recipe: RequestRecipe?, _ event: Event, open: Bool
  ) {
    switch rendered {
    case .failure(let fault): Console.print("# no request: \(Console.safe(fault.reason.sentence))")
    case .success(let request):
      for remark in CurlCommand.remarks(request, by: recipe, event: event, open: open) { Console.print("# \(remark)") }
      Console.print(CurlCommand.text(request, by: recipe, event: event) { SecretStore.variable($0) })
    }
  }
}

extension RehearsedDelivery {
  /// `crm.log_call  (agent-declined, send 0)  due 2026-01-15T10:30:27.000Z`.
  fileprivate var title: String {
    "\(name)  (\(plan.route), send \(plan.send))  due \(OperatorTime.text(plan.due))"
  }

  fileprivate var isFault: Bool { fault != nil }
}

extension RehearsedStage {
  /// What it answered, or how to say what it answers.
  fileprivate var remark: String {
    switch answer {
    case .given(.none): ": nothing is found"
    case .given(.found(let fields)), .given(.created(let fields)): ": answers \(JSONValue.object(fields).text)"
    case .open:
      switch request.purpose {
      case .lookup(let lookup): ": --lookup \(lookup.name)='{…}' answers it"
      case .create(let lookup): ": --lookup \(lookup.name)='{created: {…}}' answers it"
      case .step, .verify, .delivery: ""
      }
    }
  }
}
