// One's own backend: CloudEvents, signed by Standard Webhooks.

import Crypto
import DivertCore
import FoundationEssentials
import TestSupport
import Testing

@Suite("Own backend", .bounded) struct BackendTests {
  static let old = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
  static let new = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
  static let signed = VendorContract(
    "backend", target: #"{ type: backend, url: "@URL@/divert" }"#, secrets: ["old": old, "new": new])
  static let one = #"secret: "{{ secrets.old }}""#

  static func answer(_ name: String, _ play: Play, _ end: DeliveryEnd, wait: ClosedRange<Double>? = nil) -> VendorCase {
    .init(name, send: "event", [play], end, wait: wait, target: one)
  }

  static let cases: [VendorCase] = [
    .init(
      "an event", send: "event", [.empty(202)], .delivered,
      sees: [
        "type": "divert.call_rejected", "source": "/divert/doubletick", "subject": "call_1",
        "time": "2026-01-15T10:30:25.000Z", "data.customer.phone": "+919876543210", "data.agent": "James Smith",
      ], target: one, requests: { try isSigned($0, by: [old]) }),
    .init(
      "two secrets while one is changed", send: "event", [.empty(200)], .delivered,
      target: #"secret: ["{{ secrets.new }}", "{{ secrets.old }}"]"#, requests: { try isSigned($0, by: [new, old]) }),
    .init("a bare event", send: "event", [.empty(204)], .delivered, target: one, events: AlertText.bare),
    .init(
      "the same id in each attempt, and a signature of its own", send: "event", [.close, .empty(200)], .delivered,
      target: one + "\nretry: { backoff: 1ms..2ms }",
      requests: {
        try isSigned($0, by: [old])
        #expect($0.count == 2 && $0[0].header("webhook-id") == $0[1].header("webhook-id") && $0[0].body == $0[1].body)
      }),
    answer("asked for less", .empty(429, ["Retry-After: 7"]), .waiting("rule_throttle"), wait: 6...8),
    answer("overloaded", .empty(502), .waiting("rule_throttle"), wait: 1...60),
    answer("a gateway gave up", .empty(504), .waiting("rule_throttle"), wait: 1...60),
    answer("trouble", .empty(500), .waiting("server_error")), answer("gone", .empty(410), .disabled("gone")),
    answer("a signature that is refused", .empty(401), .held("unauthorized")),
    answer("refused", .json("{}", status: 422), .dead("rejected")),
    answer("a redirect", .empty(308, ["Location: /elsewhere"]), .dead("redirected")),
    answer("no answer", .close, .waiting("connection_lost")),
  ]
  @Test("each answer is met as Standard Webhooks has it", arguments: cases)
  func contract(_ one: VendorCase) async throws { try await Self.signed.check(one) }

  /// Each request has one signature for each secret, in order.
  private static func isSigned(_ requests: [ReceivedRequest], by secrets: [String]) throws {
    for request in requests {
      let head = "\(request.header("webhook-id") ?? "").\(request.header("webhook-timestamp") ?? "")."
      let signatures = try secrets.map { secret in
        let key = try #require(Data(base64Encoded: String(secret.dropFirst(6))))
        let code = HMAC<SHA256>.authenticationCode(for: Array(head.utf8) + request.body, using: SymmetricKey(data: key))
        return "v1," + Data(code).base64EncodedString()
      }
      #expect(request.header("webhook-signature") == signatures.joined(separator: " "))
    }
  }
}
