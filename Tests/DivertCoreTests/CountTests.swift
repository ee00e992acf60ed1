// `count`: sliding windows over the events' own time, by value and against a model that tries every window.

import Testing

@testable import DivertCore

@Suite struct CountTests {
  private static let rejected = book("rejected", named("REJECTED"))

  private static func route(_ comparison: Comparison, _ condition: Condition = named("REJECTED")) -> Route {
    let count = Condition.count(countTerm("rejected", comparison, within: .days(7)))
    return RehearsalTests.route("repeated", .all([condition, count]), ["crm.raise"])
  }

  private static func router(_ comparison: Comparison) -> MemoryRouter {
    MemoryRouter([route(comparison)], books: [rejected])
  }

  /// Which of the events, stored in this order, fire; each is days after the first, a phone, a call.
  private func fired(
    _ comparison: Comparison, _ events: [(at: Span, phone: String?, call: String?)]
  ) -> [Bool] {
    var router = Self.router(comparison)
    return events.enumerated().map { place, given in
      let event = happening(
        at: moment + given.at, received: moment + .days(30), phone: given.phone, call: given.call, place: place)
      return !router.append(event).deliveries.isEmpty
    }
  }

  @Test("the second call within the window fires, whole windows apart it does not")
  func simple() {
    let justInside = Span.days(7) + .milliseconds(-1)
    #expect(fired(atLeast(2), [(.zero, "+1", "a"), (justInside, "+1", "b")]) == [false, true])
    #expect(fired(atLeast(2), [(.zero, "+1", "a"), (.days(7), "+1", "b")]) == [false, false])
    #expect(fired(atLeast(2), [(.zero, "+1", "a"), (.zero, "+1", "b")]) == [false, true])
    #expect(fired(atLeast(2), [(.zero, "+1", "a"), (.days(1), "+2", "b")]) == [false, false])
  }

  @Test("a late event that completes a window fires, though the newest ones lie after it")
  func late() {
    let events: [(Span, String?, String?)] = [(.zero, "+1", "a"), (.days(8), "+1", "b"), (.days(4), "+1", "c")]
    #expect(fired(atLeast(2), events) == [false, false, true])
    // Three are within 8 days and more, but no window of seven holds them all.
    #expect(fired(atLeast(3), events) == [false, false, false])
    #expect(fired(atLeast(3), events + [(.days(3), "+1", "d")]).last == true)
  }

  @Test("a call counts once however many events came of it; events without a call count each")
  func calls() {
    #expect(fired(atLeast(2), [(.zero, "+1", "a"), (.days(1), "+1", "a")]) == [false, false])
    #expect(fired(atLeast(2), [(.zero, "+1", "a"), (.days(1), "+1", "a"), (.zero, "+1", "b")]).last == true)
    #expect(fired(atLeast(2), [(.zero, "+1", nil), (.zero, "+1", nil)]) == [false, true])
  }

  @Test("a call's events that lie more than a window apart are found from either")
  func longCall() {
    let events: [(Span, String?, String?)] = [(.zero, "+1", "a"), (.days(9), "+1", "a"), (.days(10), "+1", "b")]
    #expect(fired(atLeast(2), events) == [false, false, true])
    #expect(fired(atLeast(2), events + [(.days(1), "+1", "c")]).last == true)
  }

  @Test("where the event has no value for `per`, no comparison of the count holds")
  func keyless() {
    for comparison in [atLeast(1), .atMost(.number("5")), .below(.number("5")), .isOneOf([0])] as [Comparison] {
      #expect(fired(comparison, [(.zero, nil, "a")]) == [false])
      #expect(fired(comparison, [(.zero, "", "a")]) == [false])
    }
    let term = Condition.count(countTerm("rejected", atLeast(2), within: .days(7)))
    let route = RehearsalTests.route("first", .all([named("REJECTED"), .not(term)]), ["crm.log"])
    var router = MemoryRouter([route], books: [Self.rejected])
    let plan = router.append(happening(at: moment, phone: nil, place: 0))
    #expect(plan.deliveries.count == 1)
  }

  @Test("every comparison is held against the best window")
  func comparisons() {
    let three: [(Span, String?, String?)] = [(.zero, "+1", "a"), (.days(1), "+1", "b"), (.days(2), "+1", "c")]
    #expect(fired(.atMost(.number("2")), three) == [true, true, false])
    #expect(fired(.isOneOf([2]), three) == [false, true, false])
    #expect(fired(.above(.number("2")), three) == [false, false, true])
    #expect(fired(.between(.number("2"), .number("3")), three) == [false, true, true])
  }

  @Test("what the event part alone decides asks nothing of memory")
  func unasked() throws {
    let table = Self.router(atLeast(2)).table
    let ended = happening("ENDED", at: moment, place: 0)
    #expect(!table.plan(ended).asksMemory)
    var memory = NoMemory()
    #expect(try table.plan(ended, suppression: nil, memory: &memory).deliveries.isEmpty)
    #expect(table.plan(happening(at: moment, place: 0)).asksMemory)
    // One of `any` holds without the count.
    let count = Condition.count(countTerm("rejected", atLeast(9), within: .days(7)))
    let either = MemoryRouter([RehearsalTests.route("r", .any([count, named("REJECTED")]), ["crm.log"])]).table
    #expect(either.plan(happening(at: moment, place: 0)).deliveries.count == 1)
  }

  @Test("a key with very many entries is read no further than its comparison needs")
  func busy() {
    struct Watched: EventMemory {
      var lists = RehearsalMemory()
      var read = 0
      mutating func entries(of place: BookPlace, from: Timestamp, to: Timestamp) -> [BookEntry] {
        let found = lists.entries(of: place, from: from, to: to)
        read += found.count
        return found
      }
      mutating func entries(of place: BookPlace, from: Timestamp, to: Timestamp, limit: Int) -> [BookEntry] {
        let found = lists.entries(of: place, from: from, to: to, limit: limit)
        read += found.count
        return found
      }
      mutating func enter(_ entry: BookEntry, in place: BookPlace, span: Span) {
        lists.enter(entry, in: place, span: span)
      }
      func promise(of event: EventID, route: String) -> Promise? { nil }
    }
    var memory = Watched()
    let place = BookPlace(book: "rejected", key: "+911")
    for number in 0..<1000 {
      let at = moment + .minutes(Int64(number))
      let event = EventID(sequence: Int64(number), tag: 7)
      memory.enter(BookEntry(at: at, event: event, mark: "\(number)"), in: place, span: .days(7))
    }
    let event = happening(at: moment + .minutes(999), place: 0)
    func plan(_ comparison: Comparison) -> (fires: Bool, read: Int) {
      memory.read = 0
      let plan = Self.router(comparison).table.plan(event, suppression: nil, memory: &memory)
      return (!plan.deliveries.isEmpty, memory.read)
    }
    #expect(plan(atLeast(256)) == (true, 256) && plan(.above(.number("255"))) == (true, 256))
    #expect(plan(.atMost(.number("255"))) == (false, 256) && plan(.below(.number("256"))) == (false, 256))
    #expect(plan(.isOneOf([3])) == (false, 256) && plan(.isNoneOf([3])) == (true, 256))
    #expect(plan(.between(.number("3"), .number("5"))) == (false, 256))
    // These need the rest.
    #expect(plan(atLeast(1000)) == (true, 1256) && plan(atLeast(1001)) == (false, 1256))
    #expect(plan(.isOneOf([1000])) == (true, 1256) && plan(.atMost(.number("1000"))) == (true, 1256))
  }

  @Test("the best window is that of a model that tries every one", arguments: 0..<40 as Range<UInt64>)
  func windows(seed: UInt64) {
    var random = Seeded(seed)
    for _ in 0..<50 {
      let length = Int64.random(in: 1...12, using: &random)
      let entries = (0..<Int.random(in: 0...14, using: &random)).map { place in
        let at = Timestamp(milliseconds: Int64.random(in: 0...30, using: &random))
        let call = Int.random(in: 0...6, using: &random)
        return BookEntry(at: at, event: EventID(sequence: Int64(place), tag: 0), mark: "call \(call)")
      }.sorted { ($0.at, $0.event.sequence) < ($1.at, $1.event.sequence) }
      let around = Timestamp(milliseconds: Int64.random(in: 0...30, using: &random))
      let model = (around.milliseconds - length + 1...around.milliseconds).map { start in
        Set(entries.filter { start..<start + length ~= $0.at.milliseconds }.map(\.mark)).count
      }.max()
      #expect(entries.bestWindow(of: Span(milliseconds: length), around: around) == model)
    }
  }

  @Test("which events fire is what a model says that looks at the whole history", arguments: 0..<30 as Range<UInt64>)
  func walk(seed: UInt64) {
    var random = Seeded(seed)
    let within = Span.hours(Int64.random(in: 1...20, using: &random))
    let number = Int.random(in: 2...4, using: &random)
    let count = Condition.count(countTerm("rejected", atLeast(number), within: within))
    let route = RehearsalTests.route("r", .all([named("REJECTED"), count]), ["crm.raise"])
    var router = MemoryRouter([route], books: [Self.rejected])
    var stored: [Event] = []
    for place in 0..<60 {
      let event = happening(
        Bool.random(using: &random) ? "REJECTED" : "ENDED",
        at: moment + .hours(Int64.random(in: 0...60, using: &random)),
        received: moment + .days(9), phone: ["+1", "+2", nil].randomElement(using: &random) ?? nil,
        call: ["a", "b", "c", "d", nil].randomElement(using: &random) ?? nil, place: place)
      stored.append(event)
      let fires = !router.append(event).deliveries.isEmpty
      #expect(fires == Self.model(event, stored, number, within), "seed \(seed), event \(place)")
    }
  }

  /// Tries every window that begins at an hour and holds the event.
  private static func model(_ event: Event, _ stored: [Event], _ number: Int, _ within: Span) -> Bool {
    guard event.fields.name == "REJECTED", let phone = event.fields.customerPhone else { return false }
    let at = event.fields.at
    return (0..<within.milliseconds / 3_600_000).contains { back in
      let start = at - .hours(back)
      var calls: Set<String> = []
      for other in stored where other.fields.customerPhone == phone && other.fields.name == "REJECTED" {
        let inside = other.fields.at >= start && other.fields.at < start + within
        if inside { calls.insert(other.fields.callID ?? "event \(other.id)") }
      }
      return calls.count >= number
    }
  }
}
