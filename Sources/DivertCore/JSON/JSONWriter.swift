// JSONValue → bytes: request bodies, stored columns, dead letters. Everything is appended to one buffer.

/// Writes JSON text (RFC 8259) as UTF-8.
package enum JSONWriter {
  /// Appends `value` without white space.
  package static func append(_ value: JSONValue, to bytes: inout [UInt8]) {
    switch value {
    case .null: bytes.append(contentsOf: "null".utf8)
    case .bool(let b): bytes.append(contentsOf: (b ? "true" : "false").utf8)
    case .number(let literal): bytes.append(contentsOf: literal.utf8)
    case .string(let text): append(string: text, to: &bytes)
    case .array(let items):
      bytes.append(UInt8(ascii: "["))
      for (place, item) in items.enumerated() {
        if place > 0 { bytes.append(UInt8(ascii: ",")) }
        append(item, to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let object):
      bytes.append(UInt8(ascii: "{"))
      for (place, member) in object.members.enumerated() {
        if place > 0 { bytes.append(UInt8(ascii: ",")) }
        append(key: member.key, to: &bytes)
        append(member.value, to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  /// Appends `"key":`.
  package static func append(key: String, to bytes: inout [UInt8]) {
    append(string: key, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
  }

  /// Appends `text` in quotes.
  package static func append(string text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    append(escaped: text, to: &bytes)
    bytes.append(UInt8(ascii: "\""))
  }

  /// Appends `text` as it stands between quotes: `"`, `\` and control characters escaped, everything else as it is.
  package static func append(escaped text: String, to bytes: inout [UInt8]) {
    var text = text
    text.withUTF8 { buffer in
      var start = 0
      for place in 0..<buffer.count {
        let byte = buffer[place]
        guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[start..<place]))
        append(escapeOf: byte, to: &bytes)
        start = place + 1
      }
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[start...]))
    }
  }

  private static func append(escapeOf byte: UInt8, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x08: bytes.append(UInt8(ascii: "b"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case 0x0a: bytes.append(UInt8(ascii: "n"))
    case 0x0c: bytes.append(UInt8(ascii: "f"))
    case 0x0d: bytes.append(UInt8(ascii: "r"))
    case ..<0x20:
      bytes.append(contentsOf: "u00".utf8)
      bytes.append(Hex.digits[Int(byte >> 4)])
      bytes.append(Hex.digits[Int(byte & 15)])
    default: bytes.append(byte)
    }
  }

  /// Appends `value` for people: a member or item a line, two spaces a level, `{}` and `[]` for what is empty.
  package static func appendPretty(_ value: JSONValue, to bytes: inout [UInt8], level: Int = 0) {
    switch value {
    case .array(let items) where !items.isEmpty:
      appendLines(items, ends: "[]", level: level, to: &bytes) { item, bytes in
        appendPretty(item, to: &bytes, level: level + 1)
      }
    case .object(let object) where !object.members.isEmpty:
      appendLines(object.members, ends: "{}", level: level, to: &bytes) { member, bytes in
        append(string: member.key, to: &bytes)
        bytes.append(contentsOf: ": ".utf8)
        appendPretty(member.value, to: &bytes, level: level + 1)
      }
    default: append(value, to: &bytes)
    }
  }

  private static func appendLines<Item>(
    _ items: [Item], ends: String, level: Int, to bytes: inout [UInt8], _ append: (Item, inout [UInt8]) -> Void
  ) {
    bytes.append(contentsOf: ends.utf8.prefix(1))
    for (place, item) in items.enumerated() {
      if place > 0 { bytes.append(UInt8(ascii: ",")) }
      newLine(level + 1, to: &bytes)
      append(item, &bytes)
    }
    newLine(level, to: &bytes)
    bytes.append(contentsOf: ends.utf8.suffix(1))
  }

  private static func newLine(_ level: Int, to bytes: inout [UInt8]) {
    bytes.append(0x0a)
    bytes.append(contentsOf: repeatElement(0x20, count: 2 * level))
  }

  /// Appends `value` so that equal documents give equal bytes whatever the order of their keys: members sorted by key
  /// (the last of equal keys alone), no white space. Numbers stay as they are written.
  package static func appendCanonical(_ value: JSONValue, to bytes: inout [UInt8]) {
    switch value {
    case .array(let items):
      bytes.append(UInt8(ascii: "["))
      for (place, item) in items.enumerated() {
        if place > 0 { bytes.append(UInt8(ascii: ",")) }
        appendCanonical(item, to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let object): appendCanonical(object, to: &bytes)
    default: append(value, to: &bytes)
    }
  }

  private static func appendCanonical(_ object: JSONObject, to bytes: inout [UInt8]) {
    let order = object.members.indices.sorted {
      let (a, b) = (object.members[$0].key, object.members[$1].key)
      return a == b ? $0 < $1 : a < b
    }
    bytes.append(UInt8(ascii: "{"))
    var first = true
    for (place, index) in order.enumerated() {
      let member = object.members[index]
      if place + 1 < order.count, object.members[order[place + 1]].key == member.key { continue }
      if !first { bytes.append(UInt8(ascii: ",")) }
      first = false
      append(key: member.key, to: &bytes)
      appendCanonical(member.value, to: &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
  }
}

/// Lower-case hexadecimal.
enum Hex {
  static let digits = Array("0123456789abcdef".utf8)
  static let upperDigits = Array("0123456789ABCDEF".utf8)

  /// Two digits a byte, behind a word in ASCII.
  static func text(_ bytes: some Collection<UInt8>, after word: StaticString = "") -> String {
    let start = word.utf8CodeUnitCount
    return String(unsafeUninitializedCapacity: start + 2 * bytes.count) { buffer in
      _ = buffer.update(fromContentsOf: UnsafeBufferPointer(start: word.utf8Start, count: start))
      var place = start
      for byte in bytes {
        buffer[place] = digit(byte >> 4)
        buffer[place + 1] = digit(byte & 15)
        place += 2
      }
      return place
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }
}

extension JSONValue {
  /// The document without white space, as UTF-8.
  package func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    JSONWriter.append(self, to: &bytes)
    return bytes
  }

  /// The document for people, two spaces a level and a line feed at the end.
  package func prettyEncoded() -> [UInt8] {
    var bytes: [UInt8] = []
    JSONWriter.appendPretty(self, to: &bytes)
    bytes.append(0x0a)
    return bytes
  }

  /// The document without white space, as text.
  package var text: String { String(decoding: encoded(), as: UTF8.self) }
}
