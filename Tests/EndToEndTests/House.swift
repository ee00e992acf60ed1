// A router on a small configuration of a test's own, and the questions that most tests ask of it.

import DivertCore
import Foundation
import TestSupport
import Testing

enum House {
  static let key = Collections.key

  /// A whole file around the sections that matter to a test, with short backoffs and no order.
  static func config(
    targets: String, routes: String, top: String = "", retry: String = "{ for: 24h, backoff: 20ms..100ms }"
  ) -> String {
    """
    version: 1
    timezone: Asia/Kolkata
    country: IN
    sources:
      doubletick: { type: doubletick, key: "{{ secrets.ingest_key }}" }
    defaults: { retry: \(retry) }
    \(top)
    targets:
    \(targets)
    routes:
    \(routes)
    """
  }

  /// A router that is up on such a file.
  static func open(
    targets: String, routes: String = sendToCRM, top: String = "",
    retry: String = "{ for: 24h, backoff: 20ms..100ms }", secrets: [String: String] = [:]
  ) async throws -> RouterProcess {
    let router = try RouterProcess(
      config: config(targets: targets, routes: routes, top: top, retry: retry),
      secrets: secrets.merging(["ingest_key": key]) { own, _ in own })
    try await router.start()
    return router
  }

  /// `  name: {…}` of a target on this machine with one action, `log`, that tells the call; `more` are further fields.
  static func target(_ name: String, _ target: MisbehavingTarget, _ more: String = "") -> String {
    """
      \(name):
        url: "\(target.url(""))"
        network: private
        \(more)
        actions:
          log: { post: /log, body: { call: "{{ call.id }}", customer: "{{ customer.phone }}" } }

    """
  }

  static let sendToCRM = route("crm.log")

  /// One route for every rejected call.
  static func route(_ sends: String) -> String { "  all: { when: { event: CALL_REJECTED }, send: [\(sends)] }\n" }
}

extension RouterProcess {
  /// Posts a rejected call and returns its event's id.
  @discardableResult
  func accept(_ call: String, phone: String = "919876543210") async throws -> String {
    let body = SampleEvent.incomingRejected.body(
      callID: call, phone: phone, at: Timestamp(milliseconds: 1_768_473_025_000))
    let answer = try await post(body, key: House.key)
    guard answer.status == 200, let id = answer.answer["id"]?.string else {
      throw Failure(description: "not accepted: \(answer)")
    }
    return id
  }

  /// A command's answer as JSON; a failure of the command is one of the test.
  func json(_ arguments: String...) async throws -> JSONValue {
    let output = try await divert(arguments + ["--format", "json"])
    guard output.status == 0 else { throw Failure(description: "\(arguments): \(output)") }
    return try JSONValue.parse(Array(output.out.utf8))
  }

  /// One target as `divert targets list` shows it.
  func target(_ name: String) async throws -> JSONValue {
    try await get("/api/targets").answer.array?.first { $0["target"]?.string == name } ?? .null
  }

  /// Asks for a target until it is as wanted.
  func untilTarget(_ name: String, _ isSo: (JSONValue) -> Bool) async throws {
    try await until("target \(name)") { isSo(try await target(name)) }
  }

  /// Every delivery of an event or a call, as `divert find` shows it.
  func deliveries(_ what: String) async throws -> [JSONValue] {
    let found = try await get("/api/find?q=\(what)").answer
    return (found["events"]?.array ?? []).flatMap { $0["deliveries"]?.array ?? [] }
  }

  /// `crm.log` … by what became of it.
  func states(_ what: String) async throws -> [String: String] {
    try await deliveries(what).reduce(into: [:]) { states, delivery in
      let name = "\(delivery["target"]?.string ?? "").\(delivery["action"]?.string ?? "")"
      states[name] =
        delivery["reason"]?["code"]?.string.map { "\(delivery["state"]?.string ?? "") \($0)" }
        ?? delivery["state"]?.string
    }
  }

  /// Asks a process of its own, which has no signal to wait on, until something is so; a minute at most.
  func until(_ what: String, _ isSo: () async throws -> Bool) async throws {
    for _ in 0..<3000 {
      if try await isSo() { return }
      try await pause()
    }
    throw Failure(description: "not in time: \(what); \(try await get("/api/status").answer)\n\(log)")
  }

  /// `divert audit` says that everything is accounted for.
  func expectAudit(_ place: SourceLocation = #_sourceLocation) async throws {
    let audit = try await divert("audit")
    #expect(audit.status == 0, "\(audit.out)\(audit.err)", sourceLocation: place)
  }
}

extension MisbehavingTarget {
  /// The calls in the order in which they arrived.
  var calls: [String] { requests.map { $0.json["call"]?.string ?? "?" } }
}
