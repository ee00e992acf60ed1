// `apply`, `history` and `rollback`: configurations go into force, and come back; `targets drop-waiting` for what one left behind.

import ArgumentParser
import DivertConfig
import DivertCore
import DivertServer
import Foundation

struct Apply: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put a routes file into force: checked and tested first, swapped whole, kept in the history.",
    discussion: """
      FILE, with the files of routes.d and presets.d beside it, takes the place of the routes file, which stays the only truth. Without FILE the routes file itself is \
      tried again, and secrets are read anew. While no router runs, the file is written and waits for the next start. \
      Whatever is wrong, a failing test of the file's too, leaves everything as it was; exit status 1. --despite-tests is \
      for emergencies: the history says so.
      """)
  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions
  @Option(name: [.customShort("m"), .customLong("why")], help: "Why: kept in the history.") var why: String?
  @Flag(help: "Put it into force also when the file's own tests fail.") var despiteTests = false
  @Argument(help: "The new routes file; - reads standard input.") var file: String?

  func run() async throws {
    try await Desk.open(options) { desk in
      var members: [(String, JSONValue?)] = [
        ("why", why.map { .string($0) }), ("despite_tests", despiteTests ? .bool(true) : nil),
      ]
      if let file { members += try await content(file, desk) }
      ConfigLines.print(change: try await desk.post("/api/config", members), output)
    }
  }

  /// What is applied is what `check`, `test` and `diff` look at: FILE with the files of the folders beside it.
  private func content(_ file: String, _ desk: Desk) async throws -> [(String, JSONValue?)] {
    if file == "-" { return [("text", .string(try Self.standardInput())), ("name", "standard input")] }
    let (bundle, faults) = ConfigBundle.read(path: file)
    guard let bundle else {
      throw Console.fail(faults.filter { $0.severity == .error }.map(\.description).joined(separator: "\n"))
    }
    let mine = bundle.files.dropFirst()
    let theirs = try await others(desk)
    if mine.isEmpty, !theirs.isEmpty {
      throw Console.fail(
        "\(theirs.joined(separator: ", ")) would be gone: \(file) has no such files beside it, and the configuration in its "
          + "place has. Copy them beside \(file), or edit the routes file itself")
    }
    if theirs.isEmpty, mine.isEmpty { return [("text", .string(bundle.main.text)), ("name", .string(file))] }
    let files = bundle.files.map { JSONValue.object(["name": .string($0.name), "text": .string($0.text)]) }
    return [("files", .array(files)), ("name", .string(file))]
  }

  /// The files beside the routes file that FILE takes the place of.
  private func others(_ desk: Desk) async throws -> [String] {
    guard let answer = try? await desk.get("/api/config") else { return [] }
    return (answer["files"]?.array ?? []).dropFirst().compactMap { $0["name"]?.string }
  }

  private static func standardInput() throws -> String {
    if let text = String(validating: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self) { return text }
    throw Console.fail("standard input is not UTF-8 text")
  }
}

struct Rollback: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring an earlier version back, as a new one: checked, tested and written like any other.")
  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions
  @Option(name: [.customShort("m"), .customLong("why")], help: "Why: kept in the history.") var why: String?
  @Flag(help: "Bring it back also when its own tests fail.") var despiteTests = false
  @Argument(help: "The version's number, as `divert history` prints it.") var number: Int

  func run() async throws {
    try await Desk.open(options) { desk in
      let answer = try await desk.post(
        "/api/config/rollback",
        [
          ("number", .number(number)), ("why", why.map { .string($0) }),
          ("despite_tests", despiteTests ? .bool(true) : nil),
        ])
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
        var rows = history.items("versions").map { row in
          Self.row(row, row.cell("number") == inForce ? "*" : "", since: row.cell("at"))
        }
        if let waiting = history["waiting"] { rows.insert(Self.row(waiting, "", since: "not yet: written"), at: 0) }
        Console.table(["version", "", "in force since", "how", "who", "hash", "why"], rows)
        if rows.isEmpty { Console.print("no version was in force yet") }
        let more = (history["count"]?.integer ?? 0) - Int64(history.items("versions").count)
        if more > 0 { Console.print("and \(more) older; --limit shows more") }
      }
    }

    private static func row(_ row: JSONValue, _ mark: String, since: String) -> [String] {
      let back = row.cell("rollback_of").orNil.map { " to \($0)" } ?? ""
      let failed = row["tests"]?["failed"]?.integer ?? 0
      let tests = failed > 0 ? "tests: \(failed) failed, put into force despite it" : nil
      let why = [row.cell("why").orNil, tests].compactMap { $0 }.joined(separator: "; ")
      return [
        row.cell("number"), mark, since, row.cell("way") + back, Console.safe(row.cell("who")), row.cell("version"),
        Console.safe(why),
      ]
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
        let others = answer.items("others").compactMap(\.string).joined(separator: ", ")
        let left = answer["left"]?.integer ?? 0
        Console.print(
          "\(answer.cell("given_up")) given up: `divert dead-letters list --target \(target)` shows them"
            + (left > 0 ? "; \(left) left, under way or not readable" : ""))
        if !others.isEmpty {
          Console.print(
            "also given up, since they needed an answer of \(target) to a lookup: deliveries to \(others); "
              + "`divert dead-letters list --reason given_up` shows them")
        }
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
    case (false?, true?) where !files(change).isEmpty: Console.print("\(name) was in force already\(files(change))")
    case (false?, _) where !files(change).isEmpty: Console.print("\(name) was in force last\(files(change))")
    case (false?, true?): Console.print("nothing new: \(name) is in force; secrets were read again")
    case (false?, _): Console.print("nothing new: \(name) waits in the file for the router's start")
    case (_, true?): Console.print("\(name) is in force\(tests(change))\(isBack(change) ? files(change) : "")")
    default:
      Console.print("\(name) is written\(tests(change)), and goes into force when the router starts")
      if isBack(change) { Console.print("written and removed: \(files(change).dropFirst(2))") }
    }
    if let gathered = change["gathered"] { self.gathered(gathered) }
    restart(change)
    if let aside = change.cell("kept_aside").orNil {
      Console.print("what lay in the file was never in force; it is kept in \(aside)")
    }
  }

  /// What was read of history, so that counts are right from the first event.
  private static func gathered(_ gathered: JSONValue) {
    let books = gathered["books"]?.integer ?? 0
    Console.print(
      "what \(books == 1 ? "a condition of it remembers" : "\(books) conditions of it remember") was gathered from history: "
        + "\(gathered.cell("events")) events since \(gathered.cell("since")) looked at, \(gathered.cell("entries")) noted"
    )
  }

  private static func isBack(_ change: JSONValue) -> Bool { change.cell("way") == "rollback" }

  /// `: wrote a, removed b`; empty where no file was touched.
  private static func files(_ change: JSONValue) -> String {
    func names(_ key: String) -> String { change.items(key).compactMap(\.string).joined(separator: ", ") }
    let parts = [names("written").orNil.map { "wrote \($0)" }, names("removed").orNil.map { "removed \($0)" }]
    return parts.contains { $0 != nil } ? ": " + parts.compactMap { $0 }.joined(separator: "; ") : ""
  }

  private static func tests(_ change: JSONValue) -> String {
    guard let run = change["tests"]?["run"]?.integer, run > 0 else { return "" }
    if let failed = change["tests"]?["failed"]?.integer, failed > 0 {
      return ", though \(failed) of its \(run) test\(run == 1 ? "" : "s") \(failed == 1 ? "fails" : "fail")"
    }
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
        + Console.safe("\(config.cell("who"))\(why)"))
    let failing = config.items("failing_tests").compactMap(\.string)
    if !failing.isEmpty {
      let names = failing.map { "'\($0)'" }.joined(separator: ", ")
      Console.print("in force though \(failing.count == 1 ? "a test of it fails" : "tests of it fail"): \(names)")
    }
    restart(config)
    if let reading = config["gathering"] {
      Console.print(
        "a change waits until history is read: \(reading.cell("events")) events so far, up to \(reading.cell("reached"))"
      )
    }
    if let refused = config["refused"] {
      Console.print("what lies in the file was refused at \(refused.cell("at")) and is not in force:")
      for line in refused.cell("text").split(separator: "\n") { Console.print("  \(line)") }
    }
    Console.print("")
  }
}
