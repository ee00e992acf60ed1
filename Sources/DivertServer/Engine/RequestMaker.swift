// Delivery → transfer request, transfer result → judgement: the bridge between the pure parts and libcurl's thread.

import DivertCore
import DivertTransport

/// Renders and judges. Has no state: the same delivery gives the same request each time.
struct RequestMaker: Sendable {
  /// A secret's value; nil: absent.
  var secret: @Sendable (String) -> String?
  /// The sandbox's emulator (`http://127.0.0.1:PORT`), to which every request is redirected; nil: requests go where they say.
  var emulator: String?

  // MARK: Requests

  /// The request of a delivery, ready for libcurl; or why there is none.
  func request(
    for delivery: Delivery, of event: Event, by resolution: Resolution, token: UInt64
  ) -> Result<TransferRequest, UnresolvedAction> {
    do {
      let rendered = try rendered(delivery, event, resolution, secrets: secretUse(resolution))
      return .success(transfer(rendered, delivery, resolution.target, token: token))
    } catch {
      return .failure(UnresolvedAction(reason: error.reason))
    }
  }

  /// The request as it would be sent, secrets by name; nil where it cannot be made.
  func masked(_ delivery: Delivery, of event: Event, by resolution: Resolution) -> EditedRequest? {
    if let edited = delivery.edited { return edited }
    guard let rendered = try? rendered(delivery, event, resolution, secrets: .masked) else { return nil }
    return EditedRequest(
      method: rendered.method, url: rendered.url, headers: rendered.headers,
      body: rendered.body.isEmpty ? nil : String(decoding: rendered.body, as: UTF8.self))
  }

  /// In the sandbox no secret is needed and none is used: each has a stand-in, which is an address or a key to sign with
  /// where one is wanted.
  private func secretUse(_ resolution: Resolution) -> SecretUse {
    if emulator == nil { return .resolved(secret) }
    let address = resolution.addressSecret
    let keys = resolution.target.signingSecrets
    return .resolved { name in
      if name == address { return "https://sandbox.invalid/\(name)" }
      return keys.contains(name) ? "whsec_c2FuZGJveA==" : "sandbox-\(name)"
    }
  }

  private func rendered(
    _ delivery: Delivery, _ event: Event, _ resolution: Resolution, secrets: SecretUse
  ) throws(RenderFault) -> RenderedRequest {
    if let edited = delivery.edited { return try resolved(edited, delivery, resolution, secrets) }
    let job = RenderJob(
      event: event, plan: delivery.plan, recipe: resolution.recipe, attemptAt: WallClock.now())
    return try RequestRenderer.render(job, secrets: secrets)
  }

  /// An edited request is another one than was planned: its key is of its own.
  private func resolved(
    _ edited: EditedRequest, _ delivery: Delivery, _ resolution: Resolution, _ secrets: SecretUse
  ) throws(RenderFault) -> RenderedRequest {
    let plan = delivery.plan
    let key = IdempotencyKey.derive(
      event: delivery.id.event, route: plan.route, send: plan.send, target: plan.target, action: plan.action,
      step: "edited \(delivery.id.ordinal)")
    return try RequestRenderer.resolve(
      edited, target: resolution.target, action: resolution.action, idempotencyKey: key, attemptAt: WallClock.now(),
      secrets: secrets)
  }

  private func transfer(
    _ rendered: RenderedRequest, _ delivery: Delivery, _ target: TargetDefinition, token: UInt64
  ) -> TransferRequest {
    var headers: [String] = []
    headers.reserveCapacity(rendered.headers.count)
    for header in rendered.headers { headers.append(header.name + ": " + header.value) }
    if emulator != nil { headers.append("x-divert-action: " + delivery.plan.action) }
    return TransferRequest(
      token: token, method: rendered.method, url: redirected(rendered.url, target.name), headers: headers,
      body: rendered.body, connectTimeout: target.connectTimeout, totalTimeout: target.totalTimeout,
      http2: target.http2 && emulator == nil, network: target.privateNetwork || emulator != nil ? .private : .public,
      freshConnection: delivery.plan.toPerson)
  }

  /// In the sandbox `https://host/path` becomes `<emulator>/<target>/path`.
  private func redirected(_ url: String, _ target: String) -> String {
    guard let emulator else { return url }
    let afterScheme = url.split(separator: "//", maxSplits: 1, omittingEmptySubsequences: false).last ?? ""
    let path = afterScheme.drop { $0 != "/" && $0 != "?" }
    return emulator + "/" + target + (path.first == "/" ? "" : "/") + path
  }

  // MARK: Answers

  /// What the target's rules make of a result.
  func judge(_ result: TransferResult, by resolution: Resolution, now: Timestamp) -> Judgement {
    ResponseRules.judge(
      exchange(result, readsHeaders: resolution.readsHeaders), rules: resolution.target.responses,
      ambiguous: resolution.action.ambiguous, now: now, patterns: resolution.table.patterns)
  }

  /// The same by the standard rules alone, where the target's are not at hand.
  func judge(_ result: TransferResult, toPerson: Bool, now: Timestamp) -> Judgement {
    ResponseRules.judge(
      exchange(result, readsHeaders: true), rules: [], ambiguous: toPerson ? .park : .retry, now: now,
      patterns: PatternCache())
  }

  private func exchange(_ result: TransferResult, readsHeaders: Bool) -> ExchangeResult {
    if let failure = result.failure {
      let reason = Reason(failure.code.rawValue, failure.sentence)
      return .failed(
        ExchangeFailure(
          requestSent: failure.requestSent, isLasting: failure.code.isLasting, reason: reason))
    }
    let headers = readsHeaders || result.status.map { $0 >= 300 } ?? true ? result.headers : []
    return .answered(DivertCore.HTTPAnswer(status: result.status ?? 0, headers: headers, body: result.body))
  }

  /// The first bytes of the answer as text, with the target's secrets masked should it echo them.
  func excerpt(_ result: TransferResult, by resolution: Resolution) -> String {
    if result.body.isEmpty { return "" }
    // Cut after masking, so that no half of a secret stays at the end.
    var text = String(decoding: result.body.prefix(4096), as: UTF8.self)
    for name in resolution.secretNames {
      guard let value = secret(name), value.utf8.count >= 6, text.contains(value) else { continue }
      text = text.split(separator: value, omittingEmptySubsequences: false).joined(separator: "{{ secrets.\(name) }}")
    }
    return text.utf8.count <= 512 ? text : String(decoding: text.utf8.prefix(512), as: UTF8.self)
  }
}
