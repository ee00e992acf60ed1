// Secrets at the speed of an event's path: read again every few seconds, so that a rotated one is taken up without a restart.

import DivertConfig
import DivertCore
import Synchronization

/// A secret store whose answers hold for a few seconds.
final class CachedSecrets: Sendable {
  private static let freshFor = Span.seconds(5)

  private struct Answer {
    var value: String?
    var readAt: Timestamp
  }

  private let store: SecretStore
  private let answers = Mutex<[String: Answer]>([:])

  init(_ store: SecretStore) { self.store = store }

  /// Every secret is read again when it is asked for next.
  func forget() { answers.withLock { $0 = [:] } }

  /// The secret's value; nil: there is none.
  func value(_ name: String) -> String? {
    let now = WallClock.now()
    if let known = answers.withLock({ $0[name] }), now - known.readAt < Self.freshFor { return known.value }
    let value = store.value(name)
    answers.withLock { $0[name] = Answer(value: value, readAt: now) }
    return value
  }
}
