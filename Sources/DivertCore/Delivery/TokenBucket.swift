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
    old.refill(now, to: old.count * cost)
    level = min(level, old.level)
  }

  private mutating func refill(_ now: Timestamp, to full: Int64) {
    let elapsed = max(0, (now - updatedAt).milliseconds)
    let (gained, overflow) = elapsed.multipliedReportingOverflow(by: count)
    level = overflow || gained >= full - level ? full : level + gained
    updatedAt = now
  }

  /// What a request takes of the level: more than its share while only a share (of `AdaptiveShare.whole`) of the limit is used.
  private func price(_ share: Int64) -> Int64 {
    if share == AdaptiveShare.whole { return cost }
    let (product, overflow) = cost.multipliedReportingOverflow(by: AdaptiveShare.whole)
    return overflow ? .max / 4 : product / max(share, 1)
  }

  /// Whether a request may go now.
  package mutating func has(_ now: Timestamp, share: Int64 = AdaptiveShare.whole) -> Bool {
    let price = price(share)
    refill(now, to: max(count * cost, price))
    return level >= price
  }

  /// Takes one request's token; the caller has asked `has`.
  package mutating func take(share: Int64 = AdaptiveShare.whole) { level -= price(share) }

  /// Puts back what `take` took, unused.
  package mutating func giveBack(share: Int64 = AdaptiveShare.whole) {
    level = min(max(count * cost, price(share)), level + price(share))
  }

  /// When the next token is there (now or later), as of the last refill.
  package func next(share: Int64) -> Timestamp {
    let missing = price(share) - level
    if missing <= 0 { return updatedAt }
    return updatedAt + Span(milliseconds: (missing + count - 1) / count)
  }

  /// The same while all of the limit is used.
  package var nextAt: Timestamp { next(share: AdaptiveShare.whole) }
}
