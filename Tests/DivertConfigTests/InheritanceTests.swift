// defaults → target → action → send: the nearest wins, field by field.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct InheritanceTests {
  private let text = """
    defaults:
      retry: { for: 12h, backoff: 2s..4m, attempts: 90 }
      order_by: customer.phone
      timeout: { connect: 3s, total: 20s }
      concurrency: 4
    targets:
      plain:
        url: https://plain.example.com
        actions: { go: { post: /go } }
      own:
        url: https://own.example.com
        retry: { attempts: 50 }
        order_by: call.id
        timeout: 2s
        concurrency: 2
        ambiguous: park
        actions:
          go: { post: /go }
          near: { post: /near, retry: { for: 1h }, order_by: none, ambiguous: retry }
    routes:
      all:
        send:
          - plain.go
          - own.go
          - own.near
          - { own.near: {}, retry: { backoff: 1s..2s }, order_by: agent }
    """

  private func send(_ label: String) throws -> Send {
    try #require(try Given.table(text).send(route: "all", label: label))
  }

  @Test("a send's retry is made of the nearest level that gives each field")
  func retry() throws {
    let backoff = (base: Span.seconds(2), cap: Span.minutes(4))
    #expect(
      try send("0").retry == RetrySettings(period: .hours(12), base: backoff.base, cap: backoff.cap, attempts: 90))
    #expect(
      try send("1").retry == RetrySettings(period: .hours(12), base: backoff.base, cap: backoff.cap, attempts: 50))
    #expect(try send("2").retry == RetrySettings(period: .hours(1), base: backoff.base, cap: backoff.cap, attempts: 50))
    #expect(
      try send("3").retry == RetrySettings(period: .hours(1), base: .seconds(1), cap: .seconds(2), attempts: 50))
  }

  @Test("the order's key comes from the nearest level, and 'none' switches it off")
  func order() throws {
    #expect(try send("0").orderBy?.single?.path == .field(.customerPhone))
    #expect(try send("1").orderBy?.single?.path == .field(.callID))
    #expect(try send("2").orderBy == nil)
    #expect(try send("3").orderBy?.single?.path == .field(.agent))
  }

  @Test("time-outs, concurrency and what follows a lost answer are inherited")
  func target() throws {
    let targets = try Given.table(text).parts.targets
    let plain = try #require(targets["plain"])
    #expect(plain.connectTimeout == .seconds(3) && plain.totalTimeout == .seconds(20) && plain.concurrency == 4)
    let own = try #require(targets["own"])
    #expect(own.connectTimeout == .seconds(2) && own.totalTimeout == .seconds(2) && own.concurrency == 2)
    #expect(own.actions["go"]?.ambiguous == .park && own.actions["near"]?.ambiguous == .retry)
  }

  @Test("limits and a lost answer's consequence may stand in defaults; rules for answers are asked after the target's")
  func defaultsOfTargets() throws {
    let targets = try Given.table(
      """
      defaults:
        limit: 7/s
        ambiguous: park
        responses: [{ status: 409, then: ok_duplicate }]
      targets:
        plain: { url: https://a.example.com, actions: { go: { post: /go }, tell: { post: /t, to_person: true } } }
        own:
          url: https://b.example.com
          limit: [1/s, 20/min]
          ambiguous: retry
          responses: [{ status: 404, then: ok }]
          actions: { go: { post: /go } }
        lead: { type: slack, hook: "{{ secrets.hook }}" }
      """
    ).parts.targets
    let (plain, own, lead) = (
      try #require(targets["plain"]), try #require(targets["own"]), try #require(targets["lead"])
    )
    #expect(plain.limits == [RateLimit(count: 7, per: .seconds(1))])
    #expect(own.limits.count == 2 && lead.limits == [RateLimit(count: 1, per: .seconds(1))])
    #expect(plain.responses.map(\.then) == [.okDuplicate] && own.responses.map(\.then) == [.ok, .okDuplicate])
    #expect(lead.responses.last?.then == .okDuplicate && lead.responses.count == 7)
    #expect(plain.actions["go"]?.ambiguous == .park && own.actions["go"]?.ambiguous == .retry)
  }

  @Test("a message to a person is parked whatever defaults say; its own target may say otherwise")
  func persons() throws {
    let targets = try Given.table(
      """
      defaults: { ambiguous: retry }
      targets:
        a: { url: https://a.example.com, actions: { tell: { post: /t, to_person: true } } }
        b: { url: https://b.example.com, ambiguous: retry, actions: { tell: { post: /t, to_person: true } } }
      """
    ).parts.targets
    #expect(targets["a"]?.actions["tell"]?.ambiguous == .park)
    #expect(targets["b"]?.actions["tell"]?.ambiguous == .retry)
  }

  @Test("without any setting the language's defaults hold")
  func standard() throws {
    let table = try Given.table(
      """
      sources: { calls: { type: doubletick } }
      targets: { crm: { url: https://crm.example.com, actions: { log: { post: /calls } } } }
      routes: { a: { send: [crm.log] } }
      """)
    let target = try #require(table.parts.targets["crm"])
    #expect(target.concurrency == 8 && target.connectTimeout == .seconds(10) && target.totalTimeout == .seconds(30))
    #expect(target.actions["log"]?.idempotency == .header("Idempotency-Key"))
    #expect(table.send(route: "a", label: "0")?.retry == .standard)
    #expect(table.parts.timezone == "UTC" && table.parts.country == "IN")
    #expect(table.parts.sources["calls"]?.dedupe == .minutes(10))
    #expect(table.version.count == 12)
  }

  @Test("server and source settings are read")
  func server() throws {
    let parts = try Given.table(
      """
      server:
        listen: { tls: { certificate: cert.pem, key: key.pem } }
        max_body: 64KiB
        grace: 5s
        request_timeout: 1m
        quarantine: { files: 10, bytes: 1MiB }
        operator_key: "{{ secrets.operator }}"
      sources:
        calls:
          type: doubletick
          key: "{{ secrets.ingest }}"
          header: { X-Key: "{{ secrets.header }}" }
          allow: 203.0.113.0/24
          silent_after: 2h
      """
    ).parts
    #expect(parts.server.tls == .init(certificate: "cert.pem", key: "key.pem"))
    #expect(parts.server.maxBody == 65536 && parts.server.grace == .seconds(5))
    #expect(parts.server.requestTimeout == .minutes(1) && parts.server.quarantineFiles == 10)
    #expect(parts.server.quarantineBytes == 1 << 20)
    #expect(parts.server.operatorKey?.single?.path == .secret("operator"))
    let source = try #require(parts.sources["calls"])
    #expect(source.requiredHeader?.name == "X-Key" && source.allow == ["203.0.113.0/24"])
    #expect(source.silentAfter == .hours(2))
  }
}
