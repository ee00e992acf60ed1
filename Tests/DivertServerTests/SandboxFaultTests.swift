// What `--sandbox-faults` understands, and what it makes of a target's requests.

import DivertConfig
import DivertCore
import ServiceLifecycle
import Testing

@testable import DivertServer

@Suite struct SandboxFaultTests {
  private static let targets = [
    "crm": SandboxTarget(
      type: "zoho", actions: ["log_call", "note"], timeout: .seconds(30),
      faults: [
        "429": SandboxFault(status: 429, headers: [HTTPHeader("Retry-After", "7")], body: ["code": "TOO_MANY"]),
        "expired": SandboxFault(status: 401, body: ["code": "INVALID_TOKEN"]),
        "late": SandboxFault(delay: .milliseconds(1)),
      ]),
    "lead": SandboxTarget(type: "slack", actions: ["alert"], timeout: .seconds(10)),
    "odd": SandboxTarget(
      type: "http", actions: ["go"], timeout: .seconds(10), faults: ["refused": SandboxFault(status: 400)]),
  ]

  private static func read(_ text: String) throws -> [String] {
    try FaultRule.read(text, called: "--sandbox-faults", targets: targets).map(\.text)
  }

  @Test("targets, actions, types and all; shares, every nth and the first ones") func rules() throws {
    #expect(
      try Self.read(" crm: 429 5% ,slack:timeout  every 20th, crm.note: expired first 3, *: reset, zoho: 502 0.25%")
        == [
          "crm: 429 5%", "slack: timeout every 20", "crm.note: expired first 3", "*: reset", "zoho: 502 0.25%",
        ])
    #expect(try Self.read("").isEmpty && Self.read(" none ").isEmpty)
    #expect(try FaultRule.read("crm: 429 100%", called: "", targets: Self.targets).first?.rate == .share(1_000_000))
  }

  @Test(
    "what cannot be is refused with its place and the remedy",
    arguments: [
      ("crm", "part 1 ('crm'): write a target's name, a colon and a fault, as in 'crm: 429 5%'"),
      ("crm: 429, crn: 429", "part 2 ('crn: 429'): there is no target, action or type 'crn'; did you mean 'crm'?"),
      ("hubspot: 429", "there are crm, http, lead, odd, slack, zoho, and * for all"),
      ("crm.log_cal: 429", "did you mean 'crm.log_call'?"),
      ("crm: tmeout", "'crm' has no fault 'tmeout'; did you mean 'timeout'?"),
      (
        "lead: nothing_like_it",
        "there are 401, 429, 500, 503, refused, reset, slow, timeout and every status"
      ),
      ("lead: expired 5%", "'lead' has no fault 'expired'"),
      ("crm: 5%", "name a fault before '5%', as in 'crm: 500 5%'"),
      ("crm: 429 5", "'5' says not how often: write '5%' (up to 100%), 'every 20' or 'first 3'"),
      ("crm: 429 0%", "'0%' says not how often"), ("crm: 429 101%", "says not how often"),
      ("crm: 429 every 0", "says not how often"), ("crm: 429 0.00001%", "says not how often"),
      ("crm: 199", "'crm' has no fault '199'"), ("crm: 429,", "part 2 (''): write a target's name"),
    ])
  func refused(text: String, sentence: String) {
    let fault = #expect(throws: ServeFailure.self) { try Self.read(text) }
    #expect(fault?.description.hasPrefix("--sandbox-faults, part ") == true)
    #expect(fault?.description.contains(sentence) == true, "\(fault?.description ?? "")")
  }

  private static func faults(_ text: String) throws -> SandboxFaults {
    let faults = SandboxFaults { targets }
    try faults.set(text, called: "faults")
    return faults
  }

  private static func names(_ faults: SandboxFaults, _ target: String, _ count: Int, action: String = "x") -> [String] {
    (0..<count).map { _ in faults.next(target, action: action)?.name ?? "-" }
  }

  @Test("rates are kept for each target by itself, and the first rule that strikes decides") func rates() throws {
    let faults = try Self.faults("crm: 429 first 2, *: 500 every 3")
    #expect(Self.names(faults, "crm", 6) == ["429", "429", "500", "-", "-", "500"])
    #expect(Self.names(faults, "lead", 3) == ["-", "-", "500"])
    let note = try Self.faults("crm.note: reset")
    #expect(note.next("crm", action: "log_call") == nil && note.next("crm", action: "note")?.kind == .hangUp)
  }

  @Test("an action with steps fails at any of them, a step alone where it is named, and what asks after it at neither")
  func steps() throws {
    let whole = try Self.faults("crm.note: reset every 2")
    #expect(whole.next("crm", action: "note.text") == nil && whole.next("crm", action: "note.link")?.kind == .hangUp)
    #expect(whole.next("crm", action: "log_call.link") == nil && whole.next("crm", action: "note.verify") == nil)
    #expect(whole.next("crm", action: "note.text") == nil && whole.next("crm", action: "note.text") != nil)
  }

  @Test("a share is drawn from a fixed seed: near its rate, and the same each time") func share() throws {
    let first = Self.names(try Self.faults("zoho: 429 5%"), "crm", 2000)
    let struck = first.count { $0 == "429" }
    #expect((60...140).contains(struck), "\(struck) of 2000")
    #expect(try Self.names(Self.faults("zoho: 429 5%"), "crm", 2000) == first)
    #expect(try Self.names(Self.faults("crm: 429 5%"), "crm", 2000) != first)
    #expect(try Self.names(Self.faults("crm: 429 100%"), "crm", 50) == Array(repeating: "429", count: 50))
  }

  @Test("what fetches a token fails only where it is named") func tokens() throws {
    var targets = Self.targets
    targets["crm"]?.actions.insert("oauth2_token")
    targets["shared"] = SandboxTarget(type: "oauth2", actions: ["oauth2_token"], timeout: .seconds(30))
    func meets(_ text: String, _ target: String) throws -> Bool {
      let faults = SandboxFaults { [targets] in targets }
      try faults.set(text, called: "faults")
      return faults.next(target, action: "oauth2_token") != nil
    }
    #expect(try !meets("crm: 500", "crm") && !meets("*: 500", "crm") && !meets("*: 500", "shared"))
    #expect(try meets("crm.oauth2_token: 500", "crm") && meets("shared: 500", "shared"))
    #expect(try meets("shared.oauth2_token: 400", "shared"))
  }

  @Test("a target's own fault goes before the general one of its name; a refusal happens before the request")
  func books() throws {
    let faults = try Self.faults("*: 429, *: refused")
    #expect(faults.next("crm", action: "")?.headers == [HTTPHeader("Retry-After", "7")])
    #expect(faults.next("lead", action: "")?.headers == [HTTPHeader("retry-after", "1")])
    #expect(faults.refuses("lead", action: "") && faults.refuses("crm", action: ""))
    #expect(!faults.refuses("odd", action: ""))
    let odd = try Self.faults("odd: refused")
    #expect(odd.next("odd", action: "")?.kind == .answer(.init(status: 400, body: "")))
    let late = try #require(try Self.faults("lead: timeout").next("lead", action: ""))
    #expect(late.kind == .hangUp && late.delay == .seconds(15))
    #expect(try Self.faults("lead: slow").next("lead", action: "")?.delay == .seconds(5))
    #expect(try Self.faults("crm: late").next("crm", action: "")?.kind == .normal)
  }

  @Test("rules that cannot be leave those in force; new ones begin to count anew") func change() throws {
    let faults = try Self.faults("crm: 429 first 1")
    #expect(Self.names(faults, "crm", 2) == ["429", "-"])
    #expect(throws: ServeFailure.self) { try faults.set("crm: nothing", called: "faults") }
    #expect(faults.rules.map(\.text) == ["crm: 429 first 1"])
    try faults.set("crm: 429 first 1", called: "faults")
    #expect(Self.names(faults, "crm", 2) == ["429", "-"])
    try faults.set("none", called: "faults")
    #expect(faults.rules.isEmpty && faults.next("crm", action: "") == nil)
  }

  @Test("the emulator plays them, and what it received is read back, secrets by name") func played() async throws {
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let log = try TestLog()
    let faults = try Self.faults("crm: expired first 1, lead: reset")
    let emulator = Emulator(
      answers: { ["crm.log_call": .init(status: 201, body: "{\"id\":7}")] }, faults: faults,
      logger: log.writer.logger("sandbox"), onListening: { port.yield($0) })
    let group = ServiceGroup(services: [emulator], logger: log.writer.logger("services"))
    async let running: Void = group.run()
    for await port in ports {
      func post(_ target: String, _ headers: String) async throws -> RawResponse? {
        let client = try RawClient(port: port)
        let more = "x-divert-action: log_call\r\n" + headers
        await client.send(Posts.post("/\(target)/v1/x?key=sandbox-key", #"{"a":"sandbox-crm_token"}"#, headers: more))
        return try? await client.response()
      }
      let expired = try await post("crm", "Authorization: Bearer sandbox-crm_token\r\n")
      #expect(expired?.status == 401 && expired?.body == #"{"code":"INVALID_TOKEN"}"#)
      #expect(try await post("crm", "Authorization: Basic bGl0ZXJhbA==\r\n")?.status == 201)
      #expect(try await post("lead", "") == nil)
      break
    }
    let house = try OperatorHouse()
    let desk = SandboxDesk(emulator: emulator, faults: faults) { ["crm_token", "key"] }
    let api = house.api(sandbox: desk)
    let answer = await house.ask(api, OperatorRequest("GET", "/api/sandbox/requests", query: ["target": "crm"]))
    let requests = answer.body["requests"]?.array ?? []
    #expect(answer.status == 200 && requests.count == 2 && answer.body["answered"]?.integer == 3)
    #expect(requests.first?["path"] == "/v1/x?key={{ secrets.key }}" && requests.first?["method"] == "POST")
    #expect(requests.first?["body"] == ["a": "{{ secrets.crm_token }}"])
    #expect(requests.first?["answer"] == ["status": 401, "body": ["code": "INVALID_TOKEN"], "fault": "expired"])
    let values = requests.map { request in
      request["headers"]?.array?.first { $0["name"] == "Authorization" }?["value"]?.string
    }
    #expect(values == ["Bearer {{ secrets.crm_token }}", "Basic ***"])
    let last = await house.ask(api, OperatorRequest("GET", "/api/sandbox/requests", query: ["limit": "1"]))
    #expect(last.body["requests"]?.array?.first?["answer"]?["status"] == .null)
    let none = await house.ask(api, OperatorRequest("GET", "/api/sandbox/requests", query: ["target": "crmm"]))
    #expect(none.status == 404)
    let set = await house.ask(api, OperatorRequest(post: "/api/sandbox/faults", ["faults": "crm: 500 every 2nd"]))
    #expect(set.body == ["faults": ["crm: 500 every 2"]])
    let bad = await house.ask(api, OperatorRequest(post: "/api/sandbox/faults", ["faults": "crm: 5oo"]))
    #expect(bad.status == 400)
    #expect(
      await house.ask(api, OperatorRequest("GET", "/api/sandbox/faults")).body == ["faults": ["crm: 500 every 2"]])
    await group.triggerGracefulShutdown()
    try await running
  }

  @Test("where no sandbox runs, that is said") func nowhere() async throws {
    let house = try OperatorHouse()
    let answer = await house.get("/api/sandbox/requests")
    #expect(answer.status == 503 && answer.body["error"]?["code"] == "not_running")
  }
}
