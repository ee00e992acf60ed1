// The parts of a gate, by value: the adaptive share, the calendar budget, several windows together.

import Testing

@testable import DivertCore

@Suite struct AllowanceTests {
  private let start = Timestamp(milliseconds: 1_800_000_000_000)

  @Test("a wave of throttles halves the share once, the next wave again, and never below a sixty-fourth")
  func halving() {
    var share = AdaptiveShare()
    let first = share.throttled(startedAt: start, now: start + .seconds(1))
    let sameWave = share.throttled(startedAt: start + .milliseconds(500), now: start + .seconds(2))
    #expect(first && !sameWave && share.percent == 50 && share.concurrency(of: 8) == 4)
    for wave in 2..<20 {
      share.throttled(startedAt: start + .seconds(Int64(wave) * 10), now: start + .seconds(Int64(wave) * 10 + 1))
    }
    #expect(share.percent == 1 && share.concurrency(of: 8) == 1 && share.concurrency(of: 128) == 2)
  }

  @Test("what is accepted gives the share back step by step, up to all of it")
  func growing() {
    var share = AdaptiveShare()
    share.throttled(startedAt: start, now: start)
    var accepted = 0
    var last = share.percent
    while !share.isWhole, accepted < 1000 {
      share.accepted(startedAt: start + .seconds(1), limit: 8)
      accepted += 1
      #expect(share.percent >= last)
      last = share.percent
    }
    // Additive: about one more of 8 each time as many as are allowed went: 4 + 5 + 6 + 7.
    #expect((18...32).contains(accepted))
    share.accepted(startedAt: start + .seconds(1), limit: 8)
    #expect(share == AdaptiveShare())
  }

  @Test("an hour without another throttle gives all of it back, however little was accepted meanwhile")
  func forgetting() {
    var share = AdaptiveShare()
    for wave in 0..<6 { share.throttled(startedAt: start + .seconds(Int64(wave)), now: start + .seconds(Int64(wave))) }
    share.recover(start + .minutes(60))
    #expect(share.percent == 1)
    share.recover(start + .minutes(60) + .seconds(5))
    #expect(share == AdaptiveShare())
  }

  @Test("an answer to what went before the throttle gives nothing back")
  func old() {
    var share = AdaptiveShare()
    share.throttled(startedAt: start, now: start + .seconds(1))
    share.accepted(startedAt: start, limit: 1)
    #expect(share.percent == 50)
  }

  @Test("at half its share a limit lets half as much through", arguments: [1, 10, 100])
  func rate(count: Int) {
    var allowance = Allowance(limits: [RateLimit(count: count, per: .seconds(10))], budget: nil, now: start)
    let attempt = Attempt(
      startedAt: start, duration: .zero, status: 429, outcome: .throttle, reason: Reason("x", "x"), answer: "")
    var random = SplitMix64(state: 1)
    allowance.throttled(attempt, wait: .seconds(1), now: start, using: &random)
    var now = start
    var went = 0
    while now < start + .seconds(1000) {
      if let wait = allowance.wait(now) {
        now = max(wait, now + .milliseconds(1))
      } else {
        allowance.depart()
        went += 1
      }
    }
    #expect((count * 50 - 1...count * 51 + 1).contains(went))
  }

  @Test("a budget of a day begins anew at midnight in its zone, and tells when")
  func budget() {
    // 2027-01-15T08:00:00Z is 13:30 in Kolkata.
    var meter = BudgetMeter(Budget(most: 2, period: .day, zone: "Asia/Kolkata"))
    for _ in 0..<2 {
      let has = meter.has(start)
      #expect(has)
      meter.take()
    }
    let used = meter.has(start)
    #expect(!used && meter.endsAt == start + .minutes(10 * 60 + 30))
    let anew = meter.has(start + .minutes(10 * 60 + 30))
    #expect(anew && meter.spent == 0)
  }

  @Test("a budget of an hour follows the zone's hours, which may begin at half past")
  func hours() {
    var meter = BudgetMeter(Budget(most: 1, period: .hour, zone: "Asia/Kolkata"))
    _ = meter.has(start)
    #expect(meter.endsAt == start + .minutes(30))
  }

  @Test("a budget that is changed keeps what was spent; a clock set back does not stop it for ever")
  func changed() {
    var meter = BudgetMeter(Budget(most: 1, period: .day, zone: "UTC"))
    _ = meter.has(start)
    meter.take()
    var larger = BudgetMeter(Budget(most: 2, period: .day, zone: "UTC"), after: meter)
    let has = larger.has(start)
    #expect(has && larger.spent == 1)
    let back = meter.has(start - .days(30))
    #expect(back)
  }

  @Test("the longest wait of several windows and the budget holds")
  func together() {
    let limits = [RateLimit(count: 2, per: .seconds(1)), RateLimit(count: 3, per: .minutes(1))]
    let budget = Budget(most: 4, period: .hour, zone: "UTC")
    var allowance = Allowance(limits: limits, budget: budget, now: start)
    for _ in 0..<2 {
      let wait = allowance.wait(start)
      #expect(wait == nil)
      allowance.depart()
    }
    #expect(allowance.wait(start) == start + .milliseconds(500))
    allowance.depart()
    #expect(allowance.wait(start + .seconds(5)) == start + .seconds(20))
    allowance.depart()
    #expect(allowance.wait(start + .minutes(30)) == start + .hours(1))
    let pause = allowance.pause(start + .minutes(30))
    #expect(pause?.why == .budget)
  }
}
