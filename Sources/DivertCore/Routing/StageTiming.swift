// What time and the suppression list say of a delivery whenever it passes a gate (between steps 6 and 7 of the line): that it has
// expired, that its customer is not to be written to, or that it is held until its allowed hours.

extension RequestRecipe {
  /// Nil: nothing speaks against it now.
  func judged(_ plan: PlannedDelivery, _ due: DueContext) -> Stage? {
    if let expires = plan.expires, expires <= due.now { return .expired(expiry(expires)) }
    if let suppression = due.suppression, let message = messageClass, suppression.withholds(message) {
      return .skip(withheld(suppression, message))
    }
    // A replay is held for people's sake alone.
    guard let hours = send.timing.hours, !due.isReplay || messageClass != nil, !hours.allows(due.now) else {
      return nil
    }
    return hold(hours, due.now)
  }

  /// Its route may be gone, its action says what it is.
  private var messageClass: MessageClass? { send.messageClass ?? action.messageClass }

  /// Why a delivery that expired at this moment is not sent.
  package func expiry(_ time: Timestamp) -> Reason {
    let span = send.timing.expires.map { ", \($0.duration) after the event" } ?? ""
    return Reason("expired", "it was to be sent before \(time.iso8601(in: zone))\(span)")
  }

  private func withheld(_ suppression: Suppression, _ message: MessageClass) -> Reason {
    let until = suppression.until.map { " until \($0.iso8601(in: zone))" } ?? ""
    let what = suppression.coversAnswers ? "no message" : "no message but an answer"
    return Reason(
      "suppressed",
      "the customer is on the suppression list (\(suppression.reason)): \(what) is sent\(until), and this one is of the class "
        + message.rawValue)
  }

  private func hold(_ hours: AllowedHours, _ now: Timestamp) -> Stage {
    guard let next = hours.next(from: now) else {
      // Refused when the file is read; should the calendar run out, somebody may write another.
      return .hold(until: now + .days(1), Reason("outside_hours", "its allowed hours (\(hours.words)) never come"))
    }
    let sentence = "its allowed hours (\(hours.words)) begin at \(next.iso8601(in: zone))"
    return .hold(until: max(next, now + .milliseconds(1)), Reason("outside_hours", sentence))
  }
}
