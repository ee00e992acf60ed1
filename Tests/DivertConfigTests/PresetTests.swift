// The built-in presets compile, take their parameters, can be overridden, and make the requests that the vendors want.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct PresetTests {
  private let file = """
    targets:
      whatsapp: { type: doubletick, key: "{{ secrets.dt }}" }
      lead: { type: slack, hook: "{{ secrets.hook }}" }
      zap: { type: zapier, hook: "{{ secrets.zap }}" }
      pab: { type: pabbly, hook: "{{ secrets.pab }}" }
    routes:
      all:
        when: { direction: INCOMING }
        send:
          - whatsapp.text: "Sorry, {{ customer.name }}"
          - whatsapp.template: { name: emi_followup, values: ["{{ customer.name | default: 'Customer' }}"] }
          - lead.alert: "<{{ agent }}> & co"
          - zap.event
          - pab.event
    alarms: { send: [lead.alert] }
    """

  private func request(_ table: RouteTable, _ send: Send, given: JSONObject? = nil) throws -> RenderedRequest {
    let target = try #require(table.parts.targets[send.target])
    let action = try #require(target.actions[send.action])
    let moment = Timestamp(milliseconds: 1_768_000_000_000)
    let plan = PlannedDelivery(
      route: send.route, send: send.label, target: send.target, action: send.action, orderKey: nil, due: moment,
      toPerson: send.toPerson)
    var job = RenderJob(
      event: Self.event(), plan: plan,
      recipe: RequestRecipe(send: send, action: action, target: target, table: table), attemptAt: moment)
    job.idempotencyKey = "dv1_0123456789"
    job.given = given ?? JSONObject()
    return try RequestRenderer.render(job, secrets: .resolved { "https://hooks.example.com/\($0)" })
  }

  private static func event() -> Event {
    var fields = Event.Fields(name: "CALL_REJECTED", at: Timestamp(milliseconds: 1_768_000_000_000))
    fields.direction = "INCOMING"
    fields.callID = "call_1"
    fields.callDuration = "0"
    fields.customerPhone = "+919876543210"
    fields.customerName = "Rohan"
    fields.waba = "+919000000000"
    fields.agent = "James"
    return Event(
      id: EventID(sequence: 1 << 20, tag: 7), source: "doubletick",
      receivedAt: Timestamp(milliseconds: 1_768_000_001_000),
      fields: fields, body: [], raw: [:])
  }

  private func body(_ label: String) throws -> JSONValue {
    let table = try Given.table(file)
    return try JSONValue.parse(try request(table, try #require(table.send(route: "all", label: label))).body)
  }

  @Test("every preset is listed, shown and readable, and names no field that the language lacks")
  func list() throws {
    #expect(Presets.names == Presets.names.sorted() && Presets.names.contains("zoho"))
    for name in Presets.names {
      let text = try #require(Presets.text(of: name))
      let (root, faults) = YAMLReader.read(SourceText(file: name, text: text))
      #expect(faults.map(\.description) == [])
      let context = LoadContext()
      _ = context.fields(try #require(root), .preset)
      for parameter in try #require(root)["parameters"]?.entries ?? [] {
        _ = context.fields(parameter.value, .parameter)
      }
      #expect(context.diagnostics.map(\.description) == [])
    }
    #expect(Presets.text(of: "nothing") == nil)
  }

  @Test("the presets compile with their parameters and without a complaint")
  func compiles() throws {
    let result = ConfigLoader.load(
      text: "version: 1\nsources: { doubletick: { type: doubletick } }\n" + file, file: "routes.yaml")
    #expect(result.diagnostics.map(\.description) == [])
    #expect(result.sandboxAnswers["lead.alert"] == SandboxAnswer(status: 200, body: "ok"))
    #expect(result.sandboxAnswers["whatsapp.text"]?.status == 201)
    #expect(result.sandboxAnswers["whatsapp.text"]?.body["status"] == "SENT")
    #expect(result.sandboxAnswers.count >= 9)
  }

  @Test("a text goes out in the vendor's form, with a message id that comes from the key")
  func plainText() throws {
    let table = try Given.table(file)
    let request = try request(table, try #require(table.send(route: "all", label: "0")))
    #expect(request.url == "https://public.doubletick.io/whatsapp/message/text")
    #expect(request.header("Authorization") == "https://hooks.example.com/dt")
    #expect(request.header("Idempotency-Key") == nil)
    let body = try JSONValue.parse(request.body)
    #expect(body["from"] == "+919000000000" && body["to"] == "+919876543210")
    #expect(body["content"]?["text"] == "Sorry, Rohan")
    let id = try #require(body["messageId"]?.string)
    #expect(id.count == 36 && Array(id)[14] == "4")
    let action = try #require(table.parts.targets["whatsapp"]?.actions["text"])
    #expect(action.toPerson && action.ambiguous == .verify && action.maxLengths == ["content.text": 4096])
  }

  @Test("a template's values stay a list of texts, and its language is English unless given")
  func template() throws {
    let body = try body("1")
    let content = try #require(body["messages"]?.array?.first?["content"])
    #expect(content["templateName"] == "emi_followup" && content["language"] == "en")
    #expect(content["templateData"]?["body"]?["placeholders"] == ["Rohan"])
  }

  @Test("an alert is escaped, and an alarm fills its main argument")
  func alert() throws {
    #expect(try body("2") == ["text": "&lt;James&gt; &amp; co"])
    let table = try Given.table(file)
    let alarm = try #require(table.parts.alarms.first)
    let given = JSONObject([.init(key: "alarm", value: ["text": "crm is held"])])
    #expect(try JSONValue.parse(try request(table, alarm, given: given).body) == ["text": "crm is held"])
  }

  @Test("an automation hook gets one flat object with what the event has", arguments: ["3", "4"])
  func flat(label: String) throws {
    let members = try #require(try body(label).object).members
    #expect(members.allSatisfy { $0.value.object == nil && $0.value.array == nil })
    let body = JSONObject(members)
    #expect(body["customer_phone"] == "+919876543210" && body["call_id"] == "call_1")
    #expect(body["at"] == "2026-01-09T23:06:40.000Z" && body["key"] == "dv1_0123456789")
    #expect(body["chat_id"] == nil && body["id"]?.string?.hasPrefix("evt_") == true)
  }

  @Test("answers are judged by the preset's rules")
  func responses() throws {
    let table = try Given.table(file)
    func outcome(_ target: String, _ status: Int, _ body: String) throws -> AttemptOutcome {
      let rules = try #require(table.parts.targets[target]).responses
      let answer = HTTPAnswer(status: status, body: Array(body.utf8))
      return ResponseRules.judge(
        .answered(answer), rules: rules, ambiguous: .park, now: Timestamp(milliseconds: 0), patterns: table.patterns
      ).outcome
    }
    #expect(try outcome("whatsapp", 201, "{\"status\":\"SENT\"}") == .ok)
    #expect(try outcome("whatsapp", 201, "{\"status\":\"FAILED\"}") == .fail)
    #expect(try outcome("whatsapp", 201, "{\"messages\":[{\"status\":\"SENT\"},{\"status\":\"FAILED\"}]}") == .fail)
    #expect(try outcome("whatsapp", 201, "{\"messages\":[{\"status\":\"ENQUEUED\"}]}") == .ok)
    #expect(try outcome("whatsapp", 401, "{}") == .hold)
    #expect(try outcome("whatsapp", 429, "{}") == .throttle)
    #expect(try outcome("whatsapp", 502, "") == .park)
    #expect(try outcome("lead", 200, "ok") == .ok)
    #expect(try outcome("lead", 404, "no_service") == .disable)
    #expect(try outcome("lead", 403, "invalid_token") == .disable)
    #expect(try outcome("lead", 403, "action_prohibited") == .fail)
    #expect(try outcome("lead", 429, "") == .throttle)
    #expect(try outcome("zap", 200, "") == .ok)
    #expect(try outcome("zap", 410, "") == .disable)
  }

  @Test("a user's target overrides its preset: settings, rules in front, headers, actions field by field")
  func overrides() throws {
    let result = ConfigLoader.load(
      text: """
        version: 1
        targets:
          whatsapp:
            type: doubletick
            key: "{{ secrets.dt }}"
            from: "+918000000000"
            url: https://dt.example.com
            limit: 10/s
            headers: { X-Team: collections }
            responses: [{ status: 409, then: ok_duplicate }]
            actions:
              text: { ambiguous: retry }
              template: { post: /v2/whatsapp/message/template, body: { name: "{{ arguments.name }}" } }
              ping: { get: /ping }
        """, file: "routes.yaml")
    #expect(result.diagnostics.map(\.description) == [])
    let target = try #require(result.table?.parts.targets["whatsapp"])
    #expect(target.base.literal == "https://dt.example.com")
    #expect(target.limits == [RateLimit(count: 10, per: .seconds(1))])
    #expect(target.responses.first?.then == .okDuplicate && target.responses.count == 8)
    #expect(target.headers.map(\.name).sorted() == ["Authorization", "X-Team"])
    #expect(target.actions["text"]?.ambiguous == .retry && target.actions["text"]?.toPerson == true)
    #expect(target.actions["template"]?.path.literal == "/v2/whatsapp/message/template")
    #expect(target.actions["ping"]?.method == "GET")
    guard case .json(.object(let entries)) = try #require(target.actions["text"]).body else { throw Given.Missing() }
    #expect(entries.first == .init("from", .literal("+918000000000")))
  }

  @Test("a fault inside a parameter is reported where the user wrote it")
  func place() throws {
    let text = "version: 1\ntargets:\n  lead: { type: slack, hook: \"{{ secrets.a }}{{ nowhere }}\" }\n"
    let diagnostic = try #require(ConfigLoader.load(text: text, file: "routes.yaml").diagnostics.first)
    #expect(diagnostic.file == "routes.yaml" && diagnostic.line == 3 && diagnostic.column == 49)
  }
}
