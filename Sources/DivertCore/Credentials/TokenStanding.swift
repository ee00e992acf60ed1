// How credentials with tokens stand now, for people; and which credentials of a configuration have tokens.

/// A credential as the machine has it now. Holds no token.
package struct TokenStanding: Sendable, Hashable {
  package enum State: String, Sendable, Hashable { case fresh, fetching, waiting, parked }
  package var state: State
  package var reason: Reason?
  package var since: Timestamp?
  package var mintedAt: Timestamp?
  package var until: Timestamp?
  package var renewAt: Timestamp?
  /// When it is tried next, where it waits or is parked.
  package var nextAt: Timestamp?
  package var scope: String?
  package var base: String?
  /// Token requests within the cap's time.
  package var mints: Int
}

extension TokenMachine {
  /// The credential as it is now; nil: there is none of that name with tokens.
  package func standing(_ name: String) -> TokenStanding? {
    guard let entry = entries[name] else { return nil }
    let state: TokenStanding.State =
      entry.parking != nil ? .parked : entry.token != nil ? .fresh : entry.fetch != nil ? .fetching : .waiting
    return TokenStanding(
      state: state, reason: entry.parking?.reason ?? entry.capReason ?? entry.lastFailure, since: entry.parking?.since,
      mintedAt: entry.token?.mintedAt, until: entry.token?.until, renewAt: entry.token?.renewAt,
      nextAt: entry.fetch == nil && entry.token == nil ? max(dueAt(entry), entry.nextMint) : nil,
      scope: entry.token?.scope, base: entry.token?.access.base, mints: entry.mints.count)
  }

  /// A fetch or a store is under way.
  package func isBusy(_ name: String) -> Bool {
    guard let entry = entries[name] else { return false }
    return entry.fetch != nil || entry.stray != nil || entry.isForced || entry.keeping?.isUnderWay == true
  }

  /// The names of all credentials with tokens, sorted.
  package var names: [String] { entries.keys.sorted() }
}

extension RouteTable {
  /// The credentials that have tokens, and are some target's.
  package var tokens: [String: OAuth2Definition] {
    let used = Set(parts.targets.values.compactMap(\.credential))
    return parts.credentials.filter { used.contains($0.key) }.compactMapValues(\.oauth2)
  }
}
