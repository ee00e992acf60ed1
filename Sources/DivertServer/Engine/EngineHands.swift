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

  private let outlets: Outlets
  private let congestion: Congestion
  private let maker: RequestMaker

  init(outlets: Outlets, congestion: Congestion, maker: RequestMaker) {
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
    send(orders.sends, &state)
    bury(orders.letters, &state)
    for notice in orders.alarms { outlets.alarm(notice) }
  }

  // MARK: Sending

  private func send(_ tokens: [JobToken], _ state: inout EngineState) {
    if tokens.isEmpty { return }
    var requests: [TransferRequest] = []
    requests.reserveCapacity(tokens.count)
    for token in tokens {
      switch request(for: token, &state) {
      case .success(let request): requests.append(request)
      case .failure(let unresolved) where unresolved.isPassing: tryAgain(token, unresolved.reason, &state)
      case .failure(let unresolved): state.machine.unsendable(token, unresolved.reason, now: state.now)
      }
    }
    if !outlets.requests(requests) { return refuse(requests, &state) }
  }

  /// What the request is made of cannot be read now: an attempt that failed, and another one later.
  private func tryAgain(_ token: JobToken, _ reason: Reason, _ state: inout EngineState) {
    guard let job = state.machine.job(token) else { return }
    let attempt = Attempt(
      startedAt: state.now, duration: .zero, status: nil, outcome: .retry, reason: reason, answer: "")
    let due = state.machine.attempted(token, attempt, wait: nil, retry: .standard, now: state.now)
    outlets.attempt(AttemptRecord(delivery: job.delivery, attempt: attempt, due: due))
  }

  private func request(for token: JobToken, _ state: inout EngineState) -> Result<TransferRequest, UnresolvedAction> {
    guard let job = state.machine.job(token) else {
      return .failure(UnresolvedAction(reason: Reason("unknown_job", "the delivery is not in hand")))
    }
    return state.resolver.resolve(job.delivery).flatMap { resolution in
      maker.request(for: job.delivery, of: job.event, by: resolution, token: token.rawValue)
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
    let token = JobToken(rawValue: result.token)
    guard let job = state.machine.job(token) else { return }
    if result.failure?.code == .stopped, result.failure?.requestSent == false {
      return state.machine.unsent(token, now: state.now)
    }
    // Its definitions were there when it was sent; are they not now, the answer still counts, by the standard rules.
    let resolution = try? state.resolver.resolve(job.delivery).get()
    let judgement =
      resolution.map { maker.judge(result, by: $0, now: state.now) }
      ?? maker.judge(result, toPerson: job.delivery.plan.toPerson, now: state.now)
    let attempt = Attempt(
      startedAt: state.now - result.duration, duration: result.duration, status: result.status,
      outcome: judgement.outcome, reason: judgement.reason,
      answer: resolution.map { maker.excerpt(result, by: $0) } ?? "")
    let due = state.machine.attempted(
      token, attempt, wait: judgement.wait, retry: resolution?.send.retry ?? .standard, now: state.now)
    outlets.attempt(AttemptRecord(delivery: job.delivery, attempt: attempt, due: due))
  }

  // MARK: Burying

  private func bury(_ tokens: [JobToken], _ state: inout EngineState) {
    if tokens.isEmpty { return }
    var orders: [LetterWriter.Order] = []
    for token in tokens {
      guard let job = state.machine.job(token) else { continue }
      var delivery = job.delivery
      delivery.state = .dead
      var request: EditedRequest?
      if case .success(let resolution) = state.resolver.resolve(delivery) {
        request = maker.masked(delivery, of: job.event, by: resolution)
      }
      let letter = DeadLetter(delivery: delivery, event: job.event, request: request, diedAt: state.now)
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
}
