// What the store holds of a person: found by the indexes, then by a look at every body. Reads alone.

package import DivertCore

extension SQLiteStore {
  package func personalData(of person: ErasedPerson) throws(StoreError) -> PersonalData {
    var search = PersonSearch(person)
    try reading("find a person's events") { try search.byPhone($0) }
    // Page by page, so that no long read keeps the write-ahead log from being reused.
    var last: Int64 = -1
    while let next = try reading("look for a phone in bodies", { try search.bodies($0, after: last) }) { last = next }
    try reading("look for a phone in books") { try search.rest($0) }
    return search.result(tag)
  }
}

private struct PersonSearch {
  private static let page = 20_000

  let person: ErasedPerson
  private var events: Set<Int64> = []
  private var mentions: Set<Int64> = []
  private var found = PersonalData()

  init(_ person: ErasedPerson) { self.person = person }

  mutating func byPhone(_ reader: SQLiteReader) throws {
    let select = try reader.connection.prepare("SELECT seq FROM events WHERE bucket = ?1 AND phone = ?2")
    for bucket in try reader.buckets() {
      for phone in person.spellings {
        events.formUnion(try select.all([SQLiteValue(bucket), .text(phone)]) { $0.integer(0) })
      }
    }
  }

  /// Bodies with the number: of an event without a customer that can be read it is the person's, else another's that names them.
  mutating func bodies(_ reader: SQLiteReader, after: Int64) throws -> Int64? {
    let end = "SELECT seq FROM events WHERE seq > ?1 ORDER BY seq LIMIT 1 OFFSET ?2"
    let last = "SELECT seq FROM events WHERE seq > ?1 ORDER BY seq DESC LIMIT 1"
    let bound = try reader.connection.prepare(end).first([.integer(after), SQLiteValue(Self.page - 1)]) {
      $0.integer(0)
    }
    guard let bound = try bound ?? reader.connection.prepare(last).first([.integer(after)], { $0.integer(0) }) else {
      return nil
    }
    let select = try reader.connection.prepare(
      """
      SELECT seq, phone FROM events
      WHERE seq > ?1 AND seq <= ?2 AND (instr(body, ?3) > 0 OR instr(canonical, ?3) > 0 OR instr(plan, ?3) > 0)
      """)
    select.bind([.integer(after), .integer(bound), .blob(Array(person.digits.utf8))])
    while try select.step() {
      let (sequence, phone) = (select.integer(0), select.optionalText(1))
      if phone == nil || person.isCustomer(phone) { events.insert(sequence) } else { mentions.insert(sequence) }
    }
    return bound
  }

  mutating func rest(_ reader: SQLiteReader) throws {
    let row = try reader.connection.prepare("SELECT open FROM events WHERE seq = ?1")
    let rows = try reader.connection.prepare("SELECT count(*), min(state) FROM deliveries WHERE event = ?1")
    let promises = try reader.connection.prepare("SELECT count(*) FROM promises WHERE event = ?1")
    let plans = try reader.connection.prepare("SELECT plan, received FROM events WHERE seq = ?1")
    for sequence in events {
      let key = [SQLiteValue.integer(sequence)]
      found.deliveries += try plans.first(key) { try PlanCoding.decode($0.blob(0), received: $0.time(1)).count } ?? 0
      found.promises += try promises.first(key) { $0.int(0) } ?? 0
      let isOpen = try row.first(key) { $0.int(0) == 1 } ?? false
      let waits = try rows.first(key) { $0.int(0) > 0 && $0.int(1) < DeliveryState.delivered.rawValue } ?? false
      if isOpen || waits { found.open.append(EventID(sequence: sequence, tag: reader.tag)) }
    }
    let texts = try reader.connection.prepare("SELECT count(*) FROM configs WHERE instr(text, ?1) > 0")
    found.configurations = try texts.first([.text(person.digits)]) { $0.int(0) } ?? 0
    found.entries = try PersonLines.find(reader, person, events).count
    let changes = try reader.connection.prepare(
      "SELECT id FROM changes WHERE subject = ?1 AND kind = 'suppression' ORDER BY id")
    found.changes = try person.spellings.flatMap { try changes.all([.text($0)]) { $0.integer(0) } }
  }

  mutating func result(_ tag: UInt32) -> PersonalData {
    func ids(_ sequences: Set<Int64>) -> [EventID] { sequences.sorted().map { EventID(sequence: $0, tag: tag) } }
    found.events = ids(events)
    found.mentions = ids(mentions.subtracting(events))
    found.open.sort { $0.sequence < $1.sequence }
    return found
  }
}

/// Lines of books that are of a person: under a key with their number, or of their events.
struct PersonLines {
  var values: [SQLiteValue]

  static func find(_ reader: SQLiteReader, _ person: ErasedPerson, _ events: Set<Int64>) throws -> [PersonLines] {
    let select = try reader.connection.prepare("SELECT book, period, key, at, event, instr(key, ?1) FROM entries")
    var found: [PersonLines] = []
    select.bind([.text(person.digits)])
    while try select.step() {
      guard select.int(5) > 0 || events.contains(select.integer(4)) else { continue }
      found.append(
        PersonLines(values: [
          .integer(select.integer(0)), .integer(select.integer(1)), .text(select.text(2)), .integer(select.integer(3)),
          .integer(select.integer(4)),
        ]))
    }
    return found
  }
}
