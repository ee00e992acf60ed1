// Why routes fired or not, with counts and `once` answered from memory; and books: what is entered where.

import Testing

@testable import DivertCore

@Suite struct MemoryExplanationTests {
  private func router() -> MemoryRouter {
    let count = Condition.count(countTerm("b", atLeast(2), within: .days(7)))
    var route = RehearsalTests.route(
      "repeated", .all([named("REJECTED"), count]), ["crm.raise"],
      [RehearsalTests.route("repeated/c", .all([]), ["crm.c"])])
    route.once = OnceDefinition(route: "repeated", period: .days(7), per: phoneKey)
    return MemoryRouter([route], books: [book("b", named("REJECTED"))])
  }

  @Test("a count is open where memory is not asked, and shown with its number where it is")
  func counts() throws {
    var router = router()
    let first = happening(at: moment, call: "a", place: 0)
    router.append(first)
    let open = router.table.explain(first)[0]
    #expect(open.fired && open.condition.isOpen)
    let asked = router.table.explain(first, memory: &router.memory)[0]
    #expect(!asked.fired && asked.condition.parts[1].actual == "1")
    #expect(asked.why == "count some within 7d, but it is 1")
    let keyless = happening(at: moment, phone: nil, place: 1)
    let none = router.table.explain(keyless, memory: &router.memory)[0]
    #expect(!none.fired && !none.condition.isOpen && none.why == "count some within 7d, but it is missing")
  }

  @Test("a route that acted already says for which event; asked before or after planning, the answer is the same")
  func once() throws {
    var router = router()
    router.append(happening(at: moment, call: "a", place: 0))
    let second = happening(at: moment + .days(1), call: "b", place: 1)
    router.memory.feed(second, router.books)
    let before = router.table.explain(second, memory: &router.memory)
    #expect(before[0].fired && before[0].children[0].fired)
    router.append(second)
    #expect(router.table.explain(second, memory: &router.memory) == before)
    let third = happening(at: moment + .days(2), call: "c", place: 2)
    let sends = router.sends(third)
    #expect(sends == [])
    let answer = router.table.explain(third, memory: &router.memory)[0]
    #expect(!answer.fired && !answer.children[0].fired && answer.condition.holds)
    #expect(try #require(answer.why).contains("\(second.id)"))
    #expect(router.table.explain(third)[0].withheld == nil)
  }

  @Test("the list's entry is shown")
  func suppressed() {
    let table = MemoryRouter([RehearsalTests.route("r", .suppressed(false), ["crm.log"])]).table
    let entry = Suppression(phone: "+911", reason: "grievance", coversAnswers: false, since: moment, until: nil)
    let event = happening(at: moment, place: 0)
    #expect(table.explain(event)[0].fired)
    let held = table.explain(event, suppression: entry)[0]
    #expect(!held.fired && held.condition.actual == "suppressed: grievance")
  }

  // MARK: Books

  @Test("an event is entered in every book whose condition and key it fits, once a name")
  func entered() throws {
    let books = ActiveBooks([
      book("rejected", named("REJECTED"), .days(1)), book("all", .all([])), book("ended", named("ENDED")),
      book("rejected", named("REJECTED"), .days(9)),
    ])
    #expect(books.books.map(\.name) == ["rejected", "all", "ended"] && books.books[0].span == .days(9))
    let event = happening(at: moment, received: moment + .hours(1), call: "c", place: 3)
    let lines = books.entries(for: event)
    #expect(lines.map(\.place) == [BookPlace(book: "rejected", key: "+911"), BookPlace(book: "all", key: "+911")])
    #expect(lines[0].entry == BookEntry(at: moment, event: event.id, mark: "c"))
    #expect(books.entries(for: happening("OTHER", at: moment, place: 0)).map(\.place.book) == ["all"])
    #expect(books.entries(for: happening(at: moment, phone: nil, place: 0)).isEmpty)
    #expect(ActiveBooks([]).entries(for: event).isEmpty)
  }

  @Test("a book reads the clock of its own zone and its own key; Divert's alarms are entered nowhere")
  func zones() throws {
    // 16:00 in Kolkata, 10:30 in London.
    let morning = RehearsalTests.clock(8, 12)
    let key = try template("{{ customer.phone | digits }}/{{ agent | default: none }}")
    func books(_ zoneName: String) throws -> ActiveBooks {
      ActiveBooks([
        BookDefinition(name: "b", condition: morning, key: key, span: .days(1), zone: try zone(zoneName))
      ])
    }
    let event = happening(at: moment, place: 0)
    #expect(try books("Asia/Kolkata").entries(for: event).isEmpty)
    #expect(try books("Europe/London").entries(for: event).map(\.place.key) == ["911/none"])
    let alarm = Event(
      id: event.id, source: RouteTable.alarmSource, receivedAt: moment,
      fields: Event.Fields(name: "DIVERT_ALARM", at: moment), body: [], raw: .object(JSONObject()))
    #expect(
      ActiveBooks([BookDefinition(name: "x", condition: .all([]), key: Template(literal: "k"), span: .days(1))])
        .entries(for: alarm).isEmpty)
  }

  @Test("a rehearsal's memory keeps entries by time, then event, and each once")
  func lists() {
    var memory = RehearsalMemory()
    let place = BookPlace(book: "b", key: "k")
    func entry(_ at: Int64, _ sequence: Int64) -> BookEntry {
      BookEntry(at: Timestamp(milliseconds: at), event: EventID(sequence: sequence, tag: 0), mark: "\(at) \(sequence)")
    }
    for (at, sequence) in [(5, 2), (3, 9), (5, 1), (5, 2), (8, 0)] as [(Int64, Int64)] {
      memory.enter(entry(at, sequence), in: place, span: .days(1))
    }
    let found = memory.entries(of: place, from: Timestamp(milliseconds: 3), to: Timestamp(milliseconds: 5))
    #expect(found == [entry(3, 9), entry(5, 1), entry(5, 2)])
    #expect(memory.entries(of: BookPlace(book: "b", key: "other"), from: moment, to: moment).isEmpty)
  }
}
