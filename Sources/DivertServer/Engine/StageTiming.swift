// What is known when a delivery is looked at, and the end of those that expire while they wait (between steps 6 and 7 of the line).

import DivertCore

extension EngineHands {
  /// What a look at a delivery is judged by.
  func context(of token: JobToken, _ delivery: Delivery, _ event: Event, _ state: EngineState) -> DueContext {
    var due = DueContext(
      now: state.now, suppression: suppressions.entry(for: event.fields.customerPhone, at: state.now),
      answer: state.machine.answer(of: token))
    due.delivery = delivery.id
    due.isReplay = delivery.replayOf != nil
    due.isEdited = delivery.isEditedAlone
    return due
  }

  /// Ends what has expired while it waited, with what follows.
  func expire(_ tokens: [JobToken], _ state: inout EngineState) {
    for token in tokens {
      guard let job = state.machine.job(token), let time = job.delivery.plan.expires else { continue }
      switch state.resolver.resolve(job.delivery) {
      case .success(let resolution):
        expire(token, job.delivery, job.event, resolution, resolution.recipe.expiry(time), &state)
      case .failure(let unresolved) where unresolved.isPassing: state.machine.stays(token, now: state.now)
      case .failure(let unresolved):
        state.machine.expiredUnsendable(token, unresolved.reason, now: state.now)
      }
    }
  }

  /// It ends as expired; what stands under `otherwise` is planned in the same transaction.
  func expire(
    _ token: JobToken, _ delivery: Delivery, _ event: Event, _ resolution: Resolution, _ reason: Reason,
    _ state: inout EngineState
  ) {
    let followUps = resolution.table.followUps(of: delivery.plan, event, now: state.now)
    state.machine.expired(token, reason, followUps: followUps, now: state.now)
  }
}
