// A stored event → what `divert rerun` adds to it: planned by today's routes, with what was stored before and since.

import DivertCore

/// Plans events in their order.
struct RerunPlanner: Sendable {
  private let table: RouteTable
  private let toPerson: Bool
  private let suppressions: SuppressionList

  /// Blocks, where books must be filled first.
  init(_ context: OperatorContext, _ table: RouteTable, _ filter: EventFilter, toPerson: Bool) throws {
    try context.remember()
    self.table = table
    self.toPerson = toPerson
    suppressions = SuppressionList(try context.store.suppressions())
  }

  /// What today's routes plan for an event beyond what it has; nil for nothing.
  func addition(
    _ record: EventRecord, now: Timestamp, _ memory: inout RerunMemory, _ tally: inout RerunTally
  ) throws -> Addition? {
    // Divert's own alarms are no business of the routes.
    if record.event.source == AlarmBell.source { return nil }
    tally.events += 1
    let there = Set(record.deliveries.map { Place($0.plan) })
    let suppression = suppressions.entry(for: record.event.fields.customerPhone, at: now)
    let planned = try table.plan(record.event, suppression: suppression, memory: &memory)
    var addition = Addition(
      event: record.event.id, planned: [], version: table.version, promises: planned.promises)
    addition.claims = memory.take()
    for var plan in planned.deliveries {
      plan.due = max(plan.due, now)
      if there.contains(Place(plan)) {
        tally.already += 1
      } else if !toPerson, table.parts.targets[plan.target]?.actions[plan.action]?.toPerson ?? plan.toPerson {
        tally.leftOut += 1
      } else {
        addition.planned.append(plan)
      }
    }
    return addition.planned.isEmpty && addition.promises.isEmpty ? nil : addition
  }

  /// Where a delivery stands in the routes; an event has each place once.
  private struct Place: Hashable {
    var route, send, target, action: String
    init(_ plan: PlannedDelivery) {
      route = plan.route
      send = plan.send
      target = plan.target
      action = plan.action
    }
  }
}

// Events from before what the store's books cover are counted, too.
extension RerunPlanner {
  /// So many lines of history are kept in memory at most.
  private static let most = 2_000_000
  private static let page = 500

  /// Memory as it was around the events that are meant. Blocks, where that is long ago: history is read.
  func memory(_ context: OperatorContext, _ filter: EventFilter) throws -> RerunMemory {
    var memory = RerunMemory(context.store)
    let books = table.activeBooks
    guard let since = filter.since, let reach = books.books.map(\.span).max(), since < context.now() - reach else {
      return memory
    }
    let until = filter.until.map { $0 + reach } ?? context.now()
    var (last, lines): (EventID?, Int) = (nil, 0)
    repeat {
      let events = try context.store.history(since: since - reach, after: last, through: .last, limit: Self.page)
      for event in events where event.receivedAt <= until { lines += memory.feed(event, books) }
      if lines > Self.most {
        throw OperatorFailure.badRequest(
          "the routes' counts need too much history for so long a time: rerun a part of it")
      }
      last = events.count == Self.page ? events.last.flatMap { $0.receivedAt <= until ? $0.id : nil } : nil
    } while last != nil
    return memory
  }
}

extension EventID {
  /// After every other.
  fileprivate static let last = EventID(sequence: .max, tag: 0)
}
