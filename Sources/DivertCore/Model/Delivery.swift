// One action of one route for one event, and its attempts. Everything that happens later is a delivery with a due time.

/// Which send of which route, to which target's action: what all deliveries of one send have in common. Shared by reference.
package final class PlannedSend: Sendable {
  /// The route's path from the top: `agent-declined/apology-now`.
  package let route: String
  /// The send's label: its `as:`, else its place in `send` counted from 0.
  package let send: String
  package let target: String
  package let action: String
  /// `sending` is on disk before the first byte leaves: a message to a person, or what is asked after or parked where no answer came.
  package let toPerson: Bool
  /// It goes out in stages: lookups, guards or steps come before its last request.
  package let prepares: Bool
  /// Its share of an idempotency key.
  let keyBytes: [UInt8]

  package init(route: String, send: String, target: String, action: String, toPerson: Bool, prepares: Bool = false) {
    self.prepares = prepares
    self.route = route
    self.send = send
    self.target = target
    self.action = action
    self.toPerson = toPerson
    keyBytes = IdempotencyKey.bytes(of: [route, send, target + "." + action, ""])
  }
}

extension PlannedSend: Hashable {
  package static func == (a: PlannedSend, b: PlannedSend) -> Bool {
    a === b
      || a.route == b.route && a.send == b.send && a.target == b.target && a.action == b.action
        && a.toPerson == b.toPerson && a.prepares == b.prepares
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(route)
    hasher.combine(send)
    hasher.combine(target)
    hasher.combine(action)
  }
}

/// A delivery as a plan makes it: which send, when, and behind which others.
package struct PlannedDelivery: Sendable, Hashable {
  package let origin: PlannedSend
  /// The value of `order_by`: deliveries of one target with the same key go out one after another. Nil: no order.
  package var orderKey: String?
  package var due: Timestamp
  /// From then on it is not sent any more but ends skipped, unless an attempt of it may have arrived. Nil: it never expires.
  package var expires: Timestamp?

  package var route: String { origin.route }
  package var send: String { origin.send }
  package var target: String { origin.target }
  package var action: String { origin.action }
  package var toPerson: Bool { origin.toPerson }
  package var prepares: Bool { origin.prepares }

  package init(_ origin: PlannedSend, orderKey: String?, due: Timestamp, expires: Timestamp? = nil) {
    self.origin = origin
    self.orderKey = orderKey
    self.due = due
    self.expires = expires
  }

  package init(
    route: String, send: String, target: String, action: String, orderKey: String?, due: Timestamp, toPerson: Bool,
    prepares: Bool = false, expires: Timestamp? = nil
  ) {
    let origin = PlannedSend(
      route: route, send: send, target: target, action: action, toPerson: toPerson, prepares: prepares)
    self.init(origin, orderKey: orderKey, due: due, expires: expires)
  }
}

/// Where a delivery stands: `waiting → sending → delivered | waiting | dead`, and `skipped`. The raw values are stored.
package enum DeliveryState: Int, Sendable, Hashable, CaseIterable {
  /// Goes out at its due time or later; becomes `sending`, `skipped` (cancelled) or `dead` (its target was dropped).
  case waiting = 0
  /// An attempt may be under way. On disk only for actions to a person; found so after a crash the attempt is ambiguous.
  case sending = 1
  /// The target took it. Final.
  case delivered = 2
  /// Given up; its content is a file in the dead-letter directory. Final, though a replay may plan another delivery.
  case dead = 3
  /// Ended without being sent, with the reason. Final.
  case skipped = 4

  /// The state's name as it is printed and exported.
  package var name: String { "\(self)" }
  package var isFinal: Bool { self == .delivered || self == .dead || self == .skipped }
}

/// Why something is as it is: a stable code for programs and a sentence for people. Holds no secret and no payload.
package struct Reason: Sendable, Hashable {
  /// Lower-case words joined by `_`; a value once published keeps its meaning (docs/reasons.md lists them).
  package var code: String
  package var sentence: String

  package init(_ code: String, _ sentence: String) {
    self.code = code
    self.sentence = sentence
  }
}

/// One HTTP exchange of a delivery, or the try of one.
package struct Attempt: Sendable, Hashable {
  package var startedAt: Timestamp
  /// From hand-over to libcurl to the end of the transfer.
  package var duration: Span
  /// The HTTP status; nil where no answer came.
  package var status: Int?
  package var outcome: AttemptOutcome
  package var reason: Reason
  /// The first bytes of the answer (at most 512) as text, secrets masked.
  package var answer: String
  /// What was asked before or after the delivery's own request: `lookup account`, `step note`, `verify`; nil: that itself.
  package var stage: String?

  package init(
    startedAt: Timestamp, duration: Span, status: Int?, outcome: AttemptOutcome, reason: Reason, answer: String,
    stage: String? = nil
  ) {
    self.stage = stage
    self.startedAt = startedAt
    self.duration = duration
    self.status = status
    self.outcome = outcome
    self.reason = reason
    self.answer = answer
  }
}

/// What the target's response rules made of an attempt. The raw values are stored and printed.
package enum AttemptOutcome: String, Sendable, Hashable, CaseIterable {
  /// The target took it.
  case ok
  /// The target had it already: as good as `ok`.
  case okDuplicate = "ok_duplicate"
  /// Worth another attempt after backoff.
  case retry
  /// The target asked for less: another attempt later, which does not count as one.
  case throttle
  /// The credential was refused and may be renewed (none of today's credentials can: treated as `hold`).
  case refresh
  /// Will never succeed: dead at once.
  case fail
  /// The whole target waits (its credential is refused): probed every 15 minutes.
  case hold
  /// The target is gone for good: it waits until somebody resumes it.
  case disable
  /// For actions to a person: the request left and no answer came, so nobody knows. Dead with reason `ambiguous`.
  case park
}

/// A delivery in full: a row of the store, an entry of the engine, the head of a dead letter.
package struct Delivery: Sendable {
  package var id: DeliveryID
  package var plan: PlannedDelivery
  /// The hash of the configuration that planned it; it keeps its routes, actions and arguments.
  package var version: String
  package var state: DeliveryState
  /// When the next attempt may go. `plan.due` stays the time it was planned for.
  package var due: Timestamp
  /// Why it waits, or how it ended.
  package var reason: Reason?
  package var attempts: [Attempt]
  /// Attempts that counted (a throttle does not).
  package var counted: Int
  /// When the first attempt began; `retry.for` runs from here.
  package var firstAttemptAt: Timestamp?
  /// Time spent held, paused, limited or behind an open breaker since the first attempt; not counted by `retry.for`.
  package var stood: Span
  /// The ordinal of the dead delivery that this one replays.
  package var replayOf: Int?
  /// For a dead one: the ordinal of the live or successful replay.
  package var replayedBy: Int?
  /// A request edited by hand in its dead letter, sent instead of a rendered one.
  package var edited: EditedRequest?
  /// Render under the configuration that planned it (`--as-was`), not under today's. Ordinary deliveries: true.
  package var asWas: Bool
  /// What it was given and has done so far.
  package var memo = DeliveryMemo()
  /// The target in whose queue it waits, when that is not its own: a lookup's.
  package var queue: String?
  /// Until when its allowed hours held it last. It stepped out of its line: its place there is by this, not by `plan.due`.
  package var held: Timestamp?

  package init(id: DeliveryID, plan: PlannedDelivery, version: String) {
    self.id = id
    self.plan = plan
    self.version = version
    self.state = .waiting
    self.due = plan.due
    self.reason = nil
    self.attempts = []
    self.counted = 0
    self.firstAttemptAt = nil
    self.stood = .zero
    self.replayOf = nil
    self.replayedBy = nil
    self.edited = nil
    self.asWas = true
  }
}

/// A request that a person wrote or changed in a dead-letter file. Secrets stand as `{{ secrets.name }}`.
package struct EditedRequest: Sendable, Hashable {
  package var method: String
  package var url: String
  package var headers: [HTTPHeader]
  /// The body as text; nil for none.
  package var body: String?
  /// The step whose request it is. Of a delivery's edited one: it goes in place of that step's, and the others follow; nil: it is
  /// all that goes out.
  package var step: String?

  package init(method: String, url: String, headers: [HTTPHeader], body: String?, step: String? = nil) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.step = step
  }
}

/// One header line.
package struct HTTPHeader: Sendable, Hashable {
  package var name: String
  package var value: String
  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}
