// A block ↔ bytes: the store's digests. Numbers are as short as they are small, times count from the row before.

/// Writes numbers of seven bits a byte, and texts behind their length.
private struct ShortWriter {
  var bytes: [UInt8] = []

  mutating func number(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Small numbers of either sign are short.
  mutating func signed(_ value: Int64) { number(UInt64(bitPattern: value << 1 ^ value >> 63)) }

  mutating func text(_ text: String?) {
    guard let text else { return number(0) }
    number(UInt64(text.utf8.count) + 1)
    bytes.append(contentsOf: text.utf8)
  }
}

/// Reads what `ShortWriter` wrote; `nil` and `isBroken` behind the end.
private struct ShortReader {
  let bytes: [UInt8]
  var place = 0
  var isBroken = false

  mutating func number() -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while place < bytes.count, shift < 64 {
      let byte = bytes[place]
      place += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    isBroken = true
    return 0
  }

  mutating func signed() -> Int64 {
    let value = number()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// A number of things that follow, each of a byte at least.
  mutating func count() -> Int {
    let value = number()
    if value <= UInt64(bytes.count - place) { return Int(value) }
    isBroken = true
    return 0
  }

  mutating func text() -> String? {
    let length = number()
    if length == 0 { return nil }
    guard length - 1 <= UInt64(bytes.count - place) else {
      isBroken = true
      return nil
    }
    let end = place + Int(length - 1)
    defer { place = end }
    return String(decoding: bytes[place..<end], as: UTF8.self)
  }
}

extension ReportBlock {
  private static let format: UInt64 = 1

  /// Equal blocks give equal bytes.
  package func encoded() -> [UInt8] {
    var writer = ShortWriter()
    writer.bytes.reserveCapacity(rows.count * 20 + 256)
    writer.number(Self.format)
    writer.number(UInt64(others.count))
    for text in others { writer.text(text) }
    writer.number(UInt64(facts.count))
    for fact in facts { Self.append(fact, to: &writer) }
    writer.number(UInt64(rows.count))
    var last: Int64 = 0
    for row in rows {
      let moment = row.event >> 20
      writer.signed(moment - last)
      last = moment
      writer.number(UInt64(row.event & 0xfffff))
      writer.signed(row.at.milliseconds &- moment)
      writer.number(row.phone)
      for shift in [0, 8, 16, 24] { writer.bytes.append(UInt8(truncatingIfNeeded: row.mark >> UInt32(shift))) }
      writer.number(UInt64(row.fact))
    }
    return writer.bytes
  }

  private static func append(_ fact: ReportFact, to writer: inout ShortWriter) {
    writer.number(UInt64(fact.kind.rawValue))
    for text in [fact.direction, fact.agent, fact.waba] { writer.text(text) }
    guard let end = fact.end else { return }
    for text in [end.route, end.send, end.action, end.code] { writer.text(text) }
    writer.number(UInt64(end.state.rawValue) << 1 | (end.wasHeld ? 1 : 0))
  }

  /// Reads what `encoded` writes; nil for anything else.
  package init?(decoding bytes: [UInt8]) {
    self.init()
    var reader = ShortReader(bytes: bytes)
    guard reader.number() == Self.format else { return nil }
    for _ in 0..<reader.count() { others.append(reader.text() ?? "") }
    for _ in 0..<reader.count() {
      guard let fact = Self.fact(&reader) else { return nil }
      facts.append(fact)
    }
    let count = reader.count()
    rows.reserveCapacity(count)
    var moment: Int64 = 0
    for _ in 0..<count {
      moment &+= reader.signed()
      let event = moment << 20 | Int64(bitPattern: reader.number() & 0xfffff)
      let at = Timestamp(milliseconds: moment &+ reader.signed())
      let phone = reader.number()
      guard let mark = Self.mark(&reader) else { return nil }
      let fact = reader.number()
      guard fact < UInt64(facts.count) else { return nil }
      rows.append(Row(at: at, event: event, phone: phone, mark: mark, fact: Int(fact)))
    }
    if reader.isBroken || reader.place != bytes.count { return nil }
  }

  private static func mark(_ reader: inout ShortReader) -> UInt32? {
    guard reader.place + 4 <= reader.bytes.count else { return nil }
    var mark: UInt32 = 0
    for byte in 0..<4 { mark |= UInt32(reader.bytes[reader.place + byte]) << UInt32(8 * byte) }
    reader.place += 4
    return mark
  }

  private static func fact(_ reader: inout ShortReader) -> ReportFact? {
    guard let kind = ReportFact.Kind(rawValue: Int(truncatingIfNeeded: reader.number())) else { return nil }
    var fact = ReportFact(kind: kind, direction: reader.text(), agent: reader.text(), waba: reader.text())
    if kind != .message { return fact }
    let texts = (0..<4).map { _ in reader.text() ?? "" }
    let standing = reader.number()
    guard let state = DeliveryState(rawValue: Int(truncatingIfNeeded: standing >> 1)) else { return nil }
    fact.end = MessageEnd(
      route: texts[0], send: texts[1], action: texts[2], state: state, code: texts[3], wasHeld: standing & 1 == 1)
    return fact
  }
}
