// The ingest address over real sockets: every answer, and that it reaches the sender.

import DivertCore
import Synchronization
import Testing

@testable import DivertServer

@Suite struct IngestTests {
  private func exchange(_ request: String, with house: IngestHouse) async throws -> RawResponse {
    let answer = Mutex<RawResponse?>(nil)
    try await house.open { port, _ in
      let client = try RawClient(port: port)
      await client.send(request)
      let response = try await client.response()
      answer.withLock { $0 = response }
    }
    return try #require(answer.withLock { $0 })
  }

  private func code(_ response: RawResponse) -> String? {
    (try? JSONValue.parse(Array(response.body.utf8)))?["error"]?["code"]?.string
  }

  @Test("an event is accepted once, and known the second time") func acceptedAndDuplicate() async throws {
    let house = try IngestHouse()
    try await house.open { port, _ in
      let client = try RawClient(port: port)
      await client.send(Posts.post(body: Posts.event()))
      let first = try await client.response()
      #expect(first.status == 200)
      #expect(first.headers["content-type"] == "application/json")
      let id = EventID(sequence: 1, tag: 9)
      #expect(first.body == #"{"id":"\#(id)","status":"accepted"}"# + "\n")
      await client.send(Posts.post(body: Posts.event()))
      #expect(try await client.response().body == #"{"id":"\#(id)","status":"duplicate"}"# + "\n")
    }
    let appended = house.ledger.withLock { $0.appended }
    #expect(appended.count == 1)
    #expect(appended.first?.body == Array(Posts.event().utf8))
    #expect(appended.first?.fields.customerPhone == "+919876543210")
  }

  @Test("pipelined requests are answered in order on one connection") func pipelining() async throws {
    let house = try IngestHouse()
    try await house.open { port, _ in
      let client = try RawClient(port: port)
      await client.send((0..<5).map { Posts.post(body: Posts.event("call_\($0)")) }.joined())
      for number in 1...5 {
        #expect(try await client.response().body.contains("\(EventID(sequence: Int64(number), tag: 9))"))
      }
    }
  }

  @Test(
    "a request that is whole is answered, whatever follows it before its answer",
    arguments: [
      "GARBAGE\r\n\r\n",
      "POST /in/doubletick/right-key HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{",
      "",
    ], [true, false])
  func whatFollows(rest: String, ends: Bool) async throws {
    let hold = Hold()
    let house = try IngestHouse(gate: { await hold.wait() })
    try await house.open { port, _ in
      let client = try RawClient(port: port)
      await client.send(Posts.post(body: Posts.event()) + rest)
      await hold.reached()
      if ends { client.end() }
      hold.open()
      #expect(try await client.response().status == 200)
      if ends || rest.hasPrefix("GARBAGE") { #expect(await client.closed()) }
    }
    #expect(house.ledger.withLock { $0.appended.count } == 1)
  }

  @Test(
    "a pipelined request that is refused is answered in its turn, and the connection ends with its client's last byte")
  func refusedBehind() async throws {
    let hold = Hold()
    let house = try IngestHouse(gate: { await hold.wait() })
    try await house.open { port, _ in
      let client = try RawClient(port: port)
      await client.send(Posts.post(body: Posts.event()) + Posts.post("/in/nowhere/x", "{}"))
      await hold.reached()
      client.end()
      hold.open()
      #expect(try await client.response().status == 200)
      #expect(try await client.response().status == 404)
      // Long before the connection's idle time, which is a minute: `closed` waits for 20 s.
      #expect(await client.closed())
    }
  }

  @Test("the label names the event when the body does not, and JSON goes by any of its names")
  func labelsAndTypes() async throws {
    let house = try IngestHouse()
    try await house.open { port, _ in
      let client = try RawClient(port: port)
      let body = #"{"from":"+919876543210","to":"+919000000000","whatever":1}"#
      for (number, type) in [
        "application/json; charset=utf-8", "Application/JSON", "application/cloudevents+json", nil,
      ]
      .enumerated() {
        let text = body.replacing("1}", with: "\(number)}")
        await client.send(Posts.post("/in/doubletick/right%2Dkey/conversation-opened", text, type: type))
        #expect(try await client.response().status == 200)
      }
      await client.send(Posts.post("/in/open/conversation-opened", body))
      #expect(try await client.response().status == 200)
    }
    #expect(
      house.ledger.withLock { $0.appended.map(\.fields.name) } == Array(repeating: "CONVERSATION_OPENED", count: 5))
  }

  struct Bad: Sendable, CustomTestStringConvertible {
    var name: String
    var request: String
    var status: Int
    var code: String
    var counted: Bool?
    var faults = 0
    var testDescription: String { name }
  }

  static let bad: [Bad] = [
    Bad(name: "root", request: Posts.post("/", "{}", method: "GET"), status: 404, code: "unknown_path"),
    Bad(name: "too many parts", request: Posts.post("/in/a/b/c/d", "{}"), status: 404, code: "unknown_path"),
    Bad(name: "unknown source", request: Posts.post("/in/x/y", "{}"), status: 404, code: "unknown_source"),
    Bad(
      name: "wrong key", request: Posts.post("/in/doubletick/wrong-key", "{}"), status: 401, code: "wrong_key",
      counted: false),
    Bad(name: "no key", request: Posts.post("/in/doubletick", "{}"), status: 401, code: "wrong_key", counted: false),
    Bad(
      name: "wrong method", request: Posts.post("/in/doubletick/right-key", "", method: "GET"), status: 405,
      code: "wrong_method", counted: false),
    Bad(
      name: "form", request: Posts.post(body: "a=b", type: "application/x-www-form-urlencoded"), status: 415,
      code: "not_json", counted: false),
    Bad(
      name: "compressed", request: Posts.post(body: "x", headers: "content-encoding: gzip\r\n"), status: 415,
      code: "compressed_body", counted: false),
    Bad(name: "empty", request: Posts.post(body: ""), status: 400, code: "empty_body", counted: true),
    Bad(
      name: "not JSON", request: Posts.post(body: "{oops"), status: 400, code: "not_json_text", counted: true, faults: 1
    ),
    Bad(
      name: "not an object", request: Posts.post(body: "[1]"), status: 422, code: "not_an_object", counted: true,
      faults: 1),
    Bad(
      name: "too deep", request: Posts.post(body: #"{"a":"# + String(repeating: "[", count: 100)), status: 422,
      code: "too_deep", counted: true, faults: 1),
    Bad(
      name: "required fields", request: Posts.post(body: #"{"event":"CALL_REJECTED"}"#), status: 422,
      code: "not_an_event",
      counted: true, faults: 3),
    Bad(name: "not HTTP", request: "HELLO\r\n\r\n", status: 400, code: "not_http"),
    Bad(
      name: "headers too large",
      request: Posts.post(body: "{}", headers: "x: " + String(repeating: "y", count: 40_000) + "\r\n"), status: 431,
      code: "headers_too_large"),
  ]

  @Test("each refusal has its own status and code, and says every fault", arguments: bad)
  func refusals(_ bad: Bad) async throws {
    let house = try IngestHouse()
    let response = try await exchange(bad.request, with: house)
    #expect(response.status == bad.status)
    let error = try JSONValue.parse(Array(response.body.utf8))["error"]
    #expect(error?["code"]?.string == bad.code)
    #expect(error?["message"]?.string?.hasSuffix(".") == true)
    #expect(error?["faults"]?.array?.count == bad.faults)
    if bad.status == 405 { #expect(response.headers["allow"] == "POST") }
    let refusals = house.ledger.withLock { $0.refusals }
    #expect(refusals == (bad.counted.map { [Refusal(source: "doubletick", quarantined: $0)] } ?? []))
    #expect(try house.quarantine.list().count == (bad.counted == true ? 1 : 0))
    #expect(house.ledger.withLock { $0.appended.isEmpty })
    let log = house.log.text
    #expect(!log.contains("right-key") && !log.contains("wrong-key"))
    #expect(log.contains("event=refused") == (bad.counted != nil))
  }

  @Test("a required header and an allow list are asked for beside the key") func headerAndAddress() async throws {
    let house = try IngestHouse(configure: { parts in
      var strict = SourceDefinition(name: "strict", type: "doubletick")
      strict.requiredHeader = HeaderTemplate(
        "X-Router-Key", Template(parts: [.expression(Expression(path: .secret("ingest_key")))]))
      var far = SourceDefinition(name: "far", type: "doubletick")
      far.allow = ["203.0.113.0/24", "2001:db8::/32"]
      var near = SourceDefinition(name: "near", type: "doubletick")
      near.allow = ["203.0.113.0/24", "127.0.0.0/8"]
      var absent = SourceDefinition(name: "absent", type: "doubletick")
      absent.key = Template(parts: [.expression(Expression(path: .secret("nobody_has_it")))])
      parts.sources = ["strict": strict, "far": far, "near": near, "absent": absent]
    })
    try await house.open { port, _ in
      let client = try RawClient(port: port)
      func status(_ request: String) async throws -> Int {
        await client.send(request)
        return try await client.response().status
      }
      #expect(try await status(Posts.post("/in/strict", Posts.event())) == 401)
      #expect(try await status(Posts.post("/in/strict", Posts.event(), headers: "x-router-key: no\r\n")) == 401)
      #expect(try await status(Posts.post("/in/strict", Posts.event(), headers: "x-router-key: right-key\r\n")) == 200)
      #expect(try await status(Posts.post("/in/far", Posts.event())) == 403)
      #expect(try await status(Posts.post("/in/near", Posts.event("n"))) == 200)
      #expect(try await status(Posts.post("/in/absent/", Posts.event())) == 401)
      #expect(try await status(Posts.post("/in/absent/x", Posts.event())) == 401)
    }
  }

  @Test("413 reaches a sender that reads only after it has sent everything", arguments: [600_000, 5_000_000])
  func tooLarge(_ size: Int) async throws {
    let house = try IngestHouse()
    try await house.open { port, _ in
      let client = try RawClient(port: port)
      let isSent = await client.send(Posts.post(body: String(repeating: " ", count: size)))
      #expect(isSent)
      let response = try await client.response()
      #expect(response.status == 413)
      #expect(response.headers["connection"] == "close")
      #expect(await client.closed())
    }
    #expect(house.ledger.withLock { $0.refusals } == [Refusal(source: "doubletick", quarantined: false)])
  }

  @Test("413 comes also where the size is not announced, and 100-continue is not given") func tooLargeOtherwise()
    async throws
  {
    let house = try IngestHouse(configure: { $0.server.maxBody = 1000 })
    try await house.open { port, _ in
      let chunked = try RawClient(port: port)
      await chunked.send("POST /in/doubletick/right-key HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
      await chunked.send("400\r\n" + String(repeating: "x", count: 1024) + "\r\n0\r\n\r\n")
      #expect(try await chunked.response().status == 413)
      #expect(await chunked.closed())
      let polite = try RawClient(port: port)
      await polite.send(
        "POST /in/doubletick/right-key HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1001\r\n\r\n")
      #expect(try await polite.response().status == 413)
    }
  }

  @Test("chunked bodies and 100-continue are taken") func chunkedAndContinue() async throws {
    let house = try IngestHouse()
    try await house.open { port, _ in
      let client = try RawClient(port: port)
      let body = Posts.event()
      await client.send("POST /in/doubletick/right-key HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
      for byte in body.utf8 { await client.send("1\r\n\(Character(Unicode.Scalar(byte)))\r\n") }
      await client.send("0\r\n\r\n")
      #expect(try await client.response().status == 200)
      await client.send(
        "POST /in/doubletick/right-key HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
          + "content-length: \(body.utf8.count)\r\n\r\n"
      )
      #expect(try await client.response().status == 100)
      await client.send(body)
      #expect(try await client.response().body.contains("duplicate"))
    }
  }

  @Test("when the store cannot commit the answer is 503 with Retry-After, and nothing is counted") func storeFails()
    async throws
  {
    let house = try IngestHouse()
    house.ledger.withLock { $0.fault = StoreError(code: "disk_full", description: "appending: the disk is full") }
    let response = try await exchange(Posts.post(body: Posts.event()), with: house)
    #expect(response.status == 503)
    #expect(response.headers["retry-after"] == "5")
    #expect(code(response) == "cannot_store")
    #expect(house.ledger.withLock { $0.refusals.isEmpty })
    #expect(house.log.text.contains("event=store_failed source=doubletick reason=disk_full"))
  }

  @Test("stopping, the controller answers 503 shutting_down") func stopping() async throws {
    let house = try IngestHouse()
    house.controller.stop()
    let response = try await exchange(Posts.post(body: Posts.event()), with: house)
    #expect(response.status == 503)
    #expect(code(response) == "shutting_down")
  }

  @Test("HTTP/1.0 and Connection: close are closed after the answer") func notKeptAlive() async throws {
    let house = try IngestHouse()
    try await house.open { port, _ in
      for request in [
        Posts.post(body: Posts.event(), headers: "connection: close\r\n"),
        Posts.post(body: Posts.event()).replacing("HTTP/1.1", with: "HTTP/1.0"),
      ] {
        let client = try RawClient(port: port)
        await client.send(request)
        #expect(try await client.response().status == 200)
        #expect(await client.closed())
      }
    }
  }
}
