// Paths into JSON values: `data.0.id` or `/data/0/id` → steps → the value there. For conditions, templates and
// response rules.

package enum JSONPath {
  /// The steps of a dotted path (`data.0.id`) or a JSON pointer (RFC 6901, `/data/0/id`); nil for an empty step or
  /// text.
  package static func steps(_ text: String) -> [String]? {
    if text.hasPrefix("/") { return pointer(text.dropFirst()) }
    let steps = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    return steps.contains("") ? nil : steps
  }

  private static func pointer(_ text: Substring) -> [String]? {
    var steps: [String] = []
    for step in text.split(separator: "/", omittingEmptySubsequences: false) {
      guard let step = unescaped(step) else { return nil }
      steps.append(step)
    }
    return steps
  }

  /// `~1` is `/` and `~0` is `~`; nil for another `~`.
  private static func unescaped(_ step: Substring) -> String? {
    guard step.utf8.contains(UInt8(ascii: "~")) else { return String(step) }
    var text = ""
    var tilde = false
    for character in step {
      switch (tilde, character) {
      case (true, "0"): text.append("~")
      case (true, "1"): text.append("/")
      case (true, _): return nil
      case (false, "~"): break
      default: text.append(character)
      }
      tilde = !tilde && character == "~"
    }
    return tilde ? nil : text
  }
}

extension JSONValue {
  /// The value at the end of `steps`; nil where a step leads nowhere. In an array a step is an index counted from 0.
  package func value(at steps: some Collection<String>) -> JSONValue? {
    var value = self
    for step in steps {
      guard let next = value.value(of: step) else { return nil }
      value = next
    }
    return value
  }

  private func value(of step: String) -> JSONValue? {
    switch self {
    case .object(let object): return object[step]
    case .array(let items):
      guard let index = Int(step), items.indices.contains(index) else { return nil }
      return items[index]
    default: return nil
    }
  }

  /// The values at the ends of `steps`, where the step `*` stands for every item of an array; nil for an end that is
  /// not there.
  package func values(at steps: ArraySlice<String>) -> [JSONValue?] {
    guard let star = steps.firstIndex(of: "*") else { return [value(at: steps)] }
    guard let items = value(at: steps[..<star])?.array else { return [] }
    return items.flatMap { $0.values(at: steps[(star + 1)...]) }
  }
}
