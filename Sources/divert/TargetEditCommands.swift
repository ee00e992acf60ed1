// `targets add|set|unset|remove`: the targets of the file, edited as routes are.

import ArgumentParser
import DivertCore
import DivertServer

extension Targets {
  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add a target of a type that `divert preset list` names, with its secrets by name.",
      discussion: """
        divert targets add backend erp url=https://erp.example.com/events, or divert targets add http crm url=https://crm.example.com/api

        What its type requires is written, what it can be given besides stands as comments. Printed: which secret belongs \
        where, and what comes next. Types of presets.d beside the routes file are known, too.
        """)
    @OptionGroup var options: EditOptions
    @Argument(help: "A preset, or http.") var type: String
    @Argument(help: "The target's name.") var name: String
    @Argument(help: "field=value: what its entry says beside.") var fields: [String] = []

    func validate() throws {
      for field in fields where field.firstIndex(of: "=").map({ $0 == field.startIndex }) ?? true {
        throw ValidationError("'\(field)' is no field=value")
      }
    }

    func run() async throws {
      var with = JSONObject()
      for field in fields {
        let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        with[parts[0]] = GivenValue.json(parts[1])
      }
      try await EditDesk.edit(
        options,
        [
          ("do", "add_target"), ("type", .string(type)), ("name", .string(name)), ("with", .object(with)),
        ])
    }
  }

  struct Set: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give a field of a target: divert targets set crm limit 200/min")
    @OptionGroup var options: EditOptions
    @Argument(help: "The target's name.") var target: String
    @Argument(help: "The field, or a path under the target.") var field: String
    @Argument(help: "The value, as `divert routes set` takes it.") var value: String
    @Flag(help: "Take the value as text, whatever it looks like.") var text = false

    func run() async throws {
      let path = "targets.\(target).\(field)"
      try await EditDesk.edit(
        options, [("do", "set"), ("path", .string(path))] + (try GivenValue.members(value, isText: text)))
    }
  }

  struct Unset: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Remove a field of a target.")
    @OptionGroup var options: EditOptions
    @Argument(help: "The target's name.") var target: String
    @Argument(help: "The field, or a path under the target.") var field: String

    func run() async throws {
      let path = "targets.\(target).\(field)"
      try await EditDesk.edit(options, [("do", "unset"), ("path", .string(path))])
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove a target with the comments that belong to it; refused while a route sends to it.")
    @OptionGroup var options: EditOptions
    @Argument(help: "The target's name.") var target: String

    func run() async throws {
      try await EditDesk.edit(options, [("do", "remove_target"), ("name", .string(target))])
    }
  }
}
