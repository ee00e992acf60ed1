// An event's row as verification reads it, and whether it is what its leaf says.

import DivertCore

struct SealedEvent {
  var sequence: Int64
  var sealing: EventSealing
  var canonical: [UInt8]
  var body: [UInt8]
  /// Empty: it has none.
  var seal: [UInt8]
  var packed: [UInt8]

  static let columns = """
    seq, received, bucket, source, name, call_id, phone, version, plan, canonical, body, seal, packed
    """

  init(_ row: SQLiteStatement) {
    sequence = row.integer(0)
    canonical = row.blob(9)
    body = row.blob(10)
    seal = row.blob(11)
    packed = row.blob(12)
    sealing = EventSealing(
      sequence: sequence, received: row.time(1), bucket: row.int(2), source: row.text(3), name: row.text(4),
      callID: row.optionalText(5), phone: row.optionalText(6), version: row.text(7), plan: row.blob(8), kept: [])
  }

  /// Why it is not what was sealed in entry `n` with this hash; nil: it is.
  func fault(hash: [UInt8], entry n: Int64, _ coverage: RecordCoverage) -> String? {
    guard let seal = Seal(decoding: seal) else { return "its seal is not what was written" }
    if seal.entry != n { return "its seal names entry \(seal.entry)" }
    guard let fields, let content = content(seal, fields) else {
      return "its fields are not as they were written"
    }
    if content.hash == hash || sealedContent(seal, hash: hash) != nil { return sweepFault(seal, coverage) }
    return SealedDifference.find(self, seal, fields, hash)
  }

  /// The content that gives this hash: as it stands, or without what joined its plan later; nil: neither does.
  func sealedContent(_ seal: Seal, hash: [UInt8]) -> SealedContent? {
    guard let fields else { return nil }
    if let content = content(seal, fields), content.hash == hash { return content }
    guard let original = planAtFirst(besides: sealing.plan) else { return nil }
    var restored = self
    restored.sealing.plan = original
    return restored.content(seal, fields).flatMap { $0.hash == hash ? $0 : nil }
  }

  private func sweepFault(_ seal: Seal, _ coverage: RecordCoverage) -> String? {
    guard seal.digests[.payload] != nil else { return nil }
    if !coverage.isSwept("payloads", sequence) { return "its body is gone, and no sweep on record covers that" }
    if body != SQLiteWriter.noBody || fields?.forRecord.encoded(whole: false) != canonical {
      return "it has a body or fields again that a sweep on record took"
    }
    return nil
  }

  var fields: Event.Fields? {
    Event.Fields(
      decoding: canonical, name: sealing.name, callID: sealing.callID, customerPhone: sealing.phone)
  }

  /// What is hashed; nil where the fields are not stored as they are written.
  func content(_ seal: Seal, _ fields: Event.Fields) -> SealedContent? {
    let (bytes, kept) = fields.encodedInTwo()
    guard bytes == canonical else { return nil }
    var sealing = sealing
    sealing.kept = bytes[..<kept]
    let payload =
      seal.digests[.payload]
      ?? EventSealing.payload(salt: seal.salt, sequence, fields: bytes[kept...], body: body)
    return sealing.content(salt: seal.salt, payload: payload)
  }

  /// The plan as it was accepted, without what joined later; nil where nothing joined, or it cannot be read.
  private func planAtFirst(besides stored: [UInt8]) -> [UInt8]? {
    guard let entries = try? PlanCoding.decode(stored, received: sealing.received) else { return nil }
    let first = entries.prefix { !$0.later }.map(\.plan)
    if first.count == entries.count { return nil }
    let bytes = PlanCoding.encode(first, received: sealing.received)
    // What is stored must be just this with more behind it.
    return PlanCoding.encode(entries) == stored ? bytes : nil
  }
}

/// What of an event was changed, found by trying what it may have been: texts of its own body, times of its own id.
enum SealedDifference {
  static func find(_ event: SealedEvent, _ seal: Seal, _ fields: Event.Fields, _ hash: [UInt8]) -> String {
    func fits(_ change: (inout EventSealing) -> Void) -> Bool {
      var tried = event
      change(&tried.sealing)
      return tried.content(seal, fields)?.hash == hash
    }
    let texts = Set(texts(event.body))
    for text in texts {
      if fits({ $0.phone = text }) { return "its customer's phone was changed" }
      if fits({ $0.callID = text }) { return "its call's id was changed" }
      if fits({ $0.name = text }) { return "its name was changed from \(text)" }
    }
    if fits({ $0.received = Timestamp(milliseconds: event.sequence >> 20) }) {
      return "its time of reception was changed"
    }
    if fits({ $0.phone = nil }) { return "a customer's phone was written into it" }
    if fits({ $0.callID = nil }) { return "a call's id was written into it" }
    return "its content is not what was sealed"
  }

  /// Every text and number of a body, a bounded number of them.
  private static func texts(_ body: [UInt8]) -> [String] {
    guard let json = try? JSONValue.parse(body) else { return [] }
    var found: [String] = []
    func collect(_ value: JSONValue) {
      if found.count > 100 { return }
      switch value {
      case .string(let text): found += text.hasPrefix("+") ? [text] : [text, "+" + text]
      case .number(let text): found += [text, "+" + text]
      case .array(let items): items.forEach(collect)
      case .object(let object): object.members.forEach { collect($0.value) }
      case .null, .bool: break
      }
    }
    collect(json)
    return found
  }
}
