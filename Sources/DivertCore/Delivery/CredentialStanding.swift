// Whether a credential can be used: what the token machine tells the delivery machine (step 6 of the line).

/// A credential's standing. Those without tokens are always `ready`.
package enum CredentialStanding: Sendable, Hashable {
  case ready
  /// A token is being fetched: deliveries wait in memory as far as there is room.
  case away
  /// No token is to be had until somebody mends it: deliveries wait on disk. Whoever parks it raises the alarm.
  case parked(Reason)

  /// As it is printed: `ready`, `away`, `parked`.
  package var name: String {
    switch self {
    case .ready: "ready"
    case .away: "away"
    case .parked: "parked"
    }
  }
}
