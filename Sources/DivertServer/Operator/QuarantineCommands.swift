// `divert quarantine list|show|retry`: what was refused as malformed under a valid key, and taking it in again.

import DivertCore

enum QuarantineCommands {
  static func list(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    let source = try input.text("source")
    var bodies: [JSONValue] = []
    for name in try context.quarantine.list() {
      guard let kept = try? context.quarantine.show(name) else {
        bodies.append(["file": .string(name), "damaged": "it cannot be read as a quarantined body"])
        continue
      }
      if let source, source != kept.source { continue }
      bodies.append(head(name, kept))
    }
    if let source, bodies.isEmpty { try KnownNames(context).require(source: source) }
    return ["count": .number(bodies.count), "quarantined": .array(bodies)]
  }

  /// One body whole, as it came.
  static func show(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    let name = try input.requiredText("id")
    guard let kept = try context.quarantine.show(name) else { throw missing(name) }
    var object = head(name, kept).object ?? JSONObject()
    object["body"] = .string(String(decoding: kept.body, as: UTF8.self))
    return .object(object)
  }

  /// Takes bodies in again: those that are named, or all of them.
  static func retry(_ context: OperatorContext, _ input: OperatorInput) async throws -> JSONValue {
    var names = try input.texts("ids")
    if names.isEmpty {
      guard try input.flag("all") else {
        throw OperatorFailure.badRequest("name the quarantined bodies to take in again, or say --all")
      }
      names = try await Blocking.run { try context.quarantine.list() }
    }
    var results: [JSONValue] = []
    for name in names { results.append(await retry(name, context)) }
    return ["count": .number(results.count), "results": .array(results)]
  }

  /// What came of one body. A file that is gone or damaged is an answer, and holds up no other.
  private static func retry(_ name: String, _ context: OperatorContext) async -> JSONValue {
    let ingested: LiveRouter.Ingested
    do {
      guard let taken = try await context.retryQuarantined(name) else { throw missing(name) }
      ingested = taken
    } catch {
      let failure = error as? OperatorFailure ?? OperatorFailure(422, "damaged", "\(error)")
      return [
        "file": .string(name), "accepted": false, "status": .number(failure.status),
        "answer": ["error": ["code": .string(failure.code), "message": .string(failure.message)]],
      ]
    }
    return [
      "file": .string(name), "accepted": .bool(ingested.status < 300), "status": .number(ingested.status),
      "answer": ingested.answer,
    ]
  }

  private static func head(_ name: String, _ kept: QuarantinedBody) -> JSONValue {
    RecordJSON.object([
      "file": .string(name), "source": .string(kept.source), "label": RecordJSON.text(kept.label),
      "received_at": RecordJSON.moment(kept.receivedAt), "code": .string(kept.code),
      "faults": .array(kept.faults.map(JSONValue.string)), "bytes": .number(kept.body.count),
    ])
  }

  private static func missing(_ name: String) -> OperatorFailure {
    .notFound("there is no `\(name)` in the quarantine; `divert quarantine list` names what is there")
  }
}
