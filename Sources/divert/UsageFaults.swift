// A command line that is not understood: a command that does not exist, and what only the running of a command finds out
// about its arguments. Exit status 64.

import ArgumentParser
import DivertCore
import Foundation

extension Divert {
  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if let stranger = Stranger(arguments) { UsageFault.end(stranger.message, usageOf: stranger.parent) }
    do {
      var command = try parseAsRoot(arguments)
      do {
        if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
      } catch let fault as ValidationError {
        // The library would print the usage of `divert` itself.
        UsageFault.end(fault.message, usageOf: type(of: command))
      }
    } catch {
      exit(withError: error)
    }
  }
}

enum UsageFault {
  static func end(_ message: String, usageOf command: any ParsableCommand.Type) -> Never {
    let usage = command == Divert.self ? "divert <subcommand>" : Divert.usageString(for: command)
    let more = "See '\(CommandName.of(command)) --help' for more information."
    Console.complain("Error: \(message)\nUsage: \(usage)\n  \(more)")
    Divert.exit(withError: ExitCode(64))
  }
}

/// A word in the place of a command, and no command.
private struct Stranger {
  var word: String
  /// What it was said to.
  var parent: any ParsableCommand.Type = Divert.self

  init?(_ arguments: [String]) {
    var rest = arguments[...]
    while let word = rest.popFirst() {
      let commands = parent.configuration.subcommands
      if word.hasPrefix("-") || commands.isEmpty || word == "help" { return nil }
      guard let next = commands.first(where: { $0.answers(to: word) }) else {
        self.word = word
        return
      }
      parent = next
    }
    return nil
  }

  var message: String {
    let names = parent.configuration.subcommands.map { $0._commandName }
    let of = parent == Divert.self ? "" : " of '\(CommandName.of(parent))'"
    let near = NearestName.to(word, among: names).map { "did you mean '\($0)'?" }
    return "there is no command '\(Console.safe(word))'\(of); \(near ?? "there are: \(names.joined(separator: ", "))")"
  }
}

extension ParsableCommand {
  fileprivate static func answers(to word: String) -> Bool {
    _commandName == word || configuration.aliases.contains(word)
  }
}

private enum CommandName {
  /// `divert routes list`.
  static func of(_ command: any ParsableCommand.Type) -> String {
    path(to: command, from: Divert.self)?.joined(separator: " ") ?? "divert"
  }

  private static func path(
    to command: any ParsableCommand.Type, from root: any ParsableCommand.Type
  ) -> [String]? {
    if root == command { return [root._commandName] }
    for next in root.configuration.subcommands {
      if let path = path(to: command, from: next) { return [root._commandName] + path }
    }
    return nil
  }
}
