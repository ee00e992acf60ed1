// `serve` and `version`: the commands that need no running router. `check` stands in CheckCommand.swift.

import ArgumentParser
import DivertServer
import Foundation

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the router.",
    discussion: "Stops on SIGTERM or SIGINT: takes nothing more, lets what is under way end, commits, exits 0.")

  @OptionGroup var options: RouterOptions
  @Option(help: "Where events are posted (DIVERT_LISTEN; default 127.0.0.1:8080).")
  var listen: String?
  @Option(help: "In the sandbox, which requests fail: \"crm: 429 5%, lead: timeout 1%\" (DIVERT_SANDBOX_FAULTS).")
  var sandboxFaults: String?
  @Option(help: "trace, debug, info, notice, warning, error or critical (DIVERT_LOG_LEVEL; default info).")
  var logLevel: String?

  func run() async throws {
    var serve = options.serve
    serve.listen = RouterOptions.value(listen, "DIVERT_LISTEN") ?? serve.listen
    serve.sandboxFaults = RouterOptions.value(sandboxFaults, "DIVERT_SANDBOX_FAULTS")
    if sandboxFaults == nil { serve.sandboxFaultsFrom = "DIVERT_SANDBOX_FAULTS" }
    serve.logLevel = RouterOptions.value(logLevel, "DIVERT_LOG_LEVEL") ?? serve.logLevel
    do { try await Router.serve(serve) } catch { throw Console.fail("\(error)") }
  }
}

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")
  func run() { Console.print("divert \(Version.number)") }
}
