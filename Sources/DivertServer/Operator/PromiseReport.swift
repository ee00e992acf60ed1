// `divert promises`: what was promised by `expect`, and what became of it.

import DivertCore

enum PromiseReport {
  /// At most this many are listed.
  private static let most = 1000

  /// The newest first. `standing`: one or several of `open`, `kept`, `broken`, `kept_reported_late`; `kept` alone means both ways.
  static func list(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    try input.expect(only: ["standing", "route", "since", "until", "limit"])
    let limit = try input.number("limit", in: 1...most, or: 50)
    let (now, standings) = (context.now(), try standings(input))
    var filter = PromiseFilter(
      since: try input.moment("since", context), until: try input.moment("until", context),
      route: try input.text("route"), newestFirst: true)
    var found: [Promise] = []
    for standing in standings {
      filter.standing = standing
      found += try context.store.promises(matching: filter, after: nil, limit: limit + 1, now: now)
    }
    found.sort { ($1.event.sequence, $0.route) < ($0.event.sequence, $1.route) }
    let shown = found.prefix(limit)
    var tables = TablesByEvent(context)
    return [
      "promises": .array(try shown.map { json($0, awaits: try tables.words($0), now: now) }),
      "count": .number(shown.count), "more": .bool(found.count > limit),
    ]
  }

  /// Nil stands for all of them.
  private static func standings(_ input: OperatorInput) throws -> [Promise.Standing?] {
    guard let text = try input.text("standing") else { return [nil] }
    if text == "kept" { return [.kept, .keptReportedLate] }
    if let standing = Promise.Standing(rawValue: text) { return [standing] }
    let all = Promise.Standing.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
    throw OperatorFailure.badRequest(
      "`\(OperatorText.line(text, limit: 40))` is no standing of a promise: there are \(all)")
  }

  /// Those that an event opened, for `divert find`.
  static func of(_ event: Event, _ table: RouteTable?, _ context: OperatorContext) throws -> JSONValue? {
    let promises = try context.store.promises(of: event.id)
    if promises.isEmpty { return nil }
    return .array(promises.map { json($0, awaits: table?.expect(of: $0.route)?.words, now: context.now()) })
  }

  private static func json(_ promise: Promise, awaits: String?, now: Timestamp) -> JSONValue {
    RecordJSON.object([
      "event": .string(promise.event.description), "route": .string(promise.route), "awaits": RecordJSON.text(awaits),
      "key": .string(promise.place.key), "standing": .string(promise.standing(at: now).rawValue),
      "opened_at": RecordJSON.moment(promise.openedAt), "deadline": RecordJSON.moment(promise.deadline),
      "judged_at": RecordJSON.moment(promise.judgedAt), "keeper": promise.keeper.map { .string($0.description) },
      "kept_at": promise.keptAt.map(RecordJSON.moment),
      "kept_after_seconds": promise.keptAfter.map { .number($0.milliseconds / 1000) },
      "reported_at": promise.reportedAt.map(RecordJSON.moment),
    ])
  }
}

/// What promises await, by the configurations that opened them.
private struct TablesByEvent {
  private let context: OperatorContext
  private var tables: [String: RouteTable?] = [:]

  init(_ context: OperatorContext) { self.context = context }

  /// Nil: its configuration is gone, or has no such route.
  mutating func words(_ promise: Promise) throws -> String? {
    guard let version = try context.store.event(promise.event)?.version else { return nil }
    if tables[version] == nil { tables[version] = .some(context.tableOfVersion(version) ?? context.table()) }
    return tables[version]??.expect(of: promise.route)?.words
  }
}

extension RouteTable {
  /// `expect:` of a route by its path; nil: there is none.
  func expect(of path: String) -> ExpectDefinition? {
    func find(_ routes: [Route]) -> ExpectDefinition? {
      for route in routes {
        if route.path == path { return route.expect }
        if path.hasPrefix(route.path + "/"), let found = find(route.children) { return found }
      }
      return nil
    }
    return find(parts.routes)
  }
}
