// The other direction: what is in the tables must have a leaf. Changes, configurations, suppressions, and the tallies.

import DivertCore

extension RecordCheck {
  /// The table of changes against the chain, and against what holds now.
  mutating func checkChanges() throws {
    let changes = try connection.prepare("SELECT id, seal FROM changes ORDER BY id")
    while try changes.step() {
      let id = changes.integer(0)
      if changes.isNull(1), coverage.covers(change: id) { continue }
      tally.row(SealedThing(.change, id))
    }
    try checkConfigurations()
    try checkSuppressions()
  }

  private mutating func checkConfigurations() throws {
    let sealed = try connection.prepare(
      "SELECT id, content FROM changes WHERE subject = ?1 AND kind = 'config' ORDER BY id DESC LIMIT 1")
    let texts = try connection.prepare("SELECT version, text FROM configs ORDER BY at, version")
    while try texts.step() {
      let (version, text) = (texts.text(0), texts.blob(1))
      guard let (id, content) = try sealed.first([.text(version)], { ($0.integer(0), $0.blob(1)) }) else {
        if begunAfter < .max { problem(.inserted, "configuration", version, nil, "no entry of the chain has it") }
        continue
      }
      let digest = (try? JSONValue.parse(content))?["sha256"]?.string
      if digest != HexBytes.text(SealedContent.hash(text)) {
        problem(.changed, "configuration", version, nil, "its text is not the one that change \(id) sealed")
      }
    }
    let gone = try connection.prepare(
      """
      SELECT DISTINCT subject FROM changes WHERE kind = 'config' AND subject IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM configs WHERE version = subject)
      """)
    while try gone.step() {
      problem(.deleted, "configuration", gone.text(0), nil, "it was kept and is no longer in the store")
    }
  }

  /// The list that is obeyed must be what the changes on record make of it.
  private mutating func checkSuppressions() throws {
    let last = try connection.prepare(
      "SELECT content FROM changes WHERE subject = ?1 AND kind = 'suppression' ORDER BY id DESC LIMIT 1")
    let list = try connection.prepare("SELECT phone, reason, answers, since, until FROM suppressions")
    while try list.step() {
      let phone = list.text(0)
      let said = try last.first([.text(phone)]) { try? JSONValue.parse($0.blob(0)) } ?? nil
      let entry = Suppression(
        phone: phone, reason: list.text(1), coversAnswers: list.int(2) == 1, since: list.time(3),
        until: list.optionalTime(4))
      guard let said, said["change"]?.string == "added" else {
        problem(.inserted, "suppression", phone, nil, "the list has it, and no change on record put it there")
        continue
      }
      if said != SuppressionChange.add(entry).onRecord {
        problem(.changed, "suppression", phone, nil, "the list says something else than the change on record")
      }
    }
    let missing = try connection.prepare(
      """
      SELECT subject, content, max(id) FROM changes WHERE kind = 'suppression' AND subject IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM suppressions WHERE phone = subject) GROUP BY subject
      """)
    while try missing.step() {
      let said = try? JSONValue.parse(missing.blob(1))
      guard said?["change"]?.string == "added" else { continue }
      problem(.deleted, "suppression", missing.text(0), nil, "it was put on the list, and is not on it any more")
    }
  }

  // MARK: Tallies

  /// Classes looked into at most, so that memory stays bounded whatever was done to the tables.
  private static let classes = 256

  /// Names what one side has and the other has not, where the tallies differ.
  mutating func nameDifferences() throws {
    let classes = tally.differing(limit: Self.classes)
    if classes.isEmpty { return }
    var leaves: [SealedThing: Int] = [:]
    var entries: [SealedThing: Int64] = [:]
    try eachLeaf { leaf, n in
      for thing in leaf.things where classes.contains(RecordTally.place(of: thing)) {
        leaves[thing, default: 0] += 1
        entries[thing] = n
      }
    }
    try eachThing { thing in
      guard classes.contains(RecordTally.place(of: thing)) else { return }
      if leaves[thing] == nil { tellUnsealed(thing) }
    }
    for (thing, count) in leaves where count > 1 {
      problem(.chain, "chain", "\(entries[thing] ?? 0)", entries[thing], "it seals \(name(thing)) a second time")
    }
  }

  private func eachLeaf(_ body: (Leaf, Int64) -> Void) throws {
    var walk = ChainWalk(connection)
    while let link = try walk.next() { for leaf in link.leaves where leaf.kind != .event { body(leaf, link.row.n) } }
  }

  private func eachThing(_ body: (SealedThing) -> Void) throws {
    let events = try connection.prepare("SELECT \(SealedEvent.columns) FROM events ORDER BY seq")
    while try events.step() {
      let event = SealedEvent(events)
      if !covers(event.sequence) || event.seal.isEmpty { continue }
      EventStanding(event, []).things.forEach(body)
    }
    let rows = try connection.prepare("SELECT event, ordinal FROM deliveries WHERE state > 1")
    while try rows.step() {
      if !covers(rows.integer(0)) || coverage.covers(event: rows.integer(0)) { continue }
      body(SealedThing(.end, rows.integer(0), rows.int(1)))
    }
    let changes = try connection.prepare("SELECT id, seal FROM changes ORDER BY id")
    while try changes.step() {
      if changes.isNull(1), coverage.covers(change: changes.integer(0)) { continue }
      body(SealedThing(.change, changes.integer(0)))
    }
  }

  private mutating func tellUnsealed(_ thing: SealedThing) {
    switch thing.kind {
    case .ends, .end:
      problem(
        .inserted, "delivery", deliveryID(thing.thing, thing.ordinal), nil,
        "it is said to have ended, and no entry of the chain says so")
    case .entry:
      problem(
        .inserted, "delivery", deliveryID(thing.thing, thing.ordinal), nil,
        "it is said to have joined its event, and no entry of the chain says so")
    case .change: problem(.inserted, "change", "\(thing.thing)", nil, "no entry of the chain has it")
    case .event: problem(.inserted, "event", eventID(thing.thing), nil, "no entry of the chain has it")
    }
  }

  private func name(_ thing: SealedThing) -> String {
    switch thing.kind {
    case .ends, .end, .entry: deliveryID(thing.thing, thing.ordinal)
    case .change: "change \(thing.thing)"
    case .event: eventID(thing.thing)
    }
  }
}

extension Leaf {
  /// What it speaks of, one by one.
  var things: [SealedThing] {
    ordinals.isEmpty ? [SealedThing(kind, thing)] : ordinals.map { SealedThing(kind, thing, $0) }
  }
}

extension SuppressionChange {
  /// As a change on record says it; the phone is its subject.
  var onRecord: JSONValue {
    switch self {
    case .add(let entry):
      var content = JSONObject()
      content["change"] = "added"
      content["reason"] = .string(entry.reason)
      content["answers"] = .bool(entry.coversAnswers)
      content["since"] = .number(entry.since.milliseconds)
      content["until"] = entry.until.map { .number($0.milliseconds) }
      return .object(content)
    case .remove(_, let at): return ["change": "removed", "at": .number(at.milliseconds)]
    }
  }

  var phone: String {
    switch self {
    case .add(let entry): entry.phone
    case .remove(let phone, _): phone
    }
  }
}
