// What a preset is where its parameters say so, and what a user's target changes of it.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct PresetCaseTests {
  private static let preset = """
    name: Acme
    parameters:
      token: { required: true, secret: true, doc: the token }
      kind: { default: plain, doc: the kind }
      field: { doc: a field of your own }
    url: https://api.acme.example
    auth:
      oauth2: { grant: refresh_token, token_url: "https://api.acme.example/t", client_id: a, refresh_token: "{{ target.token }}" }
    actions:
      log:
        post: /calls
        body: { call: "{{ call.id }}", who?: { name: "{{ customer.name? }}" }, whose: { name: "{{ customer.name? }}" }, "{{ target.field }}": x }
    cases:
      - when: { kind: [fancy, fine] }
        actions: { log: { body: { "who?": null, whose: null, fancy: true } } }
      - when: { field: { exists: true } }
        actions: { log: { post: null, put: "/calls/{{ call.id }}" } }
    """

  private func action(_ target: String) throws -> ActionDefinition {
    let file = """
      version: 1
      sources: { doubletick: { type: doubletick } }
      targets: { crm: { type: acme, token: "{{ secrets.t }}"\(target) } }
      routes: { all: { when: { event: CALL_MISSED }, send: [crm.log] } }
      """
    let bundle = ConfigBundle(
      main: .init(name: "routes.yaml", text: file), more: [.init(name: "presets.d/acme.yaml", text: Self.preset)])
    let loaded = ConfigLoader.load(bundle: bundle)
    #expect(loaded.diagnostics.map(\.description) == [])
    return try #require(loaded.table?.parts.targets["crm"]?.actions["log"])
  }

  private func body(_ action: ActionDefinition) throws -> JSONValue {
    guard case .json(let tree) = action.body else { return .null }
    var fields = Event.Fields(name: "CALL_MISSED", at: Timestamp(milliseconds: 0))
    fields.callID = "c1"
    let event = Event(
      id: EventID(sequence: 1, tag: 1), source: "doubletick", receivedAt: fields.at, fields: fields, body: [], raw: [:])
    let context = RenderContext(event: event, now: fields.at, secrets: .masked)
    #expect(try JSONValue.parse(BodyProgram(tree).bytes(context)) == context.json(tree))
    return try context.json(tree) ?? .null
  }

  @Test(
    "a key that names a parameter which is not given is left out, and so is a mapping under `key?` of which nothing is left"
  )
  func plain() throws {
    let action = try action("")
    #expect(action.method == "POST")
    #expect(try body(action) == ["call": "c1", "whose": [:]])
  }

  @Test("cases are laid over the preset where their parameters have such values")
  func cases() throws {
    #expect(try body(action(", kind: fine")) == ["call": "c1", "fancy": true])
    let both = try action(", kind: fancy, field: mine")
    #expect(both.method == "PUT")
    #expect(try body(both) == ["call": "c1", "mine": "x", "fancy": true])
  }

  @Test("the user's target is laid over what the cases made")
  func user() throws {
    let own = try action(", kind: fancy, actions: { log: { post: /own, body: { a: 1 } } }")
    #expect(own.method == "POST")
    #expect(try body(own) == ["a": 1])
  }

  @Test("an oauth2 of the user's without a grant changes single fields of the preset's")
  func auth() throws {
    _ = try action(", auth: { oauth2: { scope: calls } }")
    _ = try action(", auth: { bearer: \"{{ secrets.other }}\" }")
  }
}
