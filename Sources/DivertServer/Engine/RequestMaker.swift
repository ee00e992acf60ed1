// Delivery → transfer request, transfer result → judgement: the bridge between the pure parts and libcurl's thread.

import DivertCore
import DivertTransport

/// Renders and judges. Has no state: the same delivery gives the same request each time.
struct RequestMaker: Sendable {
  /// A secret's value; nil: absent.
  var secret: @Sendable (String) -> String?
  /// The sandbox's emulator (`http://127.0.0.1:PORT`), to which every request is redirected; nil: requests go where they say.
  var emulator: String?
  /// Told of the events by which the vendor will report a request's write, before the request leaves.
  var writes: @Sendable ([ExpectedEcho]) -> Void = { _ in }
  /// Whether the sandbox lets the connection of a request be refused.
  var refuses: @Sendable (_ target: String, _ action: String) -> Bool = { _, _ in false }

  // MARK: Requests

  /// The request of a delivery, ready for libcurl; or why there is none.
  func request(
    for delivery: Delivery, of event: Event, by resolution: Resolution, _ access: TokenAccess?, token: UInt64
  ) -> Result<TransferRequest, UnresolvedAction> {
    do {
      let rendered = try rendered(delivery, event, resolution, secrets: secretUse(resolution), access)
      announce(job(delivery, event, resolution))
      return .success(
        transfer(
          rendered, resolution.target, action: delivery.plan.action, fresh: delivery.plan.toPerson, token: token))
    } catch {
      return .failure(UnresolvedAction(reason: error.reason))
    }
  }

  /// Says by which events the vendor will report what the request writes; before it leaves.
  func announce(_ job: RenderJob) {
    if !job.recipe.action.echoes.isEmpty { writes(RequestRenderer.echoes(job)) }
  }

  /// The request as it would be sent, secrets by name; nil where it cannot be made.
  func masked(_ delivery: Delivery, of event: Event, by resolution: Resolution) -> EditedRequest? {
    if let edited = delivery.pendingEdit { return edited }
    if delivery.plan.prepares { return try? masked(preparedOf: delivery, event, resolution) }
    return (try? rendered(delivery, event, resolution, secrets: .masked)).map { EditedRequest($0) }
  }

  /// In the sandbox no secret is needed and none is used: each has a stand-in, which is an address or a key to sign with
  /// where one is wanted.
  func secretUse(_ resolution: Resolution) -> SecretUse {
    if emulator == nil { return .resolved(secret) }
    let address = resolution.addressSecret
    let keys = resolution.target.signingSecrets
    return .resolved { name in
      if name == address { return "https://sandbox.invalid/\(name)" }
      return keys.contains(name) ? "whsec_c2FuZGJveA==" : "sandbox-\(name)"
    }
  }

  private func rendered(
    _ delivery: Delivery, _ event: Event, _ resolution: Resolution, secrets: SecretUse, _ access: TokenAccess? = nil
  ) throws(RenderFault) -> RenderedRequest {
    if let edited = delivery.edited { return try resolved(edited, delivery, resolution, secrets, access) }
    var job = job(delivery, event, resolution)
    job.access = access
    return try RequestRenderer.render(job, secrets: secrets)
  }

  /// An edited request is another one than was planned: its key is of its own.
  func resolved(
    _ edited: EditedRequest, _ delivery: Delivery, _ resolution: Resolution, _ secrets: SecretUse,
    _ access: TokenAccess?
  ) throws(RenderFault) -> RenderedRequest {
    let key = edited.idempotencyKey(delivery.id.event, delivery.plan)
    let action = resolution.action.steps.last?.request ?? resolution.action
    return try RequestRenderer.resolve(
      edited, target: resolution.target, action: action, idempotencyKey: key, attemptAt: WallClock.now(),
      secrets: secrets, access: access)
  }

  /// `action`: what the sandbox is told that is asked; `fresh`: on a connection of its own.
  func transfer(
    _ rendered: RenderedRequest, _ target: TargetDefinition, action: String, fresh: Bool, token: UInt64
  ) -> TransferRequest {
    var headers: [String] = []
    headers.reserveCapacity(rendered.headers.count)
    for header in rendered.headers { headers.append(header.name + ": " + header.value) }
    if emulator != nil { headers.append("x-divert-action: " + action) }
    return TransferRequest(
      token: token, method: rendered.method, url: redirected(rendered.url, target.name, action),
      headers: headers,
      body: rendered.body, connectTimeout: target.connectTimeout, totalTimeout: target.totalTimeout,
      http2: target.http2 && emulator == nil, network: target.privateNetwork || emulator != nil ? .private : .public,
      freshConnection: fresh)
  }

  /// In the sandbox `https://host/path` becomes `<emulator>/<target>/path`, or an address at which nobody listens.
  private func redirected(_ url: String, _ target: String, _ action: String) -> String {
    guard let emulator else { return url }
    if refuses(target, action) { return "http://127.0.0.1:1/" + target }
    let afterScheme = url.split(separator: "//", maxSplits: 1, omittingEmptySubsequences: false).last ?? ""
    let path = afterScheme.drop { $0 != "/" && $0 != "?" }
    return emulator + "/" + target + (path.first == "/" ? "" : "/") + path
  }

  // MARK: Answers

  /// What the action's and the target's rules make of a result. Of an edited request a target cannot be asked: it is another than was planned.
  func judge(
    _ result: TransferResult, by resolution: Resolution, isEdited: Bool = false, now: Timestamp
  ) -> Judgement {
    let own = resolution.action.ambiguous
    return ResponseRules.judge(
      exchange(result, readsHeaders: resolution.readsHeaders), rules: resolution.rules,
      ambiguous: isEdited && own == .verify ? .park : own, now: now, patterns: resolution.table.patterns)
  }

  /// The same by the standard rules alone, where the target's are not at hand.
  func judge(_ result: TransferResult, toPerson: Bool, now: Timestamp) -> Judgement {
    ResponseRules.judge(
      exchange(result, readsHeaders: true), rules: [], ambiguous: toPerson ? .park : .retry, now: now,
      patterns: PatternCache())
  }

  func exchange(_ result: TransferResult, readsHeaders: Bool) -> ExchangeResult {
    if let failure = result.failure {
      let reason = Reason(failure.code.rawValue, failure.sentence)
      return .failed(
        ExchangeFailure(
          requestSent: failure.requestSent, isLasting: failure.code.isLasting, reason: reason))
    }
    let headers = readsHeaders || result.status.map { $0 >= 300 } ?? true ? result.headers : []
    return .answered(DivertCore.HTTPAnswer(status: result.status ?? 0, headers: headers, body: result.body))
  }

  /// The first bytes of the answer as text, with the target's secrets and token masked should it echo them.
  func excerpt(_ result: TransferResult, by resolution: Resolution, _ access: TokenAccess? = nil) -> String {
    excerpt(of: result.body, by: resolution, access)
  }

  func excerpt(of body: [UInt8], by resolution: Resolution, _ access: TokenAccess?) -> String {
    if body.isEmpty { return "" }
    // Cut after masking, so that no half of a secret stays at the end.
    var text = String(decoding: body.prefix(4096), as: UTF8.self)
    for name in resolution.secretNames {
      guard let value = secret(name), value.utf8.count >= 6, text.contains(value) else { continue }
      text = text.split(separator: value, omittingEmptySubsequences: false).joined(separator: "{{ secrets.\(name) }}")
    }
    if let token = access?.token, token.utf8.count >= 6, text.contains(token) {
      text = text.split(separator: token, omittingEmptySubsequences: false).joined(separator: "{{ token }}")
    }
    return text.utf8.count <= 512 ? text : String(decoding: text.utf8.prefix(512), as: UTF8.self)
  }
}
