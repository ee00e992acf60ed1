// The configuration's files over the operator interface: to be read, and edited by those who saw the version they edit.

import DivertConfig
import DivertCore

/// The files at a path, which is the router's own or a command's.
package struct ConfigCommands: Sendable {
  private let path: String

  /// - Parameter path: the main file's.
  package init(path: String) { self.path = path }

  /// Answers what is asked of the files; what goes wrong is an answer too. Blocks while files are read and written.
  package func handle(_ request: OperatorRequest) -> OperatorResponse {
    do {
      switch (request.method, request.path) {
      case ("GET", "/api/config"): return try whole()
      case ("GET", "/api/config/file"): return try file(OperatorInput(request))
      case ("GET", "/api/config/routes"): return try routes()
      case ("POST", "/api/config/edit"): return try edit(OperatorInput(request), ifMatch: request.ifMatch)
      default: throw OperatorFailure.notFound("there is no \(request.method) \(request.path)")
      }
    } catch let fault as EditFault {
      return Self.refusal(fault)
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
    return Self.tagged(.json(["version": .string(bundle.version), "files": .array(files)]), bundle)
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

  private func edit(_ input: OperatorInput, ifMatch: String?) throws -> OperatorResponse {
    let bundle = try bundle()
    if let refusal = Self.precondition(ifMatch, bundle) { return refusal }
    let orders = try ConfigOrders.read(input)
    let edited = try ConfigEditor.edit(bundle, orders, into: input.text("file"))
    let isDry = try input.flag("dry_run")
    if let file = edited.file, !isDry {
      try ConfigFileMaker.write(edited, at: bundle.path(of: file))
    }
    let answer = JSONValue.object([
      "version": .string(edited.bundle.version), "file": edited.file.map { .string($0.name) } ?? .null,
      "diff": .string(edited.diff), "notes": .array(edited.notes.map(JSONValue.string)),
      "warnings": .array(edited.warnings.map(Self.json)), "dry_run": .bool(isDry),
    ])
    return Self.tagged(.json(answer), isDry ? bundle : edited.bundle)
  }

  /// 428 without `If-Match`; 412 where the files are others by now.
  private static func precondition(_ ifMatch: String?, _ bundle: ConfigBundle) -> OperatorResponse? {
    guard let ifMatch else {
      let sentence = "say which version you edit: `If-Match` with the ETag of `GET /api/config`"
      return tagged(OperatorFailure(428, "unversioned", sentence).response, bundle)
    }
    let tags = ifMatch.split(separator: ",").map { $0.filter { $0 != "\"" && $0 != " " } }
    if tags.contains("*") || tags.contains(bundle.version) { return nil }
    let sentence = "somebody else was first: the files are version \(bundle.version) by now. Read them again, then edit"
    return tagged(OperatorFailure(412, "changed", sentence).response, bundle)
  }

  // MARK: Answers

  private static func tagged(_ response: OperatorResponse, _ bundle: ConfigBundle) -> OperatorResponse {
    var response = response
    response.etag = "\"\(bundle.version)\""
    return response
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
