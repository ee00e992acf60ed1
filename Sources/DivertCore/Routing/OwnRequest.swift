// Which of its requests is a delivery's own: the one whose answer is the delivery's (between steps 6 and 7 of the line).

extension RequestRecipe {
  /// The delivery's one request, or the last of its steps.
  package func ownRequest(of plan: PlannedDelivery) -> StageRequest {
    guard let last = action.steps.last else {
      return StageRequest(.delivery, target: plan.target, action: action, name: plan.action, step: "")
    }
    return StageRequest(
      .delivery, target: plan.target, action: last.request, name: plan.action + "." + last.name, step: last.name)
  }

  /// The request that comes next, those of lookups left out: of a dead delivery the one that was refused, or would have been next.
  package func pendingRequest(
    of event: Event, plan: PlannedDelivery, memo: DeliveryMemo, taking edited: String? = nil
  ) -> StageRequest {
    if action.steps.isEmpty { return ownRequest(of: plan) }
    var memo = memo
    memo.isUncertain = false
    memo.isCleared = true
    let answered = Set(table.parts.lookups.keys)
    let stage = stage(of: event, plan: plan, memo: &memo, opened: answered, taking: edited)
    if case .ask(let request) = stage { return request }
    return ownRequest(of: plan)
  }

  /// How a delivery is asked after whose request went out and got no answer; nil: it is not, and `ambiguous` says what then.
  package var verify: VerifyDefinition? {
    let own = action.steps.last?.request ?? action
    return own.ambiguous == .verify ? own.verify ?? action.verify : nil
  }

  /// What becomes of a delivery whose request was under way when the process ended: by what it remembers that is its own, or a step
  /// before that. After an edited request `verify` does not ask, as it is not the one that was planned.
  package func interruption(of delivery: Delivery, _ event: Event) -> Interruption {
    let (plan, isAlone) = (delivery.plan, delivery.isEditedAlone)
    let request =
      isAlone
      ? ownRequest(of: plan) : pendingRequest(of: event, plan: plan, memo: delivery.memo, taking: delivery.edited?.step)
    if !isAlone, request.isOwn, let verify { return .verify(after: verify.after) }
    return request.action.ambiguous == .retry ? .again : .park
  }
}

extension StageRequest {
  /// How attempts name it: `lookup account`, `create account`, `step note`, `verify`; nil: the delivery's own request.
  package var stage: String? {
    switch purpose {
    case .lookup(let lookup): "lookup " + lookup.name
    case .create(let lookup): "create " + lookup.name
    case .step(let step): "step " + step.name
    case .verify: "verify"
    case .delivery: nil
    }
  }

  /// It is the delivery's own.
  package var isOwn: Bool { if case .delivery = purpose { true } else { false } }
  /// Where the delivery is recorded before it goes, this one is: its own, and a step of which nobody would know after a crash.
  package var isRecorded: Bool {
    if case .step = purpose { action.ambiguous != .retry } else { isOwn }
  }
  /// It asks whether the delivery arrived.
  package var isVerify: Bool { if case .verify = purpose { true } else { false } }
}
