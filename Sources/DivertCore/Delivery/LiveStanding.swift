// How targets and credentials stand now, for people: states, what they wait for, and how much of their limits is used.

/// A target as the machine has it now.
package struct LiveStanding: Sendable, Hashable {
  package enum State: String, Sendable, Hashable {
    case open, paused, held, disabled
    /// Switched off in the configuration.
    case off
    /// Its circuit breaker is open.
    case broken
    /// It asked for less, or its rate limit, budget or credential is used up.
    case limited
    /// Its credential can not be used until somebody mends it.
    case parked
  }
  package var state: State
  package var reason: Reason?
  package var since: Timestamp?
  /// When something may go again.
  package var probeAt: Timestamp?
  package var inFlight: Int
  package var queued: Int
  /// Attempts that ended since the start.
  package var attempts: [AttemptOutcome: Int]
  /// How much of its limits it is given, in percent: less than 100 after it asked for less.
  package var share = 100
  package var credential: LiveCredential?
  /// Requests with several deliveries that ended since the start.
  package var batches = 0

  package init(
    state: State, inFlight: Int, queued: Int, reason: Reason? = nil, since: Timestamp? = nil, probeAt: Timestamp? = nil,
    attempts: [AttemptOutcome: Int] = [:]
  ) {
    self.state = state
    self.reason = reason
    self.since = since
    self.probeAt = probeAt
    self.inFlight = inFlight
    self.queued = queued
    self.attempts = attempts
  }
}

/// A credential as the machine has it now: the same for all its targets.
package struct LiveCredential: Sendable, Hashable {
  package var name: String
  package var standing: CredentialStanding
  package var inFlight: Int
  /// Targets that wait for it.
  package var inLine: Int
  /// How much of its limits it is given, in percent.
  package var share: Int
  /// Requests of the day or hour that runs; nil: it has no budget.
  package var spent: Int?
  /// Why nothing goes, and until when; nil: something may.
  package var pause: Allowance.Pause?
  package var until: Timestamp?
}

extension DeliveryMachine {
  /// Every target that was seen, as it is now.
  package mutating func standing(now: Timestamp) -> [String: LiveStanding] {
    var result: [String: LiveStanding] = [:]
    for target in gates.indices { result[gates[target].name] = standing(of: target, now) }
    return result
  }

  private mutating func standing(of target: Int, _ now: Timestamp) -> LiveStanding {
    let credential = gates[target].credential.map { look(at: $0, now) }
    let (state, reason, until) = state(of: target, credential, now)
    let gate = gates[target]
    var live = LiveStanding(
      state: state, inFlight: gate.inFlight, queued: gate.queued, reason: reason, since: gate.ruling?.since,
      probeAt: until, attempts: gate.attempts)
    live.share = gate.allowance.adaptive.percent
    live.credential = credential
    live.batches = gate.batches
    return live
  }

  private mutating func look(at place: Int, _ now: Timestamp) -> LiveCredential {
    let pause = credentials[place].allowance.pause(now)
    let gate = credentials[place]
    return LiveCredential(
      name: gate.name, standing: gate.standing, inFlight: gate.inFlight, inLine: gate.line.count,
      share: gate.allowance.adaptive.percent, spent: gate.allowance.budget?.spent, pause: pause?.why,
      until: pause?.until)
  }

  private mutating func state(
    of target: Int, _ credential: LiveCredential?, _ now: Timestamp
  ) -> (LiveStanding.State, Reason?, Timestamp?) {
    let gate = gates[target]
    if !gate.settings.enabled { return (.off, nil, nil) }
    switch gate.ruling?.kind {
    case .paused: return (.paused, gate.ruling?.reason, nil)
    case .disabled: return (.disabled, gate.ruling?.reason, nil)
    case .held: return (.held, gate.ruling?.reason, gate.probeAt)
    case nil: break
    }
    if case .parked(let reason)? = credential?.standing { return (.parked, reason, nil) }
    if let until = gate.breaker.openUntil {
      return (.broken, Reason("breaker_open", "failures in a row; tried again one at a time"), until)
    }
    if gate.queued == 0 { return (.open, nil, nil) }
    return limit(of: target, credential, now) ?? (.open, nil, nil)
  }

  /// What a target with something to send waits for; nil: for nothing but its own requests in flight.
  private mutating func limit(
    of target: Int, _ credential: LiveCredential?, _ now: Timestamp
  ) -> (LiveStanding.State, Reason?, Timestamp?)? {
    if !gates[target].isFull, let (why, until) = gates[target].allowance.pause(now) {
      return (.limited, why.reason(of: "the target"), until)
    }
    guard let credential, gates[target].enlisted else { return nil }
    let name = "its credential '\(credential.name)'"
    if credential.standing == .away {
      return (.limited, Reason("credential_away", "a token for \(name) is being fetched"), nil)
    }
    if let pause = credential.pause { return (.limited, pause.reason(of: name), credential.until) }
    return (.limited, Reason("credential_full", "\(name) has as many requests in flight as may be"), nil)
  }
}

extension Allowance.Pause {
  fileprivate func reason(of whom: String) -> Reason {
    switch self {
    case .throttled: Reason("throttled", "\(whom) asked for less")
    case .quota: Reason("quota_used_up", "an answer said that \(whom) has nothing left")
    case .limit: Reason("limit_used_up", "the rate limit of \(whom) is used up")
    case .budget: Reason("budget_used_up", "the budget of \(whom) is used up")
    }
  }
}
