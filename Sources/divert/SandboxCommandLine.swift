// `sandbox requests|faults`: what the targets of a running sandbox received, and how they are to fail.

import ArgumentParser
import DivertCore
import DivertServer

struct Sandbox: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "A running sandbox: what its targets received, and how they fail.",
    subcommands: [Requests.self, Faults.self])

  struct Requests: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The last requests that the targets received, each with what was answered; secrets by name.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "At most this many, the last ones (1 to 1000).") var limit = 20
    @Argument(help: "A target's name; all of them without it.") var target: String?

    func run() async throws {
      try await Desk.open(options.inSandbox) { desk in
        let answer = try await desk.get("/api/sandbox/requests", ["target": target, "limit": String(limit)])
        if output.format == .json { return Console.print(json: answer) }
        let requests = answer.items("requests")
        if requests.isEmpty { return Console.print("no request was received yet") }
        Console.print(requests.map(Self.text).joined(separator: "\n\n"))
        let more = (answer["kept"]?.integer ?? 0) - Int64(requests.count)
        if more > 0 { Console.print("\nand \(more) before; --limit shows more") }
      }
    }

    private static func text(_ request: JSONValue) -> String {
      var lines = [
        "\(request.cell("at"))  \(request.cell("target")).\(request.cell("action"))",
        "  \(request.cell("method")) \(request.cell("path"))",
      ]
      lines += request.items("headers").map { "  \($0.cell("name")): \($0.cell("value"))" }
      if let body = request["body"], body != .null { lines += [""] + indented(body) }
      let status = request.cell("answer", "status").orNil ?? "no answer"
      let fault = request.cell("answer", "fault").orNil.map { " (fault \($0))" } ?? ""
      lines.append("  → \(status)\(fault)")
      if let body = request["answer"]?["body"], body != .null { lines += indented(body) }
      return lines.map(Console.safe).joined(separator: "\n")
    }

    private static func indented(_ body: JSONValue) -> [String] {
      let text = body.string ?? String(decoding: body.prettyEncoded(), as: UTF8.self)
      return text.split(whereSeparator: \.isNewline).map { "  " + $0 }
    }
  }

  struct Faults: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say which requests fail from now on, or see which do: divert sandbox faults \"crm: 429 5%\"",
      discussion: """
        NAME: FAULT RATE, several with commas. NAME is a target, one of its actions (crm.log_call), a preset's name or *. \
        FAULT is one that the preset names (`divert preset show`), a status, timeout, slow, reset or refused. RATE is 5%, \
        every 20 or first 3; every request without it. `none` ends them.
        """)
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The faults, in place of those in force.") var faults: String?

    func run() async throws {
      try await Desk.open(options.inSandbox) { desk in
        let answer =
          if let faults {
            try await desk.post("/api/sandbox/faults", [("faults", .string(faults))])
          } else {
            try await desk.get("/api/sandbox/faults")
          }
        if output.format == .json { return Console.print(json: answer) }
        let rules = answer.items("faults").compactMap(\.string)
        Console.print(rules.isEmpty ? "no request fails" : rules.joined(separator: "\n"))
      }
    }
  }
}

extension RouterOptions {
  /// The same, of a sandbox: a router that runs beside it with real targets is not meant.
  var inSandbox: RouterOptions {
    var options = self
    options.sandbox = true
    return options
  }
}
