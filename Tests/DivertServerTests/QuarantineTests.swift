// What is refused as malformed is kept, bounded, and can be taken again.

import DivertCore
import Synchronization
import Testing

@testable import DivertServer

@Suite struct QuarantineTests {
  @Test("a refused body is kept byte for byte with its faults") func kept() async throws {
    let house = try IngestHouse()
    let bodies: [[UInt8]] = [Array("{oops \"ñ\"\n".utf8), [0xff, 0xfe, 0x00, 0x7b], [0xff], [0xff, 0xfe]]
    for body in bodies {
      #expect(await house.controller.receive(source: "doubletick", label: "call-ended", body: body).status == 400)
    }
    let kept = try house.quarantine.list().compactMap { try house.quarantine.show($0) }
    #expect(kept.count == bodies.count)
    #expect(Set(kept.map(\.body)) == Set(bodies))
    #expect(kept.allSatisfy { $0.source == "doubletick" && $0.label == "call-ended" && $0.code == "not_json_text" })
    #expect(kept.allSatisfy { $0.faults.count == 1 })
  }

  @Test("the oldest are dropped beyond the number or the bytes allowed, and it is said") func bounds() async throws {
    let house = try IngestHouse(configure: {
      $0.server.quarantineFiles = 3
      $0.server.quarantineBytes = 2000
    })
    for number in 0..<5 {
      _ = await house.controller.receive(source: "doubletick", label: nil, body: Array("bad \(number)".utf8))
    }
    #expect(try house.quarantine.list().count == 3)
    #expect(house.quarantine.dropped == 2)
    _ = await house.controller.receive(
      source: "doubletick", label: nil, body: Array(repeating: UInt8(ascii: "x"), count: 3000))
    let left = try house.quarantine.list().compactMap { try house.quarantine.show($0) }
    #expect(left.map(\.body.count) == [3000])
    #expect(house.quarantine.dropped == 5)
    #expect(house.log.text.split(separator: "\n").count { $0.contains("event=quarantine_dropped") } == 5)
  }

  @Test("a mended body is taken by retry and leaves; a bad one stays and is counted no second time") func retry()
    async throws
  {
    let house = try IngestHouse()
    _ = await house.controller.receive(source: "doubletick", label: nil, body: Array("{bad".utf8))
    let name = try #require(try house.quarantine.list().first)
    #expect(try await house.controller.retry(quarantined: name)?.status == 400)
    #expect(try house.quarantine.list() == [name])
    #expect(house.ledger.withLock { $0.refusals.count } == 1)
    var mended = try #require(try house.quarantine.show(name))
    mended.body = Array(Posts.event().utf8)
    #expect(await house.quarantine.keep(mended))
    try house.quarantine.remove(name)
    let second = try #require(try house.quarantine.list().first)
    #expect(try await house.controller.retry(quarantined: second)?.status == 200)
    #expect(try house.quarantine.list().isEmpty)
    #expect(try await house.controller.retry(quarantined: second) == nil)
    #expect(house.ledger.withLock { $0.appended.count } == 1)
  }

  @Test("names that lead out of the folder name nothing") func names() throws {
    let house = try IngestHouse()
    for name in ["../x.json", "/etc/passwd", ".hidden.json", "x"] {
      #expect(try house.quarantine.show(name) == nil)
      #expect(try !house.quarantine.remove(name))
    }
  }
}

@Suite struct GateTests {
  @Test(
    "addresses lie in their blocks and in no others",
    arguments: [
      ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.1", false),
      ("192.168.1.128/25", "192.168.1.127", false),
      ("192.168.1.128/25", "192.168.1.129", true), ("203.0.113.7", "203.0.113.7", true), ("0.0.0.0/0", "1.2.3.4", true),
      ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
      ("10.0.0.0/8", "::ffff:10.1.1.1", true), ("10.0.0.0/8", "::1", false), ("10.0.0.0/8", "nonsense", false),
    ]) func blocks(_ block: String, _ address: String, _ isIn: Bool) throws
  {
    #expect(try #require(AddressBlock(block)).contains(address) == isIn)
  }

  @Test("what is no block is none", arguments: ["10.0.0.0/33", "10.0.0", "x", "", "::/129", "1.2.3.4/"])
  func noBlocks(_ text: String) { #expect(AddressBlock(text) == nil) }

  @Test("without a key only loopback may be listened on") func listenRule() throws {
    var parts = RouteTable.Parts()
    parts.sources["a"] = SourceDefinition(name: "a", type: "doubletick")
    let table = RouteTable(parts)
    for text in ["127.0.0.1:8080", "[::1]:8080", "localhost:1", "127.9.9.9:0"] {
      let address = try #require(ListenAddress(text))
      #expect(address.isLoopback)
      #expect(ListenRule.objection(to: address, table: table) == nil)
      #expect(address.description == text)
    }
    for text in ["0.0.0.0:8080", ":8080", "[::]:80", "192.168.1.1:80"] {
      let objection = ListenRule.objection(to: try #require(ListenAddress(text)), table: table)
      #expect(objection?.contains("sources.a.key") == true)
    }
    parts.sources["a"]?.key = Template(literal: "k")
    #expect(ListenRule.objection(to: try #require(ListenAddress(":8080")), table: RouteTable(parts)) == nil)
    for text in ["8080", "a:b", "::1:80", "a:70000", ""] { #expect(ListenAddress(text) == nil) }
  }
}
