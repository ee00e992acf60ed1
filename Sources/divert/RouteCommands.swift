// `routes`: the routes of the file, listed and edited; comments and everything around an edit stay as they are.

import ArgumentParser
import DivertCore
import DivertServer
import Foundation

struct Routes: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The routes of the file: list, add, enable, disable, remove, set.",
    discussion: """
      An edit changes the lines that it concerns and nothing else. The result is read again and checked: unless it \
      means what the file meant plus the edit, has no new error, and breaks none of the file's tests, nothing is written.
      """,
    subcommands: [List.self, Add.self, Enable.self, Disable.self, Remove.self, Set.self, Unset.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Every route with its place, its condition and its sends.")
    @OptionGroup var options: FilesOptions

    func run() async throws {
      let answer = try await EditDesk(options: options).ask(OperatorRequest("GET", "/api/config/routes"))
      if options.output.format == .json { return Console.print(json: answer) }
      for fault in answer.items("diagnostics") { Console.tell(fault.cell("text")) }
      Console.table(
        ["route", "enabled", "place", "when", "send"],
        answer.items("routes").map { row in
          let place = "\(row.cell("file")):\(row.cell("line"))"
          let sends = row.items("send").compactMap(\.string).joined(separator: ", ")
          return [row.cell("route"), row["enabled"] == true ? "yes" : "no", place, row.cell("when"), sends]
        })
    }
  }

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add a route, by flags or as YAML.",
      discussion: """
        With --send (and --when) the route is made of these. Without, YAML is read from --from or standard input: \
        'name: {…}', one route or several, or the body alone where NAME is given. Its comments are kept.
        """)
    @OptionGroup var options: EditOptions
    @Argument(help: "The route's name.") var name: String?
    @Option(
      help: """
        field=value; field=value,value for one of them ("in quotes" with a comma of its own); field={above: 5}. May be \
        given several times: all must hold.
        """)
    var when: [String] = []
    @Option(help: "target.action, target.action=text or target.action={…}; may be given several times.")
    var send: [String] = []
    @Option(help: "What it is for.") var description: String?
    @Option(help: "The path of the route that it goes under.") var under: String?
    @Option(help: "A file of YAML; '-' is standard input.") var from: String?

    private var hasFlags: Bool { !(when.isEmpty && send.isEmpty && description == nil) }

    func validate() throws {
      if hasFlags, from != nil { throw ValidationError("give the route by flags or by --from, not both") }
      if hasFlags, name == nil { throw ValidationError("a route needs a name") }
    }

    func run() async throws {
      let yaml = hasFlags ? nil : try Self.read(from ?? "-")
      try await EditDesk.edit(
        options,
        [
          ("do", "add_route"), ("name", name.map { .string($0) }), ("under", under.map { .string($0) }),
          ("yaml", yaml.map { .string($0) }), ("description", description.map { .string($0) }),
          ("conditions", .array(when.map { .string($0) })), ("sends", .array(send.map { .string($0) })),
        ])
    }

    private static func read(_ path: String) throws -> String {
      if path == "-" { return GivenValue.standardInput() }
      guard FileManager.default.fileExists(atPath: path) else { throw Console.fail("there is no file \(path)") }
      guard let data = FileManager.default.contents(atPath: path) else {
        throw Console.fail("\(path) cannot be read: check that it is a file, and who may read it")
      }
      guard let text = String(data: data, encoding: .utf8) else {
        throw Console.fail("\(path) is not UTF-8 text: save it as UTF-8")
      }
      return text
    }
  }

  struct Enable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Take 'enabled: false' away.")
    @OptionGroup var options: EditOptions
    @Argument(help: "The route's path.") var route: String

    func run() async throws {
      try await EditDesk.edit(options, [("do", "enable_route"), ("route", .string(route))])
    }
  }

  struct Disable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write 'enabled: false': neither this route nor those under it.")
    @OptionGroup var options: EditOptions
    @Argument(help: "The route's path.") var route: String

    func run() async throws {
      try await EditDesk.edit(options, [("do", "disable_route"), ("route", .string(route))])
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove a route with those under it and the comments that belong to it.")
    @OptionGroup var options: EditOptions
    @Argument(help: "The route's path.") var route: String

    func run() async throws {
      try await EditDesk.edit(options, [("do", "remove_route"), ("route", .string(route))])
    }
  }

  struct Set: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give any value of the file by its path.",
      discussion: """
        divert routes set targets.crm.limit 200/min
        divert routes set routes.agent-declined.when.local.time '{ between: "08:00-18:00" }'
        divert routes set routes.agent-declined.send.3 team_lead.alert

        The route, target, source, table or test that the path leads into must be there; fields of it are made as needed.
        Numbers, true, false and null are taken as such, lists, mappings and quoted text as YAML, '-' is YAML from \
        standard input, and everything else is text. What stands in the place already is replaced, with the comments in it.
        """)
    @OptionGroup var options: EditOptions
    @Argument(help: "Names with dots between; places of a list from 0.") var path: String
    @Argument(help: "The value.") var value: String
    @Flag(help: "Take the value as text, whatever it looks like.") var text = false

    func run() async throws {
      let value = try GivenValue.members(value, isText: text)
      try await EditDesk.edit(options, [("do", "set"), ("path", .string(path))] + value)
    }
  }

  struct Unset: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Remove any value of the file by its path.")
    @OptionGroup var options: EditOptions
    @Argument(help: "Names with dots between; places of a list from 0.") var path: String

    func run() async throws {
      try await EditDesk.edit(options, [("do", "unset"), ("path", .string(path))])
    }
  }
}
