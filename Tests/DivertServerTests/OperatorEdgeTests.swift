// The operator address's edges: who may ask, and what machines read there.

import DivertCore
import DivertServer
import Foundation
import Testing

@Suite("The operator address")
struct OperatorEdgeTests {
  private func refusal(
    _ protection: OperatorProtection, method: String = "GET", host: String? = "127.0.0.1:8081", key: String? = nil,
    order: String? = nil, path: String = "/api/status"
  ) -> Int? {
    protection.refusal(
      method: method, path: path, host: host, authorization: key.map { "Bearer " + $0 }, divertRequest: order)?.status
  }

  @Test("off loopback an address without a key is refused at the start")
  func needsKey() throws {
    let open = ListenAddress(host: "0.0.0.0", port: 8081)
    #expect(throws: OperatorFailure.self) { try OperatorProtection.make(listen: open, key: nil) }
    #expect(throws: OperatorFailure.self) { try OperatorProtection.make(listen: open, key: "short") }
    #expect(throws: Never.self) { try OperatorProtection.make(listen: open, key: "0123456789abcdef") }
  }

  @Test("on loopback a name that was pointed here gets nothing, and a page of another site gives no order")
  func loopback() throws {
    let protection = try OperatorProtection.make(listen: ListenAddress(host: "127.0.0.1", port: 8081), key: nil)
    #expect(refusal(protection) == nil)
    #expect(refusal(protection, host: "localhost") == nil)
    #expect(refusal(protection, host: "[::1]:9000") == nil)
    #expect(refusal(protection, host: "evil.example:8081") == 421)
    #expect(refusal(protection, host: nil) == 421)
    #expect(refusal(protection, method: "POST") == 403)
    #expect(refusal(protection, method: "POST", order: "1") == nil)
  }

  @Test("with a key everything but the health checks asks for it")
  func keyed() throws {
    let key = "0123456789abcdef"
    let protection = try OperatorProtection.make(listen: ListenAddress(host: "10.0.0.5", port: 8081), key: key)
    #expect(refusal(protection, host: "router.internal") == 401)
    #expect(refusal(protection, host: "router.internal", key: "0123456789abcdeX") == 401)
    #expect(refusal(protection, host: "router.internal", key: key) == nil)
    #expect(refusal(protection, host: "router.internal", path: "/healthz") == nil)
    #expect(refusal(protection, method: "POST", host: "router.internal", key: key) == 403)
  }

  @Test("metrics: every sample has its help and type, and promtool takes the page where there is one")
  func metrics() async throws {
    let house = try OperatorHouse()
    _ = try house.bury(house.accept("c1"))
    _ = await house.post("/api/targets/pause", ["target": "crm"])
    let page = try #require(await house.get("/metrics").body.string)
    var typed: Set<String> = []
    for line in page.split(separator: "\n") {
      if line.hasPrefix("# TYPE ") { typed.insert(String(line.split(separator: " ")[2])) }
      if !line.hasPrefix("#") { #expect(typed.contains(String(line.prefix { $0 != "{" && $0 != " " })), "\(line)") }
    }
    #expect(page.contains(#"divert_deliveries_total{target="crm",state="dead"} 1"#))
    #expect(page.contains(#"divert_target_held{target="crm",kind="paused"} 1"#))
    #expect(page.contains("process_cpu_seconds_total "))
    try promtool(page)
  }

  private func promtool(_ page: String) throws {
    let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/promtool" }
    guard let tool = path.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else { return }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = ["check", "metrics"]
    let input = Pipe()
    process.standardInput = input
    try process.run()
    input.fileHandleForWriting.write(Data(page.utf8))
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test(
    "times are read as people write them",
    arguments: [
      ("2h", "2026-01-15T08:30:25.000Z"), ("1d 12h", "2026-01-13T22:30:25.000Z"),
      ("2026-01-15", "2026-01-15T00:00:00.000Z"), ("2026-01-15T10:00:00+05:30", "2026-01-15T04:30:00.000Z"),
    ])
  func times(_ text: String, _ expected: String) throws {
    let read = try OperatorTime.read(text, now: OperatorHouse.now, zone: .utc)
    #expect(OperatorTime.text(read) == expected)
  }

  @Test(
    "lengths of time are said in their two largest units",
    arguments: [
      (0, "0ms"), (999, "999ms"), (45_000, "45s"), (3_600_000, "1h"), (183_845_000, "2d 3h"),
    ])
  func words(_ milliseconds: Int64, _ expected: String) {
    #expect(OperatorTime.words(.milliseconds(milliseconds)) == expected)
  }
}
