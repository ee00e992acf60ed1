// Targets and actions that nothing sends to: left over, or misspelt where they were meant.
import DivertCore

extension LoadContext {
  /// Everything that a configuration without errors is warned of. `fields`: those of the whole file.
  func warn(_ fields: Fields, _ parts: RouteTable.Parts) {
    warnOfSecrets(fields)
    guard !diagnostics.contains(where: { $0.severity == .error }) else { return }
    warnOfNoSource(fields, parts)
    if let routes = fields["routes"] { RouteWarnings(self).check(parts.routes, routes) }
    // A file without routes is not finished, and uses nothing yet.
    if let targets = fields["targets"], !parts.routes.isEmpty { warnOfUnused(targets, parts) }
    if let lookups = fields["lookups"], !parts.routes.isEmpty { warnOfUnusedLookups(lookups, parts) }
    if let calendars = fields["calendars"], !parts.routes.isEmpty { warnOfUnusedCalendars(calendars) }
    if let credentials = fields["credentials"] { warnOfUnusedCredentials(credentials) }
  }

  private func warnOfNoSource(_ fields: Fields, _ parts: RouteTable.Parts) {
    guard parts.sources.isEmpty, !parts.routes.isEmpty,
      let place = fields.entry("sources")?.keyPlace ?? fields.entry("routes")?.keyPlace
    else { return }
    warn("no_source", place, "no source: no event can come in", "add one under 'sources:': { doubletick: { … } }")
  }

  private func warnOfUnused(_ node: YAMLNode, _ parts: RouteTable.Parts) {
    var used: [String: Set<String>] = [:]
    func note(_ route: Route) {
      for send in route.everySend { used[send.target, default: []].insert(send.action) }
      route.children.forEach(note)
    }
    parts.routes.forEach(note)
    for lookup in parts.lookups.values {
      guard case .create(let action) = lookup.none else { continue }
      used[lookup.target, default: []].insert(action.name)
    }
    // A target's own lookups are there for whoever wants them.
    let asked = Set(parts.lookups.values.filter { !$0.name.hasPrefix($0.target + ".") }.map(\.target))
    for send in parts.alarms + parts.recordSends { used[send.target, default: []].insert(send.action) }
    for entry in node.entries ?? [] {
      if let actions = used[entry.key] {
        warnOfUnused(entry, actions)
      } else if !asked.contains(entry.key), let action = targets[entry.key]?.actions.keys.sorted().first {
        warn(
          "unused_target", entry.keyPlace, "nothing is sent to target '\(entry.key)'",
          "send to it ('\(entry.key).\(action)'), or remove it")
      }
    }
  }

  /// The target's own actions; those of its preset are there for whoever wants them.
  private func warnOfUnused(_ target: YAMLNode.Entry, _ used: Set<String>) {
    let preset = target.value["type"]?.text.flatMap { presets[$0] }
    for action in target.value["actions"]?.entries ?? [] where !used.contains(action.key) {
      if preset?.root["actions"]?[action.key] != nil { continue }
      warn(
        "unused_action", action.keyPlace, "no route sends '\(target.key).\(action.key)'",
        "send it from a route, or remove it")
    }
  }

  /// The file's lookups; a target's own are there for its actions, as these are.
  private func warnOfUnusedLookups(_ node: YAMLNode, _ parts: RouteTable.Parts) {
    var used: Set<String> = []
    func note(_ route: Route) {
      for send in route.everySend { used.formUnion(send.lookups) }
      used.formUnion(route.when.lookupNames)
      route.children.forEach(note)
    }
    parts.routes.forEach(note)
    for entry in node.entries ?? [] where !used.contains(entry.key) {
      warn(
        "unused_lookup", entry.keyPlace, "nothing that is sent asks the lookup '\(entry.key)'",
        "name one of its fields, or remove it")
    }
  }

  private func warnOfUnusedCalendars(_ node: YAMLNode) {
    for entry in node.entries ?? [] where !usedCalendars.contains(entry.key) {
      warn(
        "unused_calendar", entry.keyPlace, "no 'hours' name the calendar '\(entry.key)'",
        "hours: { between: \"08:00-19:00\", except: \(entry.key) }, or remove it")
    }
  }
}
