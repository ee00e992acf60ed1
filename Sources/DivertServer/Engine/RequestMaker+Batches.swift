// Batches for the request maker: items and the request around them, and what an answer says of each.

import DivertCore
import DivertTransport

extension RequestMaker {
  /// The body of one item.
  func item(
    of delivery: Delivery, _ event: Event, by resolution: Resolution
  ) -> Result<JSONValue, UnresolvedAction> {
    let job = job(delivery, event, resolution)
    do throws(RenderFault) {
      return .success(try RequestRenderer.item(job, secrets: secretUse(resolution)))
    } catch {
      return .failure(UnresolvedAction(reason: error.reason))
    }
  }

  /// The request around several items; `event` and `resolution` are the first one's.
  func request(
    for items: [(delivery: Delivery, body: JSONValue)], of event: Event, by resolution: Resolution,
    _ access: TokenAccess?, token: UInt64
  ) -> Result<TransferRequest, UnresolvedAction> {
    guard let first = items.first else {
      return .failure(UnresolvedAction(reason: Reason("action_gone", "the batch is empty")))
    }
    let keys = items.map { IdempotencyKey.derive(event: $0.delivery.id.event, plan: $0.delivery.plan) }
    var job = job(first.delivery, event, resolution)
    job.access = access
    do throws(RenderFault) {
      let rendered = try RequestRenderer.render(
        batch: items.map(\.body), around: job, keys: keys,
        secrets: secretUse(resolution))
      return .success(
        transfer(
          rendered, resolution.target, action: first.delivery.plan.action,
          fresh: items.contains { $0.delivery.plan.toPerson }, token: token))
    } catch {
      return .failure(UnresolvedAction(reason: error.reason))
    }
  }

  func job(_ delivery: Delivery, _ event: Event, _ resolution: Resolution) -> RenderJob {
    var job = RenderJob(event: event, plan: delivery.plan, recipe: resolution.recipe, attemptAt: WallClock.now())
    job.memo = delivery.memo
    return job
  }

  // MARK: Answers

  /// What an answer says of each item.
  func judge(items batch: BatchInHand, _ whole: Judgement, _ result: TransferResult, now: Timestamp) -> [ItemResult] {
    guard let definition = batch.resolution.action.batch, !batch.isPlain else {
      return batch.keys.map { _ in ItemResult(verdict: .judged(whole), part: nil) }
    }
    return ResponseRules.judge(
      items: batch.keys, of: definition, whole: whole, exchange(result, readsHeaders: true),
      ambiguous: batch.resolution.action.ambiguous, now: now, patterns: batch.resolution.table.patterns)
  }

  /// What an answer says of a delivery whose request is a batch of it alone; nil: it is no such request.
  func judge(
    alone delivery: Delivery, of event: Event, _ whole: Judgement, _ result: TransferResult,
    by resolution: Resolution, now: Timestamp
  ) -> Judgement? {
    guard resolution.recipe.wrapsSingles, delivery.edited == nil, let definition = resolution.action.batch else {
      return nil
    }
    let body = try? item(of: delivery, event, by: resolution).get()
    let batch = BatchInHand(resolution: resolution, keys: [body.flatMap(definition.key(of:))], isPlain: false)
    guard case .judged(let judgement)? = judge(items: batch, whole, result, now: now).first?.verdict else { return nil }
    return judgement
  }

  /// The first bytes of an item's own result, secrets masked; nil: it has none.
  func excerpt(of part: JSONValue?, by resolution: Resolution, _ access: TokenAccess?) -> String? {
    part.map { excerpt(of: $0.encoded(), by: resolution, access) }
  }

  /// Until when nothing may go, as the answer says; nil: it does not.
  func rest(_ result: TransferResult, by resolution: Resolution, now: Timestamp) -> Timestamp? {
    if resolution.target.quota.isEmpty { return nil }
    guard case .answered(let answer) = exchange(result, readsHeaders: true) else { return nil }
    return ResponseRules.rest(
      answer, rules: resolution.target.quota, now: now, patterns: resolution.table.patterns)
  }
}
