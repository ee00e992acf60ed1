// Two configurations over many events: counts of what would differ, and some of the differences themselves. Its memory
// does not grow with the number of events.

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

  package init(before: RouteTable, after: RouteTable, limit: Int) {
    self.before = before
    self.after = after
    self.limit = limit
  }

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

  /// Takes one more event as it was received. Divert's own alarms are passed over.
  package mutating func add(_ event: Event) {
    if event.source == RouteTable.alarmSource { return }
    events += 1
    let old = Rehearsal(event, under: before, explaining: false)
    deliveriesBefore += old.deliveries.count
    guard let source = after.parts.sources[event.source] else {
      sourcesGone[event.source, default: 0] += 1
      for delivery in old.deliveries { note(.vanishes(delivery), event) }
      return
    }
    let new = Rehearsal(reread(event, source), under: after, explaining: false)
    deliveriesAfter += new.deliveries.count
    for difference in RehearsalDiff.between(old, new) { note(difference, event) }
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
