// The running router's tokens, as operators' orders reach them: between two turns of the engine.

import DivertCore

extension LiveTokens {
  /// How long a trial waits for its token: a request's time and a little.
  private static let patience = Duration.seconds(35)

  init(_ engine: DeliveryEngine) {
    self.init(
      standing: { name in await engine.ask { $0.tokens.standing(name) } },
      mended: { name in
        await engine.ask { state in
          let now = state.now
          state.tokens.mended(name, now: now)
        }
      },
      renew: { name in await Self.renew(name, engine) })
  }

  private static func renew(_ name: String, _ engine: DeliveryEngine) async -> TokenStanding? {
    let (ended, end) = AsyncStream.makeStream(of: Never.self)
    await engine.ask { state in
      let now = state.now
      state.tokens.renew(name, now: now)
      state.renewing.append((name, { end.finish() }))
    }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { for await _ in ended {} }
      group.addTask { try? await Task.sleep(for: patience) }
      await group.next()
      group.cancelAll()
    }
    let (isBusy, standing) = await engine.ask { ($0.tokens.isBusy(name), $0.tokens.standing(name)) }
    return isBusy ? nil : standing
  }
}
