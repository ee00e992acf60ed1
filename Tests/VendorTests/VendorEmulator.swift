// The vendor in a test: takes requests over HTTP, holds each against the schema, and answers as the case says.

import DivertCore
import Synchronization
import TestSupport

final class VendorEmulator: Sendable {
  private struct Script {
    var plays: [Play]
    var faults: [String] = []
    var asked: [(request: ReceivedRequest, operation: String?)] = []
  }

  private let schema: RequestSchema
  /// The delivery is to end in a wait: the request after it, when a slow machine comes to it, gets no answer.
  private let endsInWait: Bool
  private let script: Mutex<Script>
  private let target: MisbehavingTarget

  init(_ schema: RequestSchema, _ plays: [Play], endsInWait: Bool = false) {
    self.endsInWait = endsInWait
    let target = MisbehavingTarget()
    self.schema = schema
    self.target = target
    script = Mutex(Script(plays: plays))
    target.answer { [weak self] request in self?.answer(request) ?? .close }
  }

  /// `http://127.0.0.1:<port>`.
  var url: String { target.url("") }

  /// What was wrong with the requests, and the answers that nobody asked for.
  var faults: [String] {
    script.withLock { $0.faults + $0.plays.map { "never asked for: \($0.operation ?? "any request") → \($0.answer)" } }
  }

  /// Every answer was given.
  var isAtEnd: Bool { script.withLock { $0.plays.isEmpty } }

  /// In the order of their arrival.
  var requests: [ReceivedRequest] { script.withLock { $0.asked.map(\.request) } }

  /// What happened, for a failed test.
  var story: String {
    let asked = script.withLock { $0.asked }
    let lines = asked.map { request, operation in
      let headers = request.headers.map { "  \($0.name): \($0.value)" }.joined(separator: "\n")
      return "\(request.method) \(request.path) (\(operation ?? "not in the schema"))\n\(headers)\n  \(request.text)"
    }
    return (lines + faults).joined(separator: "\n")
  }

  private func answer(_ request: ReceivedRequest) -> Answer {
    let (operation, faults) = schema.judge(request)
    return script.withLock { script in
      if endsInWait, script.plays.isEmpty, script.asked.contains(where: { $0.request.path == request.path }) {
        return .hang
      }
      script.asked.append((request, operation))
      script.faults += faults
      guard let place = script.plays.firstIndex(where: { $0.operation == nil || $0.operation == operation }) else {
        script.faults.append("one request too many: \(request.method) \(request.path)")
        return .status(599)
      }
      let play = script.plays.remove(at: place)
      return play.answering?(request) ?? play.answer
    }
  }
}
