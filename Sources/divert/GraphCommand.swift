// `graph`: the routes drawn, with what they matched while a router runs.

import ArgumentParser
import DivertCore
import DivertServer

struct Graph: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw the routes: their conditions in words, what they send, and, while the router runs, how often.",
    discussion: """
      The routes are those of --config. Counts are there when a running router has the same routes in force: events \
      accepted since they came into force, and deliveries planned for them. Exit status 1 when the routes file has errors.
      """)

  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions
  @Flag(help: "A Mermaid flowchart, for a page or a pull request.") var mermaid = false

  func run() async throws {
    let table = try RoutesFile.table(options.serve.config)
    let graph = RouteGraph(table, counts: await counts(of: table))
    if output.format == .json { return Console.print(json: graph.json) }
    if mermaid { return Console.print(graph.mermaid) }
    Console.print("\(options.serve.config), configuration \(table.version)\(since(graph))")
    Console.print("")
    for line in graph.lines { Console.print(line) }
  }

  func validate() throws {
    if mermaid, output.format == .json { throw ValidationError("--mermaid and --format json are two answers") }
  }

  private func since(_ graph: RouteGraph) -> String {
    guard let counts = graph.counts else { return "" }
    let since = counts.since.map { " since \(OperatorTime.text($0))" } ?? " so far"
    return ": \(counts.events) \(counts.events == 1 ? "event" : "events")\(since)"
  }

  /// What the running router counted; nil where none runs, or it has other routes in force.
  private func counts(of table: RouteTable) async -> RouteMatches.Counts? {
    let key = RouterOptions.value(nil, "DIVERT_OPERATOR_KEY")
    let address = RouterOptions.value(options.operator, "DIVERT_OPERATOR")
    do {
      guard let channel = try OperatorChannel.running(options.serve, address: address, key: key) else { return nil }
      let answer = try await Desk(channel: channel).get("/api/routes/counts")
      if let counts = RouteCounts.counts(answer, of: table) { return counts }
      Console.note(
        "no counts: the running router has configuration \(answer.cell("version")) in force, this file is \(table.version)"
      )
    } catch {
      Console.note("no counts: \(error)")
    }
    return nil
  }
}
