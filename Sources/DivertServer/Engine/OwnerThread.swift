// The thread behind an owner of state: it sleeps until its mailbox is filled or a time has come, and is never a pool's.

import DivertCore
import Dispatch
import Glibc
import Synchronization

/// Wakes one sleeping thread. A ring is never lost, and many rings are one.
final class Doorbell: Sendable {
  private let rings = DispatchSemaphore(value: 0)
  private static let longest = Span.seconds(1)

  func ring() { rings.signal() }

  /// Returns when it was rung since the last return, or at `time`; nil: only when rung. Sleeps on the monotonic clock, so that a
  /// clock set back does not prolong it, and looks at the clock every second, so that one set ahead is followed.
  func wait(until time: Timestamp?) {
    guard let time else {
      rings.wait()
      return drain()
    }
    let pause = min(max(.zero, time - WallClock.now()), Self.longest)
    if rings.wait(timeout: .now() + .milliseconds(Int(pause.milliseconds))) == .success { drain() }
  }

  private func drain() {
    while rings.wait(timeout: .now()) == .success {}
  }
}

/// A thread that runs one body to its end and can be joined.
final class OwnerThread: Sendable {
  private let handle: Mutex<pthread_t?>

  /// Starts the thread.
  init(_ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(ThreadBody(run: body))
    var thread = pthread_t()
    let failed = pthread_create(
      &thread, nil,
      { argument in
        // Runs on the new thread, once; takes over the reference that the creator retained.
        guard let argument else { return nil }
        let body = Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
        body.run()
        return nil
      }, box.toOpaque())
    precondition(failed == 0, "the system has no thread left")
    handle = Mutex(thread)
  }

  /// Waits until the body has returned.
  func join() {
    let thread = handle.withLock { handle in
      defer { handle = nil }
      return handle
    }
    if let thread { pthread_join(thread, nil) }
  }
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(run: @escaping @Sendable () -> Void) { self.run = run }
}
