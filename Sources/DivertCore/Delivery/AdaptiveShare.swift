// How much of its limits a vendor is given after it asked for less: halved once a wave, and grown again by what it accepts.

/// Additive increase, multiplicative decrease over a share of what is configured (RFC 5681, section 3.1, says it of TCP).
package struct AdaptiveShare: Sendable, Hashable {
  /// All of what is configured.
  static let whole: Int64 = 1 << 20
  /// The least share: a sixty-fourth.
  static let least = whole / 64

  /// Of `whole`.
  private(set) var share = whole
  /// When it was halved last. What went out before says nothing new.
  private var slowedAt: Timestamp?

  package init() {}

  package var isWhole: Bool { share == Self.whole }

  /// In percent, at least 1.
  package var percent: Int { Int(max(1, share * 100 / Self.whole)) }

  /// The vendor asked for less in its answer to a request that began at `startedAt`. Returns whether that is news.
  @discardableResult
  package mutating func throttled(startedAt: Timestamp, now: Timestamp) -> Bool {
    if let slowedAt, startedAt <= slowedAt { return false }
    slowedAt = now
    share = max(Self.least, share / 2)
    return true
  }

  /// The vendor took a request that began at `startedAt`, with `limit` requests (1…64) configured: after about as many as
  /// are allowed now, one more is.
  package mutating func accepted(startedAt: Timestamp, limit: Int) {
    if isWhole { return }
    if let slowedAt, startedAt <= slowedAt { return }
    let limit = Int64(min(max(limit, 1), 64))
    share = min(Self.whole, share + max(1, Self.whole / limit * Self.whole / (limit * share)))
    if isWhole { slowedAt = nil }
  }

  /// A vendor that has not asked for less for so long is given all again: where little is sent, little is accepted, and
  /// the share would grow back over days.
  static let forgetsAfter = Span.hours(1)

  /// Time passed.
  package mutating func recover(_ now: Timestamp) {
    guard let slowedAt, now - slowedAt >= Self.forgetsAfter else { return }
    share = Self.whole
    self.slowedAt = nil
  }

  /// So many of `limit` may be in flight: at least 1.
  package func concurrency(of limit: Int) -> Int {
    isWhole ? limit : max(1, Int(Int64(limit) * share / Self.whole))
  }
}
