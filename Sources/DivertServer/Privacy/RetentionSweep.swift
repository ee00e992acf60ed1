// `retention:` obeyed: every minute what has become too old goes, in steps so small that nothing waits for them.

package import DivertCore
package import DivertStore
import Logging
import ServiceLifecycle

/// One pass over all that has an age.
package struct RetentionSweep: Sendable {
  package var store: any Store
  package var deadLetters: DeadLetterDirectory
  package var quarantine: Quarantine
  package var retention: Retention
  package var now: Timestamp

  package init(
    store: any Store, deadLetters: DeadLetterDirectory, quarantine: Quarantine, retention: Retention, now: Timestamp
  ) {
    self.store = store
    self.deadLetters = deadLetters
    self.quarantine = quarantine
    self.retention = retention
    self.now = now
  }

  /// Events in one transaction: a few milliseconds of the database's time.
  private static let step = 64

  /// Sweeps events until nothing more is too old. `rest` is called after each step: the time that others have the store for.
  /// - Returns: how many events of each kind.
  package func events(rest: () async throws -> Void) async throws -> [Retention.Kind: Int] {
    var swept: [Retention.Kind: Int] = [:]
    // What goes with everything need not lose its parts before.
    for kind in [Retention.Kind.record, .payloads, .attempts] {
      guard let span = retention[kind] else { continue }
      while true {
        let step = try await Blocking.run { [store, now] in
          try store.sweep(kind, before: now - span, limit: Self.step, now: now)
        }
        swept[kind, default: 0] += step.events
        try await rest()
        if step.isDone { break }
      }
    }
    return swept
  }

  /// Deletes letters that were replayed or dropped, and quarantined bodies, at the age of payloads; digests at that of the record.
  /// - Returns: how many files.
  package func files() async throws -> Int {
    try await Blocking.run { [self] in
      if let span = retention.record { while try store.sweepReports(before: now - span, limit: 16) == 16 {} }
      guard let span = retention.payloads else { return 0 }
      let letters = try deadLetters.shelved(before: now - span)
      try deadLetters.erase(letters)
      let bodies = try quarantine.list(before: now - span)
      for name in bodies { try quarantine.remove(name) }
      return letters.count + bodies.count
    }
  }
}

/// Sweeps from the start on, until the graceful shutdown.
struct RetentionService: Service {
  var store: any Store
  var deadLetters: DeadLetterDirectory
  var quarantine: Quarantine
  var retention: @Sendable () -> Retention
  var log: Logger

  /// Between passes; files are looked through at every sixtieth.
  private static let pause = Duration.seconds(60)

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var pass = 0
      while (try? await Task.sleep(for: pass == 0 ? .seconds(5) : Self.pause)) != nil {
        await sweep(withFiles: pass % 60 == 0)
        pass += 1
      }
    }
  }

  private func sweep(withFiles: Bool) async {
    let retention = retention()
    if retention == Retention() { return }
    let sweep = RetentionSweep(
      store: store, deadLetters: deadLetters, quarantine: quarantine, retention: retention, now: WallClock.now())
    do {
      let swept = try await sweep.events { try await Task.sleep(for: .milliseconds(40)) }
      let files = withFiles ? try await sweep.files() : 0
      let counts =
        swept.filter { $0.value > 0 }.map { ($0.key.rawValue, $0.value) } + (files > 0 ? [("files", files)] : [])
      if counts.isEmpty { return }
      log.info(
        "retention_swept",
        metadata: Logger.Metadata(uniqueKeysWithValues: counts.map { ($0.0, "\($0.1)") }))
    } catch is CancellationError {
      return
    } catch {
      log.warning("retention_failed", metadata: ["reason": "\(error)", "msg": "tried again in a minute"])
    }
  }
}
