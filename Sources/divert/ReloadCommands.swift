// `apply`, `history` and `rollback`: configurations go into force, and come back; `targets drop-waiting` for what one left behind.

import ArgumentParser
import DivertCore
import DivertServer
import Foundation

struct Apply: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put a routes file into force: checked and tested first, swapped whole, kept in the history.",
    discussion: """
      FILE takes the place of the routes file (--config), which stays the only truth. Without FILE the routes file itself is \
      tried again, and secrets are read anew. While no router runs, the file is written and waits for the next start. \
      Whatever is wrong leaves everything as it was; exit status 1.
      """)
  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions
  @Option(name: [.customShort("m"), .customLong("why")], help: "Why: kept in the history.") var why: String?
  @Argument(help: "The new routes file; - reads standard input.") var file: String?

  func run() async throws {
    let text = try file.flatMap { try Self.isItself($0, options.serve.config) ? nil : Self.read($0) }
    try await Desk.open(options) { desk in
      let answer = try await desk.post(
        "/api/config", [("text", text.map { .string($0) }), ("why", why.map { .string($0) })])
      ConfigLines.print(change: answer, output)
    }
  }

  /// The routes file as it lies there needs no writing.
  private static func isItself(_ file: String, _ config: String) -> Bool {
    func real(_ path: String) -> String {
      URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
    }
    return file != "-" && real(file) == real(config)
  }

  private static func read(_ file: String) throws -> String {
    let data =
      file == "-" ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: file)
    guard let data else { throw Console.fail("\(file) cannot be read: check that it is a file, and who may read it") }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw Console.fail("\(file) is not UTF-8 text: save it as UTF-8")
    }
    return text
  }
}

struct Rollback: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring an earlier version back, as a new one: checked, tested and written like any other.")
  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions
  @Option(name: [.customShort("m"), .customLong("why")], help: "Why: kept in the history.") var why: String?
  @Argument(help: "The version's number, as `divert history` prints it.") var number: Int

  func run() async throws {
    try await Desk.open(options) { desk in
      let answer = try await desk.post(
        "/api/config/rollback", [("number", .number(number)), ("why", why.map { .string($0) })])
      ConfigLines.print(change: answer, output)
    }
  }
}

struct History: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Every version of the configuration that was ever in force: when, who, why.",
    subcommands: [List.self, Show.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "The versions, the newest first.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "At most this many.") var limit = 50

    func run() async throws {
      try await Desk.open(options) { desk in
        let history = try await desk.get("/api/config/history", ["limit": String(limit)])
        if output.format == .json { return Console.print(json: history) }
        let inForce = history.cell("in_force")
        Console.table(
          ["version", "", "in force since", "how", "who", "hash", "why"],
          history.items("versions").map { row in
            let back = row.cell("rollback_of").orNil.map { " to \($0)" } ?? ""
            return [
              row.cell("number"), row.cell("number") == inForce ? "*" : "", row.cell("at"), row.cell("way") + back,
              row.cell("who"), row.cell("version"), row.cell("why"),
            ]
          })
        if history.items("versions").isEmpty { Console.print("no version was in force yet") }
        let more = (history["count"]?.integer ?? 0) - Int64(history.items("versions").count)
        if more > 0 { Console.print("and \(more) older; --limit shows more") }
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "One version's text, or what it changed.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @Flag(help: "What changed against the version before.") var diff = false
    @Argument(help: "The version's number.") var number: Int

    func run() async throws {
      try await Desk.open(options) { desk in
        let shown = try await desk.get("/api/config/history/show", ["number": String(number)])
        if output.format == .json { return Console.print(json: shown) }
        if diff { return Console.print(raw: shown.cell("diff")) }
        let files = shown.items("files")
        for file in files {
          if files.count > 1 { Console.print("# ---- \(file.cell("name"))") }
          Console.print(raw: file.cell("text"))
        }
      }
    }
  }
}

extension Targets {
  struct DropWaitingOf: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "drop-waiting",
      abstract: "Make dead letters of what waits for a target that is gone from the routes file.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The target's name.") var target: String
    @Option(help: "Kept with each dead letter.") var reason: String?

    func run() async throws {
      try await Desk.open(options) { desk in
        let answer = try await desk.post(
          "/api/targets/drop-waiting", [("target", .string(target)), ("reason", reason.map { .string($0) })])
        if output.format == .json { return Console.print(json: answer) }
        let left = answer["left"]?.integer ?? 0
        Console.print(
          "\(answer.cell("given_up")) given up: `divert dead-letters list --target \(target)` shows them"
            + (left > 0 ? "; \(left) left, under way or not readable" : ""))
      }
    }
  }
}

/// What commands say of the configuration.
enum ConfigLines {
  /// What came of a change.
  static func print(change: JSONValue, _ output: OutputOptions) {
    if output.format == .json { return Console.print(json: change) }
    for warning in change.items("warnings") { Console.print(warning.string ?? "") }
    let name = "version \(change.cell("number")) (\(change.cell("version")))"
    switch (change["new"]?.bool, change["running"]?.bool) {
    case (false?, true?): Console.print("nothing new: \(name) is in force; secrets were read again")
    case (false?, _): Console.print("nothing new: \(name) waits in the file for the router's start")
    case (_, true?): Console.print("\(name) is in force\(tests(change))")
    default: Console.print("\(name) is written\(tests(change)), and goes into force when the router starts")
    }
    restart(change)
    if let aside = change.cell("kept_aside").orNil {
      Console.print("what lay in the file was never in force; it is kept in \(aside)")
    }
  }

  private static func tests(_ change: JSONValue) -> String {
    guard let run = change["tests"]?["run"]?.integer, run > 0 else { return "" }
    return ", \(run) test\(run == 1 ? "" : "s") passed"
  }

  private static func restart(_ config: JSONValue) {
    let settings = config.items("needs_restart").compactMap(\.string)
    if !settings.isEmpty { Console.print("needs a restart of the router: \(settings.joined(separator: ", "))") }
  }

  /// How it stands, for `status`.
  static func print(_ config: JSONValue) {
    let why = config.cell("why").orNil.map { ": \($0)" } ?? ""
    Console.print(
      "version \(config.cell("number")) in force since \(config.cell("since")), \(config.cell("way")) by "
        + "\(config.cell("who"))\(why)")
    restart(config)
    if let refused = config["refused"] {
      Console.print("what lies in the file was refused at \(refused.cell("at")) and is not in force:")
      for line in refused.cell("text").split(separator: "\n") { Console.print("  \(line)") }
    }
    Console.print("")
  }
}
