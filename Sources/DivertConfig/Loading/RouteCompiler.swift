// `routes:` and `alarms:` → Routes with their Sends, every inherited setting resolved.
import DivertCore

/// What a route has from those above it.
struct RouteAbove {
  /// Nil above the top routes.
  var path: String?
  /// Their conditions on lookups.
  var guards: [Send.Guard] = []
  /// What an event's own fields decide of their conditions.
  var events: [Condition] = []
  /// Their `once` that are claimed when due.
  var claims: [OnceDefinition] = []
}

extension LoadContext {
  func routes(_ node: YAMLNode) -> [Route] {
    named(node, "'routes'").compactMap { route($0, RouteAbove()) }
  }

  private func route(_ entry: YAMLNode.Entry, _ above: RouteAbove) -> Route? {
    guard let fields = fields(entry.value, .route, name: entry.keyPlace) else { return nil }
    let path = above.path.map { "\($0)/\(entry.key)" } ?? entry.key
    var route = Route(name: entry.key, path: path, when: routeCondition(fields, above))
    route.enabled = fields["enabled"].flatMap { boolean($0, "'enabled'") } ?? true
    route.description = fields["description"].flatMap { text($0, "'description'") }
    route.once = once(fields, of: route)
    let below = below(route, above)
    sendLabels = [:]
    let place = SendPlace(route: path, scope: sendScope, guards: below.guards, claims: below.claims)
    route.sends = fields["send"].map { sends(list($0, "'send'"), place) } ?? []
    if let expect = fields.entry("expect") { self.expect(expect, &route, above) }
    let children = fields["also"].map { named($0, "'also'") } ?? []
    route.children = children.compactMap { self.route($0, below) }
    if !["send", "also", "expect"].contains(where: fields.node.entriesContain), fields.isWhole {
      warn("idle_route", entry.keyPlace, "route '\(entry.key)' sends nothing", "add 'send:'")
    }
    return route
  }

  private func routeCondition(_ fields: Fields, _ above: RouteAbove) -> Condition {
    guard let node = fields["when"], let entry = fields.entry("when") else { return .all([]) }
    let condition = counting(condition(node), above: above.events)
    checkMixed(condition, entry)
    return condition
  }

  /// What the routes under a route have from it and from those above it.
  private func below(_ route: Route, _ above: RouteAbove) -> RouteAbove {
    var below = above
    below.path = route.path
    below.events += route.when.eventParts
    if let guarded = route.when.guardPart { below.guards.append(Send.Guard(route: route.path, condition: guarded)) }
    if let once = route.once, !below.guards.isEmpty { below.claims.append(once) }
    return below
  }

  func alarms(_ node: YAMLNode) -> [Send] {
    guard let fields = fields(node, .alarms), let list = fields["send"] else { return [] }
    return sends(self.list(list, "'send'"), SendPlace(route: "alarms", scope: alarmScope, isRoute: false))
  }

  /// The sends of a list. Labels are told apart within a route: those of `send`, `else` and `otherwise` together.
  func sends(_ items: [YAMLNode], _ place: SendPlace) -> [Send] {
    if !place.isRoute { sendLabels = [:] }
    return items.enumerated().compactMap { index, item in
      guard let entry = SendEntry(item, index, self, prefix: place.prefix) else { return nil }
      if let line = sendLabels[entry.label] {
        let message = "two sends of this route are labelled '\(entry.label)'; the first is on line \(line)"
        error("duplicate_label", entry.labelPlace, message, "give one of them another 'as:'")
      }
      sendLabels[entry.label] = sendLabels[entry.label] ?? entry.labelPlace.line
      guard var send = send(entry, place) else { return nil }
      send.prepare(lookups: lookups(of: send, place.guards), guards: place.guards)
      return send
    }
  }

  private func send(_ entry: SendEntry, _ place: SendPlace) -> Send? {
    let scope = place.scope
    let given = arguments(entry, scope)
    let ownRetry = entry.options?["retry"].map(retry) ?? PartialRetry()
    let ownOrder = entry.options?["order_by"].flatMap { orderBy($0, scope) }
    let timing = timing(entry.options, label: entry.label, place)
    guard let (target, action) = resolve(entry) else { return nil }
    var send = Send(route: place.route, label: entry.label, target: target, action: action.definition.name)
    send.arguments = hold(given, against: action, entry, alarm: scope.alarm)
    send.retry = ownRetry.over(action.retry).settings
    send.orderBy = (ownOrder ?? action.orderBy)?.template
    send.toPerson = action.definition.recordsBeforeSending
    send.messageClass = action.definition.messageClass
    send.hasSteps = !action.definition.steps.isEmpty
    send.timing = timing
    return send
  }

  /// Every lookup that a send needs, those of its guards first.
  private func lookups(of send: Send, _ guards: [Send.Guard]) -> [String] {
    guard let action = targets[send.target]?.actions[send.action]?.definition else { return [] }
    let names = guards.flatMap(\.condition.lookupNames) + RequestRecipe.needs(send, action)
    return RouteTable.order(of: names, in: lookupDefinitions, arguments: send.arguments)
  }

  /// The target's name and the action that an entry names; nil where there is none, which is reported.
  func resolve(_ entry: SendEntry) -> (String, CompiledAction)? {
    let parts = entry.name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      let actions = targets[entry.name]?.actions.keys.sorted().first
      error(
        "bad_send", entry.place, "a send is 'target.action', not '\(entry.name)'",
        actions.map { "such as \(entry.name).\($0)" } ?? hintForAction(entry.name))
      return nil
    }
    let (name, action) = (parts[0], parts[1])
    guard let target = targets[name] else {
      if !brokenTargets.contains(name) {
        let place = entry.place.part(entry.quoteWidth, name.unicodeScalars.count)
        let hint = NearestName.hintOrList(name, in: Set(targets.keys).union(brokenTargets))
        error("unknown_target", place, "there is no target '\(name)'", hint ?? "add it under 'targets:'")
      }
      return nil
    }
    if let action = target.actions[action] { return (name, action) }
    guard target.actionsKnown, !target.actionNames.contains(action) else { return nil }
    let offset = entry.quoteWidth + name.unicodeScalars.count + 1
    let place = entry.place.part(offset, action.unicodeScalars.count)
    let hint = NearestName.hintOrList(action, in: target.actionNames)
    error("unknown_action", place, "target '\(name)' has no action '\(action)'", hint)
    return nil
  }

  private func hintForAction(_ name: String) -> String? {
    let all = targets.flatMap { target in target.value.actions.keys.map { "\(target.key).\($0)" } }
    return all.sorted().first { $0.hasSuffix("." + name) }.map { "did you mean '\($0)'?" }
  }
}

// Arguments of sends.
extension LoadContext {
  private enum Given {
    case none
    /// A lone value: the main argument.
    case main(BodyTemplate)
    case named([(entry: YAMLNode.Entry, value: BodyTemplate)])
  }

  private func arguments(_ entry: SendEntry, _ scope: TemplateScope) -> Given {
    guard let node = entry.argument else { return .none }
    guard let entries = node.entries else { return .main(tree(node, scope) ?? .template(.placeholder)) }
    return .named(entries.map { ($0, branch($0, scope) ?? .template(.placeholder)) })
  }

  private func hold(_ given: Given, against action: CompiledAction, _ entry: SendEntry, alarm: Bool)
    -> [BodyTemplate.Entry]
  {
    let main = action.definition.arguments.first(where: \.main)
    switch given {
    case .main(let value):
      if let main {
        if let node = entry.argument { check(node, of: main, "'\(main.name)'") }
        return complete([.init(main.name, value)], action, entry)
      }
      guard action.argumentsKnown else { return [] }
      let names = action.definition.arguments.map(\.name).joined(separator: ", ")
      let hint = names.isEmpty ? "'\(entry.name)' takes none" : "name the arguments: { \(names): … }"
      error("no_main_argument", entry.argument?.place ?? entry.place, "'\(entry.name)' has no main argument", hint)
      return []
    case .none:
      guard alarm, let main else { return complete([], action, entry) }
      let text = Expression(path: .argument("alarm", ["text"]))
      return complete([.init(main.name, .template(Template(parts: [.expression(text)])))], action, entry)
    case .named(let arguments):
      for argument in arguments { checkKnown(argument.entry, action, entry) }
      return complete(arguments.map { .init($0.entry.key, $0.value) }, action, entry)
    }
  }

  private func checkKnown(_ argument: YAMLNode.Entry, _ action: CompiledAction, _ entry: SendEntry) {
    let names = action.definition.arguments.map(\.name)
    if let known = action.definition.arguments.first(where: { $0.name == argument.key }) {
      return check(argument.value, of: known, "'\(argument.key)'")
    }
    guard action.argumentsKnown else { return }
    let hint = NearestName.hintOrList(argument.key, in: names) ?? "it takes none"
    error("unknown_argument", argument.keyPlace, "'\(entry.name)' has no argument '\(argument.key)'", hint)
  }

  private func complete(_ given: [BodyTemplate.Entry], _ action: CompiledAction, _ entry: SendEntry)
    -> [BodyTemplate.Entry]
  {
    let missing = action.definition.arguments.filter { wanted in
      wanted.required && !given.contains { $0.key == wanted.name }
    }
    guard !missing.isEmpty, action.argumentsKnown else { return given }
    let names = missing.map { "'\($0.name)'" }.joined(separator: " and ")
    let example = missing.map { "\($0.name): …" }.joined(separator: ", ")
    let hint = "\(entry.name): { \(example) }"
    error("missing_argument", entry.place, "'\(entry.name)' needs \(names)", hint)
    return given
  }
}

/// One item of `send:`, taken apart: `target.action`, its argument, the options beside it.
struct SendEntry {
  var name: String
  var place: Place
  /// 1 where the name stands in quotes.
  var quoteWidth: Int
  var argument: YAMLNode?
  var options: Fields?
  var label: String
  var labelPlace: Place

  /// Nil for what is no send, which is reported to `context`.
  init?(_ node: YAMLNode, _ index: Int, _ context: LoadContext, prefix: String = "") {
    label = prefix + String(index)
    guard let entries = node.entries else {
      guard let text = context.text(node, "a send") else { return nil }
      (name, place, labelPlace) = (text, node.place, node.place)
      quoteWidth = node.plainText == nil ? 1 : 0
      return
    }
    let actions = entries.filter { $0.key.contains(".") }
    guard let action = actions.first, actions.count == 1 else {
      Self.report(node, actions, context)
      return nil
    }
    (name, place, labelPlace) = (action.key, action.keyPlace, action.keyPlace)
    quoteWidth = action.keyPlace.length > action.key.unicodeScalars.count ? 1 : 0
    argument = action.value.isEmpty ? nil : action.value
    let rest = YAMLNode(content: .mapping(entries.filter { !$0.key.contains(".") }), place: node.place)
    options = context.fields(rest, .sendOptions)
    if let node = options?["as"], let text = context.text(node, "'as'") { (label, labelPlace) = (text, node.place) }
  }

  private static func report(_ node: YAMLNode, _ actions: [YAMLNode.Entry], _ context: LoadContext) {
    if actions.count > 1 {
      context.error("bad_send", actions[1].keyPlace, "two actions in one item of 'send'", "begin a new item with '- '")
    } else {
      context.error("bad_send", node.place, "a send names 'target.action'", "- target.action: \"…\"")
    }
  }
}
