// Why a condition held or did not: each leaf with its text, its answer and the value it saw. For `divert find`.

/// A condition's answer and those of its parts.
package struct ConditionExplanation: Sendable, Hashable {
  package var holds: Bool
  /// The condition as a phrase: `direction is INCOMING`, `all of`, `any of`, `not`.
  package var text: String
  /// What a leaf saw; nil: the value was missing, or this is no leaf.
  package var actual: String?
  package var isLeaf: Bool
  /// It depends on a lookup's answer that is not known: then it does not hold, and nothing speaks against it.
  package var isOpen = false
  package var parts: [ConditionExplanation]

  /// The tree as text, a line a node: `✓`, `✗` or `?`, the phrase, and what was there.
  package var lines: [String] { lines(level: 0) }

  private func lines(level: Int) -> [String] {
    let line =
      String(repeating: "  ", count: level) + (isOpen ? "? " : holds ? "✓ " : "✗ ") + text + (isLeaf ? seen : "")
    return [line] + parts.flatMap { $0.lines(level: level + 1) }
  }

  /// What speaks against it, with what was there: `direction is INCOMING (it is OUTGOING)`.
  package var failure: String {
    if isLeaf { return text + seen }
    return "not (" + parts.map { $0.isLeaf ? $0.text + $0.seen : $0.text }.joined(separator: ", ") + ")"
  }

  private var seen: String {
    if isOpen { return " (shows when it is due)" }
    return " (\(actual.map { "it is \($0)" } ?? "it is missing"))"
  }

  /// The leaves that speak against the condition, in order; empty when it held.
  package var failures: [ConditionExplanation] {
    if holds || isOpen { return [] }
    return isLeaf || text == "not" ? [self] : parts.flatMap(\.failures)
  }
}

extension Condition {
  /// The condition's answer with the answers of all its parts; every part is judged.
  package func explained(for context: EvaluationContext) -> ConditionExplanation {
    switch self {
    case .all(let conditions): return group("all of", conditions, context)
    case .any(let conditions): return group("any of", conditions, context)
    case .not(let condition): return group("not", [condition], context)
    case .value(let path, let comparison):
      let verdict = verdict(for: context)
      return ConditionExplanation(
        holds: verdict == true, text: "\(path) \(comparison)", actual: context.value(path)?.text, isLeaf: true,
        isOpen: verdict == nil, parts: [])
    case .count(let term):
      return ConditionExplanation(
        holds: verdict(for: context) == true, text: words, actual: context.counts[term].map(String.init),
        isLeaf: true, isOpen: context.isOpen(term), parts: [])
    case .suppressed:
      let holds = holds(for: context)
      let actual = context.suppression.map { "suppressed: \($0.reason)" } ?? "not suppressed"
      return ConditionExplanation(holds: holds, text: words, actual: actual, isLeaf: true, parts: [])
    }
  }

  private func group(
    _ text: String, _ conditions: [Condition], _ context: EvaluationContext
  ) -> ConditionExplanation {
    let verdict = verdict(for: context)
    return ConditionExplanation(
      holds: verdict == true, text: text, actual: nil, isLeaf: false, isOpen: verdict == nil,
      parts: conditions.map { $0.explained(for: context) })
  }
}

extension Comparison: CustomStringConvertible {
  /// The comparison as a phrase after its value's name: `is INCOMING`, `is at least 5`.
  package var description: String {
    switch self {
    case .isOneOf(let values): values.count == 1 ? "is \(Self.list(values))" : "is one of \(Self.list(values))"
    case .isNoneOf(let values): values.count == 1 ? "is not \(Self.list(values))" : "is none of \(Self.list(values))"
    case .above(let bound): "is above \(bound)"
    case .below(let bound): "is below \(bound)"
    case .atLeast(let bound): "is at least \(bound)"
    case .atMost(let bound): "is at most \(bound)"
    case .between(let from, let to): "is between \(from) and \(to)"
    case .contains(let part): "contains '\(part)'"
    case .startsWith(let part): "starts with '\(part)'"
    case .endsWith(let part): "ends with '\(part)'"
    case .matches(let pattern): "matches \(pattern.source)"
    case .exists(let wanted): wanted ? "exists" : "does not exist"
    }
  }

  private static func list(_ values: [JSONValue]) -> String {
    values.map { $0.string ?? $0.text }.joined(separator: ", ")
  }
}

extension Bound: CustomStringConvertible {
  package var description: String {
    switch self {
    case .number(let literal): literal
    case .moment(let time): time.iso8601
    case .clock(let minutes): EventValue.clockText(minutes)
    }
  }
}
