// The chain itself: an entry for each transaction that has leaves, each with the hash of all that came before.

import DivertCore

/// An entry's row.
struct ChainRow {
  var n: Int64
  var at: Timestamp
  var leaves: [UInt8]
  var head: [UInt8]

  /// SHA-256 of the head before, the number, the time and the leaves.
  static func head(after previous: [UInt8], n: Int64, at: Timestamp, leaves: [UInt8]) -> [UInt8] {
    var bytes = previous
    bytes.reserveCapacity(leaves.count + 64)
    bytes.append(number: n, length: 8)
    bytes.append(number: at.milliseconds, length: 8)
    bytes += leaves
    return SealedContent.hash(bytes)
  }

  /// What stands before the first.
  static let none = [UInt8](repeating: 0, count: Seal.digestLength)
}

/// What the writer remembers of the chain between transactions.
struct ChainStanding {
  var n: Int64 = 0
  var head = ChainRow.none
  var lastChange: Int64 = 0
  /// Events with a sequence up to this came before the record began; nil: it begins with the next leaf.
  var begunAfter: Int64?
  /// The configuration that was kept last.
  var configuration: String?
}

/// The leaves of a transaction under way. Written as one row at its end; the writer takes the new standing over after the commit.
struct ChainTurn {
  private(set) var standing: ChainStanding
  private var leaves: [UInt8] = []

  init(_ standing: ChainStanding) { self.standing = standing }

  /// The entry that this transaction makes.
  var entry: Int64 { standing.n + 1 }

  mutating func add(_ leaf: Leaf) { leaf.append(to: &leaves) }

  /// Whether what happens to the event belongs to the record.
  func covers(_ sequence: Int64) -> Bool { standing.begunAfter.map { sequence > $0 } ?? true }

  /// Writes the row, if there is any leaf.
  mutating func write(_ writer: SQLiteWriter, now: Timestamp) throws {
    if leaves.isEmpty { return }
    let head = ChainRow.head(after: standing.head, n: entry, at: now, leaves: leaves)
    try writer.statement("INSERT INTO chain(n, at, leaves, head) VALUES(?1, ?2, ?3, ?4)").run([
      .integer(entry), SQLiteValue(now), .blob(leaves), .blob(head),
    ])
    (standing.n, standing.head) = (entry, head)
    leaves = []
  }

  /// Writes a change and its leaf.
  mutating func record(
    _ kind: RecordChangeKind, subject: String?, _ content: JSONValue, _ writer: SQLiteWriter, now: Timestamp
  ) throws {
    standing.lastChange += 1
    let (id, bytes) = (standing.lastChange, content.encoded())
    let seal = Seal(salt: try writer.salts.draw(), entry: entry)
    let sealed = ChangeSealing.content(
      salt: seal.salt, id: id, at: now, kind: kind.rawValue, subject: subject, content: bytes)
    let sql = "INSERT INTO changes(id, at, kind, subject, content, seal) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
    try writer.statement(sql).run([
      .integer(id), SQLiteValue(now), .text(kind.rawValue), SQLiteValue(optional: subject), .blob(bytes),
      .blob(seal.encoded()),
    ])
    add(Leaf(kind: .change, thing: id, hash: sealed.hash))
  }

  /// The first entry says what was there before the record began, and has the configurations that are kept.
  mutating func beginIfNew(_ writer: SQLiteWriter, now: Timestamp) throws {
    if standing.begunAfter != nil { return }
    standing.begunAfter = writer.ledger.lastSequence
    let content: JSONValue = [
      "through": .number(writer.ledger.lastSequence), "events": .number(writer.ledger.events),
    ]
    try record(.start, subject: nil, content, writer, now: now)
    let versions = try writer.statement("SELECT version, text FROM configs ORDER BY at, version").all {
      ($0.text(0), $0.text(1))
    }
    for (version, text) in versions { try keep(version, text, writer, now: now) }
  }

  /// A configuration that is kept from now on.
  mutating func keep(_ version: String, _ text: String, _ writer: SQLiteWriter, now: Timestamp) throws {
    standing.configuration = version
    let digest = HexBytes.text(SealedContent.hash(Array(text.utf8)))
    try record(.config, subject: version, ["sha256": .string(digest)], writer, now: now)
  }
}

extension ChainStanding {
  /// As the store has it.
  init(_ connection: SQLiteConnection) throws {
    let last = try connection.prepare("SELECT n, head FROM chain ORDER BY n DESC LIMIT 1").first {
      ($0.integer(0), $0.blob(1))
    }
    if let last { (n, head) = last }
    lastChange = try connection.prepare("SELECT id FROM changes ORDER BY id DESC LIMIT 1").first { $0.integer(0) } ?? 0
    begunAfter =
      try connection.prepare("SELECT content FROM changes WHERE kind = 'start' ORDER BY id DESC LIMIT 1")
      .first { try StoredJSON.parse($0.blob(0), "content")["through"]?.integer } ?? nil
    configuration =
      try connection.prepare(
        "SELECT subject FROM changes WHERE kind = 'config' ORDER BY id DESC LIMIT 1"
      ).first { $0.optionalText(0) } ?? nil
  }
}
