// A credential's side of the delivery machine: what all targets that use it may send together (step 6 of the line).

/// What the machine must know of a credential's definition.
package struct CredentialSettings: Sendable, Hashable {
  package var limits: [RateLimit]
  /// Requests in flight over all its targets; nil: no bound of its own.
  package var concurrency: Int?
  package var budget: Budget?
  /// Its token is renewed where an answer says that it has ended; else such an answer holds the target.
  package var renews: Bool

  package init(limits: [RateLimit] = [], concurrency: Int? = nil, budget: Budget? = nil, renews: Bool = false) {
    self.limits = limits
    self.concurrency = concurrency
    self.budget = budget
    self.renews = renews
  }

  package init(_ definition: CredentialDefinition) {
    self.init(
      limits: definition.limits, concurrency: definition.concurrency, budget: definition.budget,
      renews: definition.oauth2 != nil)
  }
}

/// Limits, pause and standing of one credential, and the line of targets that wait for it.
struct CredentialGate: Sendable {
  let name: String
  private(set) var settings: CredentialSettings
  var allowance: Allowance
  var standing = CredentialStanding.ready
  /// Requests under way, or being recorded as such.
  private(set) var inFlight = 0
  /// The most that ever were.
  private var peak = 1
  /// Targets with something to send, each once; the first one's turn is next.
  var line = RingBuffer<Int>()
  var touched = false
  /// People were told that its budget is used up.
  var isOverBudget = false
  /// The time for which a timer is set.
  var wakeAt: Timestamp?

  init(name: String, settings: CredentialSettings, now: Timestamp) {
    self.name = name
    self.settings = settings
    allowance = Allowance(limits: settings.limits, budget: settings.budget, now: now)
  }

  mutating func configure(_ newer: CredentialSettings, now: Timestamp) {
    allowance.configure(limits: newer.limits, budget: newer.budget, now: now)
    settings = newer
  }

  /// Whether a request of any of its targets may go now.
  mutating func passage(_ now: Timestamp) -> TargetGate.Passage {
    if standing != .ready { return .wait(nil) }
    if isFull { return .wait(allowance.notBefore.flatMap { $0 > now ? $0 : nil }) }
    return allowance.wait(now).map { .wait($0) } ?? .go
  }

  /// As many requests are in flight as may be. Without a bound of its own it has one only while it is slowed: a share of
  /// the most that ever were.
  var isFull: Bool {
    guard let bound = settings.concurrency ?? (allowance.adaptive.isWhole ? nil : peak) else { return false }
    return inFlight >= allowance.concurrency(of: bound)
  }

  /// Notes that a request goes.
  mutating func depart() {
    inFlight += 1
    peak = max(peak, inFlight)
    allowance.depart()
  }

  mutating func arrive() { inFlight -= 1 }

  var isParked: Bool {
    if case .parked = standing { true } else { false }
  }
}
