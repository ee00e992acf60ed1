// The dead letters on file as the operator's commands see them: chosen by filters, ids or file names; damaged ones by name.

import DivertCore
import DivertStore

/// Which dead letters are meant: by name, by filter, or both. Every condition that is given must hold.
struct DeadLetterChoice {
  /// Delivery ids, event ids, file names or paths; empty: any.
  var names: [String] = []
  var filter = DeadLetterFilter()
  /// The customer's number as the store may spell it; empty: any.
  var phones: [String] = []

  init() {}

  init(_ input: OperatorInput, _ context: OperatorContext) throws(OperatorFailure) {
    names = try input.texts("ids")
    filter.target = try input.text("target")
    filter.route = try input.text("route")
    filter.reason = try input.text("reason")
    filter.since = try input.moment("since", context)
    filter.until = try input.moment("until", context)
    phones = try input.text("phone").map { FindReport.spellings(of: $0, context) } ?? []
  }

  /// Whether nothing narrows the choice.
  var isEmpty: Bool { names.isEmpty && phones.isEmpty && filter == DeadLetterFilter() }

  /// Whether an entry that the filter let through is meant; a damaged one only by its name or the lack of any.
  func covers(_ file: String, _ letter: DeadLetter?) -> Bool {
    if !phones.isEmpty, !phones.contains(letter?.event.fields.customerPhone ?? "") { return false }
    return names.isEmpty || names.contains { Self.matches($0, file, letter) }
  }

  /// Whether a name means this file: an id of its delivery or event, a path or the end of one.
  static func matches(_ name: String, _ file: String, _ letter: DeadLetter?) -> Bool {
    if name == letter?.delivery.id.description || name == letter?.event.id.description { return true }
    return name == file || file.hasSuffix("/" + name) || name.hasSuffix("/" + file)
  }
}

/// A file of the directory with what could be read from it.
struct ShelvedLetter: Sendable {
  /// Its path within the directory: `crm/2026-01-15/103025-dlv_….json`.
  var file: String
  /// The same as the directory names it.
  var path: String
  var content: Result<DeadLetter, OperatorFailure>

  var isDamaged: Bool { if case .failure = content { true } else { false } }
  /// Whose letter it is; of a damaged one by the file's name, nil where that does not tell.
  var delivery: DeliveryID? {
    if case .success(let letter) = content { return letter.delivery.id }
    return DeadLetterDirectory.delivery(named: path)
  }
}

/// Reads the directory. Blocking; called from `Blocking.run`.
struct DeadLetterShelf {
  private let context: OperatorContext

  init(_ context: OperatorContext) { self.context = context }

  /// The files (not replayed, not dropped) that are meant, in the order of their names. Damaged ones are among them where
  /// nothing is asked that only their content could tell.
  func letters(_ choice: DeadLetterChoice) throws -> [ShelvedLetter] {
    if let paths = paths(choice.names) {
      return paths.compactMap { context.deadLetters.entry($0, choice.filter) }.compactMap { shelved($0, choice) }
    }
    return try context.deadLetters.entries(choice.filter).compactMap { shelved($0, choice) }
  }

  private func shelved(_ entry: DeadLetterEntry, _ choice: DeadLetterChoice) -> ShelvedLetter? {
    let file = name(entry.path)
    guard choice.covers(file, entry.letter) else { return nil }
    let fault = OperatorFailure(422, "damaged", entry.fault ?? "\(file) cannot be read")
    return ShelvedLetter(file: file, path: entry.path, content: entry.letter.map { .success($0) } ?? .failure(fault))
  }

  /// The files that are named, where every name is the path of one as `list` gives it: then no other has to be read.
  private func paths(_ names: [String]) -> [String]? {
    if names.isEmpty { return nil }
    var paths: Set<String> = []
    for name in names {
      guard let path = context.deadLetters.file(named: name) else { return nil }
      paths.insert(path)
    }
    return paths.sorted()
  }

  /// A path within the directory.
  private func name(_ path: String) -> String {
    let root = context.deadLetters.path + "/"
    return path.hasPrefix(root) ? String(path.dropFirst(root.count)) : path
  }

  /// Exactly one file, by its name or its delivery's id.
  func letter(_ name: String) throws -> ShelvedLetter {
    var choice = DeadLetterChoice()
    choice.names = [name]
    let found = try letters(choice)
    guard let first = found.first else {
      throw OperatorFailure.notFound("there is no dead letter `\(name)`; `divert dead-letters list` names them")
    }
    if found.count > 1 {
      throw OperatorFailure.conflict(
        "several", "`\(name)` names \(found.count) files: " + found.prefix(5).map(\.file).joined(separator: ", "))
    }
    return first
  }

  /// Every delivery that has a file, replayed and dropped ones included.
  func deliveriesOnFile() throws -> Set<DeliveryID> {
    var found = try context.deadLetters.deliveries()
    for shelf in DeadLetterDirectory.Shelf.allCases {
      for entry in try context.deadLetters.entries(on: shelf) {
        if let id = entry.letter?.delivery.id { found.insert(id) }
      }
    }
    return found
  }
}

/// `divert dead-letters list` and `show`.
enum DeadLetterReport {
  static func list(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    let limit = try input.number("limit", in: 1...1_000_000, or: 1_000_000)
    let choice = try DeadLetterChoice(input, context)
    let letters = try DeadLetterShelf(context).letters(choice)
    if letters.isEmpty { try KnownNames(context).require(choice) }
    return [
      "count": .number(letters.count),
      "dead_letters": .array(
        letters.prefix(limit).map { shelved in
          switch shelved.content {
          case .success(let letter): summary(shelved.file, letter)
          case .failure(let fault): ["file": .string(shelved.file), "damaged": .string(fault.description)]
          }
        }),
    ]
  }

  static func show(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    let shelved = try DeadLetterShelf(context).letter(input.requiredText("id"))
    let letter = try shelved.content.get()
    return RecordJSON.object([
      "file": .string(shelved.file), "died_at": RecordJSON.moment(letter.diedAt),
      "delivery": RecordJSON.delivery(letter.delivery, isMessage: letter.isMessage),
      "event": RecordJSON.event(letter.event),
      "request": letter.request.map(RecordJSON.request),
    ])
  }

  private static func summary(_ file: String, _ letter: DeadLetter) -> JSONValue {
    RecordJSON.object([
      "file": .string(file), "id": .string(letter.delivery.id.description),
      "target": .string(letter.delivery.plan.target), "action": .string(letter.delivery.plan.action),
      "route": .string(letter.delivery.plan.route), "died_at": RecordJSON.moment(letter.diedAt),
      "reason": letter.delivery.reason.map(RecordJSON.reason), "attempts": .number(letter.delivery.attempts.count),
      "event": .string(letter.event.id.description), "phone": RecordJSON.text(letter.event.fields.customerPhone),
      "to_person": .bool(letter.isMessage),
    ])
  }
}
