// A JSON document as a value: numbers keep their literal text (a 17-digit id stays itself), objects keep their order.

/// Any JSON value (RFC 8259).
package enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  /// A number by its literal text, exactly as it was written; nothing is rounded.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)
}

/// An object's members in the order they were written. Small by nature, so look-ups walk it.
package struct JSONObject: Sendable, Hashable {
  package var members: [Member]

  package struct Member: Sendable, Hashable {
    package var key: String
    package var value: JSONValue
    package init(key: String, value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  package init(_ members: [Member] = []) { self.members = members }

  /// The value of the last member with this key (the last one wins, as most parsers have it), or nil.
  package subscript(key: String) -> JSONValue? {
    get { members.last { $0.key == key }?.value }
    set {
      let place = members.lastIndex { $0.key == key }
      switch (place, newValue) {
      case (let place?, let value?): members[place].value = value
      case (let place?, nil): members.remove(at: place)
      case (nil, let value?): members.append(Member(key: key, value: value))
      case (nil, nil): break
      }
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int64) { self = .number(String(value)) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(JSONObject(elements.map { JSONObject.Member(key: $0.0, value: $0.1) }))
  }
  package init(nilLiteral: ()) { self = .null }
}

extension JSONValue {
  /// A number from a whole one.
  package static func number(_ n: Int64) -> JSONValue { .number(String(n)) }
  /// A number from a whole one.
  package static func number(_ n: Int) -> JSONValue { .number(String(n)) }

  /// The text of a string; nil for every other kind.
  package var string: String? { if case .string(let s) = self { s } else { nil } }
  /// The members of an object; nil for every other kind.
  package var object: JSONObject? { if case .object(let o) = self { o } else { nil } }
  /// The items of an array; nil for every other kind.
  package var array: [JSONValue]? { if case .array(let a) = self { a } else { nil } }
  /// The value of a boolean; nil for every other kind.
  package var bool: Bool? { if case .bool(let b) = self { b } else { nil } }
  /// A number that is a whole one within 64 bits; nil for every other kind.
  package var integer: Int64? { if case .number(let n) = self { Int64(n) } else { nil } }
  /// A number as a double, for ordering only; nil for every other kind.
  package var double: Double? { if case .number(let n) = self { Double(n) } else { nil } }

  /// The member `key` of an object; nil where there is none or this is no object.
  package subscript(key: String) -> JSONValue? { object?[key] }
}
