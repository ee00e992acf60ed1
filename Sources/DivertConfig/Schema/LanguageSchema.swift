// The language as a JSON Schema (draft-07, which editors' YAML servers know best), made of the tables that the loader
// reads by: what `divert schema` prints.
package import DivertCore

package enum LanguageSchema {
  /// The schema of the main file.
  package static var file: JSONValue { file(nil) }

  /// The schema of a file of `routes.d`.
  package static var routesFile: JSONValue { routesFile(nil) }

  /// The schema of the main file with the target types of this configuration's `presets.d`.
  package static func file(_ bundle: ConfigBundle?) -> JSONValue { root(.file, "routes.yaml of Divert", bundle) }

  /// The same for a file of `routes.d`.
  package static func routesFile(_ bundle: ConfigBundle?) -> JSONValue {
    root(.routesFile, "a file of Divert's routes.d", bundle)
  }

  /// The schema of a file of `presets.d`.
  package static var presetFile: JSONValue {
    let rest = Language.preset.fields.filter { $0.name != "type" }
    let description = MappingDescription(Language.preset.name, Language.preset.doc, rest, rules: Language.preset.rules)
    let parameter = JSONObject.Member(key: LanguagePart.parameter.rawValue, value: Language.parameter.schema())
    return root(description, "a file of Divert's presets.d", [:], definitions(.builtIn) + [parameter])
  }

  private static func root(_ part: LanguagePart, _ title: String, _ bundle: ConfigBundle?) -> JSONValue {
    let presets = bundle.map(PresetSet.init) ?? .builtIn
    return root(part.description, title, ["targets": targets(presets)], definitions(presets))
  }

  private static func root(
    _ part: MappingDescription, _ title: String, _ fields: [String: JSONValue], _ definitions: [JSONObject.Member]
  ) -> JSONValue {
    var object = part.schema(fields: fields).object ?? JSONObject()
    object.members.insert(.init(key: "$schema", value: "http://json-schema.org/draft-07/schema#"), at: 0)
    object.members.insert(.init(key: "title", value: .string(title)), at: 1)
    object["definitions"] = .object(JSONObject(definitions))
    return .object(object)
  }

  private static func definitions(_ presets: PresetSet) -> [JSONObject.Member] {
    let special: Set<LanguagePart> = [
      .file, .routesFile, .target, .preset, .parameter, .comparison, .condition, .unless, .test,
    ]
    let parts = LanguagePart.allCases.filter { !special.contains($0) }
      .map { JSONObject.Member(key: $0.rawValue, value: $0.description.schema()) }
    let comparisons = ValueKind.all.map { JSONObject.Member(key: $0.definition, value: $0.comparison) }
    return parts + comparisons + [
      .init(key: LanguagePart.condition.rawValue, value: condition(Language.condition)),
      .init(key: LanguagePart.test.rawValue, value: test),
      .init(key: LanguagePart.unless.rawValue, value: condition(Language.unless)), .init(key: "send", value: send),
      .init(key: "target", value: target), .init(key: "action_change", value: actionChange),
    ] + presets.all.map { .init(key: "target_\($0.name)", value: target($0)) }
  }

  /// `when:`; the known values of a field are proposed, and others are right as well.
  private static func condition(_ description: MappingDescription) -> JSONValue {
    var fields: [String: JSONValue] = [:]
    for field in EventField.allCases {
      guard let known = KnownValues.values(of: field) else { continue }
      fields[field.rawValue] = [
        "anyOf": [["enum": FieldKind.texts(known)], FieldKind.comparison(.of(field)).schema]
      ]
    }
    var object = description.schema(fields: fields).object ?? JSONObject()
    let anything = FieldKind.comparison(.json).schema
    object["patternProperties"] = .object([
      "^raw\\..": anything, SchemaPattern.lookupField: anything.described("The field of a lookup."),
    ])
    return .object(object)
  }

  /// A test; what follows later stands behind `after 61m`.
  private static let test: JSONValue = {
    var object = Language.test.schema().object ?? JSONObject()
    let doc = "What must fall due by then, and not before: 'target.action' each, in any order."
    object["patternProperties"] = .object([SchemaPattern.stage: FieldKind.list(.sendName).schema.described(doc)])
    return .object(object)
  }()

  /// A send: its name alone, or one name with its arguments, and options beside it.
  private static let send: JSONValue = {
    let options = Language.sendOptions
    var object = options.schema().object ?? JSONObject()
    object["patternProperties"] = .object([
      SchemaPattern.send: ["description": "The action's arguments by name, or its main argument alone."]
    ])
    object["not"] = ["propertyNames": ["enum": FieldKind.texts(options.fields.map(\.name))]]
    let alone = FieldKind.text(SchemaPattern.send).described("target.action")
    return ["anyOf": [alone, .object(object)]]
  }()
}

// Targets: a plain one, or one of each preset's type.
extension LanguageSchema {
  /// `targets:`, each by its `type`.
  private static func targets(_ presets: PresetSet) -> JSONValue {
    let plain = FieldKind.reference("target")
    let byType = presets.names.reversed().reduce(plain) { others, name in
      let isThis: JSONValue = ["required": ["type"], "properties": ["type": ["const": .string(name)]]]
      return ["if": isThis, "then": FieldKind.reference("target_\(name)"), "else": others]
    }
    var object = byType.object ?? JSONObject()
    object.members.insert(.init(key: "type", value: "object"), at: 0)
    let types: JSONValue = ["enum": FieldKind.texts(["http"] + presets.names)]
    object.members.insert(
      .init(key: "properties", value: ["type": types.described("A preset; http by default.")]), at: 1)
    return FieldKind.names(.object(object), SchemaPattern.name)
  }

  private static let target = Language.target.schema(required: ["url"])

  /// What changes an action of a preset.
  private static let actionChange = Language.action.schema(
    rules: [.atMostOne(Language.methods), .atMostOne(["body", "form"])])

  private static func target(_ preset: Preset) -> JSONValue {
    let parameters = preset.parameters.map { parameter in
      JSONObject.Member(key: parameter.name, value: FieldKind.template.schema.described(parameter.doc))
    }
    let needed = preset.parameters.filter { $0.required && $0.fallback == nil }.map(\.name)
    let type: JSONValue = ["const": .string(preset.name)]
    return Language.target.schema(
      more: parameters, fields: ["type": type, "actions": actions(of: preset)], required: needed)
  }

  /// The preset's own actions may be changed field by field; further ones are whole.
  private static func actions(of preset: Preset) -> JSONValue {
    let change = FieldKind.reference("action_change")
    let own = (preset.root["actions"]?.entries ?? []).map { entry in
      JSONObject.Member(key: entry.key, value: change.described(entry.value["doc"]?.text ?? ""))
    }
    var object = FieldKind.named(.mapping(.action)).schema.object ?? JSONObject()
    object["properties"] = .object(JSONObject(own))
    return .object(object)
  }
}
