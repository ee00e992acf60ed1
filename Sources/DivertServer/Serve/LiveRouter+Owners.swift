// What operators can ask of this running router: the seam of the operator interface, filled.

import DivertCore

extension LiveRouter {
  /// The running owners as the operator interface sees them. `listen`: where events are posted.
  init(_ owners: Owners, controller: IngestController, listen: @escaping @Sendable () -> String) {
    let engine = owners.engine
    self.init(
      process: {
        Process(
          startedAt: owners.startedAt, configVersion: owners.table.version, sandbox: owners.options.sandbox,
          listen: listen())
      },
      trouble: { await engine.ask { $0.storeTrouble } },
      standing: { await engine.ask { $0.machine.standing(now: $0.now) } },
      attempts: { await engine.ask { $0.machine.standing(now: $0.now).mapValues(\.attempts) } },
      pause: { target, reason in try await owners.rule(target, pause: reason) },
      resume: { target in try await owners.rule(target, pause: nil) },
      cancel: { try await owners.cancel($0) },
      replay: { replays in
        var batch = StoreBatch()
        batch.replays = replays
        return try await owners.commit(batch).replays
      },
      drop: { ids in
        var batch = StoreBatch()
        batch.drops = ids
        _ = try await owners.commit(batch)
      },
      add: { additions in
        var batch = StoreBatch()
        batch.additions = additions
        return try await owners.commit(batch).additions
      },
      ingest: { source, label, body in
        Ingested(await controller.receive(source: source, label: label, body: body))
      },
      watch: { owners.watch.subscribe($0) },
      giveUp: { target, reason in try await owners.giveUp(target, reason) },
      suppress: { changes in
        var batch = StoreBatch()
        batch.suppressions = changes
        return try await owners.commit(batch).suppressions
      })
    forget = { person, events in try await owners.forget(person, events) }
  }
}

extension Owners {
  /// Commits an operator's batch; the engine hears of rows that it left waiting.
  func commit(_ batch: StoreBatch) async throws(StoreError) -> StoreReceipt { try await database.commit(batch) }

  /// Pauses a target, or lifts whatever keeps it waiting; on disk when it returns. The engine alone writes rulings, so
  /// that disk and memory never say different things.
  func rule(_ target: String, pause: Reason?) async throws {
    await engine.ask { state in
      if let pause {
        state.machine.pause(target, pause, now: state.now)
      } else {
        state.machine.resume(target, now: state.now)
      }
    }
    try await settle()
  }

  /// Returns when everything that the engine decided before is on disk.
  func settle() async throws(StoreError) {
    // The question is heard after the turn of the one before it, whose batch is with the database thread by then.
    await engine.ask { _ in }
    _ = try await commit(StoreBatch())
  }

  /// Ends what is meant in memory and on disk; returns how many. Three rounds, because neither side sees what is on its
  /// way between them: the second finds a claim's answer, the third what a turn put back meanwhile.
  func cancel(_ order: Cancel) async throws -> Int {
    var ended = 0
    for _ in 0..<3 {
      ended += await engine.ask { $0.machine.cancel(order, now: $0.now) }
      ended += try await cancelRows(order)
    }
    try await settle()
    return ended
  }

  private func cancelRows(_ order: Cancel) async throws(StoreError) -> Int {
    var ended = 0
    while true {
      var batch = StoreBatch()
      batch.cancels = [order]
      let count = try await commit(batch).cancels.first ?? 0
      ended += count
      if count < order.limit { return ended }
    }
  }
}
