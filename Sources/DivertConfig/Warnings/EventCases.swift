// Which kinds of event a condition lets through: each kind is judged as a world of its own, with "maybe" for what only an
// event can tell. What comes of it is never a guess: a kind is ruled out only where no event of it could match.
import DivertCore

/// Kinds of event, by their places in `EventCase.all`.
struct CaseSet: Hashable, Sendable {
  var bits: UInt64

  static let none = CaseSet(bits: 0)
  static let all = CaseSet(bits: EventCase.all.count >= 64 ? .max : (1 << UInt64(EventCase.all.count)) - 1)

  var isEmpty: Bool { bits == 0 }
  var cases: [EventCase] { EventCase.all.indices.filter { bits & (1 << UInt64($0)) != 0 }.map { EventCase.all[$0] } }
  /// Events of other names than those that are known are among them.
  var isOpen: Bool { cases.contains { $0.event == .unknown } }

  static func & (a: CaseSet, b: CaseSet) -> CaseSet { CaseSet(bits: a.bits & b.bits) }
  static func | (a: CaseSet, b: CaseSet) -> CaseSet { CaseSet(bits: a.bits | b.bits) }
  static func - (a: CaseSet, b: CaseSet) -> CaseSet { CaseSet(bits: a.bits & ~b.bits) }
}

/// For which kinds of event a condition may hold, and for which it may fail; of a kind that is in both, it depends on the
/// event.
struct Judgement: Hashable, Sendable {
  var mayHold: CaseSet
  var mayFail: CaseSet

  static let always = Judgement(mayHold: .all, mayFail: .none)
  static let depends = Judgement(mayHold: .all, mayFail: .all)

  func and(_ other: Judgement) -> Judgement {
    Judgement(mayHold: mayHold & other.mayHold, mayFail: mayFail | other.mayFail)
  }

  func or(_ other: Judgement) -> Judgement {
    Judgement(mayHold: mayHold | other.mayHold, mayFail: mayFail & other.mayFail)
  }

  var negated: Judgement { Judgement(mayHold: mayFail, mayFail: mayHold) }
}

/// Judges conditions; what stands in many routes is judged once.
final class ConditionJudge {
  let patterns = PatternCache()
  private var known: [Condition: Judgement] = [:]
  private static let pinned: Set<EventField> = [.event, .direction, .status]
  private static let sometimesAbsent = EventCase.all.reduce(into: Set<EventField>()) { $0.formUnion($1.absent) }

  func judge(_ condition: Condition) -> Judgement {
    switch condition {
    case .all(let parts): return parts.reduce(.always) { $0.and(judge($1)) }
    case .any(let parts): return parts.reduce(Judgement.always.negated) { $0.or(judge($1)) }
    case .not(let part): return judge(part).negated
    case .value(.field(let field), let comparison):
      guard Self.pinned.contains(field) || Self.sometimesAbsent.contains(field) else { return .depends }
      if let judgement = known[condition] { return judgement }
      let judgement = judge(field, comparison)
      known[condition] = judgement
      return judgement
    case .value, .count, .suppressed: return .depends
    }
  }

  private func judge(_ field: EventField, _ comparison: Comparison) -> Judgement {
    var judgement = Judgement(mayHold: .none, mayFail: .none)
    for (place, one) in EventCase.all.enumerated() {
      let bit = CaseSet(bits: 1 << UInt64(place))
      let holds = holds(field, comparison, one)
      if holds != false { judgement.mayHold = judgement.mayHold | bit }
      if holds != true { judgement.mayFail = judgement.mayFail | bit }
    }
    return judgement
  }

  /// Nil: it depends on the event.
  private func holds(_ field: EventField, _ comparison: Comparison, _ one: EventCase) -> Bool? {
    switch one.value(of: field) {
    case .missing: comparison.holds(for: nil, patterns: patterns)
    case .text(let text): comparison.holds(for: .json(.string(text)), patterns: patterns)
    case .unknown: field == .event ? Self.holdsForOtherNames(comparison) : nil
    }
  }

  /// For an event whose name is none of those that are known.
  private static func holdsForOtherNames(_ comparison: Comparison) -> Bool? {
    func allKnown(_ values: [JSONValue]) -> Bool {
      values.allSatisfy { $0.string.map(EventCase.names.contains) ?? true }
    }
    switch comparison {
    case .isOneOf(let values): return allKnown(values) ? false : nil
    case .isNoneOf(let values): return allKnown(values) ? true : nil
    case .exists(let wanted): return wanted
    default: return nil
    }
  }
}
