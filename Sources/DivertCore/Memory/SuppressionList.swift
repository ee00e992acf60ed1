// The suppression list as it stands: read for every event and before every request of a message, written after each commit that
// changes it.

import Synchronization

/// A snapshot in memory of what the store holds. Any thread.
package final class SuppressionList: Sendable {
  private struct State: Sendable {
    var entries: [String: Suppression]
    /// Of entries whose phone was erased: all share one, as a rule.
    var salts: Set<String>

    init(_ entries: [String: Suppression]) {
      self.entries = entries
      salts = Set(entries.values.compactMap { $0.salt.map(String.init) })
    }

    /// The stricter one of the phone's own entry and the one that was left when it was erased.
    func entry(for phone: String, at now: Timestamp) -> Suppression? {
      let own = entries[phone].flatMap { $0.holds(at: now) ? $0 : nil }
      if salts.isEmpty || own?.coversAnswers == true { return own }
      let erased = salts.lazy.compactMap { entries[Suppression.erasedPhone(phone, salt: $0)] }.first {
        $0.holds(at: now)
      }
      return erased.map { $0.coversAnswers || own == nil ? $0 : own } ?? own
    }
  }

  private let state: Mutex<State>

  package init(_ entries: [Suppression] = []) { state = Mutex(State(Self.byPhone(entries))) }

  private static func byPhone(_ entries: [Suppression]) -> [String: Suppression] {
    Dictionary(entries.map { ($0.phone, $0) }) { $1 }
  }

  /// The entry that holds for a phone at a moment; nil: none, or there is no phone.
  package func entry(for phone: String?, at now: Timestamp) -> Suppression? {
    guard let phone else { return nil }
    return state.withLock { $0.entries.isEmpty ? nil : $0.entry(for: phone, at: now) }
  }

  /// By phone, those that have ended too.
  package var all: [Suppression] { state.withLock { $0.entries.values.sorted { $0.phone < $1.phone } } }

  /// As the store has it.
  package func replace(with entries: [Suppression]) {
    let new = State(Self.byPhone(entries))
    state.withLock { $0 = new }
  }

  /// What was committed, in its order.
  package func apply(_ changes: [SuppressionChange]) {
    if changes.isEmpty { return }
    state.withLock { state in
      for change in changes {
        switch change {
        case .add(let suppression):
          state.entries[suppression.phone] = suppression
          if let salt = suppression.salt { state.salts.insert(String(salt)) }
        case .remove(let phone, _): state.entries[phone] = nil
        }
      }
    }
  }
}
