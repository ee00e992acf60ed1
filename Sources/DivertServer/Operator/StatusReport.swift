// `divert status`: what came in, and for each target what waits, went out, died, and why it stands.

import DivertCore

enum StatusReport {
  /// The whole report; `live` is the engine's view, absent while no router runs.
  static func make(
    _ context: OperatorContext, live: [String: LiveStanding]?, credentials: JSONValue
  ) throws -> JSONValue {
    let totals = try context.store.totals()
    let targets = try TargetsReport.make(context, live: live, totals: totals)
    let memory = try MemoryFigures(context)
    return RecordJSON.object([
      "running": .bool(context.live != nil),
      "process": context.live.map { process($0.process()) },
      "config": context.live == nil ? nil : context.keeper?.standing.json,
      "sources": .array(totals.sources.sorted { $0.key < $1.key }.map { source($0.key, $0.value) }),
      "targets": targets,
      "credentials": credentials,
      "memory": memory.json,
      "alarms": .array(
        try context.store.alarms().sorted { $0.key < $1.key }.map {
          ["cause": .string($0.key), "sentence": .string($0.value)]
        }),
      "commits": .number(totals.commits),
    ])
  }

  private static func process(_ p: LiveRouter.Process) -> JSONValue {
    [
      "started_at": RecordJSON.moment(p.startedAt), "config_version": .string(p.configVersion),
      "sandbox": .bool(p.sandbox), "listen": .string(p.listen), "version": .string(Version.number),
    ]
  }

  private static func source(_ name: String, _ s: Totals.Source) -> JSONValue {
    [
      "source": .string(name), "received": .number(s.received), "accepted": .number(s.accepted),
      "duplicate": .number(s.duplicate), "quarantined": .number(s.quarantined), "refused": .number(s.refused),
      "unmatched": .number(s.unmatched),
    ]
  }
}

/// `divert targets list`, and the part of `divert status` about targets.
enum TargetsReport {
  static func make(
    _ context: OperatorContext, live: [String: LiveStanding]?, totals: Totals? = nil
  ) throws -> JSONValue {
    let totals = try totals ?? context.store.totals()
    let standing = try context.store.standing()
    let rulings = try context.store.targetStates()
    let configured = context.table()?.parts.targets
    var names = Set(totals.targets.keys).union(standing.keys).union(rulings.keys)
    names.formUnion(configured?.keys.map { $0 } ?? [])
    return .array(
      names.sorted().map { name in
        let now = live?[name] ?? stopped(rulings[name], enabled: configured?[name]?.enabled ?? true)
        return one(
          name, totals.targets[name] ?? .init(), standing[name] ?? .init(), now,
          retired: configured.map { $0[name] == nil } ?? false, at: context.now())
      })
  }

  /// A target of a router that does not run, by what the store remembers of it.
  private static func stopped(_ ruling: TargetRuling?, enabled: Bool) -> LiveStanding {
    guard let ruling else {
      let off = Reason("not_enabled", "it is switched off in routes.yaml (enabled: false)")
      return LiveStanding(state: enabled ? .open : .off, inFlight: 0, queued: 0, reason: enabled ? nil : off)
    }
    let state: LiveStanding.State =
      switch ruling.kind {
      case .paused: .paused
      case .held: .held
      case .disabled: .disabled
      }
    return LiveStanding(state: state, inFlight: 0, queued: 0, reason: ruling.reason, since: ruling.since)
  }

  private static func credential(_ live: LiveCredential) -> JSONValue {
    RecordJSON.object([
      "name": .string(live.name), "standing": .string(live.standing.name), "in_flight": .number(live.inFlight),
      "in_line": .number(live.inLine), "share_percent": .number(live.share),
      "budget_spent": live.spent.map { .number($0) }, "pause": live.pause.map { .string($0.rawValue) },
      "until": live.until.map(RecordJSON.moment),
    ])
  }

  private static func one(
    _ name: String, _ total: Totals.Target, _ stands: TargetStanding, _ live: LiveStanding, retired: Bool, at: Timestamp
  ) -> JSONValue {
    let waiting = max(0, stands.waiting - live.inFlight)
    return RecordJSON.object([
      "target": .string(name), "state": .string(retired && live.state == .open ? "retired" : live.state.rawValue),
      "retired": .bool(retired),
      "reason": live.reason.map(RecordJSON.reason), "since": live.since.map(RecordJSON.moment),
      "probe_at": live.probeAt.map(RecordJSON.moment), "share_percent": .number(live.share),
      "credential": live.credential.map(credential),
      "waiting": .number(waiting), "in_flight": .number(max(live.inFlight, stands.sending)),
      "planned": .number(total.planned), "delivered": .number(total.delivered), "skipped": .number(total.skipped),
      "dead": .number(stands.dead), "dead_total": .number(total.dead),
      "oldest_waiting": stands.oldestWaiting.map(RecordJSON.moment),
      "oldest_waiting_seconds": stands.oldestWaiting.map { .number(max(0, (at - $0).milliseconds / 1000)) },
    ])
  }
}
