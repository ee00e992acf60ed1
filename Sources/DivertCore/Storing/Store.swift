// The one protocol: what a store promises. SQLite implements it; one conformance suite holds for every engine.

/// Keeps events, deliveries and what became of them.
///
/// Threads: `commit`, `claim`, `recover` and `close` are called by the database thread alone (owner 1). Everything under
/// "Reading" may be called from any thread and sees the last committed state.
package protocol Store: AnyObject, Sendable {
  /// 30 random bits drawn when the store was made; part of every id.
  var tag: UInt32 { get }

  // MARK: Writing

  /// Commits the whole batch in one transaction and returns when it is on disk (fsynced). Throws with nothing written.
  ///
  /// Appends: the event gets the next sequence, its plan is written in its row. Deliveries to a person, of congested targets,
  /// and those whose (target, order key) has an unfinished row get rows; the rest are packed. Rows of one (target, order key)
  /// form a line by (planned due, event, ordinal): only the first unfinished is free to be claimed; when a row ends, the next
  /// one is freed. A replay has no key. Ended deliveries stay as record. Counters of `Totals` move in the same transaction.
  func commit(_ batch: StoreBatch, now: Timestamp) throws(StoreError) -> StoreReceipt

  /// Step 5: for each wish up to `limit` free waiting rows of the target's queue (`Delivery.queue`, else its own target) that are
  /// due at `now`, in order of due time, then event; where the wish says so also later ones, and then those of the target that
  /// stand in another queue. They count as claimed (in memory) until they are committed as a row again. One that goes out in stages
  /// comes with the answers that its event's other rows remember (`DeliveryMemo.siblings`).
  func claim(_ wishes: [ClaimWish], now: Timestamp) throws(StoreError) -> [Claim]

  /// After start-up, before the first claim: events with open packed deliveries, oldest first, after the given one.
  func recover(after: EventID?, limit: Int) throws(StoreError) -> [RecoveredEvent]

  /// After start-up: rows found `sending`, whose attempt nobody saw end.
  func interrupted() throws(StoreError) -> [ClaimedDelivery]

  /// After start-up: for every target with free waiting rows in its queue the earliest due time. Its cost depends on the number
  /// of targets, not of rows.
  func waitingTargets() throws(StoreError) -> [String: Timestamp]

  func targetStates() throws(StoreError) -> [String: TargetRuling]
  func alarms() throws(StoreError) -> [String: String]
  /// What was spent of budgets, as the last batch with each said.
  func budgets() throws(StoreError) -> [BudgetHolder: BudgetCount]

  /// Keeps a configuration's text under its version, once; on disk when it returns. May be called from any thread.
  func keepConfiguration(version: String, text: String, at: Timestamp) throws(StoreError)

  /// Flushes and closes; the store is not used afterwards.
  func close() throws(StoreError)

  // MARK: Reading

  func configuration(version: String) throws(StoreError) -> String?
  func totals() throws(StoreError) -> Totals
  /// Per target what waits now and since when.
  func standing() throws(StoreError) -> [String: TargetStanding]
  func event(_ id: EventID) throws(StoreError) -> EventRecord?
  /// Events of a phone (E.164) or a call id, newest first.
  func events(phone: String?, callID: String?, limit: Int) throws(StoreError) -> [EventRecord]
  /// A page of the events received in a span of time, in order, from after the given one.
  func events(matching filter: EventFilter, after: EventID?, limit: Int) throws(StoreError) -> [EventRecord]
  /// The newest events of a source (nil: of any), newest first.
  func lastEvents(source: String?, limit: Int) throws(StoreError) -> [EventRecord]
  /// How a delivery stands; nil if there is none of that id.
  func delivery(_ id: DeliveryID) throws(StoreError) -> Delivery?
  /// The conservation equations, each side counted on its own by a full scan.
  func audit() throws(StoreError) -> Audit
  /// Copies the running store, consistent as of one moment, into a new file.
  func backup(to path: String) throws(StoreError)
}

package struct ClaimWish: Sendable, Hashable {
  package var target: String
  package var limit: Int
  /// Also rows that are due later, and the target's own in other queues: when everything that waits is given up.
  package var evenLater: Bool
  package init(target: String, limit: Int, evenLater: Bool = false) {
    self.target = target
    self.limit = limit
    self.evenLater = evenLater
  }
}

package struct Claim: Sendable {
  package var target: String
  package var deliveries: [ClaimedDelivery]
  /// The earliest due time among the free waiting rows that were not claimed; nil: none is left.
  package var nextDue: Timestamp?
  package init(target: String, deliveries: [ClaimedDelivery], nextDue: Timestamp?) {
    self.target = target
    self.deliveries = deliveries
    self.nextDue = nextDue
  }
}

package struct ClaimedDelivery: Sendable {
  package var delivery: Delivery
  package var event: Event
  package init(delivery: Delivery, event: Event) {
    self.delivery = delivery
    self.event = event
  }
}

/// An event with packed deliveries that were open when the process ended.
package struct RecoveredEvent: Sendable {
  package var event: Event
  package var version: String
  package var planned: [PlannedDelivery]
  package var states: [PackedState]
  package init(event: Event, version: String, planned: [PlannedDelivery], states: [PackedState]) {
    self.event = event
    self.version = version
    self.planned = planned
    self.states = states
  }
}

/// An event with everything that became of it.
package struct EventRecord: Sendable {
  package var event: Event
  package var version: String
  /// By ordinal.
  package var deliveries: [Delivery]
  package init(event: Event, version: String, deliveries: [Delivery]) {
    self.event = event
    self.version = version
    self.deliveries = deliveries
  }
}

package struct EventFilter: Sendable, Hashable {
  package var since: Timestamp?
  package var until: Timestamp?
  package var source: String?
  /// Only events for which nothing was planned.
  package var unmatched: Bool
  package init(since: Timestamp? = nil, until: Timestamp? = nil, source: String? = nil, unmatched: Bool = false) {
    self.since = since
    self.until = until
    self.source = source
    self.unmatched = unmatched
  }
}

/// Monotone counters since the store was made.
package struct Totals: Sendable, Hashable {
  package struct Source: Sendable, Hashable {
    package var received = 0
    package var accepted = 0
    package var duplicate = 0
    package var quarantined = 0
    package var refused = 0
    /// Accepted events for which nothing was planned.
    package var unmatched = 0
    package init() {}
  }
  package struct Target: Sendable, Hashable {
    package var planned = 0
    package var delivered = 0
    package var dead = 0
    package var skipped = 0
    package init() {}
  }
  package var sources: [String: Source] = [:]
  package var targets: [String: Target] = [:]
  /// Transactions committed, each with one fsync.
  package var commits = 0
  package init() {}
}

/// What a target has in hand, as the store knows it.
package struct TargetStanding: Sendable, Hashable {
  /// Rows and packed deliveries not ended; those in flight are among them.
  package var waiting = 0
  package var sending = 0
  /// Dead ones that no replay has taken up and nobody put away.
  package var dead = 0
  package var oldestWaiting: Timestamp?
  package init() {}
}

/// One conservation equation per source and target. `problems` is empty when all hold.
package struct Audit: Sendable {
  package struct Line: Sendable, Hashable {
    /// `target crm` or `source doubletick`.
    package var subject: String
    /// The left side: planned, or received.
    package var whole: Int
    /// The right side, by name.
    package var parts: [String: Int]
    package init(subject: String, whole: Int, parts: [String: Int]) {
      self.subject = subject
      self.whole = whole
      self.parts = parts
    }
    package var holds: Bool { whole == parts.values.reduce(0, +) }
  }
  package var lines: [Line]
  /// Every dead delivery that no replay has taken up and nobody put away, to be held against the files.
  package var dead: [DeliveryID]
  package var problems: [String]
  package init(lines: [Line], dead: [DeliveryID], problems: [String]) {
    self.lines = lines
    self.dead = dead
    self.problems = problems
  }
}

/// What can go wrong with a store; nothing of a failed batch is written.
package struct StoreError: Error, Sendable, CustomStringConvertible {
  /// `disk_full`, `read_only`, `corrupt`, `busy`, `newer_version`, `wrong_mode`, `io`, `other`.
  package var code: String
  /// What was being done, and the cause in words; without payloads.
  package var description: String
  package init(code: String, description: String) {
    self.code = code
    self.description = description
  }
}
