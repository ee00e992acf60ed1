// `record: { publish, every }`: the chain's head goes out now and then, as an event of Divert's own with durable deliveries.

import DivertCore
import Logging

/// Publishes heads the way alarms are sent: as events of source `divert`, planned by `record.publish`, retried and on record.
struct RecordPublisher: Sendable {
  var table: @Sendable () -> RouteTable
  var store: any Store
  var append: @Sendable (Append) -> Void
  var log: Logger

  /// Looked again at least this often, since clocks are set.
  private static let longest = Span.minutes(10)
  /// After a failure.
  private static let pause = Span.minutes(1)

  /// Publishes whenever it is due, by the configuration as it was at the call; returns when it is cancelled, or where nothing is
  /// to be published.
  func run() async {
    guard let every = table().parts.recordEvery, !table().parts.recordSends.isEmpty else { return }
    while !Task.isCancelled {
      let wait = await turn(every)
      try? await Task.sleep(for: .milliseconds(max(1, min(wait, Self.longest).milliseconds)))
    }
  }

  /// Publishes if it is due; how long until it is next.
  private func turn(_ every: Span) async -> Span {
    let store = store
    do {
      let (last, head) = try await Blocking.run { (try store.lastHeadPublished(), try store.recordHead()) }
      let now = WallClock.now()
      // A time that lies ahead: the clock was set back, and nobody waits for it to catch up.
      if let last, last <= now, now - last < every { return (last + every) - now }
      if head.entry == 0 { return Self.pause }
      publish(head, now)
      return every
    } catch {
      log.error("record_head", metadata: ["reason": "\(error)"])
      return Self.pause
    }
  }

  private func publish(_ head: RecordHead, _ now: Timestamp) {
    let table = table()
    let raw: JSONValue = [
      "event": .string(RecordHead.eventName), "entry": .number(head.entry), "head": .string(head.hash),
      "at": .string(now.iso8601), "text": .string("Divert's record stands at \(head)"),
    ]
    let fields = Event.Fields(name: RecordHead.eventName, at: now)
    let event = Event(
      id: EventID(sequence: 0, tag: 0), source: RouteTable.alarmSource, receivedAt: now, fields: fields,
      body: raw.encoded(), raw: raw)
    append(Append(event.content, dedupe: nil, planned: table.planHead(event), table: table))
    log.notice("record_head", metadata: ["entry": "\(head.entry)", "head": "\(head.hash)"])
  }
}
