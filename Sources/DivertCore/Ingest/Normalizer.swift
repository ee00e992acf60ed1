// Body → event (step 2 of the line): one pure function, whatever the source's type.

/// What became of a body.
package enum NormalizeResult: Sendable {
  /// An event; with no key it never counts as a duplicate.
  case event(Event.Fields, raw: JSONValue, DedupeKey?)
  /// Nothing that could be an event; every fault at once, at least one.
  case refused([IngestFault])
}

/// One thing that is wrong with a body. Holds nothing of it.
package struct IngestFault: Error, Sendable, Hashable {
  /// Stable, for programs: `empty_body`, `not_json`, `too_deep`, `not_an_object`, `missing_field`, `wrong_type`, `wrong_value`.
  package var code: String
  /// The body's key; nil when it concerns the whole.
  package var field: String?
  /// For people.
  package var sentence: String

  package init(_ code: String, field: String? = nil, _ sentence: String) {
    self.code = code
    self.field = field
    self.sentence = sentence
  }
}

package enum Normalizer {
  /// Reads a body as its source sends it.
  /// - Parameters:
  ///   - label: what follows the key in the address (`call-rejected`); names the event when the body does not.
  ///   - country: for phone numbers without a country code.
  ///   - maxDepth: how deep the body may be nested.
  package static func normalize(
    _ body: [UInt8], label: String?, source: SourceDefinition, country: String, receivedAt: Timestamp,
    maxDepth: Int = 64
  ) -> NormalizeResult {
    let raw: JSONValue
    do throws(JSONParseError) {
      raw = try JSONValue.parse(body, maxDepth: maxDepth)
    } catch {
      let code = error.isTooDeep ? "too_deep" : "not_json"
      return .refused([IngestFault(code, "the body is no JSON document that can be read: \(error)")])
    }
    guard let object = raw.object else {
      return .refused([IngestFault("not_an_object", "the body must be a JSON object")])
    }
    var reader = DoubleTickNormalizer(object, label: label, country: country, receivedAt: receivedAt)
    let fields = reader.read()
    if reader.isRefused { return .refused(reader.faults) }
    return .event(fields, raw: raw, key(of: fields, raw: raw, source: source))
  }

  /// Events that happen once a call are known by it for good. CALL_NOT_PICKED repeats rightly. Everything else by its
  /// content.
  private static func key(of fields: Event.Fields, raw: JSONValue, source: SourceDefinition) -> DedupeKey? {
    if fields.name == "CALL_NOT_PICKED" { return nil }
    if let callID = fields.callID, DoubleTickNormalizer.oncePerCall.contains(fields.name) {
      return .identity(source: source.name, callID: callID, event: fields.name)
    }
    return .content(source: source.name, event: fields.name, body: raw, holds: source.dedupe)
  }
}
