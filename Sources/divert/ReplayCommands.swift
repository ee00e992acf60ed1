// `dead-letters replay` and `edit`: sending again what was given up, in steps that a kill cannot undo.

import ArgumentParser
import DivertCore
import DivertServer
import Foundation

extension DeadLetters {
  struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Plan dead letters again, with full retries.",
      discussion: """
        Under today's definition of the same action unless --as-was. A file that was edited is sent as edited, under a new \
        idempotency key. Can be stopped and run again at any time: what was planned is not planned twice. Exit status 1 when \
        one was refused.
        """)
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var filter: LetterFilter
    @Flag(help: "All of them.") var all = false
    @Flag(help: "Only print the requests that would be sent, secrets masked.") var dryRun = false
    @Flag(help: "Under the definition that planned them.") var asWas = false
    @Flag(help: "Also those that may have been delivered (reason ambiguous).") var acceptDuplicate = false
    @Option(help: "At most so many in so long: 10/s, 100/min.") var rate: String?

    func run() async throws {
      let pace = try Pace(rate)
      try await Desk.open(options) { desk in
        let files = try await chosen(desk)
        var results: [JSONValue] = []
        var start = 0
        while start < files.count {
          let part = files[start..<min(files.count, start + pace.step)]
          results += try await replay(Array(part), desk)
          start += part.count
          Console.progress(files.count > 20 ? "\(start) of \(files.count)" : nil)
          if start < files.count, !dryRun { try await pace.rest() }
        }
        Console.progress(nil)
        show(results)
        if results.contains(where: { $0.cell("outcome") == "refused" }) { throw ExitCode(1) }
      }
    }

    /// The files that are meant, by name; damaged ones among them, so that each is reported.
    private func chosen(_ desk: Desk) async throws -> [String] {
      if !filter.ids.isEmpty { return filter.ids }
      if !all, filter.query.values.allSatisfy({ $0 == nil }) {
        throw OperatorFailure.badRequest("name the dead letters to replay, filter them, or say --all")
      }
      return try await desk.get("/api/dead-letters", filter.query).items("dead_letters").map { $0.cell("file") }
    }

    private func replay(_ files: [String], _ desk: Desk) async throws -> [JSONValue] {
      try await desk.post(
        "/api/dead-letters/replay",
        [
          ("ids", .array(files.map { .string($0) })), ("dry_run", .bool(dryRun)), ("as_was", .bool(asWas)),
          ("accept_duplicate", .bool(acceptDuplicate)),
        ]
      ).items("results")
    }

    private func show(_ results: [JSONValue]) {
      if output.format == .json { return Console.print(json: .array(results)) }
      for result in results {
        let by = result.cell("replayed_by").orNil.map { " as \($0)" } ?? ""
        let why = (result.cell("reason", "sentence").orNil ?? result.cell("note").orNil).map { ": \($0)" } ?? ""
        Console.print("\(result.cell("outcome"))  \(result.cell("file"))\(by)\(why)")
        if let request = result["request"] { show(request: request) }
      }
      let refused = results.count { $0.cell("outcome") == "refused" }
      let done = results.count - refused
      Console.print("\(done) \(dryRun ? "would be replayed" : "replayed"), \(refused) refused")
    }

    private func show(request: JSONValue) {
      Console.print("  \(request.cell("method")) \(request.cell("url"))")
      for header in request.items("headers") { Console.print("  \(header.cell("name")): \(header.cell("value"))") }
      if let body = request["body"] { Console.print("  \(body.string ?? body.text)") }
    }
  }

  struct Edit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Change the request of a dead letter before it is replayed.",
      discussion: """
        With --set, or without it on a terminal in $VISUAL or $EDITOR. The request's scheme and host must stay its target's, \
        and only that target's own secrets may be named.
        """)
    @OptionGroup var options: RouterOptions
    @Argument(help: "A delivery's id or a file's name.") var id: String
    @Option(
      name: .customLong("set"),
      help: "request.body.text=… (also request.url, request.method, request.headers.NAME); repeatable.")
    var settings: [String] = []

    func run() async throws {
      let set = try assignments()
      try await Desk.open(options) { desk in
        var members: [(String, JSONValue?)] = [("id", .string(id))]
        if settings.isEmpty {
          members.append(("request", try edited(try await desk.get("/api/dead-letters/show", ["id": id]))))
        } else {
          members.append(("set", .object(set)))
        }
        let answer = try await desk.post("/api/dead-letters/edit", members)
        Console.print("\(answer.cell("file")) changed; `divert dead-letters replay \(id)` sends it")
      }
    }

    private func assignments() throws -> JSONObject {
      var object = JSONObject()
      for setting in settings {
        guard let equals = setting.firstIndex(of: "=") else {
          throw ValidationError("--set \(setting): write a path, =, and a text: request.body.text=Hello")
        }
        object[String(setting[..<equals])] = .string(String(setting[setting.index(after: equals)...]))
      }
      return object
    }

    /// The request as it comes out of the editor.
    private func edited(_ letter: JSONValue) throws -> JSONValue {
      guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
        throw OperatorFailure.badRequest("there is no terminal to edit on: say what to change with --set")
      }
      guard let request = letter["request"] else {
        throw OperatorFailure.badRequest(
          "this dead letter has no request to edit; `divert dead-letters show \(id)` says why")
      }
      let file = FileManager.default.temporaryDirectory.appendingPathComponent("divert-\(UUID().uuidString).json")
      defer { try? FileManager.default.removeItem(at: file) }
      let bytes = Data(request.prettyEncoded())
      guard FileManager.default.createFile(atPath: file.path, contents: bytes, attributes: [.posixPermissions: 0o600])
      else { throw OperatorFailure.badRequest("cannot write \(file.path)") }
      try runEditor(file.path)
      let text = FileManager.default.contents(atPath: file.path) ?? Data()
      do { return try JSONValue.parse(Array(text)) } catch {
        throw OperatorFailure.badRequest("what came out of the editor is not JSON (\(error)); nothing was changed")
      }
    }

    private func runEditor(_ path: String) throws {
      let environment = ProcessInfo.processInfo.environment
      let editor = Process()
      editor.executableURL = URL(fileURLWithPath: "/bin/sh")
      editor.arguments = ["-c", "exec \(environment["VISUAL"] ?? environment["EDITOR"] ?? "vi") \"$1\"", "sh", path]
      try editor.run()
      editor.waitUntilExit()
      if editor.terminationStatus != 0 { throw OperatorFailure.badRequest("the editor failed; nothing was changed") }
    }
  }
}

/// `--rate 10/s`: so many, then a rest.
private struct Pace {
  var step = 100
  private var pause = Span.zero

  init(_ text: String?) throws {
    guard let text else { return }
    let parts = text.split(separator: "/", maxSplits: 1)
    let unit = parts.count == 2 ? String(parts[1]) : ""
    let named: [String: Span] = ["s": .seconds(1), "min": .minutes(1), "h": .hours(1)]
    guard let count = parts.first.flatMap({ Int($0) }), count > 0, let per = named[unit] ?? Span(duration: unit) else {
      throw ValidationError("--rate \(text): write a number and a time, as in 10/s or 100/min")
    }
    step = min(count, 100)
    pause = Span(milliseconds: per.milliseconds * Int64(step) / Int64(count))
  }

  func rest() async throws {
    if pause > .zero { try await Task.sleep(for: .milliseconds(pause.milliseconds)) }
  }
}
