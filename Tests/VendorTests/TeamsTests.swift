// Microsoft Teams: workflows, and connectors of the old kind.

import DivertCore
import TestSupport
import Testing

@Suite("Microsoft Teams", .bounded) struct TeamsTests {
  static let workflow = VendorContract(
    "teams", target: #"{ type: teams, hook: "{{ secrets.hook }}" }"#,
    secrets: [
      "hook": "@URL@/workflows/0a1b2c/triggers/manual/paths/invoke?api-version=2016-06-01"
        + "&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=a-B_c%2Bd%2Fe%3D"
    ])
  static let connector = VendorContract(
    "teams", target: #"{ type: teams, hook: "{{ secrets.hook }}" }"#,
    secrets: ["hook": "@URL@/webhookb2/0a-1b@2c-3d/IncomingWebhook/0a1b2c/3d-4e"])

  private static let text = "attachments.0.content.body.1.inlines.0.text"

  static let cases: [VendorCase] = [
    .init(
      "a text", send: "alert: { title: Late, text: '[a](https://b.example) *c*' }", [.empty(202)], .delivered,
      sees: ["attachments.0.content.body.0.inlines.0.text": "Late", text: "[a](https://b.example) *c*"],
      requests: { requests in  // the signature is over the query as it was given
        #expect(
          requests.first?.path.hasSuffix(
            "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=a-B_c%2Bd%2Fe%3D") == true)
      }),
    .init("no text", send: "alert", [.empty(200)], .delivered, requests: AlertText.isReadable(at: text)),
    .init("a bare event", send: "alert", [.empty(202)], .delivered, events: AlertText.bare),
    .init(
      "a long text is cut", send: #"alert: "{{ raw.long }}""#, [.empty(202)], .delivered,
      events: [["long": .string(String(repeating: "प", count: 9000))]]),
    .init(
      "asked for less", send: "alert: Hi", [.json("{}", status: 429, ["Retry-After: 17"])], .waiting("rule_throttle"),
      wait: 16...18),
    .init(
      "another sign-in", send: "alert: Hi",
      [.json(#"{"error":{"code":"DirectApiAuthorizationRequired","message":"…"}}"#, status: 401)],
      .disabled("rule_disable")),
    .init(
      "no workflow", send: "alert: Hi", [.json(#"{"error":{"code":"WorkflowNotFound"}}"#, status: 404)],
      .disabled("rule_disable")),
    .init(
      "turned off", send: "alert: Hi", [.json(#"{"error":{"code":"WorkflowTriggerIsNotEnabled"}}"#, status: 400)],
      .disabled("rule_disable"), because: "turned off"),
    .init(
      "refused", send: "alert: Hi", [.json(#"{"error":{"code":"TriggerInputSchemaMismatch"}}"#, status: 400)],
      .dead("rule_fail")),
    .init("no answer", send: "alert: Hi", [.close], .waiting("connection_lost")),
    .init("trouble", send: "alert: Hi", [.empty(502)], .waiting("server_error")),
  ]
  @Test("each answer of a workflow is met as documented", arguments: cases)
  func contract(_ one: VendorCase) async throws { try await Self.workflow.check(one) }

  private static let failed =
    "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error "

  static let old: [VendorCase] = [
    .init("taken", send: "alert: Hi", [.text("1")], .delivered),
    .init(
      "200, but asked for less", send: "alert: Hi", [.text(failed + "429 with ContextId tcid=0")],
      .waiting("rule_throttle"), wait: 1...60),
    .init("200, but too large", send: "alert: Hi", [.text(failed + "413 with ContextId tcid=0")], .dead("rule_fail")),
    .init("200, but trouble", send: "alert: Hi", [.text(failed + "502 with ContextId tcid=0")], .waiting("rule_retry")),
  ]
  @Test("each answer of a connector is met as documented", arguments: old)
  func connector(_ one: VendorCase) async throws { try await Self.connector.check(one) }
}
