// Conditions as data: what `when:` compiles to. Judged by ConditionEvaluation.swift; a form could edit them.

/// A condition on an event.
package indirect enum Condition: Sendable, Hashable {
  /// True when all are (an empty list is true).
  case all([Condition])
  /// True when one is.
  case any([Condition])
  case not(Condition)
  /// The value at the path, compared. Never coerces: "5" is not 5, missing is not empty.
  case value(ValuePath, Comparison)
  /// How many calls its book has, held against a number. Answered where events are stored.
  case count(CountTerm)
  /// Whether the customer is on the suppression list when the event is planned.
  case suppressed(Bool)
}

/// What a value is compared with. A missing value satisfies only `exists: false` and `not`.
package enum Comparison: Sendable, Hashable {
  /// Equal to one of these (`is`, `in`, a lone scalar, a list).
  case isOneOf([JSONValue])
  /// Equal to none of these (`not`); a missing value is equal to none.
  case isNoneOf([JSONValue])
  case above(Bound)
  case below(Bound)
  case atLeast(Bound)
  case atMost(Bound)
  /// From included, to excluded for `local.time` (wrapping past midnight when to < from); both included for numbers and times.
  case between(Bound, Bound)
  case contains(String)
  case startsWith(String)
  case endsWith(String)
  /// A regular expression that is found anywhere in the text.
  case matches(Pattern)
  case exists(Bool)
}

/// A bound of an ordering comparison: compared only with values of its kind.
package enum Bound: Sendable, Hashable {
  case number(String)
  case moment(Timestamp)
  /// Minutes after midnight, for `local.time`.
  case clock(Int)
}

/// A regular expression, checked when the file was read.
package struct Pattern: Sendable, Hashable {
  package let source: String
  /// Keeps the text; compiling is done once per thread of use by the evaluation. The loader has made sure that it compiles.
  package init(checked source: String) { self.source = source }
}
