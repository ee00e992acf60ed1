// Heads that are known outside: those that somebody brings along, and those that were published and delivered.

import DivertCore

enum RecordAnchors {
  /// The heads given, then those that were handed to their sends, in order; whether they hold is not said yet.
  static func find(
    _ connection: SQLiteConnection, tag: UInt32, given: [RecordHead]
  ) throws -> [RecordVerdict.Anchor] {
    var anchors = given.map { RecordVerdict.Anchor(head: $0, event: nil, delivered: true, holds: false) }
    let select = try connection.prepare("SELECT seq, body, packed FROM heads JOIN events ON seq = event ORDER BY n")
    let rows = try connection.prepare("SELECT 1 FROM deliveries WHERE event = ?1 AND state = 2 LIMIT 1")
    while try select.step() {
      guard let body = try? JSONValue.parse(select.blob(1)), let entry = body["entry"]?.integer,
        let hash = body["head"]?.string
      else { continue }
      let sequence = select.integer(0)
      let packed = (SealedPacked.read(select.blob(2)) ?? []).contains {
        if case .ended(.delivered, _, _) = $0 { true } else { false }
      }
      let delivered = try packed || rows.first([.integer(sequence)]) { _ in true } ?? false
      anchors.append(
        RecordVerdict.Anchor(
          head: RecordHead(entry: entry, hash: hash), event: EventID(sequence: sequence, tag: tag),
          delivered: delivered, holds: false))
    }
    return anchors
  }

  /// The last entry that they cover: of the heads given, else of those that were delivered.
  static func reach(_ anchors: [RecordVerdict.Anchor]) -> Int64 {
    let given = anchors.filter { $0.event == nil }
    return (given.isEmpty ? anchors.filter(\.delivered) : given).map(\.head.entry).max() ?? 0
  }
}

extension RecordCheck {
  /// Holds an entry against the heads that name it.
  mutating func anchor(_ row: ChainRow) {
    for place in verdict.anchors.indices where verdict.anchors[place].head.entry == row.n {
      if verdict.anchors[place].head.hash == HexBytes.text(row.head) {
        verdict.anchors[place].holds = true
      } else {
        tell(verdict.anchors[place], "entry \(row.n) has another hash than \(words(verdict.anchors[place])) says")
      }
    }
  }

  /// Heads of entries that the chain does not have.
  mutating func missingAnchors() {
    for anchor in verdict.anchors where !anchor.holds && anchor.head.entry > verdict.head.entry {
      tell(
        anchor,
        "the chain ends at entry \(verdict.head.entry); \(words(anchor)) is of entry \(anchor.head.entry): what came "
          + "after was cut off")
    }
    for anchor in verdict.anchors where anchor.head.entry < 1 {
      tell(anchor, "\(words(anchor)) names no entry: entries are counted from 1")
    }
  }

  private mutating func tell(_ anchor: RecordVerdict.Anchor, _ fault: String) {
    let before = verdict.anchors.filter { $0.holds && $0.head.entry < anchor.head.entry }.map(\.head.entry).max() ?? 0
    let range = "the chain was written anew between entries \(before + 1) and \(anchor.head.entry)"
    problem(.head, "chain", "\(anchor.head.entry)", anchor.head.entry, "\(fault); \(range)")
  }

  private func words(_ anchor: RecordVerdict.Anchor) -> String {
    anchor.event.map { "the head that \($0) published" } ?? "the head given"
  }
}
