// When tokens are fetched, renewed, stored and waited for. Facts go in, orders come out; it never acts.

/// Names one token request; comes back with what came of it. Never reused.
package struct TokenFetchID: Sendable, Hashable {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// What a request to a target is sent with.
package struct TokenAccess: Sendable, Hashable {
  /// Which token of its credential it is: counted from 1.
  package var serial: Int
  package var token: String
  /// Scheme and host in place of those of the target's `url`; nil: the target's own.
  package var base: String?
  package init(serial: Int, token: String, base: String?) {
    self.serial = serial
    self.token = token
    self.base = base
  }
}

/// What the shell must do after a turn.
package struct TokenOrders: Sendable {
  /// Token requests to send now; say `fetched`.
  package var fetches: [(credential: String, id: TokenFetchID)] = []
  /// Refresh tokens to put on disk now; say `kept`.
  package var keeps: [(credential: String, refresh: String)] = []
  /// Parked ones whose secrets are to be looked at; say `mended` where they changed.
  package var looks: [String] = []
  /// What the delivery machine must hear.
  package var standings: [(credential: String, standing: CredentialStanding)] = []
  /// What people must know, and its end (`text` nil).
  package var alarms: [(credential: String, text: String?)] = []
  package init() {}
}

/// The tokens of all credentials. One owner calls it; each method takes a fact, `orders()` ends the turn.
///
/// Life of a credential: no token → fetching (one request at a time) → [its new refresh token is being stored] → fresh →
/// renewed before its end, the old token staying in use until the new one is there. Refused by its endpoint it is parked.
package struct TokenMachine: Sendable {
  /// A parked credential is tried again this often, and its secrets are looked at that often.
  package static let probeEvery = Span.minutes(15)
  package static let lookEvery = Span.seconds(5)
  /// The longest wait that an endpoint is granted.
  package static let longestWait = Span.hours(1)
  /// So many failures in a row without a usable token are an alarm.
  static let alarmingFailures = 3
  /// So long a wait for the cap without a usable token is one, too.
  static let alarmingWait = Span.minutes(1)

  struct Token: Sendable {
    var access: TokenAccess
    var mintedAt: Timestamp
    var until: Timestamp
    var renewAt: Timestamp
    var scope: String?
  }

  struct Parking: Sendable {
    var reason: Reason
    var since: Timestamp
    var probeAt: Timestamp
    var lookAt: Timestamp
  }

  struct Keeping: Sendable {
    var grant: TokenGrant
    var startedAt: Timestamp
    var isUnderWay: Bool
    var againAt: Timestamp
    /// It came of an operator's trial.
    var isTrial = false
    /// It was asked for by the definition before this one: its refresh token is kept, its token is not used.
    var isForeign = false
  }

  struct Entry: Sendable {
    var definition: OAuth2Definition
    var token: Token?
    var serial = 0
    /// `isTrial`: by hand, whatever there was.
    var fetch: (id: TokenFetchID, startedAt: Timestamp, isTrial: Bool)?
    /// A request of the definition before this one: until it has ended none is sent, since the vendor may be about to
    /// replace the refresh token that both are made with.
    var stray: TokenFetchID?
    var keeping: Keeping?
    var parking: Parking?
    var failures = 0
    var lastFailure: Reason?
    var notBefore: Timestamp?
    /// Token requests within the cap's time, the oldest first.
    var mints: [Timestamp] = []
    var told = CredentialStanding.ready
    /// Nil: an alarm of the last process may be up.
    var isAlarmed: Bool?
    /// An operator's trial: a fetch at once, whatever there is.
    var isForced = false
  }

  private(set) var entries: [String: Entry] = [:]
  private var fetchCount: UInt64 = 0
  private var random: SplitMix64
  private var pending = TokenOrders()

  package init(seed: UInt64) { random = SplitMix64(state: seed) }

  /// No more requests: what is under way may end.
  private var stopping = false

  // MARK: Facts

  /// No token is fetched any more; what is under way may end, and a new refresh token is still put on disk.
  package mutating func stop() { stopping = true }

  /// Takes over the credentials of a configuration. One that is as it was keeps its token; another is fetched anew. Parked
  /// ones are tried at once, since the change may be the remedy.
  package mutating func configure(_ definitions: [String: OAuth2Definition], now: Timestamp) {
    for name in entries.keys where definitions[name] == nil {
      if entries[name]?.isAlarmed == true { pending.alarms.append((name, nil)) }
      pending.standings.append((name, .ready))
      entries[name] = nil
    }
    for (name, definition) in definitions {
      if entries[name]?.definition == definition {
        mended(name, now: now)
      } else {
        entries[name] = Entry(definition: definition, after: entries[name], now: now)
      }
    }
  }

  /// Takes over the token requests that the last process made: the cap counts them, too.
  package mutating func restore(mints: [String: [Timestamp]], now: Timestamp) {
    for (name, times) in mints {
      entries[name]?.mints = times.filter { $0 <= now }.sorted()
      entries[name]?.forgetMints(now)
    }
  }

  /// A token request ended. Nothing where the credential is another one by now.
  package mutating func fetched(_ name: String, _ id: TokenFetchID, _ outcome: TokenOutcome, now: Timestamp) {
    guard var entry = entries[name] else { return }
    if entry.stray == id { return strayed(name, outcome, now: now) }
    guard let fetch = entry.fetch, fetch.id == id else { return }
    entry.fetch = nil
    switch outcome {
    case .granted(let grant) where grant.refresh != nil:
      entry.keeping = Keeping(
        grant: grant, startedAt: fetch.startedAt, isUnderWay: false, againAt: now, isTrial: fetch.isTrial)
    case .granted(let grant): adopt(grant, startedAt: fetch.startedAt, isTrial: fetch.isTrial, &entry, now)
    case .failed(let reason, let wait): fail(reason, wait, &entry, now)
    case .refused(let reason): refuse(reason, isTrial: fetch.isTrial, &entry, now)
    }
    entries[name] = entry
  }

  /// What the definition before this one asked for: a new refresh token is the only one that is good from now on.
  private mutating func strayed(_ name: String, _ outcome: TokenOutcome, now: Timestamp) {
    entries[name]?.stray = nil
    guard case .granted(let grant) = outcome, grant.refresh != nil else { return }
    entries[name]?.keeping = Keeping(grant: grant, startedAt: now, isUnderWay: false, againAt: now, isForeign: true)
  }

  /// The refresh token is on disk (nil), or why not: then the token waits with it, and storing is tried again.
  package mutating func kept(_ name: String, _ failure: Reason?, now: Timestamp) {
    guard var entry = entries[name], let keeping = entry.keeping, keeping.isUnderWay else { return }
    if let failure {
      entry.keeping?.isUnderWay = false
      entry.keeping?.againAt = now + Self.lookEvery
      park(failure, &entry, now)
    } else {
      entry.keeping = nil
      entry.parking = nil
      if !keeping.isForeign {
        adopt(keeping.grant, startedAt: keeping.startedAt, isTrial: keeping.isTrial, &entry, now)
      }
    }
    entries[name] = entry
  }

  /// A target refused the token of this serial. True: the delivery may go again with another one; false: this one is
  /// refused although it is new to the delivery (`again`), so that the fault is not the token's age.
  package mutating func refused(_ name: String, serial: Int, again: Bool, now: Timestamp) -> Bool {
    guard let token = entries[name]?.token else { return entries[name] != nil }
    if token.access.serial != serial { return true }
    if again { return false }
    entries[name]?.token = nil
    return true
  }

  /// Somebody did something about it: a parked one is tried at once, one that waits does not wait any longer.
  package mutating func mended(_ name: String, now: Timestamp) {
    guard entries[name] != nil else { return }
    entries[name]?.notBefore = nil
    entries[name]?.parking?.probeAt = now
    entries[name]?.keeping?.againAt = now
  }

  /// By hand: a token is fetched at once, whatever there is. A refusal parks nothing that has a token in use.
  package mutating func renew(_ name: String, now: Timestamp) {
    mended(name, now: now)
    entries[name]?.isForced = true
  }

  // MARK: Looking

  /// What a request may be sent with now; nil: there is no token.
  package func access(_ name: String, now: Timestamp) -> TokenAccess? {
    guard let token = entries[name]?.token, now < token.until else { return nil }
    return token.access
  }

  /// Whether the credential has tokens.
  package func has(_ name: String) -> Bool { entries[name] != nil }

  /// Its definition as it is in force.
  package func definition(_ name: String) -> OAuth2Definition? { entries[name]?.definition }

  /// Requests and stores that are under way.
  package var inFlight: Int {
    entries.values.count { $0.fetch != nil || $0.stray != nil || $0.keeping?.isUnderWay == true }
  }

  /// When the credential's token requests went out that its cap counts; empty where it has none.
  package func mints(_ name: String) -> [Timestamp] { entries[name]?.mints ?? [] }

  /// When to call `orders` at the latest; nil: not before another fact.
  package var nextWake: Timestamp? { stopping ? nil : entries.values.compactMap { wake($0) }.min() }

  private func wake(_ entry: Entry) -> Timestamp? {
    var times = [entry.token?.until].compactMap { $0 }
    if let keeping = entry.keeping {
      if !keeping.isUnderWay { times.append(keeping.againAt) }
    } else if entry.fetch == nil, entry.stray == nil {
      times.append(max(dueAt(entry), entry.nextMint))
      if let parking = entry.parking { times.append(parking.lookAt) }
    }
    return times.min()
  }

  /// When the next fetch is due, but for the cap.
  func dueAt(_ entry: Entry) -> Timestamp {
    if entry.isForced { return entry.notBefore ?? Timestamp(milliseconds: 0) }
    let wish = entry.parking?.probeAt ?? entry.token?.renewAt ?? Timestamp(milliseconds: 0)
    return max(wish, entry.notBefore ?? wish)
  }

  // MARK: The turn

  /// Ends the turn: everything that follows from the facts and the time.
  package mutating func orders(now: Timestamp) -> TokenOrders {
    for name in entries.keys {
      guard var entry = entries[name] else { continue }
      if let token = entry.token, now >= token.until { entry.token = nil }
      advance(name, &entry, now)
      tell(name, &entry, now)
      entries[name] = entry
    }
    defer { pending = TokenOrders() }
    return pending
  }

  private mutating func advance(_ name: String, _ entry: inout Entry, _ now: Timestamp) {
    if let keeping = entry.keeping {
      guard !keeping.isUnderWay, keeping.againAt <= now, let refresh = keeping.grant.refresh else { return }
      entry.keeping?.isUnderWay = true
      return pending.keeps.append((name, refresh))
    }
    guard entry.fetch == nil, entry.stray == nil else { return }
    if let parking = entry.parking, parking.lookAt <= now {
      entry.parking?.lookAt = now + Self.lookEvery
      pending.looks.append(name)
    }
    entry.forgetMints(now)
    guard !stopping, dueAt(entry) <= now, entry.nextMint <= now else { return }
    fetchCount += 1
    let id = TokenFetchID(rawValue: fetchCount)
    entry.fetch = (id, now, entry.isForced)
    entry.isForced = false
    entry.mints.append(now)
    entry.parking?.probeAt = now + Self.probeEvery
    pending.fetches.append((name, id))
  }

  private mutating func tell(_ name: String, _ entry: inout Entry, _ now: Timestamp) {
    let standing = standing(entry)
    if standing != entry.told {
      entry.told = standing
      pending.standings.append((name, standing))
    }
    if let text = entry.alarm(name, now) {
      if entry.isAlarmed != true { pending.alarms.append((name, text)) }
      entry.isAlarmed = true
    } else if entry.isAlarmed != false, entry.token != nil {
      pending.alarms.append((name, nil))
      entry.isAlarmed = false
    }
  }

  private func standing(_ entry: Entry) -> CredentialStanding {
    if entry.token != nil { return .ready }
    return entry.parking.map { .parked($0.reason) } ?? .away
  }

  // MARK: What an answer makes of a credential

  private func adopt(
    _ grant: TokenGrant, startedAt: Timestamp, isTrial: Bool, _ entry: inout Entry, _ now: Timestamp
  ) {
    if let fault = grant.fault { return refuse(fault, isTrial: isTrial, &entry, now) }
    let life = max(grant.life ?? entry.definition.expires, .seconds(1))
    let early = min(entry.definition.renewBefore, Span(milliseconds: life.milliseconds / 2))
    entry.serial += 1
    entry.token = Token(
      access: TokenAccess(serial: entry.serial, token: grant.access, base: grant.base), mintedAt: now,
      until: startedAt + life, renewAt: startedAt + Span(milliseconds: life.milliseconds - early.milliseconds),
      scope: grant.scope)
    entry.parking = nil
    entry.failures = 0
    entry.lastFailure = nil
    entry.notBefore = nil
  }

  private mutating func fail(_ reason: Reason, _ wait: Span?, _ entry: inout Entry, _ now: Timestamp) {
    entry.failures += 1
    entry.lastFailure = reason
    let growing = RetrySettings(period: .hours(24), base: .seconds(2), cap: .minutes(5), attempts: nil)
    let pause = wait.map { min($0, Self.longestWait) } ?? growing.backoff(after: entry.failures, using: &random)
    entry.notBefore = now + max(pause, .seconds(1))
  }

  /// No token is to be had. Where only a trial says so, deliveries go on with the token that they have: the next renewal
  /// decides.
  private func refuse(_ reason: Reason, isTrial: Bool, _ entry: inout Entry, _ now: Timestamp) {
    guard isTrial, entry.token != nil, entry.parking == nil else { return park(reason, &entry, now) }
    entry.lastFailure = reason
  }

  private func park(_ reason: Reason, _ entry: inout Entry, _ now: Timestamp) {
    entry.failures = 0
    let since = entry.parking?.since ?? now
    entry.parking = Parking(
      reason: reason, since: since, probeAt: now + Self.probeEvery, lookAt: now + Self.lookEvery)
  }
}

extension TokenMachine.Entry {
  /// The entry of a definition that replaces another. The old one's token is not used any more; what is under way for
  /// it ends first, and the refresh token that it was given is kept.
  init(definition: OAuth2Definition, after old: Self?, now: Timestamp) {
    self.init(definition: definition)
    guard let old else { return }
    mints = old.mints
    serial = old.serial
    told = old.told
    isAlarmed = old.isAlarmed
    stray = old.stray ?? old.fetch?.id
    guard definition.grant == .refreshToken || old.keeping?.isUnderWay == true else { return }
    keeping = old.keeping
    keeping?.isForeign = true
    keeping?.againAt = now
  }

  mutating func forgetMints(_ now: Timestamp) {
    guard let cap = definition.mints else { return mints = [] }
    mints.removeAll { $0 + cap.per <= now }
  }

  /// When the cap lets the next request through.
  var nextMint: Timestamp {
    guard let cap = definition.mints, mints.count >= cap.count else { return Timestamp(milliseconds: 0) }
    return mints[mints.count - cap.count] + cap.per
  }

  /// Why the cap keeps it without a token; nil: it does not.
  var capReason: Reason? {
    guard token == nil, fetch == nil, stray == nil, keeping == nil, let cap = definition.mints, mints.count >= cap.count
    else { return nil }
    return Reason(
      "mints_used_up",
      "as many tokens were asked for as `mints` allows (\(cap.count) in \(cap.per.duration)); the next at \(nextMint.iso8601)"
    )
  }

  /// What people must know of it now; nil: nothing.
  func alarm(_ name: String, _ now: Timestamp) -> String? {
    if let parking {
      let remedy =
        definition.grant == .refreshToken
        ? "mend its secrets, or get a new refresh token: divert auth \(name)"
        : "mend its secrets, then: divert auth \(name) --test"
      let effect =
        token.map { "its targets' deliveries go on with the present token until \($0.until.iso8601), then wait" }
        ?? "its targets' deliveries wait"
      return "credential \(name) is parked, \(effect): \(parking.reason.sentence); \(remedy)"
    }
    guard token == nil else { return nil }
    let waits = "credential \(name) gets no token, its targets' deliveries wait: "
    if let capReason, nextMint - now > TokenMachine.alarmingWait { return waits + capReason.sentence }
    guard failures >= TokenMachine.alarmingFailures, let lastFailure else { return nil }
    return waits + lastFailure.sentence
  }
}
