// `divert audit`: the conservation equations with their numbers, and the dead rows held against the files.

import DivertCore
import DivertStore

enum AuditReport {
  /// `holds` is false when an equation does not, or a dead delivery has no file.
  static func make(_ context: OperatorContext) throws -> JSONValue {
    let audit = try context.store.audit()
    let files = try DeadLetterShelf(context).deliveriesOnFile()
    let bare = audit.dead.filter { !files.contains($0) }
    var problems = audit.problems
    problems += audit.lines.filter { !$0.holds }.map(\.sentence).filter { !problems.contains($0) }
    problems += bare.prefix(100).map {
      "\($0) is dead in the store, but the dead-letter directory has no file for it; `divert find \($0)` shows it"
    }
    return [
      "holds": .bool(problems.isEmpty),
      "equations": .array(audit.lines.map(equation)),
      "dead_letters": ["rows": .number(audit.dead.count), "without_file": .number(bare.count)],
      "problems": .array(problems.map(JSONValue.string)),
    ]
  }

  private static func equation(_ line: Audit.Line) -> JSONValue {
    [
      "subject": .string(line.subject), "whole": .number(line.whole), "holds": .bool(line.holds),
      "parts": .object(
        JSONObject(line.inOrder.map { .init(key: $0.key, value: .number($0.value)) })),
    ]
  }
}

extension Audit.Line {
  private static let order = [
    "delivered", "dead", "skipped", "waiting", "sending", "accepted", "duplicate", "quarantined", "refused",
  ]

  /// The right side in the order of a delivery's life; names that are not known come last.
  fileprivate var inOrder: [(key: String, value: Int)] {
    func rank(_ name: String) -> Int { Self.order.firstIndex(of: name) ?? Self.order.count }
    return parts.sorted { (rank($0.key), $0.key) < (rank($1.key), $1.key) }
  }

  /// The equation in words, for one that does not hold.
  fileprivate var sentence: String {
    let sum = inOrder.map { "\($0.value) \($0.key)" }.joined(separator: " + ")
    return "\(subject): \(whole) on the left, but \(sum) = \(parts.values.reduce(0, +)) on the right"
  }
}
