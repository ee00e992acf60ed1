// `oauth2:` → OAuth2Definition: what each grant needs, and nothing that belongs to another one.
import DivertCore

extension LoadContext {
  func oauth2(_ entry: YAMLNode.Entry, of credential: String) -> OAuth2Definition? {
    guard let fields = fields(entry.value, .oauth2, name: entry.keyPlace) else { return nil }
    let grant = fields["grant"].flatMap { choice($0, "'grant'", Language.grants) }.flatMap(OAuth2Definition.Grant.init)
    if let grant { check(grant, fields, entry.keyPlace) }
    let url = fields["token_url"].flatMap { baseAddress($0, "'token_url'", .secretsOnly) }
    var oauth2 = OAuth2Definition(grant: grant ?? .refreshToken, tokenURL: url ?? .placeholder)
    client(fields, entry.keyPlace, &oauth2)
    assertion(fields, &oauth2)
    lives(fields, &oauth2)
    oauth2.scope = secret(fields, "scope")
    oauth2.form = fields["form"].map { pairs($0, "'form'", .secretsOnly) } ?? []
    oauth2.baseURL = fields["base_url"].flatMap(tokenBase)
    oauth2.privateNetwork = fields["network"].flatMap { choice($0, "'network'", Language.networks) } == "private"
    if let answer = fields["sandbox"] { tokenAnswers[credential] = sandbox(answer) }
    return oauth2
  }

  private func secret(_ fields: Fields, _ name: String) -> Template? {
    fields[name].flatMap { template($0, "'\(name)'", .secretsOnly) }
  }

  private func check(_ grant: OAuth2Definition.Grant, _ fields: Fields, _ place: Place) {
    for (field, grants) in Language.fieldsOfGrants where !grants.contains(grant) {
      guard let entry = fields.entry(field) else { continue }
      let names = grants.map { "'grant: \($0.rawValue)'" }.joined(separator: " or ")
      error(
        "contradictory", entry.keyPlace, "'\(field)' means nothing beside 'grant: \(grant.rawValue)'", "for \(names)")
    }
    let names = Language.oauth2.fields.map(\.name)
    for field in Language.fieldsNeeded(by: grant) where fields[field] == nil && !fields.refused(field, among: names) {
      let doc = Language.oauth2.field(field)?.doc ?? ""
      error("missing_field", place, "'grant: \(grant.rawValue)' needs '\(field)'", "add '\(field)': \(doc)")
    }
    if grant == .refreshToken, fields["refresh_token"] == nil, fields["authorize_url"] == nil,
      !fields.refused("refresh_token", among: names), !fields.refused("authorize_url", among: names)
    {
      let message = "'grant: refresh_token' needs 'refresh_token', or 'authorize_url' to get one by 'divert auth'"
      error("missing_field", place, message, "refresh_token: \"{{ secrets.name }}\"")
    }
  }

  private func client(_ fields: Fields, _ place: Place, _ oauth2: inout OAuth2Definition) {
    oauth2.clientID = secret(fields, "client_id")
    oauth2.clientSecret = secret(fields, "client_secret")
    let named = secrets.count
    oauth2.refreshToken = secret(fields, "refresh_token")
    gotLater(secretsFrom: named)
    oauth2.authorizeURL = fields["authorize_url"].flatMap { baseAddress($0, "'authorize_url'", .secretsOnly) }
    oauth2.redirectURI = secret(fields, "redirect_uri")
    guard let node = fields["client_auth"],
      let way = choice(node, "'client_auth'", Language.clientAuths).flatMap(OAuth2Definition.ClientAuth.init)
    else { return }
    oauth2.clientAuth = way
    if way == .basic, fields["client_secret"] == nil, fields.isWhole {
      error("missing_field", place, "'client_auth: basic' needs 'client_secret'", "add 'client_secret'")
    }
  }

  private func assertion(_ fields: Fields, _ oauth2: inout OAuth2Definition) {
    oauth2.issuer = secret(fields, "issuer")
    oauth2.subject = secret(fields, "subject")
    oauth2.audience = secret(fields, "audience")
    oauth2.privateKey = secret(fields, "private_key")
    if let span = fields["lifetime"].flatMap({ duration($0, "'lifetime'", Language.assertionLives) }) {
      oauth2.lifetime = span
    }
  }

  private func lives(_ fields: Fields, _ oauth2: inout OAuth2Definition) {
    if let span = fields["expires"].flatMap({ duration($0, "'expires'", Language.tokenLives) }) {
      oauth2.expires = span
    }
    if let span = fields["renew_before"].flatMap({ duration($0, "'renew_before'", .zero...Span.days(30)) }) {
      oauth2.renewBefore = span
    }
    oauth2.mints = fields["mints"].flatMap { rate($0, "'mints'") } ?? RateLimit(count: 10, per: .minutes(10))
  }

  private func tokenBase(_ node: YAMLNode) -> OAuth2Definition.TokenBase? {
    guard let fields = fields(node, .tokenBase) else { return nil }
    let from = fields["from"].flatMap { node -> [String]? in
      guard let text = text(node, "'from'") else { return nil }
      if let steps = JSONPath.steps(text), !steps.isEmpty { return steps }
      error("bad_path", node.place, "'\(text)' is no path into JSON", "such as instance_url")
      return nil
    }
    let hosts = fields["hosts"].map { oneOrMore($0).compactMap(hostSuffix) } ?? []
    guard let from, !hosts.isEmpty else { return nil }
    return .init(from: from, hosts: hosts)
  }

  /// `example.com`: a host, or the end of one after a dot.
  private func hostSuffix(_ node: YAMLNode) -> String? {
    guard let text = text(node, "'hosts'") else { return nil }
    let labels = text.lowercased().split(separator: ".", omittingEmptySubsequences: false)
    let isHost = labels.allSatisfy { label in
      !label.isEmpty && label.utf8.allSatisfy { $0 >= 97 && $0 <= 122 || $0 >= 48 && $0 <= 57 || $0 == 45 }
    }
    // The token, and with it the whole account, follows the host: a whole top-level domain is not a list.
    if isHost, labels.count > 1 || text == "localhost" { return text.lowercased() }
    error("bad_host", node.place, "'\(text)' is no host name of two parts at least", "such as api.example.com")
    return nil
  }
}
