// Event + action → HTTP request (step 7 of the line).

package enum RequestRenderer {
  /// The request of a job; or why there is none. Masked, secrets stand as `{{ secrets.name }}` and what is computed
  /// of them is named instead.
  package static func render(_ job: RenderJob, secrets: SecretUse) throws(RenderFault) -> RenderedRequest {
    if job.recipe.wrapsSingles {
      let item = try item(job, secrets: secrets)
      return try render(batch: [item], around: job, keys: [job.idempotencyKey], secrets: secrets)
    }
    return try render(job, context(job, secrets: secrets))
  }

  static func render(_ job: RenderJob, _ context: RenderContext) throws(RenderFault) -> RenderedRequest {
    var request = RenderedRequest(
      method: job.recipe.action.method.uppercased(), url: try RequestURL.render(job, context), headers: [], body: [])
    try renderBody(job, context, into: &request)
    try renderHeaders(job, context, into: &request)
    try RequestSigning.sign(&request, job.recipe.target, id: job.idempotencyKey, at: job.attemptAt, context)
    return request
  }

  /// What the templates of a job may name.
  static func context(_ job: RenderJob, secrets: SecretUse) throws(RenderFault) -> RenderContext {
    var context = RenderContext(
      event: job.event, now: job.due, zone: job.recipe.zone, country: job.recipe.country, tables: job.recipe.tables,
      arguments: job.given, idempotencyKey: job.idempotencyKey, secrets: secrets)
    context.memo = job.memo
    context.variant = job.variant
    context.token = job.access?.token
    context.base = job.access?.base
    context.arguments = try arguments(job, context)
    return context
  }

  /// What the send gives to the action, with the action's own fallbacks; rendered once, with their JSON types.
  static func arguments(_ job: RenderJob, _ context: RenderContext) throws(RenderFault) -> JSONObject {
    var arguments = try context.object(job.recipe.send.arguments)
    for definition in job.recipe.action.arguments where arguments[definition.name] == nil {
      if let fallback = definition.fallback, let value = try context.json(fallback) {
        arguments[definition.name] = value
      } else if definition.required {
        throw RenderFault(
          "argument_missing",
          "the action `\(job.recipe.target.name).\(job.recipe.action.name)` needs the argument `\(definition.name)`, which came out missing"
        )
      }
    }
    return arguments
  }

  private static func renderBody(
    _ job: RenderJob, _ context: RenderContext, into request: inout RenderedRequest
  ) throws(RenderFault) {
    switch job.recipe.action.body {
    case .none: break
    case .json(let body):
      request.set("Content-Type", "application/json")
      request.body = try jsonBody(body, job, context)
    case .form(let fields):
      request.set("Content-Type", "application/x-www-form-urlencoded")
      request.body = try formBody(fields, job, context)
    }
  }

  private static func jsonBody(
    _ body: BodyTemplate, _ job: RenderJob, _ context: RenderContext
  ) throws(RenderFault) -> [UInt8] {
    if let program = job.recipe.program { return try program.bytes(context) }
    return try jsonValue(body, job, context)?.encoded() ?? []
  }

  static func jsonValue(
    _ body: BodyTemplate, _ job: RenderJob, _ context: RenderContext
  ) throws(RenderFault) -> JSONValue? {
    guard var value = try context.json(body) else { return nil }
    if let path = job.recipe.action.idempotency.fieldPath {
      value.set(.string(UUIDText.derived(from: job.idempotencyKey)), at: path[...])
    }
    for (path, most) in job.recipe.action.maxLengths {
      guard let text = JSONPath.steps(path).flatMap({ value.value(at: $0) })?.string else { continue }
      try check(text, path, most)
    }
    return value
  }

  private static func formBody(
    _ fields: [FormField], _ job: RenderJob, _ context: RenderContext
  ) throws(RenderFault) -> [UInt8] {
    var bytes: [UInt8] = []
    func add(_ name: String, _ value: String) {
      if !bytes.isEmpty { bytes.append(UInt8(ascii: "&")) }
      PercentEncoding.append(name, to: &bytes)
      bytes.append(UInt8(ascii: "="))
      // Masked, a secret stays readable.
      if context.isMasked, value.contains("{{ secrets.") {
        bytes.append(contentsOf: value.utf8)
      } else {
        PercentEncoding.append(value, to: &bytes)
      }
    }
    for field in fields {
      guard let value = try formValue(field, job, context) else { continue }
      if let most = job.recipe.action.maxLengths[field.name] { try check(value, field.name, most) }
      add(field.name, value)
    }
    if let path = job.recipe.action.idempotency.fieldPath, let name = path.first {
      add(name, UUIDText.derived(from: job.idempotencyKey))
    }
    return bytes
  }

  /// The text of a form's field: a tree's is JSON. Nil: left out.
  private static func formValue(
    _ field: FormField, _ job: RenderJob, _ context: RenderContext
  ) throws(RenderFault) -> String? {
    if case .template(let template) = field.value { return try context.text(template) }
    guard let value = try context.json(field.value) else { return nil }
    for (path, most) in job.recipe.action.maxLengths {
      guard let steps = JSONPath.steps(path), steps.first == field.name, steps.count > 1,
        let text = value.value(at: steps.dropFirst())?.string
      else { continue }
      try check(text, path, most)
    }
    return value.string ?? value.text
  }

  static func check(_ text: String, _ path: String, _ most: Int) throws(RenderFault) {
    let count = text.count
    guard count > most else { return }
    throw RenderFault(
      "too_long",
      "`\(path)` has \(count) characters and the target takes at most \(most): shorten it with `| truncate: \(most)`")
  }
}

// Headers.
extension RequestRenderer {
  private static func renderHeaders(
    _ job: RenderJob, _ context: RenderContext, into request: inout RenderedRequest
  ) throws(RenderFault) {
    for header in job.recipe.target.headers { try add(header, context, to: &request) }
    if let auth = job.recipe.target.basicAuth { request.set("Authorization", try authorization(auth, context)) }
    for header in job.recipe.action.headers { try add(header, context, to: &request) }
    if case .header(let name) = job.recipe.action.idempotency { request.set(name, job.idempotencyKey) }
  }

  private static func add(
    _ header: HeaderTemplate, _ context: RenderContext, to request: inout RenderedRequest
  ) throws(RenderFault) {
    guard let value = try context.text(header.value) else { return }
    try check(value, ofHeader: header.name)
    request.set(header.name, value)
  }

  /// Refuses CR, LF and their kin, which would begin another header or end them all.
  static func check(_ value: String, ofHeader name: String) throws(RenderFault) {
    guard value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7f }) else { return }
    throw RenderFault(
      "header_invalid",
      "the value of header `\(name)` has a line break or control character in it, which headers refuse")
  }

  /// RFC 7617. Masked, the two parts stand side by side, not encoded.
  static func authorization(_ auth: BasicAuth, _ context: RenderContext) throws(RenderFault) -> String {
    let user = try context.text(auth.user) ?? ""
    let password = try context.text(auth.password) ?? ""
    if context.isMasked { return "Basic \(user):\(password)" }
    guard !user.utf8.contains(UInt8(ascii: ":")) else {
      throw RenderFault("header_invalid", "the user name of `basic` has a colon in it, which RFC 7617 forbids")
    }
    return "Basic " + Base64.encoded(Array((user + ":" + password).utf8))
  }
}

extension IdempotencyPlacement {
  /// Where in the body the key stands; nil: not in the body.
  package var fieldPath: [String]? {
    if case .field(let path) = self { path } else { nil }
  }
}

extension JSONValue {
  /// Puts a value at the end of a path of keys, making the objects on the way.
  fileprivate mutating func set(_ value: JSONValue, at path: ArraySlice<String>) {
    guard let key = path.first else {
      self = value
      return
    }
    var object = self.object ?? JSONObject()
    var inner = object[key] ?? .object(JSONObject())
    inner.set(value, at: path.dropFirst())
    object[key] = inner
    self = .object(object)
  }
}
