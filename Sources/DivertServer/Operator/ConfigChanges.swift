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

  /// Puts a configuration into force: `text`, the main file's, which its author calls `name`; or `files`, all of them; without
  /// either the files as they lie there. With `If-Match` only over that version.
  static func apply(_ context: OperatorContext, _ input: OperatorInput, _ request: OperatorRequest) throws -> JSONValue
  {
    let keeper = try keeper(context)
    try input.expect(only: ["text", "files", "name", "why", "despite_tests"])
    let origin = ConfigOrigin(
      way: .apply, who: who(request), why: try input.line("why"), despiteTests: try input.flag("despite_tests"))
    let name = try input.line("name")
    let base = try IfMatch.base(request.ifMatch, path: keeper.path)
    return try answer(context) {
      if let files = try files(input) { return try keeper.apply(files, called: name, origin, base: base) }
      guard let text = try input.given("text") else { return try keeper.reload(origin, base: base) }
      return try keeper.apply(text: text, called: name, origin, base: base)
    }
  }

  /// `files`: a list of `{name, text}`, the main file first; the others are called `routes.d/….yaml` and `presets.d/….yaml`.
  private static func files(_ input: OperatorInput) throws(OperatorFailure) -> [ConfigBundle.File]? {
    guard let list = input.members["files"] else { return nil }
    guard let items = list.array, !items.isEmpty, input.members["text"] == nil else {
      throw .badRequest("`files` must be a list of files, the main one first, and stands in the place of `text`")
    }
    var files: [ConfigBundle.File] = []
    for item in items {
      guard let name = item["name"]?.string, let text = item["text"]?.string else {
        throw .badRequest("each of `files` must have a `name` and a `text`")
      }
      guard files.isEmpty || ConfigBundle.canHold(name) else {
        throw .badRequest(
          "`\(OperatorText.line(name))` is no name for a file beside the main one: routes.d/<name>.yaml and presets.d/<name>.yaml are"
        )
      }
      files.append(ConfigBundle.File(name: name, text: text))
    }
    return files
  }

  static func rollback(_ context: OperatorContext, _ input: OperatorInput, _ request: OperatorRequest) throws
    -> JSONValue
  {
    let keeper = try keeper(context)
    try input.expect(only: ["number", "why", "despite_tests"])
    let number = try number(input)
    let why = try input.line("why")
    let despite = try input.flag("despite_tests")
    let base = try IfMatch.base(request.ifMatch, path: keeper.path)
    return try answer(context) {
      try keeper.rollback(number, who: who(request), why: why, despiteTests: despite, base: base)
    }
  }

  /// Who gives the order, in one line.
  static func who(_ request: OperatorRequest) -> String { request.who.map { OperatorText.line($0) } ?? "operator" }

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
      object["written"] = .array(change.written.map { .string($0) })
      object["removed"] = .array(change.removed.map { .string($0) })
      object["gathered"] = change.gathered.json
      object["kept_aside"] = change.aside.map { .string($0) }
      return .object(object)
    } catch let refusal as ConfigRefusal {
      throw OperatorFailure(422, code(refusal), refusal.description + stays(context))
    }
  }

  /// `tests_fail` where that is all that speaks against it: `despite_tests` would put it into force.
  static func code(_ refusal: ConfigRefusal) -> String { refusal.code == "tests" ? "tests_fail" : "refused" }

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
    // The holder of the data folder alone may look for it.
    let waiting = context.live == nil ? try keeper.history.waiting() : nil
    return RecordJSON.object([
      "versions": .array(versions.map(\.json)),
      "waiting": waiting?.version.json,
      "in_force": standing?.version.map { .number($0.number) }, "count": .number(try keeper.history.count()),
    ])
  }

  /// One version with its files, and what changed in it against the one before.
  static func show(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    let history = try keeper(context).history
    let number = try number(input)
    let (version, texts) = try found(number, context, history)
    let before = try history.version(number - 1).map { try history.texts(of: $0) } ?? []
    return RecordJSON.object([
      "version": version.json,
      "files": .array(texts.map { ["name": .string($0.name), "text": .string($0.text)] }),
      "diff": .string(TextDiff.of(before, texts)),
    ])
  }

  /// A version that was in force, or the one that waits for a start.
  private static func found(
    _ number: Int, _ context: OperatorContext, _ history: ConfigHistory
  ) throws -> (ConfigVersion, [ConfigText]) {
    if let version = try history.version(number) { return (version, try history.texts(of: version)) }
    if context.live == nil, let waiting = try history.waiting(), waiting.version.number == number {
      return (waiting.version, try history.texts(of: waiting))
    }
    throw OperatorFailure.notFound("there is no version \(number); `divert history` lists them")
  }
}
