// Where log lines go: a buffer in memory, written by a queue of its own, so that a slow terminal never holds up a
// delivery.

import Dispatch
import Glibc
package import Logging
import Synchronization

/// Takes finished lines from any thread and writes what gathered within 5 ms with one write(2).
package final class LogWriter: Sendable {
  private struct Pending {
    var bytes: [UInt8] = []
    var lines = 0
    var dropped = 0
  }

  /// Lines below it are not written.
  package let level: Logger.Level
  private let descriptor: Int32
  private let capacity: Int
  private let pending = Mutex(Pending())
  private let output = Mutex(())
  private let queue = DispatchQueue(label: "divert.log")

  /// Writes to `descriptor` (standard error by default). At most `capacity` bytes wait to be written; where the reader
  /// is slower than that, further lines are dropped, counted, and the count written when there is room again.
  package init(level: Logger.Level = .info, descriptor: Int32 = 2, capacity: Int = 8 << 20) {
    self.level = level
    self.descriptor = descriptor
    self.capacity = capacity
  }

  /// Whether a line of this level would be written: asked before one is built.
  package func takes(_ level: Logger.Level) -> Bool { level >= self.level }

  /// Hands over a finished line. Never blocks on the output.
  package func write(_ line: consuming LogLine) {
    let bytes = line.finish()
    let wasEmpty = pending.withLock { pending in
      let wasEmpty = pending.bytes.isEmpty
      if pending.bytes.count + bytes.count > capacity {
        pending.dropped += 1
        return false
      }
      pending.bytes.append(contentsOf: bytes)
      pending.lines += 1
      return wasEmpty
    }
    if wasEmpty { queue.asyncAfter(deadline: .now() + .milliseconds(5)) { self.flush() } }
  }

  /// Writes everything that was handed over before, and returns when it is written.
  package func flush() {
    output.withLock { _ in
      let taken = pending.withLock { pending in
        var taken = Pending()
        swap(&taken, &pending)
        return taken
      }
      put(taken.bytes)
      if taken.dropped > 0 { put(Self.droppedLine(taken.dropped)) }
    }
  }

  private static func droppedLine(_ count: Int) -> [UInt8] {
    var line = LogLine(time: WallClock.now(), level: .warning, event: "log_dropped")
    line.field("lines", Int64(count))
    line.field("reason", "the log's reader is too slow")
    return line.finish()
  }

  /// All of the bytes, or as many as the output takes: a closed output ends it.
  private func put(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { all in
      var rest = all[...]
      while !rest.isEmpty {
        let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count > 0 {
          rest = rest.dropFirst(count)
        } else if errno == EAGAIN {
          var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          poll(&wait, 1, 1000)
        } else if errno != EINTR {
          return
        }
      }
    }
  }
}
