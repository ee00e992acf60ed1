// Few routers at a time, however many cases there are: each test of a bounded suite waits for a place.

internal import Synchronization
package import Testing

/// At most so many of the suites' tests run at once, over all suites.
package struct Bounded: SuiteTrait, TestTrait, TestScoping {
  private static let places = Places(6)
  package var isRecursive: Bool { true }

  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    // A suite, or a test with arguments as a whole, runs nothing by itself.
    if testCase == nil { return try await function() }
    await Self.places.take()
    defer { Self.places.giveBack() }
    try await function()
  }
}

extension Trait where Self == Bounded {
  /// Starts real routers: few at once.
  package static var bounded: Bounded { Bounded() }
}

/// A counted number of places; who finds none waits in line.
private final class Places: Sendable {
  private let state: Mutex<(free: Int, waiting: [CheckedContinuation<Void, Never>])>

  init(_ count: Int) { state = Mutex((count, [])) }

  func take() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        if state.free > 0 {
          state.free -= 1
          return true
        }
        state.waiting.append(continuation)
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  func giveBack() {
    let next: CheckedContinuation<Void, Never>? = state.withLock { state in
      if state.waiting.isEmpty {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}
