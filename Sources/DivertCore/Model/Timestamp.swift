// The one representation of time: milliseconds since 1970-01-01T00:00:00Z. Pure parts get it as an argument and never read a clock.

/// A moment, in milliseconds since the Unix epoch (UTC, no leap seconds).
package struct Timestamp: Sendable, Hashable, Comparable {
  /// Milliseconds since 1970-01-01T00:00:00Z; negative before it.
  package let milliseconds: Int64

  /// The moment that lies `milliseconds` after the Unix epoch.
  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  package static func < (a: Timestamp, b: Timestamp) -> Bool { a.milliseconds < b.milliseconds }

  /// The moment `span` later.
  package static func + (a: Timestamp, span: Span) -> Timestamp {
    Timestamp(milliseconds: a.milliseconds &+ span.milliseconds)
  }

  /// The moment `span` earlier.
  package static func - (a: Timestamp, span: Span) -> Timestamp {
    Timestamp(milliseconds: a.milliseconds &- span.milliseconds)
  }

  /// How far `a` lies after `b`; negative when it lies before.
  package static func - (a: Timestamp, b: Timestamp) -> Span {
    Span(milliseconds: a.milliseconds &- b.milliseconds)
  }

  /// Later than any moment that occurs in practice.
  package static let distantFuture = Timestamp(milliseconds: Int64.max / 4)
}

/// A length of time in milliseconds. The language calls it a duration (`100ms`, `5s`, `10m`, `1h`, `7d`).
package struct Span: Sendable, Hashable, Comparable {
  package let milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  package static func < (a: Span, b: Span) -> Bool { a.milliseconds < b.milliseconds }
  package static func + (a: Span, b: Span) -> Span { Span(milliseconds: a.milliseconds &+ b.milliseconds) }

  package static let zero = Span(milliseconds: 0)
  package static func milliseconds(_ n: Int64) -> Span { Span(milliseconds: n) }
  package static func seconds(_ n: Int64) -> Span { Span(milliseconds: n * 1000) }
  package static func minutes(_ n: Int64) -> Span { Span(milliseconds: n * 60_000) }
  package static func hours(_ n: Int64) -> Span { Span(milliseconds: n * 3_600_000) }
  package static func days(_ n: Int64) -> Span { Span(milliseconds: n * 86_400_000) }
}
