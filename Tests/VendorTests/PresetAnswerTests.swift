// What every preset must hold to: its sandbox's answers are met by its own rules as they should be, and an alarm of
// Divert's own, of which no call is known, can be sent by everything that alerts.

import DivertCore
import Testing

@testable import DivertConfig

@Suite("Presets' own answers") struct PresetAnswerTests {
  /// A file with one target of the type, given what the type requires.
  static func file(_ type: String) throws -> String {
    let preset = try #require(Preset.all[type])
    let given = preset.parameters.filter(\.required).map { parameter in
      let isAddress = parameter.name == "url" || preset.root["url"]?.text == "{{ target.\(parameter.name) }}"
      let value = isAddress ? "https://vendor.example" : "x"
      return ", \(parameter.name): \"\(parameter.secret ? "{{ secrets.\(parameter.name) }}" : value)\""
    }
    return "version: 1\ntargets:\n  vendor: { type: \(type)\(given.joined()) }\n"
  }

  private static func load(_ text: String) throws -> (table: RouteTable, result: LoadResult) {
    let result = ConfigLoader.load(text: text, file: "routes.yaml")
    return (try #require(result.table, "\(result.diagnostics)"), result)
  }

  private static func outcome(_ answer: HTTPAnswer, _ table: RouteTable) throws -> AttemptOutcome {
    ResponseRules.judge(
      .answered(answer), rules: try #require(table.parts.targets["vendor"]).responses, ambiguous: .retry,
      now: Timestamp(milliseconds: 0), patterns: table.patterns
    ).outcome
  }

  private static func bytes(_ body: JSONValue?) -> [UInt8] {
    if let text = body?.string { return Array(text.utf8) }
    return body?.encoded() ?? []
  }

  @Test("the sandbox's success is one by the preset's rules", arguments: Presets.names)
  func success(_ type: String) throws {
    let (table, result) = try Self.load(try Self.file(type))
    for (name, answer) in result.sandboxAnswers {
      let outcome = try Self.outcome(HTTPAnswer(status: answer.status, body: Self.bytes(answer.body)), table)
      #expect(outcome == .ok, "\(name): \(outcome)")
    }
  }

  @Test("none of its failures is", arguments: Presets.names) func failures(_ type: String) throws {
    let (table, result) = try Self.load(try Self.file(type))
    for (name, fault) in result.sandboxTargets["vendor"]?.faults ?? [:] {
      // 204 is what a search that found nothing answers; a write never does.
      guard let status = fault.status, status != 204 else { continue }
      let answer = HTTPAnswer(status: status, headers: fault.headers, body: Self.bytes(fault.body))
      let outcome = try Self.outcome(answer, table)
      #expect(outcome != .ok, "\(name): \(outcome)")
    }
  }

  /// What vendors say of what is left, and how many seconds nothing goes then.
  static let quotas: [(type: String, headers: [String: String], rest: Int64?)] = [
    ("hubspot", ["X-HubSpot-RateLimit-Remaining": "0", "X-HubSpot-RateLimit-Interval-Milliseconds": "10000"], 10),
    ("hubspot", ["X-HubSpot-RateLimit-Remaining": "1", "X-HubSpot-RateLimit-Daily-Remaining": "5"], nil),
    ("hubspot", ["X-HubSpot-RateLimit-Daily-Remaining": "0"], 37_800),  // midnight in Kolkata
    ("zoho", ["X-API-CREDITS-REMAINING": "100"], 900), ("zoho", ["X-API-CREDITS-REMAINING": "2500"], nil),
    ("salesforce", ["Sforce-Limit-Info": "api-usage=18/5000"], nil),
    ("salesforce", ["Sforce-Limit-Info": "api-usage=4950/5000; per-app-api-usage=17/250(appName=Divert)"], 900),
    ("salesforce", ["Sforce-Limit-Info": "something else"], nil),
    ("pipedrive", ["x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"], 2),
    ("pipedrive", ["x-ratelimit-remaining": "7", "x-daily-ratelimit-token-remaining": "99"], 900),
    ("discord", ["X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "1.000"], 1),
    ("discord", ["X-RateLimit-Remaining": "4", "X-RateLimit-Reset-After": "1.470"], nil),
  ]

  @Test("what a vendor says of what is left is understood", arguments: quotas.indices) func quota(_ index: Int) throws {
    let (type, headers, rest) = Self.quotas[index]
    let (table, _) = try Self.load(try Self.file(type))
    let now = Timestamp(milliseconds: 1_768_464_000_000)
    let answer = HTTPAnswer(status: 200, headers: headers.map { HTTPHeader($0.key, $0.value) })
    let until = ResponseRules.rest(
      answer, rules: try #require(table.parts.targets["vendor"]).quota, now: now, patterns: table.patterns)
    #expect(until == rest.map { now + .seconds($0) }, "\(headers)")
  }

  @Test(
    "Divert's own alarms go out by everything that alerts",
    arguments: [
      "slack.alert", "slack_bot.alert", "teams.alert", "google_chat.alert", "discord.alert", "telegram.alert",
      "pagerduty.trigger",
    ])
  func alarms(_ name: String) throws {
    let (type, action) = (name.split(separator: ".")[0], name.split(separator: ".")[1])
    let (table, _) = try Self.load(try Self.file(String(type)) + "alarms: { send: [vendor.\(action)] }\n")
    let (alarm, target) = (try #require(table.parts.alarms.first), try #require(table.parts.targets["vendor"]))
    let now = Timestamp(milliseconds: 1_768_473_025_000)
    let event = Event(
      id: EventID(sequence: 1 << 20, tag: 7), source: RouteTable.alarmSource, receivedAt: now,
      fields: Event.Fields(name: "DIVERT_ALARM", at: now), body: [], raw: ["text": "Divert: crm is held"])
    var job = RenderJob(
      event: event, plan: try #require(table.planAlarm(event).first),
      recipe: RequestRecipe(
        send: alarm, action: try #require(target.actions[alarm.action]), target: target, table: table),
      attemptAt: now)
    job.given = JSONObject([.init(key: "alarm", value: ["text": "Divert: crm is held"])])
    let request = try RequestRenderer.render(job, secrets: .resolved { _ in "https://hooks.example.com/x" })
    #expect(String(decoding: request.body, as: UTF8.self).contains("Divert: crm is held"))
  }
}
