// The grants that need nobody's consent, against a token endpoint that checks what it is sent; and what outlives kill
// -9.

import Crypto
import CryptoExtras
import DivertCore
import Foundation
import TestSupport
import Testing

@Suite("Grants", .bounded) struct GrantTests {
  private static func open(
    _ tokens: MisbehavingTarget, _ crm: MisbehavingTarget, _ oauth2: String, _ secrets: [String: String]
  ) async throws -> RouterProcess {
    let top = """
      credentials:
        login:
          oauth2:
            network: private
            token_url: "\(tokens.url("/token"))"
            \(oauth2)
      """
    return try await House.open(targets: House.target("crm", crm, "auth: login"), top: top, secrets: secrets)
  }

  private static func crm(_ token: String) -> MisbehavingTarget {
    MisbehavingTarget { $0.header("authorization") == "Bearer \(token)" ? .ok : .json("{}", status: 401) }
  }

  @Test("client_credentials: the app's own name and secret as Basic, the scope and further fields in the form")
  func clientCredentials() async throws {
    let tokens = MisbehavingTarget { request in
      let form = TokenServer.form(request.text)
      let basic = Data("divert:p%40ss%3Aword".utf8).base64EncodedString()
      let isRight =
        request.header("authorization") == "Basic \(basic)" && form["grant_type"] == "client_credentials"
        && form["scope"] == "crm.write" && form["audience"] == "https://crm.example.com"
        && form["client_secret"] == nil && request.header("content-type") == "application/x-www-form-urlencoded"
      return isRight
        ? .json(#"{"access_token":"from-app","token_type":"Bearer","expires_in":600}"#)
        : .json(#"{"error":"invalid_client"}"#, status: 401)
    }
    let crm = Self.crm("from-app")
    let router = try await Self.open(
      tokens, crm,
      """
      grant: client_credentials
            client_id: divert
            client_secret: "{{ secrets.app }}"
            client_auth: basic
            scope: crm.write
            form: { audience: "https://crm.example.com" }
      """, ["app": "p@ss:word"])
    for call in 1...3 { try await router.accept("call_\(call)") }
    try await router.untilSettled(planned: 3)
    #expect(Set(crm.calls) == ["call_1", "call_2", "call_3"] && crm.calls.count == 3)
    #expect(tokens.requests.count == 1)
    let test = try await router.divert("auth", "login", "--test")
    #expect(test.status == 0 && test.out.contains("good for") && !test.out.contains("from-app"), "\(test.out)")
    for text in [router.log, try await router.divert("credentials").out, try await router.divert("status").out] {
      #expect(!text.contains("p@ss:word") && !text.contains("from-app"))
    }
    try await router.expectAudit()
  }

  @Test("jwt_bearer: an assertion that the public key verifies, with the claims of RFC 7523, and no other proof")
  func jwtBearer() async throws {
    let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
    let verifier = key.publicKey
    let tokens = MisbehavingTarget { request in
      let form = TokenServer.form(request.text)
      let isRight =
        form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer" && form["refresh_token"] == nil
        && Self.isGood(form["assertion"] ?? "", verifier)
      return isRight
        ? .json(#"{"access_token":"from-assertion"}"#) : .json(#"{"error":"invalid_grant"}"#, status: 400)
    }
    let crm = Self.crm("from-assertion")
    let router = try await Self.open(
      tokens, crm,
      """
      grant: jwt_bearer
            issuer: app-7
            subject: divert@example.com
            audience: https://login.example.com
            private_key: "{{ secrets.signing }}"
            lifetime: 3m
      """, ["signing": key.pemRepresentation])
    try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    #expect(crm.calls == ["call_1"] && tokens.requests.count == 1)
    #expect(!router.log.contains("from-assertion") && !router.log.contains("PRIVATE KEY"))
    try await router.expectAudit()
  }

  private static func isGood(_ assertion: String, _ key: _RSA.Signing.PublicKey) -> Bool {
    let parts = assertion.split(separator: ".").map(String.init)
    guard parts.count == 3, let signature = decoded(parts[2]),
      let header = decoded(parts[0]).flatMap({ try? JSONValue.parse(Array($0)) }),
      let claims = decoded(parts[1]).flatMap({ try? JSONValue.parse(Array($0)) }),
      let issued = claims["iat"]?.integer, let expires = claims["exp"]?.integer
    else { return false }
    let now = Int64(Date().timeIntervalSince1970)
    let isSigned = key.isValidSignature(
      _RSA.Signing.RSASignature(rawRepresentation: signature), for: Data("\(parts[0]).\(parts[1])".utf8),
      padding: .insecurePKCS1v1_5)
    return isSigned && header["alg"] == "RS256" && claims["iss"] == "app-7" && claims["sub"] == "divert@example.com"
      && claims["aud"] == "https://login.example.com" && abs(issued - now) < 120 && expires == issued + 180
  }

  /// RFC 4648, section 5, without padding.
  private static func decoded(_ text: String) -> Data? {
    let plain = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
    return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.count % 4) % 4))
  }

  @Test(
    "neither the token nor a secret of its credential stands anywhere, though the target and the token endpoint echo them"
  )
  func nowhere() async throws {
    let fails = MisbehavingTarget {
      .json(#"{"error":"invalid_client","error_description":"\#($0.text)"}"#, status: 400)
    }
    let tokens = MisbehavingTarget { _ in .json(#"{"access_token":"tok3n-value","expires_in":600}"#) }
    let crm = MisbehavingTarget { .json(#"{"error":"\#($0.header("authorization") ?? "")"}"#, status: 400) }
    let oauth2 = """
      grant: client_credentials
            client_id: divert
            client_secret: "{{ secrets.app }}"
      """
    for (endpoint, state) in [(tokens, "fresh"), (fails, "parked")] {
      let router = try await Self.open(endpoint, crm, oauth2, ["app": "p@ss w0rd/of the app"])
      try await router.accept("call_1")
      try await router.until(state) {
        try await router.get("/api/credentials").answer.array?.first?["state"]?.string == state
      }
      if state == "fresh" { try await router.until("dead") { try await router.states("call_1")["crm.log"] != nil } }
      var said = router.log
      for command in [
        ["status"], ["credentials"], ["targets", "list"], ["dead-letters", "list"], ["find", "call_1"],
      ] {
        said += try await router.divert(command).out
      }
      said += try await router.get("/metrics").answer.string ?? ""
      for name in FileManager.default.enumerator(atPath: router.data.path)?.compactMap({ $0 as? String }) ?? [] {
        let bytes = FileManager.default.contents(atPath: router.data.appendingPathComponent(name).path) ?? Data()
        said += String(decoding: bytes, as: UTF8.self)
      }
      #expect(said.contains(state == "fresh" ? "{{ token }}" : "(secret)"), "it was echoed")
      for secret in ["tok3n-value", "p@ss w0rd", "p%40ss"] { #expect(!said.contains(secret), "\(state): \(secret)") }
    }
  }

  @Test("a cap on tokens and a day's budget go on where kill -9 cut them off")
  func restart() async throws {
    let tokens = MisbehavingTarget { _ in .json(#"{"access_token":"t"}"#) }
    let crm = Self.crm("t")
    let top = """
      credentials:
        login:
          budget: { at_most: 3, per: day, zone: UTC }
          oauth2: { grant: client_credentials, network: private, token_url: "\(tokens.url("/token"))", client_id: a, client_secret: "{{ secrets.app }}", mints: 2/1h }
      """
    let router = try await House.open(
      targets: House.target("crm", crm, "auth: login"), top: top, secrets: ["app": "very secret"])
    for call in 1...2 { try await router.accept("call_\(call)") }
    try await router.untilSettled(planned: 2)
    try await router.crash()
    try await router.start()
    for call in 3...4 { try await router.accept("call_\(call)") }
    try await router.untilTarget("crm") { $0["reason"]?["code"]?.string == "budget_used_up" }
    #expect(crm.calls.count == 3 && tokens.requests.count == 2)
    try await router.crash()
    try await router.start()
    try await router.until("waiting") {
      try await router.get("/api/credentials").answer.array?.first?["state"]?.string == "waiting"
    }
    #expect(tokens.requests.count == 2 && crm.calls.count == 3)
  }
}
