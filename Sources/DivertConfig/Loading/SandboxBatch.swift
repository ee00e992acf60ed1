// What the sandbox answers to a batch: the result of one, for each.
package import DivertCore

/// How the answer to one becomes the answer to several.
package struct SandboxBatch: Sendable, Hashable {
  /// Where the items stand in the request's body.
  package var items: [String]
  /// Where the results stand in the answer's body.
  package var results: [String]
  package var match: BatchDefinition.Match?

  /// Nil where the items do not stand in the body as a list of their own.
  init?(_ batch: BatchDefinition) {
    guard let items = batch.body.path(ofItems: []) else { return nil }
    self.items = items
    results = batch.results
    match = batch.match
  }

  /// The answer to a request whose body has several items: the first result, once for each and with its key. Nil: it has none.
  package func answer(_ one: JSONValue, to request: JSONValue) -> JSONValue? {
    guard let items = request.value(at: items)?.array else { return nil }
    let first = one.value(at: results + ["0"]) ?? .object(JSONObject())
    let all = items.map { item -> JSONValue in
      guard let match, let key = item.value(at: match.item) else { return first }
      return first.with(key, at: match.result[...])
    }
    return one.with(.array(all), at: results[...])
  }
}

extension BodyTemplate {
  fileprivate func path(ofItems steps: [String]) -> [String]? {
    switch self {
    case .literal, .array: nil
    case .template(let template): template.single?.path == .items ? steps : nil
    case .object(let entries): entries.lazy.compactMap { $0.value.path(ofItems: steps + [$0.key]) }.first
    }
  }
}

extension JSONValue {
  /// The same with another value at a path of keys; what is no object on the way becomes one.
  fileprivate func with(_ value: JSONValue, at path: ArraySlice<String>) -> JSONValue {
    guard let key = path.first else { return value }
    var object = self.object ?? JSONObject()
    object[key] = (object[key] ?? .object(JSONObject())).with(value, at: path.dropFirst())
    return .object(object)
  }
}
