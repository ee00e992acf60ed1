// Which values a template may name, by where it stands in the file; and a path's text → ValuePath.

/// What a template, or a condition's path, may name at its place.
package struct TemplateScope: Sendable {
  package enum Arguments: Sendable, Hashable {
    case none
    /// A plain target's actions take any argument that their templates name.
    case any
    /// What a preset's action declares.
    case named(Set<String>)
  }

  /// Event fields, `raw.…` and `local.…`.
  package var event: Bool
  package var now: Bool
  package var secrets: Bool
  package var arguments: Arguments
  package var idempotencyKey: Bool
  /// `alarm.…`, in what alarms send; compiled to an argument of the name `alarm`.
  package var alarm: Bool
  /// `record.…`, in what publishes the record's head; compiled to an argument of the name `alarm`, as an alarm's is.
  package var record = false
  /// `token`: the credential has `oauth2`.
  package var token = false
  /// `items`: what a batch is made of.
  package var items = false
  /// The tables that `map` may name.
  package var tables: Set<String>
  /// Lookups by the names that they have here.
  package var lookups: [String: LookupName] = [:]
  /// The fields of the steps that come before.
  package var steps: [String: Set<String>] = [:]
  /// The names of the step at hand and of those after it: nothing of them is known yet.
  package var laterSteps: Set<String> = []
  /// `variant`, in the question of a lookup that has several.
  package var variant = false

  package init(
    event: Bool = true, now: Bool = true, secrets: Bool = false, arguments: Arguments = .none,
    idempotencyKey: Bool = false, alarm: Bool = false, tables: Set<String> = []
  ) {
    self.event = event
    self.now = now
    self.secrets = secrets
    self.arguments = arguments
    self.idempotencyKey = idempotencyKey
    self.alarm = alarm
    self.tables = tables
  }

  /// The paths of `when:`: what an event alone answers.
  package static let condition = TemplateScope(now: false)
  /// `server`, `sources`, `credentials`: secrets and nothing else.
  package static let secretsOnly = TemplateScope(event: false, now: false, secrets: true)
  /// What a route's `send` gives to an action.
  package static func send(tables: Set<String>) -> TemplateScope { TemplateScope(tables: tables) }
  /// A target's address, headers and actions.
  package static func target(arguments: Arguments, tables: Set<String>) -> TemplateScope {
    TemplateScope(secrets: true, arguments: arguments, idempotencyKey: true, tables: tables)
  }
  /// What `alarms:` sends.
  package static let alarm = TemplateScope(event: false, alarm: true)
}

/// A lookup as a place in the file knows it.
package struct LookupName: Sendable, Hashable {
  /// `account`, or `crm.contact` of a target's own.
  package var fullName: String
  /// Nil: they are at fault themselves, and any will do.
  package var fields: Set<String>?
  package init(_ fullName: String, fields: Set<String>?) {
    self.fullName = fullName
    self.fields = fields
  }
}

/// Why a path names nothing here.
package struct ValuePathFault: Error, Sendable, Hashable {
  package var reason: String
  /// The nearest right name.
  package var suggestion: String?
}

extension ValuePath {
  /// Reads `customer.phone`, `raw.message.text` (or `raw/message/text`), `secrets.name`, `arguments.name` … as far as
  /// the scope allows it.
  package static func parse(_ text: String, in scope: TemplateScope) -> Result<ValuePath, ValuePathFault> {
    if scope.event, let field = EventField(rawValue: text) { return .success(.field(field)) }
    let pointer = text.hasPrefix("raw/")
    guard let steps = pointer ? JSONPath.steps("/" + text) : JSONPath.steps(text), let root = steps.first else {
      return .failure(ValuePathFault(reason: "`\(text)` is no path: its steps are joined by single dots"))
    }
    let rest = Array(steps.dropFirst())
    switch root {
    case "raw" where scope.event: return .success(.raw(rest))
    case "local" where scope.event: return local(text, rest)
    case "now" where scope.now && rest.isEmpty: return .success(.now)
    case "idempotency_key" where scope.idempotencyKey && rest.isEmpty: return .success(.idempotencyKey)
    case "token" where scope.token && rest.isEmpty: return .success(.token)
    case "items" where scope.items && rest.isEmpty: return .success(.items)
    case "alarm" where scope.alarm: return .success(.argument("alarm", rest))
    case "record" where scope.record: return .success(.argument("alarm", rest))
    case "secrets": return secret(text, rest, scope)
    case "arguments" where scope.arguments != .none: return argument(text, rest, scope)
    case "variant" where scope.variant && rest.isEmpty: return .success(.variant)
    case "steps" where !scope.steps.isEmpty || !scope.laterSteps.isEmpty: return step(rest, scope)
    default: return scope.lookups[root].map { lookup(root, $0, rest) } ?? unknown(text, scope)
    }
  }

  private static func lookup(
    _ name: String, _ lookup: LookupName, _ rest: [String]
  ) -> Result<ValuePath, ValuePathFault> {
    guard let field = rest.first else {
      let example = (lookup.fields ?? []).min().map { "\(name).\($0)" }
      return .failure(ValuePathFault(reason: "`\(name)` is a lookup: name one of its fields", suggestion: example))
    }
    if let fields = lookup.fields, !fields.contains(field) {
      let nearest = NearestName.to(field, among: fields.sorted())
      return .failure(
        ValuePathFault(
          reason: "the lookup `\(name)` has no field `\(field)`" + list(fields, unless: nearest),
          suggestion: nearest.map { "\(name).\($0)" }))
    }
    return .success(.lookup(lookup.fullName, rest))
  }

  /// `: there are a, b`, where none of them is near.
  private static func list(_ names: Set<String>, unless nearest: String?) -> String {
    if nearest != nil || names.isEmpty { return "" }
    let shown = names.sorted().prefix(12).map { "`\($0)`" }.joined(separator: ", ")
    return "; it has \(shown)\(names.count > 12 ? " …" : "")"
  }

  private static func step(_ rest: [String], _ scope: TemplateScope) -> Result<ValuePath, ValuePathFault> {
    guard let name = rest.first, rest.count > 1 else {
      return .failure(ValuePathFault(reason: "the value of a step is named `steps.<step>.<field>`"))
    }
    guard let fields = scope.steps[name] else {
      return .failure(noStep(name, rest[1], scope))
    }
    guard fields.contains(rest[1]) else {
      let nearest = NearestName.to(rest[1], among: fields.sorted())
      return .failure(
        ValuePathFault(
          reason: "the step `\(name)` has no field `\(rest[1])`"
            + (fields.isEmpty ? ": it keeps nothing of its answer (`fields`)" : list(fields, unless: nearest)),
          suggestion: nearest.map { "steps.\(name).\($0)" }))
    }
    return .success(.step(name, Array(rest.dropFirst())))
  }

  private static func noStep(_ name: String, _ field: String, _ scope: TemplateScope) -> ValuePathFault {
    let before = scope.steps.keys.sorted()
    if scope.laterSteps.contains(name) {
      let named = before.map { "`\($0)`" }.joined(separator: ", ")
      let those = before.isEmpty ? "before this one there is none" : "before this one: \(named)"
      return ValuePathFault(
        reason: "the step `\(name)` has not been made yet when this is; a step can name those before it (\(those))")
    }
    let nearest = NearestName.to(name, among: before)
    return ValuePathFault(
      reason: "no step `\(name)` comes before", suggestion: nearest.map { "steps.\($0).\(field)" })
  }

  private static func local(_ text: String, _ rest: [String]) -> Result<ValuePath, ValuePathFault> {
    if rest.count == 1, let field = LocalField(rawValue: rest[0]) { return .success(.local(field)) }
    let names = LocalField.allCases.map { "local.\($0.rawValue)" }
    return .failure(
      ValuePathFault(
        reason: "`\(text)` is unknown: there are \(names.joined(separator: " and "))",
        suggestion: NearestName.to(text, among: names)))
  }

  private static func secret(
    _ text: String, _ rest: [String], _ scope: TemplateScope
  ) -> Result<ValuePath, ValuePathFault> {
    guard scope.secrets else {
      return .failure(
        ValuePathFault(
          reason: "secrets may be named under `server`, `sources`, `credentials`, `targets` and `alarms` only"))
    }
    guard rest.count == 1 else {
      return .failure(ValuePathFault(reason: "a secret is named `secrets.<name>`, without another dot"))
    }
    return .success(.secret(rest[0]))
  }

  private static func argument(
    _ text: String, _ rest: [String], _ scope: TemplateScope
  ) -> Result<ValuePath, ValuePathFault> {
    guard let name = rest.first else {
      return .failure(ValuePathFault(reason: "an argument is named `arguments.<name>`"))
    }
    if case .named(let names) = scope.arguments, !names.contains(name) {
      let nearest = NearestName.to(name, among: names.sorted())
      return .failure(
        ValuePathFault(
          reason: "the action has no argument `\(name)`", suggestion: nearest.map { "arguments.\($0)" }))
    }
    return .success(.argument(name, Array(rest.dropFirst())))
  }

  private static func unknown(_ text: String, _ scope: TemplateScope) -> Result<ValuePath, ValuePathFault> {
    let names = names(in: scope)
    let here = scope.event ? "" : " here"
    return .failure(
      ValuePathFault(reason: "`\(text)` is unknown\(here)", suggestion: NearestName.to(text, among: names)))
  }

  /// Every name of the scope that can be listed.
  package static func names(in scope: TemplateScope) -> [String] {
    var names: [String] = []
    if scope.event { names += EventField.allCases.map(\.rawValue) + ["raw", "local.time", "local.weekday"] }
    if scope.now { names.append("now") }
    if scope.idempotencyKey { names.append("idempotency_key") }
    if scope.token { names.append("token") }
    if scope.items { names.append("items") }
    if scope.alarm { names.append(scope.record ? "record.text" : "alarm.text") }
    if case .named(let arguments) = scope.arguments { names += arguments.sorted().map { "arguments.\($0)" } }
    if scope.variant { names.append("variant") }
    for (name, lookup) in scope.lookups.sorted(by: { $0.key < $1.key }) {
      names += (lookup.fields ?? []).sorted().map { "\(name).\($0)" }
    }
    for (name, fields) in scope.steps.sorted(by: { $0.key < $1.key }) {
      names += fields.sorted().map { "steps.\(name).\($0)" }
    }
    return names
  }
}
