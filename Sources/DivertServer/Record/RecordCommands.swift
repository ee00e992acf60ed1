// `divert record head | verify`: where the record stands, and whether it is as it was.

package import DivertCore
import DivertStore
import FoundationEssentials

enum RecordCommands {
  static func head(_ context: OperatorContext) throws -> JSONValue {
    let head = try context.store.recordHead()
    return RecordJSON.object([
      "head": .string(head.description), "entry": .number(head.entry), "hash": .string(head.hash),
      "published_at": try context.store.lastHeadPublished().map(RecordJSON.moment),
      "key": .string(try context.signingKey().publicText),
    ])
  }

  /// `heads`: as they are known outside, with commas between them.
  static func verify(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    try input.expect(only: ["heads"])
    return json(try context.store.verifyRecord(heads: heads(try input.text("heads") ?? "")))
  }

  static func heads(_ text: String) throws(OperatorFailure) -> [RecordHead] {
    var heads: [RecordHead] = []
    for part in text.split(separator: ",") {
      guard let head = RecordHead(String(part)) else {
        throw .badRequest(
          "`\(OperatorText.line(String(part), limit: 80))` is no head: write an entry's number, a colon and 64 hexadecimal "
            + "digits, as `divert record head` prints it")
      }
      heads.append(head)
    }
    return heads
  }

  static func json(_ verdict: RecordVerdict) -> JSONValue {
    RecordJSON.object([
      "holds": .bool(verdict.holds), "head": .string(verdict.head.description),
      "began_at": verdict.begunAt.map(RecordJSON.moment), "events_before": .number(verdict.eventsBefore),
      "sealed": counts(verdict.sealed), "anchored_through": .number(verdict.anchoredThrough),
      "unanchored": counts(verdict.unanchored),
      "heads": .array(verdict.anchors.map(anchor)),
      "erased": .number(verdict.erased), "swept": .number(verdict.swept),
      "removals": .array(
        verdict.removals.map {
          [
            "kind": .string($0.kind.rawValue), "entry": .number($0.entry), "at": RecordJSON.moment($0.at),
            "events": .number($0.events),
          ]
        }),
      "problems": .array(verdict.problems.map { problem($0, verdict) }), "untold": .number(verdict.untold),
    ])
  }

  private static func counts(_ counts: RecordVerdict.Counts) -> JSONValue {
    [
      "events": .number(counts.events), "deliveries": .number(counts.deliveries), "changes": .number(counts.changes),
    ]
  }

  private static func anchor(_ anchor: RecordVerdict.Anchor) -> JSONValue {
    RecordJSON.object([
      "head": .string(anchor.head.description), "event": anchor.event.map { .string($0.description) },
      "delivered": .bool(anchor.delivered), "holds": .bool(anchor.holds),
    ])
  }

  private static func problem(_ problem: RecordVerdict.Problem, _ verdict: RecordVerdict) -> JSONValue {
    RecordJSON.object([
      "code": .string(problem.code.rawValue), "kind": .string(problem.kind), "id": .string(problem.id),
      "entry": problem.entry.map { .number($0) },
      "anchored": problem.entry.map { .bool($0 <= verdict.anchoredThrough) }, "sentence": .string(problem.sentence),
    ])
  }
}

/// A store's file verified without a router: what `divert record verify --store` does.
package enum RecordVerification {
  /// - Parameter heads: as they are known outside, `N:HASH` each.
  package static func verify(path: String, heads: [String]) throws -> JSONValue {
    RecordCommands.json(
      try RecordFile.verify(path: path, heads: try RecordCommands.heads(heads.joined(separator: ","))))
  }

  /// The store of a data folder in which no router runs; nil where there is none.
  package static func store(of options: ServeOptions) -> String? {
    let path = options.dataFolder + "/" + SQLiteStore.fileName
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }
}
