// Books, for every engine: what is entered is found by place and time, across periods, restarts, reloads and sweeps.

import DivertCore
import Testing

@Suite("Books")
struct BookConformanceTests {
  private let rejected = Remembering.rejected
  private let place = BookPlace(book: Remembering.rejected.name, key: "+911")
  private let always = (from: Timestamp(milliseconds: 0), to: Timestamp.distantFuture)

  private func open(_ engine: Engine, _ folder: Folder, at now: Timestamp = start) throws -> any Store {
    let store = try engine.open(folder)
    #expect(try store.useBooks([rejected, Remembering.accepted], now: now) == [])
    return store
  }

  private func all(_ store: any Store, _ place: BookPlace) throws -> [BookEntry] {
    try store.entries(of: place, from: always.from, to: always.to, limit: .max)
  }

  @Test(
    "an event is entered in its books; a duplicate, another's event and one without a key are not",
    arguments: Engine.all)
  func feeding(_ engine: Engine) throws {
    let folder = Folder()
    let store = try open(engine, folder)
    let one = try store.accept(Remembering.append(call: "c1", at: start))
    try store.commit { $0.appends = [Remembering.append(call: "c1", at: start + .seconds(9))] }
    _ = try store.accept(Remembering.append("CALL_MISSED", at: start))
    _ = try store.accept(Remembering.append(phone: nil, at: start))
    let two = try store.accept(Remembering.append(at: start - .hours(3), received: start))
    let expected = [
      BookEntry(at: start - .hours(3), event: two.id, mark: two.id.description),
      BookEntry(at: start, event: one.id, mark: "c1"),
    ]
    #expect(try all(store, place) == expected)
    #expect(try store.entries(of: place, from: start, to: start, limit: 9) == [expected[1]])
    let before = try store.entries(of: place, from: start - .hours(3), to: start - .milliseconds(1), limit: 9)
    #expect(before == [expected[0]])
    #expect(try store.entries(of: place, from: start + .milliseconds(1), to: always.to, limit: 9) == [])
    #expect(try store.entries(of: place, from: start, to: start - .hours(9), limit: 9) == [])
    #expect(try store.entries(of: place, from: always.from, to: always.to, limit: 1) == [expected[0]])
    #expect(try store.entries(of: place, from: always.from, to: always.to, limit: 0) == [])
    #expect(try all(store, BookPlace(book: rejected.name, key: "+912")) == [])
    #expect(try all(store, BookPlace(book: "no such book", key: "+911")) == [])
    try store.close()
    #expect(try all(open(engine, folder), place) == expected)
  }

  @Test("a transaction that fails enters nothing, and the books go on as they were", arguments: Engine.all)
  func failing(_ engine: Engine) throws {
    let folder = Folder()
    let store = try open(engine, folder)
    let event = try store.accept(.event([.to("crm")]))
    #expect(throws: StoreError.self) {
      try store.commit { batch in
        batch.appends = [Remembering.append(at: start)]
        batch.packed = [PackedUpdate(event: event.id, states: [])]
      }
    }
    #expect(try all(store, place) == [] && store.promises(of: event.id) == [])
    _ = try store.accept(Remembering.append(at: start))
    #expect(try all(store, place).count == 1)
    try store.expectBalance()
  }

  @Test("claims give back their holder: an event, a delivery, or any text", arguments: Engine.all)
  func marks(_ engine: Engine) throws {
    let folder = Folder()
    let store = try open(engine, folder)
    var question = try once(store.accept(.event()), period: .hours(1))
    question.throttle = .init(
      definition: ThrottleDefinition(atMost: 1, within: .hours(1), per: BookDefinition.phone),
      place: BookPlace(book: "throttle r 0", key: "+911"))
    let receipt = try store.commit { $0.questions = [question] }
    #expect(receipt.answers == [.go])
    #expect(try all(store, question.once[0].place).map(\.mark) == [question.delivery.event.description])
    #expect(try all(store, BookPlace(book: "throttle r 0", key: "+911")).map(\.mark) == [question.delivery.description])
  }

  private func once(_ event: Event, period: Span) -> DueQuestion {
    var question = DueQuestion(
      delivery: DeliveryID(event: event.id, ordinal: 3), at: event.fields.at, now: event.receivedAt)
    question.once = [
      .init(
        definition: OnceDefinition(route: "r", period: period, per: BookDefinition.phone),
        place: BookPlace(book: "once r", key: "+911"))
    ]
    return question
  }

  @Test("questions of one transaction see each other's claims, and what it accepts", arguments: Engine.all)
  func questions(_ engine: Engine) throws {
    let folder = Folder()
    var store = try open(engine, folder)
    let first = once(try store.accept(.event()), period: .hours(1))
    let second = once(try store.accept(.event()), period: .hours(1))
    let answers = try store.commit { $0.questions = [first, second, first] }.answers
    #expect(answers.map(\.skipped) == [nil, "once", nil])
    try store.close()
    store = try open(engine, folder)
    #expect(try store.commit { $0.questions = [second, first] }.answers.map(\.skipped) == ["once", nil])
    var unless = DueQuestion(delivery: first.delivery, at: start, now: start + .minutes(5))
    unless.unless = .init(place: place, words: "event is CALL_REJECTED")
    #expect(try store.commit { $0.questions = [unless] }.answers == [.go])
    let receipt = try store.commit { batch in
      batch.appends = [Remembering.append(at: start + .minutes(1))]
      batch.questions = [unless]
    }
    #expect(receipt.answers.map(\.skipped) == ["unless"])
  }

  @Test("a book that is new is filled from history, then is whole, also after a restart", arguments: Engine.all)
  func gaps(_ engine: Engine) throws {
    let folder = Folder()
    var store = try engine.open(folder)
    let events = try (0..<6).map { try store.accept(Remembering.append(at: start + .minutes($0))) }
    let now = start + .minutes(6)
    let gap = try #require(try store.useBooks([rejected], now: now).first)
    #expect(gap == BookGap(book: rejected, from: now - .minutes(30), through: events[5].id))
    let later = try store.accept(Remembering.append(at: now))
    #expect(try all(store, place).map(\.event) == [later.id])
    let lines = events.flatMap { ActiveBooks([rejected]).entries(for: $0) }
    try store.fill(gap, with: Array(lines[..<4]), isLast: false)
    #expect(try store.useBooks([rejected], now: now) == [gap], "half is not whole")
    try store.fill(gap, with: lines, isLast: true)
    #expect(try all(store, place).map(\.event) == events.map(\.id) + [later.id])
    #expect(try store.useBooks([rejected], now: now) == [])
    try store.close()
    store = try engine.open(folder)
    #expect(try store.useBooks([rejected], now: now) == [])
    let wider = BookDefinition.of("CALL_REJECTED", span: .hours(9))
    #expect(try store.useBooks([wider], now: now).map(\.from) == [now - .hours(18)])
  }

  @Test("events that came while a book was not in use are missing in it", arguments: Engine.all)
  func pauses(_ engine: Engine) throws {
    let folder = Folder()
    var store = try open(engine, folder)
    #expect(try store.useBooks([], now: start) == [])
    #expect(try store.useBooks([rejected], now: start) == [], "nothing came meanwhile")
    #expect(try store.useBooks([], now: start) == [])
    let missed = try store.accept(Remembering.append(at: start))
    #expect(try store.useBooks([rejected], now: start).map(\.through) == [missed.id])
    try store.close()
    store = try engine.open(folder)
    let unfed = try store.accept(Remembering.append(at: start + .minutes(1)))
    #expect(try store.useBooks([rejected], now: start).map(\.through) == [unfed.id], "nobody had said what is in use")
    #expect(try store.useBooks([rejected], now: start + .hours(2)) == [], "what is missing is too old to be asked for")
  }

  @Test("what nobody asks for any more goes, a little with each transaction", arguments: Engine.all)
  func sweeping(_ engine: Engine) throws {
    let folder = Folder()
    let store = try open(engine, folder)
    try store.commit { batch in
      batch.appends = (0..<600).map { Remembering.append(phone: "+91\($0 % 7)", at: start + .milliseconds($0)) }
    }
    let recent = start + .minutes(29)
    _ = try store.accept(Remembering.append(at: recent), now: recent)
    func left() throws -> Int {
      try (0..<7).reduce(0) { try $0 + all(store, .init(book: place.book, key: "+91\($1)")).count }
    }
    #expect(try left() == 601)
    for _ in 0..<4 { _ = try store.accept(Remembering.append(at: recent), now: start + .minutes(60)) }
    #expect(try left() == 5 && all(store, place).count == 5)
    #expect(try store.useBooks([rejected], now: start + .minutes(60)) == [])
    #expect(try store.useBooks([rejected], now: start + .minutes(29)).map(\.book) == [rejected], "the clock was ahead")
  }
}

extension DueAnswer {
  /// The code of the reason; nil: it goes.
  var skipped: String? { if case .skip(let reason) = self { reason.code } else { nil } }
}
