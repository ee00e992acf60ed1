// The one protocol: what a store promises. SQLite implements it; one conformance suite holds for every engine.

/// Keeps events, deliveries and what became of them.
///
/// Threads: `commit`, `claim`, `recover` and `close` are called by the database thread alone (owner 1). `keepConfiguration`, `useBooks`
/// and `fill` may be called from any thread, and let no other write in meanwhile. Everything under "Reading" may be called from any
/// thread and sees the last committed state.
package protocol Store: AnyObject, Sendable {
  /// 30 random bits drawn when the store was made; part of every id.
  var tag: UInt32 { get }

  // MARK: Writing

  /// Commits the whole batch in one transaction and returns when it is on disk (fsynced). Throws with nothing written.
  ///
  /// Appends: the event gets the next sequence, its plan is written in its row. Deliveries to a person, of congested targets,
  /// and those whose (target, order key) has an unfinished row get rows; the rest are packed. Rows of one (target, order key)
  /// form a line by (`held`, else planned due; event, ordinal): only the first unfinished is free to be claimed; when a row ends,
  /// the next one is freed. A replay has no key. Ended deliveries stay as record. Counters of `Totals` move in the same transaction.
  ///
  /// An event that is no duplicate is first entered in every book in use that it belongs to, and keeps the promises that await it;
  /// then it is planned, where its plan `asksMemory`. Questions are judged after all that the batch accepts, and before its rows.
  func commit(_ batch: StoreBatch, now: Timestamp) throws(StoreError) -> StoreReceipt

  /// Step 5: for each wish up to `limit` free waiting rows of the target's queue (`Delivery.queue`, else its own target) that are
  /// due at `now`, in order of due time, then event; where the wish says so also later ones, and then those of the target that
  /// stand in another queue. They count as claimed (in memory) until they are committed as a row again. One that goes out in stages
  /// comes with the answers that its event's other rows remember (`DeliveryMemo.siblings`).
  ///
  /// `ClaimWish.expired`: up to `limit` waiting rows whose `plan.expires` has passed, the earliest first, wherever they wait (also
  /// behind others of their line), but none whose attempt is uncertain; `nextDue` is then the earliest `expires` of the rest.
  func claim(_ wishes: [ClaimWish], now: Timestamp) throws(StoreError) -> [Claim]

  /// After start-up, before the first claim: events with open packed deliveries, oldest first, after the given one.
  func recover(after: EventID?, limit: Int) throws(StoreError) -> [RecoveredEvent]

  /// After start-up: rows found `sending`, whose attempt nobody saw end.
  func interrupted() throws(StoreError) -> [ClaimedDelivery]

  /// After start-up: for every target with free waiting rows in its queue the earliest due time; for `ClaimWish.expiring` the
  /// earliest expiry. Its cost depends on the number of targets, not of rows.
  func waitingTargets() throws(StoreError) -> [String: Timestamp]

  func targetStates() throws(StoreError) -> [String: TargetRuling]
  func alarms() throws(StoreError) -> [String: String]
  /// What was spent of budgets, as the last batch with each said.
  func budgets() throws(StoreError) -> [BudgetHolder: BudgetCount]

  /// Keeps a configuration's text under its version, once; on disk when it returns.
  func keepConfiguration(version: String, text: String, at: Timestamp) throws(StoreError)

  /// From now on these books are fed by every event that is accepted, and no others; on disk when it returns. What of the last
  /// `2 · span` is missing in a book comes back as a gap: before the book is read, it is to be filled.
  func useBooks(_ books: [BookDefinition], now: Timestamp) throws(StoreError) -> [BookGap]

  /// Enters lines of a gap's book that its events give, in one transaction; what is there already stays. With `isLast` the gap is
  /// closed; one that is not closed is found again by the next `useBooks`.
  func fill(_ gap: BookGap, with lines: [BookLine], isLast: Bool) throws(StoreError)

  /// From now on what reports are read from is digested beside the commits, on a thread of its own, until `close`. Once.
  func startDigests() throws(StoreError)

  /// Digests a bounded part of what is not digested yet. Any thread. False: there is not enough for a digest.
  func digest() throws(StoreError) -> Bool

  /// Takes phones out of what was digested; the counts stay. Any thread; after the events were erased. How many digests had one.
  func forgetInReports(phones: Set<String>) throws(StoreError) -> Int

  /// Drops up to `limit` digests that lie wholly before a moment; how many. Any thread.
  func sweepReports(before: Timestamp, limit: Int) throws(StoreError) -> Int

  /// Erases a person's events, what became of them, what routes remember by them, and what the record says of their suppression; in
  /// small transactions. That an event was stays, with its time, its name, its agent and how its deliveries ended: counts hold, and
  /// so does the record. Any thread. Which events it left as they are, because a delivery of theirs has not ended.
  func erase(_ person: ErasedPerson, _ data: PersonalData, now: Timestamp) throws(StoreError) -> [EventID]

  /// Sweeps up to `limit` events received before a moment whose deliveries have all ended and whose dead letters were dealt with, in one
  /// transaction. Payloads: bodies, and fields that the record can do without. Attempts: of ended deliveries, and what lookups
  /// answered. Record: the event with everything; its counts stay. Any thread.
  func sweep(_ kind: Retention.Kind, before: Timestamp, limit: Int, now: Timestamp) throws(StoreError) -> Swept

  /// Moves the write-ahead log into the file and empties it. Any thread. False: a reader held it up.
  func emptyLog() throws(StoreError) -> Bool

  /// Writes the file anew without its freed space; nothing is accepted meanwhile. Any thread.
  func rewrite() throws(StoreError)

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
  /// The entries of a book under a key with `from` <= at <= `to`, by `at`, then event: the first `limit`.
  func entries(of place: BookPlace, from: Timestamp, to: Timestamp, limit: Int) throws(StoreError) -> [BookEntry]
  /// The promises that an event opened, by route.
  func promises(of event: EventID) throws(StoreError) -> [Promise]
  /// A page of the promises, in the order of the events that opened them, then of routes; from after the given place.
  func promises(
    matching filter: PromiseFilter, after: PromisePlace?, limit: Int, now: Timestamp
  ) throws(StoreError) -> [Promise]
  /// The suppression list, by phone; entries whose time is over are among them.
  func suppressions() throws(StoreError) -> [Suppression]
  /// A page of the events alone, in order: received from `since` on and stored up to `through`, from after the given one.
  func history(since: Timestamp, after: EventID?, through: EventID, limit: Int) throws(StoreError) -> [Event]
  /// The configurations that planned deliveries which have not ended, or promises that may still be kept.
  func versionsAtWork(now: Timestamp) throws(StoreError) -> Set<String>
  /// How the promises stand whose events were received from `since` on.
  func promiseCounts(since: Timestamp, now: Timestamp) throws(StoreError) -> [Promise.Standing: Int]
  /// Waiting deliveries that were due outside their hours, by target.
  func outsideHours() throws(StoreError) -> [String: Int]
  /// The calls that ended and the messages to a person that came to their end, in blocks: every one with `from` <= at < `to`, and
  /// others beside them. All as of one moment. Its cost depends on what lies in that time, and on what is not digested yet.
  func reportBlocks(
    from: Timestamp, to: Timestamp, _ take: (ReportBlock) -> Void
  ) throws(StoreError)
  /// The promises that were opened in [from, to), by the openers' `at`.
  func promises(openedFrom from: Timestamp, to: Timestamp) throws(StoreError) -> [Promise]
  /// The conservation equations, each side counted on its own by a full scan.
  func audit() throws(StoreError) -> Audit
  /// Where the record's chain stands.
  func recordHead() throws(StoreError) -> RecordHead
  /// When a head was last handed to its sends; nil: never.
  func lastHeadPublished() throws(StoreError) -> Timestamp?
  /// Walks the whole chain beside what it seals. `heads`: as they are known outside; else those that were published.
  func verifyRecord(heads: [RecordHead]) throws(StoreError) -> RecordVerdict
  /// The changes on record of a phone or a configuration's version, oldest first.
  func recordChanges(of subject: String) throws(StoreError) -> [RecordChange]
  /// The seals of these events, of how their deliveries ended, and of these changes.
  func recordProof(events: [EventID], changes: [Int64]) throws(StoreError) -> RecordProof
  /// What is kept of a person; every body is looked at.
  func personalData(of person: ErasedPerson) throws(StoreError) -> PersonalData
  /// The size of the store's file, in bytes.
  func fileSize() throws(StoreError) -> Int
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

  /// The queue in which everything stands that expires, beside those of the targets: a name that no target has.
  package static let expiring = ""

  /// Waiting rows that have expired.
  package static func expired(limit: Int) -> ClaimWish { ClaimWish(target: expiring, limit: limit) }
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
