// A target and its actions as data, with every default resolved: what `targets:` (and a preset) compiles to.

/// Where deliveries go and under which rules.
package struct TargetDefinition: Sendable {
  package var name: String
  /// The base address: scheme and host literal or from a secret. Actions' paths are joined to it.
  package var base: Template
  /// Sent with every request: the target's `headers` and what `auth` makes (Authorization …). Secrets stand as expressions.
  package var headers: [HeaderTemplate]
  /// Added to every request's query (auth by query).
  package var query: [HeaderTemplate]
  package var basicAuth: BasicAuth?
  package var signing: Signing?
  package var limits: [RateLimit]
  /// Requests in flight at once, at least 1.
  package var concurrency: Int
  package var connectTimeout: Span
  package var totalTimeout: Span
  /// The user's rules, then the preset's; the language's defaults come after them (ResponseRules).
  package var responses: [ResponseRule]
  package var privateNetwork: Bool
  package var http2: Bool
  /// `enabled: false`: its deliveries wait.
  package var enabled: Bool
  package var actions: [String: ActionDefinition]
  /// The credential whose headers, token and budget hold for it; nil: it has none.
  package var credential: String?
  package var budget: Budget?
  package var quota: [QuotaRule]

  package init(name: String, base: Template) {
    self.name = name
    self.base = base
    headers = []
    query = []
    limits = []
    concurrency = 8
    connectTimeout = .seconds(10)
    totalTimeout = .seconds(30)
    responses = []
    privateNetwork = false
    http2 = false
    enabled = true
    actions = [:]
    quota = []
  }
}

/// A name with a value to render: a header, a query item, a form field.
package struct HeaderTemplate: Sendable, Hashable {
  package var name: String
  package var value: Template
  package init(_ name: String, _ value: Template) {
    self.name = name
    self.value = value
  }
}

/// RFC 7617.
package struct BasicAuth: Sendable, Hashable {
  package var user: Template
  package var password: Template
  package init(user: Template, password: Template) {
    self.user = user
    self.password = password
  }
}

/// `sign: standard-webhooks` (https://www.standardwebhooks.com): `webhook-id`, `webhook-timestamp`, `webhook-signature`.
package struct Signing: Sendable, Hashable {
  /// One secret, or two while it is rotated.
  package var secrets: [Template]
  package init(secrets: [Template]) { self.secrets = secrets }
}

/// `100/min`: a token bucket of `count` that refills in `per`.
package struct RateLimit: Sendable, Hashable {
  package var count: Int
  package var per: Span
  package init(count: Int, per: Span) {
    self.count = count
    self.per = per
  }
}

/// One request that a target can be asked for.
package struct ActionDefinition: Sendable {
  package var name: String
  package var method: String
  /// Joined to the base address; expressions are percent-encoded. May be empty.
  package var path: Template
  package var query: [HeaderTemplate]
  package var headers: [HeaderTemplate]
  package var body: RequestBody
  package var arguments: [ArgumentDefinition]
  package var toPerson: Bool
  /// Which kind of message it is where it writes to a person: `class:`.
  package var writesAs = MessageClass.outreach
  /// Nil: it writes to nobody.
  package var messageClass: MessageClass? { toPerson ? writesAs : nil }
  package var idempotency: IdempotencyPlacement
  /// The longest text allowed at a body path (`max: { content.text: 4096 }`), in characters; longer is a fault of the delivery.
  package var maxLengths: [String: Int]
  package var ambiguous: AmbiguousPolicy
  /// Rules for the answers to its own requests, each of its steps included, before the target's.
  package var responses: [ResponseRule]
  /// What its answer gives: as a lookup's answer that it creates, or a step's result.
  package var fields: [AnswerField]
  /// The fields of its sandbox answer, where the file says what that is: what a rehearsal takes for the answer.
  package var sample: JSONObject?
  /// Lookups that it needs, by full name.
  package var needs: [String]
  /// Requests in a row instead of the one; the last one's answer is the delivery's. Empty: `method` and `path` are the request.
  package var steps: [StepDefinition]
  package var verify: VerifyDefinition?
  package var batch: BatchDefinition?
  /// The events by which its vendor reports what it wrote back to us.
  package var echoes: [EchoDefinition]

  package init(name: String, method: String, path: Template) {
    self.name = name
    self.method = method
    self.path = path
    query = []
    headers = []
    body = .none
    arguments = []
    toPerson = false
    idempotency = .header("Idempotency-Key")
    maxLengths = [:]
    ambiguous = .retry
    responses = []
    fields = []
    needs = []
    steps = []
    echoes = []
  }
}

extension ActionDefinition {
  /// `sending` is on disk before the first byte leaves: for messages to people, and for what must not go again on a guess.
  package var recordsBeforeSending: Bool { toPerson || ambiguous != .retry }
}

package enum RequestBody: Sendable, Hashable {
  case none
  /// `Content-Type: application/json`.
  case json(BodyTemplate)
  /// `Content-Type: application/x-www-form-urlencoded`.
  case form([FormField])
}

/// A field of a form: a template is sent as its text, a mapping or a list as JSON text.
package struct FormField: Sendable, Hashable {
  package var name: String
  package var value: BodyTemplate
  package init(_ name: String, _ value: BodyTemplate) {
    self.name = name
    self.value = value
  }
  /// A field that is text.
  package init(_ name: String, _ value: Template) { self.init(name, .template(value)) }
}

/// An argument that an action takes (presets declare them; a plain target's actions take any that their templates name).
package struct ArgumentDefinition: Sendable, Hashable {
  package var name: String
  package var required: Bool
  /// Used where the send gives none.
  package var fallback: BodyTemplate?
  /// A lone string given to the action is this argument.
  package var main: Bool
  /// The values that it takes, where the send writes one out; empty: any.
  package var choices: [String] = []
  package init(name: String, required: Bool, fallback: BodyTemplate?, main: Bool) {
    self.name = name
    self.required = required
    self.fallback = fallback
    self.main = main
  }
}

package enum IdempotencyPlacement: Sendable, Hashable {
  /// The key as a header (draft-ietf-httpapi-idempotency-key-header).
  case header(String)
  /// A body field (path of keys) set to the key as a UUID with version-4 bits.
  case field([String])
  /// The request itself carries a natural key, or the target has none.
  case natural
}

/// What becomes of an attempt whose request went out and whose answer never came (or 500, 502, 504, or a crash meanwhile).
package enum AmbiguousPolicy: String, Sendable, Hashable, CaseIterable {
  case retry, park
  /// The target is asked whether it arrived (`ActionDefinition.verify`), and it is sent again only if not.
  case verify
}

/// `retry: { for, backoff: a..b, attempts }`. Wait before attempt n+1: uniform(0, min(cap, base · 2ⁿ)).
package struct RetrySettings: Sendable, Hashable {
  /// Counted from the first attempt, without time spent held, limited or behind an open breaker (7 days in all at most).
  package var period: Span
  package var base: Span
  package var cap: Span
  /// At most this many attempts; nil: no bound but the period.
  package var attempts: Int?
  /// What a response rule asks for at least where the wait is the backoff's.
  package var least: Span = .zero
  package init(period: Span, base: Span, cap: Span, attempts: Int?) {
    self.period = period
    self.base = base
    self.cap = cap
    self.attempts = attempts
  }
  /// `{ for: 24h, backoff: 5s..15m }`.
  package static let standard = RetrySettings(period: .hours(24), base: .seconds(5), cap: .minutes(15), attempts: nil)
}

/// One of a target's ordered response rules: the first that matches decides.
package struct ResponseRule: Sendable, Hashable {
  package var conditions: [ResponseCondition]
  package var then: AttemptOutcome
  package var wait: WaitSource?
  /// No less than this: also of the backoff, where no source is named or the answer does not say.
  package var waitAtLeast: Span?
  /// No more than this, whatever the answer says.
  package var waitAtMost: Span?
  /// Shown as the reason's sentence; nil: one is made from the rule.
  package var because: String?
  package init(conditions: [ResponseCondition], then: AttemptOutcome, wait: WaitSource?, because: String?) {
    self.conditions = conditions
    self.then = then
    self.wait = wait
    self.because = because
  }
}

/// All conditions of a rule must hold. Those on JSON hold for no body that is none.
package indirect enum ResponseCondition: Sendable, Hashable {
  /// Ranges of status codes, both ends included; one of them must hold.
  case status([ClosedRange<Int>])
  /// A header (lower-cased name), as text.
  case header(String, Comparison)
  /// The answer's body as text, without white space at its ends.
  case text(Comparison)
  /// A path into the answer's JSON body; within `items`, into an item.
  case json([String], Comparison)
  /// The list at a path: items for which all the conditions (`json`, `items`, `oneOf`) hold. An empty path is the body.
  case items([String], Quantifier, [ResponseCondition])
  /// One of them must hold.
  case oneOf([ResponseCondition])

  /// How many items of a list: one at least; or all of them, and at least one.
  package enum Quantifier: String, Sendable, Hashable {
    case any, every
  }
}

/// Where a `retry`, `throttle` or `hold` rule takes its wait from.
package enum WaitSource: Sendable, Hashable {
  /// The Retry-After header, seconds or an HTTP date (RFC 9110, section 10.2.3).
  case retryAfter
  /// Another header, read as `unit`.
  case header(String, WaitUnit)
  case json([String], WaitUnit)
  case fixed(Span)
  /// The next midnight in a time zone (daily quotas).
  case midnight(zone: String)

  package enum WaitUnit: String, Sendable, Hashable {
    case seconds, milliseconds
    case unix, unixMilliseconds = "unix_ms"
    /// A moment: an HTTP date, or ISO 8601.
    case date
  }
}
