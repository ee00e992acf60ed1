// The sandbox's stand-in for every target: a server on its own loopback port that answers as each target would.

package import DivertConfig
package import DivertCore
package import Logging
import NIOHTTP1
import ServiceLifecycle
import Synchronization

/// Answers the engine's requests in the sandbox. Where a target's own address would be `https://host/path?query`, the
/// engine calls `http://127.0.0.1:<port>/<target>/path?query`, with the action's name in the header `x-divert-action`.
package final class Emulator: Service {
  /// What a target answers with.
  package struct Answer: Sendable, Hashable {
    package var status: Int
    package var body: String
    /// How it becomes the answer to several deliveries in one request.
    package var batch: SandboxBatch?
    package init(status: Int = 200, body: String = #"{"ok":true}"#) {
      self.status = status
      self.body = body
    }
  }

  /// How a target misbehaves for a while.
  package struct Misbehaviour: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
      case answer(Answer)
      /// The connection is closed without an answer.
      case hangUp
      /// As it would answer otherwise (but late).
      case normal
    }
    package var kind: Kind
    package var headers: [HTTPHeader]
    /// Waits this long before it answers.
    package var delay: Span
    /// For this many requests; nil: until it is told otherwise.
    package var times: Int?
    /// The fault's name, where it has one.
    package var name: String?
    package init(kind: Kind, headers: [HTTPHeader] = [], delay: Span = .zero, times: Int? = nil) {
      self.kind = kind
      self.headers = headers
      self.delay = delay
      self.times = times
    }
  }

  /// A request that arrived, whole.
  package struct Seen: Sendable, Hashable {
    package var at: Timestamp
    package var target: String
    package var action: String
    package var method: String
    /// With its query, as the target would see it.
    package var path: String
    package var headers: [HTTPHeader]
    package var body: [UInt8]
    /// 0: none was given.
    package var status: Int
    /// The body that was answered.
    package var answer: [UInt8] = []
    /// The fault that it met; nil: none with a name.
    package var fault: String?
  }

  private struct State {
    var misbehaving: [String: Misbehaviour] = [:]
    var seen: [Seen] = []
    var count = 0
  }

  private let answers: @Sendable () -> [String: Answer]
  private let faults: SandboxFaults?
  private let kept: Int
  private let logger: Logger
  private let onListening: @Sendable (_ port: Int) async -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - answers: by `target.action`, else by `target`; 200 `{"ok":true}` for the rest. Asked at each request.
  ///   - faults: asked at each request whether it fails.
  ///   - kept: how many of the last requests are remembered.
  ///   - onListening: told the port once requests are taken.
  package init(
    answers: @escaping @Sendable () -> [String: Answer], faults: SandboxFaults? = nil, kept: Int = 200,
    logger: Logger, onListening: @escaping @Sendable (_ port: Int) async -> Void
  ) {
    self.answers = answers
    self.faults = faults
    self.kept = kept
    self.logger = logger
    self.onListening = onListening
  }

  /// Serves until the graceful shutdown.
  package func run() async throws {
    var limits = HTTPLimits()
    limits.grace = .seconds(1)
    limits.idle = .seconds(300)
    try await HTTPListener(
      address: ListenAddress(host: "127.0.0.1", port: 0), service: service, limits: limits, logger: logger,
      onListening: onListening
    ).run()
  }

  /// The last requests, newest last; of one target where it is given.
  package func seen(target: String? = nil) -> [Seen] {
    state.withLock { state in state.seen.filter { target == nil || $0.target == target } }
  }

  /// How many requests were answered since the start.
  package var count: Int { state.withLock { $0.count } }

  /// From now on the target behaves so; nil: as it should.
  package func set(_ misbehaviour: Misbehaviour?, target: String) {
    state.withLock { $0.misbehaving[target] = misbehaviour }
  }

  /// The targets that misbehave now.
  package var misbehaving: [String: Misbehaviour] { state.withLock { $0.misbehaving } }

  /// Where the emulator takes what the engine would send to `url`: the same path and query under the target's name. Nil
  /// where `url` is no HTTP address.
  package static func redirect(_ url: String, target: String, port: Int) -> String? {
    guard let scheme = url.firstRange(of: "://") else { return nil }
    let rest = url[scheme.upperBound...].drop { $0 != "/" && $0 != "?" }
    return "http://127.0.0.1:\(port)/\(target)\(rest.hasPrefix("/") ? "" : "/")\(rest)"
  }
}

extension Emulator {
  private var service: HTTPService {
    HTTPService(
      head: { head, _ in
        .read(
          BodyReader(
            limit: 16 << 20, tooLarge: { HTTPAnswer(status: 413, body: [], closes: true) },
            whole: { body, reply in
              Task {
                let answer = await self.answer(head, body)
                reply { answer }
              }
            }))
      },
      failure: { HTTPAnswer(status: $0, body: []) })
  }

  private func answer(_ head: HTTPRequestHead, _ body: [UInt8]) async -> HTTPAnswer {
    let rest = head.uri.dropFirst()
    let target = String(rest.prefix { $0 != "/" && $0 != "?" })
    let action = head.headers.first(name: "x-divert-action") ?? ""
    let manner = takeManner(of: target) ?? faults?.next(target, action: action)
    if let delay = manner?.delay, delay > .zero { try? await Task.sleep(for: .milliseconds(delay.milliseconds)) }
    let answer = answer(of: target, action, manner, to: body)
    remember(
      Seen(
        at: WallClock.now(), target: target, action: action, method: head.method.rawValue,
        path: String(rest.dropFirst(target.count)), headers: head.headers.map { HTTPHeader($0.name, $0.value) },
        body: body, status: answer.status, answer: answer.body, fault: manner?.name))
    return answer
  }

  /// What the target was told to do with this request; counts it.
  private func takeManner(of target: String) -> Misbehaviour? {
    state.withLock { state in
      guard var manner = state.misbehaving[target] else { return nil }
      if let times = manner.times {
        manner.times = times - 1
        state.misbehaving[target] = times > 1 ? manner : nil
      }
      return manner
    }
  }

  private func answer(
    of target: String, _ action: String, _ manner: Misbehaviour?, to request: [UInt8]
  ) -> HTTPAnswer {
    var answer: HTTPAnswer
    switch manner?.kind {
    case .hangUp: return .hangUp
    case .answer(let given): answer = Self.http(given)
    case .normal, nil:
      let answers = answers()
      let given = answers["\(target).\(action)"] ?? answers[target] ?? Answer()
      answer = Self.http(given, body: given.body(to: request))
    }
    for header in manner?.headers ?? [] {
      if header.name.lowercased() == "content-type" {
        answer.contentType = header.value
      } else {
        answer.headers.append((header.name, header.value))
      }
    }
    return answer
  }

  private static func http(_ answer: Answer, body: [UInt8]? = nil) -> HTTPAnswer {
    let isJSON = answer.body.first.map { "{[".contains($0) } ?? true
    return HTTPAnswer(
      status: answer.status, contentType: isJSON ? "application/json" : "text/plain",
      body: body ?? Array(answer.body.utf8))
  }

  private func remember(_ request: Seen) {
    state.withLock { state in
      state.count += 1
      state.seen.append(request)
      if state.seen.count > kept * 2 { state.seen.removeFirst(state.seen.count - kept) }
    }
  }
}

extension Emulator.Answer {
  /// Its body, as the answer to this request.
  fileprivate func body(to request: [UInt8]) -> [UInt8] {
    let one = Array(body.utf8)
    guard let batch, let items = try? JSONValue.parse(request), let answer = try? JSONValue.parse(one) else {
      return one
    }
    return batch.answer(answer, to: items)?.encoded() ?? one
  }
}
