// The one place of the server that reads the wall clock; pure parts get its answer as an argument.

package import DivertCore
import Glibc

package enum WallClock {
  /// Now, in milliseconds since the Unix epoch, by the system's real-time clock.
  package static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }
}
