// The small parts under the delivery machine: retry policy, token bucket, breaker, ledger, timers, ring.

import Testing

@testable import DivertCore

@Suite struct RetryPolicyTests {
  private func delivery(counted: Int, first: Timestamp, stood: Span = .zero) -> Delivery {
    let id = DeliveryID(event: EventID(sequence: 1, tag: 1), ordinal: 0)
    let plan = PlannedDelivery(
      route: "r", send: "0", target: "t", action: "a", orderKey: nil, due: first, toPerson: false)
    var delivery = Delivery(id: id, plan: plan, version: "v")
    delivery.counted = counted
    delivery.firstAttemptAt = first
    delivery.stood = stood
    return delivery
  }
  private let start = Timestamp(milliseconds: 0)

  @Test("the backoff lies between nothing and base times two to the n, at most the cap, and never overflows")
  func backoff() {
    var random = SplitMix64(state: 3)
    for attempts in [0, 1, 2, 5, 40, 1000, Int.max] {
      let exponent = min(max(attempts - 1, 0), 8)
      for _ in 0..<50 {
        let pause = RetrySettings.standard.backoff(after: attempts, using: &random)
        #expect(pause >= .zero && pause <= min(.minutes(15), .seconds(5 << Int64(exponent))))
      }
    }
  }

  @Test("a delivery is given up after its last attempt, and when its period is over")
  func giveUp() {
    var random = SplitMix64(state: 3)
    let settings = RetrySettings(period: .hours(1), base: .seconds(1), cap: .minutes(1), attempts: 3)
    let last = settings.decide(delivery(counted: 3, first: start), wait: nil, now: start, using: &random)
    #expect(last == .giveUp(Reason("attempts_exhausted", "all 3 attempts failed")))
    let late = settings.decide(delivery(counted: 2, first: start), wait: nil, now: start + .hours(1), using: &random)
    #expect(late == .giveUp(Reason("retry_period_over", "no attempt succeeded within 1h")))
  }

  @Test("time that it stood does not count, up to seven days; the last attempt is moved up to the period's end")
  func stood() {
    var random = SplitMix64(state: 3)
    let settings = RetrySettings(period: .hours(1), base: .seconds(1), cap: .minutes(1), attempts: nil)
    let some = delivery(counted: 2, first: start, stood: .hours(2))
    let again = settings.decide(some, wait: .hours(5), now: start + .hours(2), using: &random)
    #expect(again == .again(at: start + .hours(3)))
    let long = delivery(counted: 2, first: start, stood: .days(30))
    let over = settings.decide(long, wait: nil, now: start + .days(8), using: &random)
    #expect(over == .giveUp(Reason("retry_period_over", "no attempt succeeded within 1h")))
  }

  @Test("a wait that was asked for is kept, but never below a second", arguments: [-5, 0, 90])
  func wait(seconds: Int64) {
    var random = SplitMix64(state: 3)
    let decision = RetrySettings.standard.decide(
      delivery(counted: 1, first: start), wait: .seconds(seconds), now: start, using: &random)
    #expect(decision == .again(at: start + .seconds(max(1, seconds))))
  }
}

@Suite struct TokenBucketTests {
  @Test("a bucket lets its burst through, then one per share of its time")
  func burst() {
    var now = Timestamp(milliseconds: 5)
    var bucket = TokenBucket(RateLimit(count: 3, per: .seconds(1)), now: now)
    for _ in 0..<3 {
      let has = bucket.has(now)
      #expect(has)
      bucket.take()
    }
    let empty = !bucket.has(now)
    #expect(empty && bucket.nextAt == now + .milliseconds(334))
    now = bucket.nextAt
    let refilled = bucket.has(now)
    #expect(refilled)
  }

  @Test("no limit and no clock makes it overflow or stand still for ever")
  func extremes() {
    for (count, per) in [(Int.max, Int64.max), (1, Int64.max), (Int.max, 1), (0, 0)] {
      let limit = RateLimit(count: count, per: Span(milliseconds: per))
      var bucket = TokenBucket(limit, now: Timestamp(milliseconds: 0))
      for time in [0, Int64.max / 4, 17] where bucket.has(Timestamp(milliseconds: time)) { bucket.take() }
      _ = bucket.nextAt
    }
    var back = TokenBucket(RateLimit(count: 1, per: .seconds(1)), now: Timestamp(milliseconds: 100_000))
    back.take()
    let answers = [0, 999, 1000].map { back.has(Timestamp(milliseconds: $0)) }
    #expect(answers == [false, false, true])
  }
}

@Suite struct CircuitBreakerTests {
  @Test(
    "it opens at the tenth failure in a row, doubles with each failed probe up to a minute, and closes on an answer")
  func opens() {
    let now = Timestamp(milliseconds: 0)
    var breaker = CircuitBreaker()
    for _ in 0..<9 { breaker.failed(at: now, probe: false) }
    #expect(!breaker.isOpen)
    breaker.failed(at: now, probe: false)
    breaker.failed(at: now, probe: false)
    #expect(breaker.openUntil == now + .seconds(5))
    for pause in [10, 20, 40, 60, 60] {
      breaker.failed(at: now, probe: true)
      #expect(breaker.openUntil == now + .seconds(Int64(pause)))
    }
    breaker.succeeded()
    #expect(!breaker.isOpen)
  }
}

@Suite struct PackedLedgerTests {
  private let event = EventID(sequence: 9, tag: 1)
  private let done = PackedState.ended(.delivered, reason: Reason("ok", "ok"), attempt: nil)
  private let now = Timestamp(milliseconds: 0)

  @Test("an event is written when its last delivery has ended, and forgotten")
  func complete() {
    var ledger = PackedLedger()
    ledger.open(event, states: [.open, .row, .open])
    ledger.set(DeliveryID(event: event, ordinal: 0), done, now: now)
    let early = ledger.take(now: now)
    #expect(early.isEmpty && ledger.nextAt == now + PackedLedger.patience)
    ledger.set(DeliveryID(event: event, ordinal: 2), done, now: now)
    let written = ledger.take(now: now).map(\.states)
    #expect(written == [[done, .row, done]] && ledger.count == 0)
  }

  @Test("an outcome waits a moment for its siblings, a new row does not, and nothing is written twice")
  func patience() {
    var ledger = PackedLedger()
    ledger.open(event, states: [.open, .open, .open])
    ledger.set(DeliveryID(event: event, ordinal: 0), done, now: now)
    ledger.set(DeliveryID(event: event, ordinal: 1), .row, now: now)
    let written = ledger.take(now: now).map(\.states)
    #expect(written == [[done, .row, .open]])
    let again = ledger.take(now: now + .seconds(1), all: true)
    #expect(again.isEmpty && ledger.nextAt == nil && ledger.count == 1)
  }
}

@Suite struct QueueTests {
  @Test("timers come out in order of time, and none before its time")
  func timers() {
    var random = SplitMix64(state: 8)
    var heap = TimerHeap()
    let times = (0..<200).map { _ in Int64.random(in: 0..<1000, using: &random) }
    for (target, time) in times.enumerated() { heap.set(target, at: Timestamp(milliseconds: time)) }
    var popped: [Int64] = []
    while let timer = heap.pop(due: Timestamp(milliseconds: 500)) { popped.append(timer.at.milliseconds) }
    #expect(popped == times.filter { $0 <= 500 }.sorted())
  }

  @Test("a ring keeps its order through growing, wrapping and removing")
  func ring() {
    var ring = RingBuffer<Int>()
    var model: [Int] = []
    var random = SplitMix64(state: 8)
    for number in 0..<3000 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<6:
        ring.append(number)
        model.append(number)
      case 6..<9:
        let expected = model.isEmpty ? nil : model.removeFirst()
        let popped = ring.popFirst()
        #expect(popped == expected)
      default:
        let removed = ring.removeAll { $0 % 7 == 0 }
        #expect(removed == model.filter { $0 % 7 == 0 })
        model.removeAll { $0 % 7 == 0 }
      }
      #expect(ring.count == model.count && ring.first == model.first)
    }
  }
}
