// One target's side of the delivery machine: may something go now (step 6 of the line), and if not, when to look again.

/// What the machine must know of a target's definition.
package struct TargetSettings: Sendable, Hashable {
  package var concurrency: Int
  package var limits: [RateLimit]
  package var enabled: Bool
  /// Deliveries that may wait in memory (at least eight for each that may be in flight); more become rows.
  package var memory: Int
  package init(concurrency: Int, limits: [RateLimit], enabled: Bool, memory: Int = 256) {
    self.concurrency = concurrency
    self.limits = limits
    self.enabled = enabled
    self.memory = memory
  }
  package init(_ definition: TargetDefinition) {
    self.init(concurrency: definition.concurrency, limits: definition.limits, enabled: definition.enabled)
  }
}

/// In-flight limit, rate limits, throttle, circuit breaker and rulings of one target, and what it has in memory.
struct TargetGate: Sendable {
  /// A held target is asked again with one delivery this often.
  static let probeEvery = Span.minutes(15)
  /// This many deliveries in a row answered 403 hold the target.
  static let forbiddenThreshold = 5
  /// What a target asks to wait is honoured up to this; longer holds it.
  static let longestWait = Span.hours(24)
  /// A target that asks for less or is held is left alone at least this long, whatever it says.
  static let shortestPause = Span.seconds(1)

  let name: String
  private(set) var settings: TargetSettings
  private var buckets: [TokenBucket]
  var breaker = CircuitBreaker()
  var ruling: TargetRuling?
  /// When a held target may be probed.
  var probeAt = Timestamp.distantFuture
  /// Asked for less (429): nothing goes before this.
  var notBefore: Timestamp?
  var throttlesInARow = 0
  var forbiddenInARow = 0
  /// Sending, being recorded as sending, or being buried.
  var inFlight = 0
  /// Jobs that may go, in order.
  var ready = RingBuffer<Int>()
  /// Jobs in memory that are not in flight: ready ones, and those behind another of their order key.
  var queued = 0
  /// The earliest due time of a free row on disk; nil: none is known.
  var diskDue: Timestamp?
  /// A claim is on its way.
  var claiming = false
  /// More is due on disk than memory takes; until a claim has taken all of it.
  var backlog = false
  /// What the shell was told of `backlog`.
  var congested = false
  /// The time for which a timer is set.
  var wakeAt: Timestamp?
  var touched = false
  /// What waits is given up for this reason instead of being sent.
  var givingUp: Reason?
  /// The turn in whose batch the last delivery ended or went back to disk.
  var lastEnd = 0
  var attempts: [AttemptOutcome: Int] = [:]

  init(name: String, settings: TargetSettings, now: Timestamp) {
    self.name = name
    self.settings = settings
    buckets = settings.limits.map { TokenBucket($0, now: now) }
  }

  /// Takes over a newer definition; what a limit has left holds for the one over the same time that replaces it.
  mutating func configure(_ newer: TargetSettings, now: Timestamp) {
    if newer.limits != settings.limits {
      let old = zip(settings.limits, buckets)
      buckets = newer.limits.map { limit in
        TokenBucket(limit, now: now, after: old.first { $0.0.per == limit.per }?.1)
      }
    }
    settings = newer
  }

  enum Passage: Equatable {
    case go
    /// Nothing before this moment; nil: not before something happens.
    case wait(Timestamp?)
  }

  /// Whether a request may go now.
  mutating func passage(_ now: Timestamp) -> Passage {
    if !settings.enabled { return .wait(nil) }
    if let closed = closedUntil { return probe(at: closed, now) }
    if let notBefore, notBefore > now { return .wait(notBefore) }
    if inFlight >= settings.concurrency { return .wait(nil) }
    var wait: Timestamp?
    for place in buckets.indices where !buckets[place].has(now) {
      wait = max(wait ?? buckets[place].nextAt, buckets[place].nextAt)
    }
    return wait.map { .wait($0) } ?? .go
  }

  private func probe(at time: Timestamp, _ now: Timestamp) -> Passage {
    if time == .distantFuture { return .wait(nil) }
    if time > now { return .wait(time) }
    return inFlight == 0 ? .go : .wait(nil)
  }

  /// When a closed target may be probed (`distantFuture`: by hand only); nil: it is open.
  private var closedUntil: Timestamp? {
    switch ruling?.kind {
    case .paused, .disabled: .distantFuture
    case .held: probeAt
    case nil: breaker.openUntil
    }
  }

  /// No ruling, no open breaker: deliveries may queue in memory.
  var isOpen: Bool { settings.enabled && closedUntil == nil }

  /// Nothing goes until somebody resumes it, or it is switched on.
  var isShut: Bool { !settings.enabled || closedUntil == .distantFuture }

  /// Notes that a request goes.
  mutating func depart() {
    inFlight += 1
    for place in buckets.indices { buckets[place].take() }
  }

  /// Jobs kept in memory at most where memory is not spare; more become rows.
  var capacity: Int { max(settings.memory, settings.concurrency * 8) }

  /// How many rows to claim now: none while enough is in memory, one for a probe.
  var room: Int {
    if !isOpen { return queued == 0 && inFlight == 0 ? 1 : 0 }
    return queued < capacity / 2 ? capacity - queued : 0
  }
}
