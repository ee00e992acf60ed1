// Comparisons of one field that cannot hold together, and those that follow from others: by trying the values that they
// themselves name. Everything that is not plain counts as possible.
import DivertCore

/// Terms that all must hold: a route's and those of the routes above it.
struct Conjunction {
  private(set) var byPath: [ValuePath: [Comparison]] = [:]
  /// Every condition of the conjunction, as a whole.
  private(set) var parts: Set<Condition> = []

  func with(_ condition: Condition) -> Conjunction {
    var copy = self
    copy.add(condition)
    return copy
  }

  mutating func add(_ condition: Condition) {
    parts.insert(condition)
    switch condition {
    case .all(let conditions): for condition in conditions { add(condition) }
    case .value(let path, let comparison): byPath[path, default: []].append(comparison)
    case .not(.value(let path, let comparison)):
      if let opposite = Self.opposite(comparison) { byPath[path, default: []].append(opposite) }
    case .any(let conditions) where conditions.count == 1: add(conditions[0])
    case .any, .not, .count, .suppressed: break
    }
  }

  /// The comparison that holds exactly where the other does not, also for a missing value; nil where there is none.
  private static func opposite(_ comparison: Comparison) -> Comparison? {
    switch comparison {
    case .isOneOf(let values): .isNoneOf(values)
    case .isNoneOf(let values): .isOneOf(values)
    case .exists(let wanted): .exists(!wanted)
    case .between(.clock(let from), .clock(let to)): .between(.clock(to), .clock(from))
    default: nil
    }
  }
}

struct Conflicts {
  let patterns: PatternCache

  /// Whether a condition cannot hold where the conjunction does.
  func excludes(_ conjunction: Conjunction, _ condition: Condition) -> Bool {
    switch condition {
    case .all(let conditions):
      var sofar = conjunction
      return conditions.contains { part in
        defer { sofar.add(part) }
        return excludes(sofar, part)
      }
    case .any(let conditions): return conditions.allSatisfy { excludes(conjunction, $0) }
    case .value(let path, let comparison):
      return conflict((conjunction.byPath[path] ?? []) + [comparison], at: path)
    case .not(let inner): return follows(inner, from: conjunction)
    case .suppressed(let wanted): return conjunction.parts.contains(.suppressed(!wanted))
    case .count: return false
    }
  }

  /// Whether a condition holds wherever the conjunction does.
  func follows(_ condition: Condition, from conjunction: Conjunction) -> Bool {
    if conjunction.parts.contains(condition) { return true }
    switch condition {
    case .all(let conditions): return conditions.allSatisfy { follows($0, from: conjunction) }
    case .any(let conditions): return conditions.contains { follows($0, from: conjunction) }
    case .not(let inner): return excludes(conjunction, inner)
    case .count, .suppressed: return false
    case .value(let path, let comparison): return follows(comparison, from: conjunction.byPath[path] ?? [], at: path)
    }
  }
}

// Trying values.
extension Conflicts {
  /// Whether no value, and no missing one, satisfies all comparisons.
  private func conflict(_ comparisons: [Comparison], at path: ValuePath) -> Bool {
    guard comparisons.count > 1 else { return false }
    if comparisons.allSatisfy({ $0.holds(for: nil, patterns: patterns) }) { return false }
    if comparisons.contains(.exists(false)) { return true }
    guard let candidates = candidates(comparisons, at: path) else { return false }
    return !candidates.contains { value in comparisons.allSatisfy { $0.holds(for: value, patterns: patterns) } }
  }

  /// Whether every value that satisfies the comparisons of `known`, and a missing one if it does, satisfies `comparison`.
  private func follows(_ comparison: Comparison, from known: [Comparison], at path: ValuePath) -> Bool {
    if known.contains(comparison) { return true }
    let mayMiss = !Self.isAlwaysThere(path) && known.allSatisfy { $0.holds(for: nil, patterns: patterns) }
    if mayMiss, !comparison.holds(for: nil, patterns: patterns) { return false }
    if comparison == .exists(true) { return !mayMiss }
    let isBounded = known.contains { Self.isOrder($0) || Self.isOneOf($0) }
    guard Self.isTyped(path) || isBounded,
      let candidates = candidates(known, also: comparison, at: path)
    else { return false }
    return candidates.filter { value in known.allSatisfy { $0.holds(for: value, patterns: patterns) } }
      .allSatisfy { comparison.holds(for: $0, patterns: patterns) }
  }

  private static func isAlwaysThere(_ path: ValuePath) -> Bool {
    switch path {
    case .local, .field(.id), .field(.source), .field(.event), .field(.at), .field(.receivedAt): true
    default: false
    }
  }

  /// Its values are of one kind that is not text.
  private static func isTyped(_ path: ValuePath) -> Bool {
    switch path {
    case .local: true
    case .field(let field): ValueKind.of(field) != .text
    default: false
    }
  }

  /// Values of which at least one satisfies all comparisons if any value does, and at least one of these fails `extra` if
  /// any such value does; nil where that cannot be known.
  private func candidates(_ comparisons: [Comparison], also extra: Comparison? = nil, at path: ValuePath)
    -> [EventValue]?
  {
    let all = comparisons + (extra.map { [$0] } ?? [])
    if case .local(.weekday) = path { return KnownValues.weekdays.map { .json(.string($0)) } }
    if case .local(.time) = path { return clockCandidates(all) }
    for case .isOneOf(let values) in comparisons { return values.map { Self.value($0, at: path) } }
    let bounds = all.flatMap(Self.bounds)
    guard !bounds.isEmpty, all.allSatisfy({ Self.isOrder($0) || Self.isPlain($0) }) else { return nil }
    return numberCandidates(bounds) ?? (all.contains(where: Self.isList) ? nil : momentCandidates(bounds))
  }

  private static func isOrder(_ comparison: Comparison) -> Bool {
    switch comparison {
    case .above, .below, .atLeast, .atMost, .between: true
    default: false
    }
  }

  private static func isOneOf(_ comparison: Comparison) -> Bool {
    if case .isOneOf = comparison { true } else { false }
  }

  private static func isList(_ comparison: Comparison) -> Bool {
    switch comparison {
    case .isOneOf, .isNoneOf: true
    default: false
    }
  }

  private static func isPlain(_ comparison: Comparison) -> Bool {
    if case .exists = comparison { true } else { isList(comparison) }
  }

  private static func bounds(_ comparison: Comparison) -> [Bound] {
    switch comparison {
    case .above(let bound), .below(let bound), .atLeast(let bound), .atMost(let bound): [bound]
    case .between(let from, let to): [from, to]
    case .isNoneOf(let values), .isOneOf(let values):
      values.compactMap { if case .number(let text) = $0 { .number(text) } else { nil } }
    default: []
    }
  }

  private static func value(_ value: JSONValue, at path: ValuePath) -> EventValue {
    if case .field(let field) = path, ValueKind.of(field) == .moment,
      let time = value.string.flatMap({ Timestamp(iso8601: $0) })
    {
      return .moment(time, nil)
    }
    return .json(value)
  }

  private func clockCandidates(_ comparisons: [Comparison]) -> [EventValue] {
    var minutes = [0, 1439]
    for comparison in comparisons {
      for case .clock(let minute) in Self.bounds(comparison) { minutes += [minute - 1, minute, minute + 1] }
    }
    if comparisons.contains(where: Self.isList) { minutes += 0..<1440 }
    return minutes.map { .clock(($0 + 1440) % 1440) }
  }

  private func numberCandidates(_ bounds: [Bound]) -> [EventValue]? {
    var numbers: [Double] = []
    for bound in bounds {
      guard case .number(let text) = bound, let number = Double(text), number.magnitude < 1e12 else { return nil }
      numbers.append(number)
    }
    numbers.sort()
    var tries = bounds.map(Self.literal)
    // Two places beside and between neighbours, since one may be excluded by name.
    for place in 0...numbers.count {
      let low = place == 0 ? (numbers.first ?? 0) - 2 : numbers[place - 1]
      let high = place == numbers.count ? (numbers.last ?? 0) + 2 : numbers[place]
      tries += [low + (high - low) / 3, low + (high - low) / 1.5].map { "\($0)" }
    }
    return tries.filter(JSONValue.isNumber).map { .json(.number($0)) }
  }

  private static func literal(_ bound: Bound) -> String {
    if case .number(let text) = bound { text } else { "" }
  }

  private func momentCandidates(_ bounds: [Bound]) -> [EventValue]? {
    var tries: [EventValue] = []
    for bound in bounds {
      guard case .moment(let time) = bound else { return nil }
      tries += [-1, 0, 1].map { .moment(time + .milliseconds($0), nil) }
    }
    return tries
  }
}
