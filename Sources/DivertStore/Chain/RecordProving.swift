// The seals of one customer's history, found again in the chain.

package import DivertCore

extension SQLiteStore {
  package func recordChanges(of subject: String) throws(StoreError) -> [RecordChange] {
    try reading("read the changes on record") { reader in
      let select = try reader.connection.prepare(
        "SELECT id, at, kind, subject, content FROM changes WHERE subject = ?1 ORDER BY id")
      return try select.all([.text(subject)]) { row in
        guard let kind = RecordChangeKind(rawValue: row.text(2)) else { throw StoredJSON.fault("kind") }
        return RecordChange(
          id: row.integer(0), at: row.time(1), kind: kind, subject: row.optionalText(3),
          content: try StoredJSON.parse(row.blob(4), "content"))
      }
    }
  }

  package func recordProof(events: [EventID], changes: [Int64]) throws(StoreError) -> RecordProof {
    try reading("find the seals") { reader in
      var prover = try RecordProver(reader)
      for event in events where event.tag == reader.tag { try prover.prove(event) }
      for change in changes { try prover.prove(change: change) }
      return try prover.finish()
    }
  }
}

private struct RecordProver {
  let reader: SQLiteReader
  private let lookups: RecordLookups
  private let entry: SQLiteStatement
  private let event: SQLiteStatement
  private let rows: SQLiteStatement
  private var proof = RecordProof()
  private var entries: [Int64: ChainRow] = [:]

  init(_ reader: SQLiteReader) throws {
    self.reader = reader
    lookups = try RecordLookups(reader.connection)
    entry = try reader.connection.prepare("SELECT n, at, leaves, head FROM chain WHERE n = ?1")
    event = try reader.connection.prepare("SELECT \(SealedEvent.columns) FROM events WHERE seq = ?1")
    rows = try reader.connection.prepare(
      "SELECT ordinal FROM deliveries WHERE event = ?1 AND state > 1 ORDER BY ordinal")
  }

  private func row(_ n: Int64) throws -> ChainRow? {
    try entry.first([.integer(n)]) {
      ChainRow(n: $0.integer(0), at: $0.time(1), leaves: $0.blob(2), head: $0.blob(3))
    }
  }

  private mutating func add(
    _ leaf: Leaf, _ kind: String, _ id: String, _ row: ChainRow, _ content: SealedContent, _ parts: [[UInt8]]
  ) {
    var bytes: [UInt8] = []
    leaf.append(to: &bytes)
    entries[row.n] = row
    proof.things.append(
      RecordProof.SealedThing(
        kind: kind, id: id, entry: row.n, leaf: bytes, content: content.bytes, parts: parts))
  }

  /// The event's leaf, those of its packed deliveries' ends, and those of its ended rows. One that was erased has none.
  mutating func prove(_ id: EventID) throws {
    guard let found = try event.first([.integer(id.sequence)], { SealedEvent($0) }),
      let seal = Seal(decoding: found.seal), let row = try row(seal.entry), let fields = found.fields
    else { return }
    let (bytes, kept) = fields.encodedInTwo()
    let leaves = Leaf.list(decoding: row.leaves) ?? []
    if let leaf = leaves.first(where: { $0.kind == .event && $0.thing == id.sequence }),
      let content = found.sealedContent(seal, hash: leaf.hash)
    {
      let payload = EventSealing.payloadContent(salt: seal.salt, id.sequence, fields: bytes[kept...], body: found.body)
      add(leaf, "event", id.description, row, content, seal.digests[.payload] == nil ? [payload.bytes] : [])
    }
    try prove(packed: found, id, seal)
    for ordinal in try rows.all([.integer(id.sequence)], { $0.int(0) }) {
      try prove(end: DeliveryID(event: id, ordinal: ordinal))
    }
  }

  /// Packed deliveries end soon after their event came: their leaves are looked for from its own entry on.
  private mutating func prove(packed found: SealedEvent, _ id: EventID, _ seal: Seal) throws {
    let states = SealedPacked.read(found.packed) ?? []
    var left = Set(states.indices.filter { states[$0].isEnded })
    var n = seal.entry
    while !left.isEmpty, let row = try row(n) {
      n += 1
      for leaf in Leaf.list(decoding: row.leaves) ?? [] where leaf.kind == .ends && leaf.thing == id.sequence {
        left.subtract(leaf.ordinals)
        let ends = leaf.ordinals.compactMap { $0 < states.count ? PackedEnd($0, states[$0]) : nil }
        let part = Seal.Part.packedAttempts(leaf.ordinals.first ?? 0)
        let attempts = EndsSealing.attemptsContent(salt: seal.salt, id.sequence, ends)
        let content = EndsSealing.content(
          salt: seal.salt, id.sequence, ends, attempts: seal.digests[part] ?? attempts.hash)
        let ids = leaf.ordinals.map { DeliveryID(event: id, ordinal: $0).description }.joined(separator: ", ")
        add(leaf, "delivery", ids, row, content, seal.digests[part] == nil ? [attempts.bytes] : [])
      }
    }
  }

  private mutating func prove(end id: DeliveryID) throws {
    let key = RowKey(id).values
    guard let bytes = try lookups.rowSeal.first(key, { $0.blob(0) }), let seal = Seal(decoding: bytes),
      let delivery = try lookups.row.first(key, { try DeliveryRow.read($0, tag: reader.tag) }),
      let row = try row(seal.entry),
      let leaf = (Leaf.list(decoding: row.leaves) ?? []).first(where: {
        $0.kind == .end && $0.thing == id.event.sequence && $0.ordinals == [id.ordinal]
      })
    else { return }
    let attempts = EndSealing.attemptsContent(salt: seal.salt, delivery)
    let swept = seal.digests[.attempts]
    let content = EndSealing.content(salt: seal.salt, delivery, attempts: swept ?? attempts.hash)
    add(leaf, "delivery", id.description, row, content, swept == nil ? [attempts.bytes] : [])
  }

  mutating func prove(change id: Int64) throws {
    guard let change = try lookups.change.first([.integer(id)], { SealedChange($0, id: id) }),
      let seal = Seal(decoding: change.seal), let row = try row(seal.entry),
      let leaf = (Leaf.list(decoding: row.leaves) ?? []).first(where: { $0.kind == .change && $0.thing == id })
    else { return }
    add(leaf, "change", "\(id)", row, change.content(seal), [])
  }

  mutating func finish() throws -> RecordProof {
    for row in entries.values.sorted(by: { $0.n < $1.n }) {
      let previous = try self.row(row.n - 1)?.head ?? ChainRow.none
      proof.entries.append(
        RecordProof.Entry(n: row.n, at: row.at, previous: previous, leaves: row.leaves, head: row.head))
    }
    let last = try reader.connection.prepare("SELECT n, head FROM chain ORDER BY n DESC LIMIT 1").first {
      RecordHead(entry: $0.integer(0), hash: HexBytes.text($0.blob(1)))
    }
    if let last { proof.head = last }
    proof.published = try RecordAnchors.find(reader.connection, tag: reader.tag, given: []).last { $0.delivered }
    return proof
  }
}
