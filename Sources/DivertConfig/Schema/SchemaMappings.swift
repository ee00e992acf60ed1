// The mappings of the language → JSON Schema: fields, what is required, what must hold between fields.
import DivertCore

extension MappingDescription {
  /// The schema of the mapping.
  /// - Parameters:
  ///   - more: further fields.
  ///   - fields: schemas in place of those that the fields' kinds give.
  ///   - rules: in place of the mapping's own.
  func schema(
    more: [JSONObject.Member] = [], fields changed: [String: JSONValue] = [:], required: [String] = [],
    rules: [FieldRule]? = nil
  ) -> JSONValue {
    let properties = self.fields.map { field in
      let schema = (changed[field.name] ?? field.kind.schema).described(field.doc, default: field.standardValue)
      return JSONObject.Member(key: field.name, value: schema)
    }
    var object = JSONObject([
      .init(key: "type", value: "object"), .init(key: "description", value: .string(doc)),
      .init(key: "properties", value: .object(JSONObject(properties + more))),
      .init(key: "additionalProperties", value: false),
    ])
    let needed = self.fields.filter(\.required).map(\.name) + required
    if !needed.isEmpty { object["required"] = FieldKind.texts(needed) }
    let all = (rules ?? self.rules).flatMap(\.schemas)
    if !all.isEmpty { object["allOf"] = .array(all) }
    return .object(object)
  }
}

extension FieldDescription {
  /// What holds where it is left out, as a value; nil for nothing, and for mappings, whose fields say it themselves.
  fileprivate var standardValue: JSONValue? {
    guard let text = standard, case .scalar(let scalar, let plain)? = Resolver.standard(self)?.content else {
      return nil
    }
    return plain ? PlainScalar.value(text) ?? .string(scalar) : .string(scalar)
  }
}

extension FieldRule {
  /// Schemas that hold beside the fields' own.
  fileprivate var schemas: [JSONValue] {
    switch self {
    case .exactlyOne(let names): [["oneOf": .array(names.map(Self.has))]]
    case .atLeastOne(let names): [["anyOf": .array(names.map(Self.has))]]
    case .atMostOne(let names):
      names.indices.flatMap { first in
        names[(first + 1)...].map { ["not": ["required": FieldKind.texts([names[first], $0])]] }
      }
    case .together(let names):
      [["dependencies": .object(JSONObject(names.map { .init(key: $0, value: FieldKind.texts(names)) }))]]
    case .beside(let field, let other):
      [["dependencies": .object(JSONObject([.init(key: field, value: FieldKind.texts([other]))]))]]
    case .needs(let field, let other, let values):
      [["if": Self.has(field), "then": ["properties": .object([other: ["enum": FieldKind.texts(values)]])]]]
    }
  }

  private static func has(_ name: String) -> JSONValue { ["required": FieldKind.texts([name])] }
}
