// What is hashed of each kind of thing, byte for byte: written by the commit, and again by whoever verifies.

import Crypto
import DivertCore

/// The bytes behind a leaf's hash: salt, kind, thing, then the content's fields in a fixed order. Texts and blobs are preceded by
/// their length, so that no two contents give the same bytes.
struct SealedContent {
  private(set) var bytes: [UInt8]

  init(salt: [UInt8], kind: UInt8, thing: Int64, capacity: Int = 512) {
    bytes = []
    bytes.reserveCapacity(capacity)
    bytes += salt
    bytes.append(kind)
    number(thing)
  }

  init(_ kind: LeafKind, salt: [UInt8], thing: Int64) { self.init(salt: salt, kind: kind.rawValue, thing: thing) }

  var hash: [UInt8] { Self.hash(bytes) }

  static func hash(_ bytes: [UInt8]) -> [UInt8] { SHA256.hash(data: bytes).withUnsafeBytes { Array($0) } }

  mutating func number(_ n: Int64) { bytes.append(number: n, length: 8) }
  mutating func number(_ n: Int) { number(Int64(n)) }
  mutating func time(_ t: Timestamp) { number(t.milliseconds) }

  mutating func number(_ n: Int64?) {
    bytes.append(n == nil ? 0 : 1)
    if let n { number(n) }
  }

  mutating func text(_ text: String) {
    bytes.append(number: Int64(text.utf8.count), length: 5)
    bytes.append(contentsOf: text.utf8)
  }

  mutating func text(_ text: String?) {
    bytes.append(text == nil ? 0 : 1)
    if let text { self.text(text) }
  }

  mutating func blob(_ blob: some Collection<UInt8>) {
    bytes.append(number: Int64(blob.count), length: 5)
    bytes.append(contentsOf: blob)
  }

  mutating func blob(_ blob: [UInt8]?) {
    bytes.append(blob == nil ? 0 : 1)
    if let blob { self.blob(blob) }
  }

  /// A digest that stands for a part.
  mutating func digest(_ digest: [UInt8]) { bytes += digest }

  mutating func attempt(_ attempt: Attempt) {
    time(attempt.startedAt)
    number(attempt.duration.milliseconds)
    number(attempt.status.map { Int64($0) })
    text(attempt.outcome.rawValue)
    text(attempt.reason.code)
    text(attempt.reason.sentence)
    text(attempt.answer)
    text(attempt.stage)
  }
}

/// An event as it was accepted.
struct EventSealing {
  var sequence: Int64
  var received: Timestamp
  var bucket: Int
  var source: String
  var name: String
  var callID: String?
  var phone: String?
  var version: String
  /// What was planned with it, as `PlanCoding` writes it.
  var plan: [UInt8]
  /// The fields that the record keeps, as a document of their own.
  var kept: ArraySlice<UInt8>

  func content(salt: [UInt8], payload: [UInt8]) -> SealedContent {
    var content = SealedContent(.event, salt: salt, thing: sequence)
    content.time(received)
    content.number(bucket)
    content.text(source)
    content.text(name)
    content.text(callID)
    content.text(phone)
    content.text(version)
    content.blob(plan)
    content.blob(kept)
    content.digest(payload)
    return content
  }

  /// The digest of what may go before the rest: the body, and the fields that the record can do without.
  static func payload(salt: [UInt8], _ sequence: Int64, fields: some Collection<UInt8>, body: [UInt8]) -> [UInt8] {
    payloadContent(salt: salt, sequence, fields: fields, body: body).hash
  }

  static func payloadContent(
    salt: [UInt8], _ sequence: Int64, fields: some Collection<UInt8>, body: [UInt8]
  ) -> SealedContent {
    var content = SealedContent(salt: salt, kind: 101, thing: sequence, capacity: body.count + fields.count + 64)
    content.blob(fields)
    content.blob(body)
    return content
  }
}

/// Packed deliveries of an event that ended in one transaction.
enum EndsSealing {
  static func content(salt: [UInt8], _ sequence: Int64, _ ends: [PackedEnd], attempts: [UInt8]) -> SealedContent {
    var content = SealedContent(.ends, salt: salt, thing: sequence)
    for end in ends {
      content.number(end.ordinal)
      content.number(end.state.rawValue)
      content.text(end.reason.code)
      content.text(end.reason.sentence)
    }
    content.digest(attempts)
    return content
  }

  static func attempts(salt: [UInt8], _ sequence: Int64, _ ends: [PackedEnd]) -> [UInt8] {
    attemptsContent(salt: salt, sequence, ends).hash
  }

  static func attemptsContent(salt: [UInt8], _ sequence: Int64, _ ends: [PackedEnd]) -> SealedContent {
    var content = SealedContent(salt: salt, kind: 103, thing: sequence)
    for end in ends {
      content.number(end.ordinal)
      content.number(end.attempt == nil ? 0 : 1)
      if let attempt = end.attempt { content.attempt(attempt) }
    }
    return content
  }
}

/// A packed delivery that ended.
struct PackedEnd {
  var ordinal: Int
  var state: DeliveryState
  var reason: Reason
  var attempt: Attempt?

  /// Nil: it has not ended in its event's row.
  init?(_ ordinal: Int, _ state: PackedState) {
    guard case .ended(let end, let reason, let attempt) = state else { return nil }
    self.ordinal = ordinal
    self.state = end
    self.reason = reason
    self.attempt = attempt
  }
}

/// A delivery's row that ended: what `DeliveryRow.changes` writes of it.
enum EndSealing {
  static func content(salt: [UInt8], _ delivery: Delivery, attempts: [UInt8]) -> SealedContent {
    var content = SealedContent(.end, salt: salt, thing: delivery.id.event.sequence)
    content.number(delivery.id.ordinal)
    content.time(delivery.due)
    content.number(delivery.state.rawValue)
    content.text(delivery.reason?.code)
    content.text(delivery.reason?.sentence)
    content.number(delivery.counted)
    content.number(delivery.firstAttemptAt?.milliseconds)
    content.number(delivery.stood.milliseconds)
    content.text(delivery.queue)
    content.digest(attempts)
    return content
  }

  /// The digest of its attempts and of what it was told meanwhile.
  static func attempts(salt: [UInt8], _ delivery: Delivery) -> [UInt8] {
    attemptsContent(salt: salt, delivery).hash
  }

  static func attemptsContent(salt: [UInt8], _ delivery: Delivery) -> SealedContent {
    var content = SealedContent(salt: salt, kind: 104, thing: delivery.id.event.sequence)
    content.number(delivery.id.ordinal)
    content.number(delivery.attempts.count)
    for attempt in delivery.attempts { content.attempt(attempt) }
    content.blob(delivery.memo.isEmpty ? nil : MemoCoding.encode(delivery.memo))
    return content
  }
}

/// A delivery that joined its event later.
struct EntrySealing {
  var sequence: Int64
  var ordinal: Int
  /// Its entry in the event's plan, as `PlanCoding` writes it alone.
  var entry: [UInt8]
  var replayOf: Int?
  var root: Int?
  var asWas: Bool
  var edited: [UInt8]?

  func content(salt: [UInt8]) -> SealedContent {
    var content = SealedContent(.entry, salt: salt, thing: sequence)
    content.number(ordinal)
    content.blob(entry)
    content.number(replayOf.map { Int64($0) })
    content.number(root.map { Int64($0) })
    content.number(asWas ? 1 : 0)
    content.blob(edited)
    return content
  }
}

/// A change that is no event.
enum ChangeSealing {
  static func content(
    salt: [UInt8], id: Int64, at: Timestamp, kind: String, subject: String?, content bytes: [UInt8]
  ) -> SealedContent {
    var content = SealedContent(.change, salt: salt, thing: id)
    content.time(at)
    content.text(kind)
    content.text(subject)
    content.blob(bytes)
    return content
  }
}
