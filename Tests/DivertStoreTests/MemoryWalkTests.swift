// Random histories with late, duplicate and overtaking events, restarts, reloads and a clock that jumps: what a store remembers, held
// against the plain model after each step.

import DivertCore
import Testing

@Suite("A random history")
struct MemoryWalkTests {
  @Test(
    "is counted, claimed, promised and throttled as the model does", arguments: Engine.all,
    [UInt64.random(in: 0...UInt64.max), 3, 4])
  func walk(_ engine: Engine, seed: UInt64) throws {
    var walk = try MemoryWalk(engine, seed: seed)
    for _ in 0..<250 { try walk.step() }
    try walk.compare()
    print("walked through memory from seed \(seed)")
  }
}

private struct MemoryWalk {
  let engine: Engine
  let folder = Folder()
  let seed: UInt64
  var store: any Store
  var model = MemoryModel()
  var random: SeededGenerator
  var now = start
  var latest = start

  private static let books = [Remembering.rejected, BookDefinition.of("CALL_ACCEPTED", span: .minutes(20))]

  init(_ engine: Engine, seed: UInt64) throws {
    self.engine = engine
    self.seed = seed
    random = SeededGenerator(state: seed)
    store = try engine.open(folder)
    #expect(try store.useBooks(Self.books, now: now) == [])
  }

  mutating func chance(_ n: Int) -> Bool { Int.random(in: 0..<n, using: &random) == 0 }

  mutating func step() throws {
    now = now + .seconds(Int64.random(in: 0...90, using: &random))
    // A clock may be set back, and forward again.
    if chance(12) { now = max(now - .minutes(4), latest - .minutes(5)) }
    if chance(12) { now = latest + .minutes(2) }
    latest = max(latest, now)
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<14: try append(Int.random(in: 1...4, using: &random))
    case 14..<17: try ask()
    case 17: try reopen()
    case 18: try pause()
    default: try compare()
    }
  }

  private mutating func append() -> Append {
    let name = ["CALL_REJECTED", "CALL_REJECTED", "CALL_ACCEPTED", "CALL_MISSED"].randomElement(using: &random)
    let phone = chance(9) ? nil : ["+911", "+912", "+913"].randomElement(using: &random)
    let call = chance(2) ? nil : "call \(Int.random(in: 0..<60, using: &random))"
    let late = chance(2) ? Int64.random(in: -20...600, using: &random) : 0
    return Remembering.append(
      name ?? "", phone: phone, call: call, at: now - .seconds(late), received: now)
  }

  private mutating func append(_ count: Int) throws {
    let appends = (0..<count).map { _ in append() }
    let receipt = try store.commit(now: now) { $0.appends = appends }
    for outcome in receipt.appends {
      guard let event = outcome.event else { continue }
      #expect(try #require(outcome.routes) == model.accept(event, planned: true), "seed \(seed)")
    }
  }

  /// Deliveries of the throttled route ask, some of them again.
  private mutating func ask() throws {
    let rejected = model.came.suffix(12).filter(\.isRejected)
    var questions: [DueQuestion] = []
    var expected: [String?] = []
    for came in rejected where chance(3) {
      let id = DeliveryID(event: came.event.id, ordinal: Int.random(in: 0..<2, using: &random))
      let send = Remembering.table.parts.routes[3].sends[0]
      guard let question = send.question(id, event: came.event, now: now, under: Remembering.table),
        let phone = came.phone
      else { continue }
      // Two claims of an event at one moment are one line of the book.
      if questions.contains(where: { $0.delivery.event == id.event }) { continue }
      if model.throttled.contains(where: { $0.at == now && $0.phone == phone }) { continue }
      questions.append(question)
      expected.append(model.isLetOut(id, phone: phone, now: now) ? nil : "capped")
    }
    let receipt = try store.commit(now: now) { $0.questions = questions }
    #expect(receipt.answers.map(\.skipped) == expected, "seed \(seed)")
  }

  private mutating func reopen() throws {
    try store.close()
    store = try engine.open(folder)
    // Swept by a clock that was ahead.
    for gap in try store.useBooks(Self.books, now: now) { try fill(gap) }
  }

  /// A reload takes books away; events come that nothing is planned for; another brings the books back and fills them.
  private mutating func pause() throws {
    _ = try store.useBooks([Self.books[chance(2) ? 0 : 1]], now: now)
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      var append = append()
      append.plan = Plan()
      guard let event = try store.commit(now: now, { $0.appends = [append] }).appends.first?.event else { continue }
      _ = model.accept(event, planned: false)
    }
    for gap in try store.useBooks(Self.books, now: now) { try fill(gap) }
    #expect(try store.useBooks(Self.books, now: now) == [], "seed \(seed)")
  }

  private mutating func fill(_ gap: BookGap) throws {
    let active = ActiveBooks([gap.book])
    var last: EventID?
    while true {
      let page = try store.events(matching: EventFilter(since: gap.from), after: last, limit: 7)
      let due = page.map(\.event).filter { $0.id.sequence <= gap.through.sequence }
      try store.fill(gap, with: due.flatMap { active.entries(for: $0) }, isLast: due.count < 7)
      if due.count < 7 { return }
      last = due.last?.id
    }
  }

  /// Every promise is kept by whom the model says.
  func compare() throws {
    for opener in model.hopes.suffix(60) {
      let promise = try #require(try store.promises(of: opener).first)
      #expect(promise.keeper == model.keepers(of: opener).first?.event.id, "seed \(seed)")
      let standing = model.standing(of: opener, judgedAt: promise.judgedAt)
      #expect(promise.standing(at: .distantFuture) == standing, "seed \(seed)")
    }
    #expect(
      try store.promises(matching: PromiseFilter(), after: nil, limit: 10_000, now: now).count == model.hopes.count)
    try store.expectBalance()
  }
}
