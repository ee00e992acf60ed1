// `divert rerun`: plans stored events again under today's routes, and adds what they do not have yet.

import DivertCore

/// What a rerun came to.
struct RerunTally: Sendable {
  var events = 0
  var added = 0
  /// Planned by today's routes, but the event has them already.
  var already = 0
  /// Messages to persons that were left out.
  var leftOut = 0
  /// What was added, or would be: the first thousand.
  var shown: [JSONValue] = []
}

enum RerunCommand {
  private static let page = 200

  /// Goes through the events of a span of time, a page a transaction. Nothing is written with `dry_run`.
  static func run(_ context: OperatorContext, _ input: OperatorInput) async throws -> JSONValue {
    guard let since = try input.moment("since", context) else {
      throw OperatorFailure.badRequest("say from when: --since 2h, --since 2026-01-15")
    }
    let filter = EventFilter(
      since: since, until: try input.moment("until", context), source: try input.text("source"),
      unmatched: try input.flag("unmatched"))
    if let source = filter.source { try await Blocking.run { try KnownNames(context).require(source: source) } }
    let toPerson = try input.flag("to_person")
    let dryRun = try input.flag("dry_run")
    let table = try context.requireTable()
    let planner = try await Blocking.run { try RerunPlanner(context, table, filter, toPerson: toPerson) }
    var tally = RerunTally()
    var memory = try await Blocking.run { try planner.memory(context, filter) }
    var last: EventID?
    while true {
      let after = last
      let records = try await Blocking.run {
        try context.store.events(matching: filter, after: after, limit: page)
      }
      let (additions, next, sum) = try await Blocking.run { [memory, tally] in
        var (memory, tally) = (memory, tally)
        let additions = try records.compactMap {
          try planner.addition($0, now: context.now(), &memory, &tally)
        }
        return (additions, memory, tally)
      }
      (memory, tally) = (next, sum)
      try await add(additions, dryRun: dryRun, context, &tally)
      last = records.last?.event.id
      if records.count < page { break }
    }
    return answer(tally, dryRun: dryRun)
  }

  private static func add(
    _ additions: [Addition], dryRun: Bool, _ context: OperatorContext, _ tally: inout RerunTally
  ) async throws {
    let added = dryRun ? additions.map(\.planned) : try await context.add(additions)
    for (addition, plans) in zip(additions, added) {
      tally.added += plans.count
      for plan in plans where tally.shown.count < 1000 {
        tally.shown.append([
          "event": .string(addition.event.description), "route": .string(plan.route), "send": .string(plan.send),
          "target": .string(plan.target), "action": .string(plan.action),
        ])
      }
    }
  }

  private static func answer(_ tally: RerunTally, dryRun: Bool) -> JSONValue {
    [
      "dry_run": .bool(dryRun), "events": .number(tally.events), "added": .number(tally.added),
      "already_there": .number(tally.already), "left_out_to_person": .number(tally.leftOut),
      "deliveries": .array(tally.shown),
    ]
  }
}
