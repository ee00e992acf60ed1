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

  /// How a delivery is asked after whose request went out and got no answer; nil: it is not, and `ambiguous` says what then.
  package var verify: VerifyDefinition? {
    let own = action.steps.last?.request ?? action
    return own.ambiguous == .verify ? own.verify ?? action.verify : nil
  }

  /// What becomes of a request that was under way when the process ended. `edited`: it is not the one that was planned, after which
  /// `verify` would ask.
  package func interruption(edited: Bool) -> Interruption {
    if !edited, let verify { return .verify(after: verify.after) }
    return (action.steps.last?.request ?? action).ambiguous == .retry ? .again : .park
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
  /// It asks whether the delivery arrived.
  package var isVerify: Bool { if case .verify = purpose { true } else { false } }
}
