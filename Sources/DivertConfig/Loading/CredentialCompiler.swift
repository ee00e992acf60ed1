// `credentials:` and a target's `auth` → CredentialDefinitions, and what a target has of its credential.
import DivertCore

extension LoadContext {
  /// The shared ones. Before the targets, which name them.
  func credentials(_ node: YAMLNode) {
    for entry in named(node, "'credentials'") { credentials[entry.key] = credential(entry) }
    for entry in node.entries ?? [] where credentials[entry.key] == nil { brokenCredentials.insert(entry.key) }
  }

  private func credential(_ entry: YAMLNode.Entry) -> CredentialDefinition? {
    guard let fields = fields(entry.value, .credential, name: entry.keyPlace) else { return nil }
    var credential = CredentialDefinition(name: entry.key)
    proof(fields, entry.value, .secretsOnly, &credential)
    credential.limits = fields["limit"].map(limits) ?? []
    credential.concurrency = fields["concurrency"].flatMap { whole($0, "'concurrency'", Language.concurrency) }
    credential.budget = fields["budget"].flatMap(budget)
    return credential
  }

  /// `budget:` of a credential or a target.
  func budget(_ node: YAMLNode) -> Budget? {
    guard let fields = fields(node, .budget) else { return nil }
    let most = fields["at_most"].flatMap { whole($0, "'at_most'", Language.budgetMost) }
    let periods = Budget.Period.allCases.map(\.rawValue)
    let period = fields["per"].flatMap { choice($0, "'per'", periods) }.flatMap(Budget.Period.init)
    let zone = fields["zone"].flatMap { self.zone($0, "'zone'") } ?? zone
    guard let most, let period else { return nil }
    return Budget(most: most, period: period, zone: zone)
  }

  /// A target's `auth:`: the name of a shared credential, or its own.
  func auth(_ node: YAMLNode, _ target: inout TargetDefinition) {
    var credential: CredentialDefinition?
    if let name = node.text, node.entries == nil {
      credential = shared(name, node.place)
    } else if let fields = fields(node, .auth) {
      credential = own(fields, node, of: target.name)
    }
    guard let credential else { return }
    if credential.oauth2 != nil || credentials[credential.name] != nil { target.credential = credential.name }
    target.headers += credential.headers
    target.query += credential.query
    target.basicAuth = credential.basicAuth
    target.signing = credential.signing
    checkOneAuthorization(node.place, target.headers, target.basicAuth)
  }

  private func shared(_ name: String, _ place: Place) -> CredentialDefinition? {
    usedCredentials.insert(name)
    if let credential = credentials[name] { return credential }
    if brokenCredentials.contains(name) { return nil }
    let names = credentials.keys.sorted() + brokenCredentials
    let hint =
      names.isEmpty
      ? "add it under 'credentials:', or write { bearer: \"{{ secrets.name }}\" }"
      : NearestName.hintOrList(name, in: names)
    error("unknown_credential", place, "there is no credential '\(name)'", hint)
    return nil
  }

  /// One with tokens has a name, under which its state is shown and kept: the target's.
  private func own(_ fields: Fields, _ node: YAMLNode, of target: String) -> CredentialDefinition {
    var credential = CredentialDefinition(name: target)
    proof(fields, node, targetScope(.none), &credential)
    guard credential.oauth2 != nil else { return credential }
    if credentials[target] != nil || brokenCredentials.contains(target) {
      let message = "the target's own credential is named after it, and there is a shared one of the name '\(target)'"
      error("contradictory", node.place, message, "write 'auth: \(target)', or rename one of them")
    } else {
      ownCredentials[target] = credential
    }
    return credential
  }

  /// Bearer, basic, header, query, sign and oauth2, which a credential and a target's `auth` have in common.
  private func proof(
    _ fields: Fields, _ node: YAMLNode, _ outer: TemplateScope, _ credential: inout CredentialDefinition
  ) {
    var scope = outer
    scope.token = fields["oauth2"] != nil
    if let bearer = fields["bearer"].flatMap({ template($0, "'bearer'", scope) }) {
      credential.headers.append(HeaderTemplate("Authorization", Template(parts: [.literal("Bearer ")] + bearer.parts)))
    }
    if let basic = fields["basic"].flatMap({ self.fields($0, .basic) }) {
      let user = basic["user"].flatMap { template($0, "'user'", scope) }
      let password = basic["password"].flatMap { template($0, "'password'", scope) }
      credential.basicAuth = BasicAuth(user: user ?? .placeholder, password: password ?? .placeholder)
    }
    credential.headers += fields["header"].map { headers($0, "'header'", scope) } ?? []
    credential.query += fields["query"].map { pairs($0, "'query'", scope) } ?? []
    sign(fields, &credential)
    checkOneAuthorization(node.place, credential.headers, credential.basicAuth)
    if let entry = fields.entry("oauth2") {
      credential.oauth2 = oauth2(entry, of: credential.name)
      carryToken(entry.keyPlace, &credential)
    }
  }

  /// A token that no form names goes into the Authorization header.
  private func carryToken(_ place: Place, _ credential: inout CredentialDefinition) {
    let basic = credential.basicAuth.map { [$0.user, $0.password] } ?? []
    let templates = (credential.headers + credential.query).map(\.value) + basic
    if templates.contains(where: { $0.paths.contains(.token) }) { return }
    if basic.isEmpty, !credential.headers.contains(where: \.isAuthorization) {
      let token = Template(parts: [.literal("Bearer "), .expression(Expression(path: .token))])
      credential.headers.append(HeaderTemplate("Authorization", token))
    } else if !templates.contains(.placeholder) {
      error("contradictory", place, "the token of 'oauth2' goes nowhere", "name it: Authorization: \"… {{ token }}\"")
    }
  }

  private func sign(_ fields: Fields, _ credential: inout CredentialDefinition) {
    guard let entry = fields.entry("sign") ?? fields.entry("secret") else { return }
    guard let sign = fields["sign"], let secret = fields["secret"] else {
      let hint = "auth: { sign: standard-webhooks, secret: \"{{ secrets.name }}\" }"
      error("missing_field", entry.keyPlace, "'sign' and 'secret' belong together", hint)
      return
    }
    _ = choice(sign, "'sign'", Language.signatures)
    let secrets = oneOrMore(secret).compactMap { template($0, "'secret'", .secretsOnly) }
    credential.signing = secrets.isEmpty ? nil : Signing(secrets: secrets)
  }

  private func checkOneAuthorization(_ place: Place, _ headers: [HeaderTemplate], _ basic: BasicAuth?) {
    let given = headers.count { $0.isAuthorization } + (basic == nil ? 0 : 1)
    guard given > 1 else { return }
    error("contradictory", place, "the Authorization header is given more than once", "keep one of them")
  }

  /// Shared credentials that no target names.
  func warnOfUnusedCredentials(_ node: YAMLNode) {
    for entry in node.entries ?? [] where !usedCredentials.contains(entry.key) {
      warn(
        "unused_credential", entry.keyPlace, "no target uses the credential '\(entry.key)'",
        "name it in a target ('auth: \(entry.key)'), or remove it")
    }
  }
}

extension ResponseRule {
  /// Asked last of a target whose token can be renewed.
  static let refusedToken = ResponseRule(
    conditions: [.status([401...401])], then: .refresh, wait: nil, because: "the token was refused (401)")
}

extension HeaderTemplate {
  fileprivate var isAuthorization: Bool { name.lowercased() == "authorization" }
}
