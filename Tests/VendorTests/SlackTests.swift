// Slack: incoming webhooks, and the Web API as a bot.

import DivertCore
import TestSupport
import Testing

@Suite("Slack's incoming webhook", .bounded) struct SlackTests {
  static let hook = VendorContract(
    "slack", target: #"{ type: slack, hook: "{{ secrets.hook }}" }"#,
    secrets: ["hook": "@URL@/services/T024F/B024F/abcDEF123"])

  static func refused(_ text: String, _ status: Int, _ end: DeliveryEnd) -> VendorCase {
    .init("\(status) \(text)", send: "alert: Hello", [.text(text, status: status)], end)
  }

  static let cases: [VendorCase] = [
    .init("a text", send: "alert: Hello", [.text("ok")], .delivered, sees: ["text": "Hello", "blocks": nil]),
    .init("no text", send: "alert", [.text("ok")], .delivered, requests: AlertText.isReadable(at: "text")),
    .init("a bare event", send: "alert", [.text("ok")], .delivered, events: AlertText.bare),
    .init(
      "a name that would be a link", send: #"alert: "{{ customer.name }} & co""#, [.text("ok")], .delivered,
      sees: ["text": "&lt;https://evil.example|Bank&gt; &amp; co"],
      events: [["customerName": "<https://evil.example|Bank>"]]),
    .init(
      "blocks", send: "alert: { text: Hi, blocks: [{ type: section, text: { type: mrkdwn, text: '*Hi*' } }] }",
      [.text("ok")], .delivered, sees: ["blocks.0.text.text": "*Hi*"]),
    .init(
      "asked for less", send: "alert: Hello", [.text("", status: 429, ["Retry-After: 30"])],
      .waiting("rule_throttle"), wait: 29...31),
    .init("trouble", send: "alert: Hello", [.text("rollup_error", status: 500)], .waiting("server_error")),
    .init("no answer", send: "alert: Hello", [.close], .waiting("connection_lost")),
    .init(
      "tried again", send: "alert: Hello", [.close, .text("ok")], .delivered,
      target: "retry: { backoff: 1ms..2ms }\nlimit: 100/s"),
    refused("invalid_payload", 400, .dead("rule_fail")), refused("invalid_blocks", 400, .dead("rule_fail")),
    refused("action_prohibited", 403, .dead("forbidden")), refused("invalid_token", 403, .disabled("rule_disable")),
    refused("no_service", 404, .disabled("rule_disable")),
    refused("channel_is_archived", 410, .disabled("rule_disable")),
    .init(
      "a redirect", send: "alert: Hello", [.empty(302, ["Location: https://elsewhere.example"])], .dead("redirected")),
  ]
  @Test("each answer is met as documented", arguments: cases) func contract(_ one: VendorCase) async throws {
    try await Self.hook.check(one)
  }
}

@Suite("Slack's Web API", .bounded) struct SlackBotTests {
  static let bot = VendorContract(
    "slack_bot",
    target: #"{ type: slack_bot, url: "@URL@/api", token: "{{ secrets.bot }}", channel: C0123456789 }"#,
    secrets: ["bot": "xoxb-1-2-abc"])

  static func error(_ name: String, _ end: DeliveryEnd) -> VendorCase {
    .init(name, send: "alert: Hello", [.json(#"{"ok":false,"error":"\#(name)"}"#)], end)
  }

  private static let taken = Play.json(#"{"ok":true,"channel":"C0123456789","ts":"1768473025.000100"}"#)

  static let cases: [VendorCase] = [
    .init("a text", send: "alert: Hello", [taken], .delivered, sees: ["channel": "C0123456789", "text": "Hello"]),
    .init("no text", send: "alert", [taken], .delivered, requests: AlertText.isReadable(at: "text")),
    .init("a bare event", send: "alert", [taken], .delivered, events: AlertText.bare),
    .init(
      "another channel, in a thread", send: "alert: { text: Hi, channel: '#leads', thread: '1768473025.000100' }",
      [taken], .delivered, sees: ["channel": "#leads", "thread_ts": "1768473025.000100"]),
    .init(
      "asked for less", send: "alert: Hello",
      [.json(#"{"ok":false,"error":"ratelimited"}"#, status: 429, ["Retry-After: 10"])], .waiting("rule_throttle"),
      wait: 9...11),
    error("ratelimited", .waiting("rule_throttle")), error("internal_error", .waiting("rule_retry")),
    error("fatal_error", .waiting("rule_retry")), error("service_unavailable", .waiting("rule_retry")),
    error("token_expired", .held("rule_refresh")), error("invalid_auth", .held("rule_hold")),
    error("missing_scope", .held("rule_hold")), error("channel_not_found", .dead("rule_fail")),
    error("not_in_channel", .dead("rule_fail")), error("is_archived", .dead("rule_fail")),
    error("msg_too_long", .dead("rule_fail")), error("some_error_of_tomorrow", .dead("rule_fail")),
    .init("no answer", send: "alert: Hello", [.close], .waiting("connection_lost")),
    .init("a gateway's trouble", send: "alert: Hello", [.text("", status: 503)], .waiting("unavailable")),
  ]
  @Test("each answer is met as documented", arguments: cases) func contract(_ one: VendorCase) async throws {
    try await Self.bot.check(one)
  }

  @Test("a token that rotates is renewed, with the refresh token that came last") func rotation() async throws {
    let app = VendorContract(
      "slack_bot", target: #"{ type: slack_bot, url: "@URL@/api", auth: slack_app, channel: C0123456789 }"#,
      secrets: ["id": "1.2", "secret": "s", "refresh": "xoxe-1-first", "divert_storage_key": "0123456789abcdef"],
      top: """
        credentials:
          slack_app:
            oauth2:
              grant: refresh_token
              token_url: "@URL@/api/oauth.v2.access"
              network: private
              client_id: "{{ secrets.id }}"
              client_secret: "{{ secrets.secret }}"
              refresh_token: "{{ secrets.refresh }}"
        """)
    func token(_ number: Int) -> Play {
      .on(
        "token",
        .json(
          #"{"ok":true,"access_token":"xoxe.xoxb-\#(number)","refresh_token":"xoxe-1-r\#(number)","expires_in":43200}"#)
      )
    }
    let expired = Play.on("post_message", .json(#"{"ok":false,"error":"token_expired"}"#))
    let one = VendorCase(
      "rotation", send: "alert: Hello", [token(1), expired, token(2), .on("post_message", Self.taken)], .delivered
    ) { requests in
      let tokens = requests.filter { $0.path.hasSuffix("oauth.v2.access") }.map(\.document)
      #expect(tokens.map { $0["refresh_token"] } == ["xoxe-1-first", "xoxe-1-r1"])
      #expect(requests.last?.header("authorization") == "Bearer xoxe.xoxb-2")
    }
    try await app.check(one)
  }
}
