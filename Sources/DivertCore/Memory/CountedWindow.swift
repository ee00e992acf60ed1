// `count:` answered: how many distinct calls the best window holds.

extension CountTerm {
  /// As many entries are looked at first; they decide most counts of keys that have more.
  static let glance = 256

  /// What it comes to for an event; nil: the event has no value for `per`, and nothing is counted.
  /// - Parameter exact: else it may be less, where more would not change what the comparison says.
  func count<Memory: EventMemory>(
    for event: Event, under table: RouteTable, exact: Bool, memory: inout Memory
  ) throws(Memory.Failure) -> Int? {
    guard let key = table.key(per, event) else { return nil }
    let (at, place) = (event.fields.at, BookPlace(book: book, key: key))
    let reach = Span(milliseconds: within.milliseconds - 1)
    if !exact {
      let first = try memory.entries(of: place, from: at - reach, to: at + reach, limit: Self.glance)
      let count = first.bestWindow(of: within, around: at)
      if first.count < Self.glance || comparison.isSettled(from: count) { return count }
    }
    return try memory.entries(of: place, from: at - reach, to: at + reach).bestWindow(of: within, around: at)
  }
}

extension Comparison {
  /// Says the same of every number from `number` on.
  func isSettled(from number: Int) -> Bool {
    func passed(_ bound: Bound, orAt: Bool = false) -> Bool {
      guard case .number(let limit) = bound, let order = JSONNumber.compare(String(number), limit) else { return true }
      return order > 0 || orAt && order == 0
    }
    return switch self {
    case .atLeast(let bound), .below(let bound): passed(bound, orAt: true)
    case .above(let bound), .atMost(let bound): passed(bound)
    case .between(_, let bound): passed(bound)
    case .isOneOf(let values), .isNoneOf(let values):
      values.allSatisfy { value in if case .number(let text) = value { passed(.number(text)) } else { true } }
    case .contains, .startsWith, .endsWith, .matches, .exists: true
    }
  }
}

extension [BookEntry] {
  /// The most distinct marks in a stretch [s, s + length) that `moment` lies in. The entries are in the order of `at`.
  package func bestWindow(of length: Span, around moment: Timestamp) -> Int {
    var inside: [String: Int] = [:]
    var best = 0
    var end = startIndex
    func look(from start: Timestamp) {
      while end < endIndex, self[end].at < start + length {
        inside[self[end].mark, default: 0] += 1
        end += 1
      }
      best = Swift.max(best, inside.count)
    }
    // A window may as well begin at an entry, or at the moment; none that holds the moment begins after it.
    for first in indices {
      if self[first].at > moment { break }
      if self[first].at > moment - length {
        look(from: self[first].at)
        inside.remove(one: self[first].mark)
      } else {
        end = first + 1
      }
    }
    look(from: moment)
    return best
  }
}

extension [String: Int] {
  fileprivate mutating func remove(one mark: String) {
    guard let count = self[mark] else { return }
    self[mark] = count > 1 ? count - 1 : nil
  }
}
