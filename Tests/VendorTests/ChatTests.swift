// Google Chat, Discord and Telegram.

import DivertCore
import TestSupport
import Testing

@Suite("Google Chat", .bounded) struct GoogleChatTests {
  static let hook = VendorContract(
    "google_chat", target: #"{ type: google_chat, hook: "{{ secrets.hook }}" }"#,
    secrets: ["hook": "@URL@/v1/spaces/AAQA/messages?key=AIzaSy-key&token=vY%2B%2Ft0k%3D"])

  static func error(_ status: Int, _ name: String, _ end: DeliveryEnd) -> VendorCase {
    .init(
      "\(status) \(name)", send: "alert: Hi",
      [.json(#"{"error":{"code":\#(status),"message":"m","status":"\#(name)","details":[]}}"#, status: status)], end)
  }

  private static let taken = Play.json(#"{"name":"spaces/AAQA/messages/B.B","text":""}"#)
  private static let text = "cardsV2.0.card.sections.0.widgets.0.textParagraph.text"

  static let cases: [VendorCase] = [
    .init(
      "a text", send: "alert: '<users/all> & co'", [taken], .delivered,
      sees: [text: "&lt;users/all&gt; &amp; co", "thread": nil]),
    .init("no text", send: "alert", [taken], .delivered, requests: AlertText.isReadable(at: text)),
    .init("a bare event", send: "alert", [taken], .delivered, events: AlertText.bare),
    .init("a reply", send: "reply: Hi", [taken], .delivered, sees: ["thread.threadKey": "call_1"]),
    .init(
      "the same id in each attempt", send: "alert: Hi", [.close, taken], .delivered,
      target: "retry: { backoff: 1ms..2ms }\nlimit: 100/s",
      requests: { #expect($0.count == 2 && $0[0].path == $0[1].path) }),
    error(429, "RESOURCE_EXHAUSTED", .waiting("rule_throttle")), error(409, "ALREADY_EXISTS", .delivered),
    error(400, "INVALID_ARGUMENT", .dead("rule_fail")), error(403, "PERMISSION_DENIED", .held("rule_hold")),
    error(401, "UNAUTHENTICATED", .held("rule_hold")), error(404, "NOT_FOUND", .disabled("rule_disable")),
    error(503, "UNAVAILABLE", .waiting("unavailable")),
    .init("no answer", send: "alert: Hi", [.close], .waiting("connection_lost")),
  ]
  @Test("each answer is met as documented", arguments: cases) func contract(_ one: VendorCase) async throws {
    try await Self.hook.check(one)
  }
}

@Suite("Discord", .bounded) struct DiscordTests {
  static let hook = VendorContract(
    "discord", target: #"{ type: discord, hook: "{{ secrets.hook }}" }"#,
    secrets: ["hook": "@URL@/api/webhooks/1461234567890123456/a-B_c"])

  private static let taken = Play.json(#"{"id":"1","type":0,"content":"x"}"#)
  private static let limited = #"{"message":"You are being rate limited.","retry_after":64.57,"global":false}"#

  static let cases: [VendorCase] = [
    .init(
      "a text", send: "alert: '@everyone hi'", [taken], .delivered,
      sees: ["content": "@everyone hi", "username": "Divert"]),
    .init("no text", send: "alert", [.empty(204)], .delivered, requests: AlertText.isReadable(at: "content")),
    .init("a bare event", send: "alert", [taken], .delivered, events: AlertText.bare),
    .init(
      "a long text is cut", send: #"alert: "{{ raw.long }}""#, [taken], .delivered,
      events: [["long": .string(String(repeating: "😀", count: 9000))]]),
    .init(
      "asked for less, to the hundredth", send: "alert: Hi", [.json(limited, status: 429, ["Retry-After: 65"])],
      .waiting("rule_throttle"), wait: 64.5...64.6),
    .init(
      "asked for less by the proxy", send: "alert: Hi", [.text("", status: 429, ["Retry-After: 20"])],
      .waiting("rule_throttle"), wait: 19...21),
    .init(
      "no webhook", send: "alert: Hi", [.json(#"{"message":"Unknown Webhook","code":10015}"#, status: 404)],
      .disabled("rule_disable")),
    .init(
      "a wrong token", send: "alert: Hi", [.json(#"{"message":"Invalid Webhook Token","code":50027}"#, status: 401)],
      .held("rule_hold")),
    .init(
      "refused", send: "alert: Hi", [.json(#"{"code":50006,"message":"Cannot send an empty message"}"#, status: 400)],
      .dead("rule_fail")),
    .init("no answer", send: "alert: Hi", [.close], .waiting("connection_lost")),
  ]
  @Test("each answer is met as documented", arguments: cases) func contract(_ one: VendorCase) async throws {
    try await Self.hook.check(one)
  }

  @Test("an address with a thread keeps it") func thread() async throws {
    let contract = VendorContract(
      "discord", target: Self.hook.target, secrets: ["hook": "@URL@/api/v10/webhooks/1/a?thread_id=99"])
    let one = VendorCase("a thread", send: "alert: Hi", [Self.taken], .delivered) { requests in
      #expect(requests.first?.path.contains("thread_id=99") == true)
    }
    try await contract.check(one)
  }
}

@Suite("Telegram", .bounded) struct TelegramTests {
  static let bot = VendorContract(
    "telegram",
    target: #"{ type: telegram, url: "@URL@/bot{{ secrets.bot }}", token: "{{ secrets.bot }}", chat: "-1001" }"#,
    secrets: ["bot": "123456:AAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"])

  static func error(_ status: Int, _ more: String, _ end: DeliveryEnd, wait: ClosedRange<Double>? = nil) -> VendorCase {
    .init(
      "\(status) \(more)", send: "alert: Hi",
      [.json(#"{"ok":false,"error_code":\#(status),\#(more)}"#, status: status)], end, wait: wait)
  }

  private static let taken = Play.json(#"{"ok":true,"result":{"message_id":7}}"#)

  static let cases: [VendorCase] = [
    .init(
      "a text", send: "alert: '<b>5 < 6</b>'", [taken], .delivered,
      sees: ["chat_id": "-1001", "text": "<b>5 < 6</b>", "parse_mode": nil]),
    .init("no text", send: "alert", [taken], .delivered, requests: AlertText.isReadable(at: "text")),
    .init("a bare event", send: "alert", [taken], .delivered, events: AlertText.bare),
    .init(
      "formatted, in a topic of another group",
      send: #"alert: { text: "<b>{{ agent | html_escape }}</b>", parse_mode: HTML, chat: '@leads', topic: 5 }"#,
      [taken], .delivered, sees: ["chat_id": "@leads", "message_thread_id": 5, "parse_mode": "HTML"]),
    .init(
      "a long text is cut", send: #"alert: "{{ raw.long }}""#, [taken], .delivered,
      events: [["long": .string(String(repeating: "😀", count: 9000))]]),
    error(
      429, #""description":"Too Many Requests: retry after 5","parameters":{"retry_after":5}"#,
      .waiting("rule_throttle"), wait: 4.9...5.1),
    error(
      400, #""description":"group chat was upgraded","parameters":{"migrate_to_chat_id":-1009}"#, .dead("rule_fail")),
    error(400, #""description":"Bad Request: chat not found""#, .dead("rule_fail")),
    error(401, #""description":"Unauthorized""#, .held("rule_hold")),
    error(404, #""description":"Not Found""#, .held("rule_hold")),
    error(403, #""description":"Forbidden: bot was kicked""#, .disabled("rule_disable")),
    .init(
      "200, but not ok", send: "alert: Hi", [.json(#"{"ok":false,"error_code":400,"description":"d"}"#)],
      .dead("rule_fail")),
    .init("no answer", send: "alert: Hi", [.close], .waiting("connection_lost")),
    .init("trouble", send: "alert: Hi", [.text("Bad Gateway", status: 502)], .waiting("server_error")),
  ]
  @Test("each answer is met as documented", arguments: cases) func contract(_ one: VendorCase) async throws {
    try await Self.bot.check(one)
  }
}
