// What deliveries ask when they are due: `unless`, promises, `once` behind a lookup, `throttle`; and what they claim by that.

import Testing

@testable import DivertCore

@Suite struct DueQuestionTests {
  private static func send(_ change: (inout SendTiming) -> Void) -> Send {
    var send = Send(route: "r", label: "0", target: "chat", action: "text")
    change(&send.timing)
    return send
  }

  private static let unless = send {
    $0.unless = UnlessDefinition(book: "calls", same: phoneKey, words: "event is STARTED")
  }
  private static let claims = send {
    $0.claims = [OnceDefinition(route: "r", period: .days(7), per: phoneKey)]
  }
  private static func throttle(_ atMost: Int) -> Send {
    send { $0.throttle = ThrottleDefinition(atMost: atMost, within: .hours(1), per: phoneKey) }
  }

  /// What memory says to the delivery of an event at a moment; `go`, or the reason's code.
  private func ask(
    _ send: Send, _ event: Event, ordinal: Int = 0, now: Timestamp, _ router: inout MemoryRouter
  ) -> String {
    let delivery = DeliveryID(event: event.id, ordinal: ordinal)
    guard let question = send.question(delivery, event: event, now: now, under: router.table) else { return "none" }
    switch question.judge(&router.memory) {
    case .go: return "go"
    case .skip(let reason): return reason.code
    }
  }

  private func router() -> MemoryRouter {
    MemoryRouter([PromiseTests.route()], books: [PromiseTests.calls])
  }

  @Test("a send without such terms, or an event without their key, asks nothing")
  func nothing() {
    var router = router()
    let event = happening(at: moment, place: 0)
    #expect(ask(Self.send { $0.after = .hours(1) }, event, now: moment, &router) == "none")
    let keyless = happening(at: moment, phone: nil, place: 1)
    for send in [Self.unless, Self.claims, Self.throttle(1)] {
      #expect(ask(send, keyless, now: moment, &router) == "none")
    }
  }

  @Test("`unless`: skipped where such an event came after the opener, and not where it came with it or before")
  func unlessCame() {
    var router = router()
    let opener = happening("STARTED", at: moment, place: 0)
    let now = moment + .minutes(10)
    router.append(opener)
    #expect(ask(Self.unless, opener, now: now, &router) == "go")
    router.append(happening("STARTED", at: moment - .minutes(1), place: 1))
    router.append(happening("STARTED", at: moment, place: 2))
    router.append(happening("STARTED", at: moment + .minutes(1), phone: "+2", place: 3))
    router.append(happening("ENDED", at: moment + .minutes(1), place: 4))
    #expect(ask(Self.unless, opener, now: now, &router) == "go")
    router.append(happening("STARTED", at: moment + .milliseconds(1), place: 5))
    #expect(ask(Self.unless, opener, now: now, &router) == "unless")
  }

  @Test("`unless`: an event of a source whose clock runs ahead counts as soon as it is stored")
  func unlessAhead() {
    var router = router()
    let opener = happening(at: moment, place: 0)
    router.append(happening("STARTED", at: moment + .minutes(20), received: moment + .minutes(10), place: 1))
    #expect(ask(Self.unless, opener, now: moment + .minutes(10), &router) == "unless")
  }

  @Test("the `else` of a promise goes out unless it was kept, also where that was told late")
  func promise() {
    var router = router()
    let send = PromiseTests.route().otherwise[0]
    let opener = happening(at: moment, place: 0)
    router.append(opener)
    #expect(ask(send, opener, now: moment + .hours(1), &router) == "go")
    router.append(happening("ACCEPTED", at: moment + .minutes(3), received: moment + .hours(2), place: 1))
    #expect(ask(send, opener, now: moment + .hours(3), &router) == "promise_kept")
    // One whose promise is not on record is not held back.
    #expect(ask(send, happening(at: moment, place: 2), now: moment + .hours(3), &router) == "go")
  }

  @Test("`once` behind a lookup: all deliveries of the first event that asks act, others within the period do not")
  func once() {
    var router = router()
    let (first, near) = (happening(at: moment, place: 0), happening(at: moment - .days(6), place: 1))
    let far = happening(at: moment + .days(7), place: 2)
    #expect(ask(Self.claims, first, now: moment, &router) == "go")
    #expect(ask(Self.claims, first, ordinal: 1, now: moment, &router) == "go")
    #expect(ask(Self.claims, near, now: moment, &router) == "once")
    #expect(ask(Self.claims, far, now: moment, &router) == "go")
    #expect(ask(Self.claims, first, now: moment + .days(30), &router) == "go")
  }

  @Test("`throttle`: as many as it says within the time; who holds a claim may go again")
  func throttled() {
    var router = router()
    let events = (0..<5).map { happening(at: moment, place: $0) }
    let send = Self.throttle(2)
    #expect(ask(send, events[0], now: moment, &router) == "go")
    #expect(ask(send, events[1], now: moment + .minutes(1), &router) == "go")
    #expect(ask(send, events[2], now: moment + .minutes(2), &router) == "capped")
    #expect(ask(send, happening(at: moment, phone: "+2", place: 9), now: moment, &router) == "go")
    #expect(ask(send, events[1], now: moment + .minutes(3), &router) == "go")
    #expect(ask(send, events[3], now: moment + .hours(1) - .milliseconds(1), &router) == "capped")
    #expect(ask(send, events[3], now: moment + .hours(1), &router) == "go")
    // The retry of the second moved its claim: it counts from its last passage.
    #expect(ask(send, events[4], now: moment + .minutes(62), &router) == "capped")
    #expect(ask(send, events[4], now: moment + .minutes(63), &router) == "go")
  }

  @Test("a clock that was set back does not forget what went out")
  func setBack() {
    var router = router()
    #expect(ask(Self.throttle(1), happening(at: moment, place: 0), now: moment, &router) == "go")
    let now = moment - .minutes(30)
    #expect(ask(Self.throttle(1), happening(at: moment, place: 1), now: now, &router) == "capped")
  }

  @Test("what is skipped claims nothing, and the first hindrance is the reason")
  func order() {
    var router = router()
    let both = Self.send {
      $0.unless = UnlessDefinition(book: "calls", same: phoneKey, words: "event is STARTED")
      $0.claims = [OnceDefinition(route: "r", period: .days(7), per: phoneKey)]
      $0.throttle = ThrottleDefinition(atMost: 1, within: .hours(1), per: phoneKey)
    }
    let event = happening(at: moment, place: 0)
    router.append(happening("STARTED", at: moment + .minutes(1), place: 1))
    #expect(ask(both, event, now: moment + .minutes(2), &router) == "unless")
    let later = happening(at: moment + .minutes(2), place: 2)
    #expect(ask(Self.throttle(1), later, now: moment + .minutes(3), &router) == "go")
    #expect(ask(both, happening(at: moment + .minutes(3), place: 3), now: moment + .minutes(4), &router) == "capped")
    #expect(ask(Self.claims, happening(at: moment + .minutes(4), place: 4), now: moment + .minutes(5), &router) == "go")
    #expect(ask(both, happening(at: moment + .minutes(3), place: 5), now: moment + .minutes(6), &router) == "once")
  }

  @Test(
    "no stretch of time ever holds more than a throttle allows, retries and all", arguments: 0..<40 as Range<UInt64>)
  func walk(seed: UInt64) {
    var random = Seeded(seed)
    var router = router()
    let atMost = Int.random(in: 1...3, using: &random)
    let send = Self.throttle(atMost)
    let events = (0..<12).map { happening(at: moment, place: $0) }
    var passages: [(who: Int, at: Timestamp)] = []
    var now = moment
    for _ in 0..<150 {
      now = now + .minutes(Int64.random(in: 0...12, using: &random))
      let who = Int.random(in: events.indices, using: &random)
      let before = Set(passages.filter { now - $0.at < .hours(1) }.map(\.who))
      let wanted = before.contains(who) || before.count < atMost ? "go" : "capped"
      #expect(ask(send, events[who], now: now, &router) == wanted, "seed \(seed)")
      if wanted == "go" { passages.append((who, now)) }
    }
    for passage in passages {
      let hour = passages.filter { $0.at >= passage.at && $0.at - passage.at < .hours(1) }
      #expect(Set(hour.map(\.who)).count <= atMost)
    }
  }
}
