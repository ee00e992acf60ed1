// `divert report`: the rejection log of a month, as a table, for a spreadsheet, for programs, or as a page.

import ArgumentParser
import DivertCore
import DivertServer
import Foundation

struct Report: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The rejection log: who rejected how many calls, which promises were kept, which messages went out.",
    discussion: """
      Without --month, --from and --to: the month that is under way. --outcomes takes a CSV file with a line that names the \
      columns `outcome` and `phone` or `account`, and sets what became of the accounts beside what was rejected.
      """)
  enum Grouping: String, ExpressibleByArgument, CaseIterable { case agent, customer, waba, day, promise, rule }
  enum Direction: String, ExpressibleByArgument, CaseIterable { case incoming, outgoing }
  enum Format: String, ExpressibleByArgument, CaseIterable { case table, csv, json, html }

  @OptionGroup var options: RouterOptions
  @Option(help: "A month, as 2026-10.") var month: String?
  @Option(help: "The first day, as 2026-10-01, or a time.") var from: String?
  @Option(help: "The last day, which is included, or a time.") var to: String?
  @Option(help: "One table: agent, customer, waba, day, promise or rule.") var by: Grouping?
  @Option(help: "incoming or outgoing calls only.") var direction: Direction?
  @Option(help: "table, csv, json or html.") var format = Format.table
  @Option(help: "So many lines a table; 0: all (tables and pages: 25; csv and json: all).") var limit: Int?
  @Flag(help: "Phones whole, not masked.") var full = false
  @Option(help: "A CSV file of what became of accounts.") var outcomes: String?

  func run() async throws {
    let file = try outcomes.map(read)
    try await Desk.open(options) { desk in
      let text = try await desk.text(
        "/api/report",
        [
          ("month", month.map { .string($0) }), ("from", from.map { .string($0) }), ("to", to.map { .string($0) }),
          ("by", by.map { .string($0.rawValue) }), ("direction", direction.map { .string($0.rawValue) }),
          ("format", .string(format.rawValue)), ("limit", limit.map { .number($0) }), ("full", .bool(full)),
          ("outcomes", file.map { .string($0) }),
        ])
      if format == .json, let json = try? JSONValue.parse(Array(text.utf8)) { return Console.print(json: json) }
      Console.print(raw: text)
    }
  }

  private func read(_ path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Console.fail("\(path) cannot be read: is it there?")
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw Console.fail("\(path) is not UTF-8 text: save it as CSV UTF-8")
    }
    return text
  }
}
