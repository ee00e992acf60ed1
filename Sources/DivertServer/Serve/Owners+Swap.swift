// A configuration goes into force while the router runs: the engine first, then the ingest.

import DivertCore
import ServiceLifecycle

extension Owners {
  /// Returns when every request whose head comes from now on is planned by `next` and every target has its newest address, credentials and limits. Deliveries
  /// keep the routes, actions and arguments of the version that planned them, which the store has. Blocks.
  ///
  /// The engine hears of it before the first event can be planned by it, between two of its turns.
  func swap(_ next: LoadedConfiguration) {
    let sources = next.table.parts.sources
    let unwatched = table.parts.sources.keys.filter { sources[$0]?.silentAfter == nil }
    let settings = next.table.parts.targets.mapValues { TargetSettings($0) }
    let credentials = next.table.parts.credentials.mapValues { CredentialSettings($0) }
    engine.askAndWait { state in
      state.machine.configure(settings, credentials: credentials, rulings: [:], now: state.now)
      state.resolver.swap(to: next.table)
      state.tokens.configure(next.table.tokens, now: state.now)
      for name in unwatched {
        state.machine.settle(alarm: "silent:\(name)", text: "source \(name) is not watched any more")
      }
    }
    silence.watch(sources.keys, now: WallClock.now())
    configs.set(next)
  }

  /// What lies in the file is refused: an alarm, once until it is good again.
  func raise(refusedConfiguration text: String) {
    engine.post(.command { $0.machine.raise(alarm: "config", text: text) })
  }

  func settle(goodConfiguration text: String) {
    engine.post(.command { $0.machine.settle(alarm: "config", text: text) })
  }

  /// Gives up what waits for a target that is gone: dead letters with this reason. Returns when all are on file and their rows
  /// on disk, or when the router stops.
  func giveUp(_ target: String, _ reason: Reason) async throws {
    let (ends, tell) = AsyncStream.makeStream(of: Never.self)
    await engine.ask { state in
      state.machine.giveUp(target, reason, now: state.now)
      state.givingUp.append((target, { tell.finish() }))
    }
    await cancelWhenGracefulShutdown { for await _ in ends {} }
    try await settle()
  }
}
