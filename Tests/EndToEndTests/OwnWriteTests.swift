// A write whose report comes back while the request is still under way, against the real binary.

import DivertCore
import Foundation
import TestSupport
import Testing

@Suite("Own writes", .bounded) struct OwnWriteTests {
  @Test("a tag's report that comes before the tag's own answer leads to no second tag, and to everything else")
  func race() async throws {
    let (gate, vendor, lead) = (Gate(), MisbehavingTarget(), MisbehavingTarget())
    let done = #"{"tags":{"added":["declined"],"errored":[]},"customFields":{"added":[],"errored":[]}}"#
    vendor.answer { _ in .slow(gate, then: .json(done, status: 201)) }
    let router = try await House.open(
      targets: """
          dt: { type: doubletick, key: "{{ secrets.dt }}", url: "\(vendor.url(""))", network: private }
          crm:
            url: "\(lead.url(""))"
            network: private
            actions: { tagged: { post: /tagged, body: { tag: "{{ raw.tagName }}" } } }
        """,
      routes: """
          declined: { when: { event: CALL_REJECTED }, send: [dt.tag: declined] }
          tagged: { when: { event: ADD_TAG }, send: [dt.tag: declined, dt.set_field: { field: tagged, value: "{{ at }}" }, crm.tagged] }
        """, secrets: ["dt": "key_abc"])
    try await router.accept("call_1")
    let request = await vendor.request(1)
    #expect(request.path == "/customer/assign-tags-custom-fields")
    let report: JSONValue = ["tagId": "t", "tagName": "declined", "from": "+919876543210", "tagAdded": true]
    let answer = try await router.post(report, key: House.key)
    let id = try #require(answer.answer["id"]?.string)
    gate.open()
    try await router.until("the alert") { try await router.states(id) == ["crm.tagged": "delivered accepted"] }
    let event = try await router.get("/api/find?q=\(id)").answer["events"]?.array?.first
    #expect(event?["event"]?["own"] == true)
    #expect(vendor.requests.count == 1)
    // Somebody's own tag of the same customer is another matter.
    let other: JSONValue = ["tagId": "t", "tagName": "vip", "from": "+919876543210", "tagAdded": true]
    let theirs = try #require(try await router.post(other, key: House.key).answer["id"]?.string)
    try await router.until("three deliveries") { try await router.deliveries(theirs).count == 3 }
    try await router.expectAudit()
  }

  @Test("a report that comes after kill -9 is known, too")
  func crash() async throws {
    let vendor = MisbehavingTarget()
    vendor.answer { _ in
      .json(#"{"tags":{"added":["declined"],"errored":[]},"customFields":{"added":[],"errored":[]}}"#, status: 201)
    }
    let router = try await House.open(
      targets: #"  dt: { type: doubletick, key: "{{ secrets.dt }}", url: "\#(vendor.url(""))", network: private }"#,
      routes: """
          declined: { when: { event: CALL_REJECTED }, send: [dt.tag: declined] }
          tagged: { when: { event: ADD_TAG }, send: [dt.tag: declined] }
        """, secrets: ["dt": "key_abc"])
    try await router.accept("call_1")
    _ = await vendor.request(1)
    try await router.crash()
    try await router.start()
    let report: JSONValue = ["tagId": "t", "tagName": "declined", "from": "+919876543210", "tagAdded": true]
    let id = try #require(try await router.post(report, key: House.key).answer["id"]?.string)
    #expect(try await router.get("/api/find?q=\(id)").answer["events"]?.array?.first?["event"]?["own"] == true)
    #expect(try await router.deliveries(id).isEmpty)
  }
}
