// An event's row beside its deliveries' rows, as verification sees them: which ends and later plans are there, and what does not
// fit together.

import DivertCore

/// A delivery's row as far as its event's plan says what it must be.
struct PlannedRow {
  var event: Int64
  var ordinal: Int
  var state: Int
  var target: String
  var key: String?
  var due: Int64
  var route: String
  var send: String
  var action: String
  var person: Bool
  var version: String
  var replays: Bool
  var edited: Bool
  var expires: Int64?

  static let columns = """
    event, ordinal, state, target, key, due0, route, send, action, person, version, replay_of IS NOT NULL, \
    edited IS NOT NULL, expires
    """

  init(_ row: SQLiteStatement) {
    (event, ordinal, state) = (row.integer(0), row.int(1), row.int(2))
    (target, key, due) = (row.text(3), row.optionalText(4), row.integer(5))
    (route, send, action) = (row.text(6), row.text(7), row.text(8))
    (person, version) = (row.int(9) == 1, row.text(10))
    (replays, edited) = (row.int(11) == 1, row.int(12) == 1)
    expires = row.isNull(13) ? nil : row.integer(13)
  }

  var hasEnded: Bool { state > DeliveryState.sending.rawValue }

  /// The first column that says something else than the plan does.
  func difference(_ entry: PlanEntry, of version: String) -> String? {
    let plan = entry.plan
    if target != plan.target { return "its row is for target \(target), it was planned for \(plan.target)" }
    if route != plan.route || send != plan.send { return "its row is of another route than it was planned by" }
    if action != plan.action { return "its row has the action \(action), \(plan.action) was planned" }
    if key != plan.orderKey { return "its row has another order key than was planned" }
    if due != plan.due.milliseconds { return "its row is due at another time than was planned" }
    if expires != plan.expires?.milliseconds { return "its row expires at another time than was planned" }
    if person != plan.toPerson { return "its row says otherwise than its plan whether it goes to a person" }
    if self.version != entry.version ?? version { return "its row names another configuration than its plan" }
    if !entry.later, replays || edited { return "its row says that it replays another, its plan does not" }
    return nil
  }
}

struct EventStanding {
  private let event: SealedEvent
  private let rows: [PlannedRow]
  private let plan: [PlanEntry]?
  private let packed: [PackedState]?

  struct Fault {
    var code: RecordVerdict.Problem.Code
    /// Nil: of the event itself.
    var ordinal: Int?
    var id: String
    var sentence: String
  }

  init(_ event: SealedEvent, _ rows: [PlannedRow]) {
    self.event = event
    self.rows = rows
    plan = try? PlanCoding.decode(event.sealing.plan, received: event.sealing.received)
    packed = SealedPacked.read(event.packed)
  }

  /// What is there and has, or should have, a leaf of its own.
  var things: [SealedThing] {
    var things: [SealedThing] = []
    for (ordinal, state) in (packed ?? []).enumerated() where state.isEnded {
      things.append(SealedThing(.ends, event.sequence, ordinal))
    }
    for row in rows where row.hasEnded { things.append(SealedThing(.end, event.sequence, row.ordinal)) }
    for (ordinal, entry) in (plan ?? []).enumerated() where entry.later {
      things.append(SealedThing(.entry, event.sequence, ordinal))
    }
    return things
  }

  func faults(_ tag: UInt32) -> [Fault] {
    let id = EventID(sequence: event.sequence, tag: tag)
    func fault(_ code: RecordVerdict.Problem.Code, _ ordinal: Int?, _ sentence: String) -> Fault {
      let name = ordinal.map { DeliveryID(event: id, ordinal: $0).description } ?? id.description
      return Fault(code: code, ordinal: ordinal, id: name, sentence: sentence)
    }
    guard let packed else { return [fault(.changed, nil, "how its deliveries stand is not as it was written")] }
    guard let plan else { return [fault(.changed, nil, "its plan cannot be read")] }
    if packed.count != plan.prefix(while: { !$0.later }).count {
      return [fault(.changed, nil, "it has \(packed.count) deliveries' standing and another number of plans")]
    }
    var found: [Fault] = []
    var inRows: Set<Int> = []
    for row in rows {
      inRows.insert(row.ordinal)
      if row.ordinal >= plan.count {
        found.append(fault(.inserted, row.ordinal, "it was never planned"))
      } else if row.ordinal < packed.count, packed[row.ordinal] != .row {
        found.append(fault(.inserted, row.ordinal, "it stands in its event and in a row as well"))
      } else if let difference = row.difference(plan[row.ordinal], of: event.sealing.version) {
        found.append(fault(.changed, row.ordinal, difference))
      }
    }
    for ordinal in plan.indices where ordinal >= packed.count || packed[ordinal] == .row {
      if !inRows.contains(ordinal) { found.append(fault(.deleted, ordinal, "it was planned and has no row any more")) }
    }
    return found
  }
}

enum SealedPacked {
  /// The states, where the column is byte for byte as they are written; else nil.
  static func read(_ bytes: [UInt8]) -> [PackedState]? {
    guard let states = try? PackedCoding.decode(bytes), PackedCoding.encode(states, width: bytes.count) == bytes else {
      return nil
    }
    return states
  }
}
