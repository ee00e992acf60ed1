// Planning with memory: `once`, `suppressed`, `after`, `otherwise`, and what a plan outside the transaction says.

import Testing

@testable import DivertCore

@Suite struct MemoryPlanningTests {
  private static func once(_ route: Route, _ period: Span, per: Template = phoneKey) -> Route {
    var route = route
    route.once = OnceDefinition(route: route.path, period: period, per: per)
    return route
  }

  private static func lookup() -> Condition { .value(.lookup("account", ["stage"]), .isOneOf(["late"])) }

  @Test("a route with its children acts once a period and key, on the events' own time")
  func onceActs() {
    let child = RehearsalTests.route("r/child", .all([]), ["crm.flag"])
    var router = MemoryRouter([
      Self.once(RehearsalTests.route("r", named("REJECTED"), ["crm.raise"], [child]), .days(7))
    ])
    let week = Span.days(7)
    func acts(_ at: Span, _ phone: String?, _ place: Int, _ router: inout MemoryRouter) -> [String] {
      router.sends(happening(at: moment + at, received: moment + .days(40), phone: phone, place: place))
    }
    #expect(acts(.zero, "+1", 0, &router) == ["r raise", "r/child flag"])
    #expect(acts(week + .milliseconds(-1), "+1", 1, &router) == [])
    #expect(acts(week, "+1", 2, &router) == ["r raise", "r/child flag"])
    #expect(acts(.zero, "+2", 3, &router) == ["r raise", "r/child flag"])
    // A late one before the first is as near as one after it.
    #expect(acts(.days(-6), "+1", 4, &router) == [])
    #expect(acts(.days(-7), "+1", 5, &router) == ["r raise", "r/child flag"])
    #expect(acts(.zero, nil, 6, &router).count == 2)
    #expect(acts(.zero, nil, 7, &router).count == 2)
  }

  @Test("a route that did not act is not among the matched, and its promise is not opened")
  func onceHolds() {
    var route = Self.once(RehearsalTests.route("r", named("REJECTED"), []), .days(7))
    route.expect = ExpectDefinition(book: "b", same: phoneKey, within: .hours(1), words: "b")
    var router = MemoryRouter([route])
    let first = router.append(happening(at: moment, place: 0))
    #expect(first.matched == [0] && first.promises.count == 1)
    let second = router.append(happening(at: moment, place: 1))
    #expect(second.matched.isEmpty && second.promises.isEmpty && second.asksMemory)
  }

  @Test("a claim is not made where the condition did not hold")
  func unclaimed() {
    let count = Condition.count(countTerm("b", atLeast(2), within: .days(7)))
    let route = Self.once(RehearsalTests.route("r", .all([named("REJECTED"), count]), ["crm.raise"]), .days(7))
    var router = MemoryRouter([route], books: [book("b", named("REJECTED"))])
    let sends = [Span.zero, .days(6), .days(6) + .hours(1)].enumerated().map { place, at in
      router.sends(happening(at: moment + at, received: moment + .days(9), call: "c\(place)", place: place))
    }
    #expect(sends == [[], ["r raise"], []])
  }

  @Test("planning an event again gives the same plan")
  func again() {
    var route = Self.once(RehearsalTests.route("r", named("REJECTED"), ["crm.raise"]), .days(7))
    route.expect = ExpectDefinition(book: "b", same: phoneKey, within: .hours(1), words: "b")
    var router = MemoryRouter([route])
    let event = happening(at: moment, place: 0)
    let plans = [router.append(event), router.append(event)]
    #expect(plans[0] == plans[1] && plans[0].promises.count == 1)
    #expect(router.memory.promises.count == 1)
  }

  @Test("`once` below a condition on a lookup is not claimed at planning")
  func awaits() throws {
    let child = Self.once(RehearsalTests.route("r/c", .all([]), ["crm.flag"]), .days(7))
    let table = MemoryRouter([RehearsalTests.route("r", Self.lookup(), ["crm.raise"], [child])]).table
    let plan = table.plan(happening(at: moment, place: 0))
    #expect(!plan.asksMemory && plan.deliveries.count == 2 && plan.matched == [0, 1])
    var memory = NoMemory()
    #expect(try table.plan(happening(at: moment, place: 0), suppression: nil, memory: &memory).deliveries.count == 2)
  }

  @Test("a count decides at planning also where a lookup decides later")
  func countAndLookup() {
    let count = Condition.count(countTerm("b", atLeast(2), within: .days(7)))
    let when = Condition.all([named("REJECTED"), count, Self.lookup()])
    #expect(when.guardPart == Self.lookup())
    var router = MemoryRouter(
      [RehearsalTests.route("r", when, ["crm.raise"])], books: [book("b", named("REJECTED"))])
    #expect(router.table.plan(happening(at: moment, place: 0)).asksMemory)
    let first = router.sends(happening(at: moment, call: "a", place: 0))
    let second = router.sends(happening(at: moment, call: "b", place: 1))
    let keyless = router.sends(happening(at: moment, phone: nil, call: "c", place: 2))
    #expect(first == [] && second == ["r raise"] && keyless == [])
  }

  @Test("what is left of a condition for the time when a delivery is due")
  func guardParts() {
    let (event, asked) = (named("REJECTED"), Self.lookup())
    let count = Condition.count(countTerm("b", atLeast(2), within: .days(7)))
    #expect(Condition.all([event, count, .suppressed(false)]).guardPart == nil)
    #expect(Condition.all([event, .all([count, asked]), .not(asked)]).guardPart == .all([asked, .not(asked)]))
    #expect(Condition.any([event, asked]).guardPart == .any([event, asked]))
    #expect(Condition.any([count, asked]).asksWhenPlanned && Condition.not(.suppressed(true)).asksWhenPlanned)
    #expect(!Condition.any([event, asked]).asksWhenPlanned)
  }

  @Test("routes ask who is on the suppression list when the event is planned")
  func suppressed() {
    let open = RehearsalTests.route("open", .suppressed(false), ["crm.log"])
    let held = RehearsalTests.route("held", .all([named("REJECTED"), .suppressed(true)]), ["crm.log"])
    let table = MemoryRouter([open, held]).table
    let event = happening(at: moment, place: 0)
    let entry = Suppression(phone: "+911", reason: "grievance", coversAnswers: false, since: moment, until: nil)
    #expect(table.plan(event).deliveries.map(\.route) == ["open"])
    #expect(table.plan(event, suppression: entry).deliveries.map(\.route) == ["held"])
    #expect(!table.plan(event, suppression: entry).asksMemory)
  }

  @Test("a plan outside the transaction says nothing but that it asks")
  func outside() {
    let plain = RehearsalTests.route("plain", .all([]), ["crm.log"])
    let asking = Self.once(RehearsalTests.route("once", named("REJECTED"), ["crm.log"]), .days(1))
    var off = asking
    off.enabled = false
    let event = happening(at: moment, place: 0)
    #expect(MemoryRouter([plain, asking]).table.plan(event) == Plan(asksMemory: true))
    #expect(MemoryRouter([plain, off]).table.plan(event).deliveries.count == 1)
    let parent = RehearsalTests.route("p", named("REJECTED"), ["crm.log"], [asking])
    #expect(MemoryRouter([parent]).table.plan(event) == Plan(asksMemory: true))
    var router = MemoryRouter([plain])
    let inside = router.append(event)
    #expect(inside.deliveries == router.table.plan(event).deliveries)
  }

  // MARK: When it is due

  private static func timed(_ change: (inout SendTiming) -> Void) -> Route {
    var route = RehearsalTests.route("r", .all([]), ["crm.log"])
    change(&route.sends[0].timing)
    return route
  }

  @Test("`after` counts from the event, and is never before it was received")
  func after() {
    let table = MemoryRouter([Self.timed { $0.after = .minutes(10) }]).table
    func due(at: Span, received: Span) -> Span? {
      let event = happening(at: moment + at, received: moment + received, place: 0)
      return table.plan(event).deliveries.first.map { $0.due - moment }
    }
    #expect(due(at: .zero, received: .seconds(5)) == .minutes(10))
    #expect(due(at: .zero, received: .hours(1)) == .hours(1))
    // A source's clock that runs ahead moves nothing.
    #expect(due(at: .hours(1), received: .zero) == .minutes(10))
    let plain = MemoryRouter([Self.timed { _ in }]).table
    #expect(plain.plan(happening(at: moment + .hours(1), received: moment, place: 0)).deliveries[0].due == moment)
  }

  @Test("what is due outside its hours is due when they begin; what expires says when")
  func hours() throws {
    let hours = AllowedHours(
      ranges: [.init(from: 480, to: 1140)], weekdays: [], daysOff: [], zone: try zone("Asia/Kolkata"), words: "day")
    let route = Self.timed {
      $0.after = .hours(4)
      $0.hours = hours
      $0.expires = .minutes(15)
    }
    // 16:00:25 in Kolkata, and four hours.
    let delivery = MemoryRouter([route]).table.plan(happening(at: moment, place: 0)).deliveries[0]
    #expect(delivery.due.iso8601 == "2026-01-16T02:30:00.000Z")
    #expect(delivery.expires == moment + .minutes(15) && delivery.prepares)
  }

  @Test("what follows an expired delivery is planned from then on")
  func followUps() {
    let route = Self.timed { timing in
      var other = Send(route: "r", label: "0.otherwise.0", target: "chat", action: "text")
      other.timing.after = .minutes(5)
      timing.expires = .minutes(15)
      timing.otherwise = [other, Send(route: "r", label: "0.otherwise.1", target: "crm", action: "log")]
    }
    let table = MemoryRouter([route]).table
    let event = happening(at: moment, place: 0)
    let plan = table.plan(event).deliveries
    let now = moment + .hours(2)
    let follow = table.followUps(of: plan[0], event, now: now)
    #expect(plan.count == 1 && follow.map(\.send) == ["0.otherwise.0", "0.otherwise.1"])
    #expect(follow.map(\.due) == [now + .minutes(5), now])
    #expect(table.followUps(of: follow[0], event, now: now).isEmpty)
    var stranger = Send(route: "gone", label: "0", target: "crm", action: "log")
    stranger.orderBy = nil
    #expect(table.followUps(of: PlannedDelivery(stranger.planned, orderKey: nil, due: now), event, now: now).isEmpty)
  }

  @Test("which events act once is what a model says that looks at all that acted", arguments: 0..<30 as Range<UInt64>)
  func walk(seed: UInt64) {
    var random = Seeded(seed)
    let (outer, inner) = (Int64.random(in: 1...9, using: &random), Int64.random(in: 1...9, using: &random))
    let child = Self.once(RehearsalTests.route("p/c", named("REJECTED"), ["crm.c"]), .hours(inner))
    var router = MemoryRouter([Self.once(RehearsalTests.route("p", .all([]), ["crm.p"], [child]), .hours(outer))])
    var acted: [String: [(phone: String, hour: Int64)]] = [:]
    for place in 0..<80 {
      let (hour, phone) = (Int64.random(in: 0...50, using: &random), Bool.random(using: &random) ? "+1" : "+2")
      let name = Bool.random(using: &random) ? "REJECTED" : "ENDED"
      let free = { (route: String, period: Int64) in
        !(acted[route] ?? []).contains { $0.phone == phone && abs($0.hour - hour) < period }
      }
      var wanted: [String] = []
      if free("p", outer) {
        wanted.append("p p")
        acted["p", default: []].append((phone, hour))
        if name == "REJECTED", free("c", inner) {
          wanted.append("p/c c")
          acted["c", default: []].append((phone, hour))
        }
      }
      let event = happening(name, at: moment + .hours(hour), received: moment + .days(9), phone: phone, place: place)
      let sends = router.sends(event)
      #expect(sends == wanted, "seed \(seed), event \(place)")
    }
  }
}
