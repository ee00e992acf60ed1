// The language's credentials: what `credentials:` and a target's `auth` may say, and the tokens that Divert fetches.
import DivertCore

extension Language {
  static let auth = MappingDescription(
    "'auth'", "How Divert proves who it is.", authFields, rules: authRules)

  private static let authRules: [FieldRule] = [.together(["sign", "secret"]), .atMostOne(["bearer", "basic"])]

  private static let authFields: [FieldDescription] = [
    .init("bearer", .template, "Authorization: Bearer …"),
    .init("basic", .mapping(.basic), "User name and password (RFC 7617)."),
    .init("header", .headers(most: nil), "Headers with a key, or `{{ token }}`, in them."),
    .init("query", .entries(.template), "Query items with a key in them."),
    .init("sign", .choice(signatures), "Sign each request (standardwebhooks.com)."),
    .init("secret", .oneOrMore(.template), "What 'sign' signs with: one, or two while it is rotated."),
    .init("oauth2", .mapping(.oauth2), "Tokens that Divert fetches and renews: `{{ token }}`."),
  ]

  static let credential = MappingDescription(
    "a credential", "How Divert proves who it is to several targets: one token, one budget.",
    authFields + [
      .init("limit", .oneOrMore(.rate), "Requests at most over all its targets, '100/min', one or several."),
      .init("concurrency", .whole(concurrency), "Requests in flight at once over all its targets."),
      .init("budget", .mapping(.budget), "Requests at most in a calendar day or hour over all its targets."),
    ], rules: authRules)

  static let budgetMost = 1...1_000_000_000

  static let budget = MappingDescription(
    "'budget'", "Requests at most in a calendar day or hour; what is above waits until the next begins.",
    [
      .init("at_most", .whole(budgetMost), required: true, "So many requests."),
      .init("per", .choice(Budget.Period.allCases.map(\.rawValue)), required: true, "day, or hour."),
      .init("zone", .zone, "Whose midnight ends the day; the file's time zone where it is left out."),
    ])

  static let grants = OAuth2Definition.Grant.allCases.map(\.rawValue)
  static let clientAuths = OAuth2Definition.ClientAuth.allCases.map(\.rawValue)
  /// How long an assertion or a token may live.
  static let assertionLives = Span.seconds(10)...Span.hours(1)
  static let tokenLives = Span.seconds(1)...Span.days(365)

  /// Which fields belong to which grants only.
  static let fieldsOfGrants: [(field: String, grants: [OAuth2Definition.Grant])] = [
    ("refresh_token", [.refreshToken]), ("authorize_url", [.refreshToken]), ("redirect_uri", [.refreshToken]),
    ("client_secret", [.refreshToken, .clientCredentials]), ("client_auth", [.refreshToken, .clientCredentials]),
    ("issuer", [.jwtBearer]), ("subject", [.jwtBearer]), ("audience", [.jwtBearer]), ("private_key", [.jwtBearer]),
    ("lifetime", [.jwtBearer]),
  ]

  /// What a grant cannot do without.
  static func fieldsNeeded(by grant: OAuth2Definition.Grant) -> [String] {
    switch grant {
    case .refreshToken: ["client_id"]
    case .clientCredentials: ["client_id", "client_secret"]
    case .jwtBearer: ["issuer", "private_key"]
    }
  }

  static let oauth2 = MappingDescription(
    "'oauth2'", "Tokens that Divert fetches and renews (RFC 6749, RFC 7523).",
    [
      .init("grant", .choice(grants), required: true, "What a token is given for."),
      .init("token_url", .address, required: true, "Where tokens are fetched; host literal or from a secret."),
      .init("client_id", .template, "The name of the app at the vendor's."),
      .init("client_secret", .template, "The app's secret."),
      .init("refresh_token", .template, "The first one; a newer one is stored, and preferred until this one changes."),
      .init("client_auth", .choice(clientAuths), standard: "body", "Where id and secret go: the body, or Basic."),
      .init("scope", .template, "What is asked for, words joined by blanks."),
      .init("form", .entries(.template), "Further fields of the token request."),
      .init("issuer", .template, "`iss` of the assertion."),
      .init("subject", .template, "`sub` of the assertion."),
      .init("audience", .template, "`aud` of the assertion; the token_url where it is left out."),
      .init("private_key", .template, "The RSA key that signs the assertion (RS256), PEM."),
      .init("lifetime", .duration, "How long an assertion holds; 3m by default."),
      .init("expires", .duration, standard: "1h", "A token's life where the answer does not say; 1h by default."),
      .init("renew_before", .duration, standard: "5m", "Renewed this long before its end; at most half its life."),
      .init("mints", .rate, standard: "10/10m", "Token requests at most; 10/10m by default."),
      .init("base_url", .mapping(.tokenBase), "The targets' scheme and host from the token's answer."),
      .init("authorize_url", .address, "Where `divert auth` sends an operator for the first refresh token."),
      .init("redirect_uri", .template, "As registered at the vendor's."),
      .init("network", .choice(networks), standard: "public", "'private' allows private addresses of the token_url."),
      .init("sandbox", .mapping(.sandbox), "What the sandbox answers to a token request."),
    ],
    rules: fieldsOfGrants.map { rule in
      .needs(field: rule.field, other: "grant", values: rule.grants.map(\.rawValue))
    })

  static let tokenBase = MappingDescription(
    "'base_url'", "The targets' scheme and host from the token's answer.",
    [
      .init("from", .path, required: true, "Its place in the answer: instance_url, api_domain …"),
      .init(
        "hosts", .oneOrMore(.text), required: true, "Its host must be one of these, or end in a dot and one of these."),
    ])
}
