// `status`, `find` and `sources`: looking at what came in and what became of it.

import ArgumentParser
import DivertCore
import DivertServer

struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Events by source; per target what waits, is under way, went out, died, and why it stands still.")
  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await Desk.open(options) { desk in
      let status = try await desk.get("/api/status")
      if output.format == .json { return Console.print(json: status) }
      if let process = status["process"] {
        let mode = process["sandbox"]?.bool == true ? ", in the sandbox" : ""
        Console.print(
          "running since \(process.cell("started_at"))\(mode), configuration \(process.cell("config_version"))")
      }
      if let config = status["config"] { ConfigLines.print(config) }
      Console.table(
        ["source", "received", "accepted", "duplicate", "refused", "quarantined", "unmatched"],
        status.items("sources").map { row in
          ["source", "received", "accepted", "duplicate", "refused", "quarantined", "unmatched"].map { row.cell($0) }
        })
      Console.print("")
      TargetTable.print(status.items("targets"))
      let credentials = status.items("credentials").filter { $0["grant"] != nil }
      if !credentials.isEmpty { Console.print("") }
      CredentialTable.print(credentials)
      if let memory = status["memory"] { MemoryLines.print(memory) }
      let alarms = status.items("alarms")
      if !alarms.isEmpty { Console.print("") }
      for alarm in alarms { Console.print("alarm: \(alarm.cell("sentence"))") }
    }
  }
}

enum TargetTable {
  static func print(_ targets: [JSONValue]) {
    Console.table(
      ["target", "state", "waiting", "in flight", "delivered", "dead", "skipped", "oldest waiting"],
      targets.map { target in
        let age = target["oldest_waiting_seconds"]?.integer.map { OperatorTime.words(.seconds($0)) } ?? ""
        let counts = ["waiting", "in_flight", "delivered", "dead", "skipped"].map { target.cell($0) }
        return [target.cell("target"), state(target)] + counts + [age]
      })
    for target in targets where target["reason"] != nil {
      let since = target.cell("since").orNil.map { " since \($0)" } ?? ""
      let probe = target.cell("probe_at").orNil.map { "; tried again at \($0)" } ?? ""
      Console.print(
        "  \(target.cell("target")) is \(target.cell("state"))\(since): \(target.cell("reason", "sentence"))\(probe)")
    }
    for target in targets {
      let slowed = [slowness(target, "the target"), target["credential"].flatMap(credential)].compactMap { $0 }
      if !slowed.isEmpty { Console.print("  \(target.cell("target")): \(slowed.joined(separator: "; "))") }
    }
    for target in targets where target["retired"]?.bool == true && (target["waiting"]?.integer ?? 0) > 0 {
      let name = target.cell("target")
      Console.print(
        "  \(name) is no longer in the routes file: what waits for it is still sent as it can be; "
          + "`divert targets drop-waiting \(name)` makes dead letters of it")
    }
  }

  /// That it is given less than is configured; nil: it is not.
  private static func slowness(_ of: JSONValue, _ what: String) -> String? {
    guard let share = of["share_percent"]?.integer, share < 100 else { return nil }
    return "\(what) asked for less and is given \(share)% of its limits"
  }

  /// The credential, where there is something to say of it.
  private static func credential(_ credential: JSONValue) -> String? {
    let name = "credential \(credential.cell("name"))"
    let standing = credential.cell("standing")
    var parts = [slowness(credential, name)].compactMap { $0 }
    if standing != "ready" { parts.append("\(name) is \(standing)") }
    if let spent = credential["budget_spent"] { parts.append("\(name) has spent \(spent.text) of its budget") }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  /// What is gone from the file is said beside what holds it up.
  private static func state(_ target: JSONValue) -> String {
    let state = target.cell("state")
    return target["retired"]?.bool == true && state != "retired" ? "retired (\(state))" : state
  }
}

struct Find: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Everything that happened to a customer, a call or an event, and why each route did or did not match.")
  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "A phone number, a call's id, an event's id (evt_…) or a delivery's (dlv_…).") var what: String
  @Option(help: "At most this many events, the newest.") var limit = 20

  func run() async throws {
    try await Desk.open(options) { desk in
      let found = try await desk.get("/api/find", ["q": what, "limit": String(limit)])
      if output.format == .json { return Console.print(json: found) }
      for (place, record) in found.items("events").enumerated() {
        if place > 0 { Console.print("") }
        show(record)
      }
    }
  }

  private func show(_ record: JSONValue) {
    let event = record["event"] ?? .null
    EventHead.print(event, id: event.cell("id"))
    for route in record.items("routes") {
      let why = route.cell("why_not").orNil.map { ": \($0)" } ?? ""
      Console.print("  \(route["matched"]?.bool == true ? "✓" : "✗") \(route.cell("route"))\(why)")
    }
    for promise in record.items("promises") { PromiseLines.print(promise) }
    for delivery in record.items("deliveries") { show(delivery: delivery) }
  }

  private func show(delivery: JSONValue) {
    let still = delivery.cell("waits_for", "sentence").orNil.map { " for \(Console.safe($0))" }
    let due =
      delivery.cell("due").orNil.map { delivery.items("attempts").isEmpty ? ", due at \($0)" : ", again at \($0)" }
      ?? ""
    let reason = still == nil ? delivery.cell("reason", "sentence").orNil.map { ": \($0)" } ?? "" : ""
    let name = "\(delivery.cell("target")).\(delivery.cell("action"))"
    let replay = delivery.cell("replay_of").orNil.map { " (replays \($0))" } ?? ""
    Console.print("  \(delivery.cell("id"))  \(name)  \(delivery.cell("state"))\(still ?? due)\(reason)\(replay)")
    for attempt in delivery.items("attempts") {
      let status = attempt.cell("status").orNil ?? "no answer"
      Console.print(
        "    \(attempt.cell("at"))  \(attempt.cell("outcome"))  \(status) in \(attempt.cell("milliseconds")) ms: "
          + attempt.cell("reason", "sentence"))
    }
  }
}

struct Sources: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Where events come from, and the last ones that came.", subcommands: [List.self, Last.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Every source with its counts.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      try await Desk.open(options) { desk in
        let sources = try await desk.get("/api/sources")
        if output.format == .json { return Console.print(json: sources) }
        let columns = ["source", "type", "received", "accepted", "duplicate", "refused", "quarantined", "unmatched"]
        Console.table(
          columns + ["last received"],
          (sources.array ?? []).map { row in columns.map { row.cell($0) } + [row.cell("last_received_at")] })
      }
    }
  }

  struct Last: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The last captured bodies, what is personal masked, and what was read from them.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "One source; all by default.") var source: String?
    @Option(help: "How many.") var limit = 3

    func run() async throws {
      try await Desk.open(options) { desk in
        let last = try await desk.get("/api/sources/last", ["source": source, "limit": String(limit)])
        if output.format == .json { return Console.print(json: last) }
        let events = last.array ?? []
        if events.isEmpty { Console.print("nothing has come in yet") }
        for event in events {
          Console.print("\(event.cell("id"))  \(event.cell("source"))  received \(event.cell("received_at"))")
          Console.print("as it came:")
          Console.print(json: event["body"] ?? .null)
          Console.print("as it was read:")
          Console.print(json: event["read"] ?? .null)
        }
      }
    }
  }
}
