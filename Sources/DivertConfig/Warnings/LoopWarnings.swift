// Sends whose write comes back as the very event that their route takes.
import DivertCore

extension RouteWarnings {
  func checkLoop(_ send: Send, _ item: YAMLNode, _ frame: RouteFrame) {
    guard let action = context.targets[send.target]?.actions[send.action]?.definition, !action.echoes.isEmpty else {
      return
    }
    let names = events(frame)
    let own = frame.terms.byPath[.field(.own)] ?? []
    if own.contains(where: { !$0.holds(for: .json(true), patterns: judge.patterns) }) { return }
    for echo in action.echoes where names.contains(echo.event) && !excludes(frame, echo, send) {
      let name = "'\(send.target).\(send.action)'"
      let what = "\(name) comes back as \(echo.event), which this route takes"
      let field = echo.fields.first.map { ", or ask for another \($0.path)" } ?? ""
      context.warn(
        "loop", place(item),
        own.isEmpty ? "\(what); for what Divert itself wrote it is left out" : "\(what): it goes on and on",
        "say 'own: false' in 'when'\(field)")
    }
  }

  /// The events that the conditions ask for; of a route that asks for none in particular nothing is said.
  private func events(_ frame: RouteFrame) -> Set<String> {
    let named = (frame.terms.byPath[.field(.event)] ?? []).compactMap { comparison -> Set<String>? in
      if case .isOneOf(let values) = comparison { Set(values.compactMap(\.string)) } else { nil }
    }
    return named.dropFirst().reduce(named.first ?? []) { $0.intersection($1) }
  }

  /// Whether the conditions let through nothing of what the send writes. What it writes may be known only later: then a
  /// condition on it is taken as meant.
  private func excludes(_ frame: RouteFrame, _ echo: EchoDefinition, _ send: Send) -> Bool {
    echo.fields.contains { field in
      guard let comparisons = frame.terms.byPath[field.path] else { return false }
      guard let value = literal(field.value, send) else { return true }
      return comparisons.contains { !$0.holds(for: .json(.string(value)), patterns: judge.patterns) }
    }
  }

  /// What a template of the action comes to, where the send writes it out; nil: it depends on the event.
  private func literal(_ template: Template, _ send: Send) -> String? {
    if let text = template.literal { return text }
    guard let expression = template.single, expression.filters.isEmpty, case .argument(let name, []) = expression.path
    else { return nil }
    switch send.arguments.first(where: { $0.key == name })?.value {
    case .literal(let value)?: return value.string ?? value.text
    case .template(let given)?: return given.literal
    default: return nil
    }
  }
}
