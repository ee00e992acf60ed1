// What the operator interface works on: the store, the files beside it, the configuration, and the live router if there is one.

package import DivertCore
package import DivertStore
import Dispatch

/// Everything that a command may touch. Made by the composition root of a running router, or by `OfflineRouter` where the
/// data folder is worked on directly.
package struct OperatorContext: Sendable {
  package var store: any Store
  package var deadLetters: DeadLetterDirectory
  package var quarantine: Quarantine
  /// Takes a quarantined body in again by its file's name; nil: there is none of that name.
  package var retryQuarantined: @Sendable (_ name: String) async throws -> LiveRouter.Ingested?
  /// Nil: no router runs, and this process holds the data folder's lock.
  package var live: LiveRouter?
  /// The configuration in force; nil where there is none (it could not be read). The commands that need one say so.
  package var table: @Sendable () -> RouteTable?
  /// A stored configuration compiled again; nil where the store has none of that version or it does not compile any more.
  package var tableOfVersion: @Sendable (_ version: String) -> RouteTable?
  /// Changes of the configuration; nil where there are none to be made.
  package var keeper: ConfigKeeper?
  /// The clock.
  package var now: @Sendable () -> Timestamp
  /// The main file of the configuration, for edits; nil where none can be edited.
  package var configPath: String?
  /// The sandbox's emulator; nil where none runs here.
  package var sandbox: SandboxDesk?
  /// To be called before what routes remember is asked, or events are taken in: in a running router it is ready at all times.
  package var remember: @Sendable () throws -> Void = {}
  /// Tokens of credentials; nil where there is nothing to fetch them with.
  package var credentials: CredentialOffice?
  /// The key that signs extracts of the record.
  var recordKey: (@Sendable () throws -> RecordKey)?

  package init(
    store: any Store, deadLetters: DeadLetterDirectory, quarantine: Quarantine,
    retryQuarantined: @escaping @Sendable (String) async throws -> LiveRouter.Ingested?, live: LiveRouter?,
    table: @escaping @Sendable () -> RouteTable?, tableOfVersion: @escaping @Sendable (String) -> RouteTable?,
    keeper: ConfigKeeper? = nil, now: @escaping @Sendable () -> Timestamp
  ) {
    self.store = store
    self.deadLetters = deadLetters
    self.quarantine = quarantine
    self.retryQuarantined = retryQuarantined
    self.live = live
    self.table = table
    self.tableOfVersion = tableOfVersion
    self.keeper = keeper
    self.now = now
  }
}

extension OperatorContext {
  /// The configuration in force, for the commands that cannot do without.
  func requireTable() throws -> RouteTable {
    if let table = table() { return table }
    throw OperatorFailure.conflict(
      "no_configuration", "this needs a routes.yaml that can be read; `divert check` says what is wrong with it")
  }

  /// Ends waiting deliveries; returns how many. Goes on in bounded transactions until none is left.
  func cancel(_ cancel: Cancel) async throws -> Int {
    if let live { return try await live.cancel(cancel) }
    return try await Blocking.run {
      var ended = try cancelOpen(cancel)
      while true {
        var batch = StoreBatch()
        batch.cancels = [cancel]
        let turn = try store.commit(batch, now: now()).cancels.first ?? 0
        ended += turn
        if turn < cancel.limit { return ended }
      }
    }
  }

  /// Ends what waits in its event's row, as a stopped router left it; returns how many.
  private func cancelOpen(_ cancel: Cancel) throws(StoreError) -> Int {
    var ended = 0
    var last: EventID?
    repeat {
      let found = try store.recover(after: last, limit: cancel.limit)
      var batch = StoreBatch()
      for one in found {
        var update = PackedUpdate(event: one.event.id, states: one.states)
        for (ordinal, state) in one.states.enumerated() where state == .open {
          guard cancel.covers(DeliveryID(event: one.event.id, ordinal: ordinal), one.planned[ordinal]) else { continue }
          update.states[ordinal] = .ended(.skipped, reason: cancel.reason, attempt: nil)
          ended += 1
        }
        if update.states != one.states { batch.packed.append(update) }
      }
      if !batch.isEmpty { _ = try store.commit(batch, now: now()) }
      last = found.count == cancel.limit ? found.last?.event.id : nil
    } while last != nil
    return ended
  }

  /// Plans replays, in order.
  func replay(_ replays: [Replay]) async throws -> [ReplayOutcome] {
    if let live { return try await live.replay(replays) }
    return try await Blocking.run {
      var batch = StoreBatch()
      batch.replays = replays
      return try store.commit(batch, now: now()).replays
    }
  }

  /// Notes that dead letters were put away: they no longer count as dead that want attention.
  func drop(_ ids: [DeliveryID]) async throws {
    if ids.isEmpty { return }
    if let live { return try await live.drop(ids) }
    try await Blocking.run {
      var batch = StoreBatch()
      batch.drops = ids
      _ = try store.commit(batch, now: now())
    }
  }

  /// Plans more deliveries for stored events; returns what was really added.
  func add(_ additions: [Addition]) async throws -> [[PlannedDelivery]] {
    if additions.isEmpty { return [] }
    if let live { return try await live.add(additions) }
    return try await Blocking.run {
      var batch = StoreBatch()
      batch.additions = additions
      return try store.commit(batch, now: now()).additions
    }
  }

  /// Rules a target by hand; nil lifts every ruling.
  func rule(_ target: String, _ ruling: TargetRuling?) async throws {
    switch (live, ruling) {
    case (let live?, let ruling?): try await live.pause(target, ruling.reason)
    case (let live?, nil): try await live.resume(target)
    case (nil, _):
      try await Blocking.run {
        var batch = StoreBatch()
        batch.targetStates[target] = .some(ruling)
        _ = try store.commit(batch, now: now())
      }
    }
  }
}

/// Where blocking work (SQLite, files) runs, so that it never holds a thread of Swift's cooperative pool.
enum Blocking {
  private static let queue = DispatchQueue(label: "divert.operator", attributes: .concurrent)

  /// Runs `work`, which cannot fail, on a thread that may block.
  static func run(_ work: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { continuation in
      queue.async {
        work()
        continuation.resume()
      }
    }
  }

  /// Runs `work` on a thread that may block, and hands its result back.
  static func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Swift.Result(catching: work)) }
    }
  }
}
