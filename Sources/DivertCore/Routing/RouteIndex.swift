// Which top routes can match an event of a name, found at load, so that planning does not grow with the number of
// routes.

/// Places in `RouteTable.Parts.routes`, in their order there.
struct RouteIndex: Sendable {
  private var byName: [String: [Int]] = [:]
  /// Those whose `when` does not pin the event's name.
  private var open: [Int] = []

  init(_ routes: [Route]) {
    let pinned = routes.map(\.when.eventNames)
    for (place, names) in pinned.enumerated() {
      guard let names else {
        for name in byName.keys { byName[name]?.append(place) }
        open.append(place)
        continue
      }
      for name in names { byName[name, default: open].append(place) }
    }
  }

  /// The routes worth judging for an event of that name.
  func places(for name: String) -> [Int] { byName[name] ?? open }
}

extension Condition {
  /// The events' names outside which the condition is false; nil: any name will do.
  var eventNames: Set<String>? {
    switch self {
    case .value(.field(.event), .isOneOf(let values)): return Set(values.compactMap(\.string))
    case .value, .not, .count, .suppressed: return nil
    case .all(let conditions):
      let pinned = conditions.compactMap(\.eventNames)
      return pinned.first.map { first in pinned.dropFirst().reduce(first) { $0.intersection($1) } }
    case .any(let conditions):
      var all: Set<String> = []
      for condition in conditions {
        guard let names = condition.eventNames else { return nil }
        all.formUnion(names)
      }
      return all
    }
  }
}
