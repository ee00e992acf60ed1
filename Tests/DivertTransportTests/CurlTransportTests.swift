// The curl thread against a target that answers: what arrives there, what comes back, and how connections are used.

import DivertCore
import DivertTransport
import TestSupport
import Testing

@Suite("Transfers that are answered", .timeLimit(.minutes(1)))
struct CurlTransportTests {
  let fixture = TransportFixture()

  @Test("method, path, headers and body arrive as given, and nothing that libcurl would add by itself")
  func request() async {
    let target = MisbehavingTarget()
    let result = await fixture.send(
      post(target.url("/a/b?c=%20d"), "{\"x\":\"ä\"}", headers: ["X-One: 1", "Authorization: Bearer t"]))
    let request = await target.request(1)
    #expect(result.failure == nil && result.status == 200)
    #expect(request.method == "POST" && request.path == "/a/b?c=%20d" && request.text == "{\"x\":\"ä\"}")
    #expect(request.header("x-one") == "1" && request.header("authorization") == "Bearer t")
    #expect(request.header("content-type") == nil && request.header("expect") == nil)
    #expect(request.headers.map(\.name).sorted() == ["accept", "authorization", "content-length", "host", "x-one"])
  }

  @Test("each method goes out as itself, whatever the handle sent before", arguments: [1, 2, 3])
  func methods(round: Int) async {
    let target = MisbehavingTarget()
    let sent: [(String, String)] = [
      ("POST", "a"), ("GET", ""), ("PUT", "b"), ("DELETE", ""), ("PATCH", "c"), ("HEAD", ""), ("POST", ""),
      ("GET", "q"),
      ("DELETE", "d"), ("HEAD", ""), ("GET", ""), ("PUT", ""), ("POST", "e"),
    ]
    for (place, (method, body)) in sent.shuffled().enumerated() {
      var request = post(target.url(), body)
      request.method = method
      let result = await fixture.send(request)
      let arrived = await target.request(place + 1)
      #expect(result.failure == nil && result.status == 200)
      #expect(arrived.method == method && arrived.text == body)
      let hasLength = arrived.header("content-length") != nil
      #expect(hasLength == (!body.isEmpty || ["POST", "PUT", "PATCH"].contains(method)))
    }
  }

  @Test("status, headers and body come back; names in lower case, values without blanks around them")
  func answer() async {
    let target = MisbehavingTarget { _ in
      .status(
        429, headers: ["Retry-After:   17  ", "X-Empty:", "x-many: 1", "X-Many: 2"], body: Array("slow down".utf8))
    }
    let result = await fixture.send(post(target.url()))
    #expect(result.failure == nil && result.status == 429)
    #expect(result.body == Array("slow down".utf8) && !result.bodyTruncated)
    let headers = result.headers
    #expect(headers.first { $0.name == "retry-after" }?.value == "17")
    #expect(headers.first { $0.name == "x-empty" }?.value == "")
    #expect(headers.filter { $0.name == "x-many" }.map(\.value) == ["1", "2"])
    #expect(result.microsecondsToFirstByte > 0)
  }

  @Test("an interim answer is not the answer")
  func interim() async {
    let target = MisbehavingTarget { _ in
      .raw(
        Array(
          "HTTP/1.1 103 Early Hints\r\nX-Hint: 1\r\n\r\nHTTP/1.1 201 Made\r\nX-Real: 1\r\nContent-Length: 2\r\n\r\nok"
            .utf8))
    }
    let result = await fixture.send(post(target.url()))
    #expect(result.status == 201 && result.failure == nil && result.body == Array("ok".utf8))
    #expect(result.headers.map(\.name) == ["x-real", "content-length"])
  }

  @Test("a redirect is an answer, not followed")
  func redirect() async {
    let target = MisbehavingTarget { _ in .status(302, headers: ["Location: /elsewhere"]) }
    let result = await fixture.send(post(target.url()))
    #expect(result.status == 302 && result.failure == nil && target.requests.count == 1)
  }

  @Test("one connection serves requests one after another; a fresh one is made where asked for")
  func reuse() async {
    let target = MisbehavingTarget()
    for _ in 0..<20 { _ = await fixture.send(post(target.url())) }
    #expect(target.connections == 1)
    var fresh = post(target.url())
    fresh.freshConnection = true
    _ = await fixture.send(fresh)
    #expect(target.connections == 2)
    _ = await fixture.send(post(target.url()))
    #expect(target.connections == 2)
  }

  @Test("a connection that the target closed while it was idle is not used again")
  func idleClose() async {
    let target = MisbehavingTarget { $0.number <= 5 ? .raw(Array("HTTP/1.1 204 None\r\n\r\n".utf8)) : .ok }
    for number in 1...6 {
      let result = await fixture.send(post(target.url()))
      #expect(result.failure == nil && result.status == (number <= 5 ? 204 : 200))
      if number <= 5 { await target.untilClosed(number) }
    }
    #expect(target.requests.count == 6 && target.connections == 6)
  }

  @Test("a long answer is cut at 64 KiB and its connection kept")
  func long() async {
    let target = MisbehavingTarget { $0.path == "/long" ? .huge(300_000) : .ok }
    let result = await fixture.send(post(target.url("/long")))
    #expect(result.status == 200 && result.failure == nil && result.bodyTruncated && result.body.count == 64 << 10)
    #expect(await fixture.send(post(target.url())).status == 200)
    #expect(target.connections == 1)
  }

  @Test("an answer without end is still its status; its connection is dropped")
  func huge() async {
    let target = MisbehavingTarget { $0.path == "/huge" ? .huge(1 << 40) : .ok }
    let result = await fixture.send(post(target.url("/huge")))
    #expect(result.status == 200 && result.failure == nil && result.bodyTruncated && result.body.count == 64 << 10)
    #expect(await fixture.send(post(target.url())).status == 200)
    #expect(target.connections == 2)
  }

  @Test("a body of 3 MiB arrives whole")
  func largeBody() async {
    let target = MisbehavingTarget()
    let result = await fixture.send(post(target.url(), String(repeating: "x", count: 3 << 20)))
    #expect(result.status == 200)
    #expect(await target.request(1).body.count == 3 << 20)
  }

  @Test("500 at once all come back, each with its own answer")
  func many() async {
    let target = MisbehavingTarget { .json($0.text) }
    let tokens = fixture.submit((0..<500).map { post(target.url(), "\($0)") })
    for (place, token) in tokens.enumerated() {
      let result = await fixture.result(token)
      #expect(result.status == 200 && result.body == Array("\(place)".utf8))
    }
    #expect(target.requests.count == 500 && fixture.count == 500)
  }

  @Test("a target that does not answer holds nobody else up")
  func neighbours() async {
    let gate = Gate()
    let target = MisbehavingTarget { $0.path == "/slow" ? .slow(gate, then: .ok) : .ok }
    let slow = fixture.submit((0..<50).map { _ in post(target.url("/slow")) })
    for number in 1...50 { _ = await target.request(number) }
    for _ in 0..<20 { #expect(await fixture.send(post(target.url())).status == 200) }
    #expect(fixture.count == 20)
    gate.open()
    for token in slow { #expect(await fixture.result(token).status == 200) }
  }
}
