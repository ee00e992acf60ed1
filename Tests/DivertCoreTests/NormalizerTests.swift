// DoubleTick's bodies, as it documents them, and what is wrong with bad ones.

import DivertCore
import Testing

private let outgoingRejected = """
  {"event":"CALL_REJECTED","callId":"call_2","chatId":"chat_abc123","deviceId":"device_abc123","pickedBy":"919812345678","callStatus":"REJECT",
   "customerId":"customer_pvgpZUh3wg","wabaNumber":"919000000000","callEndedAt":"2026-01-15T11:02:10.000Z","customerName":"Rohan Mehta",
   "callDirection":"OUTGOING","chatMessageId":"msg_2","customerNumber":"919876543210"}
  """
private let permissionReply = """
  {"from":"+919876543210","to":"+919000000000","receivedAt":"2026-01-15T10:30:00.000Z","messageId":"wa_message_id","pairedMessageId":"wa_message_id",
   "response":"accept","responseSource":"user_initiated","expirationTimestamp":1768470600,"isPermanent":false,"dtCustomerId":"customer_pvgpZUh3wg"}
  """
private let messageReceived = """
  {"to":"11111111111","from":"919999999999","messageId":"wamid.HBgM","dtMessageId":"8b4abc26","receivedAt":"2026-06-04T11:57:57.796Z",
   "contact":{"name":"John Doe"},"callbackData":null,"dtPairedTemplateId":null,"integrationType":"WHATSAPP",
   "message":{"type":"TEXT","text":"Hello","context":{}},"lastMessageOrigin":"USER","isAgentOffline":false,
   "customerId":"customer_xxxxxxxxxx","dtCustomerId":"customer_xxxxxxxxxx"}
  """
private let statusUpdate = """
  {"messageId":"dt_message_id","to":"919999999999","wabaNumber":"+919000000000","status":"SENT","statusTimestamp":"2026-06-04T11:48:14.000Z",
   "customerName":"John Doe","dtCustomerId":"customer_pvgpZUh3wg","sentBy":"agent_01HX9abc123","assignedTo":"agent_01HX9abc123",
   "message":{"type":"TEXT","text":"Hello"},"durationInSeconds":"from customData"}
  """

@Suite struct NormalizerTests {
  @Test("an incoming rejection of nineteen fields")
  func incoming() throws {
    var wanted = Event.Fields(name: "CALL_REJECTED", at: moment)
    wanted.direction = "INCOMING"
    wanted.status = "REJECT"
    wanted.callID = "call_01HX9abc123"
    wanted.callEndedAt = moment
    wanted.callDuration = "0"
    wanted.customerID = "customer_pvgpZUh3wg"
    wanted.customerName = "Rohan Mehta"
    wanted.customerPhone = "+919876543210"
    wanted.waba = "+919000000000"
    wanted.agent = "James Smith"
    wanted.chatID = "chat_abc123"
    wanted.chatMessageID = "msg_01HX9abc123"
    wanted.deviceID = "device_abc123"
    #expect(try fields(incomingRejected) == wanted)
  }

  @Test("an outgoing rejection of thirteen fields names the agent that called")
  func outgoing() throws {
    let fields = try fields(outgoingRejected)
    #expect(fields.direction == "OUTGOING")
    #expect(fields.agent == "919812345678")
    #expect(fields.at.iso8601 == "2026-01-15T11:02:10.000Z")
    #expect(fields.callDuration == nil)
  }

  @Test("rejectedBy of an outgoing call is the customer, never the agent")
  func rejectedByCustomer() throws {
    let body =
      #"{"event":"CALL_REJECTED","callId":"c","callDirection":"OUTGOING","customerId":"x","rejectedBy":"Rohan"}"#
    #expect(try fields(body).agent == nil)
  }

  @Test(
    "absent, null and empty are the same", arguments: ["", #","agent":null"#, #","rejectedBy":"","deviceId":null"#])
  func missing(rest: String) throws {
    let fields = try fields(
      #"{"event":"CALL_REJECTED","callId":"c","callDirection":"INCOMING","customerPhone":"9876543210"\#(rest)}"#)
    #expect(fields.agent == nil)
    #expect(fields.deviceID == nil)
    #expect(fields.customerPhone == "+919876543210")
    #expect(fields.at == moment + .seconds(2))
  }

  @Test("every fault of a rejection is named at once, and nothing of the body")
  func faults() {
    let body =
      #"{"event":"CALL_REJECTED","callId":17,"callDirection":"SIDEWAYS","callEndedAt":"yesterday","durationInSeconds":"4"}"#
    guard case .refused(let faults) = normalise(body) else {
      Issue.record("accepted")
      return
    }
    #expect(
      Set(faults.map(\.field)) == ["callId", "callDirection", "callEndedAt", "durationInSeconds", "customerNumber"])
    #expect(!faults.contains { $0.sentence.contains("yesterday") || $0.sentence.contains("SIDEWAYS") })
  }

  @Test("what is no phone number is missing, and stays under raw")
  func noPhone() throws {
    let rest = #""callId":"c","callDirection":"INCOMING","customerNumber":"abc""#
    let read = try fields(#"{"event":"CALL_REJECTED","customerId":"x","wabaNumber":"n/a",\#(rest)}"#)
    #expect(read.customerPhone == nil && read.customerID == "x" && read.waba == nil)
    let second = try fields(#"{"event":"CALL_REJECTED","customerPhone":"9876543210",\#(rest)}"#)
    #expect(second.customerPhone == "+919876543210")
    guard case .refused(let faults) = normalise(#"{"event":"CALL_REJECTED",\#(rest)}"#) else {
      Issue.record("accepted")
      return
    }
    #expect(faults.map(\.code) == ["wrong_value"] && faults.map(\.field) == ["customerNumber"])
    #expect(faults[0].sentence.contains("is no phone number") && !faults[0].sentence.contains("abc"))
  }

  @Test("what nobody needs cannot cost the event: an optional field that cannot be read is missing")
  func optional() throws {
    let body = """
      {"event":"CALL_REJECTED","callId":"c1","callDirection":"INCOMING","customerNumber":"919876543210",
       "callEndedAt":"yesterday","durationInSeconds":"4","deviceId":{"id":1}}
      """
    guard case .event(let fields, _, _) = normalise(body) else { throw RenderFault("refused", "refused") }
    #expect(fields.callID == "c1" && fields.callEndedAt == nil && fields.callDuration == nil && fields.deviceID == nil)
  }

  @Test("no JSON and no object", arguments: [("{", "not_json"), ("[]", "not_an_object"), ("", "not_json")])
  func noObject(body: String, code: String) {
    guard case .refused(let faults) = normalise(body) else {
      Issue.record("accepted")
      return
    }
    #expect(faults.map(\.code) == [code])
  }

  @Test("the label names the event where the body does not")
  func label() throws {
    let body = #"{"callId":"c","callDirection":"INCOMING","customerId":"x"}"#
    #expect(try fields(body, label: "call-rejected").name == "CALL_REJECTED")
    #expect(try fields(body).name == "UNKNOWN")
    #expect(try fields(#"{"event":"CALL_MISSED"}"#, label: "call-rejected").name == "CALL_MISSED")
  }

  @Test("who is who in a permission reply, a message and its status")
  func parties() throws {
    let reply = try fields(permissionReply)
    #expect(reply.name == "CALL_PERMISSION_REPLY_RECEIVED")
    #expect([reply.customerPhone, reply.waba] == ["+919876543210", "+919000000000"])
    let message = try fields(messageReceived)
    #expect(message.name == "MESSAGE_RECEIVED")
    #expect(
      [message.customerPhone, message.waba, message.customerName] == ["+919999999999", "+11111111111", "John Doe"])
    #expect(message.at.iso8601 == "2026-06-04T11:57:57.796Z")
    let status = try fields(statusUpdate)
    #expect(status.name == "MESSAGE_STATUS_UPDATE")
    #expect([status.customerPhone, status.waba] == ["+919999999999", "+919000000000"])
    #expect(status.status == "SENT")
    let assigned = try fields(
      #"{"chatId":"c","assignedUserId":"u","assignedUserName":"Asha","assignedUserPhone":"+919811111111","customerPhone":"+919876543210"}"#
    )
    #expect(assigned.name == "CHAT_ASSIGNED_TO_AGENT")
    #expect([assigned.agent, assigned.customerPhone] == ["Asha", "+919876543210"])
    let tag = try fields(#"{"tagId":"t","tagName":"vip","from":"+919876543210","dtCustomerId":"x","tagAdded":true}"#)
    #expect([tag.name, tag.customerPhone] == ["ADD_TAG", "+919876543210"])
    let opened = try fields(
      #"{"customerName":"R","customerPhone":"919876543210","from":"919876543210","to":"919000000000","conversationOpened":true}"#
    )
    #expect([opened.name, opened.waba] == ["CONVERSATION_OPENED", "+919000000000"])
  }

  @Test("the samples are read as the events that they are", arguments: SampleEvent.allCases)
  func samples(sample: SampleEvent) throws {
    let body = sample.body(callID: "call_9", phone: "919876543210", at: moment)
    let fields = try fields(body.text)
    #expect(fields.name == sample.eventName)
    #expect(fields.callID == "call_9")
    #expect(fields.customerPhone == "+919876543210")
    #expect(try self.fieldsNamed(sample, body) == sample.eventName)
  }

  private func fieldsNamed(_ sample: SampleEvent, _ body: JSONValue) throws -> String {
    var object = try #require(body.object)
    object["event"] = nil
    return try fields(JSONValue.object(object).text, label: sample.label).name
  }

  @Test("fields survive their encoding")
  func coding() throws {
    for body in [incomingRejected, outgoingRejected, permissionReply, messageReceived, #"{"event":"X"}"#] {
      let fields = try fields(body)
      #expect(Event.Fields(decoding: fields.encoded()) == fields)
      let decoded = Event.Fields(
        decoding: fields.encoded(whole: false), name: fields.name, callID: fields.callID,
        customerPhone: fields.customerPhone)
      #expect(decoded == fields)
    }
    #expect(Event.Fields(decoding: bytes("{}")) == nil)
    #expect(Event.Fields(decoding: bytes("{}"), name: "X", callID: nil, customerPhone: nil) == nil)
  }
}

@Suite struct DedupeTests {
  private func key(_ body: String) throws -> DedupeKey? {
    guard case .event(_, _, let key) = normalise(body) else { throw RenderFault("refused", "refused") }
    return key
  }

  @Test("a call's events are known by call id and event, for good")
  func identity() throws {
    let body = #"{"event":"CALL_MISSED","callId":"c1","customerNumber":"1"}"#
    let same = #"{"callId":"c1","event":"CALL_MISSED","customerNumber":"2"}"#
    #expect(try key(body) == key(same))
    #expect(try key(body)?.holds == nil)
    #expect(try key(body)?.bytes.count == 16)
    #expect(try key(body) != key(#"{"event":"CALL_ENDED","callId":"c1"}"#))
    #expect(try key(body) != key(#"{"event":"CALL_MISSED","callId":"c2"}"#))
  }

  @Test("CALL_NOT_PICKED never counts as a duplicate")
  func notPicked() throws {
    #expect(try key(#"{"event":"CALL_NOT_PICKED","callId":"c1"}"#) == nil)
  }

  @Test("everything else is known by its content for a while, whatever the order of keys")
  func content() throws {
    let one = try #require(try key(#"{"event":"ADD_TAG","a":{"x":1,"y":2}}"#))
    #expect(one.holds == .minutes(10))
    #expect(try key(#"{"a":{"y":2,"x":1},"event":"ADD_TAG"}"#) == one)
    #expect(try key(#"{"a":{"y":2,"x":1.0},"event":"ADD_TAG"}"#) != one)
    #expect(one.entry(receivedAt: moment).until == moment + .minutes(10))
  }
}
