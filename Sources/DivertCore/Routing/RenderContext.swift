// What templates are rendered with, and how they fail (step 7 of the line).

/// Why a request could not be made from its templates. The delivery alone is hurt; the reason goes on it.
package struct RenderFault: Error, Sendable, Hashable {
  package var reason: Reason

  package init(_ code: String, _ sentence: String) { reason = Reason(code, sentence) }

  static func missing(_ expression: Expression) -> RenderFault {
    RenderFault(
      "value_missing",
      "`\(expression.path)` is missing: write `{{ \(expression.path)? }}` to leave it out or `| default: …` to fill it")
  }
}

/// What becomes of `{{ secrets.name }}`.
package enum SecretUse: Sendable {
  /// Resolved, for sending. Nil from the function: the secret is absent.
  case resolved(@Sendable (String) -> String?)
  /// They stand as written, for dead letters and everything shown.
  case masked
}

/// The values that templates may name.
package struct RenderContext: Sendable {
  /// Nil for Divert's own alarms: every field is missing.
  package var event: Event?
  /// `now`: the delivery's planned due time.
  package var now: Timestamp
  /// The file's time zone.
  package var zone: Zone
  /// The file's country, for phone numbers.
  package var country: String
  package var tables: [String: [String: String]]
  /// What the send gave, by the action's argument names.
  package var arguments: JSONObject
  package var idempotencyKey: String
  package var secrets: SecretUse
  /// Lookups' answers and steps' results.
  package var memo = DeliveryMemo()
  /// The variant that a lookup asks.
  package var variant: String?
  /// The credential's token, for sending.
  package var token: String?
  /// Scheme and host out of the token's answer, in place of those of the target's address.
  package var base: String?
  /// The rendered bodies of a batch.
  package var items: [JSONValue]?

  package init(
    event: Event?, now: Timestamp, zone: Zone = .utc, country: String = "IN", tables: [String: [String: String]] = [:],
    arguments: JSONObject = JSONObject(), idempotencyKey: String = "", secrets: SecretUse = .masked
  ) {
    self.event = event
    self.now = now
    self.zone = zone
    self.country = country
    self.tables = tables
    self.arguments = arguments
    self.idempotencyKey = idempotencyKey
    self.secrets = secrets
  }

  var isMasked: Bool { if case .masked = secrets { true } else { false } }

  /// A path whose value is not at hand while requests are only shown: it stands as `{{ … }}`.
  func isShownByName(_ path: ValuePath) -> Bool {
    guard isMasked else { return false }
    return switch path {
    case .secret, .token: true
    case .lookup(let name, _): memo.lookups[name] == nil
    case .step(let name, _): memo.steps[name] == nil
    default: false
    }
  }
}
