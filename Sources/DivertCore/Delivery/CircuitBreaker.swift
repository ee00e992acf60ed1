// Keeps a dead target from being asked by every delivery: after failures in a row, one probe at a time.

/// Closed until `threshold` attempts in a row failed; then open for a while that doubles with each failed probe.
package struct CircuitBreaker: Sendable {
  package static let threshold = 10
  package static let firstPause = Span.seconds(5)
  package static let longestPause = Span.minutes(1)

  private var failures = 0
  private var openings = 0
  /// Until when nothing goes; nil: closed. Once passed, one probe may go.
  package private(set) var openUntil: Timestamp?

  package init() {}

  package var isOpen: Bool { openUntil != nil }

  /// The target answered, whatever it said of the request.
  package mutating func succeeded() { self = CircuitBreaker() }

  /// The target could not be reached, or was broken itself. While it is open only a probe's failure tells something new:
  /// the others were in flight when it opened.
  package mutating func failed(at now: Timestamp, probe: Bool) {
    failures += 1
    guard isOpen ? probe : failures >= Self.threshold else { return }
    let doubled = Self.firstPause.milliseconds << Int64(min(openings, 10))
    openings += 1
    openUntil = now + min(Span(milliseconds: doubled), Self.longestPause)
  }
}
