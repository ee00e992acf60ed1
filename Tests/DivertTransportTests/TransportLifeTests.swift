// The curl thread's end, and the single transfer.

import DivertCore
import DivertTransport
import Synchronization
import TestSupport
import Testing

@Suite("The transport's life", .timeLimit(.minutes(1)))
struct TransportLifeTests {
  let fixture = TransportFixture()

  @Test("a shutdown gives up what hangs, and every request has its result before it returns")
  func hanging() async {
    let target = MisbehavingTarget { _ in .hang }
    let tokens = fixture.submit((0..<20).map { _ in post(target.url()) })
    for number in 1...20 { _ = await target.request(number) }
    await fixture.transport.shutdown(within: .zero)
    #expect(fixture.count == 20)
    for token in tokens {
      let failure = await fixture.result(token).failure
      #expect(failure?.code == .stopped && failure?.requestSent == true)
    }
  }

  @Test("a shutdown lets what is in flight end, and takes nothing new")
  func finishing() async {
    let gate = Gate()
    let target = MisbehavingTarget { _ in .slow(gate, then: .ok) }
    let tokens = fixture.submit((0..<5).map { _ in post(target.url()) })
    for number in 1...5 { _ = await target.request(number) }
    async let end: Void = fixture.transport.shutdown(within: .minutes(5))
    while fixture.transport.submit([post(target.url("/late"))]) { await Task.yield() }
    gate.open()
    await end
    for token in tokens { #expect(await fixture.result(token).status == 200) }
    await fixture.transport.shutdown(within: .zero)
  }

  @Test("a shutdown of an idle transport returns")
  func idle() async {
    await fixture.transport.shutdown(within: .minutes(5))
    #expect(!fixture.transport.submit([post("http://127.0.0.1:1/")]))
  }

  @Test("batches from many tasks at once all come back")
  func batches() async {
    let target = MisbehavingTarget()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<50 { #expect(await fixture.send(post(target.url())).status == 200) }
        }
      }
    }
    #expect(target.requests.count == 400 && fixture.count == 400)
  }

  @Test("a single transfer gives status, headers and body, under the same egress rule")
  func single() {
    let target = MisbehavingTarget { .json($0.text, status: 201) }
    let result = CurlTransport.perform(post(target.url(), "hello"))
    #expect(result.status == 201 && result.failure == nil && result.body == Array("hello".utf8))
    #expect(result.headers.contains(HTTPHeader("content-type", "application/json")))
    var request = post(target.url())
    request.network = .public
    #expect(CurlTransport.perform(request).failure?.code == .addressRefused)
  }

  @Test("a stream goes out piece by piece without a bound, until the reader has enough")
  func stream() {
    let target = MisbehavingTarget { $0.path == "/all" ? .huge(3 << 20) : .huge(1 << 40) }
    let seen = Mutex(0)
    let whole = CurlTransport.perform(post(target.url("/all"))) { piece in
      seen.withLock { $0 += piece.count }
      return true
    }
    #expect(whole.failure == nil && whole.body.isEmpty && seen.withLock { $0 } == 3 << 20)
    let ended = CurlTransport.perform(post(target.url("/endless"))) { _ in false }
    #expect(ended.status == 200 && ended.failure == nil)
  }
}
