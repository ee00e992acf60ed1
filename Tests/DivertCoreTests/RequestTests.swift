// Whole requests: addresses that event data cannot bend, headers, signatures, keys, lengths, and masks.

@testable import DivertCore
import Testing

@Suite struct RequestTests {
  static let secrets: [String: String] = [
    "token": "t0p", "hook": "https://hooks.example.com/T0/B0?k=1", "sign": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  ]

  private func job(
    base: String = "https://crm.example.com/api", path: String = "/calls", body: RequestBody = .none,
    name: String = "Rohan Mehta",
    _ change: (inout TargetDefinition, inout ActionDefinition, inout Send) throws -> Void = { _, _, _ in }
  ) throws -> RenderJob {
    let text =
      #"{"event":"CALL_REJECTED","callId":"c/1 é","callDirection":"INCOMING","customerNumber":"919876543210","customerName":"#
    let event = try event(text + JSONValue.string(name).text + "}")
    var target = TargetDefinition(name: "crm", base: try template(base))
    var action = ActionDefinition(name: "log", method: "post", path: try template(path))
    action.body = body
    var send = Send(route: "r", label: "0", target: "crm", action: "log")
    try change(&target, &action, &send)
    let plan = PlannedDelivery(
      route: "r", send: "0", target: "crm", action: "log", orderKey: nil, due: moment, toPerson: false)
    return RenderJob(
      event: event, plan: plan,
      recipe: RequestRecipe(send: send, action: action, target: target, table: RouteTable(RouteTable.Parts())),
      attemptAt: moment + .seconds(9))
  }

  private func render(_ job: RenderJob) throws -> RenderedRequest {
    try RequestRenderer.render(job, secrets: .resolved { Self.secrets[$0] })
  }

  private func masked(_ job: RenderJob) throws -> RenderedRequest {
    try RequestRenderer.render(job, secrets: .masked)
  }

  @Test(
    "addresses are joined and values percent-encoded",
    arguments: [
      ("https://a.example/api", "/calls", "https://a.example/api/calls"),
      ("https://a.example/", "calls", "https://a.example/calls"),
      ("https://a.example", "", "https://a.example"),
      ("https://a.example", "/c/{{ call.id }}/x", "https://a.example/c/c%2F1%20%C3%A9/x"),
      ("https://a.example", "/c?id={{ call.id }}", "https://a.example/c?id=c%2F1%20%C3%A9"),
      ("{{ secrets.hook }}", "", "https://hooks.example.com/T0/B0?k=1"),
      ("{{ secrets.hook }}", "/more", "https://hooks.example.com/T0/B0/more?k=1"),
      ("https://a.example/{{ call.id }}", "", "https://a.example/c%2F1%20%C3%A9"),
      ("http://127.0.0.1:8080/ü", "", "http://127.0.0.1:8080/%C3%BC"),
    ])
  func addresses(base: String, path: String, url: String) throws {
    #expect(try render(job(base: base, path: path)).url == url)
  }

  @Test(
    "an address that event data could bend, or that is none, is refused",
    arguments: [
      ("https://{{ customer.name }}/x", "", "Rohan", "host_from_event"),
      ("https://a.{{ customer.name }}", "", "b", "host_from_event"),
      ("{{ customer.name }}", "", "https://evil.example/", "host_from_event"),
      ("ftp://a.example", "", "x", "url_invalid"),
      ("a.example", "", "x", "url_invalid"), ("https://", "/x", "x", "url_invalid"),
      ("https://", "/{{ customer.name }}", "evil.example", "url_invalid"),
      ("https:/", "//evil.example", "x", "url_invalid"),
      ("https://u:p@a.example", "", "x", "url_invalid"),
      ("https://a.example", "/c/{{ customer.name }}/d", "..", "url_invalid"),
      ("https://a.example", "/c/{{ customer.name }}", ".", "url_invalid"),
      ("https://a.example", "/c#x", "x", "url_invalid"),
      ("{{ secrets.absent }}", "", "x", "secret_missing"),
      ("https://a.example", "/{{ chat.id? }}", "x", "value_missing"),
    ])
  func refused(base: String, path: String, name: String, code: String) throws {
    let fault = try #require(throws: RenderFault.self) { try render(job(base: base, path: path, name: name)) }
    #expect(fault.reason.code == code)
  }

  @Test("query items of target and action follow, missing ones left out")
  func query() throws {
    let job = try job(base: "https://a.example/?x=1") { target, action, _ in
      target.query = [HeaderTemplate("key", try template("{{ secrets.token }}"))]
      action.query = [
        HeaderTemplate("q", try template("{{ customer.phone }}")),
        HeaderTemplate("gone", try template("{{ chat.id? }}")),
      ]
    }
    #expect(try render(job).url == "https://a.example/calls?x=1&key=t0p&q=%2B919876543210")
    #expect(try masked(job).url == "https://a.example/calls?x=1&key={{ secrets.token }}&q=%2B919876543210")
  }

  @Test("headers: the action's replace the target's, and the idempotency key is there")
  func headers() throws {
    let job = try job(body: .json(.object([]))) { target, action, _ in
      target.headers = [
        HeaderTemplate("Authorization", try template("Bearer {{ secrets.token }}")),
        HeaderTemplate("X-A", Template(literal: "1")),
      ]
      action.headers = [HeaderTemplate("x-a", Template(literal: "2"))]
    }
    let request = try render(job)
    #expect(request.method == "POST")
    #expect(request.header("authorization") == "Bearer t0p")
    #expect(request.header("X-A") == "2")
    #expect(request.header("content-type") == "application/json")
    #expect(request.header("idempotency-key") == job.idempotencyKey)
    #expect(request.body == bytes("{}"))
    #expect(try masked(job).header("Authorization") == "Bearer {{ secrets.token }}")
    #expect(try render(job) == request)
  }

  @Test("a line break in a header's value is refused", arguments: ["a\r\nX-Evil: 1", "a\nb", "a\u{0}"])
  func lineBreak(name: String) throws {
    let job = try job(name: name) { _, action, _ in
      action.headers = [HeaderTemplate("X-Name", try template("{{ customer.name }}"))]
    }
    let fault = try #require(throws: RenderFault.self) { try render(job) }
    #expect(fault.reason.code == "header_invalid")
    #expect(!fault.reason.sentence.contains("Evil"))
  }

  @Test("basic authentication")
  func basic() throws {
    let job = try job { target, _, _ in
      target.basicAuth = BasicAuth(user: Template(literal: "Aladdin"), password: try template("{{ secrets.token }}"))
    }
    #expect(try render(job).header("Authorization") == "Basic QWxhZGRpbjp0MHA=")
    #expect(try masked(job).header("Authorization") == "Basic Aladdin:{{ secrets.token }}")
  }

  @Test("a Standard Webhooks signature is the specification's own")
  func signature() throws {
    var job = try job(body: .json(.literal(.object(JSONObject([.init(key: "test", value: 2_432_232_314)]))))) {
      target, _, _ in
      target.signing = Signing(secrets: [try template("{{ secrets.sign }}"), try template("{{ secrets.sign }}")])
    }
    job.attemptAt = Timestamp(milliseconds: 1_614_265_330_999)
    let request = try render(job)
    #expect(request.header("webhook-id") == job.idempotencyKey)
    #expect(request.header("webhook-timestamp") == "1614265330")
    let signatures = try #require(request.header("webhook-signature")).split(separator: " ")
    #expect(signatures.count == 2 && signatures[0] == signatures[1] && signatures[0].hasPrefix("v1,"))
    #expect(
      RequestSigning.signature(
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: "1614265330", body: bytes(#"{"test": 2432232314}"#),
        key: Base64.decoded("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") ?? [])
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    #expect(try masked(job).header("webhook-signature") == "(made when it is sent)")
  }

  @Test("the key as a body field is a UUID, and lengths are bounded")
  func fieldAndLength() throws {
    let body = BodyTemplate.object([
      .init("content", .object([.init("text", .template(try template("{{ arguments.text }}")))]))
    ])
    func job(_ text: String, _ most: Int) throws -> RenderJob {
      try self.job(body: .json(body)) { _, action, send in
        action.idempotency = .field(["meta", "id"])
        action.maxLengths = ["content.text": most]
        action.arguments = [ArgumentDefinition(name: "text", required: true, fallback: nil, main: true)]
        send.arguments = [.init("text", .template(try template(text)))]
      }
    }
    let value = try JSONValue.parse(try render(job("Hello {{ customer.name }}", 17)).body)
    #expect(value["content"]?["text"] == "Hello Rohan Mehta")
    #expect(value["meta"]?["id"]?.string?.count == 36)
    #expect(try render(job("x", 5)).header("Idempotency-Key") == nil)
    #expect(
      try #require(throws: RenderFault.self) { try render(job("Hello {{ customer.name }}", 16)) }.reason.code
        == "too_long")
    #expect(
      try #require(throws: RenderFault.self) { try render(job("{{ chat.id? }}", 5)) }.reason.code == "argument_missing")
  }

  @Test("forms are encoded, and arguments fall back")
  func form() throws {
    let job = try job(
      body: .form([
        FormField("to", try template("{{ customer.phone }}")),
        FormField("gone", try template("{{ chat.id? }}")),
        FormField("text", try template("{{ arguments.text }}")),
      ])
    ) { _, action, _ in
      action.arguments = [
        ArgumentDefinition(
          name: "text", required: true, fallback: .template(try template("a&b {{ agent | default: x }}")), main: true)
      ]
    }
    let request = try render(job)
    #expect(String(decoding: request.body, as: UTF8.self) == "to=%2B919876543210&text=a%26b%20x")
    #expect(request.header("Content-Type") == "application/x-www-form-urlencoded")
  }

  @Test("an edited request goes out as edited, its own secrets filled in, under the new key")
  func edited() throws {
    let job = try job { target, _, _ in
      target.headers = [HeaderTemplate("Authorization", try template("Bearer {{ secrets.token }}"))]
    }
    func resolve(_ url: String, _ token: String = "token", body: String = #"{"a":"{{ b }} {{ secrets.token }}"}"#)
      throws -> RenderedRequest
    {
      let edited = EditedRequest(
        method: "put", url: url,
        headers: [
          HTTPHeader("Authorization", "Bearer {{ secrets.\(token) }}"), HTTPHeader("Content-Type", "application/json"),
          HTTPHeader("idempotency-key", "old"),
        ], body: body)
      return try RequestRenderer.resolve(
        edited, target: job.recipe.target, action: job.recipe.action, idempotencyKey: "dv1_new", attemptAt: moment,
        secrets: .resolved { Self.secrets[$0] })
    }
    let request = try resolve("https://CRM.example.com/other?x=1")
    #expect(request.method == "PUT")
    #expect(request.header("authorization") == "Bearer t0p")
    #expect(request.header("Idempotency-Key") == "dv1_new")
    #expect(String(decoding: request.body, as: UTF8.self) == #"{"a":"{{ b }} t0p"}"#)
    for url in [
      "https://evil.example/", "http://crm.example.com/api", "https://crm.example.com:444/",
      "https://crm.example.com@evil.example/", "/x",
    ] {
      #expect(try #require(throws: RenderFault.self) { try resolve(url) }.reason.code == "url_invalid")
    }
    #expect(
      try #require(throws: RenderFault.self) { try resolve("https://crm.example.com/", "hook") }.reason.code
        == "secret_of_another")
  }
}
