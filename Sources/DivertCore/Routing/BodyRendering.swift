// BodyTemplate → JSONValue (step 7 of the line), where a body is looked at before it is written. BodyProgram.swift writes one at
// once.

extension RenderContext {
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
      if entry.isOptional, value.object?.members.isEmpty == true { continue }
      let key = entry.isOptional ? String(entry.key.dropLast()) : entry.key
      object.members.append(JSONObject.Member(key: key, value: value))
    }
    return object
  }
}

extension BodyTemplate.Entry {
  /// `key?: { … }`: the mapping is left out when nothing of it is left.
  var isOptional: Bool {
    guard key.utf8.last == UInt8(ascii: "?"), key.utf8.count > 1, case .object(let entries) = value else {
      return false
    }
    return !entries.isEmpty
  }
}
