// How the commands that edit the routes file work: on the file itself, or at `--operator` on the router's, in both cases
// under the version that was read.

import ArgumentParser
import DivertCore
import DivertServer
import Foundation

/// Which files a command reads or edits.
struct FilesOptions: ParsableArguments {
  @Option(help: "The routes file (DIVERT_CONFIG; default routes.yaml), with routes.d beside it.") var config: String?
  @Option(help: "Take the files of the router at this operator address in place of those here.") var `operator`: String?
  @OptionGroup var output: OutputOptions

  var path: String { RouterOptions.value(config, "DIVERT_CONFIG") ?? ServeOptions().config }

  /// A file of the configuration as the command line named it: in the folder of the routes file.
  func shown(_ name: String) -> String {
    guard `operator` == nil, let slash = path.lastIndex(of: "/") else { return name }
    return path[...slash] + name
  }
}

/// What every edit takes.
struct EditOptions: ParsableArguments {
  @OptionGroup var files: FilesOptions
  @Option(help: "The file that new names go to, such as routes.d/west.yaml (default: the routes file).") var into:
    String?
  @Flag(help: "Only print what would change.") var dryRun = false
  @Flag(help: "Make the edit although tests of the file fail after it.") var despiteTests = false
}

/// The files to be edited.
struct EditDesk {
  let options: FilesOptions

  /// A question or an order; a refusal is thrown.
  func ask(_ request: OperatorRequest) async throws -> JSONValue {
    let (status, body) = try await send(request)
    let json = (try? JSONValue.parse(body)) ?? .null
    if (200..<300).contains(status) { return json }
    for diagnostic in json["error"]?.items("diagnostics") ?? [] { Console.tell(diagnostic.cell("text")) }
    throw Console.fail(Desk.failure(json, status))
  }

  private func send(_ request: OperatorRequest) async throws -> (Int, [UInt8]) {
    do {
      let desk = try await ConfigDesk.open(
        path: options.path, operator: options.operator, data: RouterOptions.value(nil, "DIVERT_DATA"),
        key: RouterOptions.value(nil, "DIVERT_OPERATOR_KEY"))
      return try await desk.send(request)
    } catch let failure as OperatorFailure { throw Console.fail(failure) }
  }

  /// Makes one edit, and prints what changed and what is left to do.
  static func edit(_ options: EditOptions, _ members: [(String, JSONValue?)]) async throws {
    let desk = EditDesk(options: options.files)
    let version = try await desk.ask(OperatorRequest("GET", "/api/config")).cell("version")
    let edit = JSONObject(members.compactMap { key, value in value.map { .init(key: key, value: $0) } })
    var order = OperatorRequest(
      post: "/api/config/edit",
      .object(
        JSONObject([
          .init(key: "edits", value: .array([.object(edit)])), .init(key: "dry_run", value: .bool(options.dryRun)),
          .init(key: "despite_tests", value: .bool(options.despiteTests)),
          .init(key: "file", value: options.into.map { .string($0) } ?? .null),
        ])))
    order.ifMatch = "\"\(version)\""
    desk.show(try await desk.ask(order), isDry: options.dryRun)
  }

  private func show(_ answer: JSONValue, isDry: Bool) {
    if options.output.format == .json { return Console.print(json: answer) }
    if let diff = answer.cell("diff").orNil { Console.print(String(diff.dropLast())) }
    for warning in answer.items("warnings") { Console.tell(warning.cell("text")) }
    for note in answer.items("notes") { Console.print(note.string ?? "") }
    guard let file = answer.cell("file").orNil.map(options.shown) else { return }
    Console.print(isDry ? "\(file) would be changed so; nothing was written" : "\(file) is written")
  }
}

/// Values as the command line gives them.
enum GivenValue {
  /// The members that say a value: a number, `true`, `false` or `null` as such; lists, mappings and quoted text as YAML;
  /// `-`: YAML from standard input; everything else is text.
  static func members(_ text: String, isText: Bool) throws -> [(String, JSONValue?)] {
    if isText { return [("value", .string(text))] }
    if text == "-" {
      let yaml = standardInput()
      if yaml.allSatisfy(\.isWhitespace) { throw Console.fail("standard input is empty, so nothing was changed") }
      return [("yaml", .string(yaml))]
    }
    if let first = text.first, "[\"'".contains(first) || (first == "{" && !text.hasPrefix("{{")) {
      return [("yaml", .string(text))]
    }
    return [("value", json(text))]
  }

  /// A word of JSON as such, else text.
  static func json(_ text: String) -> JSONValue {
    switch text {
    case "true": true
    case "false": false
    case "null": .null
    default: JSONValue.isNumber(text) ? .number(text) : .string(text)
    }
  }

  static func standardInput() -> String {
    if isatty(STDIN_FILENO) == 1 { Console.note("reading YAML from the terminal: end it with Ctrl-D") }
    return String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
  }
}
