// Times as an operator writes and reads them: `2h` (ago), a date, an ISO 8601 time; written in UTC.

package import DivertCore

package enum OperatorTime {
  /// ISO 8601 in UTC, with milliseconds.
  package static func text(_ t: Timestamp) -> String { t.iso8601 }

  /// Reads `--since` and `--until`: a length of time before `now` (`90s`, `2h`, `7d`, `1d 12h`), a date (its midnight in
  /// `zone`), or an ISO 8601 time (in `zone` where it names none).
  package static func read(_ text: String, now: Timestamp, zone: Zone) throws(OperatorFailure) -> Timestamp {
    if let span = Span(duration: text) { return now - span }
    if let moment = Timestamp(iso8601: text, in: zone) { return moment }
    throw .badRequest(
      "`\(text)` is no time: write how long ago (2h, 7d), a date (2026-01-15) or an ISO 8601 time (2026-01-15T10:30:00Z)"
    )
  }

  /// A length of time for people, in its two largest units: `2d 3h`, `45s`, `120ms`.
  package static func words(_ span: Span) -> String {
    let all = max(0, span.milliseconds)
    if all < 1000 { return "\(all)ms" }
    let seconds = all / 1000
    let parts = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")]
    guard let first = parts.firstIndex(where: { $0.0 > 0 }) else { return "0s" }
    return parts[first..<min(first + 2, parts.count)].filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }
      .joined(separator: " ")
  }
}
