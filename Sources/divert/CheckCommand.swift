// `divert check`: everything that is wrong with a configuration, or likely to be, for people, programs and CI.

import ArgumentParser
import DivertConfig
import DivertCore
import DivertServer
import Foundation

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a routes file: every mistake with its place, the reason and a suggestion.",
    discussion: """
      Exit status 1 when there is an error, with --strict also when there is a warning. The files of `routes.d` beside the \
      file are checked with it. With --resolved what is printed is itself a file, and warnings go to standard error.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, github }

  @OptionGroup var options: RouterOptions
  @Option(help: "text; json: an array of objects; github: one annotation a line, for GitHub's workflows.")
  var format = Format.text
  @Flag(help: "Warnings are failures, too.")
  var strict = false
  @Flag(help: "Print the configuration in force: presets and defaults filled in, each value with where it came from.")
  var resolved = false
  @Argument(help: "The file (default: --config).")
  var file: String?

  func run() async throws {
    var serve = options.serve
    if let file { serve.config = file }
    let loaded = ConfigLoader.load(path: serve.config)
    let secrets = SecretStore(folder: serve.secretsFolder, environment: ProcessInfo.processInfo.environment)
    let all = loaded.diagnostics { secrets.value($0) != nil }
    if resolved, let resolved = loaded.resolved {
      for diagnostic in all { Console.complain(format == .github ? diagnostic.annotation : diagnostic.description) }
      format == .json ? Console.print(json: resolved.json) : Console.print(resolved.yaml)
    } else {
      report(loaded, all, serve.config)
    }
    if all.contains(where: { $0.severity == .error }) || (strict && !all.isEmpty) { throw ExitCode(1) }
  }

  private func report(_ loaded: LoadResult, _ all: [Diagnostic], _ file: String) {
    switch format {
    case .json: Console.print(json: .array(all.map(\.json)))
    case .github: for diagnostic in all { Console.print(diagnostic.annotation) }
    case .text:
      for diagnostic in all { Console.print(diagnostic.description) }
      Console.print(summary(loaded, all, file))
    }
  }

  private func summary(_ loaded: LoadResult, _ all: [Diagnostic], _ file: String) -> String {
    let errors = all.count { $0.severity == .error }
    let found = "\(count(errors, "error")), \(count(all.count - errors, "warning"))"
    guard errors == 0, let parts = loaded.table?.parts else { return "\(file): \(found)" }
    func routes(_ list: [Route]) -> Int { list.reduce(0) { $0 + 1 + routes($1.children) } }
    let counts = [
      count(routes(parts.routes), "route"), count(parts.targets.count, "target"), count(parts.sources.count, "source"),
    ]
    return "\(file) is good: \(counts.joined(separator: ", "))" + (all.isEmpty ? "" : "; \(found)")
  }

  private func count(_ n: Int, _ noun: String) -> String { "\(n) \(noun)\(n == 1 ? "" : "s")" }
}
