// Where deliveries of one action gather into batches, at one target's gate (step 6 of the line).

/// What the machine must know of an action's batches.
package struct BatchShape: Sendable, Hashable {
  /// Items at most.
  package var most: Int
  /// How long the first one waits for others.
  package var wait: Span
  /// Each item is recorded before the batch goes, to be asked for after a crash.
  package var records: Bool
  package init(most: Int, wait: Span, records: Bool = false) {
    self.most = most
    self.wait = wait
    self.records = records
  }
}

/// The jobs of one target that wait for others of their kind: of the same action of the same configuration.
struct BatchDesk: Sendable {
  struct Kind: Hashable, Sendable {
    var version: String
    var action: String
  }

  private struct Group: Sendable {
    var shape: BatchShape
    var jobs = RingBuffer<(slot: Int, since: Timestamp)>()

    /// Since when it may go; later than now: when it may.
    var ripeAt: Timestamp? {
      guard let first = jobs.first else { return nil }
      return jobs.count >= shape.most ? first.since : first.since + shape.wait
    }
  }

  var shapes: [String: BatchShape]
  private var groups: [Kind: Group] = [:]
  /// Jobs that came since the clock was looked at.
  private var fresh: [(kind: Kind, slot: Int)] = []
  /// Parts of refused batches: each goes as it is, before the others.
  private var parts = RingBuffer<[Int]>()
  private(set) var count = 0

  init(_ shapes: [String: BatchShape]) { self.shapes = shapes }

  var isEmpty: Bool { count == 0 }

  mutating func add(_ slot: Int, _ kind: Kind) {
    fresh.append((kind, slot))
    count += 1
  }

  mutating func add(part: [Int]) {
    if part.isEmpty { return }
    parts.append(part)
    count += part.count
  }

  /// Those that came since the last turn wait from now on.
  mutating func stamp(_ now: Timestamp) {
    for (kind, slot) in fresh {
      // An action that lost its batches goes one by one.
      let shape = shapes[kind.action] ?? BatchShape(most: 1, wait: .zero)
      groups[kind, default: Group(shape: shape)].jobs.append((slot, now))
    }
    fresh.removeAll(keepingCapacity: true)
  }

  /// When the next batch may go, now or later; nil: nothing is here.
  var ripeAt: Timestamp? { parts.isEmpty ? groups.values.compactMap(\.ripeAt).min() : Timestamp(milliseconds: 0) }

  /// The next batch: a part of a refused one, or of the group that has been ripe longest; `most` jobs of it at the most.
  mutating func take(most: Int) -> [Int] {
    if let part = parts.popFirst() {
      count -= part.count
      let taken = Array(part.prefix(most))
      add(part: Array(part.dropFirst(most)))
      return taken
    }
    let ripest = groups.min { ($0.value.ripeAt ?? .distantFuture) < ($1.value.ripeAt ?? .distantFuture) }
    guard let (kind, _) = ripest else { return [] }
    return take(kind, most: most)
  }

  private mutating func take(_ kind: Kind, most: Int) -> [Int] {
    var taken: [Int] = []
    let limit = min(most, groups[kind]?.shape.most ?? 1)
    while taken.count < limit, let (slot, _) = groups[kind]?.jobs.popFirst() { taken.append(slot) }
    if groups[kind]?.jobs.isEmpty != false { groups[kind] = nil }
    count -= taken.count
    return taken
  }

  /// Everything, in the order in which it came.
  mutating func drain() -> [Int] {
    var all: [Int] = []
    while let part = parts.popFirst() { all += part }
    for kind in Array(groups.keys) {
      while let (slot, _) = groups[kind]?.jobs.popFirst() { all.append(slot) }
    }
    groups = [:]
    all += fresh.map(\.slot)
    fresh = []
    count = 0
    return all
  }

  /// Takes one out.
  mutating func remove(_ slot: Int) {
    count -= fresh.count { $0.slot == slot }
    fresh.removeAll { $0.slot == slot }
    for kind in Array(groups.keys) { count -= groups[kind]?.jobs.removeAll { $0.slot == slot }.count ?? 0 }
    for _ in 0..<parts.count {
      guard let part = parts.popFirst() else { break }
      let rest = part.filter { $0 != slot }
      count -= part.count - rest.count
      if !rest.isEmpty { parts.append(rest) }
    }
  }
}
