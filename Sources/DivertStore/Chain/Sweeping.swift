// What retention takes from an event, one part at a time, so that the rest can still be verified: a part's digest stays in the
// seal. Within a transaction that puts the sweep on record (`RecordChangeKind.sweep`).

import DivertCore

extension SQLiteWriter {
  /// Takes an event's body and the fields that the record does without (`Event.Fields.forRecord`).
  /// - Returns: whether there was anything to take.
  @discardableResult
  func sweepPayload(of sequence: Int64) throws -> Bool {
    let select = try statement("SELECT \(SealedEvent.columns) FROM events WHERE seq = ?1")
    guard let event = try select.first([.integer(sequence)], { SealedEvent($0) }), let fields = event.fields else {
      return false
    }
    var seal = Seal(decoding: event.seal)
    if seal?.digests[.payload] != nil || event.body == Self.noBody { return false }
    let (bytes, kept) = fields.encodedInTwo()
    if let salt = seal?.salt {
      seal?.digests[.payload] = EventSealing.payload(salt: salt, sequence, fields: bytes[kept...], body: event.body)
    }
    try statement("UPDATE events SET canonical = ?2, body = ?3, seal = ?4 WHERE seq = ?1").run([
      .integer(sequence), .blob(fields.forRecord.encoded(whole: false)), .blob(Self.noBody),
      seal.map { .blob($0.encoded()) } ?? .null,
    ])
    return true
  }

  /// What stands in the place of a body that is gone: an object without members.
  static let noBody = Array("{}".utf8)

  /// Takes the attempts of an event's ended deliveries, and what these were told; that they ended, and why, stays.
  func sweepAttempts(of sequence: Int64) throws {
    try sweepPackedAttempts(of: sequence)
    let rows = try statement("SELECT ordinal FROM deliveries WHERE event = ?1 AND state > 1")
    for ordinal in try rows.all([.integer(sequence)], { $0.int(0) }) {
      try sweepAttempts(ofRow: RowKey(event: sequence, ordinal: ordinal))
    }
  }

  private func sweepAttempts(ofRow key: RowKey) throws {
    let select = try statement("SELECT \(DeliveryRow.columns) FROM deliveries WHERE event = ?1 AND ordinal = ?2")
    let sealed = try statement("SELECT seal FROM deliveries WHERE event = ?1 AND ordinal = ?2")
    guard let delivery = try select.first(key.values, { try DeliveryRow.read($0, tag: tag) }) else { return }
    if delivery.attempts.isEmpty, delivery.memo.isEmpty { return }
    var seal = try sealed.first(key.values) { Seal(decoding: $0.blob(0)) } ?? nil
    if let salt = seal?.salt { seal?.digests[.attempts] = EndSealing.attempts(salt: salt, delivery) }
    let sql = "UPDATE deliveries SET attempts = ?3, memo = NULL, seal = ?4 WHERE event = ?1 AND ordinal = ?2"
    try statement(sql).run(
      key.values + [.blob(AttemptCoding.encode([])), seal.map { .blob($0.encoded()) } ?? .null])
  }

  private func sweepPackedAttempts(of sequence: Int64) throws {
    let select = try statement("SELECT packed, seal FROM events WHERE seq = ?1 AND open = 0")
    guard let (bytes, stored) = try select.first([.integer(sequence)], { ($0.blob(0), $0.blob(1)) }),
      let states = SealedPacked.read(bytes), states.contains(where: \.hasAttempt)
    else { return }
    var seal = Seal(decoding: stored)
    if let sealed = seal {
      for ordinals in try endedTogether(sequence, sealed, states) {
        let ends = ordinals.compactMap { PackedEnd($0, states[$0]) }
        let digest = EndsSealing.attempts(salt: sealed.salt, sequence, ends)
        seal?.digests[.packedAttempts(ordinals.first ?? 0)] = digest
      }
    }
    let bare = states.map(\.withoutAttempt)
    try statement("UPDATE events SET packed = ?2, seal = ?3 WHERE seq = ?1").run([
      .integer(sequence), .blob(PackedCoding.encode(bare, width: 0)), seal.map { .blob($0.encoded()) } ?? .null,
    ])
  }

  /// The packed deliveries that share a leaf: looked for from the event's own entry on, since they end soon after.
  private func endedTogether(_ sequence: Int64, _ seal: Seal, _ states: [PackedState]) throws -> [[Int]] {
    let select = try statement("SELECT leaves FROM chain WHERE n = ?1")
    var left = Set(states.indices.filter { states[$0].isEnded })
    var groups: [[Int]] = []
    var n = seal.entry
    while !left.isEmpty, let bytes = try select.first([.integer(n)], { $0.blob(0) }) {
      n += 1
      for leaf in Leaf.list(decoding: bytes) ?? [] where leaf.kind == .ends && leaf.thing == sequence {
        left.subtract(leaf.ordinals)
        groups.append(leaf.ordinals.filter { $0 < states.count })
      }
    }
    return groups
  }
}

extension PackedState {
  fileprivate var hasAttempt: Bool { if case .ended(_, _, .some) = self { true } else { false } }

  fileprivate var withoutAttempt: PackedState {
    guard case .ended(let state, let reason, _) = self else { return self }
    return .ended(state, reason: reason, attempt: nil)
  }
}
