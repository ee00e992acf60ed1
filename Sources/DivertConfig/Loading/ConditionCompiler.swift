// `when:` → Condition.
import DivertCore

extension LoadContext {
  /// A mapping of fields (AND) with `any`, `not`; a list of values is an OR.
  func condition(_ node: YAMLNode) -> Condition {
    guard let entries = node.entries else {
      error("not_a_mapping", node.place, "'when' must be a mapping, not \(node.kindName)", "{ event: CALL_REJECTED }")
      return .all([])
    }
    let terms = entries.flatMap(term)
    return terms.count == 1 ? terms[0] : .all(terms)
  }

  /// The conditions of one entry of `when`; all of them must hold.
  func term(_ entry: YAMLNode.Entry) -> [Condition] {
    guard !entry.value.isEmpty else {
      error("no_value", entry.keyPlace, "nothing stands after '\(entry.key):'", "give it a value or remove it")
      return []
    }
    switch entry.key {
    case "any":
      let alternatives = list(entry.value, "'any'")
      if alternatives.isEmpty, entry.value.items != nil {
        error("no_value", entry.value.place, "'any' of nothing never holds", "give at least one condition")
      }
      return [.any(alternatives.map(condition))]
    case "not":
      if entry.value.entries?.isEmpty == true {
        error("no_value", entry.value.place, "'not' of nothing never holds", "{ event: CALL_REJECTED }")
      }
      return [.not(condition(entry.value))]
    case "count": return count(entry)
    case "suppressed": return suppressed(entry)
    default: return field(entry)
    }
  }

  private func field(_ entry: YAMLNode.Entry) -> [Condition] {
    guard let (path, field) = comparedField(entry) else { return [] }
    return comparisons(entry.value, field).map { alternatives in
      let conditions = alternatives.map { Condition.value(path, $0) }
      return conditions.count == 1 ? conditions[0] : .any(conditions)
    }
  }

  private func comparedField(_ entry: YAMLNode.Entry) -> (ValuePath, ComparedField)? {
    let name = entry.key
    if let field = EventField(rawValue: name) {
      return (.field(field), ComparedField(name: name, kind: .of(field), known: KnownValues.values(of: field)))
    }
    switch name {
    case "local.time": return (.local(.time), ComparedField(name: name, kind: .clock))
    case "local.weekday": return (.local(.weekday), ComparedField(name: name, kind: .weekday))
    default: break
    }
    if name.hasPrefix("raw."), let steps = JSONPath.steps(String(name.dropFirst(4))) {
      return (.raw(steps), ComparedField(name: name, kind: .json))
    }
    return preparedField(entry)
  }

  /// A lookup's field; in a step's condition also an earlier step's, or an argument.
  private func preparedField(_ entry: YAMLNode.Entry) -> (ValuePath, ComparedField)? {
    let root = String(entry.key.prefix { $0 != "." })
    let isKnown =
      conditionScope.lookups[root] != nil || (root == "steps" && !conditionScope.steps.isEmpty)
      || (root == "arguments" && conditionScope.arguments != .none)
    guard isKnown else {
      reportUnknownField(entry)
      return nil
    }
    switch ValuePath.parse(entry.key, in: conditionScope) {
    case .success(.lookup) where isMisplacedLookup(entry): return nil
    case .success(let path): return (path, ComparedField(name: entry.key, kind: .json))
    case .failure(let fault):
      error("unknown_lookup_field", entry.keyPlace, fault.reason, fault.suggestion.map { "did you mean '\($0)'?" })
      return nil
    }
  }

  /// Reports a lookup's field in a condition on events alone; whether it is one.
  private func isMisplacedLookup(_ entry: YAMLNode.Entry) -> Bool {
    guard case .events = conditionOwner else { return false }
    return isMisplaced(entry.key, entry.keyPlace)
  }

  private func reportUnknownField(_ entry: YAMLNode.Entry) {
    let name = entry.key
    let operators = Language.comparison.fields.map(\.name)
    if operators.contains(name) {
      error(
        "misplaced_operator", entry.keyPlace, "'\(name)' is an operator and stands below a field",
        "field: { \(name): … }")
      return
    }
    if name == "raw" {
      let message = "'raw' alone is the whole body as it came, and no value"
      error("unknown_event_field", entry.keyPlace, message, "name a value of it: raw.callDirection")
      return
    }
    let names = Self.conditionNames + ValuePath.names(in: conditionScope).filter { !Self.conditionNames.contains($0) }
    let group = name.split(separator: ".").first.map(String.init) ?? name
    let groups = Set(names.compactMap { $0.split(separator: ".").first.map(String.init) })
    let near = NearestName.to(name, among: names)
    if near == nil, name.contains("."), !groups.contains(group) {
      let message = "there is no field '\(name)' in an event, and no lookup '\(group)'"
      error("unknown_lookup", entry.keyPlace, message, NearestName.hint(group, in: groups) ?? "add it under 'lookups:'")
      return
    }
    let members = names.filter { $0.hasPrefix(group + ".") }
    let list = members.isEmpty ? nil : "there are: \(members.joined(separator: ", "))"
    error(
      "unknown_event_field", entry.keyPlace, "unknown field '\(name)' in \(conditionOwner.name)",
      near.map { "did you mean '\($0)'?" } ?? list)
  }

  private static let conditionNames =
    EventField.allCases.map(\.rawValue) + ["local.time", "local.weekday", "raw", "any", "not"]
    + Language.memoryConditions
}
