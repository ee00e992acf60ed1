// Batches in the machine: how they gather, go out, end item by item, and are divided to find a culprit.

import Testing

@testable import DivertCore

@Suite struct BatchTests {
  private func bench(
    most: Int = 4, wait: Span = .milliseconds(500), concurrency: Int = 8, limits: [RateLimit] = [], memory: Int = 256
  ) -> MachineBench {
    let bench = MachineBench(concurrency: concurrency, limits: limits, memory: memory)
    var settings = TargetSettings(concurrency: concurrency, limits: limits, enabled: true, memory: memory)
    settings.batches = ["a": BatchShape(most: most, wait: wait)]
    bench.machine.configure(["crm": settings], rulings: [:], now: bench.now)
    _ = bench.orders()
    return bench
  }

  private func attempt(_ bench: MachineBench, _ outcome: AttemptOutcome, _ status: Int? = 200) -> Attempt {
    Attempt(
      startedAt: bench.now, duration: .zero, status: status, outcome: outcome, reason: Reason("x", "said so"),
      answer: "")
  }

  private func end(
    _ bench: MachineBench, _ batch: BatchOrder, whole: AttemptOutcome = .ok, status: Int? = 200,
    _ outcomes: [AttemptOutcome]
  ) {
    let items = bench.machine.ended(batch: batch.token, attempt(bench, whole, status), wait: nil, now: bench.now)
    #expect(items == batch.items)
    for (token, outcome) in zip(items, outcomes) {
      bench.machine.attempted(token, attempt(bench, outcome, status), wait: nil, retry: .standard, now: bench.now)
    }
  }

  @Test("a full batch goes at once, the rest when the first of them has waited")
  func gathering() {
    let bench = bench()
    bench.arrive([String?](repeating: nil, count: 6))
    let first = bench.orders()
    #expect(first.sends.isEmpty && first.batches.map(\.items.count) == [4])
    #expect(bench.machine.nextWake == bench.now + .milliseconds(500))
    bench.now = bench.now + .milliseconds(500)
    #expect(bench.orders().batches.map(\.items.count) == [2])
    #expect(bench.machine.inFlight == 6 && bench.standing()?.queued == 0)
  }

  @Test("a batch is one request: of the concurrency, of the rate, and in the figures")
  func oneRequest() {
    let bench = bench(concurrency: 2, limits: [RateLimit(count: 2, per: .minutes(1))])
    bench.arrive([String?](repeating: nil, count: 12))
    let orders = bench.orders()
    #expect(orders.batches.map(\.items.count) == [4, 4])
    for batch in orders.batches { end(bench, batch, [.ok, .ok, .ok, .ok]) }
    #expect(bench.orders().batches.isEmpty && bench.machine.nextWake == bench.now + .milliseconds(100))
    #expect(bench.standing()?.attempts == [.ok: 2])
    bench.now = bench.now + .seconds(30)
    #expect(bench.orders().batches.map(\.items.count) == [4])
  }

  @Test("each item ends for itself: delivered, dead, waiting")
  func mixed() {
    let bench = bench()
    bench.arrive([nil, nil, nil, nil])
    let batch = bench.orders().batches[0]
    end(bench, batch, [.ok, .fail, .retry, .okDuplicate])
    let orders = bench.orders()
    #expect(orders.letters == [batch.items[1]] && orders.batch.rows.map(\.state) == [.waiting])
    bench.machine.buried(orders.letters, now: bench.now)
    _ = bench.orders()
    #expect(bench.machine.inFlight == 0 && bench.machine.count == 0 && bench.standing()?.state == .open)
  }

  @Test("a refused batch is halved until the culprit is alone, and none of the others dies or counts an attempt")
  func culprit() {
    let bench = bench(most: 8)
    bench.arrive([String?](repeating: nil, count: 8))
    let culprit = bench.machine.job(JobToken(rawValue: 0)) == nil ? 5 : 0
    var delivered = 0
    var requests = 0
    var waiting = bench.orders().batches
    while let batch = waiting.popLast() {
      requests += 1
      let places = batch.items.compactMap { bench.machine.job($0)?.delivery.id.ordinal }
      if places.contains(culprit), places.count > 1 {
        let items = bench.machine.ended(batch: batch.token, attempt(bench, .fail, 400), wait: nil, now: bench.now)
        bench.machine.divide(items.map { ($0, attempt(bench, .retry, 400)) }, now: bench.now)
      } else {
        let outcome: AttemptOutcome = places == [culprit] ? .fail : .ok
        end(bench, batch, whole: outcome, status: outcome == .ok ? 200 : 400, places.map { _ in outcome })
        if outcome == .ok { delivered += places.count }
      }
      let orders = bench.orders()
      for token in orders.letters { #expect(bench.machine.job(token)?.delivery.counted == 1) }
      bench.machine.buried(orders.letters, now: bench.now)
      waiting += orders.batches
    }
    // 8, 4+4, 2+2, 1+1.
    #expect(delivered == 7 && requests == 7)
    _ = bench.orders()
    #expect(bench.machine.count == 0 && bench.machine.inFlight == 0)
  }

  @Test("two of one order key never go together")
  func order() {
    let bench = bench()
    bench.arrive(["k", "k", nil])
    bench.now = bench.now + .seconds(1)
    _ = bench.orders()
    bench.now = bench.now + .seconds(1)
    let batch = bench.orders().batches
    #expect(batch.map(\.items.count) == [2])
    end(bench, batch[0], [.ok, .ok])
    _ = bench.orders()
    bench.now = bench.now + .seconds(1)
    let second = bench.orders().batches
    #expect(second.map(\.items.count) == [1])
  }

  @Test("messages to people, and what goes out in stages, go one by one")
  func alone() {
    let bench = bench()
    bench.claim(2, toPerson: true)
    #expect(bench.orders().batches.isEmpty && bench.machine.inFlight == 2)
  }

  @Test("one request that failed is one failure of the target, whatever was in it")
  func health() {
    let bench = bench(most: 20)
    bench.arrive([String?](repeating: nil, count: 20))
    let batch = bench.orders().batches[0]
    end(bench, batch, whole: .retry, status: nil, [AttemptOutcome](repeating: .retry, count: 20))
    #expect(bench.standing()?.state == .open && bench.orders().batch.rows.count == 20)
  }

  @Test("an item that says throttle slows the target though the whole went well")
  func throttledItem() {
    let bench = bench(most: 2)
    bench.arrive([nil, nil])
    end(bench, bench.orders().batches[0], [.ok, .throttle])
    bench.arrive([nil, nil])
    #expect(bench.orders().batches.isEmpty && bench.standing()?.share == 50)
  }

  @Test("an item whose request cannot be made leaves; the last one ends the batch")
  func unsendable() {
    let bench = bench(most: 2, concurrency: 1)
    bench.arrive([nil, nil, nil, nil])
    let batch = bench.orders().batches[0]
    bench.machine.unsendable(batch.items[0], Reason("value_missing", "none"), now: bench.now)
    #expect(bench.machine.items(of: batch.token) == [batch.items[1]])
    bench.machine.unsendable(batch.items[1], Reason("value_missing", "none"), now: bench.now)
    #expect(bench.machine.items(of: batch.token).isEmpty)
    let orders = bench.orders()
    #expect(orders.letters.count == 2)
    bench.machine.buried(orders.letters, now: bench.now)
    #expect(bench.orders().batches.map(\.items.count) == [2])
  }

  @Test("a held target is probed with one item, and what had gathered is on disk meanwhile")
  func probe() {
    let bench = bench(most: 2)
    bench.arrive([nil, nil, nil])
    end(bench, bench.orders().batches[0], whole: .hold, status: 401, [.hold, .hold])
    let orders = bench.orders()
    #expect(orders.batch.rows.count == 3 && bench.standing()?.queued == 0)
    bench.machine.waiting(["crm": bench.now])
    bench.now = bench.now + .minutes(15)
    _ = bench.orders()
    bench.claim(1)
    #expect(bench.orders().batches.map(\.items.count) == [1])
  }

  @Test("a cancelled delivery leaves what gathers, and a retired target's goes with the rest")
  func leaving() {
    let bench = bench()
    bench.arrive([nil])
    bench.arrive([nil])
    _ = bench.orders()
    let order = Cancel(
      route: nil, target: nil, event: EventID(sequence: 1, tag: 1), reason: Reason("cancelled", "by hand"), limit: 9)
    let cancelled = bench.machine.cancel(order, now: bench.now)
    #expect(cancelled == 1)
    bench.machine.giveUp("crm", Reason(DeliveryMachine.givenUp, "by hand"), now: bench.now)
    #expect(bench.orders().letters.count == 1)
  }

  @Test("after a stop a batch that never left waits as it was")
  func stopped() {
    let bench = bench(most: 2)
    bench.claim(2)
    let batch = bench.orders().batches[0]
    bench.machine.stop()
    bench.machine.unsent(batch: batch.token, now: bench.now)
    let rows = bench.orders().batch.rows
    #expect(rows.map(\.state) == [.waiting, .waiting] && bench.machine.inFlight == 0)
  }

  // MARK: What is asked after

  private func recorded() -> (MachineBench, MachineOrders) {
    let bench = bench(most: 3)
    var settings = TargetSettings(concurrency: 8, limits: [], enabled: true)
    settings.batches = ["a": BatchShape(most: 3, wait: .milliseconds(500), records: true)]
    bench.machine.configure(["crm": settings], rulings: [:], now: bench.now)
    bench.claim(3, toPerson: true)
    return (bench, bench.orders())
  }

  @Test("items that are asked after are on disk as under way before their batch goes")
  func records() throws {
    let (bench, first) = recorded()
    #expect(
      first.batches.isEmpty && first.sends.isEmpty && first.batch.rows.map(\.state) == [.sending, .sending, .sending])
    bench.machine.committed(try #require(first.turn), now: bench.now)
    #expect(bench.machine.isRestless)
    let second = bench.orders()
    #expect(second.batches.map(\.items.count) == [3])
    end(bench, second.batches[0], [.ok, .retry, .fail])
    let third = bench.orders()
    #expect(third.batch.rows.map(\.state) == [.delivered, .waiting] && third.letters.count == 1)
  }

  @Test("a recorded batch whose target was closed meanwhile goes back to disk whole")
  func recordedInVain() throws {
    let (bench, first) = recorded()
    bench.machine.pause("crm", Reason("paused", "by hand"), now: bench.now)
    bench.machine.committed(try #require(first.turn), now: bench.now)
    let second = bench.orders()
    #expect(second.batches.isEmpty && second.batch.rows.map(\.state) == [.waiting, .waiting, .waiting])
    #expect(bench.machine.count == 0 && bench.machine.inFlight == 0)
  }

  @Test("the halves of a recorded batch are recorded again, each before it goes")
  func recordedHalves() throws {
    let (bench, first) = recorded()
    bench.machine.committed(try #require(first.turn), now: bench.now)
    let batch = bench.orders().batches[0]
    let items = bench.machine.ended(batch: batch.token, attempt(bench, .fail, 400), wait: nil, now: bench.now)
    bench.machine.divide(items.map { ($0, attempt(bench, .retry, 400)) }, now: bench.now)
    let halves = bench.orders()
    #expect(halves.batches.isEmpty && halves.batch.rows.map(\.state) == [.sending, .sending, .sending])
    bench.machine.committed(try #require(halves.turn), now: bench.now)
    #expect(bench.orders().batches.map(\.items.count).sorted() == [1, 2])
  }
}
