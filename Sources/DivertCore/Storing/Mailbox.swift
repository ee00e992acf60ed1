// How the owners hand each other whole batches: a mutex around an array, and a wake when it was empty.

import Synchronization

/// A queue with many senders and one receiver. The receiver takes everything at once; that makes group commit free.
package final class Mailbox<Element: Sendable>: Sendable {
  private let elements = Mutex<[Element]>([])
  private let wake: @Sendable () -> Void

  /// `wake` is called by a sender, outside the lock, whenever the mailbox stops being empty; it must not block.
  package init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

  /// Adds one element.
  package func post(_ element: sending Element) {
    let wasEmpty = elements.withLock { all in
      all.append(element)
      return all.count == 1
    }
    if wasEmpty { wake() }
  }

  /// Adds several, kept together and in order; nothing for an empty array.
  package func post(all batch: [Element]) {
    if batch.isEmpty { return }
    let wasEmpty = elements.withLock { all in
      all.append(contentsOf: batch)
      return all.count == batch.count
    }
    if wasEmpty { wake() }
  }

  /// Takes everything that is there, in the order of posting. Called by the owner only.
  package func drain() -> [Element] {
    elements.withLock { all in
      var taken: [Element] = []
      swap(&taken, &all)
      return taken
    }
  }

  package var isEmpty: Bool { elements.withLock { $0.isEmpty } }
}
