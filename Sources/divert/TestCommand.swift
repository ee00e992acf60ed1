// `test`: the routes file's own tests, run on a virtual clock. Nothing is sent, no router is asked.

import ArgumentParser
import DivertConfig
import DivertCore
import DivertServer
import Foundation

struct TestRoutes: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Run the tests of a routes file: given events, expected deliveries and bodies. Nothing is sent.",
    discussion: """
      Exit status 0 when every test passed, also for a file without tests; 1 when one failed, the file has an error, \
      no test has the name of --only, or less is reached than --fail-under asks for.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, github }

  @OptionGroup var options: RouterOptions
  @Argument(help: "The file (default: --config).") var file: String?
  @Option(help: "Only the tests with this in their name; may be given again.") var only: [String] = []
  @Flag(help: "Name the routes, branches and actions that no test reaches.") var coverage = false
  @Option(help: "Fail when less than this percentage is reached.") var failUnder: Double?
  @Option(help: "text, json, or github: an annotation for each failure.") var format = Format.text

  func validate() throws {
    if let failUnder, !(0...100).contains(failUnder) {
      throw ValidationError("--fail-under takes a percentage, 0 to 100")
    }
  }

  func run() async throws {
    let path = file ?? options.serve.config
    let loaded = ConfigLoader.load(path: path)
    guard let table = loaded.table else { throw refusal(loaded.diagnostics, path) }
    let report = ConfigTests.run(loaded.tests, table: table, only: only)
    if report.results.isEmpty, !only.isEmpty { throw noneOfThatName(loaded.tests) }
    switch format {
    case .json: Console.print(json: report.json)
    case .github: printAnnotations(report)
    case .text: printText(report, path)
    }
    try conclude(report)
  }

  /// The file's errors, as `check` prints them.
  private func refusal(_ diagnostics: [Diagnostic], _ path: String) -> ExitCode {
    let errors = diagnostics.filter { $0.severity == .error }
    if format == .json {
      Console.print(json: ["passed": false, "errors": .array(errors.map { .string($0.description) })])
    } else {
      for error in errors { Console.print(error.description) }
    }
    return Console.fail("\(path) has \(errors.count) error\(errors.count == 1 ? "" : "s"): its tests were not run")
  }

  private func noneOfThatName(_ tests: ConfigTests) -> ExitCode {
    let names = tests.tests.map { "'\($0.name)'" }.joined(separator: ", ")
    let wanted = only.map { "'\($0)'" }.joined(separator: " or ")
    return Console.fail(
      "no test has \(wanted) in its name" + (names.isEmpty ? ": there are none" : "; there are: \(names)"))
  }

  private func printText(_ report: TestReport, _ path: String) {
    Console.print(report.results.isEmpty ? "\(path) has no tests: add some under 'tests:'" : report.text)
    if coverage { Console.print(report.coverage.text) }
  }

  private func printAnnotations(_ report: TestReport) {
    for line in report.annotations { Console.print(line) }
    if coverage { for line in report.coverage.annotations { Console.print(line) } }
  }

  private func conclude(_ report: TestReport) throws {
    if let failUnder, report.coverage.percent < failUnder {
      throw Console.fail("the tests reach \(report.coverage.percent)%, and --fail-under asks for \(failUnder)%")
    }
    if !report.passed { throw ExitCode(1) }
  }
}
