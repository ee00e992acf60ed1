// Event + what is stored → the deliveries that follow (step 3 of the line, inside the transaction of step 4): counts are answered,
// `once` is claimed, promises are opened.

extension RouteTable {
  /// What this configuration plans for an event that its books have already, with the claims that it makes by that. The same again
  /// when it is asked again.
  package func plan<Memory: EventMemory>(
    _ event: Event, suppression: Suppression?, memory: inout Memory
  ) throws(Memory.Failure) -> Plan {
    var planner = MemoryPlanner(self, event, suppression)
    for place in index.places(for: event.fields.name) { try planner.add(parts.routes[place], &memory) }
    return planner.plan
  }

  /// What follows a delivery that ended as expired: its `otherwise`, from now on. Empty where this table, which planned
  /// it, has no such send.
  package func followUps(of delivery: PlannedDelivery, _ event: Event, now: Timestamp) -> [PlannedDelivery] {
    guard let send = send(route: delivery.route, label: delivery.send) else { return [] }
    var plan = Plan()
    add(send.timing.otherwise, event, from: now, to: &plan)
    return plan.deliveries
  }
}

private struct MemoryPlanner {
  let table: RouteTable
  var context: EvaluationContext
  var plan = Plan(asksMemory: true)

  init(_ table: RouteTable, _ event: Event, _ suppression: Suppression?) {
    self.table = table
    context = EvaluationContext(event: event, zone: table.zone, patterns: table.patterns)
    context.suppression = suppression
  }

  mutating func add<Memory: EventMemory>(_ route: Route, _ memory: inout Memory) throws(Memory.Failure) {
    guard route.enabled, try context.matches(route, table, &memory) else { return }
    if route.remembers, let question = route.claim(context.event, table) {
      if try question.holder(for: context.event, &memory) != nil { return }
      try question.enter(context.event, &memory)
    }
    plan.matched.append(route.place)
    table.add(route.sends, context.event, to: &plan)
    for child in route.children { try add(child, &memory) }
    if route.remembers, let promise = try route.promise(context.event, table, &memory) {
      plan.promises.append(promise)
      table.add(route.otherwise, context.event, from: promise.judgedAt, to: &plan)
    }
  }
}

extension EvaluationContext {
  /// Whether a route's condition holds, or awaits lookups alone; counts that decide it are answered.
  mutating func matches<Memory: EventMemory>(
    _ route: Route, _ table: RouteTable, _ memory: inout Memory
  ) throws(Memory.Failure) -> Bool {
    if route.asksCounts {
      for term in route.when.openCounts(for: self) { try answer(term, table, exact: false, &memory) }
    }
    return route.standing(self) == .yes
  }

  /// Answers a count that was not answered yet.
  mutating func answer<Memory: EventMemory>(
    _ term: CountTerm, _ table: RouteTable, exact: Bool, _ memory: inout Memory
  ) throws(Memory.Failure) {
    guard isOpen(term) else { return }
    if let count = try term.count(for: event, under: table, exact: exact, memory: &memory) {
      counts[term] = count
    } else {
      uncounted.insert(term)
    }
  }
}

extension Route {
  /// Its claim of an event, where its `once` is claimed at planning; nil: it has none, or the event has no value for `per`.
  func claim(_ event: Event, _ table: RouteTable) -> DueQuestion.Once? { once.flatMap { $0.question(event, table) } }

  /// The promise that it opens for an event, as it stands by what is stored; nil: it opens none, or the event has no value for `same`.
  func promise<Memory: EventMemory>(
    _ event: Event, _ table: RouteTable, _ memory: inout Memory
  ) throws(Memory.Failure) -> Promise? {
    guard let expect, let key = table.key(expect.same, event) else { return nil }
    let at = event.fields.at
    let deadline = at + expect.within
    var promise = Promise(
      event: event.id, route: path, place: BookPlace(book: expect.book, key: key), openedAt: at, deadline: deadline,
      judgedAt: max(deadline, event.receivedAt + Promise.patience))
    for entry in try memory.entries(of: promise.place, from: at + .milliseconds(1), to: deadline) {
      promise.keep(by: entry, receivedAt: min(entry.event.receivedAt, event.receivedAt))
    }
    return promise
  }
}

extension Promise {
  /// No promise is judged sooner than this after its opener was received: events overtake each other on their way.
  static let patience = Span.seconds(60)

  /// Takes note of an event of its book and key, in whatever order they are stored.
  /// - Returns: whether that changed it.
  @discardableResult
  package mutating func keep(by entry: BookEntry, receivedAt received: Timestamp) -> Bool {
    guard entry.at > openedAt, entry.at <= deadline, entry.event != event else { return false }
    let before = self
    let known = keptAt.flatMap { at in keeper.map { (at, $0.sequence) } }
    if known.map({ (entry.at, entry.event.sequence) < $0 }) ?? true { (keeper, keptAt) = (entry.event, entry.at) }
    reportedAt = min(reportedAt ?? received, received)
    return self != before
  }
}

extension EventID {
  /// When it was received, as far as its place in the store tells.
  var receivedAt: Timestamp { Timestamp(milliseconds: sequence >> 20) }
}
