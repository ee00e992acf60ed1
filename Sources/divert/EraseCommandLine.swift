// `erase`: a customer's data are removed for good.

import ArgumentParser
import DivertCore
import DivertServer

struct Erase: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Remove a customer's data for good: store, log, dead letters, quarantine, what is remembered.",
    discussion: """
      What waits for the customer ends first, as skipped: nothing is sent afterwards. That there were events stays, without whom they \
      were about; counts and the record hold. Who was on the suppression list is not written to. Backups are not touched.
      """)
  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The phone number, as it is dialled or with its country code.") var phone: String
  @Flag(name: .customLong("dry-run"), help: "Say what would be removed, and remove nothing.") var dryRun = false

  func run() async throws {
    try await Desk.open(options) { desk in
      let answer = try await desk.post("/api/erase", [("phone", .string(phone)), ("dry_run", .bool(dryRun))])
      if output.format == .json { return Console.print(json: answer) }
      EraseLines.print(answer)
    }
  }
}

private enum EraseLines {
  static func print(_ answer: JSONValue) {
    let isDry = answer["dry_run"]?.bool == true
    Console.print("\(answer.cell("phone")): \(isDry ? "would be removed" : "removed")")
    let lines = [
      ("events", "events: who, by which number, in which call, the body"),
      ("deliveries", "deliveries of them: order keys, answers, lookups, edits"),
      ("ended", isDry ? "of these events have deliveries that would end first" : "of these had not ended: skipped"),
      ("promises", "promises"), ("entries", "lines that counts and limits remember"),
      ("suppression_changes", "changes of the suppression list"), ("digests", "digests of reports"),
      ("dead_letters", "dead letters"), ("quarantined", "quarantined bodies"),
    ]
    for (name, words) in lines {
      guard let count = answer[name]?.integer else { continue }
      let figure = String(count)
      Console.print(String(repeating: " ", count: max(0, 8 - figure.count)) + figure + "  " + words)
    }
    if answer["suppressed"]?.bool == true {
      Console.print("The number was on the suppression list: it is still not written to, and no longer named there.")
    }
    mentions(answer)
    if !isDry { disk(answer) }
  }

  private static func mentions(_ answer: JSONValue) {
    guard let count = answer["mentioned_by"]?.integer, count > 0 else { return }
    let some = (answer["mentions"]?.array ?? []).prefix(5).compactMap(\.string).joined(separator: ", ")
    Console.print("\(count) events of other customers name the number, and were left as they are: \(some)")
  }

  private static func disk(_ answer: JSONValue) {
    if answer["log_emptied"]?.bool == false {
      Console.print("The write-ahead log is in use by a long read and still has it: run this again in a moment.")
    }
    let remains = answer.items("remains")
    if remains.isEmpty { return Console.print("No file of the data folder has the number any more.") }
    for file in remains { Console.print("still in \(file.cell("file")): \(file.cell("count")) times") }
    if let count = answer["configurations"]?.integer, count > 0 {
      let texts = count == 1 ? "The text of a configuration names" : "The texts of \(count) configurations name"
      Console.print("\(texts) the number, in a test perhaps: they are left as they are, here and in config-history.")
    } else if answer["mentioned_by"]?.integer == 0 {
      Console.print(
        "In the store this is freed space: stop the router and run this again, which writes the file anew.")
    }
  }
}
