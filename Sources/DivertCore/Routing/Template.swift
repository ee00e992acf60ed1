// Templates as data: what `{{ path | filter: argument }}` compiles to. Evaluation is in TemplateEvaluation.swift.

/// A leaf of the language: text with expressions in it. Exactly one expression and nothing else keeps the value's JSON type.
package struct Template: Sendable, Hashable {
  package enum Part: Sendable, Hashable {
    case literal(String)
    case expression(Expression)
  }

  package var parts: [Part]

  package init(parts: [Part]) { self.parts = parts }
  /// A template that is only text.
  package init(literal: String) { parts = literal.isEmpty ? [] : [.literal(literal)] }

  /// The one expression of a template that is nothing else; nil for mixed text.
  package var single: Expression? {
    if parts.count == 1, case .expression(let e) = parts[0] { e } else { nil }
  }
  /// The text of a template without expressions; nil if there is one.
  package var literal: String? {
    if parts.isEmpty { return "" }
    if parts.count == 1, case .literal(let s) = parts[0] { return s }
    return nil
  }
}

/// `path?| filter | filter: argument`.
package struct Expression: Sendable, Hashable {
  package var path: ValuePath
  /// `{{ x? }}`: a missing value leaves the key (or list item, header, query item) out.
  package var optional: Bool
  package var filters: [FilterCall]

  package init(path: ValuePath, optional: Bool = false, filters: [FilterCall] = []) {
    self.path = path
    self.optional = optional
    self.filters = filters
  }
}

/// Where a value comes from.
package enum ValuePath: Sendable, Hashable {
  case field(EventField)
  /// `raw.…`: into the body as it came. A number is an index in an array, a key in an object.
  case raw([String])
  /// `local.time` (HH:MM) or `local.weekday` (mon … sun) of `at` in the file's time zone.
  case local(LocalField)
  /// `now`: the delivery's planned due time, the same in every attempt.
  case now
  /// `secrets.name`: resolved when sent, never stored.
  case secret(String)
  /// `arguments.name…`: what the send gives to its action.
  case argument(String, [String])
  /// `idempotency_key`: the same in every attempt of a delivery, different for any two sends.
  case idempotencyKey
  /// A lookup's field: its full name, and the path within its fields.
  case lookup(String, [String])
  /// A finished step's field: `steps.name…`.
  case step(String, [String])
  /// `variant`: the one of a lookup's `variants` that is being asked.
  case variant
  /// `token`: what the credential's token endpoint gave. A secret.
  case token
  /// `items`: the bodies of a batch.
  case items
}

package enum LocalField: String, Sendable, Hashable, CaseIterable {
  case time, weekday
}

/// The event's fields by the names that `routes.yaml` uses.
package enum EventField: String, Sendable, Hashable, CaseIterable {
  case id, source
  case receivedAt = "received_at"
  case event, direction, status, at, waba, agent
  case callID = "call.id"
  case callStartedAt = "call.started_at"
  case callEndedAt = "call.ended_at"
  case callDuration = "call.duration"
  case callFailedReason = "call.failed_reason"
  case customerID = "customer.id"
  case customerName = "customer.name"
  case customerPhone = "customer.phone"
  case chatID = "chat.id"
  case chatMessageID = "chat.message_id"
  case deviceID = "device.id"
  /// It reports a write of Divert's own.
  case own
}

/// A filter with its arguments, checked when the file was read: right count, readable durations, existing tables and zones.
package struct FilterCall: Sendable, Hashable {
  package var filter: Filter
  package var arguments: [FilterArgument]

  package init(_ filter: Filter, _ arguments: [FilterArgument] = []) {
    self.filter = filter
    self.arguments = arguments
  }
}

package enum FilterArgument: Sendable, Hashable {
  case literal(String)
  case path(ValuePath)
}

/// Every filter of the language, by its name in the file.
package enum Filter: String, Sendable, Hashable, CaseIterable {
  case `default`, upper, lower, trim, truncate, date, time, add
  case inZone = "in_zone"
  case unix
  case unixMilliseconds = "unix_ms"
  case e164, digits, national, mask, json, urlencode
  case mrkdwnEscape = "mrkdwn_escape"
  case htmlEscape = "html_escape"
  case soqlEscape = "soql_escape"
  case soslEscape = "sosl_escape"
  case map, next, uuid, join, round, number, string
  case base64, format, texts, list, objects, pairs
  case truncateBytes = "truncate_bytes"
  case truncateUTF16 = "truncate_utf16"
}

/// A tree whose leaves are templates: a request's body, an action's argument.
package indirect enum BodyTemplate: Sendable, Hashable {
  case literal(JSONValue)
  case template(Template)
  case object([Entry])
  case array([BodyTemplate])

  package struct Entry: Sendable, Hashable {
    package var key: String
    package var value: BodyTemplate
    package init(_ key: String, _ value: BodyTemplate) {
      self.key = key
      self.value = value
    }
  }
}
