// What the answer to a stage's request means: for its delivery, for those who wait for the same answer, and in the log (step 9 of the
// line).

import DivertCore
import DivertTransport

extension EngineHands {
  /// Takes the result of a stage's request in.
  func conclude(
    _ result: TransferResult, of stage: StagesInHand.Underway, _ access: TokenAccess?, _ token: JobToken,
    _ job: (delivery: Delivery, event: Event), _ state: inout EngineState
  ) {
    noteQuota(result, stage.resolution, &state)
    let judgement = renewing(
      judge(result, of: stage, job, now: state.now), stage.resolution.target, access, job.delivery, &state)
    let exchange = maker.exchange(result, readsHeaders: stage.resolution.readsHeaders)
    var memo = job.delivery.memo
    let outcome = stage.request.settle(
      exchange, judgement, patterns: stage.resolution.table.patterns, memo: &memo)
    var attempt = Attempt(
      startedAt: state.now - result.duration, duration: result.duration, status: result.status,
      outcome: judgement.outcome, reason: judgement.reason, answer: maker.excerpt(result, by: stage.resolution, access),
      stage: stage.request.stage)
    let due = take(outcome, &attempt, judgement, memo, stage, token, job, &state)
    outlets.attempt(AttemptRecord(delivery: job.delivery, attempt: attempt, due: due))
    let held = held(outcome, stage, exchange, judgement, memo)
    close(stage, token, of: job.event.id, held: held, &state)
  }

  /// A batch of it alone is judged by what the answer says of the one item.
  private func judge(
    _ result: TransferResult, of stage: StagesInHand.Underway, _ job: (delivery: Delivery, event: Event), now: Timestamp
  ) -> Judgement {
    let whole = maker.judge(result, by: stage.resolution, now: now)
    if !stage.request.isOwn { return whole }
    return maker.judge(alone: job.delivery, of: job.event, whole, result, by: stage.resolution, now: now) ?? whole
  }

  /// Its outcome as facts for the machine. Returns when the next attempt may go, where one is set.
  private func take(
    _ outcome: StageOutcome, _ attempt: inout Attempt, _ judgement: Judgement, _ memo: DeliveryMemo,
    _ stage: StagesInHand.Underway, _ token: JobToken, _ job: (delivery: Delivery, event: Event),
    _ state: inout EngineState
  ) -> Timestamp? {
    let retry = retry(job.delivery, &state)
    switch outcome {
    case .onward where stage.request.isVerify:
      attempt.outcome = .ok
      attempt.reason = Reason("not_arrived", "the target was asked and does not know it: it is sent again")
      return state.machine.verified(token, attempt, landed: false, retry: retry, now: state.now)
    case .onward:
      if !judgement.outcome.isOK {
        attempt.outcome = .ok
        attempt.reason = Reason("nothing_found", "answer \(attempt.status ?? 0): there is no such thing")
      }
      goOn(attempt, memo, token, job, &state)
      return nil
    case .ended(let ended) where stage.request.isVerify:
      attempt.outcome = ended.outcome
      attempt.reason = ended.reason
      return state.machine.verified(token, attempt, landed: true, retry: retry, now: state.now)
    case .uncertain(let after):
      return state.machine.attempted(
        token, attempt, wait: judgement.wait, retry: retry, verify: after, now: state.now)
    case .ended(let failed), .failed(let failed):
      var retry = retry
      retry.least = failed.atLeast
      // What was not found may be there by now: it is looked for again, and what its event was told of it holds no more.
      if case .create = stage.request.purpose, failed.outcome == .retry {
        state.stages.desk.disown(job.event.id, of: stage.request.target)
      }
      attempt.outcome = failed.outcome
      attempt.reason = failed.reason.named(by: stage.request.stage)
      state.machine.remember(token, memo)
      return state.machine.attempted(token, attempt, wait: failed.wait, retry: retry, now: state.now)
    }
  }

  /// The memo is to be stored; the next stage is known already, and with it the queue.
  private func goOn(
    _ attempt: Attempt, _ memo: DeliveryMemo, _ token: JobToken, _ job: (delivery: Delivery, event: Event),
    _ state: inout EngineState
  ) {
    var memo = memo
    var end = StageEnd.onward(queue: job.delivery.queue)
    if case .success(let resolution) = state.resolver.resolve(job.delivery) {
      let next = resolution.recipe.stage(
        of: job.event, plan: job.delivery.plan, memo: &memo, taking: job.delivery.edited?.step)
      switch next {
      case .ask(let next): end = .onward(queue: next.target == job.delivery.plan.target ? nil : next.target)
      case .skip(let reason): end = .skipped(reason)
      case .dead(let reason): end = .dead(reason)
      case .done, .hold, .expired, .consult: end = .onward(queue: nil)
      }
    }
    state.machine.staged(token, attempt, memo, end, now: state.now)
  }

  private func retry(_ delivery: Delivery, _ state: inout EngineState) -> RetrySettings {
    (try? state.resolver.resolve(delivery).get())?.send.retry ?? .standard
  }

  // MARK: Sharing

  /// What the lookup desk keeps of it; nil: nothing.
  private func held(
    _ outcome: StageOutcome, _ stage: StagesInHand.Underway, _ exchange: ExchangeResult, _ judgement: Judgement,
    _ memo: DeliveryMemo
  ) -> LookupDesk.Held? {
    switch stage.request.purpose {
    case .lookup:
      // What this lookup cannot use another one may.
      guard case .answered(var answer) = exchange else { return nil }
      if case .failed = outcome, !judgement.outcome.isOK { return nil }
      answer.headers = []
      return .answer(answer, judgement)
    case .create(let lookup): return outcome == .onward ? memo.lookups[lookup.name].map { .created($0) } : nil
    case .step, .verify, .delivery: return nil
    }
  }

  /// The question is answered, or not: who waits for it goes on, or asks itself.
  func close(
    _ stage: StagesInHand.Underway, _ token: JobToken, of event: EventID?, held: LookupDesk.Held? = nil,
    _ state: inout EngineState
  ) {
    guard let question = stage.question else { return }
    let waiters = state.stages.desk.close(question, by: token)
    if let held {
      let events = [event] + waiters.map { state.machine.job($0)?.event.id }
      state.stages.desk.answered(question, held, to: events.compactMap { $0 }, now: state.now)
    }
    wake(waiters, &state)
  }
}

extension Reason {
  /// The same, saying what was asked; its code is its own.
  fileprivate func named(by stage: String?) -> Reason {
    guard let stage, !code.hasPrefix("lookup_") else { return self }
    return Reason(code, "\(stage): \(sentence)")
  }
}
