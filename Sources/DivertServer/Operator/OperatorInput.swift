// Reads what an operator request asks for: its query or its JSON body, with sentences about what is wrong.

import DivertCore

/// The parameters of one request, by name. A `POST` takes them from its JSON body, a `GET` from its query.
struct OperatorInput {
  let members: JSONObject

  init(_ request: OperatorRequest) throws(OperatorFailure) {
    if request.method == "GET" || request.body.isEmpty {
      members = JSONObject(
        request.query.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .string($0.value)) })
      return
    }
    do {
      guard let object = try JSONValue.parse(request.body).object else {
        throw OperatorFailure.badRequest("the body must be a JSON object")
      }
      members = object
    } catch let error as JSONParseError {
      throw .badRequest("the body is not JSON: \(error)")
    } catch {
      throw .badRequest("the body must be a JSON object")
    }
  }

  /// A text; nil where it is absent, null or empty.
  func text(_ name: String) throws(OperatorFailure) -> String? {
    switch members[name] {
    case nil, .null?: return nil
    case .string(let text)?: return text.isEmpty ? nil : text
    case .number(let text)?: return text
    default: throw .badRequest("`\(name)` must be a text")
    }
  }

  /// A text that may be empty; nil where it is absent or null.
  func given(_ name: String) throws(OperatorFailure) -> String? {
    switch members[name] {
    case nil, .null?: return nil
    case .string(let text)?: return text
    default: throw .badRequest("`\(name)` must be a text")
    }
  }

  /// A line for people to read, such as a reason; nil where it is absent, null or empty.
  func line(_ name: String) throws(OperatorFailure) -> String? {
    guard let text = try text(name) else { return nil }
    if text.count > OperatorText.longest {
      throw .badRequest("`\(name)` may have \(OperatorText.longest) characters at most; it has \(text.count)")
    }
    if OperatorText.isLine(text) { return text }
    throw .badRequest("`\(name)` must be one line of text, without line breaks and other control characters")
  }

  /// Refuses what is not understood, with the name that was probably meant.
  func expect(only known: [String]) throws(OperatorFailure) { try Self.expect(members, only: known, "") }

  /// The same of an object inside. `place`: where it stands, as in ` in edit 2`.
  static func expect(_ object: JSONObject, only known: [String], _ place: String) throws(OperatorFailure) {
    guard let name = object.members.map(\.key).first(where: { !known.contains($0) }) else { return }
    let shown = OperatorText.line(name, limit: 80)
    let list = known.map { "`\($0)`" }.joined(separator: ", ")
    let remedy = NearestName.to(name, among: known).map { "did you mean `\($0)`?" } ?? "there are \(list)"
    throw .badRequest("`\(shown)` is not understood\(place): \(remedy) Nothing was changed")
  }

  /// A text that must be there.
  func requiredText(_ name: String) throws(OperatorFailure) -> String {
    if let text = try text(name) { return text }
    throw .badRequest("`\(name)` is missing")
  }

  /// Yes or no; absent is no.
  func flag(_ name: String) throws(OperatorFailure) -> Bool {
    switch members[name] {
    case nil, .null?: return false
    case .bool(let value)?: return value
    case .string("true")?, .string("1")?: return true
    case .string("false")?, .string("0")?, .string("")?: return false
    default: throw .badRequest("`\(name)` must be true or false")
    }
  }

  /// A whole number within `range`; `fallback` where it is absent.
  func number(_ name: String, in range: ClosedRange<Int>, or fallback: Int) throws(OperatorFailure) -> Int {
    guard let text = try text(name) else { return fallback }
    guard let value = Int(text), range.contains(value) else {
      throw .badRequest("`\(name)` must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A list of texts; a lone text is a list of one, absent is empty.
  func texts(_ name: String) throws(OperatorFailure) -> [String] {
    guard case .array(let items)? = members[name] else { return try text(name).map { [$0] } ?? [] }
    var texts: [String] = []
    for item in items {
      guard let text = item.string else { throw .badRequest("`\(name)` must be a list of texts") }
      texts.append(text)
    }
    return texts
  }

  /// The members of an object; empty where it is absent.
  func object(_ name: String) throws(OperatorFailure) -> JSONObject {
    switch members[name] {
    case nil, .null?: return JSONObject()
    case .object(let object)?: return object
    default: throw .badRequest("`\(name)` must be an object")
    }
  }

  /// The value as it is; nil where it is absent.
  func value(_ name: String) -> JSONValue? { members[name] }

  /// A time, as `OperatorTime.read` takes it.
  func moment(_ name: String, _ context: OperatorContext) throws(OperatorFailure) -> Timestamp? {
    guard let text = try text(name) else { return nil }
    return try OperatorTime.read(text, now: context.now(), zone: context.zone)
  }
}

extension OperatorContext {
  /// The file's time zone; UTC where there is no configuration.
  var zone: Zone { table().flatMap { Zone.named($0.parts.timezone) } ?? .utc }
}
