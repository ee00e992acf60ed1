// Bytes → JSONValue (step 2 of the line, and every answer that a response rule reads). A parser of our own, because
// numbers keep their literal text and objects their order, depth is bounded, and an error says where and what was
// expected.

/// Why a text is no JSON document, and where.
package struct JSONParseError: Error, Sendable, Hashable {
  /// Bytes before the fault.
  package let offset: Int
  /// Counted from 1.
  package let line: Int
  /// Counted from 1, in bytes.
  package let column: Int
  /// What was expected there. Holds nothing of the text.
  package let reason: String
}

extension JSONParseError: CustomStringConvertible {
  /// The text may be sound JSON, but it is nested deeper than allowed.
  package var isTooDeep: Bool { reason.hasSuffix("levels of nesting") }

  package var description: String { "line \(line), column \(column): \(reason)" }
}

extension JSONValue {
  /// Reads one JSON document (RFC 8259): strict UTF-8, no bytes after it but white space, no byte order mark.
  /// - Parameter maxDepth: how deep arrays and objects may be nested; deeper is an error.
  package static func parse(_ bytes: [UInt8], maxDepth: Int = 64) throws(JSONParseError) -> JSONValue {
    try bytes.withUnsafeBufferPointer { (buffer) throws(JSONParseError) -> JSONValue in
      var reader = JSONReader(bytes: buffer, maxDepth: maxDepth)
      return try reader.document()
    }
  }

  /// Whether `text` is exactly one JSON number, nothing before or after it.
  package static func isNumber(_ text: String) -> Bool {
    guard let first = text.utf8.first, first == UInt8(ascii: "-") || JSONReader.isDigit(first) else { return false }
    let bytes = Array(text.utf8)
    return bytes.withUnsafeBufferPointer { buffer in
      var reader = JSONReader(bytes: buffer, maxDepth: 0)
      guard (try? reader.number()) != nil else { return false }
      return reader.at == buffer.count
    }
  }
}

/// A cursor over the text. The buffer outlives it: it exists only inside `withUnsafeBufferPointer`.
private struct JSONReader {
  let bytes: UnsafeBufferPointer<UInt8>
  let maxDepth: Int
  var at = 0

  init(bytes: UnsafeBufferPointer<UInt8>, maxDepth: Int) {
    self.bytes = bytes
    self.maxDepth = maxDepth
  }

  /// The byte under the cursor; 0, which is valid nowhere outside strings, at the end.
  private var next: UInt8 { at < bytes.count ? bytes[at] : 0 }

  mutating func document() throws(JSONParseError) -> JSONValue {
    let value = try value(depth: 0)
    skipBlanks()
    guard at == bytes.count else { throw fault("expected the end of the text") }
    return value
  }

  private mutating func value(depth: Int) throws(JSONParseError) -> JSONValue {
    skipBlanks()
    switch next {
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
    case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: throw fault("expected a value")
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONParseError) -> JSONValue {
    for place in 0..<word.utf8CodeUnitCount {
      guard next == word.utf8Start[place] else { throw fault("expected `\(word)`") }
      at += 1
    }
    return value
  }

  private mutating func object(depth: Int) throws(JSONParseError) -> JSONObject {
    try enter(depth)
    var object = JSONObject()
    if skipBlanks(to: UInt8(ascii: "}")) { return object }
    object.members.reserveCapacity(depth == 1 ? 20 : 4)
    while true {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw fault("expected a key in double quotes") }
      let key = try string()
      guard skipBlanks(to: UInt8(ascii: ":")) else { throw fault("expected `:` after the key") }
      object.members.append(JSONObject.Member(key: key, value: try value(depth: depth)))
      if skipBlanks(to: UInt8(ascii: ",")) { continue }
      if skipBlanks(to: UInt8(ascii: "}")) { return object }
      throw fault("expected `,` or `}`")
    }
  }

  private mutating func array(depth: Int) throws(JSONParseError) -> [JSONValue] {
    try enter(depth)
    var items: [JSONValue] = []
    if skipBlanks(to: UInt8(ascii: "]")) { return items }
    while true {
      items.append(try value(depth: depth))
      if skipBlanks(to: UInt8(ascii: ",")) { continue }
      if skipBlanks(to: UInt8(ascii: "]")) { return items }
      throw fault("expected `,` or `]`")
    }
  }

  private mutating func enter(_ depth: Int) throws(JSONParseError) {
    guard depth <= maxDepth else { throw fault("expected at most \(maxDepth) levels of nesting") }
    at += 1
  }

  private mutating func skipBlanks() {
    while at < bytes.count {
      let byte = bytes[at]
      guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return }
      at += 1
    }
  }

  /// Skips blanks, and then `byte` if it comes next.
  private mutating func skipBlanks(to byte: UInt8) -> Bool {
    skipBlanks()
    guard next == byte else { return false }
    at += 1
    return true
  }

  func fault(_ reason: String, at place: Int? = nil) -> JSONParseError {
    let offset = min(place ?? at, bytes.count)
    let before = bytes[..<offset]
    let line = before.count { $0 == 0x0a } + 1
    let start = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    let found = offset == bytes.count && place == nil ? ", but the text ends" : ""
    return JSONParseError(offset: offset, line: line, column: offset - start + 1, reason: reason + found)
  }
}

// Numbers: kept as they are written.
extension JSONReader {
  static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  mutating func number() throws(JSONParseError) -> String {
    let start = at
    if next == UInt8(ascii: "-") { at += 1 }
    if next == UInt8(ascii: "0") { at += 1 } else { try digits() }
    if next == UInt8(ascii: ".") {
      at += 1
      try digits()
    }
    if next | 0x20 == UInt8(ascii: "e") {
      at += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { at += 1 }
      try digits()
    }
    return String(decoding: bytes[start..<at], as: UTF8.self)
  }

  private mutating func digits() throws(JSONParseError) {
    guard Self.isDigit(next) else { throw fault("expected a digit") }
    while Self.isDigit(next) { at += 1 }
  }
}

// Strings: one pass and one copy when nothing is escaped.
extension JSONReader {
  /// Reads a string whose opening quote is under the cursor.
  fileprivate mutating func string() throws(JSONParseError) -> String {
    at += 1
    let start = at
    var seen: UInt8 = 0
    while at < bytes.count {
      let byte = bytes[at]
      if byte == UInt8(ascii: "\"") {
        let run = UnsafeBufferPointer(rebasing: bytes[start..<at])
        at += 1
        if seen < 0x80 { return String(decoding: run, as: UTF8.self) }
        return try validated(run, from: start)
      }
      if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
      guard byte >= 0x20 else { throw fault("expected no control character in a string: write it as \\u00XX") }
      seen |= byte
      at += 1
    }
    throw fault("expected `\"` at the end of a string")
  }

  private func validated(_ run: some Sequence<UInt8>, from start: Int) throws(JSONParseError) -> String {
    guard let text = String(validating: run, as: UTF8.self) else {
      throw fault("expected a string in valid UTF-8", at: start)
    }
    return text
  }

  /// Goes on with a string from its first backslash, which is under the cursor.
  private mutating func escapedString(from start: Int) throws(JSONParseError) -> String {
    var text = Array(bytes[start..<at])
    while at < bytes.count {
      let byte = bytes[at]
      switch byte {
      case UInt8(ascii: "\""):
        at += 1
        return try validated(text, from: start)
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0x20...:
        text.append(byte)
        at += 1
      default: throw fault("expected no control character in a string: write it as \\u00XX")
      }
    }
    throw fault("expected `\"` at the end of a string")
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONParseError) {
    at += 1
    switch next {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(next)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      at += 1
      text.append(contentsOf: UTF8.encode(try scalar()).map(Array.init) ?? [])
      return
    default: throw fault("expected one of `\"\\/bfnrtu` after a backslash")
    }
    at += 1
  }

  /// The scalar of `XXXX` or `XXXX\uXXXX` (a surrogate pair), the cursor on its first hexadecimal digit.
  private mutating func scalar() throws(JSONParseError) -> Unicode.Scalar {
    let start = at - 2
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xdc00, next == UInt8(ascii: "\\"), at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "u") else {
      throw fault("expected a whole surrogate pair, not half of one", at: start)
    }
    at += 2
    let second = try hexadecimal()
    guard second >= 0xdc00, second < 0xe000,
      let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    else { throw fault("expected a whole surrogate pair, not half of one", at: start) }
    return scalar
  }

  private mutating func hexadecimal() throws(JSONParseError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      let digit = next
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(digit - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(digit - UInt8(ascii: "a") + 10)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(digit - UInt8(ascii: "A") + 10)
      default: throw fault("expected four hexadecimal digits after \\u")
      }
      at += 1
    }
    return value
  }
}
