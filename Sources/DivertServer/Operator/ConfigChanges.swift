// `divert apply`, `history` and `rollback`: changes of the configuration by order, and what was in force before.

import DivertConfig
import DivertCore
import DivertStore

enum ConfigChanges {
  private static func keeper(_ context: OperatorContext) throws(OperatorFailure) -> ConfigKeeper {
    if let keeper = context.keeper { return keeper }
    throw .conflict("no_configuration", "there is no configuration here that could be changed")
  }

  // MARK: Changes

  /// Puts a configuration into force: `text`, the main file's; without it the files as they lie there. With `If-Match` only
  /// over that version.
  static func apply(_ context: OperatorContext, _ input: OperatorInput, _ request: OperatorRequest) throws -> JSONValue
  {
    let keeper = try keeper(context)
    let origin = ConfigOrigin(way: .apply, who: request.who ?? "operator", why: try input.text("why"))
    let base = request.ifMatch.map { $0.filter { $0 != "\"" && $0 != " " } }
    return try answer(context) {
      guard let text = try input.text("text") else { return try keeper.reload(origin) }
      return try keeper.apply(text: text, origin, base: base == "*" ? nil : base)
    }
  }

  static func rollback(_ context: OperatorContext, _ input: OperatorInput, _ request: OperatorRequest) throws
    -> JSONValue
  {
    let keeper = try keeper(context)
    let number = try number(input)
    let why = try input.text("why")
    return try answer(context) { try keeper.rollback(number, who: request.who ?? "operator", why: why) }
  }

  private static func number(_ input: OperatorInput) throws(OperatorFailure) -> Int {
    if let number = Int(try input.requiredText("number")) { return number }
    throw .badRequest("`number` must be a version's number, as `divert history` prints it")
  }

  private static func answer(_ context: OperatorContext, _ change: () throws -> ConfigChange) throws -> JSONValue {
    do {
      let change = try change()
      var object = change.version.json.object ?? JSONObject()
      object["new"] = .bool(change.isNew)
      object["running"] = .bool(context.live != nil)
      object["warnings"] = .array(change.warnings.map { .string($0) })
      object["needs_restart"] = .array(change.restart.map { .string($0) })
      object["kept_aside"] = change.aside.map { .string($0) }
      return .object(object)
    } catch let refusal as ConfigRefusal {
      throw OperatorFailure(422, "refused", refusal.description + stays(context))
    }
  }

  private static func stays(_ context: OperatorContext) -> String {
    guard context.live != nil, let version = context.keeper?.standing.version else { return "\nNothing was changed." }
    return "\nNothing was changed: version \(version.number) (\(version.hash)) stays in force."
  }

  // MARK: History

  /// The newest versions, the newest first, and how many there are.
  static func history(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    let keeper = try keeper(context)
    let limit = try input.number("limit", in: 1...10_000, or: 50)
    let versions = try keeper.history.versions(limit: limit).reversed()
    let standing = context.live == nil ? nil : keeper.standing
    return RecordJSON.object([
      "versions": .array(versions.map(\.json)),
      "in_force": standing?.version.map { .number($0.number) }, "count": .number(try keeper.history.count()),
    ])
  }

  /// One version with its files, and what changed in it against the one before.
  static func show(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    let history = try keeper(context).history
    let number = try number(input)
    guard let version = try history.version(number) else {
      throw OperatorFailure.notFound("there is no version \(number); `divert history` lists them")
    }
    let texts = try history.texts(of: version)
    let before = try history.version(number - 1).map { try history.texts(of: $0) } ?? []
    return RecordJSON.object([
      "version": version.json,
      "files": .array(texts.map { ["name": .string($0.name), "text": .string($0.text)] }),
      "diff": .string(TextDiff.of(before, texts)),
    ])
  }
}
