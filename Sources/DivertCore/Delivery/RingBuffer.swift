// A first-in, first-out queue of slots for the delivery machine: constant time at both ends, no allocation once grown.

/// A growing ring of elements.
struct RingBuffer<Element> {
  private var storage: [Element?] = []
  private var head = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  mutating func append(_ element: Element) {
    if count == storage.count { grow() }
    storage[(head + count) & (storage.count - 1)] = element
    count += 1
  }

  mutating func popFirst() -> Element? {
    guard count > 0 else { return nil }
    let element = storage[head]
    storage[head] = nil
    head = (head + 1) & (storage.count - 1)
    count -= 1
    return element
  }

  var first: Element? { count > 0 ? storage[head] : nil }

  /// Takes out all that satisfy, keeping the others' order.
  mutating func removeAll(where satisfies: (Element) -> Bool) -> [Element] {
    var taken: [Element] = []
    for _ in 0..<count {
      guard let element = popFirst() else { break }
      if satisfies(element) { taken.append(element) } else { append(element) }
    }
    return taken
  }

  private mutating func grow() {
    var larger: [Element?] = []
    larger.reserveCapacity(max(8, storage.count * 2))
    for place in 0..<count { larger.append(storage[(head + place) & (storage.count - 1)]) }
    larger.append(contentsOf: repeatElement(nil, count: max(8, storage.count * 2) - count))
    storage = larger
    head = 0
  }
}

extension RingBuffer: Sendable where Element: Sendable {}
