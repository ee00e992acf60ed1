// The curl thread against targets that fail: which failure, and whether the request may have reached them.

import DivertCore
import DivertTransport
import Glibc
import TestSupport
import Testing

@Suite("Transfers that fail", .timeLimit(.minutes(1)))
struct TransferFailureTests {
  let fixture = TransportFixture()

  private func failure(_ request: TransferRequest) async -> TransferFailure? { await fixture.send(request).failure }

  /// A request, its outcome on a connection that has served one before.
  private func afterOne(_ request: TransferRequest, _ target: MisbehavingTarget) async -> TransferResult {
    #expect(await fixture.send(post(target.url("/first"))).status == 200)
    return await fixture.send(request)
  }

  @Test(
    "a used connection that dies takes the request with it: sent once, never again by itself",
    arguments: ["POST", "GET", "DELETE", "PUT"], [true, false])
  func noSecondBody(method: String, hasBody: Bool) async {
    for ending in [Answer.reset, .close] {
      let target = MisbehavingTarget { $0.numberOnConnection == 1 ? .ok : ending }
      var request = post(target.url("/second"), hasBody ? "once" : "")
      request.method = method
      let result = await afterOne(request, target)
      #expect(result.failure?.code == .connectionLost && result.failure?.requestSent == true)
      #expect(result.status == nil)
      #expect(target.requests.filter { $0.path == "/second" }.count == 1)
      // A fresh request passes, and only it: nothing of the lost one was kept.
      #expect(await fixture.send(post(target.url("/third"))).status == 200)
      #expect(target.requests.map(\.path) == ["/first", "/second", "/third"])
    }
  }

  @Test("a body too long for one write is not sent twice either")
  func noSecondLongBody() async {
    let target = MisbehavingTarget { $0.numberOnConnection == 1 ? .ok : .reset }
    let result = await afterOne(post(target.url("/second"), String(repeating: "x", count: 2 << 20)), target)
    #expect(result.failure?.code == .connectionLost && result.failure?.requestSent == true)
    #expect(target.requests.filter { $0.path == "/second" }.count == 1)
  }

  @Test("a new connection that ends before the answer", arguments: [true, false])
  func lost(reset: Bool) async {
    let target = MisbehavingTarget { _ in reset ? .reset : .close }
    let failure = await failure(post(target.url()))
    #expect(failure?.code == .connectionLost && failure?.requestSent == true)
    #expect(target.requests.count == 1)
  }

  @Test("nobody listens: nothing was sent")
  func refused() async {
    let port = RefusingPort()
    let failure = await failure(post(port.url()))
    #expect(failure?.code == .connectRefused && failure?.requestSent == false)
  }

  @Test("nobody answers the connect: nothing was sent")
  func deaf() async {
    let port = DeafPort()
    var request = post(port.url())
    request.connectTimeout = .milliseconds(100)
    let failure = await failure(request)
    #expect(failure?.code == .connectTimeout && failure?.requestSent == false)
  }

  @Test("no answer within the time-out: the request may have been taken")
  func hang() async {
    let target = MisbehavingTarget { _ in .hang }
    var request = post(target.url())
    request.totalTimeout = .seconds(2)
    let result = await fixture.send(request)
    #expect(result.failure?.code == .timeout && result.failure?.requestSent == true && result.status == nil)
    #expect(result.duration > .zero && target.requests.count == 1)
  }

  @Test("an answer that stops in its body keeps its status and says so", arguments: [true, false])
  func cut(stalls: Bool) async {
    let target = MisbehavingTarget { _ in stalls ? .stall(announced: 100, sent: 10) : .cut(announced: 100, sent: 10) }
    var request = post(target.url())
    if stalls { request.totalTimeout = .seconds(2) }
    let result = await fixture.send(request)
    #expect(result.status == 200 && result.body.count == 10)
    #expect(result.failure?.code == .answerCut && result.failure?.requestSent == true)
  }

  @Test("what is no HTTP is called so")
  func garbage() async {
    let target = MisbehavingTarget { _ in .garbage }
    let failure = await failure(post(target.url()))
    #expect(failure?.code == .answerMalformed && failure?.requestSent == true)
  }

  @Test("TLS with something that speaks none: nothing was sent")
  func noTLS() async {
    let target = MisbehavingTarget(greeting: Array("220 mail.example.com ESMTP\r\n".utf8))
    let failure = await failure(post("https://127.0.0.1:\(target.port)/"))
    #expect(failure?.code == .tlsFailed && failure?.requestSent == false && target.requests.isEmpty)
  }

  @Test("a host that does not exist fails for all that asked for it")
  func unresolved() async {
    let host = String(repeating: "x", count: 64) + ".invalid"
    let tokens = fixture.submit((0..<50).map { _ in post("http://\(host)/") })
    for token in tokens {
      let failure = await fixture.result(token).failure
      #expect(failure?.code == .resolveFailed && failure?.requestSent == false)
    }
    #expect(fixture.count == 50)
  }

  @Test("a host name that many ask for at once is found for all of them")
  func resolved() async {
    let target = MisbehavingTarget()
    let tokens = fixture.submit((0..<50).map { _ in post("http://localhost:\(target.port)/") })
    for token in tokens { #expect(await fixture.result(token).status == 200) }
  }

  @Test(
    "loopback is refused to a public target, by name and by number",
    arguments: ["127.0.0.1", "localhost", "2130706433"])
  func publicLoopback(host: String) async {
    let target = MisbehavingTarget()
    var request = post("http://\(host):\(target.port)/")
    request.network = .public
    let failure = await failure(request)
    #expect(failure?.code == .addressRefused && failure?.requestSent == false)
    #expect(failure?.sentence.contains("loopback") == true)
    #expect(target.connections == 0)
  }

  @Test("a pooled connection of a private target serves no public one")
  func pooled() async {
    let target = MisbehavingTarget()
    #expect(await fixture.send(post(target.url())).status == 200)
    var request = post(target.url())
    request.network = .public
    for _ in 0..<2 {
      let failure = await failure(request)
      #expect(failure?.code == .addressRefused && failure?.requestSent == false)
    }
    #expect(await fixture.send(post(target.url())).status == 200)
    #expect(target.requests.count == 2)
  }

  @Test("metadata addresses are refused to everybody")
  func metadata() async {
    let failure = await failure(post("http://169.254.169.254/latest/meta-data/"))
    #expect(failure?.code == .addressRefused && failure?.sentence.contains("never") == true)
  }

  @Test(
    "what must not be sent is refused before it is",
    arguments: [
      ("X-A: 1\r\nX-B: 2", TransferFailure.Code.headerRefused), ("X-A: 1\nX-B: 2", .headerRefused),
      ("X-A: \u{0}", .headerRefused), ("no colon", .headerRefused), (": no name", .headerRefused),
      ("Content-Length: 3", .headerRefused), ("transfer-encoding: chunked", .headerRefused),
    ])
  func headers(line: String, code: TransferFailure.Code) async {
    let target = MisbehavingTarget()
    let failure = await failure(post(target.url(), headers: ["X-Good: 1", line]))
    #expect(failure?.code == code && failure?.requestSent == false)
    #expect(target.connections == 0)
  }

  @Test(
    "a URL that is none is refused",
    arguments: [
      "ftp://127.0.0.1/x", "file:///etc/passwd", "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: 1", "", "http://",
      "http://[::1/",
    ])
  func urls(url: String) async {
    let failure = await failure(post(url))
    #expect(failure?.code == .urlRefused && failure?.requestSent == false)
  }

  @Test("a method that is no word, and too many headers")
  func odd() async {
    let target = MisbehavingTarget()
    var request = post(target.url())
    request.method = "GET / HTTP/1.1\r\n"
    #expect(await failure(request)?.code == .methodRefused)
    #expect(await failure(post(target.url(), headers: (0..<129).map { "X-\($0): 1" }))?.code == .tooManyHeaders)
    #expect(await fixture.send(post(target.url(), headers: (0..<128).map { "X-\($0): 1" })).status == 200)
  }

  @Test("proxies of the environment are not used")
  func proxy() async {
    setenv("http_proxy", "http://127.0.0.1:1", 1)
    defer { unsetenv("http_proxy") }
    let target = MisbehavingTarget()
    #expect(await fixture.send(post(target.url())).status == 200)
  }
}
