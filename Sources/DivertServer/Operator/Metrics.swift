// `/metrics`: everything that is counted, in Prometheus' text format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).

import DivertCore
import DivertStore

/// Writes metric families.
struct MetricsText {
  private(set) var text = ""

  enum Kind: String { case counter, gauge }

  typealias Labels = KeyValuePairs<String, String>

  /// A family of which `samples` are the members; a family without any is left out.
  mutating func family(_ name: String, _ kind: Kind, _ help: String, _ samples: [(Labels, String)]) {
    if samples.isEmpty { return }
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    for (labels, value) in samples { text += "\(name)\(Self.written(labels)) \(value)\n" }
  }

  /// A family of one without labels.
  mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: String) {
    family(name, kind, help, [([:], value)])
  }

  private static func written(_ labels: Labels) -> String {
    if labels.isEmpty { return "" }
    return "{" + labels.map { "\($0.key)=\"\(escaped($0.value))\"" }.joined(separator: ",") + "}"
  }

  /// A label's value: backslash, quote and line feed are escaped.
  static func escaped(_ value: String) -> String {
    var out = ""
    for character in value.unicodeScalars {
      switch character {
      case "\\": out += "\\\\"
      case "\"": out += "\\\""
      case "\n": out += "\\n"
      default: out.unicodeScalars.append(character)
      }
    }
    return out
  }
}

enum MetricsReport {
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// The whole page. `live` and `attempts` come from the engine and are empty while no router runs.
  static func make(
    _ context: OperatorContext, live: [String: LiveStanding], attempts: [String: [AttemptOutcome: Int]],
    tokens: [String: TokenStanding] = [:]
  ) throws -> String {
    let totals = try context.store.totals()
    let standing = try context.store.standing()
    let held = try heldTargets(context, live: live)
    var page = MetricsText()
    counts(totals, to: &page)
    waiting(standing, live: live, now: context.now(), to: &page)
    page.family(
      "divert_target_held", .gauge, "1 while a target stands still, by what holds it.",
      held.sorted { $0.key < $1.key }.map { (["target": $0.key, "kind": $0.value], "1") })
    page.family(
      "divert_attempts_total", .counter, "HTTP exchanges that ended since the start, by outcome.",
      attempts.sorted { $0.key < $1.key }.flatMap { target, outcomes in
        outcomes.sorted { $0.key.rawValue < $1.key.rawValue }.map {
          (["target": target, "outcome": $0.key.rawValue], String($0.value))
        }
      })
    try MemoryFigures(context).write(to: &page)
    limits(live, to: &page)
    self.tokens(tokens, to: &page)
    matches(context, to: &page)
    process(context, to: &page)
    return page.text
  }

  private static func counts(_ totals: Totals, to page: inout MetricsText) {
    page.family(
      "divert_events_total", .counter, "Events received, by what became of them.",
      totals.sources.sorted { $0.key < $1.key }.flatMap { name, s in
        [
          ("accepted", s.accepted), ("duplicate", s.duplicate), ("quarantined", s.quarantined), ("refused", s.refused),
        ].map { (["source": name, "status": $0.0], String($0.1)) }
      })
    page.family(
      "divert_events_unmatched_total", .counter, "Accepted events for which no route planned anything.",
      totals.sources.sorted { $0.key < $1.key }.map { (["source": $0.key], String($0.value.unmatched)) })
    page.family(
      "divert_deliveries_total", .counter, "Deliveries planned, and how they ended.",
      totals.targets.sorted { $0.key < $1.key }.flatMap { name, t in
        [("planned", t.planned), ("delivered", t.delivered), ("dead", t.dead), ("skipped", t.skipped)]
          .map { (["target": name, "state": $0.0], String($0.1)) }
      })
    page.single(
      "divert_store_commits_total", .counter, "Transactions committed, each with one fsync.", String(totals.commits))
  }

  /// How much targets and credentials are given, and what waits for credentials.
  private static func limits(_ live: [String: LiveStanding], to page: inout MetricsText) {
    let targets = live.sorted { $0.key < $1.key }
    page.family(
      "divert_target_share_percent", .gauge,
      "How much of its limits a target is given: 100, or less after it asked for less.",
      targets.map { (["target": $0.key], String($0.value.share)) })
    page.family(
      "divert_batches_total", .counter, "Requests with several deliveries in them that ended since the start.",
      targets.filter { $0.value.batches > 0 }.map { (["target": $0.key], String($0.value.batches)) })
    let credentials = Dictionary(live.values.compactMap(\.credential).map { ($0.name, $0) }) { $1 }
      .values.sorted { $0.name < $1.name }
    page.family(
      "divert_credential_ready", .gauge,
      "1 while a credential can be used, 0 while its token is fetched or it is parked.",
      credentials.map { (["credential": $0.name, "standing": $0.standing.name], $0.standing == .ready ? "1" : "0") })
    page.family(
      "divert_credential_share_percent", .gauge, "How much of its limits a credential is given.",
      credentials.map { (["credential": $0.name], String($0.share)) })
    page.family(
      "divert_credential_in_flight", .gauge, "Requests on the wire over all targets of a credential.",
      credentials.map { (["credential": $0.name], String($0.inFlight)) })
    page.family(
      "divert_credential_waiting_targets", .gauge, "Targets that wait for their turn at a credential.",
      credentials.map { (["credential": $0.name], String($0.inLine)) })
    page.family(
      "divert_credential_budget_spent", .gauge, "Requests of the day or hour that runs, of a credential with a budget.",
      credentials.compactMap { one in one.spent.map { (["credential": one.name], String($0)) } })
  }

  /// Tokens that are fetched: until when they hold, and how many were asked for lately.
  private static func tokens(_ tokens: [String: TokenStanding], to page: inout MetricsText) {
    let sorted = tokens.sorted { $0.key < $1.key }
    page.family(
      "divert_credential_parked", .gauge, "1 while a credential waits for somebody to mend it.",
      sorted.map { (["credential": $0.key], $0.value.state == .parked ? "1" : "0") })
    page.family(
      "divert_credential_token_end_timestamp_seconds", .gauge,
      "Until when a credential's token holds, in seconds since 1970; 0 while it has none.",
      sorted.map { (["credential": $0.key], $0.value.until.map { decimal($0.milliseconds) } ?? "0") })
    page.family(
      "divert_credential_token_requests", .gauge, "Token requests within the time of the credential's cap (`mints`).",
      sorted.map { (["credential": $0.key], String($0.value.mints)) })
  }

  private static func matches(_ context: OperatorContext, to page: inout MetricsText) {
    guard context.live != nil, let table = context.table() else { return }
    let counts = table.matches.current.routes
    page.family(
      "divert_route_matches_total", .counter, "Accepted events that matched, since the configuration came into force.",
      table.routePaths.map { (["route": $0.path], String(counts[$0.place])) })
  }

  private static func waiting(
    _ standing: [String: TargetStanding], live: [String: LiveStanding], now: Timestamp, to page: inout MetricsText
  ) {
    let stands = standing.sorted { $0.key < $1.key }
    page.family(
      "divert_deliveries_waiting", .gauge, "Deliveries that have not ended.",
      stands.map { (["target": $0.key], String($0.value.waiting + $0.value.sending)) })
    page.family(
      "divert_dead_letters", .gauge, "Dead deliveries neither replayed nor dropped.",
      stands.map { (["target": $0.key], String($0.value.dead)) })
    page.family(
      "divert_oldest_waiting_seconds", .gauge, "How long the oldest waiting delivery has been waiting.",
      stands.map { name, s in
        (["target": name], String(s.oldestWaiting.map { max(0, (now - $0).milliseconds / 1000) } ?? 0))
      })
    page.family(
      "divert_in_flight", .gauge, "Requests on the wire.",
      live.sorted { $0.key < $1.key }.map { (["target": $0.key], String($0.value.inFlight)) })
  }

  /// What stands still, by its kind: the engine's word, else the store's.
  private static func heldTargets(
    _ context: OperatorContext, live: [String: LiveStanding]
  ) throws -> [String: String] {
    var held = try context.store.targetStates().mapValues(\.kind.rawValue)
    for (name, target) in live { held[name] = target.state == .open ? nil : target.state.rawValue }
    return held
  }

  private static func process(_ context: OperatorContext, to page: inout MetricsText) {
    page.family(
      "divert_build_info", .gauge, "1, with the version of the program.", [(["version": Version.number], "1")])
    if let process = context.live?.process() {
      let number = context.keeper?.standing.version.map { String($0.number) } ?? ""
      page.family(
        "divert_config_info", .gauge, "1, with the version of the configuration in force.",
        [(["version": process.configVersion, "number": number], "1")])
      if let standing = context.keeper?.standing { configuration(standing, to: &page) }
    }
    let figures = ProcessFigures.read()
    page.single(
      "process_cpu_seconds_total", .counter, "User and system CPU time spent.", decimal(figures.cpuMilliseconds))
    page.single("process_resident_memory_bytes", .gauge, "Resident memory.", String(figures.residentBytes))
    page.single("process_open_fds", .gauge, "Open file descriptors.", String(figures.openFiles))
    if let started = context.live?.process().startedAt {
      page.single(
        "process_start_time_seconds", .gauge, "When the process started, in seconds since 1970.",
        decimal(started.milliseconds))
    }
  }

  private static func configuration(_ standing: ConfigStanding, to page: inout MetricsText) {
    page.single(
      "divert_config_reloads_total", .counter, "Configurations that went into force since the start.",
      String(standing.reloads))
    page.single(
      "divert_config_reload_failures_total", .counter, "Configurations that were refused since the start.",
      String(standing.failures))
    page.single(
      "divert_config_last_reload_successful", .gauge, "0 while what lies in the file is refused.",
      standing.refused == nil ? "1" : "0")
    page.single(
      "divert_config_last_reload_success_timestamp_seconds", .gauge,
      "Since when the configuration is in force, in seconds since 1970.", decimal(standing.since.milliseconds))
    page.single(
      "divert_config_restart_needed", .gauge, "Settings that differ from those at the start and need a restart.",
      String(standing.restart.count))
  }

  /// Milliseconds as seconds with three decimals.
  static func decimal(_ milliseconds: Int64) -> String {
    let fraction = String(abs(milliseconds % 1000))
    return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
  }
}
