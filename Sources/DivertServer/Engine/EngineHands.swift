// What the engine does with orders: renders and submits requests (steps 7 and 8), judges answers (step 9), hands batches to the
// database thread and letters to theirs, and writes the line of each attempt.

import DivertCore
import DivertTransport

/// The engine's connections to the other owners. Called on the engine's thread alone.
final class EngineHands: Sendable {
  /// Where orders go; each takes a batch and returns at once.
  struct Outlets: Sendable {
    var database: @Sendable (DatabaseMessage) -> Void
    var letters: @Sendable ([LetterWriter.Order]) -> Void
    /// False: nothing was taken (the transport is shut down).
    var requests: @Sendable ([TransferRequest]) -> Bool
    var alarm: @Sendable (AlarmNotice) -> Void
    var attempt: @Sendable (AttemptRecord) -> Void
  }

  let outlets: Outlets
  private let congestion: Congestion
  let maker: RequestMaker
  let tokens: TokenShell
  /// Who is not to be written to.
  let suppressions: SuppressionList

  init(
    outlets: Outlets, congestion: Congestion, maker: RequestMaker, tokens: TokenShell, suppressions: SuppressionList
  ) {
    self.tokens = tokens
    self.suppressions = suppressions
    self.outlets = outlets
    self.congestion = congestion
    self.maker = maker
  }

  /// Carries out one turn's orders. The batch goes first, so that claims see it.
  func carryOut(_ orders: MachineOrders, _ state: inout EngineState) {
    congestion.set(orders.congestion)
    congestion.engineHolds(state.machine.count)
    if orders.turn != nil || !orders.claims.isEmpty {
      outlets.database(.engine(turn: orders.turn, orders.batch, orders.claims))
    }
    expire(orders.expired, &state)
    send(orders.sends, &state)
    send(orders.batches, &state)
    bury(orders.letters, &state)
    for notice in orders.alarms { outlets.alarm(notice) }
  }

  // MARK: Sending

  private func send(_ tokens: [JobToken], _ state: inout EngineState) {
    if tokens.isEmpty { return }
    var requests: [TransferRequest] = []
    requests.reserveCapacity(tokens.count)
    for token in tokens {
      guard let job = state.machine.job(token) else { continue }
      if job.delivery.isInStages {
        if let request = nextRequest(token, &state) { requests.append(request) }
        continue
      }
      switch request(for: job, token, &state) {
      case .success(let request): requests.append(request)
      case .failure(let unresolved):
        if !state.accesses.isEmpty { state.accesses[token] = nil }
        if unresolved.isPassing {
          tryAgain(token, unresolved, &state)
        } else {
          state.machine.unsendable(token, unresolved.reason, now: state.now)
        }
      }
    }
    if !outlets.requests(requests) { return refuse(requests, &state) }
  }

  /// What the request is made of cannot be read now: an attempt that failed, and another one later.
  func tryAgain(_ token: JobToken, _ unresolved: UnresolvedAction, _ state: inout EngineState) {
    guard let job = state.machine.job(token) else { return }
    let attempt = Attempt(
      startedAt: state.now, duration: .zero, status: nil, outcome: unresolved.outcome, reason: unresolved.reason,
      answer: "")
    let due = state.machine.attempted(token, attempt, wait: nil, retry: .standard, now: state.now)
    outlets.attempt(AttemptRecord(delivery: job.delivery, attempt: attempt, due: due))
  }

  private func request(
    for job: (delivery: Delivery, event: Event), _ token: JobToken, _ state: inout EngineState
  ) -> Result<TransferRequest, UnresolvedAction> {
    state.resolver.resolve(job.delivery).flatMap { resolution in
      state.access(resolution.target, for: token).flatMap { access in
        maker.request(for: job.delivery, of: job.event, by: resolution, access, token: token.rawValue)
      }
    }
  }

  /// The transport is shut down: the attempt did not happen.
  private func refuse(_ requests: [TransferRequest], _ state: inout EngineState) {
    let failure = TransferFailure(.stopped, "the router is stopping", requestSent: false)
    for request in requests { conclude(TransferResult(token: request.token, failure: failure), &state) }
  }

  // MARK: Judging

  /// Takes one result in: what the target said becomes a fact for the machine and a line in the log.
  func conclude(_ result: TransferResult, _ state: inout EngineState) {
    if tokens.conclude(result, &state) { return }
    let token = JobToken(rawValue: result.token)
    if token.isBatch { return conclude(batch: result, token, &state) }
    let access = state.accesses.isEmpty ? nil : state.accesses.removeValue(forKey: token)
    let stage = state.stages.underway.isEmpty ? nil : state.stages.underway.removeValue(forKey: token)
    guard let job = state.machine.job(token) else {
      if let stage { close(stage, token, of: nil, &state) }
      return
    }
    if result.failure?.code == .stopped, result.failure?.requestSent == false {
      state.machine.unsent(token, now: state.now)
      if let stage { close(stage, token, of: job.event.id, &state) }
      return
    }
    if let stage { return conclude(result, of: stage, access, token, job, &state) }
    // Its definitions were there when it was sent; are they not now, the answer still counts, by the standard rules.
    let resolution = try? state.resolver.resolve(job.delivery).get()
    var judgement =
      resolution.map { maker.judge(result, by: $0, isEdited: job.delivery.edited != nil, now: state.now) }
      ?? maker.judge(result, toPerson: job.delivery.plan.toPerson, now: state.now)
    if let resolution {
      noteQuota(result, resolution, &state)
      judgement =
        maker.judge(alone: job.delivery, of: job.event, judgement, result, by: resolution, now: state.now) ?? judgement
      judgement = renewing(judgement, resolution.target, access, job.delivery, &state)
    }
    let attempt = Attempt(
      startedAt: state.now - result.duration, duration: result.duration, status: result.status,
      outcome: judgement.outcome, reason: judgement.reason,
      answer: resolution.map { maker.excerpt(result, by: $0, access) } ?? "")
    var retry = resolution?.send.retry ?? .standard
    retry.least = judgement.atLeast
    // Of an edited request nobody knows how to ask: the question would be after the one that was planned.
    let verify = job.delivery.edited == nil ? resolution?.verifyAfter : nil
    let due = state.machine.attempted(
      token, attempt, wait: judgement.wait, retry: retry, verify: verify, now: state.now)
    outlets.attempt(AttemptRecord(delivery: job.delivery, attempt: attempt, due: due))
  }

  /// What the token machine makes of an answer `refresh`. The delivery machine hears that the token is gone before it hears of the
  /// attempt.
  func renewing(
    _ judgement: Judgement, _ target: TargetDefinition, _ access: TokenAccess?, _ delivery: Delivery,
    _ state: inout EngineState
  ) -> Judgement {
    guard judgement.outcome == .refresh else { return judgement }
    defer { tokens.turn(&state) }
    return state.renewing(judgement, target, access, delivery)
  }

  // MARK: Burying

  private func bury(_ tokens: [JobToken], _ state: inout EngineState) {
    if tokens.isEmpty { return }
    var orders: [LetterWriter.Order] = []
    for token in tokens {
      guard let job = state.machine.job(token) else { continue }
      var delivery = job.delivery
      delivery.state = .dead
      let resolution = try? state.resolver.resolve(delivery).get()
      let letter = DeadLetter(
        delivery: delivery, event: job.event,
        request: resolution.flatMap { maker.masked(delivery, of: job.event, by: $0) }, diedAt: state.now,
        isMessage: resolution.map(\.action.toPerson))
      orders.append(LetterWriter.Order(token: token, letter: letter))
    }
    outlets.letters(orders)
  }
}

/// What the log's line of an attempt is made of.
struct AttemptRecord: Sendable {
  /// As it stood before the attempt.
  var delivery: Delivery
  var attempt: Attempt
  /// When the next one may go; nil where none follows.
  var due: Timestamp?
  /// Deliveries in its request.
  var items = 1
}
