// An edit as JSON → the orders of the configuration's editor.

import DivertConfig
import DivertCore

enum ConfigOrders {
  /// `edits`: a list of objects, each with `do` and what that takes.
  static func read(_ input: OperatorInput) throws -> [ConfigOrder] {
    guard let edits = input.value("edits")?.array, !edits.isEmpty else {
      throw OperatorFailure.badRequest("`edits` must be a list of edits, each with `do`")
    }
    return try edits.enumerated().map { place, edit in
      try expectKnown(edit, " in edit \(place + 1)")
      return try order(edit)
    }
  }

  /// What each kind of edit takes beside `do`.
  private static let members: [String: [String]] = [
    "set": ["path", "value", "yaml"], "unset": ["path"], "remove_route": ["route"], "enable_route": ["route"],
    "disable_route": ["route"], "add_target": ["type", "name", "with"], "remove_target": ["name"],
    "add_route": ["name", "under", "yaml", "description", "when", "conditions", "send", "sends"],
  ]

  /// `place`: where the edit stands, in words.
  private static func expectKnown(_ edit: JSONValue, _ place: String) throws {
    guard let object = edit.object else { throw OperatorFailure.badRequest("an edit must be an object with `do`") }
    guard let kind = edit["do"]?.string, let known = members[kind] else { return }
    try OperatorInput.expect(object, only: ["do"] + known, "\(place) (\(kind))")
  }

  private static func order(_ edit: JSONValue) throws -> ConfigOrder {
    switch edit["do"]?.string {
    case "set": return .set(path: try text(edit, "path"), try value(edit))
    case "unset": return .unset(path: try text(edit, "path"))
    case "add_route": return try route(edit)
    case "remove_route": return .removeRoute(try text(edit, "route"))
    case "enable_route": return .enableRoute(try text(edit, "route"))
    case "disable_route": return .disableRoute(try text(edit, "route"))
    case "add_target":
      return .addTarget(type: try text(edit, "type"), name: try text(edit, "name"), with: entries(edit["with"]))
    case "remove_target": return .removeTarget(try text(edit, "name"))
    default:
      throw OperatorFailure.badRequest(
        "`do` must be set, unset, add_route, remove_route, enable_route, disable_route, add_target or remove_target")
    }
  }

  private static func text(_ edit: JSONValue, _ name: String) throws -> String {
    if let text = edit[name]?.string, !text.isEmpty { return text }
    throw OperatorFailure.badRequest("`\(name)` is missing in `\(edit["do"]?.string ?? "")`")
  }

  /// `value` as JSON, or `yaml` as it is to be read.
  private static func value(_ edit: JSONValue) throws -> YAMLValue {
    if let value = edit["value"] { return YAMLValue(json: value) }
    if let yaml = edit["yaml"]?.string { return try YAMLValue(yaml: yaml, what: "the given YAML") }
    throw OperatorFailure.badRequest("`set` needs what is to stand there: `value` as JSON, or `yaml` as text")
  }

  private static func entries(_ object: JSONValue?) -> [YAMLValue.Entry] {
    (object?.object?.members ?? []).map { .init($0.key, YAMLValue(json: $0.value)) }
  }

  /// Routes in YAML, or one by its name and fields: `when` and `send` as JSON, or `conditions` and `sends` as short texts.
  private static func route(_ edit: JSONValue) throws -> ConfigOrder {
    let under = edit["under"]?.string
    if let yaml = edit["yaml"]?.string { return try .routes(yaml: yaml, name: edit["name"]?.string, under: under) }
    var fields: [YAMLValue.Entry] = []
    if let description = edit["description"]?.string { fields.append(.init("description", .text(description))) }
    if let when = edit["when"] {
      fields.append(.init("when", YAMLValue(json: when)))
    } else if let conditions = edit["conditions"]?.array, !conditions.isEmpty {
      fields.append(.init("when", try ConfigOrder.conditions(conditions.compactMap(\.string))))
    }
    if let send = edit["send"] {
      fields.append(.init("send", YAMLValue(json: send)))
    } else if let sends = edit["sends"]?.array, !sends.isEmpty {
      fields.append(.init("send", .sequence(try sends.compactMap(\.string).map { try ConfigOrder.send($0) })))
    }
    return .addRoutes([.init(try text(edit, "name"), .mapping(fields))], written: nil, under: under)
  }
}
