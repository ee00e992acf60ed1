// `dead-letters`: what was given up, listed, shown, mended, sent again or put away.

import ArgumentParser
import DivertCore
import DivertServer
import Foundation

/// Which dead letters are meant.
struct LetterFilter: ParsableArguments {
  @Argument(help: "Delivery ids, event ids or file names; none: by the filters.") var ids: [String] = []
  @Option(help: "A target's name.") var target: String?
  @Option(help: "A route's path; its children are meant too.") var route: String?
  @Option(help: "A reason's code (attempts_exhausted, rejected, ambiguous …).") var reason: String?
  @Option(help: "Died at this time or later: 2h or 7d ago, a date, or an ISO 8601 time.") var since: String?
  @Option(help: "Died before this time.") var until: String?
  @Option(help: "The customer's phone number.") var phone: String?

  var members: [(String, JSONValue?)] {
    [
      ("ids", ids.isEmpty ? nil : .array(ids.map { .string($0) })), ("target", target.map { .string($0) }),
      ("route", route.map { .string($0) }), ("reason", reason.map { .string($0) }),
      ("since", since.map { .string($0) }),
      ("until", until.map { .string($0) }), ("phone", phone.map { .string($0) }),
    ]
  }

  /// For a question; ids are chosen from the answer by the asker.
  var query: [String: String?] {
    ["target": target, "route": route, "reason": reason, "since": since, "until": until, "phone": phone]
  }
}

struct DeadLetters: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead-letters",
    abstract: "Deliveries that were given up: list, show, edit, replay, drop. The files are in <data>/dead-letters.",
    subcommands: [List.self, Show.self, Replay.self, Edit.self, Drop.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What lies there, the oldest first; damaged files by name.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var filter: LetterFilter

    func run() async throws {
      try await Desk.open(options) { desk in
        let list = try await desk.get("/api/dead-letters", filter.query)
        if output.format == .json { return Console.print(json: list) }
        let letters = list.items("dead_letters")
        Console.table(
          ["id", "action", "died", "reason", "attempts", "route"],
          letters.filter { $0["damaged"] == nil }.map { row in
            [
              row.cell("id"), "\(row.cell("target")).\(row.cell("action"))", row.cell("died_at"),
              row.cell("reason", "code"), row.cell("attempts"), row.cell("route"),
            ]
          })
        for letter in letters where letter["damaged"] != nil {
          Console.print("damaged: \(letter.cell("file")): \(letter.cell("damaged"))")
        }
        Console.print("\(list.cell("count")) dead letter\(list.cell("count") == "1" ? "" : "s")")
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "One dead letter whole; secrets by name.")
    @OptionGroup var options: RouterOptions
    @Argument(help: "A delivery's id or a file's name.") var id: String

    func run() async throws {
      try await Desk.open(options) { desk in
        Console.print(json: try await desk.get("/api/dead-letters/show", ["id": id]))
      }
    }
  }

  struct Drop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Put dead letters away: the files move to dropped/, nothing is sent.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var filter: LetterFilter
    @Flag(help: "All of them.") var all = false
    @Flag(help: "Only say which.") var dryRun = false

    func run() async throws {
      try await Desk.open(options) { desk in
        let answer = try await desk.post(
          "/api/dead-letters/drop", filter.members + [("all", .bool(all)), ("dry_run", .bool(dryRun))])
        if output.format == .json { return Console.print(json: answer) }
        for file in answer.items("files") { Console.print(file.string ?? "") }
        for file in answer.items("left") {
          Console.print("left alone: \(file["file"]?.string ?? ""): \(file["reason"]?["sentence"]?.string ?? "")")
        }
        Console.print("\(answer.cell("count")) \(dryRun ? "would be dropped" : "dropped")")
      }
    }
  }
}
