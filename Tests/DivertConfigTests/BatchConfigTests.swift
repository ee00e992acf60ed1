// `batch`, `budget` and `quota` as they are read, and batches as they are rendered.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct BatchConfigTests {
  private static let file = """
    version: 1
    timezone: Asia/Kolkata
    targets:
      crm:
        url: https://crm.example.com
        auth: { bearer: "{{ secrets.token }}" }
        budget: { at_most: 500, per: day, zone: Europe/Berlin }
        quota:
          - { remaining: { header: X-Left }, reset: { header: X-Reset, unit: milliseconds } }
          - { remaining: { json: usage.left }, below: 10, reset: { midnight: Asia/Kolkata } }
        actions:
          log:
            post: /calls
            body: { ref: "{{ id }}", number: "{{ customer.phone }}" }
            idempotency: { field: key }
            batch:
              max: 50
              wait: 2s
              body: { data: "{{ items }}", trigger: [] }
              results: data
              each: [{ json: { status: error }, then: fail }]
          note:
            post: /note
            body: { ref: "{{ id }}" }
            batch: { post: /notes, max: 2, body: "{{ items }}", errors: e, match: { item: ref, result: r, error: x.* } }
    routes:
      all: { send: [crm.log, crm.note] }
    """

  private static func table() throws -> RouteTable {
    let result = ConfigLoader.load(text: file, file: "routes.yaml")
    return try #require(result.table, "\(result.diagnostics)")
  }

  @Test("budget and quota are read, with their defaults")
  func limits() throws {
    let crm = try #require(Self.table().parts.targets["crm"])
    #expect(crm.budget == Budget(most: 500, period: .day, zone: "Europe/Berlin"))
    #expect(
      crm.quota == [
        QuotaRule(remaining: .header("x-left"), reset: .header("x-reset", .milliseconds)),
        QuotaRule(remaining: .json(["usage", "left"]), below: 10, reset: .midnight(zone: "Asia/Kolkata")),
      ])
    #expect(
      TargetSettings(crm).batches == [
        "log": .init(most: 50, wait: .seconds(2)), "note": .init(most: 2, wait: .milliseconds(500)),
      ])
  }

  private static func job(_ sequence: Int64, _ send: Int) throws -> RenderJob {
    let table = try table()
    var fields = Event.Fields(name: "CALL_REJECTED", at: Timestamp(milliseconds: 0))
    fields.customerPhone = "+9190000000\(sequence)"
    let event = Event(
      id: EventID(sequence: sequence, tag: 1), source: "s", receivedAt: fields.at, fields: fields, body: [], raw: .null)
    let plan = table.plan(event).deliveries[send]
    let recipe = try #require(table.recipe(for: plan, newest: table))
    return RenderJob(event: event, plan: plan, recipe: recipe, attemptAt: fields.at)
  }

  @Test("a batch has each item's body with its own key, one address, one set of headers")
  func rendered() throws {
    let jobs = try [Self.job(1, 0), Self.job(2, 0)]
    let items = try jobs.map { try RequestRenderer.item($0, secrets: .masked) }
    let request = try RequestRenderer.render(
      batch: items, around: jobs[0], keys: jobs.map(\.idempotencyKey), secrets: .masked)
    let body = try JSONValue.parse(request.body)
    #expect(request.method == "POST" && request.url == "https://crm.example.com/calls")
    #expect(body.value(at: ["data", "0", "number"])?.string == "+91900000001")
    #expect(body.value(at: ["data", "1", "number"])?.string == "+91900000002")
    #expect(body.value(at: ["data", "0", "key"]) != body.value(at: ["data", "1", "key"]))
    #expect(body["trigger"]?.array?.isEmpty == true)
    #expect(request.header("Authorization") == "Bearer {{ secrets.token }}" && request.header("Idempotency-Key") == nil)
  }

  @Test("a lone delivery is a batch of one, unless batches have a path of their own")
  func alone() throws {
    let wrapped = try RequestRenderer.render(Self.job(1, 0), secrets: .masked)
    #expect(try JSONValue.parse(wrapped.body).value(at: ["data", "0", "number"])?.string == "+91900000001")
    let plain = try RequestRenderer.render(Self.job(1, 1), secrets: .masked)
    #expect(plain.url == "https://crm.example.com/note" && plain.body.first == UInt8(ascii: "{"))
    let jobs = try [Self.job(1, 1), Self.job(2, 1)]
    let items = try jobs.map { try RequestRenderer.item($0, secrets: .masked) }
    let both = try RequestRenderer.render(
      batch: items, around: jobs[0], keys: jobs.map(\.idempotencyKey), secrets: .masked)
    #expect(both.url == "https://crm.example.com/notes" && both.body.first == UInt8(ascii: "["))
    #expect(both.header("Idempotency-Key") != plain.header("Idempotency-Key"))
  }

  @Test("the sandbox answers a batch with a result for each item, and its key where that finds it")
  func sandbox() throws {
    let result = ConfigLoader.load(text: Self.file, file: "routes.yaml")
    let log = try #require(result.sandboxAnswers["crm.log"])
    let three = try JSONValue.parse(Array(#"{"data":[{"ref":"a"},{"ref":"b"},{"ref":"c"}]}"#.utf8))
    let answer = try #require(log.batch?.answer(log.body, to: three))
    #expect(answer["data"]?.array?.count == 3)
    let note = try #require(result.sandboxAnswers["crm.note"])
    let two = try JSONValue.parse(Array(#"[{"ref":"a"},{"ref":"b"}]"#.utf8))
    let keyed = try #require(note.batch?.answer(note.body, to: two))
    #expect(keyed.array?.compactMap { $0["r"]?.string } == ["a", "b"])
  }
}
