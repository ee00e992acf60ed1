// The lender of docs/collections.md: the router on the example's own file, a CRM with accounts, WhatsApp and a team lead's channel.

import DivertCore
import Foundation
import Synchronization
import TestSupport

/// A CRM that keeps accounts by phone, as the example's targets expect it, and remembers what was done to them.
final class AccountsCRM: Sendable {
  struct Account: Sendable {
    var id: Int
    var phone: String
    var stage: String
    var risk: String
    var calls: [JSONValue] = []
    var notes: [JSONValue] = []
  }

  struct Books: Sendable {
    var accounts: [Account]
    /// Bodies posted to `/agent-activity`, `/reviews` and `/tasks`.
    var activity: [JSONValue] = []
    var reviews: [JSONValue] = []
    var tasks: [JSONValue] = []
    /// Requests that no endpoint takes.
    var strange: [String] = []
  }

  let books: Mutex<Books>
  let target = MisbehavingTarget()

  init(_ accounts: [Account]) {
    books = Mutex(Books(accounts: accounts))
    target.answer { [weak self] in self?.answer($0) ?? .json("{}", status: 500) }
  }

  var now: Books { books.withLock { $0 } }
  func account(_ phone: String) -> Account? { now.accounts.first { $0.phone == phone } }

  private func answer(_ request: ReceivedRequest) -> Answer {
    guard request.header("authorization") == "Bearer crm-t0ken" else { return .json("{}", status: 401) }
    let parts = request.path.split(separator: "?", maxSplits: 1).map(String.init)
    let steps = parts[0].split(separator: "/").map(String.init)
    return books.withLock { books in
      switch (request.method, Array(steps.dropFirst())) {
      case ("GET", ["accounts"]): return Self.search(parts.last ?? "", books)
      case ("POST", ["agent-activity"]): books.activity.append(request.json)
      case ("POST", ["reviews"]): books.reviews.append(request.json)
      case ("POST", ["tasks"]): books.tasks.append(request.json)
      case (let method, let path) where path.count >= 2 && path[0] == "accounts":
        guard let place = books.accounts.firstIndex(where: { String($0.id) == path[1] }) else {
          return .json("{}", status: 404)
        }
        switch (method, path.dropFirst(2).first) {
        case ("POST", "calls"): books.accounts[place].calls.append(request.json)
        case ("POST", "notes"): books.accounts[place].notes.append(request.json)
        case ("PATCH", nil): books.accounts[place].risk = request.json["risk"]?.string ?? "?"
        default: books.strange.append("\(method) \(request.path)")
        }
      default: books.strange.append("\(request.method) \(request.path)")
      }
      return .ok
    }
  }

  private static func search(_ query: String, _ books: Books) -> Answer {
    let phone = query.replacingOccurrences(of: "phone=", with: "").removingPercentEncoding ?? ""
    let found = books.accounts.filter { $0.phone == phone }.map { account -> JSONValue in
      ["id": .number(Int64(account.id)), "stage": .string(account.stage), "risk": .string(account.risk)]
    }
    return .json(JSONValue(dictionaryLiteral: ("data", .array(found))).text)
  }
}

/// The lender's router, with a clock of its own.
struct Lender {
  static let early = "+919876500001"
  static let mid = "+919876500002"
  static let late = "+919876500003"

  let crm = AccountsCRM([
    .init(id: 1, phone: early, stage: "early", risk: "low"),
    .init(id: 2, phone: mid, stage: "mid", risk: "medium"),
    .init(id: 3, phone: late, stage: "late", risk: "high"),
  ])
  let whatsapp = MisbehavingTarget { _ in
    .json(#"{"recipient":"919876543210","status":"SENT","messageId":"m"}"#, status: 201)
  }
  let slack = MisbehavingTarget { _ in .json("ok") }
  let router: RouterProcess
  let clock: WallClockOfAnother

  /// A Tuesday; times of day are given as they are on the wall in Kolkata.
  static func at(_ clock: String, day: Int = 24) -> Timestamp {
    Timestamp(iso8601: "2026-11-\(day)T\(clock):00+05:30") ?? Timestamp(milliseconds: 0)
  }

  /// A router that is up at that time, on `examples/collections/routes.yaml` but for the targets' addresses.
  static func open(at now: Timestamp) async throws -> Lender {
    let lender = try Lender(now)
    guard let environment = lender.clock.environment else {
      throw RouterProcess.Failure(description: "libfaketime is not installed: scripts/setup test")
    }
    try await lender.router.start(environment: environment)
    return lender
  }

  private init(_ now: Timestamp) throws {
    var file = try String(
      contentsOf: Page.root.appendingPathComponent("examples/collections/routes.yaml"), encoding: .utf8)
    for (before, after) in [
      ("url: https://crm.example.com/api", "url: \(crm.target.url("/api"))\n    network: private"),
      (
        "type: doubletick, key: \"{{ secrets.doubletick_key }}\"",
        "type: doubletick, key: \"{{ secrets.doubletick_key }}\", url: \"\(whatsapp.url(""))\", network: private"
      ),
      ("type: slack,", "type: slack, network: private,"),
      // Heads of the record would stand among the alerts.
      ("record: { publish: team_lead.alert, every: 1d }", ""),
    ] {
      guard file.contains(before) else { throw RouterProcess.Failure(description: "the example has no \(before)") }
      file = file.replacingOccurrences(of: before, with: after)
    }
    router = try RouterProcess(
      config: file,
      secrets: [
        "doubletick_ingest_key": Collections.key, "crm_token": "crm-t0ken", "doubletick_key": "dt-k3y",
        "team_lead_hook": slack.url("/services/T0/B0/x"),
      ])
    clock = try WallClockOfAnother(in: router.folder, now: now)
  }

  /// A call of this kind with the customer, at that time; returns its event's id.
  @discardableResult
  func call(_ sample: SampleEvent, _ call: String, _ phone: String, at time: Timestamp) async throws -> String {
    let body = sample.body(callID: call, phone: String(phone.dropFirst()), at: time)
    let answer = try await router.post(body, key: Collections.key)
    guard answer.status == 200, let id = answer.answer["id"]?.string else {
      throw RouterProcess.Failure(description: "not accepted: \(answer)")
    }
    return id
  }

  /// The texts that the team lead read.
  var alerts: [String] { slack.requests.compactMap { $0.json["text"]?.string } }
}
