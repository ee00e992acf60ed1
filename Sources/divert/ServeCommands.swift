// `serve`, `check` and `preset`: the commands that need no running router.

import ArgumentParser
import DivertConfig
import DivertCore
import DivertServer
import Foundation

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the router.",
    discussion: "Stops on SIGTERM or SIGINT: takes nothing more, lets what is under way end, commits, exits 0.")

  @OptionGroup var options: RouterOptions
  @Option(help: "Where events are posted (DIVERT_LISTEN; default 127.0.0.1:8080).")
  var listen: String?
  @Option(help: "trace, debug, info, notice, warning, error or critical (DIVERT_LOG_LEVEL; default info).")
  var logLevel: String?

  func run() async throws {
    var serve = options.serve
    serve.listen = RouterOptions.value(listen, "DIVERT_LISTEN") ?? serve.listen
    serve.logLevel = RouterOptions.value(logLevel, "DIVERT_LOG_LEVEL") ?? serve.logLevel
    do { try await Router.serve(serve) } catch { throw Console.fail("\(error)") }
  }
}

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a routes file: every mistake with its place, the reason and a suggestion.",
    discussion: """
      Exit status 1 when there is an error; warnings alone leave 0. The files of `routes.d` beside the file are checked with \
      it. With --resolved what is printed is itself a file, and warnings go to standard error.
      """)

  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions
  @Flag(help: "Print the configuration in force: presets and defaults filled in, each value with where it came from.")
  var resolved = false
  @Argument(help: "The file (default: --config).")
  var file: String?

  func run() async throws {
    var serve = options.serve
    if let file { serve.config = file }
    let loaded = ConfigLoader.load(path: serve.config)
    let secrets = SecretStore(folder: serve.secretsFolder, environment: ProcessInfo.processInfo.environment)
    let all = loaded.diagnostics + loaded.absentSecrets { secrets.value($0) != nil }
    if resolved, let resolved = loaded.resolved {
      for diagnostic in all { Console.complain(diagnostic.description) }
      output.format == .json ? Console.print(json: resolved.json) : Console.print(resolved.yaml)
    } else if output.format == .json {
      Console.print(json: .array(all.map(json)))
    } else {
      for diagnostic in all { Console.print(diagnostic.description) }
      Console.print(summary(loaded, all, serve.config))
    }
    if loaded.table == nil { throw ExitCode(1) }
  }

  private func summary(_ loaded: LoadResult, _ all: [Diagnostic], _ file: String) -> String {
    let errors = all.count { $0.severity == .error }
    let found = "\(count(errors, "error")), \(count(all.count - errors, "warning"))"
    guard let parts = loaded.table?.parts else { return "\(file): \(found)" }
    func routes(_ list: [Route]) -> Int { list.reduce(0) { $0 + 1 + routes($1.children) } }
    let counts = [
      count(routes(parts.routes), "route"), count(parts.targets.count, "target"), count(parts.sources.count, "source"),
    ]
    return "\(file) is good: \(counts.joined(separator: ", "))" + (all.isEmpty ? "" : "; \(found)")
  }

  private func count(_ n: Int, _ noun: String) -> String { "\(n) \(noun)\(n == 1 ? "" : "s")" }

  private func json(_ d: Diagnostic) -> JSONValue {
    [
      "severity": .string(d.severity.rawValue), "code": .string(d.code), "file": .string(d.file),
      "line": .number(d.line), "column": .number(d.column), "length": .number(d.length), "message": .string(d.message),
      "hint": d.hint.map { .string($0) } ?? .null,
      "notes": .array(
        d.notes.map {
          [
            "file": .string($0.file), "line": .number($0.line), "column": .number($0.column),
            "length": .number($0.length), "message": .string($0.message),
          ]
        }),
    ]
  }
}

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")
  func run() { Console.print("divert \(Version.number)") }
}

struct PresetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "preset", abstract: "The systems that Divert knows by name (`type:` of a target).",
    subcommands: [List.self, Show.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Name them.")
    func run() { for name in Presets.names { Console.print(name) } }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print one: the language of `targets:`, to be read, copied or changed.")
    @Argument(help: "Its name, as `divert preset list` prints it.") var name: String

    func run() throws {
      guard let text = Presets.text(of: name) else {
        throw Console.fail("there is no preset `\(name)`; there are \(Presets.names.joined(separator: ", "))")
      }
      Console.print(text)
    }
  }
}
