// The guide's two shapes of CALL_REJECTED through the real binary to four kinds of systems.

import DivertCore
import Testing
import TestSupport

@Suite("An event arrives everywhere", .bounded) struct DeliveryTests {
  @Test("an incoming rejection reaches the CRM, the Zap, the customer and the team lead, each in its form")
  func incoming() async throws {
    let case_ = try Collections()
    try await case_.router.start()
    _ = try await case_.post(.incomingRejected, call: "call_1")

    let crm = await case_.crm.request(1)
    #expect(crm.method == "POST" && crm.path == "/api/calls")
    #expect(crm.header("authorization") == "Bearer crm-t0ken")
    #expect(crm.header("idempotency-key")?.hasPrefix("dv1_") == true)
    #expect(crm.json["customer"] == "+919876543210")
    #expect(crm.json["agent"] == "James Smith")
    #expect(crm.json["direction"] == "INCOMING")

    let zap = await case_.zapier.request(1)
    #expect(zap.path == "/hooks/catch/1/abc")
    #expect(zap.json["event"] == "CALL_REJECTED")
    #expect(zap.json.object?.members.allSatisfy { $0.value.object == nil && $0.value.array == nil } == true)

    let message = await case_.whatsapp.request(1)
    #expect(message.path == "/whatsapp/message/text")
    #expect(message.header("authorization") == "dt-k3y")
    #expect(message.json["to"] == "+919876543210" && message.json["from"] == "+919000000000")
    #expect(message.json["content"]?["text"] == "We missed your call and we apologise.")
    let id = message.json["messageId"]?.string ?? ""
    #expect(id.count == 36 && Array(id)[14] == "4")

    let alert = await case_.slack.request(1)
    #expect(alert.path == "/services/T0/B0/x")
    #expect(alert.json["text"]?.string?.hasPrefix("James Smith declined a call from Rohan Mehta") == true)
    #expect(alert.json["text"]?.string?.contains("9876543210") == false)

    try await case_.router.untilSettled(planned: 4)
    let audit = try await case_.router.divert("audit")
    #expect(audit.status == 0, "\(audit.out)\(audit.err)")
    #expect(try await case_.router.terminate() == 0)
  }

  @Test("an outgoing rejection in the guide's thirteen fields is logged with the agent who called")
  func outgoing() async throws {
    let case_ = try Collections()
    try await case_.router.start()
    let body: JSONValue = [
      "event": "CALL_REJECTED", "callId": "call_2", "chatId": "chat_1", "deviceId": "device_1",
      "pickedBy": "919812345678", "callStatus": "REJECT", "customerId": "customer_1", "wabaNumber": "919000000000",
      "callEndedAt": "2026-01-15T11:02:10.000Z", "customerName": "Rohan Mehta", "callDirection": "OUTGOING",
      "chatMessageId": "msg_2", "customerNumber": "919876543210",
    ]
    let answer = try await case_.router.post(body, key: Collections.key)
    #expect(answer.status == 200 && answer.answer["status"] == "accepted")
    let again = try await case_.router.post(body, key: Collections.key)
    #expect(again.status == 200 && again.answer["status"] == "duplicate")
    #expect(again.answer["id"] == answer.answer["id"])

    let crm = await case_.crm.request(1)
    #expect(crm.json["direction"] == "OUTGOING")
    #expect(crm.json["agent"] == "919812345678")
    #expect(crm.json["at"] == "2026-01-15T11:02:10.000Z")
    try await case_.router.untilSettled(planned: 2)
    #expect(case_.whatsapp.requests.isEmpty && case_.slack.requests.isEmpty)
    #expect(case_.crm.requests.count == 1)
    #expect(try await case_.router.divert("audit").status == 0)
  }

  @Test("a target that is down is tried again with the same key and recovers, and the others do not wait for it")
  func retry() async throws {
    let case_ = try Collections()
    case_.crm.answer { $0.number <= 2 ? .json("{}", status: 503) : .ok }
    try await case_.router.start()
    _ = try await case_.post(.incomingRejected, call: "call_3")
    _ = await case_.slack.request(1)
    let third = await case_.crm.request(3)
    #expect(third.header("idempotency-key") == case_.crm.requests[0].header("idempotency-key"))
    #expect(third.body == case_.crm.requests[0].body)
    try await case_.router.untilSettled(planned: 4)
    #expect(case_.crm.requests.count == 3 && case_.slack.requests.count == 1)
    let found = try await case_.router.divert("find", "call_3")
    #expect(found.out.contains("503"), "\(found.out)")
    #expect(try await case_.router.divert("audit").status == 0)
  }

  @Test("a message to a person whose answer is lost is not sent again: it is a dead letter that says ambiguous")
  func ambiguous() async throws {
    let case_ = try Collections()
    case_.whatsapp.answer { _ in .reset }
    try await case_.router.start()
    _ = try await case_.post(.incomingRejected, call: "call_4")
    try await case_.router.untilSettled(planned: 4)
    #expect(case_.whatsapp.requests.count == 1)
    let list = try await case_.router.divert("dead-letters", "list", "--format", "json")
    #expect(list.out.contains("ambiguous"), "\(list.out)")
    #expect(!list.out.contains("dt-k3y"))
    #expect(try await case_.router.divert("dead-letters", "replay", "--target", "whatsapp").status != 0)
    case_.whatsapp.answer { _ in .json(#"{"status":"SENT"}"#, status: 201) }
    let replay = try await case_.router.divert("dead-letters", "replay", "--target", "whatsapp", "--accept-duplicate")
    #expect(replay.status == 0, "\(replay.out)\(replay.err)")
    let second = await case_.whatsapp.request(2)
    #expect(second.json["messageId"] == case_.whatsapp.requests[0].json["messageId"])
    try await case_.router.untilSettled(planned: 5)
    #expect(try await case_.router.divert("audit").status == 0)
  }

  @Test("what a target refuses becomes a dead letter, and is replayed after the target is mended, once")
  func deadLetter() async throws {
    let case_ = try Collections()
    case_.crm.answer { _ in .json(#"{"error":"no such field"}"#, status: 422) }
    try await case_.router.start()
    _ = try await case_.post(.outgoingRejected, call: "call_5")
    try await case_.router.untilSettled(planned: 2)
    let list = try await case_.router.divert("dead-letters", "list")
    #expect(list.status == 0 && list.out.contains("crm"), "\(list.out)")
    #expect(try await case_.router.divert("audit").status == 0)

    case_.crm.answer { _ in .ok }
    let replay = try await case_.router.divert("dead-letters", "replay", "--target", "crm")
    #expect(replay.status == 0, "\(replay.out)\(replay.err)")
    let second = await case_.crm.request(2)
    #expect(second.header("idempotency-key") == case_.crm.requests[0].header("idempotency-key"))
    try await case_.router.untilSettled(planned: 3)
    _ = try await case_.router.divert("dead-letters", "replay", "--target", "crm")
    #expect(case_.crm.requests.count == 2)
    let audit = try await case_.router.divert("audit")
    #expect(audit.status == 0, "\(audit.out)")
  }
}
