// What is in force, for commands that hold a file against it: the configuration's text, and what its routes matched.

package import DivertCore

enum ConfigurationReport {
  /// `GET /api/configuration`: the text of the version in force, or of a stored one.
  static func make(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    let version = try input.text("version") ?? context.requireTable().version
    guard let text = try context.store.configuration(version: version) else {
      throw OperatorFailure.notFound("no configuration of the version `\(version)` is kept here")
    }
    return ["version": .string(version), "text": .string(text)]
  }
}

package enum RouteCounts {
  /// `GET /api/routes/counts`: events that each route of the configuration in force matched since it came into force in
  /// this process.
  static func make(_ context: OperatorContext) throws -> JSONValue {
    guard context.live != nil else {
      throw OperatorFailure(
        503, "not_running", "no router is running: what routes match is counted only while one runs")
    }
    let table = try context.requireTable()
    let counts = table.matches.current
    return RecordJSON.object([
      "version": .string(table.version), "since": counts.since.map(RecordJSON.moment),
      "events": .number(counts.events),
      "routes": .array(
        table.routePaths.map { ["route": .string($0.path), "matched": .number(counts.routes[$0.place])] }),
    ])
  }

  /// Reads what `make` writes, for the table of that version; nil for another's.
  package static func counts(_ value: JSONValue, of table: RouteTable) -> RouteMatches.Counts? {
    guard value["version"]?.string == table.version, let routes = value["routes"]?.array else { return nil }
    var counts = RouteMatches.Counts(routes: routes.map { Int($0["matched"]?.integer ?? 0) })
    counts.since = value["since"]?.string.flatMap { Timestamp(iso8601: $0) }
    counts.events = Int(value["events"]?.integer ?? 0)
    return counts
  }
}

extension RouteTable {
  /// Every route of the tree, in order of their places.
  var routePaths: [(path: String, place: Int)] {
    func flat(_ routes: [Route]) -> [(path: String, place: Int)] {
      routes.flatMap { [(path: $0.path, place: $0.place)] + flat($0.children) }
    }
    return flat(parts.routes)
  }
}
