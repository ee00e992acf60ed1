// Text made safe for what it is put into: URLs, chat markup, HTML, query languages; and UUIDs derived from text.

import Crypto
import FoundationEssentials

enum Escapes {
  /// Chat markup that knows three entities.
  static let mrkdwn: [Unicode.Scalar: String] = ["&": "&amp;", "<": "&lt;", ">": "&gt;"]
  static let html: [Unicode.Scalar: String] = [
    "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;",
  ]
  /// Inside a quoted SOQL string: the escapes that the language knows.
  static let soql: [Unicode.Scalar: String] = [
    "\\": "\\\\", "'": "\\'", "\"": "\\\"", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\u{8}": "\\b", "\u{c}": "\\f",
  ]
  /// In a SOSL search text: every reserved character behind a backslash.
  static let sosl: [Unicode.Scalar: String] = Dictionary(
    uniqueKeysWithValues: "?&|!{}[]()^~*:\\\"'+-".unicodeScalars.map { ($0, "\\" + String($0)) })

  /// The text with each of the table's characters replaced.
  static func replacing(_ text: String, _ table: [Unicode.Scalar: String]) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if let replacement = table[scalar] {
        result.append(contentsOf: replacement.unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }
}

/// RFC 3986: everything but its unreserved characters as %XX.
package enum PercentEncoding {
  /// The text as a path segment, a query item or a form field.
  package static func encoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    append(text, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the text for a path segment, a query item or a form field.
  static func append(_ text: String, to bytes: inout [UInt8]) {
    for byte in text.utf8 {
      if isUnreserved(byte) { bytes.append(byte) } else { append(byte, to: &bytes) }
    }
  }

  /// Appends an address that was written by hand: only blanks, control characters and what is not ASCII become %XX.
  static func append(address text: String, to bytes: inout [UInt8]) {
    for byte in text.utf8 {
      if byte > 0x20, byte < 0x7f { bytes.append(byte) } else { append(byte, to: &bytes) }
    }
  }

  private static func append(_ byte: UInt8, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "%"))
    bytes.append(Hex.upperDigits[Int(byte >> 4)])
    bytes.append(Hex.upperDigits[Int(byte & 15)])
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
      true
    default: false
    }
  }
}

enum UUIDText {
  /// A UUID made from the SHA-256 of the text, with the bits of version 4 and of RFC 9562's variant, in lower case.
  static func derived(from text: String) -> String {
    var bytes = Array(SHA256.hash(data: Array(text.utf8)).prefix(16))
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { Hex.text(bytes[$0]) }.joined(separator: "-")
  }
}
