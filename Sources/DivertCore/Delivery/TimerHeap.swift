// The delivery machine's alarm clock: which target to look at again, and when. A binary heap, validated by its user.

/// Pairs of a time and a number, the earliest first.
struct TimerHeap: Sendable {
  private struct Timer: Sendable {
    var at: Timestamp
    var target: Int
  }
  private var heap: [Timer] = []

  /// The earliest time; nil: nothing is set.
  var nextAt: Timestamp? { heap.first?.at }

  mutating func set(_ target: Int, at: Timestamp) {
    heap.append(Timer(at: at, target: target))
    var child = heap.count - 1
    while child > 0, heap[child].at < heap[(child - 1) / 2].at {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// Takes the earliest target if its time has come.
  mutating func pop(due now: Timestamp) -> (target: Int, at: Timestamp)? {
    guard let first = heap.first, first.at <= now else { return nil }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    sink()
    return (first.target, first.at)
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].at < heap[least].at {
        least = child
      }
      if least == parent { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
