// How one target's answers and limits are met, and that they are no other target's trouble.

import DivertCore
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Targets", .bounded) struct TargetTests {
  /// A pager of its own for alarms: one field, the alarm's text.
  private static func pager(_ target: MisbehavingTarget) -> String {
    """
      pager:
        url: "\(target.url(""))"
        network: private
        actions: { ring: { post: /, arguments: { text: { main: true } }, body: { text: "{{ arguments.text }}" } } }

    """
  }

  @Test("401 holds a target: its deliveries wait until it is resumed, with one alarm and one recovery")
  func unauthorized() async throws {
    let crm = MisbehavingTarget { _ in .json("{}", status: 401) }
    let (hook, pager) = (MisbehavingTarget(), MisbehavingTarget())
    let router = try await House.open(
      targets: House.target("crm", crm) + House.target("hook", hook) + Self.pager(pager),
      routes: House.route("crm.log, hook.log"), top: "alarms: { send: [pager.ring] }")
    try await router.accept("call_1")
    try await router.untilTarget("crm") { $0["state"] == "held" }
    #expect(try await router.target("crm")["reason"]?["code"] == "unauthorized")
    let alarm = await pager.request(1)
    #expect(alarm.json["text"]?.string?.contains("target crm is held") == true, "\(alarm.text)")
    for call in 2...4 { try await router.accept("call_\(call)") }
    _ = await hook.request(4)
    #expect(crm.calls == ["call_1"])
    #expect(try await router.divert("status").out.contains("crm is held"))

    crm.answer { _ in .ok }
    #expect(try await router.divert("targets", "resume", "crm").status == 0)
    let recovery = await pager.request(2)
    #expect(recovery.json["text"]?.string?.contains("over") == true, "\(recovery.text)")
    try await router.untilSettled(planned: 10)
    #expect(Set(crm.calls.dropFirst()) == ["call_1", "call_2", "call_3", "call_4"] && crm.calls.count == 5)
    #expect(pager.requests.count == 2)
    try await router.expectAudit()
  }

  @Test("a hold outlives the process; the restart with the renewed secret tries the target, which lifts it")
  func renewed() async throws {
    let crm = MisbehavingTarget { $0.header("authorization") == "Bearer new" ? .ok : .json("{}", status: 401) }
    let (hook, pager) = (MisbehavingTarget(), MisbehavingTarget())
    let router = try await House.open(
      targets: House.target("crm", crm, #"auth: { bearer: "{{ secrets.crm_token }}" }"#)
        + House.target("hook", hook) + Self.pager(pager),
      routes: House.route("crm.log, hook.log"), top: "alarms: { send: [pager.ring] }", secrets: ["crm_token": "old"])
    for call in 1...3 { try await router.accept("call_\(call)") }
    try await router.untilTarget("crm") { $0["state"] == "held" && $0["in_flight"]?.integer == 0 }
    _ = await pager.request(1)
    try await router.untilTarget("pager") { $0["delivered"]?.integer == 1 }
    let refused = crm.requests.count
    #expect(try await router.terminate() == 0)
    #expect(try await router.divert("targets", "list").out.contains("held"))
    try "new".write(to: router.folder.appendingPathComponent("secrets/crm_token"), atomically: true, encoding: .utf8)
    try await router.start()
    try await router.untilSettled(planned: 8)
    #expect(crm.requests.count == refused + 3)
    #expect(pager.requests.count == 2)
    try await router.expectAudit()
  }

  @Test("dead letters of one cause are one alarm")
  func alarmOnce() async throws {
    let (crm, pager) = (MisbehavingTarget { _ in .status(422) }, MisbehavingTarget())
    let router = try await House.open(
      targets: House.target("crm", crm) + Self.pager(pager), top: "alarms: { send: [pager.ring] }")
    for call in 1...3 { try await router.accept("call_\(call)") }
    try await router.untilSettled(planned: 4)
    crm.answer { _ in .status(404, headers: [], body: Array("gone".utf8)) }
    try await router.accept("call_4")
    try await router.untilTarget("crm") { $0["dead"]?.integer == 4 }
    try await router.untilSettled(planned: 5)
    #expect(pager.requests.count == 1)
    #expect(pager.requests[0].json["text"]?.string?.contains("422") == true)
    #expect(try await router.divert("status").out.contains("alarm: target crm"))
    try await router.expectAudit()
  }

  @Test("five deliveries in a row answered 403 die and hold the target, and the sixth waits")
  func forbidden() async throws {
    let crm = MisbehavingTarget { _ in .json("{}", status: 403) }
    let hook = MisbehavingTarget()
    let router = try await House.open(
      targets: House.target("crm", crm, "concurrency: 1") + House.target("hook", hook),
      routes: House.route("crm.log, hook.log"))
    for call in 1...7 { try await router.accept("call_\(call)") }
    try await router.untilTarget("crm") { $0["state"] == "held" && $0["dead"]?.integer == 5 }
    _ = await hook.request(7)
    #expect(crm.requests.count == 5)
    crm.answer { _ in .ok }
    #expect(try await router.divert("targets", "resume", "crm").status == 0)
    try await router.untilSettled(planned: 14)
    #expect(crm.requests.count == 7)
    try await router.expectAudit()
  }

  @Test("429 is no attempt, and its Retry-After is honoured")
  func throttled() async throws {
    let crm = MisbehavingTarget { $0.number == 1 ? .tooMany(retryAfter: "2") : .ok }
    let router = try await House.open(
      targets: House.target("crm", crm), retry: "{ for: 24h, backoff: 1ms..2ms, attempts: 1 }")
    try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    let attempts = try await router.deliveries("call_1").first?["attempts"]?.array ?? []
    #expect(attempts.map { $0["outcome"]?.string } == ["throttle", "ok"])
    let times = attempts.compactMap { $0["at"]?.string.flatMap { Timestamp(iso8601: $0) } }
    for (earlier, later) in zip(times, times.dropFirst()) { #expect(later - earlier >= .seconds(2)) }
  }

  @Test("a wait of more than a day holds the target")
  func longWait() async throws {
    let crm = MisbehavingTarget { $0.number == 1 ? .tooMany(retryAfter: "90000") : .ok }
    let router = try await House.open(targets: House.target("crm", crm))
    try await router.accept("call_1")
    try await router.untilTarget("crm") { $0["state"] == "held" }
    #expect(try await router.target("crm")["reason"]?["code"] == "retry_after_too_long")
    #expect(try await router.divert("targets", "resume", "crm").status == 0)
    try await router.untilSettled(planned: 1)
    #expect(crm.requests.count == 2)
  }

  @Test("a customer's later deliveries wait for a failing earlier one, other customers' do not")
  func order() async throws {
    let isMended = Mended()
    let crm = MisbehavingTarget { request in
      request.json["call"] == "a1" && !isMended.value ? .json("{}", status: 503) : .ok
    }
    let router = try await House.open(targets: House.target("crm", crm, "order_by: customer.phone"))
    try await router.accept("a1", phone: "919876543210")
    _ = await crm.request(1)
    for call in ["a2", "a3"] { try await router.accept(call, phone: "919876543210") }
    for call in ["b1", "b2"] { try await router.accept(call, phone: "919876543211") }
    try await router.until("the other customer's deliveries") { crm.calls.contains("b2") }
    _ = await crm.request(crm.requests.count + 2)
    #expect(!crm.calls.contains("a2") && !crm.calls.contains("a3"))
    isMended.set()
    try await router.untilSettled(planned: 5)
    #expect(crm.calls.suffix(3) == ["a1", "a2", "a3"])
    try await router.expectAudit()
  }

  @Test("a customer's order outlives a kill")
  func orderAfterKill() async throws {
    let crm = MisbehavingTarget { _ in .json("{}", status: 503) }
    let router = try await House.open(targets: House.target("crm", crm, "order_by: customer.phone"))
    for call in 1...4 { try await router.accept("call_\(call)") }
    _ = await crm.request(3)
    try await router.crash()
    let before = crm.requests.count
    crm.answer { _ in .ok }
    try await router.start()
    try await router.untilSettled(planned: 4)
    #expect(Set(crm.calls.prefix(before)) == ["call_1"])
    #expect(crm.calls.dropFirst(before) == ["call_1", "call_2", "call_3", "call_4"])
    try await router.expectAudit()
  }

  @Test("ten failures in a row open the breaker: the target is left alone, probed, and goes on by itself")
  func breaker() async throws {
    let crm = MisbehavingTarget { $0.number <= 10 ? .json("{}", status: 500) : .ok }
    let hook = MisbehavingTarget()
    let router = try await House.open(
      targets: House.target("crm", crm) + House.target("hook", hook), routes: House.route("crm.log, hook.log"),
      retry: "{ for: 24h, backoff: 1ms..2ms }")
    try await router.accept("call_1")
    try await router.untilTarget("crm") { $0["state"] == "broken" }
    for call in 2...5 { try await router.accept("call_\(call)") }
    _ = await hook.request(5)
    #expect(crm.requests.count == 10)
    try await router.untilSettled(planned: 10)
    #expect(crm.requests.count == 15)
    #expect(try await router.target("crm")["state"] == "open")
    try await router.expectAudit()
  }

  @Test("a target that hangs delays no other, and no more than its concurrency are in flight to it")
  func hanging() async throws {
    let gate = Gate()
    let crm = MisbehavingTarget { _ in .slow(gate, then: .ok) }
    let hook = MisbehavingTarget()
    let router = try await House.open(
      targets: House.target("crm", crm, "concurrency: 2") + House.target("hook", hook),
      routes: House.route("crm.log, hook.log"))
    for call in 1...12 { try await router.accept("call_\(call)") }
    _ = await hook.request(12)
    _ = await crm.request(2)
    let standing = try await router.target("crm")
    #expect(standing["in_flight"]?.integer == 2 && standing["waiting"]?.integer == 10, "\(standing.text)")
    #expect(crm.requests.count == 2)
    gate.open()
    try await router.untilSettled(planned: 24)
    #expect(Set(crm.calls).count == 12 && crm.requests.count == 12)
    try await router.expectAudit()
  }

  @Test("a rate limit lets no more through, and says so")
  func limited() async throws {
    let (crm, hook) = (MisbehavingTarget(), MisbehavingTarget())
    let router = try await House.open(
      targets: House.target("crm", crm, "limit: [100/s, 3/h]") + House.target("hook", hook),
      routes: House.route("crm.log, hook.log"))
    for call in 1...8 { try await router.accept("call_\(call)") }
    _ = await hook.request(8)
    try await router.untilTarget("crm") { $0["delivered"]?.integer == 3 }
    let standing = try await router.target("crm")
    #expect(standing["waiting"]?.integer == 5, "\(standing.text)")
    #expect(crm.requests.count == 3)
    let cancelled = try await router.divert("cancel", "--target", "crm", "--reason", "too many")
    #expect(cancelled.status == 0 && cancelled.out.contains("5 cancelled"), "\(cancelled)")
    try await router.untilSettled(planned: 16)
    try await router.expectAudit()
  }

  @Test("a private address is refused unless the target says `network: private`, and nothing is sent")
  func privateAddress() async throws {
    let crm = MisbehavingTarget()
    let router = try await House.open(
      targets: """
          crm: { url: "\(crm.url(""))", actions: { log: { post: /log } } }
          byname: { url: "http://localhost:\(crm.port)", actions: { log: { post: /log } } }
          metadata: { url: "http://169.254.169.254", network: private, actions: { log: { post: /log } } }

        """, routes: House.route("crm.log, byname.log, metadata.log"))
    try await router.accept("call_1")
    try await router.untilSettled(planned: 3)
    #expect(
      try await router.states("call_1") == [
        "crm.log": "dead address_refused", "byname.log": "dead address_refused",
        "metadata.log": "dead address_refused",
      ])
    #expect(crm.connections == 0)
  }

  @Test("a 201 with FAILED inside is no delivery")
  func failedInside() async throws {
    let person = MisbehavingTarget { _ in .json(#"{"status":"FAILED","messageId":"m"}"#, status: 201) }
    let router = try await House.open(
      targets:
        "  whatsapp: { type: doubletick, key: \"{{ secrets.k }}\", url: \"\(person.url(""))\", network: private }\n",
      routes: House.route("{ whatsapp.text: hello }"), secrets: ["k": "dt-k3y"])
    try await router.accept("call_1")
    try await router.untilSettled(planned: 1)
    #expect(try await router.states("call_1") == ["whatsapp.text": "dead rule_fail"])
    #expect(person.requests.count == 1)
    try await router.expectAudit()
  }

  @Test("a template that finds no value costs that delivery alone")
  func templateFault() async throws {
    let crm = MisbehavingTarget()
    let router = try await House.open(
      targets: """
          crm:
            url: "\(crm.url(""))"
            network: private
            actions:
              log: { post: /log, body: { call: "{{ call.id }}" } }
              note: { post: /note, body: { why: "{{ call.failed_reason }}" } }

        """, routes: House.route("crm.note, crm.log"))
    try await router.accept("call_1")
    try await router.untilSettled(planned: 2)
    #expect(try await router.states("call_1") == ["crm.note": "dead value_missing", "crm.log": "delivered accepted"])
    #expect(crm.requests.map(\.path) == ["/log"])
    try await router.expectAudit()
  }

  @Test("redirects are not followed: 3xx is a dead letter, 410 disables, another 4xx is a dead letter at once")
  func otherAnswers() async throws {
    let elsewhere = MisbehavingTarget()
    let moved = MisbehavingTarget { _ in .status(302, headers: ["Location: \(elsewhere.url("/log"))"]) }
    let gone = MisbehavingTarget { _ in .status(410) }
    let strict = MisbehavingTarget { _ in .status(422) }
    let router = try await House.open(
      targets: House.target("moved", moved) + House.target("gone", gone) + House.target("strict", strict),
      routes: House.route("moved.log, gone.log, strict.log"))
    try await router.accept("call_1")
    try await router.untilTarget("gone") { $0["state"] == "disabled" }
    try await router.untilTarget("moved") { $0["dead"]?.integer == 1 }
    try await router.untilTarget("strict") { $0["dead"]?.integer == 1 }
    let states = try await router.states("call_1")
    #expect(states["moved.log"] == "dead redirected" && states["strict.log"] == "dead rejected", "\(states)")
    #expect(states["gone.log"] == "waiting gone", "\(states)")
    #expect(elsewhere.connections == 0)
    #expect(moved.requests.count == 1 && strict.requests.count == 1)
    gone.answer { _ in .ok }
    #expect(try await router.divert("targets", "resume", "gone").status == 0)
    try await router.untilSettled(planned: 3)
    #expect(gone.requests.count == 2)
    try await router.expectAudit()
  }
}

/// Set once, asked by a target's threads.
private final class Mended: Sendable {
  private let flag = Atomic(false)
  var value: Bool { flag.load(ordering: .sequentiallyConsistent) }
  func set() { flag.store(true, ordering: .sequentiallyConsistent) }
}
