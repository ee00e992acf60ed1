// The hand-over from any thread to the curl thread: a mutex around an array, and a wake.

internal import CEpoll
internal import DivertCore
internal import Synchronization

/// What others have put down for the curl thread.
final class TransferInbox: Sendable {
  private struct State {
    var requests: [TransferRequest] = []
    var stop: Span?
    /// The curl thread looked, found nothing, and is in or about to enter its sleep.
    var asleep = false
    var ended = false
    var atEnd: [CheckedContinuation<Void, Never>] = []
    /// The eventfd that the curl thread sleeps on; written to under the lock alone, and forgotten before it is closed.
    var bell: Int32?
  }

  private let state = Mutex(State())

  func attach(_ bell: Int32) {
    state.withLock { $0.bell = bell }
  }

  /// False when the transport stops: nothing was taken.
  func put(_ requests: [TransferRequest]) -> Bool {
    state.withLock { state in
      guard state.stop == nil, !state.ended else { return false }
      if state.requests.isEmpty { state.requests = requests } else { state.requests += requests }
      wake(&state)
      return true
    }
  }

  /// Asks the thread to end; the first call's span counts.
  func stop(within span: Span) {
    state.withLock { state in
      guard state.stop == nil else { return }
      state.stop = span
      wake(&state)
    }
  }

  /// Returns when the thread has ended.
  func untilEnd() async {
    await withCheckedContinuation { continuation in
      let ended = state.withLock { state in
        if !state.ended { state.atEnd.append(continuation) }
        return state.ended
      }
      if ended { continuation.resume() }
    }
  }

  private func wake(_ state: inout State) {
    guard state.asleep, let bell = state.bell else { return }
    state.asleep = false
    eventfd_write(bell, 1)
  }

  // MARK: - The curl thread's side

  /// What was put down since the last call, and whether to stop. The thread counts as awake from here.
  func take() -> (requests: [TransferRequest], stop: Span?) {
    state.withLock { state in
      state.asleep = false
      if state.requests.isEmpty { return ([], state.stop) }
      defer { state.requests = [] }
      return (state.requests, state.stop)
    }
  }

  /// True when nothing was put down since `take`, so that the thread may sleep: from here on a put wakes it.
  func mayRest(stopSeen: Bool) -> Bool {
    state.withLock { state in
      state.asleep = state.requests.isEmpty && (stopSeen || state.stop == nil)
      return state.asleep
    }
  }

  /// The thread's last word before it closes the bell: nobody wakes it after this. Returns what nobody took.
  func end() -> [TransferRequest] {
    state.withLock { state in
      state.bell = nil
      state.ended = true
      defer { state.requests = [] }
      return state.requests
    }
  }

  /// Lets those go on who wait for the end.
  func announceEnd() {
    for continuation in state.withLock({ state in
      defer { state.atEnd = [] }
      return state.atEnd
    }) { continuation.resume() }
  }
}
