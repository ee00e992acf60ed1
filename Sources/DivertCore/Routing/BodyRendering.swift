// BodyTemplate → bytes, in one pass and without a tree between (step 7 of the line).

extension RenderContext {
  /// Appends the body as JSON. False: it is left out, because an expression with `?` found nothing; the caller takes
  /// back what was appended.
  package func append(_ body: BodyTemplate, to bytes: inout [UInt8]) throws(RenderFault) -> Bool {
    switch body {
    case .literal(let value):
      JSONWriter.append(value, to: &bytes)
      return true
    case .template(let template): return try append(template, to: &bytes)
    case .object(let entries):
      try append(entries, to: &bytes)
      return true
    case .array(let items):
      bytes.append(UInt8(ascii: "["))
      for item in items { try appendMember(item, key: nil, to: &bytes) }
      bytes.append(UInt8(ascii: "]"))
      return true
    }
  }

  private func append(_ entries: [BodyTemplate.Entry], to bytes: inout [UInt8]) throws(RenderFault) {
    bytes.append(UInt8(ascii: "{"))
    for entry in entries { try appendMember(entry.value, key: entry.key, to: &bytes) }
    bytes.append(UInt8(ascii: "}"))
  }

  /// Appends a comma where one is due, the key and the value; takes all back if the value is left out.
  private func appendMember(_ value: BodyTemplate, key: String?, to bytes: inout [UInt8]) throws(RenderFault) {
    let start = bytes.count
    let last = bytes.last
    // Only the bracket that this list began with can stand unquoted at the end before a first member.
    if last != UInt8(ascii: "{"), last != UInt8(ascii: "[") { bytes.append(UInt8(ascii: ",")) }
    if let key { JSONWriter.append(key: key, to: &bytes) }
    if try !append(value, to: &bytes) { bytes.removeSubrange(start...) }
  }

  private func append(_ template: Template, to bytes: inout [UInt8]) throws(RenderFault) -> Bool {
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

  /// The body as a value; nil: left out.
  package func json(_ body: BodyTemplate) throws(RenderFault) -> JSONValue? {
    switch body {
    case .literal(let value): return value
    case .template(let template): return try json(template)
    case .object(let entries): return .object(try object(entries))
    case .array(let items):
      var values: [JSONValue] = []
      for item in items {
        if let value = try json(item) { values.append(value) }
      }
      return .array(values)
    }
  }

  /// The members that are not left out.
  package func object(_ entries: [BodyTemplate.Entry]) throws(RenderFault) -> JSONObject {
    var object = JSONObject()
    for entry in entries {
      guard let value = try json(entry.value) else { continue }
      object.members.append(JSONObject.Member(key: entry.key, value: value))
    }
    return object
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
