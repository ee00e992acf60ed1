// `promises`: what was promised by `expect`, and what became of it.

import ArgumentParser
import DivertCore
import DivertServer

struct Promises: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What routes expected (`expect`), and whether it came.", subcommands: [List.self],
    defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Promises, the newest first.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @Flag(help: "Only those whose time still runs.") var open = false
    @Flag(help: "Only those that nothing kept in time.") var broken = false
    @Flag(help: "Only those that were kept, also those that were reported late.") var kept = false
    @Option(help: "Only those of this route.") var route: String?
    @Option(help: "Of events received from then on: 2h or 7d ago, a date, or an ISO 8601 time.") var since: String?
    @Option(help: "Of events received before.") var until: String?
    @Option(help: "At most this many.") var limit = 50

    func validate() throws {
      if [open, broken, kept].count(where: { $0 }) > 1 {
        throw ValidationError("say one of --open, --broken and --kept, or none for all")
      }
    }

    func run() async throws {
      let standing = open ? "open" : broken ? "broken" : kept ? "kept" : nil
      try await Desk.open(options) { desk in
        let list = try await desk.get(
          "/api/promises",
          ["standing": standing, "route": route, "since": since, "until": until, "limit": String(limit)])
        if output.format == .json { return Console.print(json: list) }
        Console.table(
          ["opened", "key", "route", "standing", "awaited", "event"],
          list.items("promises").map { row in
            [
              row.cell("opened_at"), Console.safe(row.cell("key")), row.cell("route"), PromiseLines.standing(row),
              row.cell("awaits"), row.cell("event"),
            ]
          })
        if list.items("promises").isEmpty { Console.print("no such promise") }
        if list["more"]?.bool == true { Console.print("and more; --limit shows more") }
      }
    }
  }
}

enum PromiseLines {
  /// `kept after 12m 3s`, `open until …`.
  static func standing(_ promise: JSONValue) -> String {
    let after = promise["kept_after_seconds"]?.integer.map { " after \(OperatorTime.words(.seconds($0)))" } ?? ""
    return switch promise.cell("standing") {
    case "open": "open until \(promise.cell("judged_at"))"
    case "broken": "broken at \(promise.cell("judged_at"))"
    case "kept": "kept\(after)"
    case "kept_reported_late": "kept\(after), reported late at \(promise.cell("reported_at"))"
    default: promise.cell("standing")
    }
  }

  /// A line of `divert find`.
  static func print(_ promise: JSONValue) {
    let awaits = promise.cell("awaits").orNil.map { " (\($0))" } ?? ""
    let keeper = promise.cell("keeper").orNil.map { " by \($0)" } ?? ""
    Console.print("  promise of \(promise.cell("route"))\(awaits): \(standing(promise))\(keeper)")
  }
}

/// What routes remember, in a line or two of `divert status`.
enum MemoryLines {
  static func print(_ memory: JSONValue) {
    let promises = memory["promises"] ?? .null
    func count(_ name: String) -> Int64 { promises[name]?.integer ?? 0 }
    let late = count("kept_reported_late")
    var lines: [String] = []
    if ["open", "kept", "broken", "kept_reported_late"].contains(where: { count($0) > 0 }) {
      lines.append(
        "promises of the last 24 hours: \(count("open")) open, \(count("kept")) kept, \(count("broken")) broken"
          + (late > 0 ? ", \(late) kept and reported late" : ""))
    }
    let held = memory["outside_hours"]?.integer ?? 0
    if held > 0 { lines.append("\(held) \(held == 1 ? "delivery waits" : "deliveries wait") for the allowed hours") }
    let phones = memory["suppressed"]?.integer ?? 0
    if phones > 0 { lines.append("\(phones) \(phones == 1 ? "phone is" : "phones are") on the suppression list") }
    if !lines.isEmpty { Console.print("") }
    for line in lines { Console.print(line) }
  }
}
