// What a transaction adds to the chain: leaves of the events it accepts, of the deliveries it ends, of the changes it makes.

package import DivertCore

extension SQLiteCommit {
  /// Seals an event that is accepted, just before it is inserted.
  mutating func seal(_ content: EventSealing, fields: some Collection<UInt8>, body: [UInt8]) throws -> Seal {
    let seal = Seal(salt: try writer.salts.draw(), entry: chain.entry)
    let payload = EventSealing.payload(salt: seal.salt, content.sequence, fields: fields, body: body)
    let sealed = content.content(salt: seal.salt, payload: payload)
    chain.add(Leaf(kind: .event, thing: content.sequence, hash: sealed.hash))
    return seal
  }

  /// Seals how packed deliveries of an event ended in this transaction.
  mutating func seal(_ ends: [PackedEnd], of sequence: Int64, salt: [UInt8]?) {
    guard let salt, !ends.isEmpty, chain.covers(sequence) else { return }
    let attempts = EndsSealing.attempts(salt: salt, sequence, ends)
    let sealed = EndsSealing.content(salt: salt, sequence, ends, attempts: attempts)
    chain.add(Leaf(kind: .ends, thing: sequence, ordinals: ends.map(\.ordinal), hash: sealed.hash))
  }

  /// Seals a delivery's row that ends; nil for one that has not ended, or whose event came before the record.
  mutating func seal(_ delivery: Delivery) throws -> SQLiteValue {
    let sequence = delivery.id.event.sequence
    guard delivery.state.isFinal, chain.covers(sequence) else { return .null }
    let seal = Seal(salt: try writer.salts.draw(), entry: chain.entry)
    let attempts = EndSealing.attempts(salt: seal.salt, delivery)
    let sealed = EndSealing.content(salt: seal.salt, delivery, attempts: attempts)
    chain.add(Leaf(kind: .end, thing: sequence, ordinals: [delivery.id.ordinal], hash: sealed.hash))
    return .blob(seal.encoded())
  }

  /// Seals a delivery that joins its event later.
  mutating func sealEntry(_ delivery: Delivery, _ entry: PlanEntry, root: Int?) throws {
    let (sequence, ordinal) = (delivery.id.event.sequence, delivery.id.ordinal)
    guard chain.covers(sequence), let salt = try salt(of: sequence) else { return }
    let content = EntrySealing(
      sequence: sequence, ordinal: ordinal, entry: PlanCoding.encode([entry]), replayOf: delivery.replayOf,
      root: root ?? delivery.replayOf, asWas: delivery.asWas, edited: delivery.edited.map { EditedCoding.encode($0) })
    chain.add(Leaf(kind: .entry, thing: sequence, ordinals: [ordinal], hash: content.content(salt: salt).hash))
  }

  private func salt(of sequence: Int64) throws -> [UInt8]? {
    let select = try writer.statement("SELECT seal FROM events WHERE seq = ?1")
    let seal = try select.first([.integer(sequence)]) { Seal(decoding: $0.blob(0)) }
    return (seal ?? nil)?.salt
  }

  /// A change of the list of suppressions, on record.
  mutating func record(_ change: SuppressionChange) throws {
    try record(.suppression, subject: change.phone, change.onRecord)
  }

  /// A change that is no event, on record with this transaction.
  mutating func record(_ kind: RecordChangeKind, subject: String? = nil, _ content: JSONValue) throws {
    try chain.record(kind, subject: subject, content, writer, now: now)
  }

  /// An event of Divert's own that publishes a head is remembered by the head's entry.
  func noteHead(_ append: Append, _ event: Event) throws {
    guard append.source == RouteTable.alarmSource, append.fields.name == RecordHead.eventName,
      let entry = append.raw["entry"]?.integer
    else { return }
    try writer.statement("INSERT OR REPLACE INTO heads(n, event) VALUES(?1, ?2)").run([
      .integer(entry), .integer(event.id.sequence),
    ])
  }
}

extension SQLiteStore {
  /// Where the chain stands.
  package func recordHead() throws(StoreError) -> RecordHead {
    try reading("read the record's head") { reader in
      let select = try reader.connection.prepare("SELECT n, head FROM chain ORDER BY n DESC LIMIT 1")
      return try select.first { RecordHead(entry: $0.integer(0), hash: HexBytes.text($0.blob(1))) }
        ?? RecordHead(entry: 0, hash: HexBytes.text(ChainRow.none))
    }
  }

  /// When a head was last handed to its sends; nil: never.
  package func lastHeadPublished() throws(StoreError) -> Timestamp? {
    try reading("read when a head was published") { reader in
      let sql = "SELECT received FROM heads JOIN events ON seq = event ORDER BY n DESC LIMIT 1"
      return try reader.connection.prepare(sql).first { $0.time(0) }
    }
  }
}
