// What token endpoints answer, as vendors do it, and which base addresses are taken.
import Testing

@testable import DivertCore

@Suite struct TokenAnswerTests {
  private static let now = Timestamp(milliseconds: 1_700_000_000_000)

  private static func definition() -> OAuth2Definition {
    OAuth2Definition(grant: .refreshToken, tokenURL: Template(literal: "https://accounts.example.com/token"))
  }

  private static func read(
    _ status: Int, _ body: String, headers: [HTTPHeader] = [], _ definition: OAuth2Definition = definition()
  ) -> TokenOutcome {
    TokenOutcome.read(
      .answered(HTTPAnswer(status: status, headers: headers, body: Array(body.utf8))), definition, sent: "r0",
      plain: false, now: now)
  }

  @Test("a token with its life, as a number or as text; the refresh token that was sent is no new one")
  func granted() {
    let plain = Self.read(200, #"{"access_token":"a","expires_in":3600,"refresh_token":"r0","token_type":"Bearer"}"#)
    #expect(plain == .granted(TokenGrant(access: "a", life: .hours(1))))
    let text = Self.read(200, #"{"access_token":"a","expires_in":"1800","refresh_token":"r1"}"#)
    #expect(text == .granted(TokenGrant(access: "a", life: .minutes(30), refresh: "r1")))
    #expect(Self.read(200, #"{"access_token":"a"}"#) == .granted(TokenGrant(access: "a")))
  }

  @Test(
    "an error is one whatever the status is",
    arguments: [
      (200, #"{"error":"invalid_code"}"#), (400, #"{"error":"invalid_grant","error_description":"expired"}"#),
      (401, #"{"error":"invalid_client"}"#), (400, #"{"status":"BAD_REFRESH_TOKEN","message":"missing or invalid"}"#),
      (404, "<html>"), (302, ""),
    ])
  func refused(status: Int, body: String) {
    guard case .refused(let reason) = Self.read(status, body) else {
      Issue.record("\(status) \(body) is no refusal")
      return
    }
    #expect(reason.code == "credential_refused" && reason.sentence.contains("\(status)"))
  }

  @Test("what passes by itself is tried again, with the wait that the endpoint asks for")
  func failed() {
    let denied = Self.read(200, #"{"error":"Access Denied","status":"failure"}"#)
    guard case .failed(let reason, let wait) = denied else {
      Issue.record("\(denied)")
      return
    }
    #expect(reason.code == "throttled" && wait == .minutes(1))
    let limited = Self.read(429, "", headers: [HTTPHeader("retry-after", "7")])
    guard case .failed(_, let asked) = limited else {
      Issue.record("\(limited)")
      return
    }
    #expect(asked == .seconds(7))
    for (status, body) in [(503, ""), (200, "<html>hello</html>"), (500, #"{"error":"oops"}"#)] {
      guard case .failed = Self.read(status, body) else {
        Issue.record("\(status) \(body)")
        return
      }
    }
    let lost = ExchangeFailure(requestSent: true, reason: Reason("timeout", "no answer"))
    #expect(
      TokenOutcome.read(.failed(lost), Self.definition(), sent: nil, plain: false, now: Self.now)
        == .failed(lost.reason, wait: nil))
    let barred = ExchangeFailure(requestSent: false, isLasting: true, reason: Reason("address_refused", "private"))
    #expect(
      TokenOutcome.read(.failed(barred), Self.definition(), sent: nil, plain: false, now: Self.now)
        == .refused(barred.reason))
  }

  @Test("an error's text is cut and stands on one line")
  func printable() {
    let long = String(repeating: "x", count: 5000)
    guard case .refused(let reason) = Self.read(400, #"{"error":"a\nb","error_description":"\#(long)"}"#) else {
      Issue.record("no refusal")
      return
    }
    #expect(!reason.sentence.contains("\n") && reason.sentence.count < 2100)
  }

  @Test(
    "base addresses: https of an allowed host or below it, and nothing else",
    arguments: [
      ("https://na1.example.com", "https://na1.example.com"), ("https://EXAMPLE.com/", "https://example.com"),
      ("na1.example.com", "https://na1.example.com"),
      ("https://na1.example.com:8443/x/", "https://na1.example.com:8443/x"),
      ("http://na1.example.com", nil), ("https://badexample.com", nil), ("https://example.com.evil.org", nil),
      ("https://evil.org/.example.com", nil), ("https://user@example.com", nil), ("https://evil.org#example.com", nil),
      ("https://evil.org?.example.com", nil), ("https://evil.org\\.example.com", nil), ("https://.example.com", nil),
      ("https://example.com:x", nil), ("https://example.com/../x", nil), ("ftp://example.com", nil), ("", nil),
    ] as [(String, String?)])
  func bases(text: String, wanted: String?) {
    let read = try? TokenBaseAddress.read(text, hosts: ["example.com"], plain: false).get()
    #expect(read == wanted)
  }

  @Test("an answer without the base address that is asked for is a fault of the token")
  func baseMissing() {
    var definition = Self.definition()
    definition.baseURL = .init(from: ["api_domain"], hosts: ["example.com"])
    guard case .granted(let grant) = Self.read(200, #"{"access_token":"a"}"#, definition) else {
      Issue.record("no grant")
      return
    }
    #expect(grant.fault?.code == "base_refused")
    guard
      case .granted(let good) = Self.read(
        200, #"{"access_token":"a","api_domain":"https://api.example.com"}"#, definition)
    else {
      Issue.record("no grant")
      return
    }
    #expect(good.fault == nil && good.base == "https://api.example.com")
  }
}

@Suite struct TokenRequestTests {
  private static let now = Timestamp(milliseconds: 1_700_000_000_000)

  private static func definition(_ grant: OAuth2Definition.Grant) throws -> OAuth2Definition {
    var definition = OAuth2Definition(
      grant: grant, tokenURL: Template(literal: "https://accounts.example.com/token"))
    definition.clientID = Template(literal: "me & you")
    definition.clientSecret = try Template.parse("{{ secrets.s }}", in: .secretsOnly).get()
    return definition
  }

  private static func text(_ definition: OAuth2Definition, _ proof: TokenProof) throws -> String {
    let request = try TokenRequest.render(definition, proof, secrets: .resolved { _ in "geheim=1" }, now: now)
    return String(decoding: request.body, as: UTF8.self)
  }

  @Test("a refresh token and a client's credentials, in a form; id and secret in the body")
  func body() throws {
    var definition = try Self.definition(.refreshToken)
    #expect(
      try Self.text(definition, .refresh("r+1"))
        == "grant_type=refresh_token&refresh_token=r%2B1&client_id=me%20%26%20you&client_secret=geheim%3D1")
    definition.scope = Template(literal: "a b")
    definition.form = [HeaderTemplate("audience", Template(literal: "x"))]
    #expect(
      try Self.text(definition, .client)
        == "grant_type=client_credentials&client_id=me%20%26%20you&client_secret=geheim%3D1&scope=a%20b&audience=x")
  }

  @Test("id and secret as Basic, form-encoded before (RFC 6749, section 2.3.1)")
  func basic() throws {
    var definition = try Self.definition(.clientCredentials)
    definition.clientAuth = .basic
    let request = try TokenRequest.render(definition, .client, secrets: .resolved { _ in "geheim=1" }, now: Self.now)
    #expect(request.header("authorization") == "Basic " + Base64.encoded(Array("me%20%26%20you:geheim%3D1".utf8)))
    #expect(String(decoding: request.body, as: UTF8.self) == "grant_type=client_credentials")
  }

  @Test("an assertion holds no longer than its lifetime, and is signed over header and claims")
  func assertion() throws {
    var definition = OAuth2Definition(
      grant: .jwtBearer, tokenURL: Template(literal: "https://accounts.example.com/token"))
    definition.issuer = Template(literal: "app")
    definition.subject = Template(literal: "divert@example.com")
    definition.privateKey = Template(literal: "PEM")
    let proof = TokenProof.assertion { (pem, text) throws(RenderFault) in
      #expect(pem == "PEM")
      return Array("signed".utf8) + [UInt8(text.count % 251)]
    }
    let body = try Self.text(definition, proof)
    let assertion = try #require(body.split(separator: "&").last?.split(separator: "=").last)
    let parts = assertion.split(separator: ".")
    #expect(parts.count == 3 && !assertion.contains("="))
    var claims = String(parts[1]).map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
    while claims.count % 4 != 0 { claims.append("=") }
    let value = try JSONValue.parse(try #require(Base64.decoded(String(claims))))
    #expect(value["iss"]?.string == "app" && value["sub"]?.string == "divert@example.com")
    #expect(value["aud"]?.string == "https://accounts.example.com/token")
    #expect(value["iat"]?.text == "1700000000" && value["exp"]?.text == "1700000180")
  }

  @Test("where an operator is sent, and a token_url that is none")
  func addresses() throws {
    var definition = try Self.definition(.refreshToken)
    definition.authorizeURL = Template(literal: "https://accounts.example.com/auth?access_type=offline")
    definition.redirectURI = Template(literal: "https://localhost/back")
    definition.scope = Template(literal: "crm.calls")
    let url = try TokenRequest.authorizeURL(definition, state: "xyz", secrets: .masked)
    #expect(
      url == "https://accounts.example.com/auth?access_type=offline&response_type=code&client_id=me%20%26%20you"
        + "&redirect_uri=https%3A%2F%2Flocalhost%2Fback&scope=crm.calls&state=xyz")
    definition.tokenURL = Template(literal: "https://user@accounts.example.com")
    #expect(throws: RenderFault.self) { try Self.text(definition, .client) }
  }
}
