// An HTTP target in this process, on a loopback port of its own, that behaves as badly as a test asks. It speaks
// HTTP/1.1 over plain sockets with a thread a connection, so that it can do what a well-behaved server library would
// not.

internal import Dispatch
internal import Glibc
internal import Synchronization

/// A request as it arrived, whole.
package struct ReceivedRequest: Sendable {
  /// Counts all requests of the target from 1.
  package var number: Int
  package var method: String
  /// With the query.
  package var path: String
  /// In order; names in lower case.
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]
  /// Counts the target's connections from 1.
  package var connection: Int
  /// Counts the requests of its connection from 1.
  package var numberOnConnection: Int

  package var text: String { String(decoding: body, as: UTF8.self) }
  package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// Records every request, answers each as its handler says. Stopped at the latest when the last reference goes.
package final class MisbehavingTarget: Sendable {
  package typealias Handler = @Sendable (ReceivedRequest) -> Answer

  /// The loopback port it listens on.
  package let port: UInt16
  private let record: TargetRecord
  private let listener: Int32

  /// Listens at once; `handler` answers every path that has no handler of its own. `greeting` is sent on each
  /// connection before anything is read.
  package init(greeting: [UInt8] = [], _ handler: @escaping Handler = { _ in .ok }) {
    (listener, port) = LoopbackSocket.bound()
    precondition(listen(listener, 1024) == 0, "the test target cannot listen")
    record = TargetRecord(handler)
    let (listener, record) = (listener, record)
    startThread { Self.acceptAll(listener, record, greeting) }
  }

  deinit { stop() }

  /// `http://127.0.0.1:<port>` and `path`.
  package func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

  /// From now on requests for `path` (without query) are answered by `handler`.
  package func answer(_ path: String, with handler: @escaping Handler) {
    record.setHandler(handler, for: path)
  }

  /// From now on every path without a handler of its own is answered by `handler`.
  package func answer(with handler: @escaping Handler) { record.setHandler(handler, for: nil) }

  /// All requests so far, in the order in which they were read to their end.
  package var requests: [ReceivedRequest] { record.requests }
  /// Connections accepted so far.
  package var connections: Int { record.connections }

  /// The request with this number, counted from 1, as soon as it has arrived.
  package func request(_ number: Int) async -> ReceivedRequest { await record.request(number) }

  /// Returns when the target has closed so many connections.
  package func untilClosed(_ count: Int) async { await record.untilClosed(count) }

  /// Closes the port and every connection. Further connects are refused.
  package func stop() {
    if record.stop() { shutdown(listener, Int32(SHUT_RDWR)) }
  }

  private static func acceptAll(_ listener: Int32, _ record: TargetRecord, _ greeting: [UInt8]) {
    while true {
      let connection = accept(listener, nil, nil)
      if connection < 0, errno == EINTR || errno == ECONNABORTED { continue }
      guard connection >= 0 else { break }
      guard let number = record.opened(connection) else {
        close(connection)
        break
      }
      startThread { TargetConnection(connection, number, record).serve(greeting) }
    }
    close(listener)
  }
}

/// A latch: those who wait go on when it is opened, and everybody after that.
package final class Gate: Sendable {
  private let group = DispatchGroup()
  private let isOpen = Atomic(false)

  package init() { group.enter() }
  deinit { open() }

  package func open() {
    if isOpen.exchange(true, ordering: .sequentiallyConsistent) == false { group.leave() }
  }

  /// Blocks the calling thread until the gate is open.
  package func wait() { group.wait() }
}

/// What the target knows of itself, shared by its threads and the tests.
final class TargetRecord: Sendable {
  private struct State {
    var requests: [ReceivedRequest] = []
    var connections = 0
    var open: Set<Int32> = []
    var stopped = false
    var handlers: [String: MisbehavingTarget.Handler] = [:]
    var fallback: MisbehavingTarget.Handler
    var closed = 0
    var waitingForClose: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    var waiting: [(number: Int, continuation: CheckedContinuation<ReceivedRequest, Never>)] = []
  }

  private let state: Mutex<State>

  init(_ handler: @escaping MisbehavingTarget.Handler) { state = Mutex(State(fallback: handler)) }

  var requests: [ReceivedRequest] { state.withLock { $0.requests } }
  var connections: Int { state.withLock { $0.connections } }

  func setHandler(_ handler: @escaping MisbehavingTarget.Handler, for path: String?) {
    state.withLock { state in
      if let path { state.handlers[path] = handler } else { state.fallback = handler }
    }
  }

  /// Numbers and keeps a request, wakes who waits for it, and gives its handler.
  func received(_ request: inout ReceivedRequest) -> MisbehavingTarget.Handler {
    let number = state.withLock { state in
      request.number = state.requests.count + 1
      state.requests.append(request)
      return request.number
    }
    let kept = request
    let woken = state.withLock { state in
      defer { state.waiting.removeAll { $0.number == number } }
      return state.waiting.filter { $0.number == number }
    }
    for waiter in woken { waiter.continuation.resume(returning: kept) }
    let path = String(request.path.prefix { $0 != "?" })
    return state.withLock { $0.handlers[path] ?? $0.fallback }
  }

  func request(_ number: Int) async -> ReceivedRequest {
    await withCheckedContinuation { continuation in
      let there: ReceivedRequest? = state.withLock { state in
        if state.requests.count >= number { return state.requests[number - 1] }
        state.waiting.append((number, continuation))
        return nil
      }
      if let there { continuation.resume(returning: there) }
    }
  }

  /// The connection's number; nil when the target has stopped.
  func opened(_ connection: Int32) -> Int? {
    state.withLock { state in
      guard !state.stopped else { return nil }
      state.open.insert(connection)
      state.connections += 1
      return state.connections
    }
  }

  /// Closes the connection; under the lock, so that `stop` never touches a descriptor that is somebody else's by now.
  func closed(_ connection: Int32) {
    let woken = state.withLock { state in
      state.open.remove(connection)
      _ = close(connection)
      state.closed += 1
      defer { state.waitingForClose.removeAll { $0.count <= state.closed } }
      return state.waitingForClose.filter { $0.count <= state.closed }
    }
    for waiter in woken { waiter.continuation.resume() }
  }

  func untilClosed(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let isSo = state.withLock { state in
        if state.closed < count { state.waitingForClose.append((count, continuation)) }
        return state.closed >= count
      }
      if isSo { continuation.resume() }
    }
  }

  /// False when it had stopped before.
  func stop() -> Bool {
    state.withLock { state in
      defer { state.stopped = true }
      for connection in state.open { shutdown(connection, Int32(SHUT_RDWR)) }
      return !state.stopped
    }
  }
}
