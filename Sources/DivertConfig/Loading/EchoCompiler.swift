// `echo:` of an action, and which sends are left out for events that report Divert's own writes.
import DivertCore

extension LoadContext {
  func echo(_ node: YAMLNode, _ scope: TemplateScope) -> EchoDefinition? {
    guard let fields = fields(node, .echo) else { return nil }
    let values = fields["fields"].map { named($0, "'fields'", strict: false).compactMap { echoField($0, scope) } } ?? []
    let holds = fields["for"].flatMap { duration($0, "'for'", Language.echoTimes) } ?? .minutes(10)
    guard let event = fields["event"].flatMap({ text($0, "'event'") }),
      let customer = fields["customer"].flatMap({ template($0, "'customer'", scope) })
    else { return nil }
    return EchoDefinition(event: event, customer: customer, fields: values, holds: holds)
  }

  private func echoField(_ entry: YAMLNode.Entry, _ scope: TemplateScope) -> EchoDefinition.Field? {
    let value = template(entry.value, "'\(entry.key)'", scope)
    switch ValuePath.parse(entry.key, in: sendScope) {
    case .success(let path):
      if case .now = path { break }
      return value.map { EchoDefinition.Field(path, $0) }
    case .failure(let fault):
      error("bad_path", entry.keyPlace, fault.reason, fault.suggestion.map { "did you mean '\($0)'?" })
      return nil
    }
    error("bad_path", entry.keyPlace, "'\(entry.key)' is no field of an event", "such as raw.tagName")
    return nil
  }

  /// The routes, with those sends marked whose writes come back as events while neither their route nor one above it
  /// names `own`.
  func leavingOutOwn(_ routes: [Route], named above: Bool = false) -> [Route] {
    routes.map { route in
      var route = route
      let named = above || route.when.names(.field(.own))
      if !named {
        route.sends = route.sends.map(leavingOutOwn)
        route.otherwise = route.otherwise.map(leavingOutOwn)
      }
      route.children = leavingOutOwn(route.children, named: named)
      return route
    }
  }

  private func leavingOutOwn(_ send: Send) -> Send {
    var send = send
    send.leavesOutOwn = targets[send.target]?.actions[send.action]?.definition.echoes.isEmpty == false
    send.timing.otherwise = send.timing.otherwise.map(leavingOutOwn)
    return send
  }
}

extension Condition {
  /// Whether a value at the path is asked for anywhere in it.
  fileprivate func names(_ path: ValuePath) -> Bool {
    switch self {
    case .value(let own, _): own == path
    case .count, .suppressed: false
    case .not(let inner): inner.names(path)
    case .all(let parts), .any(let parts): parts.contains { $0.names(path) }
    }
  }
}
