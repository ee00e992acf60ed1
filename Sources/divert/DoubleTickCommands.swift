// `divert doubletick register|list|check`: the webhooks at DoubleTick that bring events here, held against what the routes need.

import ArgumentParser
import DivertConfig
import DivertCore
import DivertServer
import Foundation

struct DoubleTickCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doubletick",
    abstract: "Look at, register and check the webhooks at DoubleTick that bring events here.",
    subcommands: [RegisterWebhook.self, ListWebhooks.self, CheckWebhooks.self])
}

/// What the three commands have in common: the routes file, its secrets, and DoubleTick's address.
struct DoubleTickOptions: ParsableArguments {
  @OptionGroup var router: RouterOptions
  @Option(help: "The source whose events these are (default: the file's only one of type doubletick).")
  var source: String?
  @Option(help: "The secret with the account's API key (default: that of the targets of type doubletick).")
  var keySecret: String?
  @Option(help: "DoubleTick's API, scheme and host.")
  var apiBase = WebhookAPI.standardBase
}

/// The configuration with what the commands take from it.
private struct WebhookDesk {
  let loaded: LoadResult
  let table: RouteTable
  let source: SourceDefinition
  let needs: EventNeeds
  private let options: DoubleTickOptions
  private let secrets: SecretStore

  init(_ options: DoubleTickOptions) throws {
    let serve = options.router.serve
    loaded = ConfigLoader.load(path: serve.config)
    guard let table = loaded.table else {
      for error in loaded.diagnostics where error.severity == .error { Console.tell(error.description) }
      throw Console.fail("\(serve.config) cannot be used: mend it first, `divert check` shows all of it")
    }
    (self.table, self.options, needs) = (table, options, EventNeeds(loaded))
    secrets = SecretStore(folder: serve.secretsFolder, environment: ProcessInfo.processInfo.environment)
    source = try Self.source(options, table)
  }

  private static func source(_ options: DoubleTickOptions, _ table: RouteTable) throws -> SourceDefinition {
    let all = table.parts.sources.values.filter { $0.type == "doubletick" }.sorted { $0.name < $1.name }
    let names = all.map(\.name).joined(separator: ", ")
    if let name = options.source {
      if let source = all.first(where: { $0.name == name }) { return source }
      throw Console.fail("there is no source '\(Console.safe(name))' of type doubletick; there are: \(names)")
    }
    guard let source = all.first else {
      throw Console.fail("the file has no source of type doubletick: add one under 'sources:'")
    }
    if all.count > 1 { throw Console.fail("which source is meant? --source: \(names)") }
    return source
  }

  func api() throws -> WebhookAPI {
    let isLocal = ["http://127.0.0.1:", "http://[::1]:", "http://localhost:"].contains { options.apiBase.hasPrefix($0) }
    guard options.apiBase.hasPrefix("https://") || isLocal else {
      throw ValidationError(
        "--api-base \(Console.safe(options.apiBase)): https://…, since the account's key goes there")
    }
    let found = loaded.keySecrets(ofTargetType: "doubletick")
    let names = Set(found.map(\.secret)).sorted()
    guard let name = options.keySecret ?? (names.count == 1 ? names.first : nil) else {
      let which =
        names.isEmpty
        ? "the file has no target of type doubletick with one" : "there are \(names.joined(separator: ", "))"
      throw Console.fail("which secret is the account's API key? \(which): name it with --key-secret")
    }
    guard let key = secrets.value(name) else {
      throw Console.fail(
        "there is no secret '\(Console.safe(name))': a file of that name in the secrets folder, or \(SecretStore.variable(name))"
      )
    }
    guard !key.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
      throw Console.fail(
        "the secret '\(Console.safe(name))' has a line break or control character in it, so it is no key")
    }
    return WebhookAPI(base: options.apiBase, key: key, keyName: name)
  }

  /// The address that DoubleTick posts to: as given, or, of a host alone, completed by the source's path and key.
  func address(_ url: String) throws -> String {
    let isLocal = ["http://127.0.0.1", "http://localhost", "http://[::1]"].contains { url.hasPrefix($0) }
    guard url.hasPrefix("https://") || isLocal, !url.contains(where: \.isWhitespace) else {
      throw ValidationError("--url \(Console.safe(url)): an address that DoubleTick can reach, https://…")
    }
    let rest = url.split(separator: "/", omittingEmptySubsequences: true).dropFirst(2).map { String($0) }
    if !isLocal, source.key == nil {
      throw Console.fail(
        "source '\(source.name)' has no key, so whoever finds the address could post: give it one first")
    }
    if rest.first == "in", rest.count < 2 || rest[1] != source.name {
      throw ValidationError(
        "--url \(WebhookURL.masked(url)): events of source '\(source.name)' are taken at /in/\(source.name)/<its key>; "
          + "give the host alone and the rest is filled in")
    }
    guard rest.isEmpty else { return url }
    var address = (url.hasSuffix("/") ? String(url.dropLast()) : url) + "/in/" + source.name
    if let key = source.key { address += "/" + (try value(of: key)) }
    return address
  }

  private func value(of key: Template) throws -> String {
    guard case .secret(let name)? = key.single?.path else { return key.literal ?? "" }
    if let value = secrets.value(name) { return value }
    throw Console.fail(
      "there is no secret '\(name)', the key of source '\(source.name)': give it, or the whole address with --url")
  }

  /// The question's answer; what went wrong is said.
  static func ask<T>(_ body: () throws(WebhookFailure) -> T) throws -> T {
    do throws(WebhookFailure) { return try body() } catch {
      let more =
        error.isAmbiguous ? "; it may have been carried out all the same: look with `divert doubletick list` first" : ""
      throw Console.fail(Console.safe(error.sentence) + more)
    }
  }
}

struct ListWebhooks: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the webhooks that are registered at DoubleTick; keys in addresses are hidden.")

  @OptionGroup var options: DoubleTickOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let desk = try WebhookDesk(options)
    let api = try desk.api()
    let webhooks = try WebhookDesk.ask { () throws(WebhookFailure) in try api.list() }
    if output.format == .json { return Console.print(json: .array(webhooks.map(\.json))) }
    if webhooks.isEmpty { return Console.print("DoubleTick has no webhook registered") }
    for webhook in webhooks { Console.print(webhook.lines) }
  }
}

struct CheckWebhooks: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Compare the registered webhooks with the events that the routes wait for.",
    discussion:
      "Exit status 1 when an event is missing or comes twice. Events that no route asks for are named, and no failure.")

  @OptionGroup var options: DoubleTickOptions
  @Option(help: "This router's address (default: every webhook whose address has /in/<source> in it).")
  var url: String?
  @Option(help: "Business numbers that must be covered, parted by commas (default: any).")
  var numbers: String?

  func run() async throws {
    let desk = try WebhookDesk(options)
    let address = try url.map { try desk.address($0) }
    let api = try desk.api()
    let all = try WebhookDesk.ask { () throws(WebhookFailure) in try api.list() }
    let ours = all.filter { webhook in
      address.map { WebhookURL.leads(webhook.url, to: $0) }
        ?? WebhookURL.leads(webhook.url, toSource: desk.source.name)
    }
    let needs = desk.needs.routes
    let findings = WebhookFindings(
      needs: needs, webhooks: ours, numbers: numbers?.parted ?? [], takesAll: !desk.needs.open.isEmpty)
    Console.print("\(ours.count) of \(all.count) webhooks lead here")
    report(findings, desk.needs, ours)
    if findings.isGap { throw ExitCode(1) }
  }

  private func report(_ findings: WebhookFindings, _ needs: EventNeeds, _ ours: [ListedWebhook]) {
    for missing in findings.missing {
      let numbers = missing.numbers.isEmpty ? "" : " for \(missing.numbers.joined(separator: ", "))"
      Console.print("missing: \(missing.event)\(numbers), which \(missing.routes.joined(separator: ", ")) asks for")
    }
    for (event, ids) in findings.doubled.sorted(by: { $0.key < $1.key }) {
      Console.print(Console.safe("twice: \(event) comes by \(ids.joined(separator: " and "))"))
    }
    if !findings.superfluous.isEmpty {
      Console.print(
        Console.safe("for no route: \(findings.superfluous.joined(separator: ", ")); such events are kept and counted"))
    }
    if !needs.open.isEmpty {
      let registered = Set(ours.flatMap(\.events)).sorted().joined(separator: ", ")
      Console.print(
        Console.safe("\(needs.open.joined(separator: ", ")) takes every event: what comes is \(registered)"))
    }
    if findings.isGap {
      Console.print(
        "divert doubletick register mends what is missing; what comes twice is removed in DoubleTick's settings")
    } else {
      Console.print("every event that the routes ask for is registered, once")
    }
  }
}

struct RegisterWebhook: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "register", abstract: "Let DoubleTick post its events here.",
    discussion: """
      It looks first: registering twice would deliver twice, so a webhook that has this address already is changed, and left \
      alone where nothing is missing. What a webhook has is never taken from it.
      """)

  @OptionGroup var options: DoubleTickOptions
  @Option(help: "This router's address, https://…; of a host alone the rest is filled in from the source and its key.")
  var url: String
  @Option(help: "Events, parted by commas (default: those that the routes ask for).")
  var events: String?
  @Option(help: "Business numbers with '+', parted by commas; needed where no webhook has this address yet.")
  var numbers: String?
  @Option(help: "The webhook's name at DoubleTick.")
  var name = "Divert"
  @Flag(help: "Only say what would be done.")
  var dryRun = false

  func run() async throws {
    try check()
    let desk = try WebhookDesk(options)
    let events = events?.parted ?? desk.needs.events
    if events.isEmpty {
      throw Console.fail("no route asks for an event: write a route first, or name events with --events")
    }
    let order = WebhookOrder(name: name, url: try desk.address(url), events: events, numbers: numbers?.parted ?? [])
    let api = try desk.api()
    let listed = try WebhookDesk.ask { () throws(WebhookFailure) in try api.list() }
    switch WebhookPlan.make(order, listed) {
    case .nothing(let webhook):
      Console.print(Console.safe("nothing to do: webhook \(webhook.id) has it all") + "\n" + webhook.lines)
    case .doubled(let webhooks):
      for webhook in webhooks { Console.print(webhook.lines) }
      throw Console.fail(
        "\(webhooks.count) webhooks have this address, so every event comes \(webhooks.count) times: remove all but one in DoubleTick's settings"
      )
    case .register(let order):
      if order.numbers.isEmpty {
        throw ValidationError("--numbers: the business numbers whose events are wanted, as in --numbers +919000000000")
      }
      try carryOut("register", order) { () throws(WebhookFailure) in try api.register(order) }
    case .edit(let webhook, let order):
      try carryOut("change webhook \(webhook.id) into", order) { () throws(WebhookFailure) in
        try api.edit(webhook.id, into: order)
      }
    }
  }

  /// What is plainly mistyped never reaches DoubleTick.
  private func check() throws {
    for event in events?.parted ?? [] where !EventCase.names.contains(event) {
      guard let near = NearestName.to(event, among: EventCase.names.sorted()) else { continue }
      throw ValidationError("--events \(Console.safe(event)): there is no such event; did you mean \(near)?")
    }
    for number in numbers?.parted ?? [] {
      let digits = number.dropFirst()
      let isNumber = number.hasPrefix("+") && (8...15).contains(digits.count) && digits.allSatisfy { "0"..."9" ~= $0 }
      if isNumber { continue }
      throw ValidationError(
        "--numbers \(Console.safe(number)): a business number is written with '+' and its country code: +919000000000")
    }
  }

  private func carryOut(
    _ what: String, _ order: WebhookOrder, _ body: () throws(WebhookFailure) -> WebhookReceipt
  ) throws {
    Console.print(Console.safe((dryRun ? "would " : "") + what + ":") + "\n" + order.lines)
    if dryRun { return }
    let receipt = try WebhookDesk.ask(body)
    for taken in receipt.taken { Console.print(Console.safe("taken: \(taken)")) }
    for refused in receipt.refused { Console.print(Console.safe("refused: \(refused)")) }
    for number in receipt.unknownNumbers { Console.print(Console.safe("no number of this account: \(number)")) }
    if !receipt.refused.isEmpty || !receipt.unknownNumbers.isEmpty {
      throw Console.fail("DoubleTick took only a part of it: correct the events or numbers, then run this again")
    }
    Console.print("done: `divert doubletick check` compares it with the routes")
  }
}

extension WebhookOrder {
  fileprivate var lines: String {
    let rows = [
      WebhookURL.masked(url), "events   " + events.joined(separator: ", "),
      "numbers  " + numbers.joined(separator: ", "),
    ]
    return rows.map { "  " + Console.safe($0) }.joined(separator: "\n")
  }
}

extension ListedWebhook {
  fileprivate var lines: String {
    Console.safe("\(id)  \(name)") + "\n" + WebhookOrder(name: name, url: url, events: events, numbers: numbers).lines
  }

  fileprivate var json: JSONValue {
    [
      "id": .string(id), "name": .string(name), "url": .string(WebhookURL.masked(url)),
      "events": .array(events.map { .string($0) }), "numbers": .array(numbers.map { .string($0) }),
    ]
  }
}

extension String {
  /// The parts between commas, without blanks.
  fileprivate var parted: [String] {
    split(separator: ",").map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
  }
}
