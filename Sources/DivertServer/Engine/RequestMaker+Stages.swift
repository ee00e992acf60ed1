// Rendering what comes before, between and after a delivery's own request (step 7 of the line).

import DivertCore
import DivertTransport

extension RequestMaker {
  /// A stage's request, ready for libcurl; or why there is none. `resolution`: the request's own, not the delivery's.
  func request(
    _ request: StageRequest, of delivery: Delivery, _ event: Event, by resolution: Resolution, memo: DeliveryMemo,
    _ access: TokenAccess?, token: UInt64
  ) -> Result<TransferRequest, UnresolvedAction> {
    let secrets = secretUse(resolution)
    return rendered(request, of: delivery, event, resolution, memo, access, secrets).map { rendered in
      transfer(
        rendered, resolution.target, action: request.name, fresh: request.isRecorded && delivery.plan.toPerson,
        token: token)
    }
  }

  /// The same with secrets and the token by name, so that a renewed one makes no other question: by this the lookup desk knows it.
  func question(
    _ request: StageRequest, of delivery: Delivery, _ event: Event, by resolution: Resolution, memo: DeliveryMemo
  ) -> Result<RenderedRequest, UnresolvedAction> {
    rendered(request, of: delivery, event, resolution, memo, nil, .masked)
  }

  private func rendered(
    _ request: StageRequest, of delivery: Delivery, _ event: Event, _ resolution: Resolution, _ memo: DeliveryMemo,
    _ access: TokenAccess?, _ secrets: SecretUse
  ) -> Result<RenderedRequest, UnresolvedAction> {
    var job = RenderJob(
      event: event, plan: delivery.plan, recipe: resolution.recipe, attemptAt: WallClock.now(), request: request,
      memo: memo)
    job.access = access
    do {
      if !request.isVerify, let edited = delivery.pendingEdit, edited.step == request.step {
        return .success(try resolved(edited, delivery, resolution, secrets, access))
      }
      if case .resolved = secrets { announce(job) }
      return .success(try RequestRenderer.render(job, secrets: secrets))
    } catch {
      return .failure(UnresolvedAction(reason: error.reason))
    }
  }

  /// The request that a delivery ended at, with what it remembers, secrets by name: its own, or a step's before that.
  func masked(
    preparedOf delivery: Delivery, _ event: Event, _ resolution: Resolution
  ) throws(RenderFault) -> EditedRequest {
    let own = resolution.recipe.pendingRequest(of: event, plan: delivery.plan, memo: delivery.memo)
    let recipe = resolution.recipe.recipe(of: own, newest: resolution.table) ?? resolution.recipe
    let job = RenderJob(
      event: event, plan: delivery.plan, recipe: recipe, attemptAt: WallClock.now(), request: own, memo: delivery.memo)
    return EditedRequest(try RequestRenderer.render(job, secrets: .masked), step: own.step.isEmpty ? nil : own.step)
  }
}
