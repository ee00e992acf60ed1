// Batches through the real router: several deliveries in one request, and one that is refused among them.

import DivertCore
import Foundation
import TestSupport
import Testing

@Suite("Batches", .bounded) struct BatchTests {
  private static func crm(_ target: MisbehavingTarget, _ more: String = "") -> String {
    """
      crm:
        url: "\(target.url(""))"
        network: private
        concurrency: 2
        \(more)
        actions:
          log:
            post: /calls
            body: { call: "{{ call.id }}" }
            idempotency: natural
            batch:
              max: 8
              wait: 200ms
              body: { data: "{{ items }}" }
              results: data
              each:
                - { json: { status: ok }, then: ok }
                - { json: { status: bad }, then: fail, because: the CRM refuses this call }

    """
  }

  private static func calls(_ request: ReceivedRequest) -> [String] {
    let body = try? JSONValue.parse(request.body)
    return body?["data"]?.array?.compactMap { $0["call"]?.string } ?? []
  }

  @Test("deliveries go together, and each ends by its own result")
  func together() async throws {
    let crm = MisbehavingTarget { request in
      let results = Self.calls(request).map { #"{"status":"\#($0 == "call_3" ? "bad" : "ok")"}"# }
      return .json(#"{"data":[\#(results.joined(separator: ","))]}"#, status: 207)
    }
    let router = try await House.open(targets: Self.crm(crm), routes: House.route("crm.log"))
    for call in 1...20 { try await router.accept("call_\(call)") }
    try await router.untilSettled(planned: 20)
    #expect(crm.requests.flatMap(Self.calls).sorted() == (1...20).map { "call_\($0)" }.sorted())
    #expect(crm.requests.count < 20 && crm.requests.allSatisfy { Self.calls($0).count <= 8 })
    try await router.expectAudit()
  }

  @Test("a refused batch is halved until the culprit is alone; all others are delivered")
  func divided() async throws {
    let crm = MisbehavingTarget { request in
      let calls = Self.calls(request)
      if calls.contains("call_5") { return .json(#"{"error":"no"}"#, status: 400) }
      let results = calls.map { _ in #"{"status":"ok"}"# }
      return .json(#"{"data":[\#(results.joined(separator: ","))]}"#)
    }
    let router = try await House.open(targets: Self.crm(crm), routes: House.route("crm.log"))
    for call in 1...8 { try await router.accept("call_\(call)") }
    try await router.untilSettled(planned: 8)
    let accepted = crm.requests.map(Self.calls).filter { !$0.contains("call_5") }.flatMap { $0 }
    #expect(accepted.sorted() == [1, 2, 3, 4, 6, 7, 8].map { "call_\($0)" })
    try await router.expectAudit()
  }
}
