// Credentials as data: what `credentials:` (or a target's own `auth`) compiles to. Shared ones have one token and one budget.

/// How Divert proves who it is, and how much that lets through.
package struct CredentialDefinition: Sendable {
  /// Its name under `credentials:`; a target's own is named after the target.
  package var name: String
  /// Sent with every request of its targets; `{{ token }}` where there is `oauth2`.
  package var headers: [HeaderTemplate]
  package var query: [HeaderTemplate]
  package var basicAuth: BasicAuth?
  package var signing: Signing?
  package var oauth2: OAuth2Definition?
  /// Over all its targets.
  package var limits: [RateLimit]
  /// Requests in flight over all its targets; nil: no bound of its own.
  package var concurrency: Int?
  package var budget: Budget?

  package init(name: String) {
    self.name = name
    headers = []
    query = []
    limits = []
  }
}

/// So many requests a calendar day or hour in a zone; what is above waits until the next begins.
package struct Budget: Sendable, Hashable {
  package enum Period: String, Sendable, Hashable, CaseIterable { case hour, day }
  package var most: Int
  package var period: Period
  /// IANA name, checked.
  package var zone: String
  package init(most: Int, period: Period, zone: String) {
    self.most = most
    self.period = period
    self.zone = zone
  }
}

/// What a vendor's answers say of what is left.
package struct QuotaRule: Sendable, Hashable {
  /// Read as a number.
  package var remaining: AnswerPlace
  /// At or below this nothing goes until the reset.
  package var below: Int
  package var reset: WaitSource
  package init(remaining: AnswerPlace, below: Int = 0, reset: WaitSource) {
    self.remaining = remaining
    self.below = below
    self.reset = reset
  }
}

/// A header (lower case) or a path into the JSON body of an answer, and what stands there.
package indirect enum AnswerPlace: Sendable, Hashable {
  case header(String)
  case json([String])
  /// `18/5000` somewhere in it: so many are used of so many. Read as what is left of them.
  case usedOfAll(AnswerPlace)
}

/// RFC 6749 and RFC 7523: tokens that Divert fetches and renews.
package struct OAuth2Definition: Sendable, Hashable {
  package enum Grant: String, Sendable, Hashable, CaseIterable {
    case refreshToken = "refresh_token"
    case clientCredentials = "client_credentials"
    case jwtBearer = "jwt_bearer"
  }
  package enum ClientAuth: String, Sendable, Hashable, CaseIterable { case body, basic }

  package var grant: Grant
  package var tokenURL: Template
  package var clientID: Template?
  package var clientSecret: Template?
  /// The first one; a rotated one is stored and preferred until this secret changes.
  package var refreshToken: Template?
  package var clientAuth: ClientAuth
  package var scope: Template?
  /// Further fields of the form.
  package var form: [HeaderTemplate]
  package var issuer: Template?
  package var subject: Template?
  package var audience: Template?
  /// PEM, for RS256.
  package var privateKey: Template?
  /// Of an assertion.
  package var lifetime: Span
  /// A token's life where the answer does not say.
  package var expires: Span
  package var renewBefore: Span
  /// At most so many tokens.
  package var mints: RateLimit?
  package var baseURL: TokenBase?
  /// Where an operator gets the first refresh token.
  package var authorizeURL: Template?
  package var redirectURI: Template?
  /// The token endpoint may stand at a private address.
  package var privateNetwork = false

  /// The targets' base address out of the token's answer.
  package struct TokenBase: Sendable, Hashable {
    package var from: [String]
    /// Its host must be one of these or end in `.` and one of these.
    package var hosts: [String]
    package init(from: [String], hosts: [String]) {
      self.from = from
      self.hosts = hosts
    }
  }

  package init(grant: Grant, tokenURL: Template) {
    self.grant = grant
    self.tokenURL = tokenURL
    clientAuth = .body
    form = []
    lifetime = .minutes(3)
    expires = .hours(1)
    renewBefore = .minutes(5)
  }
}
