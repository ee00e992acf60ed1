// Alarms once per cause, and their recovery: so that a dead target is one message and not ten thousand.

/// Which causes are up. A hold ends when the target answers again; what only shows itself now and then (a cause of death, a
/// disk that is full for some writes) when it did not for an hour.
struct AlarmDesk: Sendable {
  static let quietAfter = Span.hours(1)

  private var raised: Set<String> = []
  /// Causes that are up and end by staying away, since when they have.
  private var quiet: [String: (target: String?, since: Timestamp)] = [:]
  private var notices: [AlarmNotice] = []

  /// Takes over the alarms that were up when the process ended. They end by staying away, but for those of `standing`, which
  /// somebody will clear.
  mutating func restore(_ alarms: [String: String], standing: Set<String>, now: Timestamp) {
    raised.formUnion(alarms.keys)
    for cause in alarms.keys where !standing.contains(cause) {
      let parts = cause.split(separator: ":", maxSplits: 2).dropFirst()
      quiet[cause] = (parts.first.map { String($0) }, now)
    }
  }

  mutating func raise(_ cause: String, target: String?, text: String) {
    quiet[cause] = nil
    guard raised.insert(cause).inserted else { return }
    notices.append(AlarmNotice(cause: cause, target: target, text: text, recovered: false))
  }

  mutating func clear(_ cause: String, target: String?, text: String) {
    quiet[cause] = nil
    guard raised.remove(cause) != nil else { return }
    notices.append(AlarmNotice(cause: cause, target: target, text: text, recovered: true))
  }

  /// The cause is not there now; it is over if it stays away.
  mutating func calm(_ cause: String, target: String?, now: Timestamp) {
    if raised.contains(cause) { quiet[cause] = (target, now) }
  }

  mutating func died(target: String, reason: Reason?, now: Timestamp) {
    let code = reason?.code ?? "unknown"
    let cause = "dead:\(target):\(code)"
    let sentence = reason?.sentence ?? ""
    raise(cause, target: target, text: "target \(target): first dead letter of cause \(code): \(sentence)")
    calm(cause, target: target, now: now)
  }

  /// When a cause may be over; nil: none that ends by staying away is up.
  var nextAt: Timestamp? { quiet.values.map { $0.since + Self.quietAfter }.min() }

  /// What was raised or cleared since the last call.
  mutating func take(now: Timestamp) -> [AlarmNotice] {
    for (cause, last) in quiet where now - last.since >= Self.quietAfter {
      clear(cause, target: last.target, text: "nothing more of \(cause) for an hour")
    }
    defer { notices = [] }
    return notices
  }
}
