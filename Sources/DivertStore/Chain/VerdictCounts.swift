// What leaves add to the counts of a verdict.

import DivertCore

extension RecordVerdict {
  mutating func count(_ leaf: Leaf, entry: Int64) {
    func count(_ counts: inout Counts) {
      switch leaf.kind {
      case .event: counts.events += 1
      case .ends, .end: counts.deliveries += leaf.ordinals.count
      case .change: counts.changes += 1
      case .entry: break
      }
    }
    count(&sealed)
    if entry > anchoredThrough { count(&unanchored) }
  }
}
