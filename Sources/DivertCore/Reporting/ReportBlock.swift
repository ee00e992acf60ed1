// What a report tells of, in blocks: calls that ended, messages that were sent or withheld. A block is what the store keeps as one
// digest; what is newer than the last digest is made into blocks when a report is asked for.

/// What rows of a block have in common.
package struct ReportFact: Sendable, Hashable {
  package enum Kind: Int, Sendable, Hashable {
    /// A call that ended by CALL_REJECTED, by CALL_MISSED, or otherwise (CALL_ENDED).
    case rejected = 0, missed, ended
    /// A message to a person came to its end.
    case message
  }

  package var kind: Kind
  /// The event's, also of a message.
  package var direction: String?
  package var agent: String?
  package var waba: String?
  /// Of a message alone.
  package var end: MessageEnd?

  package init(kind: Kind, direction: String?, agent: String?, waba: String?, end: MessageEnd? = nil) {
    self.kind = kind
    self.direction = direction
    self.agent = agent
    self.waba = waba
    self.end = end
  }
}

/// How a message to a person ended, and by which send.
package struct MessageEnd: Sendable, Hashable {
  package var route: String
  package var send: String
  /// `whatsapp.send_text`.
  package var action: String
  /// Delivered, dead or skipped.
  package var state: DeliveryState
  /// The reason's code.
  package var code: String
  /// Its allowed hours held it at least once.
  package var wasHeld: Bool

  package init(route: String, send: String, action: String, state: DeliveryState, code: String, wasHeld: Bool) {
    self.route = route
    self.send = send
    self.action = action
    self.state = state
    self.code = code
    self.wasHeld = wasHeld
  }
}

/// Rows of calls and messages, their texts kept once.
package struct ReportBlock: Sendable, Equatable {
  package struct Row: Sendable, Hashable {
    /// When the call ended, or the message's end was written down.
    package var at: Timestamp
    /// The event's sequence.
    package var event: Int64
    /// The customer's; 0: none. See `phone(_:)`.
    package var phone: UInt64
    /// Rows of equal phones and marks are of one call.
    package var mark: UInt32
    /// A place in `facts`.
    package var fact: Int
  }

  package internal(set) var facts: [ReportFact] = []
  /// Phones that are no E.164 numbers.
  package internal(set) var others: [String] = []
  package internal(set) var rows: [Row] = []
  private var places: [ReportFact: Int] = [:]

  package init() {}

  package static func == (a: ReportBlock, b: ReportBlock) -> Bool {
    a.facts == b.facts && a.others == b.others && a.rows == b.rows
  }

  /// Adds a call or a message.
  /// - Parameter call: the call's id; nil: the event stands for itself.
  package mutating func append(_ fact: ReportFact, at: Timestamp, event: Int64, phone: String?, call: String?) {
    let place = places[fact] ?? facts.count
    if place == facts.count {
      facts.append(fact)
      places[fact] = place
    }
    let mark = call.map(Self.mark) ?? Self.mark(String(event))
    rows.append(Row(at: at, event: event, phone: code(phone), mark: mark, fact: place))
  }

  /// The earliest and the latest `at`; nil: it is empty.
  package var span: ClosedRange<Timestamp>? {
    guard let first = rows.first?.at else { return nil }
    let ends = rows.reduce((first, first)) { (min($0.0, $1.at), max($0.1, $1.at)) }
    return ends.0...ends.1
  }

  // MARK: Phones

  private static let isOther: UInt64 = 1 << 63

  /// `+` and the number as a number; for other texts the place in `others` with the highest bit set.
  private mutating func code(_ phone: String?) -> UInt64 {
    guard let phone, !phone.isEmpty else { return 0 }
    if let number = Self.number(phone) { return number }
    if let place = others.firstIndex(of: phone) { return Self.isOther | UInt64(place) }
    others.append(phone)
    return Self.isOther | UInt64(others.count - 1)
  }

  /// Nil: not `+` and 1 to 18 digits without a leading zero.
  static func number(_ phone: String) -> UInt64? {
    let digits = phone.utf8.dropFirst()
    guard phone.utf8.first == UInt8(ascii: "+"), 1...18 ~= digits.count, digits.first != UInt8(ascii: "0") else {
      return nil
    }
    var number: UInt64 = 0
    for digit in digits {
      let value = digit &- UInt8(ascii: "0")
      guard value < 10 else { return nil }
      number = number * 10 + UInt64(value)
    }
    return number
  }

  /// A row's phone as text; nil where it has none.
  package func phone(_ code: UInt64) -> String? {
    if code == 0 { return nil }
    if code & Self.isOther == 0 { return "+\(code)" }
    let place = Int(code & ~Self.isOther)
    return place < others.count ? others[place] : nil
  }

  /// Takes these phones out of it; the rows stay. False: it has none of them.
  package mutating func forget(_ phones: Set<String>) -> Bool {
    var codes = Set(phones.compactMap(Self.number))
    for (place, text) in others.enumerated() where phones.contains(text) {
      codes.insert(Self.isOther | UInt64(place))
      others[place] = ""
    }
    var changed = false
    for index in rows.indices where codes.contains(rows[index].phone) {
      rows[index].phone = 0
      // A call's id is the customer's, too.
      rows[index].mark = Self.mark(String(rows[index].event))
      changed = true
    }
    return changed
  }

  /// FNV-1a of 32 bits.
  static func mark(_ text: String) -> UInt32 {
    text.utf8.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
  }
}
