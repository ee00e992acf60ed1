// Tokens over real HTTP, with the real binary: fetched once for many, renewed when refused, kept through a crash, parked and mended.

import DivertCore
import Foundation
import Synchronization
import TestSupport
import Testing

/// A token endpoint that knows which refresh token is good and which access token it gave last.
final class TokenServer: Sendable {
  private struct State {
    var refresh: String
    var rotates: Bool
    var count = 0
    var error: String?
  }

  let http: MisbehavingTarget
  private let state: Box<State>

  init(refresh: String, rotates: Bool = false) {
    let state = Box(State(refresh: refresh, rotates: rotates))
    self.state = state
    http = MisbehavingTarget { request in
      state.value.withLock { state in
        let form = TokenServer.form(request.text)
        if let error = state.error { return .json(#"{"error":"\#(error)"}"#, status: 400) }
        let isCode = form["grant_type"] == "authorization_code" && form["code"] == "good code"
        guard isCode || form["refresh_token"] == state.refresh else {
          return .json(#"{"error":"invalid_grant"}"#, status: 400)
        }
        state.count += 1
        var more = ""
        if state.rotates || isCode {
          state.refresh = "refresh-\(state.count)"
          more = #","refresh_token":"\#(state.refresh)""#
        }
        return .json(#"{"access_token":"token-\#(state.count)","expires_in":3600\#(more)}"#)
      }
    }
  }

  /// Tokens that were given.
  var count: Int { state.value.withLock { $0.count } }
  var refresh: String { state.value.withLock { $0.refresh } }
  func fail(_ error: String?) { state.value.withLock { $0.error = error } }
  func expect(refresh: String) { state.value.withLock { $0.refresh = refresh } }

  static func form(_ text: String) -> [String: String] {
    text.split(separator: "&").reduce(into: [:]) { form, pair in
      let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
      form[parts[0]] = parts.count > 1 ? parts[1].removingPercentEncoding : ""
    }
  }

  private final class Box<Value: Sendable>: Sendable {
    let value: Mutex<Value>
    init(_ value: sending Value) { self.value = Mutex(value) }
  }
}

@Suite("Credentials", .bounded) struct CredentialTests {
  private static func credential(_ server: TokenServer, _ more: String = "") -> String {
    """
    credentials:
      login:
        oauth2:
          grant: refresh_token
          network: private
          token_url: "\(server.http.url("/token"))"
          authorize_url: "\(server.http.url("/allow"))"
          client_id: "{{ secrets.client_id }}"
          client_secret: "{{ secrets.client_secret }}"
          refresh_token: "{{ secrets.refresh }}"
          \(more)
    """
  }

  private static let secrets = [
    "client_id": "divert", "client_secret": "very secret indeed", "refresh": "refresh-0",
    "divert_storage_key": "0123456789abcdef0123456789abcdef",
  ]

  private static func open(
    _ server: TokenServer, _ crm: MisbehavingTarget, more: String = "", secrets: [String: String] = secrets
  ) async throws -> RouterProcess {
    try await House.open(
      targets: House.target("crm", crm, "auth: login"), top: credential(server, more), secrets: secrets)
  }

  /// Answers 200 to this token alone.
  private static func takes(_ token: String) -> MisbehavingTarget.Handler {
    { $0.header("authorization") == "Bearer \(token)" ? .ok : .json("{}", status: 401) }
  }

  @Test("an expired token is renewed once for all deliveries that it fails, and none of them counts as an attempt")
  func expired() async throws {
    let server = TokenServer(refresh: "refresh-0")
    let crm = MisbehavingTarget(Self.takes("token-1"))
    let router = try await Self.open(server, crm)
    try await router.accept("call_0")
    try await router.untilSettled(planned: 1)
    #expect(server.count == 1)
    crm.answer(with: Self.takes("token-2"))
    for call in 1...20 { try await router.accept("call_\(call)") }
    try await router.untilSettled(planned: 21)
    #expect(server.count == 2)
    #expect(Set(crm.calls).count == 21)
    #expect(try await router.target("crm")["state"] == "open")
    try await router.expectAudit()
    #expect(!router.log.contains("token-1") && !router.log.contains("very secret"))
  }

  @Test("a token that is refused although it is new holds the target")
  func refusedAgain() async throws {
    let server = TokenServer(refresh: "refresh-0")
    let crm = MisbehavingTarget { _ in .json("{}", status: 401) }
    let router = try await Self.open(server, crm)
    try await router.accept("call_1")
    try await router.untilTarget("crm") { $0["state"] == "held" }
    #expect(server.count == 2 && crm.calls.count == 2)
  }

  @Test("a rotated refresh token outlives kill -9, encrypted; the secret that was configured first is not used again")
  func rotated() async throws {
    let server = TokenServer(refresh: "refresh-0", rotates: true)
    let crm = MisbehavingTarget()
    let router = try await Self.open(server, crm)
    try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    #expect(server.refresh == "refresh-1")
    try await router.crash()
    let file = try Data(contentsOf: router.data.appendingPathComponent("credentials/login"))
    #expect(!String(decoding: file, as: UTF8.self).contains("refresh-1"))
    try await router.start()
    try await router.accept("call_2")
    try await router.untilSettled(planned: 2)
    #expect(server.refresh == "refresh-2" && crm.calls == ["call_1", "call_2"])
  }

  @Test("without a storage key a new refresh token is not used; the key that is put there later lets everything go on")
  func keyless() async throws {
    let server = TokenServer(refresh: "refresh-0", rotates: true)
    let crm = MisbehavingTarget()
    var secrets = Self.secrets
    secrets["divert_storage_key"] = nil
    let router = try await Self.open(server, crm, secrets: secrets)
    try await router.accept("call_1")
    try await router.until("parked") {
      try await router.credential()["reason"]?["code"]?.string == "storage_key_missing"
    }
    #expect(crm.calls.isEmpty)
    try "0123456789abcdef".write(
      to: router.folder.appendingPathComponent("secrets/divert_storage_key"), atomically: true, encoding: .utf8)
    try await router.untilSettled(planned: 1)
    #expect(crm.calls == ["call_1"] && server.count == 1)
  }

  @Test("invalid_grant parks the credential with one alarm, deliveries wait untried, and `divert auth` lets them go")
  func parked() async throws {
    let server = TokenServer(refresh: "another")
    let crm = MisbehavingTarget()
    let router = try await Self.open(server, crm)
    for call in 1...3 { try await router.accept("call_\(call)") }
    try await router.until("parked") { try await router.credential()["state"]?.string == "parked" }
    let status = try await router.divert("status")
    #expect(
      status.out.contains("credential login is parked") && status.out.contains("divert auth login"), "\(status.out)")
    #expect(crm.calls.isEmpty)
    let found = try await router.divert("find", "call_1").out
    #expect(found.contains("waiting for credential login, which is parked"), "\(found)")
    #expect(found.contains("`divert auth login`"), "\(found)")
    #expect(try await router.divert("auth", "login", "--test").status == 1)

    let asked = try await router.divert("auth", "login")
    #expect(asked.out.contains("/allow?response_type=code&client_id=divert"), "\(asked.out)\(asked.err)")
    let wrong = try await router.divert("auth", "login", "--code", "bad")
    #expect(wrong.status == 1 && wrong.err.contains("invalid_grant"), "\(wrong.err)")
    let back = "https://localhost/back?code=good%20code&state="
    let strange = try await router.divert("auth", "login", "--code", back + "x")
    #expect(strange.status == 1 && strange.err.contains("not made for this credential"), "\(strange)")
    let state = try #require(try await router.json("auth", "login")["state"]?.string)
    #expect(asked.out.contains("state=\(state)"))
    let done = try await router.divert("auth", "login", "--code", back + state)
    #expect(done.status == 0 && done.out.contains("kept"), "\(done.out)\(done.err)")
    try await router.untilSettled(planned: 3)
    #expect(Set(crm.calls) == ["call_1", "call_2", "call_3"] && crm.calls.count == 3)
    let test = try await router.divert("auth", "login", "--test")
    #expect(test.status == 0 && test.out.contains("good for") && !test.out.contains("token-"), "\(test.out)\(test.err)")
    #expect(try await router.divert("credentials").out.contains("fresh"))
    #expect(try await router.get("/api/status").answer["alarms"]?.array?.isEmpty == true)
    try await router.expectAudit()
  }

  @Test("a trial that is refused parks nothing that has a token, and a storage key is seen as soon as it is there")
  func trial() async throws {
    let server = TokenServer(refresh: "refresh-0")
    let crm = MisbehavingTarget()
    var secrets = Self.secrets
    secrets["divert_storage_key"] = nil
    let router = try await Self.open(server, crm, secrets: secrets)
    try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    let keyless = try await router.divert("auth", "login")
    #expect(keyless.status == 1 && keyless.err.contains("make the secret divert_storage_key"), "\(keyless)")
    try "0123456789abcdef".write(
      to: router.folder.appendingPathComponent("secrets/divert_storage_key"), atomically: true, encoding: .utf8)
    let keyed = try await router.divert("auth", "login")
    #expect(keyed.status == 0 && keyed.out.contains("/allow?"), "\(keyed)")
    server.fail("invalid_grant")
    let test = try await router.divert("auth", "login", "--test")
    #expect(test.status == 1 && test.err.contains("deliveries go on with the present token"), "\(test)")
    #expect(try await router.credential()["state"]?.string == "fresh")
    try await router.accept("call_2")
    try await router.untilSettled(planned: 2)
    #expect(crm.calls == ["call_1", "call_2"])
    #expect(try await router.divert("credentials").out.contains("the last try for another failed"))
  }

  @Test("a changed secret mends a parked credential by itself")
  func mended() async throws {
    let server = TokenServer(refresh: "another")
    let crm = MisbehavingTarget()
    let router = try await Self.open(server, crm)
    try await router.accept("call_1")
    try await router.until("parked") { try await router.credential()["state"]?.string == "parked" }
    let sent = try await router.divert("send", "incoming-rejected", "--call-id", "call_2", "--wait", "0s")
    #expect(sent.status == 1 && sent.out.contains("for credential login, which is parked"), "\(sent)")
    try "another".write(
      to: router.folder.appendingPathComponent("secrets/refresh"), atomically: true, encoding: .utf8)
    try await router.untilSettled(planned: 2)
    #expect(Set(crm.calls) == ["call_1", "call_2"])
  }

  @Test("`divert auth` works while no router runs, too")
  func offline() async throws {
    let server = TokenServer(refresh: "another")
    let crm = MisbehavingTarget()
    let router = try await Self.open(server, crm)
    _ = try await router.terminate()
    let done = try await router.divert("auth", "login", "--code", "good code")
    #expect(done.status == 0, "\(done.out)\(done.err)")
    let test = try await router.divert("auth", "login", "--test")
    #expect(test.status == 0 && test.out.contains("good for"), "\(test.out)\(test.err)")
    try await router.start()
    try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    #expect(crm.calls == ["call_1"])
  }

  @Test("the token's answer says where its targets are, within the allowed hosts alone")
  func base() async throws {
    let server = TokenServer(refresh: "refresh-0")
    let (wrong, right) = (MisbehavingTarget(), MisbehavingTarget())
    let base = right.url("")
    server.http.answer("/token") { _ in .json(#"{"access_token":"t","at":{"url":"\#(base)"}}"#) }
    let router = try await Self.open(server, wrong, more: "base_url: { from: at.url, hosts: [127.0.0.1] }")
    try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    #expect(right.calls == ["call_1"] && wrong.calls.isEmpty)
    #expect(right.requests.first?.path == "/log")

    let strict = try await Self.open(server, wrong, more: "base_url: { from: at.url, hosts: [example.com] }")
    try await strict.until("parked") {
      try await strict.credential()["reason"]?["code"]?.string == "base_refused"
    }
  }

  @Test("in the sandbox tokens need no account, and their base address is not followed")
  func sandbox() async throws {
    let config = House.config(
      targets: House.target("crm", MisbehavingTarget(), "auth: login"), routes: House.sendToCRM,
      top: Self.credential(TokenServer(refresh: ""), "base_url: { from: api, hosts: [example.com] }"))
    let router = try RouterProcess(config: config, sandbox: true)
    try await router.start()
    #expect(try await router.divert("send", "incoming-rejected").status == 0)
    #expect(try await router.credential()["state"]?.string == "fresh")
    #expect(try await router.divert("auth", "login", "--test").status == 0)
  }
}

extension RouterProcess {
  /// The only credential, as `divert credentials` shows it.
  fileprivate func credential() async throws -> JSONValue {
    try await get("/api/credentials").answer.array?.first ?? .null
  }
}
