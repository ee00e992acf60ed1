// A write of Divert's own as one line of JSON, so that it is known again after a restart (step 2 of the line).

/// A write whose report is waited for.
package struct RememberedWrite: Sendable, Hashable {
  package var echo: ExpectedEcho
  package var until: Timestamp

  package init(echo: ExpectedEcho, until: Timestamp) {
    self.echo = echo
    self.until = until
  }

  /// One line, without its end; nil for one that compares what no body holds.
  package var line: [UInt8]? {
    var fields: [JSONValue] = []
    for field in echo.fields {
      guard let steps = Self.steps(field.path) else { return nil }
      fields.append([.array(steps.map(JSONValue.string)), .string(field.value)])
    }
    let value: JSONValue = [
      "event": .string(echo.event), "customer": .string(echo.customer), "fields": .array(fields),
      "holds": .number(echo.holds.milliseconds), "until": .number(until.milliseconds),
    ]
    return value.encoded()
  }

  /// Nil for what is no such line: the end of one that a crash cut off, say.
  package init?(line: [UInt8]) {
    guard let value = try? JSONValue.parse(line), let event = value["event"]?.string,
      let customer = value["customer"]?.string, let holds = value["holds"]?.integer,
      let until = value["until"]?.integer, let list = value["fields"]?.array
    else { return nil }
    var fields: [ExpectedEcho.Field] = []
    for item in list {
      guard let pair = item.array, pair.count == 2, let text = pair[1].string,
        let path = Self.path(pair[0].array?.compactMap(\.string) ?? [])
      else { return nil }
      fields.append(.init(path: path, value: text))
    }
    let span = Span(milliseconds: holds)
    echo = ExpectedEcho(event: event, customer: customer, fields: fields, holds: span)
    self.until = Timestamp(milliseconds: until)
  }

  private static func steps(_ path: ValuePath) -> [String]? {
    switch path {
    case .field(let field): [field.rawValue]
    case .raw(let steps): ["raw"] + steps
    default: nil
    }
  }

  private static func path(_ steps: [String]) -> ValuePath? {
    if steps.first == "raw" { return .raw(Array(steps.dropFirst())) }
    return steps.count == 1 ? EventField(rawValue: steps[0]).map(ValuePath.field) : nil
  }
}
