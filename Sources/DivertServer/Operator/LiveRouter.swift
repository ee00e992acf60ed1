// The seam between the operator interface and a running router: what can be asked of its engine while it runs.

package import DivertCore

/// A running router, as closures that its composition root provides. Absent where the data folder is worked on directly.
package struct LiveRouter: Sendable {
  /// What the process is.
  package struct Process: Sendable {
    package var startedAt: Timestamp
    package var configVersion: String
    package var sandbox: Bool
    /// Where events are posted: `http://127.0.0.1:8080`.
    package var listen: String

    package init(startedAt: Timestamp, configVersion: String, sandbox: Bool, listen: String) {
      self.startedAt = startedAt
      self.configVersion = configVersion
      self.sandbox = sandbox
      self.listen = listen
    }
  }

  /// What came of a body handed in as if it had been posted.
  package struct Ingested: Sendable {
    /// The HTTP status that its sender would have got.
    package var status: Int
    /// The answer that its sender would have got: `{"id": …, "status": …}` or `{"error": …}`.
    package var answer: JSONValue

    package init(status: Int, answer: JSONValue) {
      self.status = status
      self.answer = answer
    }
  }

  /// What the process is; called for each answer.
  package var process: @Sendable () -> Process
  /// Why nothing can be accepted now (the store cannot commit); nil: it can.
  package var trouble: @Sendable () async -> StoreError?
  /// Every target the engine knows.
  package var standing: @Sendable () async -> [String: LiveStanding]
  /// Attempts that ended since the start, by target and outcome.
  package var attempts: @Sendable () async -> [String: [AttemptOutcome: Int]]
  /// Stops a target's deliveries (they wait) until `resume`; on disk when it returns.
  package var pause: @Sendable (_ target: String, _ reason: Reason) async throws -> Void
  /// Lifts a pause, a hold or a disablement; on disk when it returns.
  package var resume: @Sendable (_ target: String) async throws -> Void
  /// Ends waiting deliveries as skipped, those in the engine's hands included; returns how many.
  package var cancel: @Sendable (Cancel) async throws -> Int
  /// Plans replays; on disk when it returns, in the order of the requests.
  package var replay: @Sendable ([Replay]) async throws -> [ReplayOutcome]
  /// Notes that dead letters were put away; on disk when it returns.
  package var drop: @Sendable ([DeliveryID]) async throws -> Void
  /// Plans more deliveries for stored events; returns what was really added, in the order of the requests.
  package var add: @Sendable ([Addition]) async throws -> [[PlannedDelivery]]
  /// Takes a body in as if it had been posted to the source's address.
  package var ingest: @Sendable (_ source: String, _ label: String?, _ body: [UInt8]) async -> Ingested
  /// An element each time something became of a delivery of the event, until the consumer stops. What happened before the
  /// call may be left out: the caller looks at the store after it has subscribed.
  package var watch: @Sendable (EventID) async -> AsyncStream<DeliveryID>
  /// Makes dead letters of what waits for a target that is gone; on file and on disk when it returns.
  package var giveUp: @Sendable (_ target: String, _ reason: Reason) async throws -> Void
  /// Changes the suppression list; obeyed when it returns. Whether each changed anything.
  package var suppress: @Sendable ([SuppressionChange]) async throws -> [Bool]

  /// What the router itself knows of a person in memory, and in the file of its own writes, is forgotten.
  package var forget: @Sendable (ErasedPerson, [EventID]) async throws -> Void = { _, _ in }

  package init(
    process: @escaping @Sendable () -> Process, trouble: @escaping @Sendable () async -> StoreError?,
    standing: @escaping @Sendable () async -> [String: LiveStanding],
    attempts: @escaping @Sendable () async -> [String: [AttemptOutcome: Int]],
    pause: @escaping @Sendable (_ target: String, _ reason: Reason) async throws -> Void,
    resume: @escaping @Sendable (_ target: String) async throws -> Void,
    cancel: @escaping @Sendable (Cancel) async throws -> Int,
    replay: @escaping @Sendable ([Replay]) async throws -> [ReplayOutcome],
    drop: @escaping @Sendable ([DeliveryID]) async throws -> Void,
    add: @escaping @Sendable ([Addition]) async throws -> [[PlannedDelivery]],
    ingest: @escaping @Sendable (_ source: String, _ label: String?, _ body: [UInt8]) async -> Ingested,
    watch: @escaping @Sendable (EventID) async -> AsyncStream<DeliveryID>,
    giveUp: @escaping @Sendable (_ target: String, _ reason: Reason) async throws -> Void,
    suppress: @escaping @Sendable ([SuppressionChange]) async throws -> [Bool]
  ) {
    self.suppress = suppress
    self.process = process
    self.trouble = trouble
    self.standing = standing
    self.attempts = attempts
    self.pause = pause
    self.resume = resume
    self.cancel = cancel
    self.replay = replay
    self.drop = drop
    self.add = add
    self.ingest = ingest
    self.watch = watch
    self.giveUp = giveUp
  }
}

extension LiveRouter.Ingested {
  /// What the ingest answered.
  init(_ answer: HTTPAnswer) {
    self.init(status: answer.status, answer: (try? JSONValue.parse(answer.body)) ?? .null)
  }
}
