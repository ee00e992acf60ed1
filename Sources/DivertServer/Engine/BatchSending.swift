// Several deliveries in one request (steps 7 to 9 of the line): the items are rendered and put together, the answer is taken apart.

import DivertCore
import DivertTransport

/// A batch that went out, with what its answer is judged by. Owned by the engine.
struct BatchInHand: Sendable {
  /// The first item's; of the others only send and arguments differ.
  var resolution: Resolution
  /// The key by which each item's result is found; nil where none is needed, or it has none.
  var keys: [String?]
  /// The request is a single one's: its answer is not taken apart.
  var isPlain: Bool
}

/// One item, ready.
private struct MadeItem {
  var token: JobToken
  var delivery: Delivery
  var event: Event
  var resolution: Resolution
  var body: JSONValue
}

extension EngineHands {
  // MARK: Sending

  func send(_ orders: [BatchOrder], _ state: inout EngineState) {
    if orders.isEmpty { return }
    let requests = orders.compactMap { request(for: $0, &state) }
    if outlets.requests(requests) { return }
    for request in requests {
      let token = JobToken(rawValue: request.token)
      state.batches[token] = nil
      state.machine.unsent(batch: token, now: state.now)
    }
  }

  /// The items that can be rendered, in one request; the others are told to the machine. Nil: there are none.
  private func request(for order: BatchOrder, _ state: inout EngineState) -> TransferRequest? {
    let items = order.items.compactMap { item($0, &state) }
    guard let first = items.first else { return nil }
    let batch = first.resolution.action.batch
    if batch == nil, items.count > 1 {
      state.machine.separate(batch: order.token, now: state.now)
      return nil
    }
    let isPlain = items.count == 1 && (batch == nil || batch?.request != nil)
    if !isPlain { for item in items { maker.announce(maker.job(item.delivery, item.event, item.resolution)) } }
    let made = state.access(first.resolution.target, for: order.token).flatMap { access in
      isPlain
        ? maker.request(
          for: first.delivery, of: first.event, by: first.resolution, access, token: order.token.rawValue)
        : maker.request(
          for: items.map { ($0.delivery, $0.body) }, of: first.event, by: first.resolution, access,
          token: order.token.rawValue)
    }
    switch made {
    case .success(let request):
      let keys = items.map { batch?.key(of: $0.body) ?? nil }
      state.batches[order.token] = BatchInHand(resolution: first.resolution, keys: keys, isPlain: isPlain)
      return request
    case .failure(let unresolved) where unresolved.isPassing:
      for item in items { tryAgain(item.token, unresolved, &state) }
      return nil
    case .failure(let unresolved):
      for item in items { state.machine.unsendable(item.token, unresolved.reason, now: state.now) }
      return nil
    }
  }

  private func item(_ token: JobToken, _ state: inout EngineState) -> MadeItem? {
    guard let job = state.machine.job(token) else { return nil }
    let made = state.resolver.resolve(job.delivery).flatMap { resolution in
      maker.item(of: job.delivery, job.event, by: resolution).map {
        MadeItem(token: token, delivery: job.delivery, event: job.event, resolution: resolution, body: $0)
      }
    }
    switch made {
    case .success(let item): return item
    case .failure(let unresolved) where unresolved.isPassing: tryAgain(token, unresolved, &state)
    case .failure(let unresolved): state.machine.unsendable(token, unresolved.reason, now: state.now)
    }
    return nil
  }

  // MARK: Judging

  /// Takes the result of a batch in: what it says of each item becomes a fact of its own and a line in the log.
  func conclude(batch result: TransferResult, _ token: JobToken, _ state: inout EngineState) {
    let access = state.accesses.isEmpty ? nil : state.accesses.removeValue(forKey: token)
    guard let batch = state.batches.removeValue(forKey: token) else { return }
    if result.failure?.code == .stopped, result.failure?.requestSent == false {
      return state.machine.unsent(batch: token, now: state.now)
    }
    noteQuota(result, batch.resolution, &state)
    var whole = maker.judge(result, by: batch.resolution, now: state.now)
    if let first = state.machine.items(of: token).first, let job = state.machine.job(first) {
      whole = renewing(whole, batch.resolution.target, access, job.delivery, &state)
    }
    let attempt = Attempt(
      startedAt: state.now - result.duration, duration: result.duration, status: result.status,
      outcome: whole.outcome, reason: whole.reason, answer: maker.excerpt(result, by: batch.resolution, access))
    let results = maker.judge(items: batch, whole, result, now: state.now)
    let tokens = state.machine.ended(batch: token, attempt, wait: whole.wait, now: state.now)
    var apart: [(token: JobToken, attempt: Attempt)] = []
    for (token, item) in zip(tokens, results) {
      let own = attempt.of(item, excerpt: maker.excerpt(of: item.part, by: batch.resolution, access))
      if case .apart = item.verdict { apart.append((token, own)) }
      conclude(item, own, token, count: tokens.count, &state)
    }
    if !apart.isEmpty { state.machine.divide(apart, now: state.now) }
  }

  private func conclude(
    _ item: ItemResult, _ attempt: Attempt, _ token: JobToken, count: Int, _ state: inout EngineState
  ) {
    guard let job = state.machine.job(token) else { return }
    var due: Timestamp? = state.now
    if case .judged(let judgement) = item.verdict {
      let resolution = try? state.resolver.resolve(job.delivery).get()
      var retry = resolution?.send.retry ?? .standard
      retry.least = judgement.atLeast
      due = state.machine.attempted(
        token, attempt, wait: judgement.wait, retry: retry,
        verify: resolution?.verifyAfter, now: state.now)
    }
    outlets.attempt(AttemptRecord(delivery: job.delivery, attempt: attempt, due: due, items: count))
  }

  /// What the answer says of what is left.
  func noteQuota(_ result: TransferResult, _ resolution: Resolution, _ state: inout EngineState) {
    guard let rest = maker.rest(result, by: resolution, now: state.now) else { return }
    state.machine.rest(resolution.target.name, until: rest, now: state.now)
  }
}

extension Attempt {
  /// One item's share of a batch's attempt.
  fileprivate func of(_ item: ItemResult, excerpt: String?) -> Attempt {
    var own = self
    switch item.verdict {
    case .judged(let judgement):
      own.outcome = judgement.outcome
      own.reason = judgement.reason
    case .apart(let judgement):
      own.outcome = .retry
      own.reason = Reason("batch_divided", "\(judgement.reason.sentence); the batch goes again in halves")
    }
    if let excerpt { own.answer = excerpt }
    return own
  }
}

extension BatchDefinition {
  /// The key by which an item's result is found; nil: by its place, or it has none.
  func key(of item: JSONValue) -> String? {
    guard let match, let value = item.value(at: match.item) else { return nil }
    return value.string ?? value.text
  }
}
