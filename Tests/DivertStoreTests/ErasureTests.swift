// Erasing a person: their bytes are in no file any more, everything else holds.

import DivertCore
@testable import DivertStore
import FoundationEssentials
import Testing

@Suite("Erasing a person") struct ErasureTests {
  private static let phone = "+919876543210"
  private static let other = "+919812345678"

  /// A store with events of two customers in every form that they take.
  private static func fill(_ store: SQLiteStore) throws -> (theirs: [EventID], others: [EventID]) {
    var (theirs, others): ([EventID], [EventID]) = ([], [])
    _ = try store.useBooks([Remembering.rejected, Remembering.accepted], now: start)
    for n in 0..<40 {
      let isTheirs = n % 2 == 0
      let now = start + .seconds(Int64(n))
      var fields = Event.Fields(name: "CALL_REJECTED", at: now)
      fields.customerPhone = isTheirs ? phone : other
      fields.customerName = isTheirs ? "Rohan Mehta" : "Somebody Else"
      fields.customerID = isTheirs ? "cust-of-rohan" : "cust-of-another"
      fields.callID = isTheirs ? "call-of-rohan-\(n)" : "call-\(n)"
      (fields.agent, fields.direction) = ("Asha", "INCOMING")
      let number = String((isTheirs ? phone : other).dropFirst())
      let body = #"{"customer":{"name":"\#(fields.customerName ?? "")","phone":"\#(number)"},"n":\#(n)}"#
      let bytes = Array(body.utf8)
      var append = Append(
        source: "doubletick", receivedAt: now, fields: fields, body: bytes, raw: try JSONValue.parse(bytes),
        dedupe: nil,
        planned: [
          .to("crm", key: fields.customerPhone, due: now), .to("zap", due: now),
          .to("wa", key: fields.customerPhone, due: now, person: true),
        ], table: Remembering.table, congested: n % 3 == 0 ? ["crm"] : [])
      append.plan.asksMemory = false
      let event = try store.accept(append, now: now)
      if isTheirs { theirs.append(event.id) } else { others.append(event.id) }
    }
    return (theirs, others)
  }

  /// Ends every delivery, by turns delivered, dead and skipped, with answers that name the customer.
  private static func end(_ store: SQLiteStore) throws {
    while true {
      let now = start + .hours(1)
      let claims = try store.claim(["crm", "zap", "wa"].map { ClaimWish(target: $0, limit: 50) }, now: now)
      let found = claims.flatMap(\.deliveries)
      if found.isEmpty { break }
      try store.commit(now: now) { batch in
        batch.rows = found.enumerated().map { place, one in
          var attempt = Attempt.ended(place % 3 == 0 ? .ok : .retry)
          attempt.answer = "known: \(one.event.fields.customerName ?? "") \(one.event.fields.customerPhone ?? "")"
          var row = one.delivery.put([.delivered, .dead, .skipped][place % 3], attempt: attempt)
          row.memo.lookups = ["account": ["phone": .string(one.event.fields.customerPhone ?? "")]]
          return row
        }
      }
    }
    for one in try store.recover(after: nil, limit: 1000) {
      try store.commit { batch in
        var attempt = Attempt.ended(.ok)
        attempt.answer = "known: \(one.event.fields.customerName ?? "") \(one.event.fields.customerPhone ?? "")"
        let end = PackedState.ended(.delivered, reason: Reason("ok", "taken"), attempt: attempt)
        batch.packed = [PackedUpdate(event: one.event.id, states: one.states.map { $0 == .open ? end : $0 })]
      }
    }
  }

  private static func files(_ text: String, _ folder: Folder) throws -> [String] {
    try BytesInFiles.find(Array(text.utf8), in: folder.path, leaving: []).map { "\($0.path): \($0.count) × \(text)" }
  }

  @Test("leaves no byte of them in any file, and everything else as it was")
  func erases() throws {
    let folder = Folder()
    let store = try SQLiteStore.open(folder: folder.path, sandbox: false)
    let (theirs, others) = try Self.fill(store)
    try Self.end(store)
    try store.commit {
      $0.suppressions = [
        .add(Suppression(phone: Self.phone, reason: "grievance", coversAnswers: false, since: start, until: nil)),
        .remove(phone: Self.phone, at: start),
      ]
    }
    let head = try store.recordHead()
    let kept = try others.map { try store.event($0)?.event.body }
    let totals = try store.totals()
    let person = try #require(ErasedPerson("98765 43210", country: "IN"))
    let data = try store.personalData(of: person)
    #expect(data.events == theirs && data.open == [] && data.deliveries == 60 && data.mentions == [])
    #expect(data.entries == 20 && data.changes.count == 2)
    #expect(try store.erase(person, data, now: start + .hours(2)) == [])
    #expect(try store.emptyLog())
    try store.rewrite()
    for text in ["9876543210", "Rohan", "cust-of-rohan", "call-of-rohan"] {
      #expect(try Self.files(text, folder) == [])
    }
    #expect(try Self.files("Somebody Else", folder) != [])
    #expect(try others.map { try store.event($0)?.event.body } == kept)
    let verdict = try store.verifyRecord(heads: [head])
    #expect(verdict.problems == [] && verdict.erased == 20, "\(verdict.problems)")
    try store.expectBalance()
    #expect(try store.totals().targets == totals.targets)
    #expect(try store.event(theirs[0])?.event.fields.agent == "Asha")
    #expect(try store.personalData(of: person).events == [])
    try store.close()
    #expect(try SQLiteStore.open(folder: folder.path, sandbox: false).verifyRecord(heads: []).holds)
  }

  @Test("does not touch an event whose deliveries have not ended")
  func open() throws {
    let folder = Folder()
    let store = try SQLiteStore.open(folder: folder.path, sandbox: false)
    let (theirs, _) = try Self.fill(store)
    let person = try #require(ErasedPerson(Self.phone, country: "IN"))
    let data = try store.personalData(of: person)
    #expect(data.open == theirs)
    #expect(try store.erase(person, data, now: start) == theirs)
    #expect(try store.personalData(of: person).events == theirs)
    #expect(try store.verifyRecord(heads: []).problems == [])
  }

  @Test("tells another's event that names them from their own, however the number came")
  func mentions() throws {
    let folder = Folder()
    let store = try SQLiteStore.open(folder: folder.path, sandbox: false)
    let mention = try store.accept(.event(phone: Self.other, body: #"{"text":"call 9876543210 instead"}"#))
    let unread = try store.accept(.event(phone: nil, body: #"{"from":"0091-9876543210"}"#))
    let person = try #require(ErasedPerson(Self.phone, country: "IN"))
    let data = try store.personalData(of: person)
    #expect(data.events == [unread.id] && data.mentions == [mention.id])
    #expect(ErasedPerson("Rohan", country: "IN") == nil)
  }

  @Test("what was suppressed stays suppressed without being named")
  func tombstone() throws {
    let entry = Suppression(phone: Self.phone, reason: "grievance", coversAnswers: true, since: start, until: nil)
    let erased = entry.erased(salt: Array(repeating: 7, count: 16), at: start)
    let list = SuppressionList([erased])
    #expect(list.entry(for: Self.phone, at: start) == erased && list.entry(for: Self.other, at: start) == nil)
    #expect(!"\(erased)".contains("9876543210") && erased.isOf(Self.phone) && !erased.isOf(Self.other))
    list.apply([.remove(phone: erased.phone, at: start)])
    #expect(list.entry(for: Self.phone, at: start) == nil)
  }
}

@Suite("Retention") struct RetentionTests {
  private static func sweepAll(_ store: SQLiteStore, _ kind: Retention.Kind, before: Timestamp) throws -> Int {
    var events = 0
    while true {
      let step = try store.sweep(kind, before: before, limit: 8, now: start + .days(100))
      events += step.events
      if step.isDone { return events }
    }
  }

  @Test("takes payloads, attempts and at last the record, and every equation and the chain hold after each")
  func sweeps() throws {
    let recorded = try RecordedStore(events: 40)
    let store = try SQLiteStore.open(folder: recorded.folder.path, sandbox: false)
    let later = start + .minutes(30)
    let rest = try store.claim(["crm", "wa", "new"].map { ClaimWish(target: $0, limit: 100) }, now: later)
    try store.commit(now: later) { batch in
      batch.rows = rest.flatMap(\.deliveries).dropFirst(3).map { $0.delivery.put(.delivered, attempt: .ended(.ok)) }
    }
    let totals = try store.totals()
    let unfinished = try recorded.events.filter { id in
      try #require(try store.event(id)).deliveries.contains {
        !$0.state.isFinal || $0.state == .dead && $0.replayedBy == nil
      }
    }
    let ended = 40 - unfinished.count
    #expect(ended > 10 && unfinished.count > 2)
    for kind in [Retention.Kind.payloads, .attempts, .record] {
      #expect(try Self.sweepAll(store, kind, before: start) == 0)
      #expect(try Self.sweepAll(store, kind, before: start + .hours(1)) == ended)
      #expect(try Self.sweepAll(store, kind, before: start + .hours(1)) == 0)
      let verdict = try store.verifyRecord(heads: [recorded.head])
      #expect(verdict.problems == [], "\(kind): \(verdict.problems)")
      try store.expectBalance()
    }
    #expect(try recorded.events.filter { try store.event($0) != nil } == unfinished)
    #expect(try store.totals().targets == totals.targets && store.totals().sources == totals.sources)
    try store.close()
    let again = try SQLiteStore.open(folder: recorded.folder.path, sandbox: false)
    try again.expectBalance()
    _ = try again.accept(.event([.to("crm")], at: start + .days(100)))
    try again.expectBalance()
  }

  @Test("an event that had not ended when the sweep passed goes once it has")
  func later() throws {
    let folder = Folder()
    let store = try SQLiteStore.open(folder: folder.path, sandbox: false)
    let late = try store.accept(.event([.to("wa", person: true)]))
    for n in 0..<20 { _ = try store.accept(.event(at: start + .seconds(Int64(n)))) }
    #expect(try Self.sweepAll(store, .record, before: start + .days(1)) == 20)
    let row = try #require(try store.claim("wa").deliveries.first?.delivery)
    try store.commit { $0.rows = [row.put(.delivered)] }
    #expect(try Self.sweepAll(store, .record, before: start + .days(1)) == 1)
    #expect(try store.event(late.id) == nil && store.verifyRecord(heads: []).problems == [])
    try store.expectBalance()
  }

  @Test("a call that was swept with the record is a new one when it comes again")
  func dedupe() throws {
    let folder = Folder()
    let store = try SQLiteStore.open(folder: folder.path, sandbox: false, recentKeys: 1)
    let key = DedupeKey.identity(source: "doubletick", callID: "call", event: "CALL_REJECTED")
    let append = Append.event(callID: "call", dedupe: key.entry(receivedAt: start))
    let first = try store.accept(append)
    for n in 0..<200 {
      let other = DedupeKey.identity(source: "doubletick", callID: "\(n)", event: "CALL_REJECTED")
      _ = try store.accept(.event(at: start + .days(2), callID: "\(n)", dedupe: other.entry(receivedAt: start)))
    }
    #expect(try store.commit { $0.appends = [append] }.appends.first?.duplicateOf == first.id)
    #expect(try Self.sweepAll(store, .record, before: start + .days(1)) == 1)
    #expect(try store.commit { $0.appends = [append] }.appends.first?.event != nil)
    try store.expectBalance()
  }
}
