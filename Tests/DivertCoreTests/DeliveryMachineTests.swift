// What the delivery machine orders when it is told a fact: by value, one sentence a test.

import Testing

@testable import DivertCore

@Suite struct DeliveryMachineTests {
  @Test("an event whose deliveries succeed at once is written once and leaves nothing in memory")
  func happyPath() {
    let bench = MachineBench()
    bench.arrive([nil, nil])
    let first = bench.orders()
    #expect(first.sends.count == 2 && first.batch.isEmpty && first.turn == nil)
    for token in first.sends { bench.answer(token, .ok) }
    let second = bench.orders()
    #expect(second.batch.packed.count == 1 && second.batch.rows.isEmpty && second.turn != nil)
    #expect(bench.machine.count == 0 && bench.machine.inFlight == 0 && bench.machine.ledger.count == 0)
  }

  @Test("deliveries of one key go out one after another, those of different keys together")
  func order() {
    let bench = MachineBench()
    bench.arrive(["k", "k", "other"])
    let first = bench.orders()
    #expect(first.sends.compactMap { bench.machine.job($0)?.delivery.id.ordinal } == [0, 2])
    bench.answer(first.sends[0], .ok)
    #expect(bench.orders().sends.compactMap { bench.machine.job($0)?.delivery.id.ordinal } == [1])
  }

  @Test(
    "a delivery that must be retried goes to disk with those of its key behind it, later ones too until it is there")
  func retryClosesTheLine() {
    let bench = MachineBench()
    bench.arrive(["k", "k"])
    let first = bench.orders()
    bench.answer(first.sends[0], .retry, status: 503)
    let second = bench.orders()
    #expect(second.sends.isEmpty && second.batch.rows.map(\.id.ordinal) == [0, 1])
    bench.arrive(["k"])
    bench.machine.committed(second.turn ?? 0, now: bench.now)
    let third = bench.orders()
    #expect(third.sends.isEmpty && third.batch.rows.count == 1)
    bench.machine.committed(third.turn ?? 0, now: bench.now)
    _ = bench.orders()
    #expect(bench.machine.lines.isEmpty && bench.machine.count == 0)
  }

  @Test("what memory has no room for goes to disk, and later ones of its key do not overtake it")
  func overflow() {
    let bench = MachineBench(concurrency: 1, memory: 8)
    bench.arrive(["k"])
    let first = bench.orders()
    for _ in 0..<8 { bench.arrive() }
    bench.arrive(["k"])
    bench.answer(first.sends[0], .ok)
    let second = bench.orders()
    #expect(second.batch.rows.count == 1 && second.sends.count == 1)
    bench.arrive(["k"])
    #expect(bench.orders().batch.rows.count == 1)
  }

  @Test("a message to a person leaves only after `sending` is committed")
  func person() {
    let bench = MachineBench()
    bench.claim(toPerson: true)
    let first = bench.orders()
    #expect(first.sends.isEmpty && first.batch.rows.map(\.state) == [.sending])
    bench.machine.committed(first.turn ?? 0, now: bench.now)
    #expect(bench.orders().sends.count == 1)
  }

  @Test("a message that is being recorded when its target is paused waits again")
  func personPaused() {
    let bench = MachineBench()
    bench.claim(toPerson: true)
    let first = bench.orders()
    bench.machine.pause("crm", Reason("paused", "by hand"), now: bench.now)
    bench.machine.committed(first.turn ?? 0, now: bench.now)
    let second = bench.orders()
    #expect(second.sends.isEmpty && second.batch.rows.map(\.state) == [.waiting] && bench.machine.inFlight == 0)
  }

  @Test("a dead delivery's row follows its letter")
  func letterFirst() throws {
    let bench = MachineBench()
    bench.arrive()
    bench.answer(bench.orders().sends[0], .fail, status: 422)
    let dying = bench.orders()
    let token = try #require(dying.letters.first)
    #expect(dying.batch.rows.isEmpty && bench.machine.job(token)?.delivery.state == .dead)
    bench.machine.buried([token], now: bench.now)
    let dead = bench.orders()
    #expect(dead.batch.rows.map(\.state) == [.dead] && dead.alarms.map(\.cause) == ["dead:crm:x"])
    #expect(bench.machine.count == 0)
  }

  @Test("a second answer to one request changes nothing")
  func twice() {
    let bench = MachineBench()
    bench.arrive()
    let token = bench.orders().sends[0]
    bench.answer(token, .fail, status: 422)
    bench.answer(token, .ok)
    #expect(bench.orders().letters == [token] && bench.machine.inFlight == 1)
  }

  @Test("an interrupted message to a person is dead as ambiguous, another delivery waits")
  func interrupted() {
    let bench = MachineBench()
    for verdict in [Interruption.park, .again] {
      let event = bench.event()
      var delivery = Delivery(id: DeliveryID(event: event.id, ordinal: 0), plan: bench.plan(), version: "v")
      delivery.state = .sending
      bench.machine.interrupted(ClaimedDelivery(delivery: delivery, event: event), verdict, now: bench.now)
    }
    let orders = bench.orders()
    #expect(orders.letters.compactMap { bench.machine.job($0)?.delivery.reason?.code } == ["ambiguous"])
    #expect(orders.batch.rows.map(\.state) == [.waiting])
  }

  @Test("a recovered delivery with a key gets a row, one without goes at once")
  func recovered() {
    let bench = MachineBench()
    let planned = [bench.plan(key: "k"), bench.plan()]
    let found = RecoveredEvent(event: bench.event(), version: "v", planned: planned, states: [.open, .open])
    bench.machine.recovered(found, now: bench.now)
    let orders = bench.orders()
    #expect(orders.sends.count == 1 && orders.batch.rows.map(\.id.ordinal) == [0])
    #expect(orders.batch.packed.first?.states == [.row, .open])
  }

  @Test("one row that comes due does not turn new deliveries into rows")
  func dueRowIsNoCongestion() {
    let bench = MachineBench()
    bench.machine.waiting(["crm": bench.now])
    let orders = bench.orders()
    #expect(orders.claims == [ClaimWish(target: "crm", limit: 256)] && orders.congestion.isEmpty)
  }

  @Test("a cancelled head lets the next of its key go")
  func cancel() {
    let bench = MachineBench(concurrency: 1)
    bench.arrive()
    let first = bench.orders()
    bench.arrive(["k"])
    bench.arrive(["k"])
    let head = EventID(sequence: 2, tag: 1)
    let order = Cancel(route: nil, target: nil, event: head, reason: Reason("cancelled", "by hand"), limit: 10)
    let cancelled = bench.machine.cancel(order, now: bench.now)
    #expect(cancelled == 1)
    bench.answer(first.sends[0], .ok)
    #expect(bench.orders().sends.compactMap { bench.machine.job($0)?.delivery.id.event.sequence } == [3])
  }

  @Test("after stop nothing new goes, and what was being recorded waits again")
  func stop() {
    let bench = MachineBench()
    bench.claim(toPerson: true)
    let first = bench.orders()
    bench.machine.stop()
    bench.arrive()
    bench.machine.committed(first.turn ?? 0, now: bench.now)
    let orders = bench.orders()
    #expect(orders.sends.isEmpty && orders.batch.rows.map(\.state) == [.waiting] && bench.machine.inFlight == 0)
  }
}
