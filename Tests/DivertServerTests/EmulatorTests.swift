// The sandbox's stand-in for every target.

import DivertCore
import ServiceLifecycle
import Testing

@testable import DivertServer

@Suite struct EmulatorTests {
  @Test("it answers for every target, remembers what came, and misbehaves when told") func answers() async throws {
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let log = try TestLog()
    let emulator = Emulator(
      answers: { ["crm.log_call": .init(status: 201, body: "{\"id\":7}"), "chat": .init(body: "ok")] }, kept: 10,
      logger: log.writer.logger("sandbox"), onListening: { port.yield($0) })
    let group = ServiceGroup(services: [emulator], logger: log.writer.logger("services"))
    async let running: Void = group.run()
    for await port in ports {
      func post(_ target: String, _ action: String) async throws -> RawResponse? {
        let client = try RawClient(port: port)
        await client.send(
          Posts.post("/\(target)/v1/x?a=b", "{}", headers: "x-divert-action: \(action)\r\n"))
        return try? await client.response()
      }
      let first = try await post("crm", "log_call")
      #expect(first?.status == 201 && first?.body == "{\"id\":7}")
      #expect(try await post("chat", "alert")?.body == "ok")
      #expect(try await post("crm", "other")?.body == #"{"ok":true}"#)
      let seen = emulator.seen(target: "crm")
      #expect(seen.map(\.action) == ["log_call", "other"])
      #expect(seen.first?.path == "/v1/x?a=b" && seen.first?.body == Array("{}".utf8))
      emulator.set(
        .init(kind: .answer(.init(status: 429)), headers: [HTTPHeader("retry-after", "7")], times: 1), target: "crm")
      let throttled = try await post("crm", "log_call")
      #expect(throttled?.status == 429 && throttled?.headers["retry-after"] == "7")
      #expect(try await post("crm", "log_call")?.status == 201)
      emulator.set(.init(kind: .hangUp), target: "chat")
      #expect(try await post("chat", "alert") == nil)
      emulator.set(nil, target: "chat")
      #expect(try await post("chat", "alert")?.status == 200)
      break
    }
    await group.triggerGracefulShutdown()
    try await running
  }

  @Test("a target's address becomes the emulator's, path and query kept") func redirect() {
    #expect(
      Emulator.redirect("https://crm.example.com/api/x?y=1", target: "crm", port: 9)
        == "http://127.0.0.1:9/crm/api/x?y=1")
    #expect(Emulator.redirect("https://crm.example.com", target: "crm", port: 9) == "http://127.0.0.1:9/crm/")
    #expect(Emulator.redirect("https://crm.example.com?q", target: "crm", port: 9) == "http://127.0.0.1:9/crm/?q")
    #expect(Emulator.redirect("nonsense", target: "crm", port: 9) == nil)
  }
}
