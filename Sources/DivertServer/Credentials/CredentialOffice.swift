// What an operator does with a credential: gets its first refresh token from the vendor, and tries it. With a running router
// and without.

import Crypto
package import DivertCore
import DivertStore
import DivertTransport

/// The tokens of a running router.
package struct LiveTokens: Sendable {
  package var standing: @Sendable (_ credential: String) async -> TokenStanding?
  /// Something changed: a parked one is tried at once.
  package var mended: @Sendable (_ credential: String) async -> Void
  /// Fetches a token at once; nil while that is still under way after the time that a request may take.
  package var renew: @Sendable (_ credential: String) async -> TokenStanding?

  package init(
    standing: @escaping @Sendable (String) async -> TokenStanding?, mended: @escaping @Sendable (String) async -> Void,
    renew: @escaping @Sendable (String) async -> TokenStanding?
  ) {
    self.standing = standing
    self.mended = mended
    self.renew = renew
  }
}

/// Answers the orders about credentials.
package struct CredentialOffice: Sendable {
  let maker: TokenMaker
  /// Nil: no router runs.
  let live: LiveTokens?
  /// Secrets are read again: what somebody has just put in place is there.
  var forget: @Sendable () -> Void = {}

  /// The credential with its tokens' definition.
  func definition(_ name: String, _ table: RouteTable?) throws -> OAuth2Definition {
    guard let table else {
      throw OperatorFailure.conflict(
        "no_configuration", "this needs a routes.yaml that can be read; `divert check` says what is wrong with it")
    }
    guard let credential = table.parts.credentials[name] else {
      let names = table.parts.credentials.keys.sorted()
      let nearest = NearestName.to(name, among: names).map { ": did you mean `\($0)`?" } ?? ""
      throw OperatorFailure.notFound("there is no credential `\(name)`\(nearest); `divert credentials` names them")
    }
    guard let oauth2 = credential.oauth2 else {
      throw OperatorFailure.conflict(
        "no_tokens", "credential `\(name)` has no `oauth2`: its secrets are sent as they are, and nothing is fetched")
    }
    return oauth2
  }

  /// Where the operator is to allow access, and under which state.
  func authorize(_ name: String, _ definition: OAuth2Definition) throws -> JSONValue {
    try requireCode(name, definition)
    let state = state(of: name)
    let url: String?
    do throws(RenderFault) {
      url = try TokenRequest.authorizeURL(definition, state: state, secrets: .resolved(maker.secret))
    } catch { throw OperatorFailure.conflict(error.reason.code, error.reason.sentence) }
    let redirect = definition.redirectURI?.literal
    return RecordJSON.object([
      "credential": .string(name), "url": url.map { .string($0) }, "state": url == nil ? nil : .string(state),
      "redirect_uri": redirect.map { .string($0) },
    ])
  }

  /// The same in every run, and nobody else's: an address that is brought to a later run is judged by it, too.
  private func state(of name: String) -> String {
    let key = SymmetricKey(data: Array((maker.secret(TokenMaker.storageKey) ?? "").utf8))
    let code = HMAC<SHA256>.authenticationCode(for: Array("authorize \(name)".utf8), using: key)
    return code.prefix(16).reduce(into: "") { text, byte in
      text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
  }

  private func requireCode(_ name: String, _ definition: OAuth2Definition) throws {
    guard definition.grant == .refreshToken else {
      throw OperatorFailure.conflict(
        "no_code",
        "credential `\(name)` (grant: \(definition.grant.rawValue)) needs nobody's consent; try it: divert auth \(name) --test"
      )
    }
    if maker.emulator != nil { throw OperatorFailure.conflict("sandbox", "the sandbox gets its tokens by itself") }
    try requireStorageKey()
  }

  private func requireStorageKey() throws {
    guard let key = maker.secret(TokenMaker.storageKey) else {
      throw OperatorFailure.conflict(
        "storage_key_missing",
        "the refresh token is kept encrypted: make the secret \(TokenMaker.storageKey) first (openssl rand -hex 32)")
    }
    guard key.utf8.count >= TokenVault.shortestKey else {
      throw OperatorFailure.conflict(
        "storage_key_short",
        "the secret \(TokenMaker.storageKey) is shorter than \(TokenVault.shortestKey) characters: make a longer one first "
          + "(openssl rand -hex 32)")
    }
  }

  /// Exchanges what the operator brought back, keeps the refresh token, and tells the router.
  func exchange(_ name: String, _ definition: OAuth2Definition, code: String, redirect: String?) async throws
    -> JSONValue
  {
    try requireCode(name, definition)
    let grant = try await Blocking.run { try self.exchanged(name, definition, code, redirect) }
    await live?.mended(name)
    return RecordJSON.object([
      "credential": .string(name), "kept": true, "life_seconds": grant.life.map { .number($0.milliseconds / 1000) },
      "scope": grant.scope.map { .string($0) }, "base": grant.base.map { .string($0) },
    ])
  }

  private func exchanged(
    _ name: String, _ definition: OAuth2Definition, _ code: String, _ redirect: String?
  ) throws -> TokenGrant {
    let given = try redirect ?? redirectURI(definition)
    let grant = try granted(name, definition, .code(code, redirect: given))
    if grant.refresh == nil {
      throw OperatorFailure.conflict(
        "no_refresh_token",
        "the token endpoint gave a token and no refresh token: most vendors want `offline` access or scope to be asked for in "
          + "`authorize_url` or `scope`")
    }
    return try kept(grant, name, definition)
  }

  /// The grant, its refresh token stored where it brought one. Fails where that cannot be, or where the token cannot be used.
  private func kept(_ grant: TokenGrant, _ name: String, _ definition: OAuth2Definition) throws -> TokenGrant {
    if let refresh = grant.refresh,
      let failure = maker.keep(refresh, of: name, mark: maker.mark(definition))
    {
      throw OperatorFailure(503, failure.code, failure.sentence)
    }
    if let fault = grant.fault { throw OperatorFailure.conflict(fault.code, fault.sentence) }
    return grant
  }

  private func redirectURI(_ definition: OAuth2Definition) throws -> String? {
    let context = RenderContext(event: nil, now: Timestamp(milliseconds: 0), secrets: .resolved(maker.secret))
    do throws(RenderFault) {
      guard let template = definition.redirectURI else { return nil }
      return try context.text(template)
    } catch { throw OperatorFailure.conflict(error.reason.code, error.reason.sentence) }
  }

  /// One token request on the calling thread.
  private func granted(_ name: String, _ definition: OAuth2Definition, _ proof: TokenProof?) throws -> TokenGrant {
    let prepared: TokenMaker.Prepared
    do throws(RenderFault) {
      prepared =
        if let proof {
          try maker.prepare(name, definition, proof, id: 0)
        } else {
          try maker.prepare(name, definition, id: 0)
        }
    } catch { throw OperatorFailure.conflict(error.reason.code, error.reason.sentence) }
    switch maker.outcome(CurlTransport.perform(prepared.request), of: prepared) {
    case .granted(let grant): return grant
    case .failed(let reason, _), .refused(let reason): throw OperatorFailure.conflict(reason.code, reason.sentence)
    }
  }

  /// Fetches a token and says what it is, never the token itself.
  func test(_ name: String, _ definition: OAuth2Definition, now: Timestamp) async throws -> JSONValue {
    if let live {
      guard let standing = await live.renew(name) else {
        throw OperatorFailure(503, "busy", "there is no new token yet: `divert credentials` says what it waits for")
      }
      guard standing.state == .fresh, standing.reason == nil else {
        let reason = standing.reason ?? Reason("token_missing", "it has no token yet")
        let token = standing.state == .fresh ? standing.until : nil
        let goesOn = token.map { "; deliveries go on with the present token until \(OperatorTime.text($0))" } ?? ""
        throw OperatorFailure.conflict(reason.code, "credential \(name): \(reason.sentence)\(goesOn)")
      }
      return CredentialsReport.tested(name, standing, now: now)
    }
    // The vendor may replace the refresh token with its answer, and this process alone would know the new one.
    if definition.grant == .refreshToken { try requireStorageKey() }
    let grant = try await Blocking.run { try self.kept(try self.granted(name, definition, nil), name, definition) }
    return RecordJSON.object([
      "credential": .string(name), "life_seconds": .number((grant.life ?? definition.expires).milliseconds / 1000),
      "scope": grant.scope.map { .string($0) }, "base": grant.base.map { .string($0) },
    ])
  }
}

/// `divert auth`, as requests.
enum CredentialCommands {
  static func run(_ context: OperatorContext, _ input: OperatorInput, _ path: String) async throws -> JSONValue {
    guard let office = context.credentials else {
      throw OperatorFailure.conflict("no_configuration", "this router has no credentials to work on")
    }
    office.forget()
    let name = try input.requiredText("credential")
    let definition = try office.definition(name, context.table())
    switch path {
    case "/api/credentials/authorize": return try await Blocking.run { try office.authorize(name, definition) }
    case "/api/credentials/exchange":
      return try await office.exchange(
        name, definition, code: try input.requiredText("code"), redirect: try input.text("redirect_uri"))
    default: return try await office.test(name, definition, now: context.now())
    }
  }
}

/// `divert credentials`, and the part of `divert status` about them.
enum CredentialsReport {
  static func make(_ context: OperatorContext) async -> JSONValue {
    guard let table = context.table() else { return .array([]) }
    var rows: [JSONValue] = []
    for (name, credential) in table.parts.credentials.sorted(by: { $0.key < $1.key }) {
      let targets = table.parts.targets.values.filter { $0.credential == name }.map(\.name).sorted()
      let standing = await context.credentials?.live?.standing(name)
      rows.append(one(credential, targets, standing, isLive: context.live != nil))
    }
    return .array(rows)
  }

  private static func one(
    _ credential: CredentialDefinition, _ targets: [String], _ standing: TokenStanding?, isLive: Bool
  ) -> JSONValue {
    let state =
      credential.oauth2 == nil ? "static" : standing?.state.rawValue ?? (isLive ? "unused" : "stopped")
    return RecordJSON.object([
      "credential": .string(credential.name), "grant": credential.oauth2.map { .string($0.grant.rawValue) },
      "state": .string(state), "targets": .array(targets.map { .string($0) }),
      "until": standing?.until.map(RecordJSON.moment), "renewed_at": standing?.renewAt.map(RecordJSON.moment),
      "since": standing?.since.map(RecordJSON.moment), "next_at": standing?.nextAt.map(RecordJSON.moment),
      "reason": standing?.reason.map(RecordJSON.reason), "scope": standing?.scope.map { .string($0) },
      "base": standing?.base.map { .string($0) },
    ])
  }

  static func tested(_ name: String, _ standing: TokenStanding, now: Timestamp) -> JSONValue {
    RecordJSON.object([
      "credential": .string(name),
      "life_seconds": standing.until.map { .number(max(0, ($0 - now).milliseconds / 1000)) },
      "scope": standing.scope.map { .string($0) }, "base": standing.base.map { .string($0) },
    ])
  }
}
