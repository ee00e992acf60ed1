// Leaves of what happened after an event was accepted: each looked up by what it names.

import DivertCore

/// What leaves are looked up by.
struct RecordLookups {
  let packed: SQLiteStatement
  let plan: SQLiteStatement
  let row: SQLiteStatement
  let rowSeal: SQLiteStatement
  let origin: SQLiteStatement
  let change: SQLiteStatement

  init(_ connection: SQLiteConnection) throws {
    packed = try connection.prepare("SELECT packed, seal FROM events WHERE seq = ?1")
    plan = try connection.prepare("SELECT plan, received, seal FROM events WHERE seq = ?1")
    row = try connection.prepare("SELECT \(DeliveryRow.columns) FROM deliveries WHERE event = ?1 AND ordinal = ?2")
    rowSeal = try connection.prepare("SELECT seal, attempts, memo FROM deliveries WHERE event = ?1 AND ordinal = ?2")
    origin = try connection.prepare(
      "SELECT replay_of, root, as_was, edited FROM deliveries WHERE event = ?1 AND ordinal = ?2")
    change = try connection.prepare("SELECT at, kind, subject, content, seal FROM changes WHERE id = ?1")
  }
}

extension RecordCheck {
  /// The event that a leaf of a delivery speaks of is gone, or erased: that is told by the event's own leaf.
  private func isGone(_ sequence: Int64, seal: [UInt8]?) -> Bool {
    guard let seal else { return true }
    return seal.isEmpty && coverage.covers(event: sequence)
  }

  mutating func check(ends leaf: Leaf, _ n: Int64) throws {
    let sequence = leaf.thing
    let found = try lookups.packed.first([.integer(sequence)]) { ($0.blob(0), $0.blob(1)) }
    if isGone(sequence, seal: found?.1) { return }
    guard let (bytes, seal) = found, let seal = Seal(decoding: seal) else { return }
    // A column that cannot be read is told by the event's scan.
    guard let states = SealedPacked.read(bytes) else { return }
    var ends: [PackedEnd] = []
    for ordinal in leaf.ordinals {
      if ordinal < states.count, let end = PackedEnd(ordinal, states[ordinal]) {
        ends.append(end)
        tally.leaf(SealedThing(.ends, sequence, ordinal))
      } else {
        problem(.changed, "delivery", deliveryID(sequence, ordinal), n, "it had ended, and is said not to have")
      }
    }
    if ends.count < leaf.ordinals.count { return }
    let part = Seal.Part.packedAttempts(leaf.ordinals.first ?? 0)
    let swept = seal.digests[part]
    let attempts = swept ?? EndsSealing.attempts(salt: seal.salt, sequence, ends)
    if EndsSealing.content(salt: seal.salt, sequence, ends, attempts: attempts).hash != leaf.hash {
      let (ordinals, sentence) = EndDifference.find(ends, seal, sequence, attempts, leaf.hash)
      let ids = ordinals.map { deliveryID(sequence, $0) }.joined(separator: ", ")
      problem(.changed, "delivery", ids, n, sentence)
    } else if swept != nil, !coverage.isSwept("attempts", sequence) {
      problem(
        .changed, "delivery", deliveryID(sequence, ends[0].ordinal), n,
        "its attempts are gone, and no sweep on record covers that")
    }
  }

  mutating func check(end leaf: Leaf, _ n: Int64) throws {
    guard let ordinal = leaf.ordinals.first else { return }
    let (sequence, id) = (leaf.thing, deliveryID(leaf.thing, ordinal))
    let event = try lookups.packed.first([.integer(sequence)]) { $0.blob(1) }
    if isGone(sequence, seal: event) { return }
    let key = RowKey(event: sequence, ordinal: ordinal).values
    guard let (seal, attempts, memo) = try lookups.rowSeal.first(key, { ($0.blob(0), $0.blob(1), $0.blob(2)) }) else {
      // The event's scan tells that the row is missing.
      return
    }
    guard let delivery = try? lookups.row.first(key, { try DeliveryRow.read($0, tag: tag) }) else {
      return problem(.changed, "delivery", id, n, "its row is not as it was written")
    }
    guard delivery.state.isFinal else {
      return problem(.changed, "delivery", id, n, "it had ended, and is said to be \(delivery.state.name)")
    }
    tally.leaf(SealedThing(.end, sequence, ordinal))
    guard let seal = Seal(decoding: seal), seal.entry == n else {
      return problem(.changed, "delivery", id, n, "its seal is not what was written")
    }
    let asWritten =
      AttemptCoding.encode(delivery.attempts) == attempts
      && (delivery.memo.isEmpty ? memo.isEmpty : MemoCoding.encode(delivery.memo) == memo)
    if !asWritten { return problem(.changed, "delivery", id, n, "its attempts are not as they were written") }
    if let fault = fault(delivery, seal, leaf.hash) { problem(.changed, "delivery", id, n, fault) }
  }

  private func fault(_ delivery: Delivery, _ seal: Seal, _ hash: [UInt8]) -> String? {
    let swept = seal.digests[.attempts]
    let attempts = swept ?? EndSealing.attempts(salt: seal.salt, delivery)
    func fits(_ delivery: Delivery) -> Bool {
      EndSealing.content(salt: seal.salt, delivery, attempts: attempts).hash == hash
    }
    if fits(delivery) {
      let isCovered = swept == nil || coverage.isSwept("attempts", delivery.id.event.sequence)
      return isCovered ? nil : "its attempts are gone, and no sweep on record covers that"
    }
    for state in DeliveryState.allCases where state.isFinal && state != delivery.state {
      var other = delivery
      other.state = state
      if fits(other) { return "it ended \(state.name), and is said to be \(delivery.state.name)" }
    }
    return "how it ended, or its attempts, are not what was sealed"
  }

  mutating func check(entry leaf: Leaf, _ n: Int64) throws {
    guard let ordinal = leaf.ordinals.first else { return }
    let (sequence, id) = (leaf.thing, deliveryID(leaf.thing, ordinal))
    let found = try lookups.plan.first([.integer(sequence)]) { ($0.blob(0), $0.time(1), $0.blob(2)) }
    if isGone(sequence, seal: found?.2) { return }
    guard let (bytes, received, seal) = found, let seal = Seal(decoding: seal),
      let plan = try? PlanCoding.decode(bytes, received: received)
    else { return }
    guard ordinal < plan.count, plan[ordinal].later else {
      return problem(.deleted, "delivery", id, n, "it joined its event later, and its plan is no longer there")
    }
    tally.leaf(SealedThing(.entry, sequence, ordinal))
    let key = RowKey(event: sequence, ordinal: ordinal).values
    let origin = try lookups.origin.first(key) { row in
      EntrySealing(
        sequence: sequence, ordinal: ordinal, entry: PlanCoding.encode([plan[ordinal]]), replayOf: row.optionalInt(0),
        root: row.optionalInt(1), asWas: row.int(2) == 1, edited: row.isNull(3) ? nil : row.blob(3))
    }
    // The event's scan tells that the row is missing.
    guard let origin else { return }
    if origin.content(salt: seal.salt).hash != leaf.hash {
      problem(.changed, "delivery", id, n, "its plan, or what it replays, is not what was sealed")
    }
  }

  mutating func check(change leaf: Leaf, _ entry: ChainRow) throws {
    let found = try lookups.change.first([.integer(leaf.thing)]) { SealedChange($0, id: leaf.thing) }
    guard let found else {
      if coverage.covers(change: leaf.thing) { return }
      return problem(.deleted, "change", "\(leaf.thing)", entry.n, "it is on record and no longer in the store")
    }
    if found.seal.isEmpty, coverage.covers(change: leaf.thing) { return }
    tally.leaf(SealedThing(.change, leaf.thing))
    if let removal = found.removal(entry) { verdict.removals.append(removal) }
    guard let seal = Seal(decoding: found.seal), seal.entry == entry.n, found.content(seal).hash == leaf.hash else {
      return problem(.changed, found.kind, "\(leaf.thing)", entry.n, "its content is not what was sealed")
    }
  }
}

/// A row of `changes`.
struct SealedChange {
  var id: Int64
  var at: Timestamp
  var kind: String
  var subject: String?
  var bytes: [UInt8]
  /// Empty: it has none.
  var seal: [UInt8]

  init(_ row: SQLiteStatement, id: Int64) {
    self.id = id
    (at, kind, subject) = (row.time(0), row.text(1), row.optionalText(2))
    (bytes, seal) = (row.blob(3), row.blob(4))
  }

  func content(_ seal: Seal) -> SealedContent {
    ChangeSealing.content(salt: seal.salt, id: id, at: at, kind: kind, subject: subject, content: bytes)
  }

  func removal(_ entry: ChainRow) -> RecordVerdict.Removal? {
    guard let kind = RecordChangeKind(rawValue: kind), kind == .erasure || kind == .sweep else { return nil }
    let events = RecordCoverage.numbers((try? JSONValue.parse(bytes))?["events"]).count
    return RecordVerdict.Removal(kind: kind, entry: entry.n, at: at, events: events)
  }
}

/// Which of several deliveries that ended together is not as it was, and how.
enum EndDifference {
  static func find(
    _ ends: [PackedEnd], _ seal: Seal, _ sequence: Int64, _ attempts: [UInt8], _ hash: [UInt8]
  ) -> ([Int], String) {
    for place in ends.indices {
      for state in DeliveryState.allCases where state.isFinal && state != ends[place].state {
        var tried = ends
        tried[place].state = state
        if EndsSealing.content(salt: seal.salt, sequence, tried, attempts: attempts).hash == hash {
          return ([ends[place].ordinal], "it ended \(state.name), and is said to be \(ends[place].state.name)")
        }
      }
    }
    let sentence = "how it ended, or its attempts, are not what was sealed"
    return (ends.map(\.ordinal), ends.count == 1 ? sentence : sentence + " (one of these, or several)")
  }
}
