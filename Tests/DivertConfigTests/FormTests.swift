// Forms and content types: what goes out where a vendor does not take JSON.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct FormTests {
  private func request(_ action: String, headers: String = "{}") throws -> RenderedRequest {
    let table = try Given.table(
      """
      targets:
        sms:
          url: https://sms.example.com
          headers: \(headers)
          actions:
            go: \(action)
      routes:
        all: { when: { event: CALL_REJECTED }, send: [sms.go] }
      """)
    let target = try #require(table.parts.targets["sms"])
    let send = try #require(table.send(route: "all", label: "0"))
    let moment = Timestamp(milliseconds: 1_768_000_000_000)
    var fields = Event.Fields(name: "CALL_REJECTED", at: moment)
    fields.customerPhone = "+919876543210"
    fields.customerName = "Rohan \"R\" & Söhne"
    let event = Event(
      id: EventID(sequence: 1 << 20, tag: 7), source: "doubletick", receivedAt: moment, fields: fields, body: [],
      raw: [:])
    let plan = PlannedDelivery(
      route: send.route, send: send.label, target: send.target, action: send.action, orderKey: nil, due: moment,
      toPerson: send.toPerson)
    let recipe = RequestRecipe(send: send, action: try #require(target.actions["go"]), target: target, table: table)
    return try RequestRenderer.render(
      RenderJob(event: event, plan: plan, recipe: recipe, attemptAt: moment), secrets: .masked)
  }

  @Test("a field that is a mapping or a list is sent as JSON text, a scalar as it stands")
  func trees() throws {
    let request = try request(
      """
      { post: /msg, form: { channel: whatsapp, count: 5, to: "{{ customer.phone | digits }}", gone: "{{ chat.id? }}",
                message: { type: text, text: "Hi {{ customer.name }}", nr: 1, gone: "{{ chat.id? }}" }, params: ["{{ customer.phone }}", 2] } }
      """)
    #expect(request.header("Content-Type") == "application/x-www-form-urlencoded")
    #expect(
      request.readableBody == [
        "channel": "whatsapp", "count": "5", "to": "919876543210",
        "message": #"{"type":"text","text":"Hi Rohan \"R\" & Söhne","nr":1}"#, "params": #"["+919876543210",2]"#,
      ])
    #expect(
      String(decoding: request.body, as: UTF8.self).hasPrefix(
        "channel=whatsapp&count=5&to=919876543210&message=%7B%22type%22%3A%22text%22"))
  }

  @Test("the longest text is looked for within a field's tree, too")
  func lengths() throws {
    let form = "form: { message: { text: \"{{ customer.name }}\" } }"
    #expect(try request("{ post: /msg, \(form), max: { message.text: 20 } }").body.isEmpty == false)
    let fault = try #require(throws: RenderFault.self) {
      try request("{ post: /msg, \(form), max: { message.text: 5 } }")
    }
    #expect(fault.reason.code == "too_long")
    let loaded = ConfigLoader.load(
      text: """
        version: 1
        targets: { sms: { url: https://sms.example.com, actions: { go: { post: /x, \(form), max: { message.txt: 5 } } } } }
        """, file: "routes.yaml")
    #expect(loaded.diagnostics.map(\.code) == ["unknown_path"])
  }

  @Test("a content type of one's own replaces the body's, at the target or the action")
  func contentType() throws {
    let body = "{ post: /msg, body: { a: 1 } }"
    #expect(try request(body).header("content-type") == "application/json")
    let type = "application/cloudevents+json"
    #expect(try request(body, headers: "{ content-type: \(type) }").header("Content-Type") == type)
    let request = try request("{ post: /msg, body: { a: 1 }, headers: { Content-Type: \(type) } }")
    #expect(request.headers.filter { $0.name.lowercased() == "content-type" }.map(\.value) == [type])
  }
}
