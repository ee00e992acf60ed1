// Promises and the suppression list, for every engine.

import DivertCore
import Testing

@Suite("Promises and suppressions")
struct PromiseConformanceTests {
  private func open(_ engine: Engine, _ folder: Folder) throws -> any Store {
    let store = try engine.open(folder)
    #expect(try store.useBooks([Remembering.rejected, Remembering.accepted], now: start) == [])
    return store
  }

  private func hope(_ store: any Store, _ event: Event) throws -> Promise {
    try #require(try store.promises(of: event.id).first)
  }

  @Test("a promise is opened with its event, its else sends wait till it is judged", arguments: Engine.all)
  func opening(_ engine: Engine) throws {
    let folder = Folder()
    var store = try open(engine, folder)
    let event = try store.accept(Remembering.append(at: start - .minutes(9), received: start))
    let promise = try hope(store, event)
    #expect(promise.route == "hope" && promise.openedAt == start - .minutes(9))
    #expect(promise.deadline == start - .minutes(4) && promise.judgedAt == start + .seconds(60))
    let waiting = try #require(try store.event(event.id)).deliveries.filter { $0.plan.send == "else.0" }
    #expect(waiting.map(\.due) == [promise.judgedAt])
    try store.close()
    store = try open(engine, folder)
    #expect(try hope(store, event) == promise)
    var question = DueQuestion(delivery: waiting[0].id, at: event.fields.at, now: promise.judgedAt)
    question.promise = "hope"
    #expect(try store.commit { $0.questions = [question] }.answers == [.go])
    try store.expectBalance()
  }

  @Test(
    "every open promise of the key is kept by one event, the earliest counts, late ones are told", arguments: Engine.all
  )
  func keeping(_ engine: Engine) throws {
    let folder = Folder()
    let store = try open(engine, folder)
    let first = try store.accept(Remembering.append(at: start))
    let second = try store.accept(Remembering.append(at: start + .minutes(2)))
    let other = try store.accept(Remembering.append(phone: "+912", at: start))
    let late = start + .minutes(30)
    let back = try store.accept(Remembering.append("CALL_ACCEPTED", at: start + .minutes(4), received: late))
    #expect(try hope(store, first).keeper == back.id && hope(store, second).keptAfter == .minutes(2))
    #expect(try hope(store, first).standing(at: late) == .keptReportedLate && hope(store, other).keeper == nil)
    let sooner = try store.accept(
      Remembering.append("CALL_ACCEPTED", at: start + .minutes(1), received: late + .hours(1)))
    #expect(try hope(store, first).keeper == sooner.id && hope(store, first).reportedAt == late)
    #expect(try hope(store, second).keeper == back.id)
    let tooLate = start + .minutes(8)
    _ = try store.accept(Remembering.append("CALL_ACCEPTED", phone: "+912", at: tooLate))
    #expect(try hope(store, other).standing(at: tooLate) == .broken)
    let early = try store.accept(Remembering.append(at: start - .minutes(2), received: late))
    #expect(try hope(store, early).keeper == sooner.id && hope(store, early).standing(at: late) == .kept)
    var question = DueQuestion(delivery: DeliveryID(event: first.id, ordinal: 0), at: start, now: late)
    question.promise = "hope"
    #expect(try store.commit { $0.questions = [question] }.answers.map(\.skipped) == ["promise_kept"])
  }

  @Test("promises are found by standing, route and reception, a page at a time, either way", arguments: Engine.all)
  func finding(_ engine: Engine) throws {
    let folder = Folder()
    let store = try open(engine, folder)
    let events = try (0..<7).map { try store.accept(Remembering.append(phone: "+91\($0)", at: start + .minutes($0))) }
    _ = try store.accept(Remembering.append("CALL_ACCEPTED", phone: "+911", at: start + .minutes(2)))
    func found(_ filter: PromiseFilter, limit: Int = 9) throws -> [Int] {
      var (numbers, last): ([Int], PromisePlace?) = ([], nil)
      while true {
        let page = try store.promises(matching: filter, after: last, limit: limit, now: start + .minutes(9))
        numbers += page.compactMap { promise in events.firstIndex { $0.id == promise.event } }
        guard let end = page.last else { return numbers }
        last = PromisePlace(end)
      }
    }
    #expect(try found(PromiseFilter(), limit: 2) == [0, 1, 2, 3, 4, 5, 6])
    #expect(try found(PromiseFilter(newestFirst: true), limit: 2) == [6, 5, 4, 3, 2, 1, 0])
    #expect(try found(PromiseFilter(since: start + .minutes(2), until: start + .minutes(4))) == [2, 3])
    #expect(try found(PromiseFilter(standing: .kept)) == [1] && found(PromiseFilter(standing: .keptReportedLate)) == [])
    #expect(try found(PromiseFilter(standing: .broken)) == [0, 2, 3, 4])
    #expect(try found(PromiseFilter(route: "hope", standing: .open)) == [5, 6])
    #expect(try found(PromiseFilter(route: "once")) == [])
  }

  @Test("an addition brings its promises; what history fills in keeps those that awaited it", arguments: Engine.all)
  func later(_ engine: Engine) throws {
    let folder = Folder()
    let store = try engine.open(folder)
    let event = try store.accept(.event(at: start))
    let back = try store.accept(Remembering.append("CALL_ACCEPTED", phone: "+919876543210", at: start + .minutes(1)))
    let gap = try #require(try store.useBooks([Remembering.accepted], now: start + .minutes(2)).first)
    let promise = Promise(
      event: event.id, route: "hope", place: BookPlace(book: Remembering.accepted.name, key: "+919876543210"),
      openedAt: start, deadline: start + .minutes(5), judgedAt: start + .minutes(5))
    let addition = Addition(
      event: event.id, planned: [.to("crm", due: promise.judgedAt)], version: "v2", promises: [promise])
    try store.commit { $0.additions = [addition, addition] }
    #expect(try hope(store, event) == promise)
    try store.fill(gap, with: ActiveBooks([Remembering.accepted]).entries(for: back), isLast: true)
    #expect(try hope(store, event).keeper == back.id && hope(store, event).reportedAt == back.receivedAt)
    try store.expectBalance()
  }

  @Test(
    "the list keeps an entry a phone, says whether a change changed anything, and outlives a restart",
    arguments: Engine.all)
  func suppressions(_ engine: Engine) throws {
    let folder = Folder()
    var store = try open(engine, folder)
    let one = Suppression(phone: "+911", reason: "grievance", coversAnswers: false, since: start, until: nil)
    var other = Suppression(
      phone: "+910", reason: "bereavement", coversAnswers: true, since: start, until: start + .days(9))
    let receipt = try store.commit {
      $0.suppressions = [.add(one), .add(one), .add(other), .remove(phone: "+919", at: start)]
    }
    #expect(receipt.suppressions == [true, false, true, false])
    #expect(try store.suppressions() == [other, one])
    other.until = nil
    let changes = try store.commit { $0.suppressions = [.add(other), .remove(phone: "+911", at: start)] }
    #expect(changes.suppressions == [true, true])
    try store.close()
    store = try open(engine, folder)
    #expect(try store.suppressions() == [other])
  }

  @Test("a reader's memory answers as the store's does, and enters nothing", arguments: Engine.all)
  func reading(_ engine: Engine) throws {
    let folder = Folder()
    let store = try open(engine, folder)
    let first = try store.accept(Remembering.append(at: start))
    let second = try store.accept(Remembering.append(at: start + .minutes(1)))
    var memory = StoredMemory(store)
    let plan = try Remembering.table.plan(second, suppression: nil, memory: &memory)
    #expect(try plan.matched == [0, 2, 3] && plan.promises == store.promises(of: second.id))
    #expect(try Remembering.table.plan(first, suppression: nil, memory: &memory).matched == [0, 1, 2, 3])
  }
}
