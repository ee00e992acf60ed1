// The configuration's files over the operator interface: to be read, and edited by those who saw the version they edit.

import DivertConfig
import DivertCore
import DivertStore
import Glibc

/// The files at a path, which is the router's own or a command's.
package struct ConfigCommands: Sendable {
  private let path: String
  /// The running router's, which brings edits into force; nil: they are written, and nothing else.
  private let keeper: ConfigKeeper?

  /// - Parameter path: the main file's.
  package init(path: String) {
    self.path = path
    keeper = nil
  }

  /// Those of a running router.
  init(_ keeper: ConfigKeeper) {
    path = keeper.path
    self.keeper = keeper
  }

  /// Answers what is asked of the files; what goes wrong is an answer too. Blocks while files are read and written.
  package func handle(_ request: OperatorRequest) -> OperatorResponse {
    do {
      switch (request.method, request.path) {
      case ("GET", "/api/config"): return try whole()
      case ("GET", "/api/config/file"): return try file(OperatorInput(request))
      case ("GET", "/api/config/routes"): return try routes()
      case ("POST", "/api/config/edit"): return try edit(OperatorInput(request), request)
      default: throw OperatorFailure.notFound("there is no \(request.method) \(request.path)")
      }
    } catch let fault as EditFault {
      return Self.refusal(fault)
    } catch let refusal as ConfigRefusal {
      return refused(refusal)
    } catch let failure as OperatorFailure {
      return failure.response
    } catch {
      return OperatorFailure(500, "failed", "\(error)").response
    }
  }

  // MARK: Reading

  private func bundle() throws -> ConfigBundle {
    let (bundle, faults) = ConfigBundle.read(path: path)
    if let bundle { return bundle }
    throw EditFault("unreadable", "the configuration cannot be read", faults.filter { $0.severity == .error })
  }

  private func whole() throws -> OperatorResponse {
    let bundle = try bundle()
    let files = bundle.files.map { JSONValue.object(["name": .string($0.name), "text": .string($0.text)]) }
    let real = realpath(path, nil)
    defer { free(real) }
    return Self.tagged(
      .json([
        "version": .string(bundle.version), "path": .string(real.map { String(cString: $0) } ?? path),
        "files": .array(files),
      ]), bundle)
  }

  /// One file's text, as it is.
  private func file(_ input: OperatorInput) throws -> OperatorResponse {
    let bundle = try bundle()
    let name = try input.text("name") ?? bundle.main.name
    guard let file = bundle.files.first(where: { $0.name == name }) else {
      let names = bundle.files.map(\.name).joined(separator: ", ")
      throw OperatorFailure.notFound("there is no file `\(name)` in the configuration; there are: \(names)")
    }
    return Self.tagged(.text(file.text), bundle)
  }

  private func routes() throws -> OperatorResponse {
    let bundle = try bundle()
    let listing = try RouteListing.read(bundle)
    let routes = listing.routes.map { route in
      RecordJSON.object([
        "route": .string(route.path), "enabled": .bool(route.isEnabled), "file": .string(route.file),
        "line": .number(route.line), "when": .string(route.when), "send": .array(route.sends.map(JSONValue.string)),
        "description": RecordJSON.text(route.description),
      ])
    }
    let faults = JSONValue.array(listing.faults.map(Self.json))
    return Self.tagged(
      .json(["version": .string(bundle.version), "routes": .array(routes), "diagnostics": faults]), bundle)
  }

  // MARK: Editing

  private func edit(_ input: OperatorInput, _ request: OperatorRequest) throws -> OperatorResponse {
    let bundle = try bundle()
    if let refusal = try Self.precondition(request.ifMatch, bundle) { return refusal }
    try input.expect(only: ["edits", "file", "dry_run", "why", "despite_tests"])
    let orders = try ConfigOrders.read(input)
    let (why, isDry) = (try input.line("why"), try input.flag("dry_run"))
    let despite = try input.flag("despite_tests")
    var edited = try ConfigEditor.edit(bundle, orders, into: input.text("file"))
    if !isDry, !despite, !edited.brokenTests.isEmpty { return Self.brokenTests(edited) }
    var change: ConfigChange?
    if let file = edited.file, !isDry {
      if let keeper {
        // Which tests fail was judged above.
        let origin = ConfigOrigin(way: .edit, who: ConfigChanges.who(request), why: why, despiteTests: true)
        change = try keeper.apply(edited.bundle.files, origin, base: bundle.version)
      } else {
        try ConfigFileMaker.write(edited, at: bundle.path(of: file))
      }
    }
    edited.notes += edited.brokenTests.map { "the file's test '\($0)' \(isDry ? "would fail" : "fails") now" }
    if let change { edited.notes += Self.notes(change) }
    return Self.tagged(.json(Self.answer(edited, change, isDry: isDry)), isDry ? bundle : edited.bundle)
  }

  /// What came of an edit in a running router.
  private static func notes(_ change: ConfigChange) -> [String] {
    let restart =
      change.restart.isEmpty ? [] : ["needs a restart of the router: " + change.restart.joined(separator: ", ")]
    return change.sourcesGone + ["version \(change.version.number) (\(change.version.hash)) is in force"] + restart
  }

  private static func answer(_ edited: EditedConfiguration, _ change: ConfigChange?, isDry: Bool) -> JSONValue {
    .object(
      JSONObject([
        .init(key: "version", value: .string(edited.bundle.version)),
        .init(key: "file", value: edited.file.map { .string($0.name) } ?? .null),
        .init(key: "diff", value: .string(edited.diff)),
        .init(key: "notes", value: .array(edited.notes.map(JSONValue.string))),
        .init(key: "warnings", value: .array(edited.warnings.map(json))),
        .init(key: "broken_tests", value: .array(edited.brokenTests.map(JSONValue.string))),
        .init(key: "dry_run", value: .bool(isDry)), .init(key: "in_force", value: .bool(change != nil)),
        .init(key: "number", value: change.map { .number($0.version.number) } ?? .null),
        .init(key: "needs_restart", value: .array((change?.restart ?? []).map(JSONValue.string))),
      ]))
  }

  /// 422: tests that pass would fail.
  private static func brokenTests(_ edited: EditedConfiguration) -> OperatorResponse {
    let names = edited.brokenTests.map { "'\($0)'" }.joined(separator: ", ")
    let sentence =
      "nothing was written: the edit breaks \(edited.brokenTests.count == 1 ? "the file's test" : "the file's tests") "
      + "\(names). Change them first; in an emergency --despite-tests (`\"despite_tests\": true`) makes the edit "
      + "all the same"
    return .json(
      [
        "error": [
          "code": "tests_fail", "message": .string(sentence),
          "broken_tests": .array(edited.brokenTests.map(JSONValue.string)), "diagnostics": [],
        ]
      ], status: 422)
  }

  /// 428 without `If-Match`; 412 where the files are others by now.
  private static func precondition(_ ifMatch: String?, _ bundle: ConfigBundle) throws -> OperatorResponse? {
    guard let ifMatch else {
      let sentence = "say which version you edit: `If-Match` with the ETag of `GET /api/config`"
      return tagged(OperatorFailure(428, "unversioned", sentence).response, bundle)
    }
    if try IfMatch(ifMatch).includes(bundle.version) { return nil }
    let sentence = "somebody else was first: the files are version \(bundle.version) by now. Read them again, then edit"
    return tagged(OperatorFailure(412, "changed", sentence).response, bundle)
  }

  // MARK: Answers

  private static func tagged(_ response: OperatorResponse, _ bundle: ConfigBundle) -> OperatorResponse {
    var response = response
    response.etag = "\"\(bundle.version)\""
    return response
  }

  /// What the router does not put into force is not written.
  private func refused(_ refusal: ConfigRefusal) -> OperatorResponse {
    let tests = refusal.failedTests.map { $0.text + "\n" }.joined()
    let stays = keeper?.standing.version.map { ": version \($0.number) (\($0.hash)) stays in force" } ?? ""
    return .json(
      [
        "error": [
          "code": .string(ConfigChanges.code(refusal)),
          "message": .string("\(tests)\(refusal.sentence). Nothing was written\(stays)"),
          "diagnostics": .array(refusal.diagnostics.map(Self.json)),
        ]
      ], status: 422)
  }

  private static func refusal(_ fault: EditFault) -> OperatorResponse {
    let status =
      switch fault.code {
      case "not_found": 404
      case "exists": 409
      case "changed": 412
      case "bad_path", "bad_yaml", "bad_condition", "no_value", "unknown_type", "missing_parameter": 400
      case "not_written": 500
      default: 422
      }
    return .json(
      [
        "error": [
          "code": .string(fault.code), "message": .string(fault.message),
          "diagnostics": .array(fault.diagnostics.map(json)),
        ]
      ], status: status)
  }

  /// A diagnostic as data, and as it is printed.
  private static func json(_ diagnostic: Diagnostic) -> JSONValue {
    [
      "severity": .string(diagnostic.severity.rawValue), "code": .string(diagnostic.code),
      "file": .string(diagnostic.file), "line": .number(diagnostic.line), "column": .number(diagnostic.column),
      "message": .string(diagnostic.message), "hint": diagnostic.hint.map { .string($0) } ?? .null,
      "text": .string(diagnostic.description),
    ]
  }
}
