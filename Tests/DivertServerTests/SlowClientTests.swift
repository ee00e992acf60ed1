// Clients that are slow, idle or late: cut off, and never in the way of a graceful stop.

import DivertCore
import Synchronization
import Testing

@testable import DivertServer

@Suite struct SlowClientTests {
  @Test("a body that does not arrive in time is answered 408 and cut off") func slowBody() async throws {
    var limits = HTTPLimits()
    limits.request = .milliseconds(50)
    limits.linger = .milliseconds(50)
    let house = try IngestHouse()
    try await house.open(limits: limits) { port, _ in
      let client = try RawClient(port: port)
      await client.send("POST /in/doubletick/right-key HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
      #expect(try await client.response().status == 408)
      #expect(await client.closed())
    }
  }

  @Test("a head that trickles in is cut off") func slowHead() async throws {
    var limits = HTTPLimits()
    limits.request = .milliseconds(50)
    let house = try IngestHouse()
    try await house.open(limits: limits) { port, _ in
      let client = try RawClient(port: port)
      await client.send("POST /in/doubletick/right-key HTTP/1.1\r\nhost: x\r\n")
      #expect(await client.closed())
    }
  }

  @Test("idle connections are closed, new ones and kept-alive ones alike") func idle() async throws {
    var limits = HTTPLimits()
    limits.idle = .milliseconds(100)
    let house = try IngestHouse()
    try await house.open(limits: limits) { port, _ in
      let silent = try RawClient(port: port)
      #expect(await silent.closed())
      let client = try RawClient(port: port)
      await client.send(Posts.post(body: Posts.event()))
      #expect(try await client.response().status == 200)
      #expect(await client.closed())
    }
  }

  @Test("a refused client that goes on sending is heard for a while and then cut off") func lingering() async throws {
    var limits = HTTPLimits()
    limits.linger = .milliseconds(50)
    let house = try IngestHouse()
    try await house.open(limits: limits) { port, _ in
      let client = try RawClient(port: port)
      await client.send("POST /in/doubletick/no HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n{")
      #expect(try await client.response().status == 401)
      #expect(await client.closed())
    }
  }

  @Test("a client that leaves in the middle of its body leaves nothing behind") func leaves() async throws {
    let house = try IngestHouse()
    try await house.open { port, _ in
      do {
        let client = try RawClient(port: port)
        await client.send(
          "POST /in/doubletick/right-key HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{\"event\":")
      }
      let client = try RawClient(port: port)
      await client.send(Posts.post(body: Posts.event()))
      #expect(try await client.response().status == 200)
    }
    #expect(house.ledger.withLock { $0.refusals.isEmpty && $0.appended.count == 1 })
    #expect(try house.quarantine.list().isEmpty)
  }

  @Test("a stop lets a request in flight finish, closes idle connections, and takes no new ones") func gracefulStop()
    async throws
  {
    let arrived = Signal()
    let released = Signal()
    let house = try IngestHouse(gate: {
      arrived.give()
      await released.wait()
    })
    try await house.open { port, stop in
      let idle = try RawClient(port: port)
      let client = try RawClient(port: port)
      await client.send(Posts.post(body: Posts.event()))
      await arrived.wait()
      await stop()
      #expect(await idle.closed())
      #expect(throws: (any Error).self) { try RawClient(port: port) }
      released.give()
      let response = try await client.response()
      #expect(response.status == 200)
      #expect(response.headers["connection"] == "close")
      #expect(await client.closed())
    }
  }

  @Test("a request that is not whole when the grace is over is answered 503") func graceIsOver() async throws {
    var limits = HTTPLimits()
    limits.grace = .milliseconds(50)
    limits.linger = .milliseconds(50)
    let house = try IngestHouse()
    try await house.open(limits: limits) { port, stop in
      let client = try RawClient(port: port)
      await client.send(
        "POST /in/doubletick/right-key HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 100\r\n\r\n")
      #expect(try await client.response().status == 100)
      await stop()
      let response = try await client.response()
      #expect(response.status == 503)
      #expect(await client.closed())
    }
  }
}
