// A router's own wall clock, which a test sets ahead: what is promised within the hour can be broken within a second.

import DivertCore
import Foundation

/// What the router takes for the time of day, by libfaketime: the real clock and an offset that is read anew at every look.
/// Intervals (time-outs, sleeps) stay real.
final class WallClockOfAnother: Sendable {
  private let file: URL

  /// - Parameter now: what the clock shows first.
  init(in folder: URL, now: Timestamp) throws {
    file = folder.appendingPathComponent("clock")
    try set(now)
  }

  /// From now on it shows this, and goes on from there.
  func set(_ time: Timestamp) throws {
    let real = Int64(Date().timeIntervalSince1970 * 1000)
    let offset = Double(time.milliseconds - real) / 1000
    try String(format: "%+.3f", offset).write(to: file, atomically: true, encoding: .utf8)
  }

  /// What makes a process see it; nil: the library is not installed (`scripts/setup test` installs it).
  var environment: [String: String]? {
    let places = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
    let library = places.map { "/usr/lib/\($0)/faketime/libfaketimeMT.so.1" }
      .first { FileManager.default.fileExists(atPath: $0) }
    return library.map { library in
      [
        "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": file.path, "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
        // Set by the library otherwise, which moves the environment, and Swift finds its arguments beside that.
        "FAKETIME_SHARED": "/divert-no-semaphore /divert-no-memory",
      ]
    }
  }
}
