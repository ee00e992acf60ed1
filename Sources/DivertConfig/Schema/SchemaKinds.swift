// What may stand in a field → JSON Schema.
import DivertCore

extension FieldKind {
  /// Where the language wants text, a number, `true` or `false` without quotes is text as well.
  static let scalars: JSONValue = ["string", "number", "boolean"]

  /// The schema of what may stand there. Parts of the language are referred to as `#/definitions/<part>`.
  var schema: JSONValue {
    switch self {
    case .text, .template, .regex: ["type": Self.scalars]
    case .boolean: ["type": "boolean"]
    case .duration: Self.text(SchemaPattern.duration)
    case .rate: Self.text(SchemaPattern.rate)
    case .backoff: Self.text(SchemaPattern.backoff)
    case .moment: Self.text(SchemaPattern.moment)
    case .date: Self.text(SchemaPattern.date)
    case .clock: Self.text(SchemaPattern.clock)
    case .sendName: Self.text(SchemaPattern.send)
    case .clockRange: Self.text(SchemaPattern.clockRange)
    case .zone: Self.text(SchemaPattern.zone)
    case .address: Self.text(SchemaPattern.address)
    case .addressBlock: Self.text(SchemaPattern.address4or6)
    case .requestPath: Self.text(SchemaPattern.requestPath)
    case .lookupPath: Self.text(SchemaPattern.lookupPath)
    case .size: ["anyOf": [["type": "integer", "minimum": 1], Self.text(SchemaPattern.size)]]
    case .statuses: ["anyOf": [FieldKind.whole(Language.statuses).schema, Self.text(SchemaPattern.statuses)]]
    case .path: ["type": Self.scalars, "pattern": .string(SchemaPattern.path)]
    case .country: ["enum": Self.texts(KnownValues.countries.sorted())]
    case .orderKey: Self.orders
    case .memoryKey: Self.memoryKeys
    case .whole(let range):
      ["type": "integer", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    case .choice(let names): ["enum": Self.texts(names)]
    case .targetType: ["enum": Self.texts(["http"] + Presets.names)]
    case .anything, .tree: [:]
    default: structure
    }
  }

  private var structure: JSONValue {
    switch self {
    case .named(let kind): Self.names(kind.schema, SchemaPattern.name)
    case .steps: Self.names(FieldKind.mapping(.step).schema, SchemaPattern.name, count: 1)
    case .entries(let kind): ["type": "object", "additionalProperties": kind.schema]
    case .headers(let most): Self.headers(most)
    case .list(let kind): ["type": "array", "items": kind.schema]
    case .oneOrMore(let kind): ["anyOf": [kind.schema, ["type": "array", "items": kind.schema]]]
    case .either(let kinds): ["anyOf": .array(kinds.map(\.schema))]
    case .mapping(let part): Self.reference(part.rawValue)
    case .send: Self.reference("send")
    case .condition: Self.reference(LanguagePart.condition.rawValue)
    case .comparison(let kind): Self.reference(kind.definition)
    default: [:]
    }
  }

  static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/definitions/\(name)")] }

  static func text(_ pattern: String) -> JSONValue { ["type": "string", "pattern": .string(pattern)] }

  static func texts(_ texts: some Sequence<String>) -> JSONValue { .array(texts.map { .string($0) }) }

  static func names(_ value: JSONValue, _ pattern: String, count: Int? = nil) -> JSONValue {
    let names: JSONValue = [
      "type": "object", "propertyNames": ["pattern": .string(pattern)], "additionalProperties": value,
    ]
    guard let count, var object = names.object else { return names }
    object["minProperties"] = .number(count)
    object["maxProperties"] = .number(count)
    return .object(object)
  }

  private static func headers(_ most: Int?) -> JSONValue {
    let line: JSONValue = ["type": scalars, "pattern": .string(SchemaPattern.line)]
    return names(line, SchemaPattern.header, count: most)
  }

  /// All that an order can be made of; an event's id is not known yet when it is made.
  private static let orders: JSONValue = {
    let names = ValuePath.names(in: .send(tables: [])).filter { $0 != EventField.id.rawValue }
    return [
      "type": "string", "not": ["pattern": .string(SchemaPattern.ownID)],
      "anyOf": [
        ["enum": texts(names + ["none"])], text(SchemaPattern.rawPath), text(SchemaPattern.template),
      ],
    ]
  }()
}

extension FieldKind {
  /// All that events can belong together by; each has an id of its own, and none knows when it is read.
  fileprivate static let memoryKeys: JSONValue = {
    let names = ValuePath.names(in: TemplateScope(now: false)).filter { $0 != EventField.id.rawValue }
    return [
      "type": "string", "not": ["pattern": .string(SchemaPattern.ownID)],
      "anyOf": [["enum": texts(names)], text(SchemaPattern.rawPath), text(SchemaPattern.template)],
    ]
  }()
}

// Comparisons: one definition for each kind of value.
extension ValueKind {
  static let all: [ValueKind] = [.text, .number, .moment, .clock, .weekday, .boolean, .json]

  var definition: String { "comparison_\(rawValue)" }

  /// A value, a list of them, or operators.
  var comparison: JSONValue {
    let value = value
    let operators = JSONObject(
      Language.comparison.fields.compactMap { field in
        self.operand(of: field.name, value).map { .init(key: field.name, value: $0.described(field.doc)) }
      })
    return [
      "anyOf": [
        value, Self.list(value),
        [
          "type": "object", "properties": .object(operators), "additionalProperties": false, "minProperties": 1,
          "description": .string(Language.comparison.doc),
        ],
      ]
    ]
  }

  private static func list(_ value: JSONValue) -> JSONValue { ["type": "array", "items": value, "minItems": 1] }

  /// What an operator takes; nil where it does not go with values of this kind.
  private func operand(of name: String, _ value: JSONValue) -> JSONValue? {
    let text: JSONValue = ["type": FieldKind.scalars]
    switch name {
    case "exists": return FieldKind.boolean.schema
    case "between" where self == .clock: return FieldKind.clockRange.schema
    case "between" where isOrdered: return ["type": "array", "items": bound, "minItems": 2, "maxItems": 2]
    case "matches" where isText: return text
    case _ where Language.valueOperators.contains(name): return ["anyOf": [value, Self.list(value)]]
    case _ where Language.orderOperators.contains(name) && isOrdered: return bound
    case _ where Language.textOperators.contains(name) && isText: return ["anyOf": [text, Self.list(text)]]
    default: return Optional.none
    }
  }

  private var bound: JSONValue { self == .json ? ValueKind.number.value : value }

  private var value: JSONValue {
    let plain: JSONValue = ["type": "string", "pattern": .string(SchemaPattern.template)]
    return switch self {
    case .text: ["type": FieldKind.scalars, "not": plain]
    case .number: ["type": "number"]
    case .moment: FieldKind.text(SchemaPattern.moment)
    case .clock: FieldKind.text(SchemaPattern.clock)
    case .weekday: ["enum": FieldKind.texts(KnownValues.weekdays)]
    case .boolean: ["type": "boolean"]
    case .json: ["anyOf": [["type": "null"], ["type": FieldKind.scalars, "not": plain]]]
    }
  }
}

extension JSONValue {
  /// The schema with a description. A reference takes no neighbours, so it is put into an `allOf`.
  func described(_ doc: String, default value: JSONValue? = nil) -> JSONValue {
    guard !doc.isEmpty, var object else { return self }
    if object["$ref"] != nil { object = JSONObject([.init(key: "allOf", value: [self])]) }
    object.members.insert(.init(key: "description", value: .string(doc)), at: 0)
    if let value { object["default"] = value }
    return .object(object)
  }
}
