// `divert dead-letters edit` and `drop`: changes a file's request within what may be sent, or puts a file away.

import DivertCore
import DivertStore

enum DeadLetterEdits {
  /// Changes the request of one dead letter: by `set` (paths to texts), or by a whole `request`. The result must be one that
  /// a replay would send; else nothing is written.
  static func edit(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    let shelved = try DeadLetterShelf(context).letter(input.requiredText("id"))
    var letter = try shelved.content.get()
    guard var request = letter.request else {
      throw OperatorFailure.conflict(
        "no_request", "\(shelved.file) has no request to edit: it could not be made from its templates (see its reason)"
      )
    }
    if let whole = input.value("request") {
      let step = request.step
      request = try read(whole)
      request.step = step
    }
    for member in try input.object("set").members {
      try RequestPath.set(member.key, to: member.value.string ?? member.value.text, in: &request)
    }
    letter.request = request
    if case .refused(let reason) = RequestEdits.judge(letter, context) {
      throw OperatorFailure.conflict(reason.code, reason.sentence)
    }
    try context.deadLetters.replace(shelved.path, with: letter)
    return ["file": .string(shelved.file), "request": RecordJSON.request(request)]
  }

  /// Notes it in the rows, then moves the files to `dropped/`: a kill in between leaves files that can be dropped again.
  /// The rows stay dead, but no longer count as wanting attention. A damaged file is moved only by its name.
  static func drop(_ context: OperatorContext, _ input: OperatorInput) async throws -> JSONValue {
    let filter = try DeadLetterChoice(input, context)
    if filter.isEmpty, try !input.flag("all") {
      throw OperatorFailure.badRequest("name the dead letters to drop, filter them, or say --all")
    }
    let found = try await Blocking.run {
      let found = try DeadLetterShelf(context).letters(filter)
      if found.isEmpty { try KnownNames(context).require(filter) }
      return found
    }
    let letters = found.filter { !filter.names.isEmpty || !$0.isDamaged }
    if letters.isEmpty, !filter.names.isEmpty {
      throw OperatorFailure.notFound("there is no such dead letter; `divert dead-letters list` names them")
    }
    let dryRun = try input.flag("dry_run")
    if !dryRun {
      try await context.drop(letters.compactMap(\.delivery))
      try await Blocking.run { for letter in letters { try context.deadLetters.drop(letter.path) } }
    }
    return [
      "count": .number(letters.count), "dry_run": .bool(dryRun),
      "files": .array(letters.map { .string($0.file) }),
      "left": .array(filter.names.isEmpty ? found.filter(\.isDamaged).map(left) : []),
    ]
  }

  /// A damaged file that no filter moves.
  private static func left(_ damaged: ShelvedLetter) -> JSONValue {
    let sentence = "it cannot be read, so no filter can tell whether it is meant: look at it, then drop it by its name"
    return ["file": .string(damaged.file), "reason": RecordJSON.reason(Reason("damaged", sentence))]
  }

  /// A request as `RecordJSON.request` writes it; its body may also be a JSON document.
  private static func read(_ value: JSONValue) throws -> EditedRequest {
    guard let method = value["method"]?.string, let url = value["url"]?.string else {
      throw OperatorFailure.badRequest("the request needs `method` and `url`")
    }
    let headers = try (value["headers"]?.array ?? []).map { header in
      guard let name = header["name"]?.string, let text = header["value"]?.string else {
        throw OperatorFailure.badRequest("each of `headers` needs `name` and `value`")
      }
      return HTTPHeader(name, text)
    }
    let body: String? =
      switch value["body"] {
      case nil, .null?: nil
      case .string(let text)?: text
      case let document?: document.text
      }
    return EditedRequest(method: method, url: url, headers: headers, body: body)
  }
}

/// What `--set request.body.text=…` names.
enum RequestPath {
  static func set(_ path: String, to text: String, in request: inout EditedRequest) throws {
    let steps = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    switch (steps.first, steps.count > 1 ? steps[1] : nil) {
    case ("request", "method"?) where steps.count == 2: request.method = text
    case ("request", "url"?) where steps.count == 2: request.url = text
    case ("request", "headers"?) where steps.count == 3: setHeader(steps[2], text, &request)
    case ("request", "body"?) where steps.count == 2: request.body = text
    case ("request", "body"?): try setBody(Array(steps.dropFirst(2)), text, &request)
    default:
      throw OperatorFailure.badRequest(
        "`\(path)` cannot be set: write request.method, request.url, request.headers.NAME, request.body or "
          + "request.body.PATH")
    }
  }

  private static func setHeader(_ name: String, _ text: String, _ request: inout EditedRequest) {
    let place = request.headers.firstIndex { $0.name.lowercased() == name.lowercased() }
    if let place { request.headers[place].value = text } else { request.headers.append(HTTPHeader(name, text)) }
  }

  /// A value that is there keeps its kind: a number stays one if the text is one.
  private static func setBody(_ steps: [String], _ text: String, _ request: inout EditedRequest) throws {
    guard let body = request.body, var document = try? JSONValue.parse(Array(body.utf8)), document.object != nil else {
      throw OperatorFailure.badRequest("the body is no JSON object: set it whole with request.body=…")
    }
    try set(steps[...], text, in: &document)
    request.body = document.text
  }

  private static func set(_ steps: ArraySlice<String>, _ text: String, in value: inout JSONValue) throws {
    guard let step = steps.first else {
      value = leaf(text, like: value)
      return
    }
    switch value {
    case .object(var object):
      var inner = object[step] ?? (steps.count == 1 ? .string("") : .object(JSONObject()))
      try set(steps.dropFirst(), text, in: &inner)
      object[step] = inner
      value = .object(object)
    case .array(var items):
      guard let index = Int(step), items.indices.contains(index) else {
        throw OperatorFailure.badRequest("`\(step)` is no place in a list of \(items.count)")
      }
      try set(steps.dropFirst(), text, in: &items[index])
      value = .array(items)
    default: throw OperatorFailure.badRequest("`\(step)` leads into a value that has no parts")
    }
  }

  private static func leaf(_ text: String, like old: JSONValue) -> JSONValue {
    switch old {
    case .string: .string(text)
    case .number where JSONValue.isNumber(text): .number(text)
    case .bool where text == "true" || text == "false": .bool(text == "true")
    default: (try? JSONValue.parse(Array(text.utf8))) ?? .string(text)
    }
  }
}
