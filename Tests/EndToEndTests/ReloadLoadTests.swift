// Configurations come and go under load: nothing is lost, nothing is sent twice, and no event is planned by a mixture of two.

import DivertCore
import Foundation
import Synchronization
import TestSupport
import Testing

/// Tells others to end.
private final class Flag: Sendable {
  private let value = Atomic(false)
  var isRaised: Bool { value.load(ordering: .relaxed) }
  func raise() { value.store(true, ordering: .relaxed) }
}

@Suite("Reloads under load", .bounded) struct ReloadLoadTests {
  /// `DIVERT_RELOADS` sets another number (scripts/torture).
  private static let reloads = ProcessInfo.processInfo.environment["DIVERT_RELOADS"].flatMap(Int.init) ?? 200

  /// Each version tags both targets' bodies and both routes.
  private static func config(_ version: Int, _ one: MisbehavingTarget, _ two: MisbehavingTarget) -> String {
    func target(_ name: String, _ target: MisbehavingTarget) -> String {
      """
        \(name):
          url: "\(target.url(""))"
          network: private
          actions: { log: { post: /log, body: { call: "{{ call.id }}", version: "\(version)" } } }

      """
    }
    return House.config(
      targets: target("one", one) + target("two", two),
      routes: """
          all-\(version): { when: { event: CALL_REJECTED }, send: [one.log] }
          and-\(version): { when: { event: CALL_REJECTED }, send: [two.log] }
        """)
  }

  @Test("many reloads under load lose nothing, duplicate nothing, and mix no two versions")
  func reloads() async throws {
    let (one, two) = (MisbehavingTarget(), MisbehavingTarget())
    let router = try RouterProcess(config: Self.config(0, one, two), secrets: ["ingest_key": House.key])
    try await router.start()
    let accepted = Obligations()
    let end = Flag()
    let load = Task {
      await withTaskGroup(of: Void.self) { group in
        for client in 0..<3 {
          group.addTask {
            var number = 0
            while !end.isRaised {
              let call = "call_\(client)_\(number)"
              number += 1
              do {
                try await router.accept(call)
                accepted.add(call)
              } catch { Issue.record("\(call): \(error)") }
            }
          }
        }
      }
    }
    for version in 1...Self.reloads {
      let text = Self.config(version, one, two)
      // By order and by save in turns; a save may be overtaken by the next order, which only leaves it out.
      if version % 10 == 0 { try router.write(config: text) }
      let answer = try await router.request(
        "POST", router.operatorAddress + "/api/config",
        body: JSONValue(dictionaryLiteral: ("text", .string(text))).encoded())
      #expect(answer.status == 200, "\(answer)")
    }
    end.raise()
    await load.value
    try await router.untilSettled(planned: 2 * accepted.all.count)
    try Self.check(accepted.all, one, two)
    try await router.expectAudit()
    let history = try await router.get("/api/config/history").answer
    #expect(history["count"]?.integer == Int64(Self.reloads + 1))
    #expect(try await router.terminate() == 0)
  }

  private static func check(_ accepted: [String], _ one: MisbehavingTarget, _ two: MisbehavingTarget) throws {
    let (first, second) = (versions(one), versions(two))
    var seen: Set<String> = []
    for call in accepted {
      #expect(
        first[call]?.count == 1 && first[call] == second[call], "\(call): \(first[call] ?? []) \(second[call] ?? [])")
      seen.formUnion(first[call] ?? [])
    }
    #expect(first.count == accepted.count && second.count == accepted.count)
    print("reloads: \(accepted.count) events, planned by \(seen.count) versions")
    #expect(seen.count > reloads / 4, "the load saw only \(seen.count) versions")
  }

  private static func versions(_ target: MisbehavingTarget) -> [String: [String]] {
    target.requests.reduce(into: [:]) { found, request in
      found[request.json["call"]?.string ?? "?", default: []].append(request.json["version"]?.string ?? "?")
    }
  }

  @Test("a kill in the middle of an apply leaves one of the two versions, whole, and the history says so")
  func kills() async throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("kills while applying: seed \(seed)")
    var random = SplitMix64(state: seed)
    let (one, two) = (MisbehavingTarget(), MisbehavingTarget())
    let router = try RouterProcess(config: Self.config(0, one, two), secrets: ["ingest_key": House.key])
    for round in 0..<12 {
      try await router.start()
      let orders = Task {
        for number in 1...50 {
          let text = Self.config(1000 * (round + 1) + number, one, two)
          let body = JSONValue(dictionaryLiteral: ("text", .string(text))).encoded()
          guard (try? await router.request("POST", router.operatorAddress + "/api/config", body: body)) != nil else {
            return
          }
        }
      }
      let milliseconds = Int32.random(in: 1...120, using: &random)
      _ = try await background { poll(nil, 0, milliseconds) }
      try await router.crash()
      await orders.value
      try await router.start()
      let (file, config) = (try String(contentsOf: router.routesFile, encoding: .utf8), try await router.config())
      #expect(config["version"]?.string == ContentHash.short(file), "seed \(seed), round \(round)")
      let number = config["number"]?.integer ?? 0
      let kept = try await router.get("/api/config/history/show?number=\(number)").answer
      #expect(kept["files"]?.array?.first?["text"]?.string == file, "seed \(seed), round \(round)")
      let history = try await router.get("/api/config/history").answer["versions"]?.array ?? []
      #expect(history.map { $0["number"]?.integer } == (1...number).reversed().map { $0 })
      let names = try FileManager.default.contentsOfDirectory(
        atPath: router.data.appendingPathComponent("config-history").path)
      #expect(!names.contains { $0.hasPrefix(".") }, "\(names)")
      try await router.crash()
    }
  }
}
