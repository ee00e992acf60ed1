// `divert suppress`: who is not to be written to. The store keeps the list; a running router obeys it from the moment of the answer.

import DivertCore

enum SuppressionCommands {
  /// At most this many phones in one order.
  private static let most = 100_000

  // MARK: Looking

  /// The entries that hold, by phone; `ended`: also those whose time is over.
  static func list(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    try input.expect(only: ["ended"])
    let (now, all) = (context.now(), try context.store.suppressions())
    let shown = try input.flag("ended") ? all : all.filter { $0.holds(at: now) }
    return [
      "suppressions": .array(shown.map { json($0, at: now) }), "count": .number(shown.count),
      "ended": .number(all.count { !$0.holds(at: now) }),
    ]
  }

  static func json(_ entry: Suppression, at now: Timestamp) -> JSONValue {
    RecordJSON.object([
      "phone": .string(entry.phone), "reason": .string(entry.reason),
      "covers": .string(entry.coversAnswers ? "all" : "outreach"), "since": RecordJSON.moment(entry.since),
      "until": entry.until.map(RecordJSON.moment), "holds": .bool(entry.holds(at: now)),
    ])
  }

  // MARK: Changing

  /// Enters phones, all or none; one that is there already gets the new reason, end and class.
  static func add(_ context: OperatorContext, _ input: OperatorInput) async throws -> JSONValue {
    try input.expect(only: ["phone", "phones", "reason", "until", "for", "all"])
    let phones = try phones(input, context)
    guard let reason = try input.line("reason") else {
      throw OperatorFailure.badRequest("say why in a word or a few: --reason grievance")
    }
    let (now, end, all) = (context.now(), try end(input, context), try input.flag("all"))
    let known = try await known(phones, context)
    let entries = phones.map { phone in
      let before = known[phone].flatMap { $0.holds(at: now) && $0.reason == reason ? $0 : nil }
      return Suppression(
        phone: phone, reason: reason, coversAnswers: all, since: before?.since ?? now, until: end)
    }
    // One that was erased is known again: the new entry stands in its place.
    let nameless = phones.compactMap { known[$0] }.filter(\.isErased).map {
      SuppressionChange.remove(phone: $0.phone, at: now)
    }
    _ = try await context.suppress(nameless + entries.map { .add($0) })
    return [
      "suppressions": .array(entries.map { json($0, at: now) }),
      "replaced": .array(
        phones.compactMap { known[$0] }.filter { $0.holds(at: now) }.map { json($0, at: now) }),
    ]
  }

  /// Takes phones off the list; those that are not on it are named, and are no fault where there are others.
  static func remove(_ context: OperatorContext, _ input: OperatorInput) async throws -> JSONValue {
    try input.expect(only: ["phone", "phones"])
    let (phones, now) = (try phones(input, context), context.now())
    let all = try await Blocking.run { try context.store.suppressions() }
    // One that was erased is found by the number alone; both may stand.
    let known = Dictionary(
      uniqueKeysWithValues: phones.map { phone in
        (phone, all.filter { $0.phone == phone || $0.isErased && $0.isOf(phone) })
      }
    ).filter { !$0.value.isEmpty }
    let (there, absent) = (phones.filter { known[$0] != nil }, phones.filter { known[$0] == nil })
    if there.isEmpty {
      throw OperatorFailure.notFound(
        "\(absent.joined(separator: ", ")): not on the suppression list; `divert suppress list` shows who is")
    }
    _ = try await context.suppress(there.flatMap { known[$0] ?? [] }.map { .remove(phone: $0.phone, at: now) })
    let removed = there.compactMap { phone in
      known[phone]?.first.map { entry in
        var entry = entry
        entry.phone = phone
        return entry
      }
    }
    return [
      "removed": .array(removed.map { json($0, at: now) }),
      "absent": .array(absent.map { .string($0) }),
    ]
  }

  private static func known(_ phones: [String], _ context: OperatorContext) async throws -> [String: Suppression] {
    let wanted = Set(phones)
    let all = try await Blocking.run { try context.store.suppressions() }
    var found: [String: Suppression] = [:]
    for entry in all where wanted.contains(entry.phone) { found[entry.phone] = entry }
    // One whose phone was erased is found by the phone alone.
    for entry in all where entry.isErased {
      for phone in phones where found[phone] == nil && entry.isOf(phone) { found[phone] = entry }
    }
    return found
  }

  // MARK: What is given

  /// In E.164, each once; every text that is no phone number is named.
  private static func phones(_ input: OperatorInput, _ context: OperatorContext) throws -> [String] {
    let given = try input.texts("phone") + input.texts("phones")
    if given.isEmpty { throw OperatorFailure.badRequest("`phone` is missing: which phone number?") }
    if given.count > most {
      throw OperatorFailure.badRequest("\(given.count) phones are too many for one order: \(most) at most")
    }
    let country = context.table()?.parts.country ?? "IN"
    let wrong = given.filter { Phone.e164($0, country: country) == nil }
    if !wrong.isEmpty {
      let named = wrong.prefix(5).map { "`\(OperatorText.line($0, limit: 40))`" }.joined(separator: ", ")
      let more = wrong.count > 5 ? " and \(wrong.count - 5) more" : ""
      throw OperatorFailure.badRequest(
        "\(named)\(more): no phone number that can be read; write it with its country code (+919876543210), or as it is "
          + "dialled in \(country). Nothing was changed")
    }
    var seen: Set<String> = []
    return given.compactMap { Phone.e164($0, country: country) }.filter { seen.insert($0).inserted }
  }

  /// Until when: a moment ahead, a length of time from now, or nil for until it is removed.
  private static func end(_ input: OperatorInput, _ context: OperatorContext) throws -> Timestamp? {
    let now = context.now()
    guard let length = try input.text("for") else { return try moment(input, context) }
    if try input.text("until") != nil { throw OperatorFailure.badRequest("say either `until` or `for`, not both") }
    guard let span = Span(duration: length), span > .zero else {
      throw OperatorFailure.badRequest("`\(OperatorText.line(length, limit: 40))` is no length of time: write 30d, 12h")
    }
    return now + span
  }

  private static func moment(_ input: OperatorInput, _ context: OperatorContext) throws -> Timestamp? {
    guard let text = try input.text("until") else { return nil }
    let shown = OperatorText.line(text, limit: 40)
    guard let end = Timestamp(iso8601: text, in: context.zone) else {
      let remedy =
        Span(duration: text) == nil ? "write a date (2026-12-01) or an ISO 8601 time" : "write --for \(shown)"
      throw OperatorFailure.badRequest("`until` must be a moment, and `\(shown)` is none: \(remedy)")
    }
    if end > context.now() { return end }
    throw OperatorFailure.badRequest("`until` is over: \(shown) is not ahead of us")
  }
}

extension OperatorContext {
  /// Changes the suppression list; obeyed when it returns. Whether each changed anything.
  func suppress(_ changes: [SuppressionChange]) async throws -> [Bool] {
    if let live { return try await live.suppress(changes) }
    return try await Blocking.run {
      var batch = StoreBatch()
      batch.suppressions = changes
      return try store.commit(batch, now: now()).suppressions
    }
  }
}
