// The owners as a service of the process: up when the sandbox's emulator is, down after the addresses are.

import DivertCore
import Logging
import ServiceLifecycle

/// Starts the owners once it is told where the emulator listens (at once without a sandbox), and stops them on shutdown.
struct EngineService: Service {
  var owners: Owners
  /// The emulator's port when there is one; ends empty without a sandbox.
  var emulatorPort: AsyncStream<Int>
  var verdicts: [DeliveryID: Delivery]
  /// The last definition of a target that is gone.
  var retired: @Sendable (String) -> TargetDefinition?
  var started: @Sendable () -> Void

  func run() async throws {
    var port: Int?
    for await one in emulatorPort {
      port = one
      break
    }
    let emulator = port.map { "http://127.0.0.1:\($0)" }
    let (owners, verdicts) = (owners, verdicts)
    let (retired, grace) = (retired, owners.table.parts.server.grace)
    try await Blocking.run { try owners.start(emulator: emulator, verdicts: verdicts, retired: retired) }
    started()
    await watch()
    await owners.stop(grace: grace)
  }

  /// Returns when the shutdown begins. Meanwhile, by the newest configuration, sources that fall silent raise an alarm, and heads of
  /// the record are published.
  private func watch() async {
    let owners = owners
    await cancelWhenGracefulShutdown {
      var watches = Self.watches(owners)
      for await _ in owners.configs.changes {
        for watch in watches { watch.cancel() }
        watches = Self.watches(owners)
      }
      for watch in watches { watch.cancel() }
    }
  }

  private static func watches(_ owners: Owners) -> [Task<Void, Never>] {
    let publisher = RecordPublisher(
      table: { owners.table }, store: owners.store, append: { owners.database.post(.append($0, reply: nil)) },
      log: owners.log)
    return [Task { await watch(owners) }, Task { await publisher.run() }]
  }

  /// Looks now and then, until it is cancelled or no source has a limit.
  private static func watch(_ owners: Owners) async {
    guard let interval = SilenceWatch.interval(owners.table.parts.sources) else { return }
    while !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(interval.milliseconds))
      if Task.isCancelled { return }
      let (silent, heard) = owners.silence.judge(owners.table.parts.sources, now: WallClock.now())
      _ = await owners.engine.ask { state in
        for (name, text) in silent { state.machine.raise(alarm: "silent:\(name)", text: text) }
        for name in heard { state.machine.settle(alarm: "silent:\(name)", text: "source \(name) is heard again") }
      }
    }
  }
}
