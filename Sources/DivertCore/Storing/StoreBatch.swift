// What the owners ask of the store: one batch is one transaction, and one fsync.

/// Everything that one turn of the database thread commits, all or nothing.
package struct StoreBatch: Sendable {
  /// Step 4: events with their plans.
  package var appends: [Append] = []
  /// Step 12: how packed deliveries of an event stand now.
  package var packed: [PackedUpdate] = []
  /// Step 12: deliveries that have (or now need) a row of their own, whole; inserted or replaced.
  package var rows: [Delivery] = []
  /// Step 13: dead letters sent again.
  package var replays: [Replay] = []
  /// Step 13: dead letters that were put away by hand: they no longer count as dead that want attention; their state
  /// stays dead. One that is not dead is left as it is.
  package var drops: [DeliveryID] = []
  /// Plans made afresh for events that are stored (`divert rerun`).
  package var additions: [Addition] = []
  /// Waiting rows to end as skipped; claimed ones are left out.
  package var cancels: [Cancel] = []
  /// What was refused at the door.
  package var refusals: [Refusal] = []
  /// Rulings on targets that must outlive a restart; nil removes.
  package var targetStates: [String: TargetRuling?] = [:]
  /// Alarms that are up (with their sentence) or over (nil).
  package var alarms: [String: String?] = [:]
  /// What deliveries ask before they go out; each is judged, and claims what it may, in its order.
  package var questions: [DueQuestion] = []
  /// Deliveries that follow the end of another: `otherwise`, when that has expired. In the transaction that ends it.
  package var followUps: [FollowUp] = []
  package var suppressions: [SuppressionChange] = []
  /// What was spent of budgets, where that changed. No reason to commit: what it counts is committed anyway.
  package var budgets: [BudgetHolder: BudgetCount] = [:]

  package init() {}
  package var isEmpty: Bool {
    appends.isEmpty && packed.isEmpty && rows.isEmpty && replays.isEmpty && drops.isEmpty && additions.isEmpty
      && cancels.isEmpty && refusals.isEmpty && targetStates.isEmpty && alarms.isEmpty && questions.isEmpty
      && followUps.isEmpty && suppressions.isEmpty
  }
}

/// Deliveries planned since another of their event ended as it did. Those that the event has already are left out.
package struct FollowUp: Sendable {
  package var of: DeliveryID
  package var planned: [PlannedDelivery]
  package var version: String
  package init(of: DeliveryID, planned: [PlannedDelivery], version: String) {
    self.of = of
    self.planned = planned
    self.version = version
  }
}

/// An event to accept.
package struct Append: Sendable {
  package var content: EventContent
  /// Nil: never a duplicate.
  package var dedupe: DedupeEntry?
  /// What follows. Where it `asksMemory`, it is planned anew inside the transaction (`RouteTable.plan(_:suppression:memory:)`).
  package var plan: Plan
  package var planned: [PlannedDelivery] { plan.deliveries }
  /// The entry of the suppression list that held for the customer when it was received.
  package var suppression: Suppression?
  /// The configuration that planned it.
  package var table: RouteTable
  /// Targets whose deliveries get rows at once because they cannot go out now (held, full, backed up).
  /// Actions to a person always do, and so do those whose order key has an unfinished row. Nil: every target.
  package var congested: Set<String>?

  package var source: String { content.source }
  package var receivedAt: Timestamp { content.receivedAt }
  package var fields: Event.Fields { _read { yield content.fields } }
  package var body: [UInt8] { content.body }
  package var raw: JSONValue { content.raw }

  package init(
    _ content: EventContent, dedupe: DedupeEntry?, plan: Plan, table: RouteTable, suppression: Suppression? = nil,
    congested: Set<String>? = []
  ) {
    self.content = content
    self.dedupe = dedupe
    self.plan = plan
    self.table = table
    self.suppression = suppression
    self.congested = congested
  }

  /// What follows is known: deliveries alone.
  package init(_ content: EventContent, dedupe: DedupeEntry?, planned: [PlannedDelivery], table: RouteTable) {
    self.init(content, dedupe: dedupe, plan: Plan(deliveries: planned), table: table)
  }

  package init(
    source: String, receivedAt: Timestamp, fields: Event.Fields, body: [UInt8], raw: JSONValue, dedupe: DedupeEntry?,
    planned: [PlannedDelivery], table: RouteTable, congested: Set<String>?
  ) {
    self.init(
      EventContent(source: source, receivedAt: receivedAt, fields: fields, body: body, raw: raw), dedupe: dedupe,
      plan: Plan(deliveries: planned), table: table, congested: congested)
  }
}

/// What makes two events one: 16 bytes, and until when they count.
package struct DedupeEntry: Sendable, Hashable {
  package var key: [UInt8]
  /// Nil: as long as the record is kept. Else a later event with the key is a duplicate only if received before this.
  package var until: Timestamp?
  package init(key: [UInt8], until: Timestamp?) {
    self.key = key
    self.until = until
  }
}

/// How an event's packed deliveries stand: the whole list, by ordinal. The event stays open while one of them is.
package struct PackedUpdate: Sendable {
  package var event: EventID
  package var states: [PackedState]
  package init(event: EventID, states: [PackedState]) {
    self.event = event
    self.states = states
  }
}

/// One delivery that was planned with its event.
package enum PackedState: Sendable, Hashable {
  /// In its event's row, not attempted as far as the store knows: `waiting`.
  case open
  /// It has a row of its own, which says how it stands.
  case row
  /// Ended at its first attempt (`delivered`), or before it (`skipped`; the attempt is then the question that said so).
  case ended(DeliveryState, reason: Reason, attempt: Attempt?)
}

/// A dead letter to send again as a new delivery of the same event. It keeps the finished steps of the one that it replays.
package struct Replay: Sendable {
  package var original: DeliveryID
  /// The plan under which it goes (today's or the original's).
  package var plan: PlannedDelivery
  package var version: String
  package var asWas: Bool
  package var edited: EditedRequest?
  package init(original: DeliveryID, plan: PlannedDelivery, version: String, asWas: Bool, edited: EditedRequest?) {
    self.original = original
    self.plan = plan
    self.version = version
    self.asWas = asWas
    self.edited = edited
  }
}

/// More deliveries for a stored event. Those whose route, send, target and action it has already are left out.
package struct Addition: Sendable {
  package var event: EventID
  package var planned: [PlannedDelivery]
  package var version: String
  /// Opened with them, as far as they are not on record.
  package var promises: [Promise]
  /// What planning claimed; entered where a delivery is really added.
  package var claims: [BookClaim] = []
  package init(event: EventID, planned: [PlannedDelivery], version: String, promises: [Promise] = []) {
    self.event = event
    self.planned = planned
    self.version = version
    self.promises = promises
  }
}

/// A claim that was made outside the transaction that enters it.
package struct BookClaim: Sendable, Hashable {
  package var place: BookPlace
  package var entry: BookEntry
  package var span: Span
  package init(place: BookPlace, entry: BookEntry, span: Span) {
    self.place = place
    self.entry = entry
    self.span = span
  }
}

/// Which waiting deliveries to end. Every condition that is given must hold; at least one is.
package struct Cancel: Sendable {
  /// A route's path; its children are meant too.
  package var route: String?
  package var target: String?
  package var event: EventID?
  package var reason: Reason
  /// At most this many in one transaction; the caller goes on until fewer were ended.
  package var limit: Int
  package init(route: String?, target: String?, event: EventID?, reason: Reason, limit: Int) {
    self.route = route
    self.target = target
    self.event = event
    self.reason = reason
    self.limit = limit
  }

  /// Whether a delivery is meant.
  package func covers(_ id: DeliveryID, _ plan: PlannedDelivery) -> Bool {
    if let event, event != id.event { return false }
    if let target, target != plan.target { return false }
    if let route, route != plan.route, !plan.route.hasPrefix(route + "/") { return false }
    return true
  }
}

/// A request that was turned away at the door, counted as received.
package struct Refusal: Sendable, Hashable {
  package var source: String
  /// Its bytes are in quarantine (else it was refused and nothing is kept).
  package var quarantined: Bool
  package init(source: String, quarantined: Bool) {
    self.source = source
    self.quarantined = quarantined
  }
}

/// Whose budget it is.
package enum BudgetHolder: Sendable, Hashable {
  case target(String), credential(String)
}

/// What was spent of a budget in the day or hour that ends at `endsAt`.
package struct BudgetCount: Sendable, Hashable {
  package var spent: Int
  package var endsAt: Timestamp
  package init(spent: Int, endsAt: Timestamp) {
    self.spent = spent
    self.endsAt = endsAt
  }
}

/// Why a target stands still, across restarts.
package struct TargetRuling: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable {
    /// By hand; until resumed by hand.
    case paused
    /// Its credential was refused; probed every 15 minutes.
    case held
    /// It said that it is gone (410); until resumed by hand.
    case disabled
  }
  package var kind: Kind
  package var reason: Reason
  package var since: Timestamp
  package init(kind: Kind, reason: Reason, since: Timestamp) {
    self.kind = kind
    self.reason = reason
    self.since = since
  }
}

/// What a committed batch came to; every list in the order of its requests.
package struct StoreReceipt: Sendable {
  package var appends: [AppendOutcome] = []
  package var replays: [ReplayOutcome] = []
  /// The deliveries that an addition really added.
  package var additions: [[PlannedDelivery]] = []
  /// How many rows each cancel ended.
  package var cancels: [Int] = []
  package var answers: [DueAnswer] = []
  /// Whether each change of the suppression list changed anything.
  package var suppressions: [Bool] = []
  /// Per queue, the earliest due time among rows that this batch left waiting and free to be claimed; for `ClaimWish.expiring` the
  /// earliest `plan.expires` among those that it left waiting at all and whose attempt is not uncertain.
  package var due: [String: Timestamp] = [:]
  package init() {}
}

package enum AppendOutcome: Sendable {
  /// Stored, with what was planned for it; `hot` are the ordinals of the deliveries packed with it, to be attempted by the engine that
  /// appended it.
  case accepted(Event, Plan, hot: [Int])
  /// Known already under this id; nothing was planned.
  case duplicate(EventID)
}

package enum ReplayOutcome: Sendable, Equatable {
  case planned(DeliveryID)
  /// Not planned, with the reason (`not_dead`, `replay_alive`, `already_replayed`, `unknown_delivery`).
  case refused(Reason)
}
