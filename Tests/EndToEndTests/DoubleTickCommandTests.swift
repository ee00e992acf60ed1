// `divert doubletick`: the real binary against a stand-in of DoubleTick's management API.

import DivertCore
import Foundation
import Synchronization
import TestSupport
import Testing

/// DoubleTick's webhooks, as the documentation has them: registering appends, whatever is there.
private final class WebhookDesk: Sendable {
  let hooks: Mutex<[JSONValue]>
  let server = MisbehavingTarget()

  init(_ hooks: [JSONValue] = []) {
    self.hooks = Mutex(hooks)
    server.answer { [weak self] request in self?.answer(request) ?? .json("{}", status: 500) }
  }

  var list: [JSONValue] { hooks.withLock { $0 } }
  var base: String { String(server.url("").dropLast(0)) }
  var orders: [ReceivedRequest] { server.requests.filter { $0.method == "POST" } }

  private func answer(_ request: ReceivedRequest) -> Answer {
    guard request.header("authorization") == "key_abc" else {
      return .json(#"{"statusCode":401,"message":"Invalid public api key"}"#, status: 401)
    }
    let path = String(request.path.prefix { $0 != "?" })
    switch (request.method, path) {
    case ("GET", "/v2/webhooks"): return .json(JSONValue.array(list).text, status: 201)
    case ("POST", "/v2/webhook/register"): return put(request, nil)
    case ("POST", _) where path.hasPrefix("/v2/webhook/"): return put(request, String(path.dropFirst(12)))
    default: return .json(#"{"statusCode":404,"message":"Cannot"}"#, status: 404)
    }
  }

  private func put(_ request: ReceivedRequest, _ id: String?) -> Answer {
    guard let body = try? JSONValue.parse(request.body), let numbers = body["wabaNumbers"]?.array,
      let events = body["webhookEvents"]?.array, body["method"] == "POST", body["name"]?.string != nil
    else { return .json(#"{"statusCode":400,"message":["name should not be empty","x"]}"#, status: 400) }
    let known = numbers.filter { $0 == "+919000000000" || $0 == "+918000000000" }
    hooks.withLock { hooks in
      let place = hooks.firstIndex { $0["webhookId"]?.string == id } ?? hooks.endIndex
      let hook: JSONValue = [
        "webhookId": .string(id ?? "hook_\(hooks.count + 1)"), "name": body["name"] ?? .null,
        "url": body["url"] ?? .null,
        "eventTypes": .array(events), "wabaNumbers": .array(known),
      ]
      hooks.replaceSubrange(place..<min(place + 1, hooks.endIndex), with: [hook])
    }
    let valid = known.flatMap { number in events.map { ["wabaNumber": number, "webhookEventType": $0] as JSONValue } }
    let answer: JSONValue = [
      "validWebhooks": .array(valid), "invalidWebhooks": [],
      "invalidWabaNumbers": .array(numbers.filter { !known.contains($0) }),
    ]
    return .json(answer.text, status: 201)
  }

  static func hook(_ id: String, _ url: String, _ events: [String], _ numbers: [String] = ["+919000000000"])
    -> JSONValue
  {
    [
      "webhookId": .string(id), "name": "Divert", "url": .string(url), "integrationCount": 0,
      "eventTypes": .array(events.map { .string($0) }), "wabaNumbers": .array(numbers.map { .string($0) }),
    ]
  }
}

@Suite("DoubleTick's webhooks", .bounded) struct DoubleTickCommandTests {
  private static let routes = """
    version: 1
    sources: { doubletick: { type: doubletick, key: "{{ secrets.ingest_key }}" } }
    targets:
      whatsapp: { type: doubletick, key: "{{ secrets.dt }}" }
      lead: { type: slack, hook: "{{ secrets.hook }}" }
    routes:
      declined:
        when: { event: CALL_REJECTED }
        send: [lead.alert: declined]
      missed:
        when: { event: [CALL_MISSED, CALL_NOT_PICKED] }
        also:
          new: { when: { event: CALL_MISSED }, send: [lead.alert: missed] }
      off: { when: { event: CALL_ENDED }, enabled: false, send: [lead.alert: ended] }
    """

  private static func house() throws -> RouterProcess {
    try RouterProcess(
      config: routes, secrets: ["ingest_key": "k3y-of-the-source", "dt": "key_abc", "hook": "https://x.example"])
  }

  private static let address = "https://router.example/in/doubletick/k3y-of-the-source"

  @Test("register asks for what the routes need, at the source's address, and the second time finds nothing to do")
  func register() async throws {
    let (desk, house) = (WebhookDesk(), try Self.house())
    func run(_ more: String...) async throws -> RouterProcess.Output {
      try await house.divert(
        ["doubletick", "register", "--url", "https://router.example", "--api-base", desk.base] + more)
    }
    let without = try await run()
    #expect(without.status == 64 && without.err.contains("--numbers"), "\(without)")
    let dry = try await run("--numbers", "+919000000000", "--dry-run")
    #expect(dry.status == 0 && dry.out.contains("would register") && desk.list.isEmpty, "\(dry)")
    let first = try await run("--numbers", "+91 90000 00000")
    #expect(first.status == 0 && first.out.contains("taken: +919000000000 CALL_REJECTED"), "\(first)")
    #expect(!first.out.contains("k3y-of-the-source") && first.out.contains("https://router.example/in/doubletick/…"))
    #expect(desk.list.first?["url"]?.string == Self.address)
    #expect(desk.list.first?["eventTypes"] == ["CALL_MISSED", "CALL_REJECTED"])
    let second = try await run("--numbers", "+919000000000")
    #expect(second.status == 0 && second.out.contains("nothing to do") && desk.orders.count == 1, "\(second)")
    let more = try await run("--events", "CALL_REJECTED,CALL_ACCEPTED", "--numbers", "+918000000000,+917000000000")
    #expect(more.status == 1 && more.out.contains("no number of this account: +917000000000"), "\(more)")
    #expect(desk.list.count == 1 && desk.orders.last?.path == "/v2/webhook/hook_1")
    #expect(desk.list.first?["eventTypes"] == ["CALL_MISSED", "CALL_REJECTED", "CALL_ACCEPTED"])
    #expect(desk.list.first?["wabaNumbers"] == ["+919000000000", "+918000000000"])
  }

  @Test("an address that is there twice is not touched")
  func doubled() async throws {
    let hooks = ["a", "b"].map { WebhookDesk.hook($0, Self.address, ["CALL_REJECTED"]) }
    let (desk, house) = (WebhookDesk(hooks), try Self.house())
    let said = try await house.divert("doubletick", "register", "--url", Self.address, "--api-base", desk.base)
    #expect(said.status == 1 && said.err.contains("2 webhooks have this address") && desk.orders.isEmpty, "\(said)")
  }

  @Test("check names what is missing, what comes twice and what no route asks for")
  func check() async throws {
    let desk = WebhookDesk([
      WebhookDesk.hook("a", Self.address, ["CALL_REJECTED", "MESSAGE_RECEIVED"]),
      WebhookDesk.hook("b", Self.address + "/call-rejected", ["CALL_REJECTED"]),
      WebhookDesk.hook("c", "https://elsewhere.example/hook", ["CALL_MISSED"]),
    ])
    let house = try Self.house()
    let gap = try await house.divert("doubletick", "check", "--api-base", desk.base)
    #expect(
      gap.status == 1
        && gap.out == """
          2 of 3 webhooks lead here
          missing: CALL_MISSED, which missed/new asks for
          twice: CALL_REJECTED comes by a and b
          for no route: MESSAGE_RECEIVED; such events are kept and counted
          divert doubletick register mends what is missing; what comes twice is removed in DoubleTick's settings

          """,
      "\(gap)")
    desk.hooks.withLock { $0 = [WebhookDesk.hook("a", Self.address, ["CALL_REJECTED", "CALL_MISSED"])] }
    let good = try await house.divert("doubletick", "check", "--url", "https://router.example", "--api-base", desk.base)
    #expect(good.status == 0 && good.out.contains("every event that the routes ask for is registered, once"), "\(good)")
    let number = try await house.divert("doubletick", "check", "--numbers", "918000000000", "--api-base", desk.base)
    #expect(number.status == 1 && number.out.contains("missing: CALL_MISSED for 918000000000"), "\(number)")
  }

  @Test("list shows every webhook, keys hidden")
  func list() async throws {
    let desk = WebhookDesk([WebhookDesk.hook("a", Self.address, ["CALL_REJECTED"])])
    let house = try Self.house()
    let text = try await house.divert("doubletick", "list", "--api-base", desk.base)
    #expect(text.status == 0 && text.out.contains("a  Divert\n  https://router.example/in/doubletick/…\n"), "\(text)")
    let json = try await house.divert("doubletick", "list", "--format", "json", "--api-base", desk.base)
    #expect(try JSONValue.parse(Array(json.out.utf8)).array?.first?["events"] == ["CALL_REJECTED"])
    #expect(!text.out.contains("k3y") && !json.out.contains("k3y"))
  }

  @Test("what goes wrong is said in a sentence with its remedy, and never with the key")
  func failures() async throws {
    let (desk, house) = (WebhookDesk(), try Self.house())
    func said(_ answer: Answer?, _ arguments: String...) async throws -> RouterProcess.Output {
      if let answer { desk.server.answer { _ in answer } }
      let output = try await house.divert(["doubletick"] + arguments + ["--api-base", desk.base])
      #expect(!(output.out + output.err).contains("key_abc"))
      return output
    }
    let refused = try await said(.json(#"{"message":"Unauthorized"}"#, status: 401), "list")
    #expect(
      refused.status == 1 && refused.err.contains("refused the key") && refused.err.contains("'dt'"), "\(refused)")
    let less = try await said(.json("{}", status: 429), "list")
    #expect(less.err.contains("try again in a minute"), "\(less)")
    let garbage = try await said(.json("<html>"), "list")
    #expect(garbage.status == 1 && garbage.err.contains("shape that is not known"), "\(garbage)")
    let absent = try await said(nil, "list", "--key-secret", "nope")
    #expect(absent.status == 1 && absent.err.contains("there is no secret 'nope'"), "\(absent)")
    desk.server.answer { $0.method == "GET" ? .json("[]") : .close }
    let lost = try await said(
      nil, "register", "--url", "https://router.example", "--numbers", "+919000000000")
    #expect(lost.status == 1 && lost.err.contains("look with `divert doubletick list` first"), "\(lost)")
    desk.server.answer { $0.method == "GET" ? .json("[]") : .json(#"{"message":["a is wrong","b too"]}"#, status: 422) }
    let wrong = try await said(nil, "register", "--url", "https://router.example", "--numbers", "+919000000000")
    #expect(wrong.err.contains("refused the order (answer 422: a is wrong; b too)"), "\(wrong)")
    desk.server.stop()
    let gone = try await said(nil, "check")
    #expect(gone.status == 1 && gone.err.contains("could not be asked"), "\(gone)")
    let plain = try await said(nil, "register", "--url", "http://router.example", "--numbers", "+919000000000")
    #expect(plain.status == 64 && plain.err.contains("https://"), "\(plain)")
    // What is plainly mistyped is refused before anybody is asked.
    let mistyped = [
      ["--numbers", "9000000000"]: "+919000000000", ["--events", "CALL_REJCTED"]: "did you mean CALL_REJECTED?",
      ["--url", "https://router.example/in/foo/key"]: "/in/doubletick/",
    ]
    for (wrong, remedy) in mistyped {
      let given = wrong[0] == "--url" ? wrong : ["--url", "https://router.example"] + wrong
      let output = try await house.divert(["doubletick", "register"] + given + ["--api-base", desk.base])
      #expect(output.status == 64 && output.err.contains(remedy), "\(wrong): \(output)")
    }
  }
}
