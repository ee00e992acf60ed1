// Credential → token request, and its answer → outcome: secrets, the kept refresh tokens and the sandbox in one place.

import DivertConfig
import DivertCore
import DivertStore
import DivertTransport

/// Makes token requests and reads what comes of them. Reads files: for threads that may block.
struct TokenMaker: Sendable {
  /// The secret that refresh tokens are kept with.
  static let storageKey = "divert_storage_key"

  /// A secret's value; nil: absent.
  var secret: @Sendable (String) -> String?
  var vault: TokenVault
  /// The sandbox's emulator; nil: requests go where they say.
  var emulator: String?

  struct Prepared: Sendable {
    var request: TransferRequest
    var definition: OAuth2Definition
    /// The refresh token that it is sent with.
    var sent: String?
    /// The token_url is plain http.
    var plain: Bool
    /// `TokenVault.mark` of the configured refresh token that it goes with: a new one that comes back is kept under it.
    var mark = ""
  }

  /// The request for the credential's next token; or why there is none.
  func prepare(_ name: String, _ definition: OAuth2Definition, id: UInt64) throws(RenderFault) -> Prepared {
    switch definition.grant {
    case .clientCredentials: return try prepare(name, definition, .client, id: id)
    case .jwtBearer:
      let isSandbox = emulator != nil
      let proof = TokenProof.assertion { (pem, text) throws(RenderFault) in
        isSandbox ? [0] : try AssertionSigner.sign(pem, text)
      }
      return try prepare(name, definition, proof, id: id)
    case .refreshToken:
      let (refresh, mark) = try refreshToken(name, definition)
      var prepared = try prepare(name, definition, .refresh(refresh), id: id)
      prepared.mark = mark
      return prepared
    }
  }

  func prepare(
    _ name: String, _ definition: OAuth2Definition, _ proof: TokenProof, id: UInt64
  ) throws(RenderFault) -> Prepared {
    let rendered = try TokenRequest.render(definition, proof, secrets: secretUse(definition), now: WallClock.now())
    var sent: String?
    if case .refresh(let token) = proof { sent = token }
    var headers = rendered.headers.map { $0.name + ": " + $0.value }
    if emulator != nil { headers.append("x-divert-action: " + SandboxAnswer.tokenAction) }
    let request = TransferRequest(
      token: id, method: rendered.method, url: redirected(rendered.url, name), headers: headers, body: rendered.body,
      network: definition.privateNetwork || emulator != nil ? .private : .public, freshConnection: true)
    return Prepared(
      request: request, definition: definition, sent: sent,
      plain: rendered.url.prefix(5).lowercased() == "http:")
  }

  /// In the sandbox `https://host/path` becomes `<emulator>/<credential>/path`.
  private func redirected(_ url: String, _ name: String) -> String {
    guard let emulator, let scheme = url.firstRange(of: "://") else { return url }
    let path = url[scheme.upperBound...].drop { $0 != "/" && $0 != "?" }
    return emulator + "/" + name + (path.first == "/" ? "" : "/") + path
  }

  /// In the sandbox every secret has a stand-in, which is an address where one is wanted.
  private func secretUse(_ definition: OAuth2Definition) -> SecretUse {
    if emulator == nil { return .resolved(secret) }
    let address = Self.addressSecret(definition)
    return .resolved { name in name == address ? "https://sandbox.invalid/\(name)" : "sandbox-\(name)" }
  }

  private static func addressSecret(_ definition: OAuth2Definition) -> String? {
    guard case .expression(let expression)? = definition.tokenURL.parts.first, case .secret(let name) = expression.path
    else { return nil }
    return name
  }

  // MARK: Refresh tokens

  /// The kept one, unless the configured one changed since; else the configured one. With the mark of the configured
  /// one, which a secret that cannot be read for a moment does not change.
  private func refreshToken(
    _ name: String, _ definition: OAuth2Definition
  ) throws(RenderFault) -> (refresh: String, mark: String) {
    if emulator != nil { return ("sandbox", "") }
    let configured = configuredRefresh(definition)
    let mark = TokenVault.mark(configured)
    do throws(StoreError) {
      let kept = try vault.read(name, key: secret(Self.storageKey))
      if let kept, kept.configured == mark || configured == nil { return (kept.refresh, kept.configured) }
    } catch { throw RenderFault(error.code, error.description) }
    if let configured { return (configured, mark) }
    throw RenderFault("refresh_token_missing", "there is no refresh token yet")
  }

  /// The value of the configured refresh token; nil: none is configured, or its secret is absent.
  private func configuredRefresh(_ definition: OAuth2Definition) -> String? {
    guard let template = definition.refreshToken else { return nil }
    let context = RenderContext(event: nil, now: Timestamp(milliseconds: 0), secrets: .resolved(secret))
    return (try? context.text(template)).flatMap { $0 }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The mark under which a refresh token is kept that an operator got.
  func mark(_ definition: OAuth2Definition) -> String { TokenVault.mark(configuredRefresh(definition)) }

  /// Puts a new refresh token on disk; nil when it is there.
  func keep(_ refresh: String, of name: String, mark: String) -> Reason? {
    if emulator != nil { return nil }
    guard let key = secret(Self.storageKey) else {
      return Reason(
        "storage_key_missing",
        "it was given a new refresh token, which is not used before it is kept: set the secret \(Self.storageKey)")
    }
    let token = KeptToken(refresh: refresh, configured: mark)
    do throws(StoreError) {
      try vault.keep(token, of: name, key: key)
      return nil
    } catch {
      return Reason(
        error.code.hasPrefix("storage_key") ? error.code : "token_not_kept",
        "it was given a new refresh token, which is not used before it is kept: \(error.description)")
    }
  }

  /// Token requests of the last process, for the caps.
  func mints() -> [String: [Timestamp]] { emulator == nil ? vault.mints() : [:] }

  /// Puts them on disk; why not, where that fails.
  func keep(mints: [String: [Timestamp]]) -> String? {
    if emulator != nil { return nil }
    do throws(StoreError) {
      try vault.keep(mints: mints)
      return nil
    } catch { return error.description }
  }

  /// Changes when one of the credential's secrets does, or the storage key. Not stored, and of this process alone.
  func fingerprint(_ definition: OAuth2Definition) -> Int {
    var hasher = Hasher()
    for name in definition.ownSecrets.sorted() + [Self.storageKey] { hasher.combine(secret(name)) }
    return hasher.finalize()
  }

  // MARK: Answers

  /// What came of a request, secrets masked in its reason.
  func outcome(_ result: TransferResult, of prepared: Prepared) -> TokenOutcome {
    var definition = prepared.definition
    if emulator != nil { definition.baseURL = nil }
    let outcome = TokenOutcome.read(
      Self.exchange(result), definition, sent: prepared.sent, plain: prepared.plain, now: WallClock.now())
    switch outcome {
    case .granted: return outcome
    case .failed(let reason, let wait): return .failed(masked(reason, prepared), wait: wait)
    case .refused(let reason): return .refused(masked(reason, prepared))
    }
  }

  private static func exchange(_ result: TransferResult) -> ExchangeResult {
    if let failure = result.failure {
      let reason = Reason(failure.code.rawValue, "the token endpoint: " + failure.sentence)
      return .failed(
        ExchangeFailure(requestSent: failure.requestSent, isLasting: failure.code.isLasting, reason: reason))
    }
    return .answered(DivertCore.HTTPAnswer(status: result.status ?? 0, headers: result.headers, body: result.body))
  }

  /// Of what an endpoint says so much is shown.
  private static let longestSentence = 400

  private func masked(_ reason: Reason, _ prepared: Prepared) -> Reason {
    var text = reason.sentence
    let plain = prepared.definition.ownSecrets.compactMap(secret) + [prepared.sent].compactMap { $0 }
    // Also as they stood in the form; the longest first, since one may be a part of another.
    let values = plain + plain.map { PercentEncoding.encoded($0) }
    for value in values.sorted(by: { $0.utf8.count > $1.utf8.count })
    where value.utf8.count >= 6 && text.contains(value) {
      text = text.split(separator: value, omittingEmptySubsequences: false).joined(separator: "(secret)")
    }
    return Reason(reason.code, String(text.prefix(Self.longestSentence)))
  }
}
