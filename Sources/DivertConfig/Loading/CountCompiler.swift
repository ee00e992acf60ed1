// `count:` and `suppressed:` of a route's `when` → Conditions; which events a count counts.
import DivertCore

extension LoadContext {
  /// The terms of a `count`: one for each comparison. Their books are named by `counting`, when what stands around them is known.
  func count(_ entry: YAMLNode.Entry) -> [Condition] {
    guard !isMisplaced(entry.key, entry.keyPlace), let fields = fields(entry.value, .count, name: entry.keyPlace) else {
      return []
    }
    let within = fields["within"].flatMap { memorySpan($0, "'within'") }
    let per = memoryKey(fields["per"], "'per'")
    let operators = fields.entries.filter { Language.countOperators.contains($0.key) }
    let names = Language.count.fields.map(\.name)
    if operators.isEmpty, !Language.countOperators.contains(where: { fields.refused($0, among: names) }) {
      error("missing_field", entry.keyPlace, "'count' is held against no number", "add 'at_least: 2'")
    }
    let comparisons = operators.compactMap(countComparison)
    guard let within else { return [] }
    let key = fields["per"]?.text ?? EventField.customerPhone.rawValue
    return comparisons.map { comparison in
      let words = "\(comparison.countWords) within \(within.duration) per \(key)"
      return .count(CountTerm(book: "", per: per, within: within, comparison: comparison, words: words))
    }
  }

  private func countComparison(_ entry: YAMLNode.Entry) -> Comparison? {
    let items = oneOrMore(entry.value)
    let numbers = items.compactMap { whole($0, "'\(entry.key)'", Language.counts) }
    guard numbers.count == items.count, !numbers.isEmpty else {
      if items.isEmpty {
        error("no_value", entry.value.place, "'\(entry.key)' is held against nothing", "give a number")
      }
      return nil
    }
    guard let comparison = Self.comparison(entry.key, numbers) else {
      let isBetween = entry.key == "between"
      error(
        "bad_between", entry.value.place, "'\(entry.key)' takes \(isBetween ? "two numbers" : "one number")",
        isBetween ? "write [from, to], the smaller first" : "write \(entry.key): \(numbers[0])")
      return nil
    }
    checkBounds(entry, comparison)
    return comparison
  }

  /// Nil for another count of numbers than the operator takes.
  private static func comparison(_ name: String, _ numbers: [Int]) -> Comparison? {
    let bounds = numbers.map { Bound.number(String($0)) }
    switch name {
    case "is": return .isOneOf(numbers.map { .number($0) })
    case "between": return numbers.count == 2 && numbers[0] <= numbers[1] ? .between(bounds[0], bounds[1]) : nil
    case _ where numbers.count != 1: return nil
    case "at_least": return .atLeast(bounds[0])
    case "at_most": return .atMost(bounds[0])
    case "above": return .above(bounds[0])
    default: return .below(bounds[0])
    }
  }

  /// A count is 1 at least, since the event itself is counted: what holds for every such number, or for none, is a mistake.
  private func checkBounds(_ entry: YAMLNode.Entry, _ comparison: Comparison) {
    let named = oneOrMore(entry.value).compactMap { $0.text.flatMap { Int($0) } }
    let tried = ([1, Language.counts.upperBound + 2] + named.flatMap { [$0, $0 + 1] }).filter { $0 >= 1 }
    let patterns = PatternCache()
    let holding = tried.filter { comparison.holds(for: .json(.number($0)), patterns: patterns) }
    guard holding.isEmpty || holding.count == tried.count else { return }
    error(
      "contradictory", entry.value.place,
      "'\(comparison.countWords)' \(holding.isEmpty ? "never" : "always") holds: the event itself is counted, so there is "
        + "1 at least", "count to 2 or more ('at_least: 2'), or remove it")
  }

  func suppressed(_ entry: YAMLNode.Entry) -> [Condition] {
    guard !isMisplaced(entry.key, entry.keyPlace) else { return [] }
    return boolean(entry.value, "'suppressed'").map { [.suppressed($0)] } ?? []
  }
}

// Which events are counted.
extension LoadContext {
  /// The condition with the book of each of its counts: the events for which everything holds that stands beside it, around it and
  /// above it and that an event's own fields decide.
  /// - Parameter above: what holds where the condition is asked.
  func counting(_ condition: Condition, above: [Condition]) -> Condition {
    switch condition {
    case .all(let parts):
      let base = above + parts.flatMap(\.eventParts)
      return .all(parts.map { counting($0, above: base) })
    case .any(let parts): return .any(parts.map { counting($0, above: above) })
    case .not(let part): return .not(counting(part, above: above))
    case .count(var term):
      term.book = book(.all(above), term.per, span: term.within)
      return .count(term)
    case .value, .suppressed: return condition
    }
  }

  /// Counts and lookups are decided at different times: within one `any` or `not` nobody could.
  func checkMixed(_ condition: Condition, _ entry: YAMLNode.Entry) {
    switch condition {
    case .all(let parts): for part in parts { checkMixed(part, entry) }
    case .any, .not:
      guard condition.asksWhenPlanned, condition.asksLookups else { return }
      error(
        "mixed_condition", entry.keyPlace,
        "an 'any' or 'not' of this condition mixes \(condition.counts.isEmpty ? "'suppressed'" : "'count'") with a lookup's "
          + "field: the one is decided when the event comes, the other when a delivery is due",
        "make two routes of it")
    case .value, .count, .suppressed: break
    }
  }
}

extension Comparison {
  /// As a count's: `at least 2`.
  var countWords: String {
    if case .isOneOf(let values) = self, values.count == 1 { return "exactly \(values[0].text)" }
    return String(description.dropFirst("is ".count))
  }
}
