// A rate limit (`limit: 100/min`) as a token bucket, in whole numbers.

/// Lets `count` through per `per`, in a burst at the most.
package struct TokenBucket: Sendable {
  /// At least 1, and so that a full bucket's level is far from overflow.
  private let count: Int64
  /// A request's share of the level: `per` in milliseconds.
  private let cost: Int64
  /// Tokens times `per` in milliseconds, so that refilling is exact.
  private var level: Int64
  private var updatedAt: Timestamp

  /// A full bucket; or, for a limit that replaces one over the same time, what that has left: a change is no second burst.
  package init(_ limit: RateLimit, now: Timestamp, after old: TokenBucket? = nil) {
    cost = min(max(1, limit.per.milliseconds), Int64.max / 4)
    count = min(max(1, Int64(limit.count)), Int64.max / 4 / cost)
    level = count * cost
    updatedAt = now
    guard var old, old.cost == cost else { return }
    old.refill(now)
    level = min(level, old.level)
  }

  private mutating func refill(_ now: Timestamp) {
    let elapsed = max(0, (now - updatedAt).milliseconds)
    level = elapsed >= cost ? count * cost : min(count * cost, level + elapsed * count)
    updatedAt = now
  }

  /// Whether a request may go now.
  package mutating func has(_ now: Timestamp) -> Bool {
    refill(now)
    return level >= cost
  }

  /// Takes one request's token; the caller has asked `has`.
  package mutating func take() { level -= cost }

  /// When the next token is there (now or later), as of the last refill.
  package var nextAt: Timestamp {
    let missing = cost - level
    if missing <= 0 { return updatedAt }
    return updatedAt + Span(milliseconds: (missing + count - 1) / count)
  }
}
