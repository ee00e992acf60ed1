// When digests are made: beside the commits, one at a time, whenever a block's worth came in.

import DivertCore
import Dispatch
import Synchronization

/// Told by the database thread after each commit; has digests made on a thread of their own.
final class DigestWatch: Sendable {
  private let queue = DispatchQueue(label: "divert.digests", qos: .utility)
  private let seen = Atomic(0)
  private let isUnderWay = Atomic(false)
  private let digest: @Sendable () -> Void

  /// - Parameter digest: makes every digest that can be made.
  init(_ digest: @escaping @Sendable () -> Void) { self.digest = digest }

  /// So many events and ends of messages more. Never waits.
  func note(_ count: Int) {
    if count == 0 { return }
    let (before, now) = seen.add(count, ordering: .relaxed)
    if before / Digesting.blockSize != now / Digesting.blockSize { start() }
  }

  /// Looks at once whether there is something to do.
  func start() {
    guard !isUnderWay.exchange(true, ordering: .acquiringAndReleasing) else { return }
    queue.async { [self] in
      isUnderWay.store(false, ordering: .releasing)
      digest()
    }
  }

  /// Returns when none is being made any more.
  func wait() { queue.sync {} }
}

/// Who may make digests now, and whether what was read for one still holds.
final class DigestTurn: Sendable {
  struct State: Sendable {
    /// Counts what was taken out of the store: a block that was read before is not kept.
    var erasures = 0
    var watch: DigestWatch?
    var hasEnded = false
  }

  /// Held while a digest is made.
  let making = Mutex(())
  let state = Mutex(State())

  var hasEnded: Bool { state.withLock { $0.hasEnded } }
  var erasures: Int { state.withLock { $0.erasures } }

  /// No digest is under way any more, and none is begun.
  func end() {
    let watch = state.withLock { state in
      state.hasEnded = true
      return state.watch
    }
    watch?.wait()
  }
}
