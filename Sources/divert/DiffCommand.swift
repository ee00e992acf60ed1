// `diff`: what another routes file would have done with the events that really came in.

import ArgumentParser
import DivertCore
import DivertServer

struct Diff: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Hold a new routes file against the one in force, over the events that came in: what would change.",
    discussion: """
      The one in force is the running router's; --config names another, and is used while no router runs. Nothing is sent \
      or written. Deliveries are paired by event, route, label and action: a route that is renamed shows as vanished and \
      appeared. Counts, once, throttles and promises are answered from the events themselves, one after another: those that \
      came earlier, as far back as the routes look, are read too. Exit status: 0, with --exit-code 1 where there are differences; 1 when a file has errors; 3 when neither a \
      router nor its data can be reached.
      """)

  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The new routes file.") var file: String
  @Option(help: "The events received since: 24h, 7d, 2026-01-15, an ISO 8601 time.") var against = "24h"
  @Option(help: "The events received before.") var until: String?
  @Option(help: "The events of one source.") var source: String?
  @Option(help: "At most so many differences are shown; all are counted.") var limit = 20
  @Flag(help: "Exit status 1 where there are differences.") var exitCode = false

  func run() async throws {
    let after = try RoutesFile.table(file)
    let start = try checkSpan(after.zone)
    try await Desk.open(options) { desk in
      let (before, name) = try await inForce(desk)
      var comparison = ConfigComparison(before: before, after: after, limit: max(0, limit), from: start)
      let reach = ConfigComparison.reach(before, after)
      try await feed(desk, from: reach == .zero ? nil : (start - reach).iso8601) { comparison.add($0) }
      comparison.finish()
      if comparison.events == 0 { try checkSource(before, after) }
      if output.format == .json {
        Console.print(json: RehearsalReport.json(comparison))
      } else {
        ComparisonTeller(comparison: comparison, before: name, after: file, span: span).tell()
      }
      if exitCode, !comparison.isEmpty { throw ExitCode(1) }
    }
  }

  /// The events that were asked for, as the command line has them.
  private var span: String {
    let parts = [("against", against), ("until", until), ("source", source)]
    return parts.compactMap { name, value in value.map { "--\(name) \($0)" } }.joined(separator: " ")
  }

  /// Refuses times that are none, and a span in which nothing can lie. Where it begins.
  private func checkSpan(_ zone: Zone) throws -> Timestamp {
    let now = WallClock.now()
    func moment(_ text: String, _ name: String) throws -> Timestamp {
      do { return try OperatorTime.read(text, now: now, zone: zone) } catch {
        throw ValidationError("\(name): \(error.message)")
      }
    }
    let start = try moment(against, "--against")
    if let until, try moment(until, "--until") <= start {
      throw ValidationError(
        "nothing lies between --against \(against) and --until \(until): the first is the later one")
    }
    return start
  }

  /// Fails where no event came from the source because there is none of that name.
  private func checkSource(_ before: RouteTable, _ after: RouteTable) throws {
    guard let source else { return }
    let names = Set(before.parts.sources.keys).union(after.parts.sources.keys)
    if names.contains(source) { return }
    let near = NearestName.to(source, among: names.sorted()).map { "did you mean `\($0)`?" }
    throw Console.fail(
      "there is no source `\(source)`; \(near ?? "there are: \(names.sorted().joined(separator: ", "))")")
  }

  /// The configuration that is held against, and its name for people.
  private func inForce(_ desk: Desk) async throws -> (RouteTable, String) {
    if options.config != nil || desk.channel.folder != nil {
      return (try RoutesFile.table(options.serve.config), options.serve.config)
    }
    let answer = try await desk.get("/api/configuration")
    let version = answer.cell("version")
    return (try RoutesFile.table(stored: answer.cell("text"), version: version), "the configuration in force")
  }

  /// Hands over the events, a page at a time.
  /// - Parameter start: nil: from where the comparison begins.
  private func feed(_ desk: Desk, from start: String?, _ take: (Event) -> Void) async throws {
    var (after, count): (String?, Int) = (nil, 0)
    defer { Console.progress(nil) }
    repeat {
      let page = try await desk.get(
        "/api/events", ["since": start ?? against, "until": until, "source": source, "after": after, "limit": "100"])
      for item in page.items("events") {
        guard let event = EventExchange.event(item) else { continue }
        take(event)
      }
      count += page.items("events").count
      Console.progress("\(count) events")
      after = page["next"]?.string
    } while after != nil
  }
}

/// A comparison for people: the counts, the groups, then examples.
private struct ComparisonTeller {
  var comparison: ConfigComparison
  var before: String
  var after: String
  /// Which events were asked for.
  var span: String

  func tell() {
    let c = comparison
    if c.events == 0 {
      return Console.print("no event came in (\(span)): there is nothing to compare with")
    }
    Console.print(
      "\(c.events) \(c.events == 1 ? "event" : "events"): \(c.deliveriesBefore) deliveries under \(before) "
        + "(\(c.before.version)), \(c.deliveriesAfter) under \(after) (\(c.after.version))")
    for (source, count) in c.sourcesGone.sorted(by: { $0.key < $1.key }) {
      Console.print("\(count) of them would not be received: \(after) has no source `\(source)`")
    }
    Console.print(counts)
    if c.isEmpty { return }
    Console.print("")
    Console.table(
      ["", "count", "route", "action", "what differs"],
      c.summary.map { group, count in
        [group.kind.sign, String(count), group.route, group.name, Self.fields(group.fields)]
      })
    var last: EventID?
    for detail in c.details {
      if detail.event != last { tell(event: detail) }
      last = detail.event
      tell(detail)
    }
    let rest = c.counts.values.reduce(0, +) - c.details.count
    if rest > 0 { Console.print("\n\(rest) more differences are not shown; --limit shows more") }
  }

  private var counts: String {
    func count(_ kind: ConfigComparison.Kind) -> Int { comparison.counts[kind] ?? 0 }
    let moved = count(.moves) == 0 ? "" : ", \(count(.moves)) only move in their list"
    return "\(count(.appears)) would appear, \(count(.vanishes)) would vanish, \(count(.changes)) would change"
      + "\(moved), \(comparison.staying) stay as they are"
  }

  private static func fields(_ fields: [String]) -> String {
    let shown = fields.prefix(4).joined(separator: ", ")
    return Console.safe(fields.count > 4 ? shown + ", and \(fields.count - 4) more" : shown)
  }

  private func tell(event detail: ConfigComparison.Detail) {
    Console.print("\n\(detail.event)  \(Console.safe(detail.title))  at \(OperatorTime.text(detail.at))")
  }

  private func tell(_ detail: ConfigComparison.Detail) {
    let place = "  \(detail.group.kind.sign) \(detail.group.name)  (\(detail.group.route), send "
    switch detail.difference {
    case .appears(let delivery), .vanishes(let delivery), .stays(let delivery):
      Console.print(place + "\(delivery.plan.send))  \(Console.safe(RehearsalDiff.summary(delivery.request)))")
    case .moves(let old, let new):
      Console.print(place + "\(old.plan.send) → \(new.plan.send)): its idempotency key changes with its place")
    case .changes(_, let new, let fields):
      Console.print(place + "\(new.plan.send))")
      for field in fields.prefix(20) {
        Console.print("      \(Console.safe(field.field)): \(Self.short(field.before)) → \(Self.short(field.after))")
      }
      if fields.count > 20 { Console.print("      and \(fields.count - 20) more parts") }
    }
  }

  private static func short(_ value: String?) -> String {
    guard let value = value.map(Console.safe) else { return "(missing)" }
    return value.count > 100 ? value.prefix(99) + "…" : value
  }
}

extension ConfigComparison.Kind {
  fileprivate var sign: String {
    switch self {
    case .appears: "+"
    case .vanishes: "-"
    case .changes: "~"
    case .moves: "="
    }
  }
}
