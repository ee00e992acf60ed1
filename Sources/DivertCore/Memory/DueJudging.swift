// What a delivery asks of memory when it is due, and the answer. Judged inside the transaction that keeps what it claims.

extension Send {
  /// What a delivery of it asks before each of its requests; nil: nothing.
  package func question(
    _ delivery: DeliveryID, event: Event, now: Timestamp, under table: RouteTable
  ) -> DueQuestion? {
    guard timing.asksMemory else { return nil }
    var question = DueQuestion(delivery: delivery, at: event.fields.at, now: now)
    if let unless = timing.unless, let key = table.key(unless.same, event) {
      question.unless = .init(place: BookPlace(book: unless.book, key: key), words: unless.words)
    }
    question.promise = timing.promise
    question.once = timing.claims.compactMap { $0.question(event, table) }
    if let throttle = timing.throttle, let key = table.key(throttle.per, event) {
      question.throttle = .init(
        definition: throttle, place: BookPlace(book: "throttle \(route) \(label)", key: key))
    }
    return question.isEmpty ? nil : question
  }
}

extension OnceDefinition {
  /// Its question for an event; nil: no value for `per`, no limit.
  func question(_ event: Event, _ table: RouteTable) -> DueQuestion.Once? {
    table.key(per, event).map { .init(definition: self, place: BookPlace(book: "once \(route)", key: $0)) }
  }
}

extension DueQuestion {
  var isEmpty: Bool { unless == nil && promise == nil && once.isEmpty && throttle == nil }

  /// The answer by what is stored. On `go` everything that it claims is entered; a skip enters nothing. Asked again by the same
  /// delivery, it finds its own claims and those of its event to be no hindrance.
  package func judge<Memory: EventMemory>(_ memory: inout Memory) throws(Memory.Failure) -> DueAnswer {
    if let reason = try refusal(&memory) { return .skip(reason) }
    for once in once {
      try memory.enter(
        BookEntry(at: at, event: delivery.event, mark: delivery.event.description), in: once.place,
        span: once.definition.period)
    }
    if let throttle {
      try memory.enter(
        BookEntry(at: now, event: delivery.event, mark: delivery.description), in: throttle.place,
        span: throttle.definition.within)
    }
    return .go
  }

  private func refusal<Memory: EventMemory>(_ memory: inout Memory) throws(Memory.Failure) -> Reason? {
    if let unless, let entry = try unless.hindrance(self, &memory) {
      return Reason("unless", "\(unless.words): \(entry.event) came at \(entry.at.iso8601)")
    }
    if let promise, let kept = try memory.promise(of: delivery.event, route: promise), let keeper = kept.keeper {
      return Reason("promise_kept", "what route \(promise) expected came: \(keeper)")
    }
    for once in once {
      if let entry = try once.holder(delivery.event, at, &memory) {
        return once.reason(entry)
      }
    }
    if let throttle, try throttle.isSpent(self, &memory) { return throttle.reason }
    return nil
  }
}

extension DueQuestion.Unless {
  /// How far a source's clock may run ahead of ours.
  private static let ahead = Span.days(1)

  /// The first event after the opener, which itself is none.
  fileprivate func hindrance<Memory: EventMemory>(
    _ question: DueQuestion, _ memory: inout Memory
  ) throws(Memory.Failure) -> BookEntry? {
    let last = max(question.now, question.at) + Self.ahead
    return try memory.entries(of: place, from: question.at + .milliseconds(1), to: last, limit: 1).first
  }
}

extension DueQuestion.Once {
  /// A claim of another event less than the period away; nil: it may act.
  func holder<Memory: EventMemory>(
    _ event: EventID, _ at: Timestamp, _ memory: inout Memory
  ) throws(Memory.Failure) -> BookEntry? {
    let reach = Span(milliseconds: definition.period.milliseconds - 1)
    let claims = try memory.entries(of: place, from: at - reach, to: at + reach)
    let mark = event.description
    return claims.first { $0.mark != mark }
  }

  func holder<Memory: EventMemory>(
    for event: Event, _ memory: inout Memory
  ) throws(Memory.Failure) -> BookEntry? { try holder(event.id, event.fields.at, &memory) }

  func enter<Memory: EventMemory>(_ event: Event, _ memory: inout Memory) throws(Memory.Failure) {
    try memory.enter(
      BookEntry(at: event.fields.at, event: event.id, mark: event.id.description), in: place, span: definition.period)
  }

  func reason(_ claim: BookEntry) -> Reason {
    Reason(
      "once",
      "route \(definition.route) acts once in \(definition.period.duration) per key: it did for \(claim.event) "
        + "of \(claim.at.iso8601)")
  }
}

extension DueQuestion.Throttle {
  /// As many others as it allows hold a claim within the time. Claims that seem to lie ahead were made before the clock was set back.
  fileprivate func isSpent<Memory: EventMemory>(
    _ question: DueQuestion, _ memory: inout Memory
  ) throws(Memory.Failure) -> Bool {
    let reach = Span(milliseconds: definition.within.milliseconds - 1)
    let own = question.delivery.description
    let claims = try memory.entries(of: place, from: question.now - reach, to: question.now + reach)
    if claims.contains(where: { $0.mark == own }) { return false }
    return Set(claims.map(\.mark)).count >= definition.atMost
  }

  fileprivate var reason: Reason {
    Reason(
      "capped", "at most \(definition.atMost) within \(definition.within.duration) per key, and that many went out")
  }
}
