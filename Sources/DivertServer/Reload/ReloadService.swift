// What sets a change of the configuration off from outside: a saved file, SIGHUP.

import DivertStore
import Glibc
import Logging
import ServiceLifecycle
import UnixSignals

/// Ends what reads history for a change, as soon as the shutdown begins.
struct GatheringEnd: Service {
  var keeper: ConfigKeeper

  func run() async throws {
    try? await gracefulShutdown()
    keeper.hurry()
  }
}

/// Watches until the graceful shutdown; returns when no change is under way any more.
struct ReloadService: Service {
  var keeper: ConfigKeeper
  var log: Logger
  /// Where secrets lie: what was refused for want of one is tried again when it appears.
  var secrets: String
  /// Ends when the router is up; before, nothing is swapped.
  var ready: AsyncStream<Never>

  func run() async throws {
    // First of all: untaken, SIGHUP ends the process.
    let signals = await UnixSignalsSequence(trapping: .sighup)
    let (keeper, ready) = (keeper, ready)
    await cancelWhenGracefulShutdown { for await _ in ready {} }
    if Task.isCancelled { return }
    let watch = FileWatch(main: keeper.path, besides: [secrets]) { keeper.fileChanged() }
    if watch == nil {
      log.warning(
        "config_watch",
        metadata: ["reason": "\(String(cString: strerror(errno)))", "msg": "saves are not noticed: send SIGHUP"])
    }
    // What was saved between the start's look at the file and this moment.
    await Blocking.run { keeper.fileChanged() }
    await cancelWhenGracefulShutdown {
      for await _ in signals {
        let reloaded: Void? = try? await Blocking.run { try keeper.reload(ConfigOrigin(way: .signal, who: "file")) }
        // What speaks against it is in the log and in the status.
        _ = reloaded
      }
    }
    await Blocking.run {
      watch?.stop()
      keeper.close()
    }
  }
}
