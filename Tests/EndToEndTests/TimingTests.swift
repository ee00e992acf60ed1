// What is judged when a delivery is due, with the real binary and a clock of the test's own: allowed hours, expiry, the suppression list,
// caps and what came meanwhile; paused targets, restarts and kill -9 between.

import DivertCore
import Foundation
import TestSupport
import Testing

@Suite("Due", .bounded) struct TimingTests {
  /// A router whose clock the test sets, with a target that writes to people and one that does not.
  private struct Timed {
    let wa = MisbehavingTarget()
    let desk = MisbehavingTarget()
    let router: RouterProcess
    let clock: WallClockOfAnother

    init(at now: Timestamp, _ sends: String, order: String? = nil) async throws {
      let targets = """
          wa:
            url: "\(wa.url(""))"
            network: private
            \(order.map { "order_by: " + $0 } ?? "")
            actions:
              text: { post: /text, body: { call: "{{ call.id }}", to: "{{ customer.phone }}" }, to_person: true }
        \(House.target("desk", desk))
        """
      let config = House.config(
        targets: targets, routes: "  all:\n    when: { event: CALL_REJECTED }\n    send:\n\(sends)\n")
      router = try RouterProcess(config: config, secrets: ["ingest_key": House.key])
      clock = try WallClockOfAnother(in: router.folder, now: now)
      try await start()
    }

    func start() async throws {
      guard let environment = clock.environment else {
        throw RouterProcess.Failure(description: "libfaketime is not installed: scripts/setup test")
      }
      try await router.start(environment: environment)
    }

    /// The clock shows this now, and the router has looked at it.
    func set(_ time: Timestamp) async throws {
      try clock.set(time)
      _ = try await router.target("wa")
    }

    @discardableResult
    func call(
      _ call: String, at time: Timestamp, _ event: SampleEvent = .incomingRejected, phone: String = "919876543210"
    ) async throws -> String {
      let answer = try await router.post(event.body(callID: call, phone: phone, at: time), key: House.key)
      guard answer.status == 200, let id = answer.answer["id"]?.string else {
        throw RouterProcess.Failure(description: "not accepted: \(answer)")
      }
      return id
    }

    func until(_ event: String, _ states: [String: String]) async throws {
      try await router.until("\(states)") {
        _ = try await router.target("wa")
        return try await router.states(event) == states
      }
    }

    func order(_ arguments: String...) async throws {
      let output = try await router.divert(arguments)
      guard output.status == 0 else { throw RouterProcess.Failure(description: "\(arguments): \(output)") }
    }
  }

  /// A Tuesday in Kolkata.
  private static func at(_ clock: String, day: Int = 24) -> Timestamp {
    Timestamp(iso8601: "2026-11-\(day)T\(clock):00+05:30") ?? Timestamp(milliseconds: 0)
  }

  private static let expiring = """
          - wa.text: {}
            expires: 15m
            otherwise: [desk.log]
    """

  @Test("what expires while its target is paused is skipped, and what follows goes out once, a kill later too")
  func expired() async throws {
    let timed = try await Timed(at: Self.at("10:00"), Self.expiring)
    try await timed.order("targets", "pause", "wa")
    let event = try await timed.call("call_1", at: Self.at("10:00"))
    try await timed.set(Self.at("10:14"))
    #expect(try await timed.router.states(event) == ["wa.text": "waiting"])
    try await timed.set(Self.at("10:16"))
    try await timed.until(event, ["wa.text": "skipped expired", "desk.log": "delivered accepted"])
    try await timed.router.crash()
    try await timed.start()
    try await timed.order("targets", "resume", "wa")
    try await timed.router.untilSettled(planned: 2)
    #expect(timed.wa.requests.isEmpty && timed.desk.calls == ["call_1"])
    try await timed.router.expectAudit()
  }

  @Test("what expires while no router runs ends at the next start, and is not sent first")
  func expiredAway() async throws {
    let timed = try await Timed(at: Self.at("10:00"), Self.expiring)
    try await timed.order("targets", "pause", "wa")
    let event = try await timed.call("call_1", at: Self.at("10:00"))
    try await timed.order("targets", "resume", "wa")
    _ = await timed.wa.request(1)
    try await timed.order("targets", "pause", "wa")
    let second = try await timed.call("call_2", at: Self.at("10:00"), phone: "919876543211")
    try await timed.router.crash()
    try timed.clock.set(Self.at("11:00"))
    try await timed.start()
    try await timed.until(second, ["wa.text": "skipped expired", "desk.log": "delivered accepted"])
    try await timed.order("targets", "resume", "wa")
    try await timed.router.until("the first has ended") {
      try await timed.router.states(event)["wa.text"].map { $0.hasPrefix("delivered") || $0.hasPrefix("dead") } ?? false
    }
    #expect(timed.wa.calls == ["call_1"] && timed.desk.calls == ["call_2"])
    try await timed.router.expectAudit()
  }

  @Test("what had its time before it was reported is not sent at all")
  func reportedLate() async throws {
    let timed = try await Timed(at: Self.at("10:00"), Self.expiring)
    let event = try await timed.call("call_1", at: Self.at("09:30"))
    try await timed.until(event, ["wa.text": "skipped expired", "desk.log": "delivered accepted"])
    #expect(timed.wa.requests.isEmpty)
    try await timed.router.expectAudit()
  }

  @Test("a message whose hours ended while it waited is held until they begin, and lets others of its customer pass")
  func held() async throws {
    let timed = try await Timed(
      at: Self.at("18:50"),
      """
            - wa.text: {}
              hours: "08:00-19:00"
            - wa.text: {}
              after: 20m
      """, order: "customer.phone")
    try await timed.order("targets", "pause", "wa")
    try await timed.call("call_1", at: Self.at("18:50"))
    try await timed.set(Self.at("19:05"))
    try await timed.order("targets", "resume", "wa")
    try await timed.router.until("it is held") {
      try await timed.router.deliveries("call_1").contains { $0["reason"]?["code"] == "outside_hours" }
    }
    #expect(timed.wa.requests.isEmpty)
    try await timed.set(Self.at("19:11"))
    _ = await timed.wa.request(1)
    try await timed.router.crash()
    try timed.clock.set(Self.at("07:59", day: 25))
    try await timed.start()
    #expect(timed.wa.requests.count == 1)
    try await timed.set(Self.at("08:00", day: 25))
    try await timed.router.untilSettled(planned: 2)
    #expect(timed.wa.requests.count == 2)
    try await timed.router.expectAudit()
  }

  @Test("a replay of a message obeys the hours, too")
  func replayed() async throws {
    let timed = try await Timed(at: Self.at("18:50"), "      - wa.text: {}\n        hours: \"08:00-19:00\"")
    timed.wa.answer { _ in .json("{}", status: 422) }
    try await timed.call("call_1", at: Self.at("18:50"))
    try await timed.router.untilSettled(planned: 1)
    timed.wa.answer { _ in .ok }
    try await timed.set(Self.at("19:30"))
    try await timed.order("dead-letters", "replay", "--all")
    try await timed.router.until("it is held") {
      try await timed.router.deliveries("call_1").contains { $0["reason"]?["code"] == "outside_hours" }
    }
    #expect(timed.wa.requests.count == 1)
    try await timed.set(Self.at("08:00", day: 25))
    try await timed.router.untilSettled(planned: 2)
    #expect(timed.wa.requests.count == 2)
    try await timed.router.expectAudit()
  }

  @Test("who is put on the suppression list gets nothing of what waits already, machines do")
  func suppressed() async throws {
    let timed = try await Timed(at: Self.at("10:00"), "      - wa.text: {}\n      - desk.log: {}")
    try await timed.order("targets", "pause", "wa")
    let event = try await timed.call("call_1", at: Self.at("10:00"))
    try await timed.order("suppress", "add", "+919876543210", "--reason", "grievance")
    try await timed.order("targets", "resume", "wa")
    try await timed.until(event, ["wa.text": "skipped suppressed", "desk.log": "delivered accepted"])
    #expect(timed.wa.requests.isEmpty)
    try await timed.router.expectAudit()
  }

  @Test("a cap counts what went out, also over a kill in the middle of a request; who was let go keeps its place")
  func capped() async throws {
    let timed = try await Timed(
      at: Self.at("10:00"), "      - desk.log: {}\n        throttle: { at_most: 1, within: 1h }")
    timed.desk.answer { _ in .hang }
    let first = try await timed.call("call_1", at: Self.at("10:00"))
    _ = await timed.desk.request(1)
    try await timed.router.crash()
    timed.desk.answer { _ in .ok }
    try await timed.start()
    let second = try await timed.call("call_2", at: Self.at("10:00"))
    let other = try await timed.call("call_3", at: Self.at("10:00"), phone: "919876543211")
    try await timed.until(first, ["desk.log": "delivered accepted"])
    try await timed.until(second, ["desk.log": "skipped capped"])
    try await timed.until(other, ["desk.log": "delivered accepted"])
    #expect(timed.desk.calls.sorted() == ["call_1", "call_1", "call_3"])
    try await timed.set(Self.at("11:01"))
    let later = try await timed.call("call_4", at: Self.at("11:01"))
    try await timed.until(later, ["desk.log": "delivered accepted"])
    try await timed.router.expectAudit()
  }

  @Test("what came meanwhile makes a send that waits needless")
  func unless() async throws {
    let timed = try await Timed(
      at: Self.at("10:00"),
      "      - desk.log: {}\n        after: 10m\n        unless: { event: CALL_ACCEPTED, same: customer.phone }")
    let event = try await timed.call("call_1", at: Self.at("10:00"))
    let other = try await timed.call("call_2", at: Self.at("10:00"), phone: "919876543211")
    try await timed.set(Self.at("10:05"))
    try await timed.call("call_3", at: Self.at("10:05"), .accepted)
    try await timed.router.crash()
    try timed.clock.set(Self.at("10:11"))
    try await timed.start()
    try await timed.until(event, ["desk.log": "skipped unless"])
    try await timed.until(other, ["desk.log": "delivered accepted"])
    #expect(timed.desk.calls == ["call_2"])
    try await timed.router.expectAudit()
  }
}
