// Divert's own alarms: each is a line in the log and, where `alarms:` says so, an event of its own with durable deliveries.

import DivertCore
import Logging

/// Sends alarms the way everything is sent: as an event of source `divert`, planned by `alarms:`, retried and on record.
struct AlarmBell: Sendable {
  /// The source of alarms in the store and in counts.
  static let source = RouteTable.alarmSource
  static let eventName = "DIVERT_ALARM"

  var table: @Sendable () -> RouteTable
  var append: @Sendable (Append) -> Void
  var log: Logger

  /// Announces an alarm or its recovery.
  func ring(_ notice: AlarmNotice) {
    let what = notice.recovered ? "alarm_over" : "alarm"
    log.log(
      level: notice.recovered ? .notice : .error, "\(what)",
      metadata: ["cause": "\(notice.cause)", "text": "\(notice.text)"])
    let table = table()
    if table.parts.alarms.isEmpty { return }
    let now = WallClock.now()
    let raw = body(notice, now)
    var fields = Event.Fields(name: Self.eventName, at: now)
    fields.status = notice.recovered ? "RECOVERED" : "RAISED"
    let event = Event(
      id: EventID(sequence: 0, tag: 0), source: Self.source, receivedAt: now, fields: fields, body: raw.encoded(),
      raw: raw)
    append(
      Append(event.content, dedupe: nil, planned: table.planAlarm(event), table: table))
  }

  private func body(_ notice: AlarmNotice, _ now: Timestamp) -> JSONValue {
    var object = JSONObject()
    object["event"] = .string(Self.eventName)
    object["cause"] = .string(notice.cause)
    object["target"] = notice.target.map { .string($0) }
    object["state"] = .string(notice.recovered ? "recovered" : "raised")
    object["text"] = .string((notice.recovered ? "Divert, over: " : "Divert: ") + notice.text)
    object["at"] = .string(now.iso8601)
    return .object(object)
  }
}
