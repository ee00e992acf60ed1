// When a delivery that failed goes again, and when it is given up. Pure: time and randomness are arguments.

/// What follows a failed attempt.
package enum RetryDecision: Sendable, Hashable {
  /// Another attempt at this moment.
  case again(at: Timestamp)
  /// No more: the period or the number of attempts is used up.
  case giveUp(Reason)
}

extension RetrySettings {
  /// Time not counted by `for`, at most: held, limited, behind an open breaker.
  package static let greatestStanding = Span.days(7)

  /// Full jitter: uniform(0, min(cap, base · 2ⁿ)) before attempt n+1 (n from 0)
  /// (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
  package func backoff(after attempts: Int, using generator: inout some RandomNumberGenerator) -> Span {
    let exponent = min(max(attempts - 1, 0), 40)
    let (product, overflow) = base.milliseconds.multipliedReportingOverflow(by: 1 << Int64(exponent))
    let ceiling = overflow ? cap.milliseconds : min(cap.milliseconds, product)
    return Span(milliseconds: Int64.random(in: 0...max(0, ceiling), using: &generator))
  }

  /// Rules on a delivery whose attempt failed in a way that may pass.
  ///
  /// `wait` is what the target asked for (a second at least, or the backoff's base where that is less); nil: backoff, and
  /// at least `least`.
  /// The last attempt is moved up to the end of the period rather than lost.
  package func decide(
    _ delivery: Delivery, wait: Span?, now: Timestamp, using generator: inout some RandomNumberGenerator
  ) -> RetryDecision {
    if let attempts, delivery.counted >= attempts {
      return .giveUp(Reason("attempts_exhausted", "all \(attempts) attempts failed"))
    }
    let uncounted = min(delivery.stood, Self.greatestStanding)
    let end = (delivery.firstAttemptAt ?? now) + period + uncounted
    guard now < end else {
      return .giveUp(Reason("retry_period_over", "no attempt succeeded within \(period.duration)"))
    }
    let shortest = min(base, .seconds(1))
    let pause =
      wait.map { max($0, shortest) } ?? max(self.least, backoff(after: delivery.counted, using: &generator))
    return .again(at: min(now + pause, max(end, now + .milliseconds(1))))
  }
}
