// The running router's tokens, as operators' orders reach them: between two turns of the engine.

import DivertCore

extension LiveTokens {
  /// How long a trial waits for its token: a request's time and a little.
  private static let patience = Span.seconds(35)

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
    let start = WallClock.now()
    await engine.ask { state in
      let now = state.now
      state.tokens.renew(name, now: now)
    }
    while WallClock.now() - start < patience {
      let (busy, standing) = await engine.ask { ($0.tokens.isBusy(name), $0.tokens.standing(name)) }
      if !busy { return standing }
      try? await Task.sleep(for: .milliseconds(20))
    }
    return nil
  }
}
