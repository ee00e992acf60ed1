// What erasures and sweeps on record account for, so that its absence is no fault.

import DivertCore

struct RecordCoverage {
  /// Events erased by name.
  private var erased: Set<Int64> = []
  private var erasedChanges: Set<Int64> = []
  private var ranges: [String: [ClosedRange<Int64>]] = [:]

  /// Reads the changes that say so. That they are themselves on the chain is checked as for every change.
  init(_ connection: SQLiteConnection) throws {
    let select = try connection.prepare("SELECT kind, content FROM changes WHERE kind IN ('erasure', 'sweep')")
    while try select.step() {
      guard let content = try? JSONValue.parse(select.blob(1)) else { continue }
      if select.text(0) == RecordChangeKind.erasure.rawValue {
        erased.formUnion(Self.numbers(content["events"]))
        erasedChanges.formUnion(Self.numbers(content["changes"]))
      } else if let what = content["what"]?.string, let from = content["from"]?.integer,
        let to = content["to"]?.integer, from <= to
      {
        ranges[what, default: []].append(from...to)
      }
    }
    for what in ranges.keys { ranges[what] = Self.merged(ranges[what] ?? []) }
  }

  static func numbers(_ list: JSONValue?) -> [Int64] { (list?.array ?? []).compactMap(\.integer) }

  /// The event may be gone.
  func covers(event sequence: Int64) -> Bool { erased.contains(sequence) || isSwept("record", sequence) }

  /// It was erased by name, and not swept.
  func names(event sequence: Int64) -> Bool { erased.contains(sequence) }

  func covers(change id: Int64) -> Bool { erasedChanges.contains(id) || isSwept("changes", id) }

  /// `payloads`, `attempts`, `record`.
  func isSwept(_ what: String, _ sequence: Int64) -> Bool {
    guard let ranges = ranges[what] else { return false }
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < sequence { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].contains(sequence)
  }

  private static func merged(_ ranges: [ClosedRange<Int64>]) -> [ClosedRange<Int64>] {
    var merged: [ClosedRange<Int64>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, range.lowerBound <= last.upperBound {
        merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    return merged
  }
}
