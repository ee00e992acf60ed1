// An expected body against one that was made: which paths differ. What is not expected may be there.
import DivertCore

/// One path at which a body is not as expected.
struct BodyDifference {
  /// Dotted; empty for the whole body.
  var path: String
  /// Nil: nothing was to be there.
  var expected: JSONValue?
  /// Nil: nothing is there.
  var actual: JSONValue?

  /// The differences in the order of what is expected. Nothing is coerced: `"7"` is not `7`; but `null` is expected
  /// also where nothing is. Lists have equally many items. A key that the body does not have may be a path
  /// (`content.text`).
  static func all(expected: JSONValue, actual: JSONValue?, at path: String = "") -> [BodyDifference] {
    switch (expected, actual) {
    case (.null, nil): return []
    case (.object(let wanted), .object(let object)):
      return wanted.members.flatMap { member in
        all(expected: member.value, actual: value(member.key, in: object), at: joined(path, member.key))
      }
    case (.array(let wanted), .array(let items)) where wanted.count == items.count:
      return zip(wanted, items).enumerated().flatMap { index, pair in
        all(expected: pair.0, actual: pair.1, at: joined(path, String(index)))
      }
    default:
      if let actual, equal(expected, actual) { return [] }
      let wanted: JSONValue? = if case .null = expected { .none } else { expected }
      return [BodyDifference(path: path, expected: wanted, actual: actual)]
    }
  }

  private static func joined(_ path: String, _ step: String) -> String { path.isEmpty ? step : path + "." + step }

  private static func value(_ key: String, in object: JSONObject) -> JSONValue? {
    object[key] ?? JSONPath.steps(key).flatMap { JSONValue.object(object).value(at: $0) }
  }

  /// Numbers by their value, everything else as it stands.
  private static func equal(_ a: JSONValue, _ b: JSONValue) -> Bool {
    guard case .number = a, case .number = b else { return a == b }
    return Comparison.isOneOf([a]).holds(for: .json(b), patterns: PatternCache())
  }
}

extension RenderedRequest {
  /// The body as a value: JSON as it is, a form as an object of its fields, anything else as text; nil for none.
  var readableBody: JSONValue? {
    if body.isEmpty { return nil }
    if header("Content-Type") == "application/x-www-form-urlencoded" { return .object(JSONObject(formFields)) }
    return (try? JSONValue.parse(body)) ?? .string(String(decoding: body, as: UTF8.self))
  }

  private var formFields: [JSONObject.Member] {
    body.split(separator: UInt8(ascii: "&")).map { field in
      let parts = field.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count > 1 ? Self.decoded(parts[1]) : ""
      return JSONObject.Member(key: Self.decoded(parts.first ?? []), value: .string(value))
    }
  }

  /// Percent-encoding taken back.
  private static func decoded(_ text: some Collection<UInt8>) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text)[...]
    while let byte = rest.popFirst() {
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      if byte == UInt8(ascii: "%"), digits.utf8.count == 2, let value = UInt8(digits, radix: 16) {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
