// The content of a quarantine file: a body that was refused, and why.

package import DivertCore

/// A refused body. As JSON: `source`, `label`, `received_at`, `code`, `faults`, and `body` as text, or `body_base64`
/// where it is no UTF-8.
package struct QuarantinedBody: Sendable, Hashable {
  package var source: String
  package var label: String?
  package var receivedAt: Timestamp
  /// The refusal's code.
  package var code: String
  package var faults: [String]
  package var body: [UInt8]

  package init(
    source: String, label: String?, receivedAt: Timestamp, code: String, faults: [String], body: [UInt8]
  ) {
    self.source = source
    self.label = label
    self.receivedAt = receivedAt
    self.code = code
    self.faults = faults
    self.body = body
  }

  var json: [UInt8] {
    var object: JSONObject = .init()
    object["source"] = .string(source)
    object["label"] = label.map { .string($0) }
    object["received_at"] = .string(receivedAt.iso8601)
    object["code"] = .string(code)
    object["faults"] = .array(faults.map { .string($0) })
    if let text = String(validating: body, as: UTF8.self) {
      object["body"] = .string(text)
    } else {
      object["body_base64"] = .string(Base64.encode(body))
    }
    var bytes: [UInt8] = []
    JSONWriter.append(.object(object), to: &bytes)
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }

  /// Reads what `json` writes, also after a person changed the body. Throws what is wrong with it.
  init(json bytes: [UInt8]) throws {
    let value = try JSONValue.parse(bytes)
    guard let source = value["source"]?.string,
      let time = value["received_at"]?.string.flatMap({ Timestamp(iso8601: $0) })
    else { throw FolderError("it lacks source or received_at") }
    guard
      let body = value["body"]?.string.map({ Array($0.utf8) }) ?? value["body_base64"]?.string.flatMap(Base64.decode)
    else { throw FolderError("it lacks body, or body_base64 is not base 64") }
    self.init(
      source: source, label: value["label"]?.string, receivedAt: time, code: value["code"]?.string ?? "",
      faults: value["faults"]?.array?.compactMap(\.string) ?? [], body: body)
  }
}

/// RFC 4648, section 4.
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let value = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
      for place in 0..<4 {
        text.append(place <= group.count ? alphabet[Int(value >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  static func decode(_ text: String) -> [UInt8]? {
    let digits = text.utf8.prefix { $0 != UInt8(ascii: "=") }
    var bytes: [UInt8] = []
    var value: UInt32 = 0
    var bits = 0
    for digit in digits {
      guard let six = alphabet.firstIndex(of: digit) else { return nil }
      value = value << 6 | UInt32(six)
      bits += 6
      guard bits >= 8 else { continue }
      bits -= 8
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(bits)))
    }
    return bytes
  }
}
