// What routes remember, in figures: promises, what waits for its hours, and the suppression list; for `divert status` and the metrics.

import DivertCore

struct MemoryFigures: Sendable {
  /// Promises are counted of the events of this long.
  private static let lately = Span.hours(24)

  private var promises: [Promise.Standing: Int]
  private var outsideHours: [String: Int]
  /// Entries of the suppression list that hold.
  private var suppressed: [Suppression]

  init(_ context: OperatorContext) throws {
    let now = context.now()
    promises = try context.store.promiseCounts(since: now - Self.lately, now: now)
    outsideHours = try context.store.outsideHours()
    suppressed = try context.store.suppressions().filter { $0.holds(at: now) }
  }

  var json: JSONValue {
    [
      "promises": .object(
        JSONObject(
          Promise.Standing.allCases.map { .init(key: $0.rawValue, value: .number(promises[$0] ?? 0)) })),
      "outside_hours": .number(outsideHours.values.reduce(0, +)), "suppressed": .number(suppressed.count),
    ]
  }

  func write(to page: inout MetricsText) {
    page.family(
      "divert_promises", .gauge, "Promises of the events of the last 24 hours, by how they stand.",
      Promise.Standing.allCases.map { (["standing": $0.rawValue], String(promises[$0] ?? 0)) })
    page.family(
      "divert_deliveries_outside_hours", .gauge, "Waiting deliveries that were due outside their allowed hours.",
      outsideHours.sorted { $0.key < $1.key }.map { (["target": $0.key], String($0.value)) })
    let all = suppressed.count { $0.coversAnswers }
    page.family(
      "divert_suppressions", .gauge, "Phones on the suppression list, by which messages are withheld.",
      [(["covers": "outreach"], String(suppressed.count - all)), (["covers": "all"], String(all))])
  }
}
