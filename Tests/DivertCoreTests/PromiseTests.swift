// `expect`: promises opened, kept, broken and reported late, whatever the order in which events arrive.

import Testing

@testable import DivertCore

@Suite struct PromiseTests {
  static func route(within: Span = .hours(1), after: Span = .zero) -> Route {
    var route = RehearsalTests.route("declined", named("REJECTED"), ["crm.log"])
    route.expect = ExpectDefinition(book: "calls", same: phoneKey, within: within, words: "a call back")
    var alert = Send(route: "declined", label: "else.0", target: "lead", action: "alert")
    alert.timing.promise = "declined"
    alert.timing.after = after
    route.otherwise = [alert]
    return route
  }

  static let calls = book("calls", .any([named("STARTED"), named("ACCEPTED")]))

  private func router(within: Span = .hours(1), after: Span = .zero) -> MemoryRouter {
    MemoryRouter([Self.route(within: within, after: after)], books: [Self.calls])
  }

  @Test("a route that acts opens a promise, with its `else` due when that is judged")
  func opened() throws {
    var router = router(after: .minutes(2))
    let plan = router.append(happening(at: moment, received: moment + .seconds(2), place: 0))
    let promise = try #require(plan.promises.first)
    #expect(promise.deadline == moment + .hours(1) && promise.judgedAt == promise.deadline)
    #expect(promise.place == BookPlace(book: "calls", key: "+911") && promise.keeper == nil)
    #expect(plan.deliveries.map(\.send) == ["0", "else.0"])
    #expect(plan.deliveries[1].due == promise.judgedAt + .minutes(2) && plan.deliveries[1].prepares)
    #expect(promise.standing(at: promise.judgedAt - .milliseconds(1)) == .open)
    #expect(promise.standing(at: promise.judgedAt) == .broken)
  }

  @Test("a late opener is judged a minute after it was received")
  func lateOpener() {
    var router = router()
    let received = moment + .hours(5)
    let plan = router.append(happening(at: moment, received: received, place: 0))
    #expect(plan.promises.first?.judgedAt == received + .minutes(1))
    #expect(plan.promises.first?.deadline == moment + .hours(1))
  }

  @Test("a promise is kept by an event after the opener, up to the deadline")
  func kept() {
    for (at, keeps) in [
      (Span.zero, false), (.milliseconds(1), true), (.hours(1), true), (.hours(1) + .milliseconds(1), false),
    ] {
      for isBefore in [true, false] {
        var router = router()
        let opener = happening(at: moment, received: moment + .hours(2), place: 0)
        let event = happening("STARTED", at: moment + at, received: moment + .hours(2), place: 1)
        for event in isBefore ? [event, opener] : [opener, event] { router.append(event) }
        #expect((router.memory.promises.first?.keeper == event.id) == keeps)
      }
    }
  }

  @Test("an event of another key or kind keeps nothing; one keeps every promise of its key")
  func keepers() {
    var router = router()
    router.append(happening(at: moment, place: 0))
    router.append(happening(at: moment + .minutes(1), place: 1))
    router.append(happening("STARTED", at: moment + .minutes(2), phone: "+2", place: 2))
    router.append(happening("ENDED", at: moment + .minutes(2), place: 3))
    #expect(router.memory.promises.allSatisfy { $0.keeper == nil })
    router.append(happening("ACCEPTED", at: moment + .minutes(3), place: 4))
    #expect(router.memory.promises.map(\.keptAfter) == [.minutes(3), .minutes(2)])
    router.append(happening("ACCEPTED", at: moment + .minutes(4), place: 5))
    #expect(router.memory.promises.map(\.keptAfter) == [.minutes(3), .minutes(2)])
  }

  @Test("an opener without a value for `same` opens none and sends no `else`")
  func keyless() {
    var router = router()
    let plan = router.append(happening(at: moment, phone: nil, place: 0))
    #expect(plan.promises.isEmpty && plan.deliveries.map(\.send) == ["0"])
  }

  @Test("kept in time but told too late: shown as kept, reported late, until an earlier report is known")
  func reportedLate() throws {
    var router = router()
    router.append(happening(at: moment, place: 0))
    router.append(happening("STARTED", at: moment + .minutes(5), received: moment + .hours(3), place: 1))
    let late = try #require(router.memory.promises.first)
    #expect(late.standing(at: moment + .hours(4)) == .keptReportedLate && late.keptAfter == .minutes(5))
    var again = late
    // An event that happened later was reported in time: nobody was wrong to call it kept.
    let entry = BookEntry(at: moment + .minutes(6), event: EventID(sequence: 1, tag: 7), mark: "x")
    let changed = again.keep(by: entry, receivedAt: moment + .minutes(7))
    #expect(changed)
    #expect(again.standing(at: moment + .hours(4)) == .kept && again.keeper == late.keeper)
    let changedAgain = again.keep(by: entry, receivedAt: moment + .minutes(7))
    #expect(!changedAgain)
  }

  @Test(
    "promises come out as a model of the whole history says, in any order of arrival",
    arguments: 0..<60 as Range<UInt64>)
  func walk(seed: UInt64) {
    var random = Seeded(seed)
    let within = Span.minutes(Int64.random(in: 5...90, using: &random))
    var router = MemoryRouter([Self.route(within: within)], books: [Self.calls])
    var stored: [Event] = []
    var clock = moment
    for place in 0..<60 {
      // The clock jumps now and then, also back; what arrives happened up to three hours ago.
      clock = clock + .minutes(Int64.random(in: -4...9, using: &random))
      let at = clock - .minutes(Int64.random(in: 0...180, using: &random))
      let name = ["REJECTED", "STARTED", "ACCEPTED", "ENDED"].randomElement(using: &random) ?? ""
      let event = happening(
        name, at: at, received: clock, phone: Bool.random(using: &random) ? "+1" : "+2", place: place)
      stored.append(event)
      router.append(event)
    }
    let openers = stored.filter { $0.fields.name == "REJECTED" }
    #expect(router.memory.promises.count == openers.count)
    for promise in router.memory.promises {
      guard let opener = openers.first(where: { $0.id == promise.event }) else { continue }
      let keepers = stored.filter { event in
        ["STARTED", "ACCEPTED"].contains(event.fields.name) && event.fields.customerPhone == opener.fields.customerPhone
          && event.fields.at > opener.fields.at && event.fields.at - opener.fields.at <= within
      }
      let first = keepers.min { ($0.fields.at, $0.id.sequence) < ($1.fields.at, $1.id.sequence) }
      #expect(promise.keeper == first?.id && promise.keptAt == first?.fields.at, "seed \(seed)")
      // What was stored before its opener was known in time, whatever the clock showed.
      let before = stored.prefix { $0.id != opener.id }.map(\.id)
      let judged = max(opener.fields.at + within, opener.receivedAt + .minutes(1))
      let inTime = keepers.contains { before.contains($0.id) || $0.receivedAt <= judged }
      let wanted: Promise.Standing =
        keepers.isEmpty ? .broken : inTime ? .kept : .keptReportedLate
      #expect(promise.standing(at: .distantFuture) == wanted, "seed \(seed)")
    }
  }
}
