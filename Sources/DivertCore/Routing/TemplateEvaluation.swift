// Template + values → text or a typed JSON leaf (step 7 of the line). What is rendered is never parsed again.

extension RenderContext {
  /// The value of an expression after its filters; nil: missing, and the expression says `?`. A missing value without
  /// `?` is a fault.
  package func evaluate(_ expression: Expression) throws(RenderFault) -> EventValue? {
    if isShownByName(expression.path) { return .json(.string("{{ \(expression) }}")) }
    var value = try value(of: expression.path)
    for call in expression.filters { value = try apply(call, to: value) }
    if value == nil, !expression.optional { throw .missing(expression) }
    return value
  }

  /// The value at a path; nil: missing.
  func value(of path: ValuePath) throws(RenderFault) -> EventValue? {
    switch path {
    case .now: .moment(now, nil)
    case .idempotencyKey: .json(.string(idempotencyKey))
    case .secret(let name): .json(.string(try secret(name)))
    case .argument(let name, let steps):
      arguments[name]?.value(at: steps).map(EventValue.json).flatMap { $0.isMissing ? nil : $0 }
    case .field, .raw, .local: event?.value(path, in: zone)
    case .lookup, .step: memo.value(path)
    case .variant: variant.map { .json(.string($0)) }
    case .token: .json(.string(try credentialToken()))
    case .items: items.map { .json(.array($0)) }
    }
  }

  private func credentialToken() throws(RenderFault) -> String {
    if isMasked { return "{{ token }}" }
    if let token { return token }
    throw RenderFault("token_missing", "there is no token: the credential has not got one yet")
  }

  private func secret(_ name: String) throws(RenderFault) -> String {
    guard case .resolved(let find) = secrets else { return "{{ secrets.\(name) }}" }
    guard let secret = find(name), !secret.isEmpty else {
      throw RenderFault(
        "secret_missing", "the secret `\(name)` is not there: add it where secrets are kept, then replay")
    }
    return secret
  }

  /// The template as a JSON leaf: exactly one expression keeps its value's type, anything else is a string. Nil: left
  /// out, because an expression with `?` found nothing.
  package func json(_ template: Template) throws(RenderFault) -> JSONValue? {
    if let expression = template.single { return try evaluate(expression)?.json }
    return try text(template).map(JSONValue.string)
  }

  /// The template as text; nil: left out, because an expression with `?` found nothing.
  package func text(_ template: Template) throws(RenderFault) -> String? {
    if let literal = template.literal { return literal }
    if let expression = template.single { return try evaluate(expression)?.text }
    var text = ""
    for part in template.parts {
      switch part {
      case .literal(let literal): text += literal
      case .expression(let expression):
        guard let value = try evaluate(expression) else { return nil }
        text += value.text
      }
    }
    return text
  }
}
