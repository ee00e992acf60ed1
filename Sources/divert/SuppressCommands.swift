// `suppress`: who is not to be written to.

import ArgumentParser
import DivertCore
import DivertServer
import Foundation

struct Suppress: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Who is not to be written to: add phones, remove them, list them.",
    discussion: """
      A phone on the list gets no message that the business writes on its own account (outreach: templates, by default); with \
      --all none that answers its calls either. Everything else, a note in the CRM say, goes on.
      """,
    subcommands: [Add.self, Remove.self, List.self])

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Put phones on the list; obeyed at once, also by what waits already.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "Phone numbers, as they are dialled or with their country code.") var phones: [String] = []
    @Option(help: "A file with a phone at the beginning of each line (CSV); - reads standard input.") var file: String?
    @Option(help: "Why, in a word or a few: grievance.") var reason: String
    @Option(help: "Until when: a date (from its midnight on they are written to again), or an ISO 8601 time.")
    var until: String?
    @Option(name: .customLong("for"), help: "For how long: 30d.") var length: String?
    @Flag(help: "Answers to their calls are withheld, too.") var all = false

    func run() async throws {
      let phones = phones + (try file.map(PhoneFile.read) ?? [])
      try await Desk.open(options) { desk in
        let answer = try await desk.post(
          "/api/suppressions",
          [
            ("phones", .array(phones.map { .string($0) })), ("reason", .string(reason)),
            ("until", until.map { .string($0) }), ("for", length.map { .string($0) }), ("all", .bool(all)),
          ])
        if output.format == .json { return Console.print(json: answer) }
        let entries = answer.items("suppressions")
        if entries.count > 10 {
          Console.print("\(entries.count) phones are on the list\(SuppressionLines.terms(entries[0]))")
        } else {
          for entry in entries {
            Console.print("\(entry.cell("phone")) is on the list\(SuppressionLines.terms(entry))")
          }
        }
        let replaced = answer.items("replaced")
        if !replaced.isEmpty { Console.print("\(replaced.count) of them had been on it before: this takes its place") }
      }
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take phones off the list. What was withheld stays withheld; what still waits goes out.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "Phone numbers.") var phones: [String] = []
    @Option(help: "A file with a phone at the beginning of each line (CSV); - reads standard input.") var file: String?

    func run() async throws {
      let phones = phones + (try file.map(PhoneFile.read) ?? [])
      try await Desk.open(options) { desk in
        let answer = try await desk.post(
          "/api/suppressions/remove", [("phones", .array(phones.map { .string($0) }))])
        if output.format == .json { return Console.print(json: answer) }
        for entry in answer.items("removed") { Console.print("\(entry.cell("phone")) is off the list") }
        for phone in answer.items("absent") { Console.print("\(phone.string ?? "") was not on it") }
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Who is on the list, why, since when and until when.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @Flag(help: "Also those whose time is over.") var ended = false

    func run() async throws {
      try await Desk.open(options) { desk in
        let list = try await desk.get("/api/suppressions", ["ended": ended ? "true" : nil])
        if output.format == .json { return Console.print(json: list) }
        Console.table(
          ["phone", "reason", "withheld", "since", "until"],
          list.items("suppressions").map { row in
            let until = row.cell("until").orNil ?? "removed"
            return [
              row.cell("phone"), Console.safe(row.cell("reason")),
              row.cell("covers") == "all" ? "every message" : "outreach", row.cell("since"),
              row["holds"]?.bool == false ? "\(until) (over)" : until,
            ]
          })
        let over = list["ended"]?.integer ?? 0
        Console.print(
          "\(list.cell("count")) on the list"
            + (over > 0 && !ended ? "; \(over) whose time is over: --ended shows them, too" : ""))
      }
    }
  }
}

private enum SuppressionLines {
  /// ` (grievance) until …: outreach is withheld`.
  static func terms(_ entry: JSONValue) -> String {
    let until = entry.cell("until").orNil.map { "until \($0)" } ?? "until it is removed"
    let what = entry.cell("covers") == "all" ? "no message goes there" : "no outreach goes there; answers do"
    return " (\(Console.safe(entry.cell("reason")))) \(until): \(what)"
  }
}

private enum PhoneFile {
  /// The first cell of each line; empty lines, comments (`#`) and a first line without a digit (a head) are left out.
  static func read(_ path: String) throws -> [String] {
    let data = path == "-" ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: path)
    guard let text = data.flatMap({ String(validating: $0, as: UTF8.self) }) else {
      throw Console.fail("\(path) cannot be read as UTF-8 text: look whether it is there, and who may read it")
    }
    let quotes: Set<Character> = ["\"", "'", " ", "\t", "\u{feff}"]
    let cells = text.split(whereSeparator: \.isNewline).map { line -> String in
      let cell = line.prefix { $0 != "," && $0 != ";" && $0 != "\t" }.drop { quotes.contains($0) }
      return String(cell.reversed().drop { quotes.contains($0) }.reversed())
    }
    let rows = cells.filter { !$0.isEmpty && !$0.hasPrefix("#") }
    return rows.first.map { $0.contains(where: \.isNumber) } == false ? Array(rows.dropFirst()) : rows
  }
}
