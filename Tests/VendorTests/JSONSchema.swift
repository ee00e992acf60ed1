// As much of JSON Schema (draft 7) as the vendors' schemas need. A keyword that is not known is a fault, never ignored.

import DivertCore

struct JSONSchema {
  private let schema: JSONValue

  init(_ schema: JSONValue) { self.schema = schema }

  /// Everything in which the value is not as the schema wants it; `place` begins each fault.
  func faults(_ value: JSONValue, at place: String) -> [String] {
    if let allowed = schema.bool { return allowed ? [] : ["\(place) must not be there"] }
    return (schema.object?.members ?? []).flatMap { keyword in
      Self.faults(value, keyword.key, keyword.value, schema, place)
    }
  }

  private static func faults(
    _ value: JSONValue, _ keyword: String, _ wanted: JSONValue, _ schema: JSONValue, _ place: String
  ) -> [String] {
    switch keyword {
    case "type": typeFaults(value, wanted, place)
    case "const": value == wanted ? [] : ["\(place) is \(value.brief), not \(wanted.brief)"]
    case "enum": wanted.array?.contains(value) == true ? [] : ["\(place) is \(value.brief), none of \(wanted.brief)"]
    case "required", "properties", "additionalProperties", "minProperties":
      value.object.map { faults(of: $0, keyword, wanted, schema, place) } ?? []
    case "items", "minItems", "maxItems": value.array.map { faults(of: $0, keyword, wanted, place) } ?? []
    case "pattern", "minLength", "maxLength", "maxBytes":
      value.string.map { faults(of: $0, keyword, wanted, place) } ?? []
    case "minimum", "maximum": numberFaults(value, keyword, wanted, place)
    case "anyOf", "oneOf", "allOf": combined(value, keyword, wanted.array ?? [], place)
    case "not": JSONSchema(wanted).faults(value, at: place).isEmpty ? ["\(place) is what it must not be"] : []
    case "description", "title": []
    default: ["the schema has '\(keyword)' at \(place), which is not known here"]
    }
  }

  private static func typeFaults(_ value: JSONValue, _ wanted: JSONValue, _ place: String) -> [String] {
    let types = wanted.array?.compactMap(\.string) ?? [wanted.string ?? ""]
    let isSo = types.contains { type in
      switch (type, value) {
      case ("null", .null), ("boolean", .bool), ("number", .number), ("string", .string), ("array", .array),
        ("object", .object):
        true
      case ("integer", .number): value.integer != nil
      default: false
      }
    }
    return isSo ? [] : ["\(place) is \(value.brief), not of type \(types.joined(separator: " or "))"]
  }

  private static func faults(
    of object: JSONObject, _ keyword: String, _ wanted: JSONValue, _ schema: JSONValue, _ place: String
  ) -> [String] {
    switch keyword {
    case "required":
      return (wanted.array ?? []).compactMap(\.string).filter { object[$0] == nil }.map { "\(place).\($0) is missing" }
    case "properties":
      return (wanted.object?.members ?? []).flatMap { property in
        object[property.key].map { JSONSchema(property.value).faults($0, at: "\(place).\(property.key)") } ?? []
      }
    case "minProperties":
      return object.members.count < Int(wanted.integer ?? 0) ? ["\(place) has too few members"] : []
    default:
      let known = Set((schema["properties"]?.object?.members ?? []).map(\.key))
      return object.members.filter { !known.contains($0.key) }.flatMap { member in
        JSONSchema(wanted).faults(member.value, at: "\(place).\(member.key)")
      }
    }
  }

  private static func faults(of items: [JSONValue], _ keyword: String, _ wanted: JSONValue, _ place: String) -> [String]
  {
    let bound = Int(wanted.integer ?? 0)
    switch keyword {
    case "minItems": return items.count < bound ? ["\(place) has \(items.count) items, fewer than \(bound)"] : []
    case "maxItems": return items.count > bound ? ["\(place) has \(items.count) items, more than \(bound)"] : []
    default:
      return items.enumerated().flatMap { JSONSchema(wanted).faults($0.element, at: "\(place).\($0.offset)") }
    }
  }

  private static func faults(of text: String, _ keyword: String, _ wanted: JSONValue, _ place: String) -> [String] {
    let bound = Int(wanted.integer ?? 0)
    switch keyword {
    case "pattern":
      let pattern = wanted.string ?? ""
      return fits(text, part: pattern) ? [] : ["\(place) is '\(text.prefix(200))', which \(pattern) does not fit"]
    case "minLength": return text.unicodeScalars.count < bound ? ["\(place) is shorter than \(bound)"] : []
    case "maxLength": return text.unicodeScalars.count > bound ? ["\(place) is longer than \(bound)"] : []
    default: return text.utf8.count > bound ? ["\(place) has more than \(bound) bytes"] : []
    }
  }

  private static func numberFaults(_ value: JSONValue, _ keyword: String, _ wanted: JSONValue, _ place: String)
    -> [String]
  {
    guard let number = value.double, let bound = wanted.double else { return [] }
    let isSo = keyword == "minimum" ? number >= bound : number <= bound
    return isSo ? [] : ["\(place) is \(number), beyond the \(keyword) of \(bound)"]
  }

  private static func combined(_ value: JSONValue, _ keyword: String, _ schemas: [JSONValue], _ place: String)
    -> [String]
  {
    let faults = schemas.map { JSONSchema($0).faults(value, at: place) }
    switch keyword {
    case "allOf": return faults.flatMap { $0 }
    case "anyOf": return faults.contains([]) ? [] : faults.flatMap { $0 }
    default: return faults.count { $0.isEmpty } == 1 ? [] : ["\(place) fits not exactly one of several schemas"]
    }
  }

  /// Whether the pattern fits somewhere.
  static func fits(_ text: String, part pattern: String) -> Bool {
    guard let expression = try? Regex(pattern) else { return false }
    return text.firstMatch(of: expression) != nil
  }

  /// Whether the pattern fits the text as a whole.
  static func fits(_ text: String, whole pattern: String) -> Bool {
    guard let expression = try? Regex(pattern) else { return false }
    return text.wholeMatch(of: expression) != nil
  }
}

extension JSONValue {
  /// For messages.
  fileprivate var brief: String { String(String(decoding: encoded(), as: UTF8.self).prefix(200)) }
}
