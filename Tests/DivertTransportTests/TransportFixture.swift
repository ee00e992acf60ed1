// The curl thread as tests use it: send and wait for the result.

import DivertCore
import DivertTransport
import Synchronization
import TestSupport

/// A transport and the results that have not been asked for yet.
final class TransportFixture: Sendable {
  private let results = ResultBox()
  let transport: CurlTransport
  private let tokens = Atomic<UInt64>(0)

  init() {
    let results = results
    transport = CurlTransport { results.put($0) }
  }

  /// Hands the requests over as one batch; their tokens.
  func submit(_ requests: [TransferRequest]) -> [UInt64] {
    var requests = requests
    for place in requests.indices { requests[place].token = tokens.add(1, ordering: .relaxed).newValue }
    transport.submit(requests)
    return requests.map(\.token)
  }

  func result(_ token: UInt64) async -> TransferResult { await results.take(token) }

  func send(_ request: TransferRequest) async -> TransferResult { await result(submit([request])[0]) }

  /// All results so far, taken or not.
  var count: Int { results.count }
}

final class ResultBox: Sendable {
  private struct State {
    var there: [UInt64: TransferResult] = [:]
    var waiting: [UInt64: CheckedContinuation<TransferResult, Never>] = [:]
    var count = 0
  }
  private let state = Mutex(State())

  var count: Int { state.withLock { $0.count } }

  func put(_ batch: [TransferResult]) {
    for result in batch {
      let waiter = state.withLock { state in
        state.count += 1
        if let waiter = state.waiting.removeValue(forKey: result.token) { return waiter as Optional }
        state.there[result.token] = result
        return nil
      }
      waiter?.resume(returning: result)
    }
  }

  func take(_ token: UInt64) async -> TransferResult {
    await withCheckedContinuation { continuation in
      let result = state.withLock { state in
        let result = state.there.removeValue(forKey: token)
        if result == nil { state.waiting[token] = continuation }
        return result
      }
      if let result { continuation.resume(returning: result) }
    }
  }
}

/// A POST to a loopback target.
func post(_ url: String, _ body: String = #"{"a":1}"#, headers: [String] = ["Content-Type: application/json"])
  -> TransferRequest
{
  TransferRequest(token: 0, method: "POST", url: url, headers: headers, body: Array(body.utf8), network: .private)
}
