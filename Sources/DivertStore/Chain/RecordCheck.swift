// `divert record verify`: one walk along the chain beside one scan of the events, in memory that does not grow with them.

import DivertCore

/// Walks from the first entry to the last. Events and their leaves come in the same order and are held side by side; what ended
/// or joined later is looked up leaf by leaf, and both sides are tallied, so that a thing without a leaf shows, too.
struct RecordCheck {
  let connection: SQLiteConnection
  let tag: UInt32
  let coverage: RecordCoverage
  var verdict = RecordVerdict()
  var tally = RecordTally()
  /// Events up to this came before the record.
  private(set) var begunAfter = Int64.max
  private let events: SQLiteStatement
  private var event: SealedEvent?
  private let rows: SQLiteStatement
  private var row: PlannedRow?
  private var lastEvent: Int64 = -1
  let lookups: RecordLookups

  init(_ connection: SQLiteConnection, tag: UInt32, heads: [RecordHead]) throws {
    self.connection = connection
    self.tag = tag
    coverage = try RecordCoverage(connection)
    lookups = try RecordLookups(connection)
    events = try connection.prepare("SELECT \(SealedEvent.columns) FROM events ORDER BY seq")
    rows = try connection.prepare("SELECT \(PlannedRow.columns) FROM deliveries ORDER BY event, ordinal")
    verdict.anchors = try RecordAnchors.find(connection, tag: tag, given: heads)
    verdict.anchoredThrough = RecordAnchors.reach(verdict.anchors)
  }

  mutating func run() throws -> RecordVerdict {
    try begin()
    try nextRow()
    try nextEvent()
    var walk = ChainWalk(connection)
    while let link = try walk.next() {
      if let fault = link.fault { problem(.chain, "chain", "\(link.row.n)", link.row.n, fault) }
      anchor(link.row)
      for leaf in link.leaves {
        verdict.count(leaf, entry: link.row.n)
        try check(leaf, link.row)
      }
      verdict.head = RecordHead(entry: link.row.n, hash: HexBytes.text(link.row.head))
    }
    while let left = event { try pass(unsealed: left) }
    try orphans(before: .max)
    if verdict.head.entry == 0 { verdict.head.hash = HexBytes.text(ChainRow.none) }
    try checkChanges()
    missingAnchors()
    try nameDifferences()
    return verdict
  }

  private mutating func begin() throws {
    let select = try connection.prepare("SELECT at, content FROM changes WHERE kind = 'start' ORDER BY id LIMIT 1")
    let start = try select.first { ($0.time(0), try? JSONValue.parse($0.blob(1))) }
    guard let (at, content) = start, let through = content?["through"]?.integer else {
      let any = try connection.prepare("SELECT 1 FROM events LIMIT 1").first { _ in true } ?? false
      begunAfter = -1
      if any {
        problem(.deleted, "start", "1", nil, "the record's first change, which says when it began, is not there")
      }
      return
    }
    begunAfter = through
    verdict.begunAt = at
    verdict.eventsBefore = content?["events"]?.integer.map { Int($0) } ?? 0
  }

  func covers(_ sequence: Int64) -> Bool { sequence > begunAfter }

  func eventID(_ sequence: Int64) -> String { EventID(sequence: sequence, tag: tag).description }

  func deliveryID(_ sequence: Int64, _ ordinal: Int) -> String {
    DeliveryID(event: EventID(sequence: sequence, tag: tag), ordinal: ordinal).description
  }

  mutating func problem(
    _ code: RecordVerdict.Problem.Code, _ kind: String, _ id: String, _ entry: Int64?, _ sentence: String
  ) {
    verdict.add(RecordVerdict.Problem(code: code, kind: kind, id: id, entry: entry, sentence: sentence))
  }

  // MARK: Leaves

  private mutating func check(_ leaf: Leaf, _ entry: ChainRow) throws {
    switch leaf.kind {
    case .event: try check(event: leaf, entry.n)
    case .entry: try check(entry: leaf, entry.n)
    case .ends: try check(ends: leaf, entry.n)
    case .end: try check(end: leaf, entry.n)
    case .change: try check(change: leaf, entry)
    }
  }

  private mutating func check(event leaf: Leaf, _ n: Int64) throws {
    if leaf.thing <= lastEvent {
      return problem(
        .chain, "event", eventID(leaf.thing), n,
        "the chain has it after a later event: its entries were put in another order")
    }
    lastEvent = leaf.thing
    while let left = event, left.sequence < leaf.thing { try pass(unsealed: left) }
    guard let found = event, found.sequence == leaf.thing else {
      if coverage.covers(event: leaf.thing) { return count(gone: leaf.thing) }
      return problem(.deleted, "event", eventID(leaf.thing), n, "it was accepted and is no longer in the store")
    }
    if found.seal.isEmpty, coverage.covers(event: leaf.thing) {
      count(gone: leaf.thing)
      try pass(erased: found)
      return
    }
    if let fault = found.fault(hash: leaf.hash, entry: n, coverage) {
      problem(.changed, "event", eventID(leaf.thing), n, fault)
    }
    try pass(sealed: found)
  }

  private mutating func count(gone sequence: Int64) {
    if coverage.names(event: sequence) { verdict.erased += 1 } else { verdict.swept += 1 }
  }

  // MARK: The events' scan

  private mutating func nextEvent() throws { event = try events.step() ? SealedEvent(events) : nil }

  private mutating func nextRow() throws { row = try rows.step() ? PlannedRow(rows) : nil }

  /// Rows of events that are not there.
  private mutating func orphans(before sequence: Int64) throws {
    while let orphan = row, orphan.event < sequence {
      if covers(orphan.event), !coverage.covers(event: orphan.event) {
        problem(.inserted, "delivery", deliveryID(orphan.event, orphan.ordinal), nil, "it belongs to no event")
      }
      try nextRow()
    }
  }

  private mutating func takeRows(of sequence: Int64) throws -> [PlannedRow] {
    try orphans(before: sequence)
    var own: [PlannedRow] = []
    while let mine = row, mine.event == sequence {
      own.append(mine)
      try nextRow()
    }
    return own
  }

  private mutating func pass(unsealed found: SealedEvent) throws {
    _ = try takeRows(of: found.sequence)
    if covers(found.sequence) {
      problem(.inserted, "event", eventID(found.sequence), nil, "no entry of the chain says that it was accepted")
    }
    try nextEvent()
  }

  private mutating func pass(erased found: SealedEvent) throws {
    _ = try takeRows(of: found.sequence)
    try nextEvent()
  }

  private mutating func pass(sealed found: SealedEvent) throws {
    let own = try takeRows(of: found.sequence)
    let standing = EventStanding(found, own)
    for thing in standing.things { tally.row(thing) }
    for fault in standing.faults(tag) {
      problem(fault.code, fault.ordinal == nil ? "event" : "delivery", fault.id, nil, fault.sentence)
    }
    try nextEvent()
  }
}
