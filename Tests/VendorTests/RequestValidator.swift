// Requests judged by what their receivers use, through scripts/request-validator.py: nothing of it knows Divert.

import DivertCore
import Foundation
import Synchronization
import TestSupport
import Testing

enum RequestValidator {
  /// Whose judgement.
  enum Judge: String { case cloudevents, google_chat, slack, standardwebhooks }

  private static let program = Validator("request-validator")
  static let isThere = program.isThere

  /// What is wrong with each request.
  static func faults(_ requests: [ReceivedRequest], _ judge: Judge, secrets: [String] = []) throws -> [[String]] {
    try faults(
      judge,
      requests.map { request in
        let headers = JSONObject(request.headers.map { .init(key: $0.name, value: .string($0.value)) })
        return [
          "headers": .object(headers), "body": .string(request.text),
          "secrets": .array(secrets.map(JSONValue.string)),
        ]
      })
  }

  /// The same for requests as the program reads them.
  static func faults(_ judge: Judge, _ requests: [JSONValue]) throws -> [[String]] {
    let lines = requests.map { $0.overlaid(with: ["judge": .string(judge.rawValue)]) }
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("requests-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(lines.flatMap { $0.encoded() + [UInt8(ascii: "\n")] }).write(to: file)
    let faults = try program.lines([file.path]).map { line in
      (try JSONValue.parse(line)["faults"]?.array ?? []).compactMap(\.string)
    }
    try #require(faults.count == requests.count)
    return faults
  }

  /// The requests of those cases that end delivered.
  static func requests(_ contract: VendorContract, _ cases: [VendorCase]) async throws -> [ReceivedRequest] {
    let found = Mutex<[ReceivedRequest]>([])
    for var one in cases where one.end == .delivered {
      one.requests = { requests in found.withLock { $0 += requests } }
      try await contract.check(one)
    }
    return found.withLock { $0 }
  }
}

@Suite("Independent validators", .bounded, RequestValidator.isThere) struct RequestValidatorTests {
  @Test("Slack's own models take every message, by webhook and by bot") func slack() async throws {
    let hook = try await RequestValidator.requests(SlackTests.hook, SlackTests.cases)
    let bot = try await RequestValidator.requests(SlackBotTests.bot, SlackBotTests.cases)
    let faults = try RequestValidator.faults(hook + bot, .slack)
    #expect(faults.count > 8 && faults.allSatisfy(\.isEmpty), "\(faults)")
  }

  @Test("Google's own types take every message") func googleChat() async throws {
    let requests = try await RequestValidator.requests(GoogleChatTests.hook, GoogleChatTests.cases)
    let faults = try RequestValidator.faults(requests, .google_chat)
    #expect(faults.count > 4 && faults.allSatisfy(\.isEmpty), "\(faults)")
  }

  @Test("the CloudEvents SDK reads every event, and Standard Webhooks' library takes its signature")
  func backend() async throws {
    let requests = try await RequestValidator.requests(BackendTests.signed, BackendTests.cases)
    for (judge, secrets) in [(RequestValidator.Judge.cloudevents, []), (.standardwebhooks, [BackendTests.old])] {
      let faults = try RequestValidator.faults(requests, judge, secrets: secrets)
      #expect(faults.count > 4 && faults.allSatisfy(\.isEmpty), "\(faults)")
    }
  }

  @Test("while a secret is changed, either takes the signature, and no other does") func rotation() async throws {
    let two = BackendTests.cases.filter { $0.name.hasPrefix("two secrets") }
    let requests = try await RequestValidator.requests(BackendTests.signed, two)
    let good = try RequestValidator.faults(requests, .standardwebhooks, secrets: [BackendTests.old, BackendTests.new])
    #expect(good == [[]])
    let bad = try RequestValidator.faults(requests, .standardwebhooks, secrets: ["whsec_b3RoZXIga2V5"])
    #expect(bad.first?.first?.contains("No matching signature found") == true, "\(bad)")
  }

  @Test("they find what is wrong") func finds() throws {
    func isRefused(_ body: String, _ judge: RequestValidator.Judge) throws -> Bool {
      let request: JSONValue = [
        "headers": ["content-type": "application/cloudevents+json"], "body": .string(body), "secrets": ["whsec_eA=="],
      ]
      return try RequestValidator.faults(judge, [request]).first?.isEmpty == false
    }
    #expect(try isRefused(#"{"text":"x","blocks":[{"type":"nothing"}]}"#, .slack))
    #expect(try isRefused(#"{"txt":"x"}"#, .google_chat))
    #expect(try isRefused(#"{"specversion":"1.0","id":"1","source":"s","data":{"a":1}}"#, .cloudevents))
    #expect(try isRefused("{}", .standardwebhooks))
  }
}
