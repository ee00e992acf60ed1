// `targets:` → TargetDefinitions, with what sends inherit from them.
import DivertCore

/// A target with the settings that its sends inherit.
struct CompiledTarget {
  var definition: TargetDefinition
  var actions: [String: CompiledAction]
  /// The names of all its actions, also of those that cannot be read.
  var actionNames: Set<String>
  /// There are no further actions that a fault hides.
  var actionsKnown: Bool
  /// A preset's name, or `http`.
  var type = "http"
  /// How the sandbox can let its requests fail.
  var faults: [String: SandboxFault] = [:]
}

/// An action with the settings that its sends inherit.
struct CompiledAction {
  var definition: ActionDefinition
  /// defaults → target → action.
  var retry: PartialRetry
  var orderBy: OrderBy?
  var sandbox: SandboxAnswer
  /// How long after a customer's last message or call it may be sent; nil: at any time. For warnings only.
  var window: Span?
  /// It declares its arguments, so that others are mistakes.
  var declares: Bool
  /// There are no further arguments that a fault hides.
  var argumentsKnown: Bool
}

extension LoadContext {
  func targets(_ node: YAMLNode) {
    for entry in named(node, "'targets'") { targets[entry.key] = target(entry) }
    for entry in node.entries ?? [] where targets[entry.key] == nil { brokenTargets.insert(entry.key) }
  }

  private func target(_ entry: YAMLNode.Entry) -> CompiledTarget? {
    guard entry.value.entries != nil else {
      _ = fields(entry.value, .target)
      return nil
    }
    guard let preset = preset(entry) else { return nil }
    guard let preset else {
      return fields(entry.value, .target, name: entry.keyPlace).flatMap { target(entry.key, $0, entry.keyPlace) }
    }
    return target(entry, preset)
  }

  /// A target of a preset's type.
  func target(_ entry: YAMLNode.Entry, _ preset: Preset) -> CompiledTarget? {
    let parameters = preset.parameters.map(\.name)
    guard let own = fields(entry.value, .target, extra: parameters) else { return nil }
    check(secrets: preset, entry.value)
    check(choices: preset, entry.value)
    let user = YAMLNode(content: .mapping(own.entries), place: entry.value.place)
    var merge = PresetMerge(preset, over: user)
    let tree = merge.merged(with: user)
    let names = parameters + Language.target.fields.map(\.name)
    for parameter in merge.missing where !own.refused(parameter.name, among: names) {
      let message = "target '\(entry.key)' (\(preset.name)) needs '\(parameter.name)'"
      error("missing_parameter", entry.keyPlace, message, "add '\(parameter.name)': \(parameter.doc)")
    }
    checkEmpty(preset, entry.value)
    givenSecrets = secretPlaces(entry.value)
    defer { givenSecrets = [:] }
    guard let fields = fields(tree, .target, name: entry.keyPlace) else { return nil }
    var target = target(entry.key, fields, entry.keyPlace)
    target.type = preset.name
    if own.refused("actions", among: names) { target.actionsKnown = false }
    return target
  }

  /// What a preset cannot do without is no empty text.
  private func checkEmpty(_ preset: Preset, _ node: YAMLNode) {
    for parameter in preset.parameters where parameter.required {
      guard let value = node[parameter.name], !value.isEmpty, let text = value.text else { continue }
      guard text.allSatisfy(\.isWhitespace) else { continue }
      error("no_value", value.place, "'\(parameter.name)' is empty", "give it a value: \(parameter.doc)")
    }
  }

  /// Where each secret is named first beneath a node.
  private func secretPlaces(_ node: YAMLNode) -> [String: Place] {
    var places: [String: Place] = [:]
    for child in (node.entries ?? []).map(\.value) + (node.items ?? []) {
      places.merge(secretPlaces(child)) { first, _ in first }
    }
    guard let text = node.text, case .success(let template) = Template.parse(text, in: .secretsOnly) else {
      return places
    }
    for name in template.secretNames { places[name] = place(of: "secrets." + name, in: text, node) }
    return places
  }

  /// `.some(nil)`: a plain HTTP target; nil: a type that does not exist, which is reported.
  private func preset(_ entry: YAMLNode.Entry) -> Preset?? {
    guard let node = entry.value["type"], !node.isEmpty else { return .some(nil) }
    guard let type = text(node, "'type'") else { return nil }
    if type == "http" { return .some(nil) }
    usedPresets.insert(type)
    if let preset = presets[type] { return preset }
    if presets.broken.contains(type) { return nil }
    let hint = NearestName.hintOrList(type, in: presets.names + ["http"])
    error("unknown_type", node.place, "there is no target type '\(type)'", hint)
    return nil
  }

  private func check(secrets preset: Preset, _ node: YAMLNode) {
    for parameter in preset.parameters where parameter.secret {
      guard let value = node[parameter.name], let text = value.text, !text.contains("secrets.") else { continue }
      let message = "'\(parameter.name)' is a secret and stands in the file"
      warn("secret_in_file", value.place, message, "keep it out of the file: \"{{ secrets.name }}\"")
    }
  }

  private func check(choices preset: Preset, _ node: YAMLNode) {
    for parameter in preset.parameters where !parameter.choices.isEmpty {
      guard let value = node[parameter.name] else { continue }
      _ = choice(value, "'\(parameter.name)'", parameter.choices)
    }
  }

  private func target(_ name: String, _ fields: Fields, _ place: Place) -> CompiledTarget {
    let names = Language.target.fields.map(\.name)
    if fields["url"] == nil, !fields.refused("url", among: names) {
      error("missing_field", place, "target '\(name)' needs 'url'", "add 'url': the base address, https://…")
    }
    var target = TargetDefinition(name: name, base: fields["url"].flatMap { baseAddress($0) } ?? .placeholder)
    target.headers = fields["headers"].map { headers($0, "'headers'", targetScope(.none)) } ?? []
    if let auth = fields["auth"] { self.auth(auth, &target) }
    target.limits = fields["limit"].map(limits) ?? defaults.limits
    target.concurrency =
      fields["concurrency"].flatMap { whole($0, "'concurrency'", Language.concurrency) } ?? defaults.concurrency
      ?? target.concurrency
    target.budget = fields["budget"].flatMap(budget)
    target.quota = fields["quota"].map(quota) ?? []
    setTimeouts(fields["timeout"], &target)
    target.responses = (fields["responses"].map(responses) ?? []) + defaults.responses
    if let oauth2 = ownCredentials[name] ?? target.credential.flatMap({ credentials[$0] }), oauth2.oauth2 != nil {
      target.responses.append(.refusedToken)
    }
    target.privateNetwork = fields["network"].flatMap { choice($0, "'network'", Language.networks) } == "private"
    target.http2 = fields["http2"].flatMap { boolean($0, "'http2'") } ?? false
    target.enabled = fields["enabled"].flatMap { boolean($0, "'enabled'") } ?? true
    let actions = actions(name, fields)
    let known = !fields.refused("actions", among: names)
    if known, fields["actions"] == nil {
      warn("no_actions", place, "target '\(name)' has no actions, so nothing can be sent to it", "add 'actions:'")
    }
    target.actions = actions.mapValues(\.definition)
    return CompiledTarget(
      definition: target, actions: actions, actionNames: Set((fields["actions"]?.entries ?? []).map(\.key)),
      actionsKnown: known && (fields["actions"].map { $0.entries != nil } ?? true),
      faults: fields["faults"].map(faults) ?? [:])
  }

  private func setTimeouts(_ node: YAMLNode?, _ target: inout TargetDefinition) {
    let own = node.map(timeout) ?? PartialTimeout()
    target.totalTimeout = own.total ?? defaults.timeout.total ?? target.totalTimeout
    let connect = own.connect ?? defaults.timeout.connect ?? target.connectTimeout
    target.connectTimeout = min(connect, target.totalTimeout)
  }

  private func actions(_ target: String, _ fields: Fields) -> [String: CompiledAction] {
    var inherited = ActionInheritance(
      retry: (fields["retry"].map(retry) ?? PartialRetry()).over(defaults.retry),
      orderBy: fields["order_by"].flatMap { orderBy($0, sendScope) } ?? defaults.orderBy,
      ambiguous: fields["ambiguous"].flatMap(ambiguous))
    var actions: [String: CompiledAction] = [:]
    inherited.target = target
    inherited.lookups = ownLookupNames(target, fields)
    if let node = fields["lookups"] { ownLookups(node, target: target, inherited.lookups) }
    var scope = targetScope(.none)
    scope.lookups = inherited.lookups
    inherited.verify = fields["verify"].flatMap { verify($0, scope, name: target + ".verify") }
    for entry in fields["actions"].map({ named($0, "'actions'") }) ?? [] {
      actions[entry.key] = action(entry, inherited)
    }
    if let node = fields["lookups"] { ownCreations(node, target: target, actions) }
    checkVerified(fields, actions)
    return actions
  }
}

extension LoadContext {
  private func checkVerified(_ fields: Fields, _ actions: [String: CompiledAction]) {
    guard let node = fields["ambiguous"], node.text == AmbiguousPolicy.verify.rawValue, !actions.isEmpty,
      actions.values.allSatisfy({ $0.definition.verify == nil }),
      !fields.refused("verify", among: Language.target.fields.map(\.name))
    else { return }
    error(
      "contradictory", node.place, "'ambiguous: verify' needs 'verify': how the target is asked",
      "verify: { get: …, landed: { … } }")
  }

  /// Scheme and host must be literal or from a secret, and the scheme must be http or https.
  func baseAddress(_ node: YAMLNode, _ what: String = "'url'", _ scope: TemplateScope? = nil) -> Template? {
    guard let base = template(node, what, scope ?? targetScope(.none)) else { return nil }
    var literal = ""
    for part in base.parts {
      switch part {
      case .literal(let text): literal += text
      case .expression(let expression):
        if case .secret = expression.path { break }
        guard Self.isPastHost(literal) else {
          let message =
            "'\(expression.path)' cannot stand in the scheme or host of a url: event data never chooses where bytes go"
          error("event_data_in_host", node.place, message, "write the host itself, or take it from a secret")
          return nil
        }
      }
      if case .expression(let expression) = part, case .secret = expression.path { literal += "\u{0}" }
    }
    return checkAddress(literal, what, node) ? base : nil
  }

  // A secret stands as one NUL in `literal`.
  private func checkAddress(_ literal: String, _ what: String, _ node: YAMLNode) -> Bool {
    if literal.hasPrefix("\u{0}") { return true }
    let lower = literal.lowercased()
    guard let scheme = ["https://", "http://"].first(where: lower.hasPrefix) else {
      let hint = literal.contains("://") ? "only http and https are spoken" : "begin it with https://"
      error("bad_url", node.place, "\(what) must be an http or https address", hint)
      return false
    }
    let authority = literal.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
    if authority.isEmpty {
      error("bad_url", node.place, "\(what) has no host", "https://host.example/path")
    } else if authority.contains("@") {
      error("bad_url", node.place, "\(what) holds a user name or password", "use 'auth: { basic: … }'")
    } else if authority.contains(where: { $0 == " " || $0 == "\t" }) || literal.contains("#") {
      error("bad_url", node.place, "\(what) has a blank in its host, or a '#'", "https://host.example/path")
    } else {
      return true
    }
    return false
  }

  private static func isPastHost(_ literal: String) -> Bool {
    if literal.hasPrefix("\u{0}") { return literal.contains { "/?".contains($0) } }
    guard let start = literal.firstRange(of: "://") else { return false }
    return literal[start.upperBound...].contains { "/?".contains($0) }
  }
}

extension YAMLNode {
  func entriesContain(_ key: String) -> Bool { entries?.contains { $0.key == key } ?? false }
}
