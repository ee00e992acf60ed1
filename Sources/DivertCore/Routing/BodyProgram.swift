// BodyTemplate → bytes, in one pass and without a tree between (step 7 of the line). Compiled once a send: what never changes is
// JSON already.

/// A request's body as a list of steps.
package struct BodyProgram: Sendable {
  private enum Step: Sendable {
    /// A member or item that never changes, or the beginning of a list: a comma where one is due, then these bytes.
    case member([UInt8])
    /// `}` or `]`. A mapping under `key?` of which nothing is left is left out itself: so many bytes, from its key on, are
    /// taken back.
    case close(UInt8, emptied: Int)
    /// A member or item whose value is the event's field as it is; `key` is `"key":` or empty.
    case field(key: [UInt8], EventField, Expression)
    case template(key: [UInt8], Template)
  }

  private var steps: [Step] = []
  /// What a body took so far, so that the next one is made in one piece.
  private var expected = 256

  package init(_ body: BodyTemplate) {
    add(body, key: [])
    join()
  }

  private mutating func add(_ body: BodyTemplate, key: [UInt8], mayGo: Bool = false) {
    switch body {
    case .literal(let value): steps.append(.member(key + value.encoded()))
    case .template(let template): steps.append(Self.step(template, key))
    case .object(let entries):
      steps.append(.member(key + [UInt8(ascii: "{")]))
      for entry in entries {
        let key = entry.isOptional ? String(entry.key.dropLast()) : entry.key
        add(entry.value, key: Self.bytes(key: key), mayGo: entry.isOptional)
      }
      steps.append(.close(UInt8(ascii: "}"), emptied: mayGo ? key.count + 1 : 0))
    case .array(let items):
      steps.append(.member(key + [UInt8(ascii: "[")]))
      for item in items { add(item, key: []) }
      steps.append(.close(UInt8(ascii: "]"), emptied: 0))
    }
  }

  private static func bytes(key: String) -> [UInt8] {
    var bytes: [UInt8] = []
    JSONWriter.append(key: key, to: &bytes)
    return bytes
  }

  private static func step(_ template: Template, _ key: [UInt8]) -> Step {
    if let literal = template.literal { return .member(key + JSONValue.string(literal).encoded()) }
    guard let expression = template.single, expression.filters.isEmpty, case .field(let field) = expression.path,
      field.isText
    else { return .template(key: key, template) }
    return .field(key: key, field, expression)
  }

  /// Joins neighbouring members that never change, and estimates the length.
  private mutating func join() {
    var joined: [Step] = []
    for step in steps {
      if case .member(let next) = step, case .member(var bytes)? = joined.last {
        if !Self.opens(bytes.last) { bytes.append(UInt8(ascii: ",")) }
        joined[joined.count - 1] = .member(bytes + next)
      } else {
        joined.append(step)
      }
    }
    steps = joined
    expected = joined.reduce(64) { length, step in
      switch step {
      case .member(let bytes): length + bytes.count + 1
      case .close: length + 1
      case .field(let key, _, _), .template(let key, _): length + key.count + 32
      }
    }
  }

  /// Only the bracket that a list began with can stand unquoted at the end before a first member.
  private static func opens(_ byte: UInt8?) -> Bool { byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") }

  /// The body as JSON; empty when it is left out whole, because an expression with `?` found nothing.
  package func bytes(_ context: RenderContext) throws(RenderFault) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(expected)
    for step in steps {
      switch step {
      case .close(_, let emptied) where emptied > 0 && bytes.last == UInt8(ascii: "{"):
        bytes.removeLast(emptied)
        if bytes.last == UInt8(ascii: ",") { bytes.removeLast() }
      case .close(let bracket, _): bytes.append(bracket)
      case .member(let member):
        Self.comma(&bytes)
        bytes.append(contentsOf: member)
      case .field(let key, let field, let expression):
        guard let text = context.event?.text(field) else {
          if !expression.optional { throw .missing(expression) }
          continue
        }
        Self.comma(&bytes)
        bytes.append(contentsOf: key)
        JSONWriter.append(string: text, to: &bytes)
      case .template(let key, let template):
        let start = bytes.count
        Self.comma(&bytes)
        bytes.append(contentsOf: key)
        if try !context.append(template, to: &bytes) { bytes.removeSubrange(start...) }
      }
    }
    return bytes
  }

  private static func comma(_ bytes: inout [UInt8]) {
    if let last = bytes.last, !opens(last) { bytes.append(UInt8(ascii: ",")) }
  }
}

extension RenderContext {
  /// False: left out, because an expression with `?` found nothing; the caller takes back what was appended.
  fileprivate func append(_ template: Template, to bytes: inout [UInt8]) throws(RenderFault) -> Bool {
    if let expression = template.single {
      guard let value = try evaluate(expression) else { return false }
      value.append(jsonTo: &bytes)
      return true
    }
    bytes.append(UInt8(ascii: "\""))
    for part in template.parts {
      switch part {
      case .literal(let literal): JSONWriter.append(escaped: literal, to: &bytes)
      case .expression(let expression):
        guard let value = try evaluate(expression) else { return false }
        JSONWriter.append(escaped: value.text, to: &bytes)
      }
    }
    bytes.append(UInt8(ascii: "\""))
    return true
  }
}

extension EventValue {
  /// Appends the value as JSON; times as strings.
  fileprivate func append(jsonTo bytes: inout [UInt8]) {
    switch self {
    case .json(let value): JSONWriter.append(value, to: &bytes)
    case .moment(let time, nil):
      bytes.append(UInt8(ascii: "\""))
      time.append(iso8601To: &bytes)
      bytes.append(UInt8(ascii: "\""))
    default: JSONWriter.append(string: text, to: &bytes)
    }
  }
}
