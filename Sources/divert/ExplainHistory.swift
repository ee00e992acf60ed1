// What `explain` takes to be so besides the event: other events that came, the suppression list, targets that are down.

import ArgumentParser
import DivertConfig
import DivertCore
import DivertServer

struct ExplainSetting: ParsableArguments {
  enum Scope: String, ExpressibleByArgument, CaseIterable { case outreach, all }

  @Option(
    name: .customLong("lookup"),
    help: "What a lookup answers: account='{stage: late}', or account=none. Can be repeated; the others stay open.")
  var lookups: [String] = []
  @Option(help: "As if the customer were on the suppression list: for outreach, or for all messages.")
  var suppressed: Scope?
  @Option(
    name: .customLong("down"),
    help: "As if a target took nothing for a while from the event on: whatsapp=20m. Can be repeated.")
  var downs: [String] = []
  @Flag(help: "Know the other events that the router has (for a stored event this is so anyway).") var history = false

  /// What is so while an event is rehearsed.
  func setting(_ event: Event, _ table: RouteTable) throws -> RehearsalSetting {
    var setting = RehearsalSetting()
    setting.lookups = try mocks(table)
    if let suppressed, let phone = event.fields.customerPhone {
      let entry = Suppression(
        phone: phone, reason: "--suppressed", coversAnswers: suppressed == .all, since: event.receivedAt, until: nil)
      setting.suppressions = SuppressionList([entry])
    }
    for text in downs {
      let (name, span) = try down(text, table)
      setting.down[name] = event.receivedAt + span
    }
    return setting
  }

  private func down(_ text: String, _ table: RouteTable) throws -> (String, Span) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2, let span = Span(duration: parts[1]) else {
      throw ValidationError("--down \(text): write whatsapp=20m")
    }
    guard table.parts.targets[parts[0]] != nil else {
      let names = table.parts.targets.keys.sorted()
      let near = NearestName.to(parts[0], among: names).map { "did you mean `\($0)`?" }
      throw Console.fail("there is no target `\(parts[0])`; \(near ?? "there are: \(names.joined(separator: ", "))")")
    }
    return (parts[0], span)
  }

  private func mocks(_ table: RouteTable) throws -> [String: LookupMock] {
    var mocks: [String: LookupMock] = [:]
    for text in lookups {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, let mock = LookupMock.read(parts[1], of: table.parts.lookups[parts[0]]) else {
        throw ValidationError(
          "--lookup \(text): write account='{stage: late}', account=none or account='{created: {id: 7}}'")
      }
      guard let lookup = table.parts.lookups[parts[0]] else {
        let names = table.parts.lookups.keys.sorted()
        let list = names.isEmpty ? "there are none" : "there are: \(names.joined(separator: ", "))"
        let nearest = NearestName.to(parts[0], among: names).map { "did you mean `\($0)`?" }
        throw Console.fail("there is no lookup `\(parts[0])`; \(nearest ?? list)")
      }
      if let fault = mock.fault(of: lookup) {
        throw Console.fail("\(fault); there are: \(mock.known(of: lookup).joined(separator: ", "))")
      }
      mocks[parts[0]] = mock
    }
    return mocks
  }
}

/// The other events that routes may remember when they see one.
struct ExplainHistory {
  let event: Event
  let table: RouteTable

  /// In the order in which they came, the later ones too; empty where no route looks at others.
  func events(_ desk: Desk) async throws -> [Event] {
    let reach = ConfigComparison.reach(table)
    if reach == .zero { return [] }
    let start = min(event.receivedAt, event.fields.at) - reach
    if table.remembersByPhone {
      guard let phone = event.fields.customerPhone else { return [] }
      return try await page(desk, ["phone": phone, "limit": "500"]).events.filter { $0.receivedAt >= start }
    }
    return try await all(desk, from: start, until: event.receivedAt + reach)
  }

  private func all(_ desk: Desk, from start: Timestamp, until end: Timestamp) async throws -> [Event] {
    var (after, found): (String?, [Event]) = (nil, [])
    defer { Console.progress(nil) }
    repeat {
      let page = try await page(
        desk, ["since": start.iso8601, "until": end.iso8601, "after": after, "limit": "500"])
      found += page.events
      Console.progress("\(found.count) events")
      after = page.next
    } while after != nil
    return found
  }

  private func page(_ desk: Desk, _ query: [String: String?]) async throws -> (events: [Event], next: String?) {
    let answer = try await desk.get("/api/events", query)
    return (answer.items("events").compactMap { EventExchange.event($0) }, answer["next"]?.string)
  }
}
