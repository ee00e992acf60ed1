// Judges conditions (step 3 of the line). Nothing is coerced: a value is compared with values of its own kind, or not
// at all.

/// What a condition is judged with.
package struct EvaluationContext: Sendable {
  package var event: Event
  /// The file's time zone, for `local.…`.
  package var zone: Zone
  package var patterns: PatternCache
  /// Lookups' answers and steps' results, for guards.
  package var memo = DeliveryMemo()
  /// What the send gives to its action, for the conditions of steps.
  package var arguments = JSONObject()
  /// What counts came to, as far as they were asked.
  package var counts: [CountTerm: Int] = [:]
  /// Counts for which the event has no value of `per`: they do not hold.
  package var uncounted: Set<CountTerm> = []
  /// The entry of the suppression list that holds for the customer.
  package var suppression: Suppression?

  package init(event: Event, zone: Zone, patterns: PatternCache) {
    self.event = event
    self.zone = zone
    self.patterns = patterns
  }

  func isOpen(_ term: CountTerm) -> Bool { counts[term] == nil && !uncounted.contains(term) }

  /// The value at a path of a condition; nil: missing, or not known yet.
  package func value(_ path: ValuePath) -> EventValue? {
    switch path {
    case .lookup, .step: memo.value(path)
    case .argument(let name, let steps):
      arguments[name]?.value(at: steps).map(EventValue.json).flatMap { $0.isMissing ? nil : $0 }
    default: event.value(path, in: zone)
    }
  }
}

extension Condition {
  /// Whether the condition holds for the context's event.
  package func holds(for context: EvaluationContext) -> Bool {
    switch self {
    case .all(let conditions):
      for condition in conditions where !condition.holds(for: context) { return false }
      return true
    case .any(let conditions):
      for condition in conditions where condition.holds(for: context) { return true }
      return false
    case .not(let condition): return !condition.holds(for: context)
    case .value(let path, let comparison):
      return comparison.holds(for: context.value(path), patterns: context.patterns)
    case .count(let term):
      return context.counts[term].map {
        term.comparison.holds(for: .json(.number($0)), patterns: context.patterns)
      } ?? false
    case .suppressed(let wanted): return (context.suppression != nil) == wanted
    }
  }
}

// What lookups have not answered yet.
extension Condition {
  /// Whether it holds, as far as that is known: nil where it depends on a lookup's answer, or a step's result, that the memo does
  /// not have.
  package func verdict(for context: EvaluationContext) -> Bool? {
    switch self {
    case .all(let conditions):
      var verdict: Bool? = true
      for condition in conditions {
        let part = condition.verdict(for: context)
        if part == false { return false }
        if part == nil { verdict = nil }
      }
      return verdict
    case .any(let conditions):
      var verdict: Bool? = false
      for condition in conditions {
        let part = condition.verdict(for: context)
        if part == true { return true }
        if part == nil { verdict = nil }
      }
      return verdict
    case .not(let condition): return condition.verdict(for: context).map { !$0 }
    case .value(.lookup(let name, _), _) where context.memo.lookups[name] == nil: return nil
    case .value(.step(let name, _), _) where context.memo.steps[name] == nil: return nil
    case .count(let term) where context.isOpen(term): return nil
    case .value, .count, .suppressed: return holds(for: context)
    }
  }

  /// The lookups whose answers keep it from being judged, in the order in which they stand; none: it can be judged.
  package func openLookups(for context: EvaluationContext) -> [String] {
    guard verdict(for: context) == nil else { return [] }
    switch self {
    case .all(let parts), .any(let parts): return parts.flatMap { $0.openLookups(for: context) }
    case .not(let part): return part.openLookups(for: context)
    case .value(.lookup(let name, _), _): return [name]
    case .value, .count, .suppressed: return []
    }
  }

  /// The counts that keep it from being judged, in the order in which they stand; none: it can be judged, or awaits lookups alone.
  package func openCounts(for context: EvaluationContext) -> [CountTerm] {
    guard verdict(for: context) == nil else { return [] }
    switch self {
    case .all(let parts), .any(let parts): return parts.flatMap { $0.openCounts(for: context) }
    case .not(let part): return part.openCounts(for: context)
    case .count(let term): return [term]
    case .value, .suppressed: return []
    }
  }

  /// What is left of it to be judged when a delivery is due, after it was judged at planning as far as it could be: of those of its
  /// parts that must all hold the ones with a lookup's field. Nil: nothing.
  package var guardPart: Condition? {
    switch self {
    case .all(let parts):
      let left = parts.compactMap(\.guardPart)
      return left.count > 1 ? .all(left) : left.first
    default: return asksLookups ? self : nil
    }
  }

  /// A lookup's field occurs in it.
  package var asksLookups: Bool {
    switch self {
    case .all(let parts), .any(let parts): parts.contains(where: \.asksLookups)
    case .not(let part): part.asksLookups
    case .value(.lookup, _): true
    case .value, .count, .suppressed: false
    }
  }

  /// It asks what other events came, or who is on the suppression list: that is answered at planning, once and for all.
  package var asksWhenPlanned: Bool {
    switch self {
    case .all(let parts), .any(let parts): parts.contains(where: \.asksWhenPlanned)
    case .not(let part): part.asksWhenPlanned
    case .count, .suppressed: true
    case .value: false
    }
  }

  /// The counts that occur in it, in order.
  package var counts: [CountTerm] {
    switch self {
    case .all(let parts), .any(let parts): parts.flatMap(\.counts)
    case .not(let part): part.counts
    case .count(let term): [term]
    case .value, .suppressed: []
    }
  }
}

extension Comparison {
  /// Whether the comparison holds for a value; nil is a missing one, which satisfies only `exists: false` and `not`.
  package func holds(for value: EventValue?, patterns: PatternCache) -> Bool {
    switch self {
    case .exists(let wanted): return (value != nil) == wanted
    case .isNoneOf(let candidates):
      guard let value else { return true }
      return !candidates.contains { value.equals($0) }
    default:
      guard let value else { return false }
      return holds(forPresent: value, patterns: patterns)
    }
  }

  private func holds(forPresent value: EventValue, patterns: PatternCache) -> Bool {
    switch self {
    case .isOneOf(let candidates): candidates.contains { value.equals($0) }
    case .above(let bound): value.order(against: bound).map { $0 > 0 } ?? false
    case .below(let bound): value.order(against: bound).map { $0 < 0 } ?? false
    case .atLeast(let bound): value.order(against: bound).map { $0 >= 0 } ?? false
    case .atMost(let bound): value.order(against: bound).map { $0 <= 0 } ?? false
    case .between(let from, let to): value.isBetween(from, to)
    case .contains(let part): value.contains(part)
    case .startsWith(let part): value.string?.hasPrefix(part) ?? false
    case .endsWith(let part): value.string?.hasSuffix(part) ?? false
    case .matches(let pattern): value.string.map { patterns.finds(pattern, in: $0) } ?? false
    case .isNoneOf, .exists: true
    }
  }
}

extension EventValue {
  /// The text of a value that is text (or a clock time, which is written as one); nil for every other kind.
  fileprivate var string: String? {
    switch self {
    case .json(.string(let s)): s
    case .clock(let minutes): Self.clockText(minutes)
    default: nil
    }
  }

  /// Equal and of the same kind. Numbers by their value (`5` and `5.0`), times by the moment that the text names.
  func equals(_ other: JSONValue) -> Bool {
    switch (self, other) {
    case (.json(.string(let a)), .string(let b)): a == b
    case (.json(.number(let a)), .number(let b)): JSONNumber.compare(a, b) == 0
    case (.json(let a), let b): a == b
    case (.moment(let time, _), .string(let text)): Timestamp(iso8601: text) == time
    case (.clock(let minutes), .string(let text)): Self.clockText(minutes) == text
    case (.moment, _), (.clock, _): false
    }
  }

  /// Below, at or above a bound of the same kind: negative, 0, positive; nil for another kind.
  fileprivate func order(against bound: Bound) -> Int? {
    switch (self, bound) {
    case (.json(.number(let a)), .number(let b)): JSONNumber.compare(a, b)
    case (.moment(let a, _), .moment(let b)): a < b ? -1 : a == b ? 0 : 1
    case (.clock(let a), .clock(let b)): a - b
    default: nil
    }
  }

  fileprivate func isBetween(_ from: Bound, _ to: Bound) -> Bool {
    if case .clock(let minutes) = self {
      guard case .clock(let first) = from, case .clock(let last) = to else { return false }
      return last < first ? minutes >= first || minutes < last : minutes >= first && minutes < last
    }
    guard let low = order(against: from), let high = order(against: to) else { return false }
    return low >= 0 && high <= 0
  }

  /// A text that holds the part, or a list with an item that is the part.
  fileprivate func contains(_ part: String) -> Bool {
    switch self {
    case .json(.string(let text)): text.containsBytes(of: part)
    case .json(.array(let items)): items.contains(.string(part))
    default: false
    }
  }
}

extension String {
  /// Whether the UTF-8 bytes of `part` occur in this text's.
  fileprivate func containsBytes(of part: String) -> Bool {
    guard let first = part.utf8.first else { return true }
    var rest = self.utf8[...]
    while let place = rest.firstIndex(of: first) {
      rest = rest[place...]
      if rest.starts(with: part.utf8) { return true }
      rest = rest.dropFirst()
    }
    return false
  }
}
