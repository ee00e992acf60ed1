// A token endpoint's answer → a token, or why there is none: whether to try again, or to wait for somebody to mend it.

/// A token as its endpoint gave it.
package struct TokenGrant: Sendable, Hashable {
  package var access: String
  /// Nil: the answer does not say.
  package var life: Span?
  /// Another refresh token than the one that was sent; to be stored before this token is used.
  package var refresh: String?
  /// Scheme and host for the targets, without a slash at the end.
  package var base: String?
  package var scope: String?
  /// The token cannot be used for this reason; its refresh token is stored all the same.
  package var fault: Reason?

  package init(access: String, life: Span? = nil, refresh: String? = nil, base: String? = nil) {
    self.access = access
    self.life = life
    self.refresh = refresh
    self.base = base
  }
}

/// What came of a token request.
package enum TokenOutcome: Sendable, Hashable {
  case granted(TokenGrant)
  /// May pass by itself. `wait`: what the endpoint asked for.
  case failed(Reason, wait: Span?)
  /// Will not pass until somebody mends it.
  case refused(Reason)
}

extension TokenOutcome {
  /// Errors that pass by themselves, as vendors spell them.
  private static let passing: Set<String> = [
    "access denied", "rate_limit_exceeded", "ratelimited", "rate_limited", "slow_down", "temporarily_unavailable",
    "server_error", "too_many_requests", "request_limit_exceeded",
  ]
  /// What is waited where an endpoint asks for less and does not say how long.
  private static let pause = Span.minutes(1)

  /// Reads an answer. A token is one whatever the status is; an error is one also with status 200.
  /// - Parameter sent: the refresh token of the request.
  /// - Parameter plain: the token_url is plain http, so that the base address may be.
  package static func read(
    _ exchange: ExchangeResult, _ definition: OAuth2Definition, sent: String?, plain: Bool, now: Timestamp
  ) -> TokenOutcome {
    switch exchange {
    case .failed(let failure):
      return failure.isLasting ? .refused(failure.reason) : .failed(failure.reason, wait: nil)
    case .answered(let answer):
      let body = (try? JSONValue.parse(answer.body)) ?? .null
      if let access = body.object?["access_token"]?.string, !access.isEmpty, answer.status < 400 {
        return .granted(grant(access, body, definition, sent: sent, plain: plain))
      }
      return refusal(answer, body, now: now)
    }
  }

  private static func grant(
    _ access: String, _ body: JSONValue, _ definition: OAuth2Definition, sent: String?, plain: Bool
  ) -> TokenGrant {
    var grant = TokenGrant(access: access)
    grant.life = seconds(body.object?["expires_in"])
    grant.scope = body.object?["scope"]?.string
    if let refresh = body.object?["refresh_token"]?.string, !refresh.isEmpty, refresh != sent {
      grant.refresh = refresh
    }
    if access.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7f }) {
      grant.fault = Reason("credential_refused", "the token in the answer has a blank or a control character in it")
    }
    guard let base = definition.baseURL else { return grant }
    switch TokenBaseAddress.read(body.value(at: base.from)?.string, hosts: base.hosts, plain: plain) {
    case .success(let address): grant.base = address
    case .failure(let fault): grant.fault = fault.reason
    }
    return grant
  }

  /// A number, or a number as text, above 0.
  private static func seconds(_ value: JSONValue?) -> Span? {
    let text: String? =
      switch value {
      case .number(let text), .string(let text): text
      default: nil
      }
    guard let text, let whole = Int64(text.prefix { $0 != "." }), whole > 0 else { return nil }
    return .seconds(min(whole, 10 * 365 * 86_400))
  }

  private static func refusal(_ answer: HTTPAnswer, _ body: JSONValue, now: Timestamp) -> TokenOutcome {
    let error = body.object?["error"]?.string ?? body.object?["error"]?.object?["message"]?.string
    let wait = answer.headers.first { $0.name == "retry-after" }.flatMap { RetryAfter.wait($0.value, now: now) }
    let isPassing = error.map { passing.contains($0.lowercased()) } ?? false
    let sentence = sentence(answer.status, error, body)
    if answer.status == 429 || isPassing { return .failed(Reason("throttled", sentence), wait: wait ?? pause) }
    if answer.status >= 500 || answer.status == 408 {
      return .failed(Reason("http_\(answer.status)", sentence), wait: wait)
    }
    if answer.status < 300, error == nil { return .failed(Reason("token_missing", sentence), wait: wait) }
    return .refused(Reason("credential_refused", sentence))
  }

  private static func sentence(_ status: Int, _ error: String?, _ body: JSONValue) -> String {
    let description = body.object?["error_description"]?.string ?? body.object?["message"]?.string
    let words = [error, description].compactMap { $0 }.map { printable($0) }.filter { !$0.isEmpty }
    if words.isEmpty { return "the token endpoint answered \(status) without an access_token" }
    return "the token endpoint answered \(status): \(words.joined(separator: ": "))"
  }

  /// What an answer says, without line breaks; long enough that secrets in it are masked before it is cut for people.
  private static func printable(_ text: String) -> String {
    String(text.prefix(2000).map { $0.isNewline || $0.asciiValue.map { $0 < 0x20 || $0 == 0x7f } ?? false ? " " : $0 })
  }
}

/// The address that a token's answer names for its targets.
package enum TokenBaseAddress {
  /// `https://na1.example.com`, without a slash at the end; refused where it is no https address, or its host is none
  /// of `hosts` and ends in none of them after a dot: the token follows it.
  package static func read(_ text: String?, hosts: [String], plain: Bool) -> Result<String, RenderFault> {
    guard let text, !text.isEmpty else { return refuse("the token's answer names no base address") }
    // Some vendors name the host alone.
    let whole = text.contains("://") ? text : "https://" + text
    guard let mark = whole.firstRange(of: "://") else { return refuse("the base address is none") }
    let scheme = whole[..<mark.lowerBound].lowercased()
    guard scheme == "https" || scheme == "http" && plain else {
      return refuse("the base address in the token's answer is not https")
    }
    let rest = whole[mark.upperBound...]
    let authority = rest.prefix { $0 != "/" }
    var path = String(rest.dropFirst(authority.count))
    while path.hasSuffix("/") { path.removeLast() }
    guard let host = host(authority), isPlain(path) else {
      return refuse("the base address in the token's answer is no plain address of a host")
    }
    guard hosts.contains(where: { host == $0 || host.hasSuffix("." + $0) }) else {
      return refuse(
        "the token's answer names a host that is not allowed: \(host); hosts: \(hosts.joined(separator: ", "))")
    }
    return .success(scheme + "://" + authority.lowercased() + path)
  }

  /// The host without its port; nil where there is anything in it that no host has.
  private static func host(_ authority: Substring) -> String? {
    let parts = authority.lowercased().split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, let host = parts.first, !host.isEmpty, host.utf8.count <= 253 else { return nil }
    if parts.count == 2, UInt16(parts[1]) == nil { return nil }
    let isHost = host.utf8.allSatisfy { $0 >= 97 && $0 <= 122 || $0 >= 48 && $0 <= 57 || $0 == 45 || $0 == 46 }
    return isHost && !host.hasPrefix(".") && !host.hasSuffix(".") ? String(host) : nil
  }

  private static func isPlain(_ path: String) -> Bool {
    !path.contains("..")
      && path.utf8.allSatisfy { byte in
        byte >= 97 && byte <= 122 || byte >= 65 && byte <= 90 || byte >= 45 && byte <= 57 || byte == 95 || byte == 126
      }
  }

  private static func refuse(_ sentence: String) -> Result<String, RenderFault> {
    .failure(RenderFault("base_refused", sentence))
  }
}
