// `divert erase`: a person's data leave the store, its log, the dead letters, the quarantine and what is remembered.

import DivertCore
import DivertStore

enum EraseCommand {
  /// How long attempts under way are waited for.
  private static let patience = 300
  /// A running router's store up to this many bytes is written anew where freed space still has the number: a second or two.
  private static let smallStore = 256 << 20

  static func run(_ context: OperatorContext, _ input: OperatorInput) async throws -> JSONValue {
    try input.expect(only: ["phone", "dry_run"])
    let person = try person(input, context)
    let isDry = try input.flag("dry_run")
    var eraser = Eraser(context, person)
    if isDry { return try await eraser.preview() }
    try await eraser.endDeliveries(patience: patience)
    try await eraser.erase()
    try await eraser.leaveDisk(smallStore: smallStore)
    return eraser.report(dry: false)
  }

  private static func person(_ input: OperatorInput, _ context: OperatorContext) throws -> ErasedPerson {
    guard let text = try input.text("phone") else {
      throw OperatorFailure.badRequest("`phone` is missing: whose data?")
    }
    let country = context.table()?.parts.country ?? "IN"
    if let person = ErasedPerson(text, country: country) { return person }
    throw OperatorFailure.badRequest(
      "`\(OperatorText.line(text, limit: 40))` is no phone number that can be read; write it with its country code "
        + "(+919876543210), or as it is dialled in \(country). Nothing was erased")
  }
}

/// An erasure under way.
private struct Eraser {
  private let context: OperatorContext
  private let person: ErasedPerson
  private var data = PersonalData()
  private var letters: [String] = []
  private var quarantined: [String] = []
  private var cancelled = 0
  private var suppression: Suppression?
  private var digests = 0
  private var remains: [(path: String, count: Int)] = []
  private var isLogEmpty = true
  private var wasRewritten = false

  init(_ context: OperatorContext, _ person: ErasedPerson) {
    self.context = context
    self.person = person
  }

  /// What there is, with nothing changed.
  mutating func preview() async throws -> JSONValue {
    try await look()
    return report(dry: true)
  }

  private mutating func look() async throws {
    let (context, person) = (context, person)
    data = try await Blocking.run { try context.store.personalData(of: person) }
    let events = Set(data.events)
    letters = try await Blocking.run { try context.deadLetters.files(of: person, events) }
    quarantined = try await Blocking.run { try Self.quarantined(context, person) }
    suppression = try await Blocking.run { try context.store.suppressions() }.first { $0.phone == person.phone }
  }

  /// A damaged file is theirs where its bytes name them.
  private static func quarantined(_ context: OperatorContext, _ person: ErasedPerson) throws -> [String] {
    try context.quarantine.list().filter { name in
      if let body = try? context.quarantine.show(name) { return person.isNamed(in: body.body) }
      return (try? context.quarantine.bytes(of: name)).map { person.isNamed(in: $0) } ?? false
    }
  }

  // MARK: Nothing goes out any more

  /// Ends what waits; what is on the wire is waited for, and its retries end, too.
  mutating func endDeliveries(patience: Int) async throws {
    try await look()
    try await entomb()
    let reason = Reason("erased", "the customer's data were erased before it went out")
    for turn in 0..<patience {
      for event in data.open {
        cancelled += try await context.cancel(
          Cancel(route: nil, target: nil, event: event, reason: reason, limit: 500))
      }
      try await leaveEnded()
      if data.open.isEmpty { return }
      if turn > 0 { try await Task.sleep(for: .milliseconds(100)) }
    }
    throw OperatorFailure.conflict(
      "busy",
      "\(data.open.count) events of this customer have deliveries on the wire, and their targets take long to answer. Those that "
        + "waited were ended and nothing else was erased: run it again when these have ended (`divert find \(person.phone)`)"
    )
  }

  /// Takes those out of what is open whose deliveries have all ended.
  private mutating func leaveEnded() async throws {
    let (context, open) = (context, data.open)
    data.open = try await Blocking.run {
      try open.filter { id in try context.store.event(id)?.deliveries.contains { !$0.state.isFinal } ?? false }
    }
  }

  /// Who was not to be written to stays so, without being named.
  private mutating func entomb() async throws {
    guard let entry = suppression else { return }
    let (context, now) = (context, context.now())
    var changes: [SuppressionChange] = [.remove(phone: entry.phone, at: now)]
    if entry.holds(at: now) {
      let all = try await Blocking.run { try context.store.suppressions() }
      var random = SystemRandomNumberGenerator()
      let fresh = (0..<16).map { _ in UInt8.random(in: 0 ... .max, using: &random) }
      let salt = all.lazy.compactMap { $0.salt.flatMap { HexBytes.decode($0) } }.first ?? fresh
      changes.append(.add(entry.erased(salt: salt, at: now)))
    }
    _ = try await context.suppress(changes)
  }

  // MARK: What is kept goes

  mutating func erase() async throws {
    let (context, person) = (context, person)
    // Once more: the changes of the list that were just made are on record, too.
    let suppressed = suppression
    try await look()
    suppression = suppressed
    let (data, letters, quarantined) = (data, letters, quarantined)
    digests = try await Blocking.run {
      let left = try context.store.erase(person, data, now: context.now())
      if let event = left.first {
        throw OperatorFailure.conflict(
          "busy", "a delivery of \(event) began meanwhile; what could be erased was: run it again")
      }
      try context.deadLetters.erase(letters)
      for name in quarantined { try context.quarantine.remove(name) }
      return try context.store.forgetInReports(phones: Set(person.spellings))
    }
    if let live = context.live {
      try await live.forget(person, data.events)
    } else {
      try await Blocking.run {
        let writes = OwnWrites()
        let journal = WriteJournal(folder: context.folder)
        writes.restore(try journal.open(now: context.now()))
        writes.forget(person)
        try journal.renew(writes.remembered(now: context.now()))
      }
    }
  }

  // MARK: And the disk with it

  mutating func leaveDisk(smallStore: Int) async throws {
    try await emptyLog()
    remains = try await search()
    let mayRewrite =
      try await Blocking.run { [context] in try context.live == nil || context.store.fileSize() <= smallStore }
    guard data.mentions.isEmpty, mayRewrite, remains.contains(where: { $0.path.hasSuffix(".sqlite") }) else { return }
    try await Blocking.run { [context] in try context.store.rewrite() }
    wasRewritten = true
    try await emptyLog()
    remains = try await search()
  }

  private mutating func emptyLog() async throws {
    isLogEmpty = false
    for _ in 0..<20 where !isLogEmpty {
      isLogEmpty = try await Blocking.run { [context] in try context.store.emptyLog() }
      if !isLogEmpty { try await Task.sleep(for: .milliseconds(250)) }
    }
  }

  /// The files of the data folder that still have the number, the configurations aside.
  private func search() async throws -> [(path: String, count: Int)] {
    let bytes = Array(person.digits.utf8)
    return try await Blocking.run { [context] in
      try BytesInFiles.find(bytes, in: context.folder, leaving: ["config-history", "divert.sqlite-shm"])
    }
  }

  // MARK: What was done

  func report(dry: Bool) -> JSONValue {
    RecordJSON.object([
      "phone": .string(Phone.mask(person.phone)), "dry_run": .bool(dry),
      "events": .number(data.events.count), "deliveries": .number(data.deliveries),
      "ended": .number(dry ? data.open.count : cancelled), "promises": .number(data.promises),
      "entries": .number(data.entries), "suppression_changes": .number(data.changes.count),
      "suppressed": .bool(suppression.map { $0.holds(at: context.now()) } ?? false),
      "dead_letters": .number(letters.count), "quarantined": .number(quarantined.count),
      "digests": dry ? nil : .number(digests),
      "mentions": .array(data.mentions.prefix(100).map { .string($0.description) }),
      "mentioned_by": .number(data.mentions.count), "configurations": .number(data.configurations),
      "log_emptied": dry ? nil : .bool(isLogEmpty), "rewritten": dry ? nil : .bool(wasRewritten),
      "remains": dry
        ? nil
        : .array(
          remains.map { found in
            ["file": .string(String(found.path.dropFirst(context.folder.count + 1))), "count": .number(found.count)]
          }),
    ])
  }
}

extension OperatorContext {
  /// The data folder.
  var folder: String { DurableFile.folder(of: deadLetters.path) }
}
