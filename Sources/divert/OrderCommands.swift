// `targets`, `cancel`, `rerun`, `audit`, `backup` and `quarantine`: orders, and the proofs that they did no harm.

import ArgumentParser
import DivertCore
import DivertServer
import Foundation

struct Targets: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Where deliveries go: list, pause, resume; add, set, unset and remove in the file.",
    subcommands: [
      List.self, Pause.self, Resume.self, DropWaitingOf.self, Add.self, Set.self, Unset.self, Remove.self,
    ])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Every target as it stands.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      try await Desk.open(options) { desk in
        let targets = try await desk.get("/api/targets")
        if output.format == .json { return Console.print(json: targets) }
        TargetTable.print(targets.array ?? [])
      }
    }
  }

  struct Pause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Stop sending to a target; its deliveries wait until it is resumed.")
    @OptionGroup var options: RouterOptions
    @Argument(help: "The target's name.") var target: String
    @Option(help: "Shown in `divert status`.") var reason: String?

    func run() async throws {
      try await Desk.open(options) { desk in
        _ = try await desk.post(
          "/api/targets/pause", [("target", .string(target)), ("reason", reason.map { .string($0) })])
        Console.print("\(target) is paused: its deliveries wait; `divert targets resume \(target)` lets them go")
      }
    }
  }

  struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lift a pause or a hold; the target is tried at once.")
    @OptionGroup var options: RouterOptions
    @Argument(help: "The target's name.") var target: String

    func run() async throws {
      try await Desk.open(options) { desk in
        _ = try await desk.post("/api/targets/resume", [("target", .string(target))])
        Console.print("\(target) takes deliveries again")
      }
    }
  }
}

struct CancelDeliveries: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "End waiting deliveries as skipped; what is under way is not touched.",
    discussion: "Every condition that is given must hold; at least one is needed.")
  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions
  @Option(help: "A route's path; its children are meant too.") var route: String?
  @Option(help: "A target's name.") var target: String?
  @Option(help: "An event's id (evt_…).") var event: String?
  @Option(help: "Kept with each delivery.") var reason: String?

  func run() async throws {
    try await Desk.open(options) { desk in
      let answer = try await desk.post(
        "/api/cancel",
        [
          ("route", route.map { .string($0) }), ("target", target.map { .string($0) }),
          ("event", event.map { .string($0) }), ("reason", reason.map { .string($0) }),
        ])
      if output.format == .json { return Console.print(json: answer) }
      let count = answer.cell("cancelled")
      Console.print(count == "0" ? "0 cancelled: nothing that fits is waiting" : "\(count) cancelled")
    }
  }
}

struct Rerun: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Plan stored events again under today's routes.",
    discussion: """
      Only deliveries that an event does not have yet are added. Messages to persons are left out unless --to-person: an \
      apology that comes a week late is worse than none.
      """)
  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions
  @Option(help: "From when: 2h or 7d ago, a date, or an ISO 8601 time.") var since: String
  @Option(help: "Until when.") var until: String?
  @Option(help: "Only events of this source.") var source: String?
  @Flag(help: "Only events for which nothing was planned.") var unmatched = false
  @Flag(help: "Messages to persons, too.") var toPerson = false
  @Flag(help: "Only say what would be planned.") var dryRun = false

  func run() async throws {
    try await Desk.open(options) { desk in
      let answer = try await desk.post(
        "/api/rerun",
        [
          ("since", .string(since)), ("until", until.map { .string($0) }), ("source", source.map { .string($0) }),
          ("unmatched", .bool(unmatched)), ("to_person", .bool(toPerson)), ("dry_run", .bool(dryRun)),
        ])
      if output.format == .json { return Console.print(json: answer) }
      Console.table(
        ["event", "route", "target", "action"],
        answer.items("deliveries").map { row in ["event", "route", "target", "action"].map { row.cell($0) } })
      Console.print(
        "\(answer.cell("events")) events looked at, \(answer.cell("added")) deliveries "
          + (dryRun ? "would be planned" : "planned") + ", \(answer.cell("already_there")) there already")
      if let left = answer["left_out_to_person"]?.integer, left > 0 {
        let how = unmatched && !dryRun ? "--to-person, and without --unmatched," : "--to-person"
        Console.print("left out, since they go to persons: \(left); rerun with \(how) to plan them, too")
      }
    }
  }
}

struct AuditStore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Prove that nothing was lost: what was planned against how it stands, dead rows against their files.",
    discussion: "Exit status 1 when an equation does not hold.")
  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await Desk.open(options) { desk in
      let audit = try await desk.get("/api/audit")
      if output.format == .json { Console.print(json: audit) } else { show(audit) }
      if audit["holds"]?.bool != true { throw ExitCode(1) }
    }
  }

  private func show(_ audit: JSONValue) {
    for equation in audit.items("equations") {
      let isTarget = equation.cell("subject").hasPrefix("target")
      let parts = (equation["parts"]?.object?.members ?? []).map { "\($0.value.text) \($0.key)" }
      let sum = parts.isEmpty ? "0" : parts.joined(separator: " + ")
      let mark = equation["holds"]?.bool == true ? "✓" : "✗"
      Console.print(
        "\(mark) \(equation.cell("subject")): \(equation.cell("whole")) \(isTarget ? "planned" : "received") = \(sum)")
    }
    let letters = audit["dead_letters"] ?? .null
    Console.print(
      "\(letters.cell("rows")) dead and not replayed, \(letters.cell("without_file")) of them without a file")
    for problem in audit.items("problems") { Console.print("problem: \(problem.string ?? "")") }
    Console.print(audit["holds"]?.bool == true ? "everything is accounted for" : "the books do not balance")
  }
}

struct Backup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Copy the store, consistent as of one moment, into a new file while the router runs.")
  @OptionGroup var options: RouterOptions
  @Argument(help: "The new file.") var file: String

  func run() async throws {
    let path = URL(fileURLWithPath: file).standardizedFileURL.path
    try await Desk.open(options) { desk in
      let answer = try await desk.post("/api/backup", [("path", .string(path))])
      Console.print("\(answer.cell("path")): \(answer.cell("bytes")) bytes")
    }
  }
}

struct Quarantined: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quarantine", abstract: "Bodies that were refused as malformed under a valid key: list, show, retry.",
    subcommands: [List.self, Show.self, Retry.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "What is kept, and why it was refused.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "Only this source's.") var source: String?

    func run() async throws {
      try await Desk.open(options) { desk in
        let list = try await desk.get("/api/quarantine", ["source": source])
        if output.format == .json { return Console.print(json: list) }
        Console.table(
          ["file", "source", "received", "reason", "bytes"],
          list.items("quarantined").map { row in
            ["file", "source", "received_at", "code", "bytes"].map { row.cell($0) }
          })
        Console.print("\(list.cell("count")) in quarantine")
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "One body as it came, and its faults.")
    @OptionGroup var options: RouterOptions
    @Argument(help: "A file's name, as `list` prints it.") var file: String

    func run() async throws {
      try await Desk.open(options) { desk in
        Console.print(json: try await desk.get("/api/quarantine/show", ["id": file]))
      }
    }
  }

  struct Retry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Take bodies in again, as if they had just come.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "Files, as `list` prints them.") var files: [String] = []
    @Flag(help: "All of them.") var all = false

    func run() async throws {
      try await Desk.open(options) { desk in
        let answer = try await desk.post(
          "/api/quarantine/retry", [("ids", .array(files.map { .string($0) })), ("all", .bool(all))])
        if output.format == .json { Console.print(json: answer) } else { show(answer) }
        if answer.items("results").contains(where: { $0["accepted"]?.bool != true }) { throw ExitCode(1) }
      }
    }

    private func show(_ answer: JSONValue) {
      for result in answer.items("results") {
        let said = result["answer"] ?? .null
        if result["accepted"]?.bool == true {
          Console.print("\(result.cell("file")): \(said.cell("status").orNil ?? "accepted") as \(said.cell("id"))")
        } else {
          Console.print("\(result.cell("file")): refused again: \(said.cell("error", "message"))")
          for fault in said["error"]?.items("faults") ?? [] { Console.print("  \(fault.string ?? fault.text)") }
        }
      }
      Console.print("\(answer.cell("count")) tried")
    }
  }
}
