// A request that a person edited in a dead letter → the request that goes out (step 7 of the line, in place of
// rendering one).

extension EditedRequest {
  /// A rendered request, to be read and changed.
  package init(_ rendered: RenderedRequest, step: String? = nil) {
    self.init(
      method: rendered.method, url: rendered.url, headers: rendered.headers,
      body: rendered.body.isEmpty ? nil : String(decoding: rendered.body, as: UTF8.self), step: step)
  }

  /// The key under which it goes: none that the planned request had, as it is another one; and the same whenever it is sent as it
  /// stands for the same send of the same event.
  package func idempotencyKey(_ event: EventID, _ plan: PlannedDelivery) -> String {
    let lines = [method, url] + headers.map { $0.name + ": " + $0.value } + ["", body ?? ""]
    let content = IdempotencyKey.digest(Array(lines.joined(separator: "\n").utf8))
    return IdempotencyKey.derive(
      event: event, route: plan.route, send: plan.send, target: plan.target, action: plan.action,
      step: "edited " + content)
  }
}

extension RequestRenderer {
  /// The request as edited, with its `{{ secrets.name }}` filled in; basic authentication and signatures are made anew.
  /// - Parameter idempotencyKey: the replay's own; it takes the place of the header that the action puts its key in.
  /// - Throws: where scheme, host or port are not those of the target's address, a secret is not one of the target's
  ///   own, or the address or a header is none.
  package static func resolve(
    _ edited: EditedRequest, target: TargetDefinition, action: ActionDefinition, idempotencyKey: String,
    attemptAt: Timestamp, secrets: SecretUse, access: TokenAccess? = nil
  ) throws(RenderFault) -> RenderedRequest {
    var context = RenderContext(event: nil, now: attemptAt, idempotencyKey: idempotencyKey, secrets: secrets)
    context.token = access?.token
    let filler = SecretFiller(
      own: target.ownSecrets, target: target.name, context: context, hasToken: target.credential != nil)
    var request = RenderedRequest(
      method: edited.method.uppercased(), url: try filler.fill(edited.url), headers: [], body: [])
    if !context.isMasked { try RequestURL.check(request.url, within: target, context) }
    if let base = access?.base { request.url = RequestURL.moved(request.url, to: base) }
    for header in edited.headers {
      let value = try filler.fill(header.value)
      try check(value, ofHeader: header.name)
      request.set(header.name, value)
    }
    if let auth = target.basicAuth { request.set("Authorization", try authorization(auth, context)) }
    if case .header(let name) = action.idempotency { request.set(name, idempotencyKey) }
    let isJSON = request.header("content-type")?.hasPrefix("application/json") ?? false
    request.body = Array(try filler.fill(edited.body ?? "", escapingJSON: isJSON).utf8)
    try RequestSigning.sign(&request, target, id: idempotencyKey, at: attemptAt, context)
    return request
  }
}

/// Fills `{{ secrets.name }}` into text that a person wrote; everything else in it stays as it is.
private struct SecretFiller {
  let own: Set<String>
  let target: String
  let context: RenderContext
  /// The target has a credential.
  let hasToken: Bool

  func fill(_ text: String, escapingJSON: Bool = false) throws(RenderFault) -> String {
    var result = ""
    var rest = text[...]
    while let open = rest.firstRange(of: "{{ secrets."), let close = rest[open.upperBound...].firstRange(of: "}}") {
      result += rest[..<open.lowerBound]
      let value = try value(String(rest[open.lowerBound..<close.upperBound]))
      result += escapingJSON ? Self.escaped(value) : value
      rest = rest[close.upperBound...]
    }
    return try token(result + rest, escapingJSON)
  }

  /// `{{ token }}`, where the target's credential has one.
  private func token(_ text: String, _ escapingJSON: Bool) throws(RenderFault) -> String {
    guard hasToken, !context.isMasked, text.contains("{{ token }}") else { return text }
    let token = try context.evaluate(Expression(path: .token))?.text ?? ""
    return text.split(separator: "{{ token }}", omittingEmptySubsequences: false)
      .joined(separator: escapingJSON ? Self.escaped(token) : token)
  }

  private func value(_ placeholder: String) throws(RenderFault) -> String {
    guard case .success(let template) = Template.parse(placeholder, in: .secretsOnly),
      let expression = template.single, case .secret(let name) = expression.path
    else { return placeholder }
    guard own.contains(name) else {
      throw RenderFault(
        "secret_of_another",
        "the edited request names the secret `\(name)`, which target `\(target)` does not use itself")
    }
    return try context.evaluate(expression)?.text ?? ""
  }

  private static func escaped(_ text: String) -> String {
    var bytes: [UInt8] = []
    JSONWriter.append(escaped: text, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension TargetDefinition {
  /// The secret that the target's address begins with (a hook's whole address, mostly); nil: it has its scheme in the
  /// file.
  package var addressSecret: String? {
    guard case .expression(let expression)? = base.parts.first, case .secret(let name) = expression.path else {
      return nil
    }
    return name
  }

  /// The secrets that requests are signed with.
  package var signingSecrets: Set<String> {
    Set(
      (signing?.secrets ?? []).flatMap(\.parts).compactMap { part in
        if case .expression(let expression) = part, case .secret(let name) = expression.path { name } else { nil }
      })
  }

  /// Every secret that the target's address, headers, credentials or actions name.
  package var ownSecrets: Set<String> {
    var names: Set<String> = []
    func add(_ template: Template) { names.formUnion(template.secretNames) }
    add(base)
    (headers + query).forEach { add($0.value) }
    basicAuth.map { [$0.user, $0.password].forEach { add($0) } }
    signing?.secrets.forEach { add($0) }
    return actions.values.reduce(into: names) { $0.formUnion($1.secretNames) }
  }
}
