// The canonical line of every attempt: the same fields in the same order, whatever came of it.

package import DivertCore
import Logging

extension LogWriter {
  /// Writes `event=attempt id event_id route target action attempt outcome status ms reason due`. `number` counts the
  /// delivery's attempts from 1; `due` is when the next one may go, nil where there is none. No payload, no phone.
  package func attempt(_ attempt: Attempt, of delivery: Delivery, number: Int, due: Timestamp?, now: Timestamp) {
    guard takes(.info) else { return }
    var line = LogLine(time: now, level: attempt.outcome.isGood ? .info : .warning, event: "attempt")
    line.field("id", written: delivery.id.append)
    line.field("event_id", written: delivery.id.event.append)
    line.field("route", delivery.plan.route)
    line.field("target", delivery.plan.target)
    line.field("action", delivery.plan.action)
    line.field("attempt", Int64(number))
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
