// Two configurations over many events, one after another on a clock: counts of what would differ, and some of the differences
// themselves. What it keeps depends on what lies inside the longest window, not on the number of events.

package struct ConfigComparison: Sendable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case appears, vanishes, changes, moves
  }

  /// Differences of one kind in one place.
  package struct Group: Sendable, Hashable {
    package var kind: Kind
    package var route: String
    /// `target.action`.
    package var name: String
    /// The parts that differ, of a change; in order.
    package var fields: [String]
  }

  /// One difference of one event.
  package struct Detail: Sendable {
    package var event: EventID
    /// The event's name and direction: `CALL_REJECTED INCOMING`.
    package var title: String
    package var at: Timestamp
    package var group: Group
    package var difference: DeliveryDifference
  }

  package let before: RouteTable
  package let after: RouteTable
  /// At most so many details are given.
  package let limit: Int
  /// Events that were received before are remembered by routes, and not compared; nil: all are compared.
  package let start: Timestamp?

  private var oldClock: RehearsalClock
  private var newClock: RehearsalClock
  /// Events something of which did not end yet, by their places on the two clocks.
  private var open: [OpenEvent] = []
  private var sinceSweep = 0
  package private(set) var events = 0
  package private(set) var deliveriesBefore = 0
  package private(set) var deliveriesAfter = 0
  package private(set) var staying = 0
  package private(set) var counts: [Kind: Int] = [:]
  /// Events that the later configuration would not receive, by source: it has no such source.
  package private(set) var sourcesGone: [String: Int] = [:]
  private var groups: [Group: Int] = [:]
  private var kept: [Group: [Detail]] = [:]
  private var keptInAll = 0

  /// Different groups counted at most; what comes after is counted under its route and action without the fields.
  static let mostGroups = 500

  package init(before: RouteTable, after: RouteTable, limit: Int, from start: Timestamp? = nil) {
    self.before = before
    self.after = after
    self.limit = limit
    self.start = start
    var setting = RehearsalSetting()
    setting.explains = false
    oldClock = RehearsalClock(before, setting)
    newClock = RehearsalClock(after, setting)
  }

  /// How long before the first event that is compared routes of either configuration look back: events received since then are to be
  /// given first.
  package static func reach(_ tables: RouteTable...) -> Span { tables.map(\.reach).max() ?? .zero }

  package var isEmpty: Bool { counts.isEmpty && sourcesGone.isEmpty }

  /// The groups with their counts: by kind, then the most frequent first.
  package var summary: [(group: Group, count: Int)] {
    groups.map { (group: $0.key, count: $0.value) }.sorted { a, b in
      let kinds = (Kind.allCases.firstIndex(of: a.group.kind) ?? 0, Kind.allCases.firstIndex(of: b.group.kind) ?? 0)
      if kinds.0 != kinds.1 { return kinds.0 < kinds.1 }
      if a.count != b.count { return a.count > b.count }
      return a.group.sortText < b.group.sortText
    }
  }

  /// Examples, at most `limit`: the first of every group before the second of any.
  package var details: [Detail] {
    let lists = summary.compactMap { kept[$0.group] }
    var chosen: [Detail] = []
    for round in 0..<max(0, limit) {
      for list in lists where round < list.count && chosen.count < limit { chosen.append(list[round]) }
    }
    return chosen.sorted { ($0.event.sequence, $0.group.kind.rawValue) < ($1.event.sequence, $1.group.kind.rawValue) }
  }

  /// Takes one more event, in the order in which they were received. Divert's own alarms are passed over.
  package mutating func add(_ event: Event) {
    if event.source == RouteTable.alarmSource { return }
    run(until: event.receivedAt)
    let isCompared = start.map { event.receivedAt >= $0 } ?? true
    if isCompared { events += 1 }
    var entry = OpenEvent(event: event, isCompared: isCompared)
    entry.old = oldClock.receive(event).place
    if let source = after.parts.sources[event.source] {
      entry.new = newClock.receive(reread(event, source)).place
    } else if isCompared {
      sourcesGone[event.source, default: 0] += 1
    }
    open.append(entry)
  }

  /// Nothing more comes: what was planned for later falls due.
  package mutating func finish() { run(until: nil) }

  /// Lets both clocks run, and compares the events of which everything has ended on both.
  private mutating func run(until moment: Timestamp?) {
    let old = Dictionary(grouping: oldClock.run(until: moment, including: false), by: \.event)
    let new = Dictionary(grouping: newClock.run(until: moment, including: false), by: \.event)
    var rest: [OpenEvent] = []
    for var entry in open {
      entry.oldEnded += entry.old.flatMap { old[$0] } ?? []
      entry.newEnded += entry.new.flatMap { new[$0] } ?? []
      let isOver = (entry.old.map(oldClock.isOver) ?? true) && (entry.new.map(newClock.isOver) ?? true)
      if isOver, moment.map({ $0 > entry.event.receivedAt }) ?? true { compare(entry) } else { rest.append(entry) }
    }
    open = rest
    sinceSweep += 1
    if sinceSweep >= 1000 {
      oldClock.sweep()
      newClock.sweep()
      sinceSweep = 0
    }
  }

  private mutating func compare(_ entry: OpenEvent) {
    guard entry.isCompared else { return }
    deliveriesBefore += entry.oldEnded.count
    let old = Rehearsal.ordered(entry.oldEnded)
    guard entry.new != nil else {
      for delivery in old { note(.vanishes(delivery), entry.event) }
      return
    }
    deliveriesAfter += entry.newEnded.count
    for difference in RehearsalDiff.between(old, Rehearsal.ordered(entry.newEnded)) { note(difference, entry.event) }
  }

  /// The event as the later configuration would read it: another country reads phone numbers in another way.
  private func reread(_ event: Event, _ source: SourceDefinition) -> Event {
    if before.parts.country == after.parts.country { return event }
    let reception = Reception.of(
      event.body, label: event.fields.name, source: source, country: after.parts.country,
      receivedAt: event.receivedAt, id: event.id)
    if case .event(let event, _) = reception { return event }
    return event
  }

  private mutating func note(_ difference: DeliveryDifference, _ event: Event) {
    guard var group = difference.group else {
      staying += 1
      return
    }
    counts[group.kind, default: 0] += 1
    if groups[group] == nil, groups.count >= Self.mostGroups { group.fields = [] }
    groups[group, default: 0] += 1
    if kept[group, default: []].count >= limit || keptInAll >= 20 * limit { return }
    keptInAll += 1
    let title = [event.fields.name, event.fields.direction].compactMap { $0 }.joined(separator: " ")
    kept[group, default: []].append(
      Detail(event: event.id, title: title, at: event.fields.at, group: group, difference: difference))
  }
}

/// An event on its way through both clocks.
private struct OpenEvent: Sendable {
  var event: Event
  var isCompared: Bool
  /// Its places; nil: it never came.
  var old: Int?
  var new: Int?
  var oldEnded: [RehearsedDelivery] = []
  var newEnded: [RehearsedDelivery] = []
}

extension RouteTable {
  /// How far back its routes look.
  fileprivate var reach: Span {
    var reach = parts.books.values.map(\.span).max() ?? .zero
    var routes = parts.routes
    while let route = routes.popLast() {
      for once in [route.once].compactMap({ $0 }) + (route.sends + route.otherwise).flatMap(\.timing.claims) {
        reach = max(reach, once.period)
      }
      for send in route.sends + route.otherwise { reach = max(reach, send.timing.reach) }
      routes += route.children
    }
    return reach
  }
}

extension SendTiming {
  fileprivate var reach: Span {
    max(throttle?.within ?? .zero, otherwise.map(\.timing.reach).max() ?? .zero)
  }
}

extension ConfigComparison.Group {
  fileprivate var sortText: String { ([route, name] + fields).joined(separator: "\u{1}") }
}

extension DeliveryDifference {
  /// Where it counts; nil: there is no difference.
  fileprivate var group: ConfigComparison.Group? {
    switch self {
    case .appears(let d): .init(kind: .appears, route: d.plan.route, name: d.name, fields: [])
    case .vanishes(let d): .init(kind: .vanishes, route: d.plan.route, name: d.name, fields: [])
    case .changes(_, let d, let fields):
      .init(kind: .changes, route: d.plan.route, name: d.name, fields: fields.map(\.field))
    case .moves(_, let d): .init(kind: .moves, route: d.plan.route, name: d.name, fields: [])
    case .stays: nil
    }
  }
}
