// One target's side of the delivery machine: may something go now (step 6 of the line), and if not, when to look again.

/// What the machine must know of a target's definition.
package struct TargetSettings: Sendable, Hashable {
  package var concurrency: Int
  package var limits: [RateLimit]
  package var enabled: Bool
  /// Deliveries that may wait in memory (at least eight for each that may be in flight); more become rows.
  package var memory: Int
  /// The credential that it shares limits with others by; nil: none.
  package var credential: String?
  package var budget: Budget?
  /// Actions of which several deliveries go in one request.
  package var batches: [String: BatchShape]

  package init(
    concurrency: Int, limits: [RateLimit], enabled: Bool, memory: Int = 256, credential: String? = nil,
    budget: Budget? = nil, batches: [String: BatchShape] = [:]
  ) {
    self.concurrency = concurrency
    self.limits = limits
    self.enabled = enabled
    self.memory = memory
    self.credential = credential
    self.budget = budget
    self.batches = batches
  }

  package init(_ definition: TargetDefinition) {
    self.init(
      concurrency: definition.concurrency, limits: definition.limits, enabled: definition.enabled,
      credential: definition.credential, budget: definition.budget,
      batches: definition.actions.compactMapValues { action in
        action.batch.map {
          BatchShape(most: $0.most, wait: $0.wait, records: action.ambiguous == .verify && !action.toPerson)
        }
      })
  }
}

/// In-flight limit, allowance, circuit breaker and rulings of one target, and what it has in memory.
struct TargetGate: Sendable {
  /// A held target is asked again with one delivery this often.
  static let probeEvery = Span.minutes(15)
  /// This many deliveries in a row that failed with 403 (or by a rule with 401) hold the target.
  static let forbiddenThreshold = 5
  /// What a target asks to wait is honoured up to this; longer holds it.
  static let longestWait = Span.hours(24)
  /// A target that asks for less or is held is left alone at least this long, whatever it says.
  static let shortestPause = Span.seconds(1)

  let name: String
  private(set) var settings: TargetSettings
  /// Its own limits; those of its credential are at the credential's gate.
  var allowance: Allowance
  /// Its credential's place among the machine's; nil: none.
  var credential: Int?
  /// It stands in its credential's line.
  var enlisted = false
  var breaker = CircuitBreaker()
  var ruling: TargetRuling?
  /// When a held target may be probed.
  var probeAt = Timestamp.distantFuture
  var forbiddenInARow = 0
  /// Sending, being recorded as sending, or being buried.
  var inFlight = 0
  /// Those of them that go in a request with another.
  var joined = 0
  /// Where deliveries gather that go together; nil: none do.
  var desk: BatchDesk?
  /// A batch went last: one that goes alone is next.
  var batchWentLast = false
  /// Batches that were answered since the start.
  var batches = 0
  /// Jobs that may go, in order.
  var ready = RingBuffer<Int>()
  /// Jobs in memory that are not in flight: ready ones, and those behind another of their order key.
  var queued = 0
  /// The earliest due time of a free row on disk; nil: none is known.
  var diskDue: Timestamp?
  /// A claim is on its way.
  var claiming = false
  /// It asks for all that waits, also for what is due later.
  var claimsAll = false
  /// More is due on disk than memory takes; until a claim has taken all of it.
  var backlog = false
  /// What the shell was told of `backlog`.
  var congested = false
  /// People were told that its budget is used up.
  var isOverBudget = false
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
    allowance = Allowance(limits: settings.limits, budget: settings.budget, now: now)
    if !settings.batches.isEmpty { desk = BatchDesk(settings.batches) }
  }

  /// Takes over a newer definition.
  mutating func configure(_ newer: TargetSettings, now: Timestamp) {
    allowance.configure(limits: newer.limits, budget: newer.budget, now: now)
    if desk != nil { desk?.shapes = newer.batches } else if !newer.batches.isEmpty { desk = BatchDesk(newer.batches) }
    settings = newer
  }

  enum Passage: Equatable {
    case go
    /// Nothing before this moment; nil: not before something happens.
    case wait(Timestamp?)
  }

  /// Whether a request may go now, as far as the target itself is concerned.
  mutating func passage(_ now: Timestamp) -> Passage {
    if !settings.enabled { return .wait(nil) }
    if let closed = closedUntil { return probe(at: closed, now) }
    if isFull { return .wait(allowance.notBefore.flatMap { $0 > now ? $0 : nil }) }
    return allowance.wait(now).map { .wait($0) } ?? .go
  }

  /// As many requests are in flight as may be.
  var isFull: Bool { inFlight - joined >= allowance.concurrency(of: settings.concurrency) }

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

  /// Notes that a request goes, for so many deliveries.
  mutating func depart(items: Int = 1) {
    inFlight += items
    joined += items - 1
    allowance.depart()
  }

  /// The request that was to go needs none: its share of the limits is there for another.
  mutating func giveBack() {
    inFlight -= 1
    allowance.giveBack()
  }

  /// Jobs kept in memory at most where memory is not spare; more become rows.
  var capacity: Int { max(settings.memory, settings.concurrency * 8) }

  /// How many rows to claim now: none while enough is in memory, one for a probe.
  var room: Int {
    if !isOpen { return queued == 0 && inFlight == 0 ? 1 : 0 }
    return queued < capacity / 2 ? capacity - queued : 0
  }
}
