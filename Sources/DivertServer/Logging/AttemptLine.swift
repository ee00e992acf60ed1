// The canonical line of every attempt: the same fields in the same order, whatever came of it.

package import DivertCore
import Logging

extension LogWriter {
  /// Writes `event=attempt id event_id route target action stage attempt batch outcome status ms reason due`. `stage` is what was
  /// asked where that is not the delivery's own request (`lookup account`); `number` counts the delivery's attempts from 1;
  /// `items` the deliveries in the request, written where there are several; `due` is when the next one may go, nil where there
  /// is none. No payload, no phone.
  package func attempt(
    _ attempt: Attempt, of delivery: Delivery, number: Int, items: Int = 1, due: Timestamp?, now: Timestamp
  ) {
    guard takes(.info) else { return }
    var line = LogLine(time: now, level: attempt.outcome.isGood ? .info : .warning, event: "attempt")
    line.field("id", written: delivery.id.append)
    line.field("event_id", written: delivery.id.event.append)
    line.field("route", delivery.plan.route)
    line.field("target", delivery.plan.target)
    line.field("action", delivery.plan.action)
    if let stage = attempt.stage { line.field("stage", stage) }
    line.field("attempt", Int64(number))
    if items > 1 { line.field("batch", Int64(items)) }
    line.field("outcome", attempt.outcome.rawValue)
    if let status = attempt.status { line.field("status", Int64(status)) }
    line.field("ms", attempt.duration.milliseconds)
    line.field("reason", attempt.reason.code)
    if let due { line.field("due", due) }
    write(line)
  }
}

extension AttemptOutcome {
  fileprivate var isGood: Bool { self == .ok || self == .okDuplicate }
}
