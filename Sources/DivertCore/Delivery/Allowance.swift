// How much may go to whom, and when (step 6 of the line): several windows at once, a calendar budget, the pauses that a vendor
// asks for, and the share that it takes. A target has one, a shared credential another over all its targets.

/// Rate limits, budget, pause and adaptive share.
package struct Allowance: Sendable {
  /// Why nothing goes until a moment.
  package enum Pause: String, Sendable, Hashable {
    /// It answered that it was too much (429).
    case throttled
    /// Its answer said that nothing is left.
    case quota
    case limit, budget
  }

  private var limits: [RateLimit]
  private var buckets: [TokenBucket]
  private(set) var budget: BudgetMeter?
  /// What was last said of the budget, to be kept.
  private var kept: BudgetCount?
  private(set) var adaptive = AdaptiveShare()
  /// The vendor asked for a pause: nothing goes before this.
  var notBefore: Timestamp?
  private var asked = Pause.throttled
  var throttlesInARow = 0

  init(limits: [RateLimit], budget: Budget?, now: Timestamp) {
    self.limits = limits
    buckets = limits.map { TokenBucket($0, now: now) }
    self.budget = budget.map { BudgetMeter($0) }
  }

  /// Takes over newer limits; what an older one has left holds for the one over the same time that replaces it.
  mutating func configure(limits newer: [RateLimit], budget: Budget?, now: Timestamp) {
    if newer != limits {
      let old = zip(limits, buckets)
      buckets = newer.map { limit in
        TokenBucket(limit, now: now, after: old.first { $0.0.per == limit.per }?.1)
      }
      limits = newer
    }
    if budget != self.budget?.budget { self.budget = budget.map { BudgetMeter($0, after: self.budget) } }
  }

  /// When a request may go that may not go now; nil: it may.
  mutating func wait(_ now: Timestamp) -> Timestamp? {
    if let notBefore, notBefore > now { return notBefore }
    adaptive.recover(now)
    var wait: Timestamp?
    for place in buckets.indices where !buckets[place].has(now, share: adaptive.share) {
      let next = buckets[place].next(share: adaptive.share)
      wait = max(wait ?? next, next)
    }
    if budget != nil, budget?.has(now) == false, let end = budget?.endsAt { wait = max(wait ?? end, end) }
    return wait
  }

  /// Why nothing goes now, and until when; nil: something may go.
  mutating func pause(_ now: Timestamp) -> (why: Pause, until: Timestamp)? {
    guard let until = wait(now) else { return nil }
    if let notBefore, notBefore > now { return (asked, until) }
    return (budget?.endsAt == until && budget?.has(now) == false ? .budget : .limit, until)
  }

  /// How many requests the budget allows until it begins anew; nil: there is none.
  mutating func restOfBudget(_ now: Timestamp) -> Int? {
    guard let most = budget?.budget.most, let has = budget?.has(now), let spent = budget?.spent else { return nil }
    return has ? most - spent : 0
  }

  /// Notes that a request goes.
  mutating func depart() {
    for place in buckets.indices { buckets[place].take(share: adaptive.share) }
    if budget != nil { budget?.take() }
  }

  /// Takes over what the last process spent.
  mutating func restore(_ count: BudgetCount) {
    budget?.restore(count)
    kept = budget?.count
  }

  /// What was spent, where it changed since the last call.
  mutating func newCount() -> BudgetCount? {
    guard let count = budget?.count, count != kept else { return nil }
    kept = count
    return count
  }

  /// The request that was to go needs none.
  mutating func giveBack() {
    for place in buckets.indices { buckets[place].giveBack(share: adaptive.share) }
    budget?.giveBack()
  }

  /// Requests that may be in flight now, of those configured.
  func concurrency(of limit: Int) -> Int { adaptive.concurrency(of: limit) }

  /// What is configured, as the measure of how fast the share grows again.
  private func measure(_ concurrency: Int?) -> Int {
    let least = limits.map(\.count).min()
    return max(concurrency ?? least ?? 8, least ?? 1)
  }

  /// A request was taken.
  mutating func accepted(_ attempt: Attempt, concurrency: Int?) {
    throttlesInARow = 0
    if !adaptive.isWhole { adaptive.accepted(startedAt: attempt.startedAt, limit: measure(concurrency)) }
  }

  /// The vendor asked for less. The pause grows once a wave: what was in flight with the first one throttled says nothing new.
  mutating func throttled(
    _ attempt: Attempt, wait: Span?, now: Timestamp, using random: inout some RandomNumberGenerator
  ) {
    adaptive.throttled(startedAt: attempt.startedAt, now: now)
    let before = notBefore ?? now
    if before <= now { throttlesInARow += 1 }
    let growing = RetrySettings(period: .hours(24), base: .seconds(1), cap: .minutes(1), attempts: nil)
    let pause = wait ?? growing.backoff(after: throttlesInARow, using: &random)
    rest(until: now + max(pause, TargetGate.shortestPause), .throttled)
  }

  /// Nothing goes before `time`.
  mutating func rest(until time: Timestamp, _ why: Pause) {
    if let notBefore, notBefore >= time { return }
    notBefore = time
    asked = why
  }
}
