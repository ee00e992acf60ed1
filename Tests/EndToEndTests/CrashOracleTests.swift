// Every 2xx is an obligation: under load the router is killed 50 times at random moments, and nothing may
// be lost, nothing sent twice to a person, nothing made up, no customer's events out of order. What arrived is read from the targets' own record.

import DivertCore
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Nothing is lost") struct CrashOracleTests {
  static let kills = 50

  @Test("50 kills at random moments under load lose nothing and send no message to a person twice")
  func kills() async throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("crash oracle: seed \(seed)")
    let fixture = try OracleFixture()
    let obligations = Obligations()
    var random = SplitMix64(state: seed)
    try await fixture.router.start()
    for round in 0..<Self.kills {
      let load = Task { @Sendable in await fixture.load(round: round, into: obligations) }
      // The moment: after so many more requests have arrived at a target.
      let more = Int.random(in: 1...60, using: &random)
      _ = await fixture.crm.request(fixture.crm.requests.count + more)
      try await fixture.router.crash()
      await load.value
      try await fixture.router.start()
      if round % 10 == 9 { try await fixture.expectBooks("seed \(seed), round \(round)") }
    }
    try await fixture.settle()
    let owed = obligations.all
    #expect(owed.count > Self.kills)
    try await fixture.check(owed)
    fixture.checkOrder()
    try await fixture.expectBooks("seed \(seed), at the end")
    #expect(try await fixture.router.terminate() == 0)
  }
}

/// Every call that was answered 200.
final class Obligations: Sendable {
  private let calls = Mutex<[String]>([])
  func add(_ call: String) { calls.withLock { $0.append(call) } }
  var all: [String] { calls.withLock { $0 } }
}

/// Messages' ids.
private final class Taken: Sendable {
  private let ids = Mutex<Set<String>>([])
  func add(_ id: String) { ids.withLock { _ = $0.insert(id) } }
  func has(_ id: String) -> Bool { ids.withLock { $0.contains(id) } }
}

/// A CRM that fails now and then, a hook, and messages to persons.
struct OracleFixture: Sendable {
  let crm: MisbehavingTarget
  let hook = MisbehavingTarget { refuses($0) ? .json("{}", status: 503) : .ok }
  let messages = Self.messenger()
  let router: RouterProcess

  /// What the hook does not take at first.
  static func refuses(_ request: ReceivedRequest) -> Bool { request.number % 5 == 0 }

  /// Takes messages, and tells which it has taken: a text whose answer a kill hid is asked for and not sent again.
  private static func messenger() -> MisbehavingTarget {
    let taken = Taken()
    return MisbehavingTarget { request in
      if request.method == "POST" {
        taken.add(request.json["messageId"]?.string ?? "?")
        return .json(#"{"status":"SENT"}"#, status: 201)
      }
      let id = String(request.path.split(separator: "=").last ?? "")
      return taken.has(id) ? .json(#"{"messageId":"\#(id)"}"#) : .json("{}", status: 404)
    }
  }

  init() throws {
    crm = MisbehavingTarget { $0.number % 7 == 0 ? .json("{}", status: 503) : .ok }
    router = try RouterProcess(
      config: """
        version: 1
        timezone: Asia/Kolkata
        country: IN
        sources: { doubletick: { type: doubletick, key: "{{ secrets.ingest_key }}" } }
        defaults: { retry: { for: 24h, backoff: 50ms..200ms }, order_by: customer.phone }
        targets:
          crm: { url: "\(crm.url(""))", network: private, actions: { log: { post: /log, body: { call: "{{ call.id }}" } } } }
          hook: { url: "\(hook.url(""))", network: private, actions: { event: { post: /event, body: { call: "{{ call.id }}", customer: "{{ customer.phone }}" } } } }
          messages:
            type: doubletick
            key: "{{ secrets.doubletick_key }}"
            url: "\(messages.url(""))"
            network: private
            limit: 10000/s
            actions: { text: { verify: { after: 100ms } } }
        routes:
          all:
            when: { event: CALL_REJECTED }
            send: [crm.log, hook.event, { messages.text: "Call {{ call.id }}" }]
        """,
      secrets: ["ingest_key": Collections.key, "doubletick_key": "dt-k3y"])
  }

  /// Posts from four clients at once until the router is gone; reports each call that was answered 200.
  func load(round: Int, into obligations: Obligations) async {
    await withTaskGroup(of: Void.self) { group in
      for client in 0..<4 {
        group.addTask {
          for number in 0..<200 {
            let call = "call_\(round)_\(client)_\(number)"
            let phone = "9198765432\(10 + (number + client) % 20)"
            let body = SampleEvent.incomingRejected.body(
              callID: call, phone: phone, at: Timestamp(milliseconds: 1_768_473_025_000))
            guard let answer = try? await router.post(body, key: Collections.key), answer.status == 200 else { return }
            obligations.add(call)
          }
        }
      }
    }
  }

  /// Waits until everything planned has ended.
  func settle() async throws { try await router.untilSettled(planned: 1) }

  func check(_ owed: [String]) async throws {
    let logged = calls(crm), hooked = calls(hook)
    for call in owed {
      #expect(logged[call] != nil, "\(call) never reached the CRM")
      #expect(hooked[call] != nil, "\(call) never reached the hook")
    }
    var told: [String: Int] = [:]
    for request in messages.requests where request.method == "POST" {
      told[request.json["content"]?["text"]?.string ?? "?", default: 0] += 1
    }
    #expect(told.values.allSatisfy { $0 == 1 }, "a person was told twice: \(told.filter { $0.value > 1 })")
    let parked = try await router.divert("dead-letters", "list", "--target", "messages", "--format", "json").out
    for call in owed where told["Call \(call)"] == nil {
      #expect(parked.contains("ambiguous"), "\(call): the message is neither sent nor a dead letter")
    }
    #expect(told.count + lettersOnFile() >= owed.count)
  }

  /// The hook took each customer's calls in the order in which they were accepted: a client posts its next one after the
  /// last one's answer. The first time counts, since a crash may make a call arrive again.
  func checkOrder() {
    var last: [String: (round: Int, number: Int)] = [:]
    var seen: Set<String> = []
    for request in hook.requests where !Self.refuses(request) {
      let call = request.json["call"]?.string ?? ""
      let parts = call.split(separator: "_").compactMap { Int($0) }
      guard parts.count == 3, seen.insert(call).inserted else { continue }
      let line = "\(request.json["customer"]?.string ?? "") of client \(parts[1])"
      if let before = last[line] {
        #expect(before < (parts[0], parts[2]), "\(call) came after \(before) for \(line)")
      }
      last[line] = (parts[0], parts[2])
    }
  }

  /// Nothing is unaccounted for, also in the middle of things.
  func expectBooks(_ when: String) async throws {
    let audit = try await router.divert("audit")
    #expect(audit.status == 0, "\(when): \(audit.out)\(audit.err)")
  }

  /// Dead letters of messages: what was parked because a crash hid the answer.
  private func lettersOnFile() -> Int {
    let folder = router.data.appendingPathComponent("dead-letters/messages")
    let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return files.filter { $0.hasSuffix(".json") }.count
  }

  private func calls(_ target: MisbehavingTarget) -> [String: Int] {
    target.requests.reduce(into: [:]) { $0[$1.json["call"]?.string ?? "?", default: 0] += 1 }
  }
}
