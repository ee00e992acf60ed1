// `serve`, `version` and `preset`: the commands that need no running router. `check` stands in CheckCommand.swift.

import ArgumentParser
import DivertConfig
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
