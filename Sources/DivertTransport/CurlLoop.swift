// The curl thread: it owns the multi handle and every easy handle (owner 3 of the house), takes requests in batches and
// gives results back in batches.

internal import CCurl
internal import DivertCore
internal import Glibc

/// Everything that only the curl thread touches. No C handle leaves it.
final class CurlLoop {
  /// Idle easy handles kept for the next requests. A batch of answers frees all of its handles at once before the next
  /// requests come, so this is to be above what several busy targets have in flight: a new handle costs as much as a
  /// request.
  private static let keptHandles = 512

  /// So many turns in a row may find something ended before the sockets are looked at again.
  private static let turnsInARow = 8

  /// Looks at the sockets that follow each other faster than this (microseconds) make the loop take a breath.
  private static let restless: Int64 = 200
  private static let breath: UInt32 = 100
  /// When the loop last rested, in monotonic microseconds.
  private var lastRest: Int64 = 0

  private let multi: UnsafeMutableRawPointer
  private let watch: SocketWatch
  private let inbox: TransferInbox
  private let onCompletion: @Sendable ([TransferResult]) -> Void
  private let gate = ResolverGate()
  private var idle: [EasyHandle] = []
  /// Those in the multi handle. This list is what keeps them alive for libcurl.
  private var busy: [EasyHandle] = []
  private var done: [TransferResult] = []
  /// When what is still in flight is given up, in monotonic microseconds; nil before the stop.
  private var deadline: Int64?

  init(
    multi: UnsafeMutableRawPointer, watch: SocketWatch, inbox: TransferInbox,
    onCompletion: @escaping @Sendable ([TransferResult]) -> Void
  ) {
    self.multi = multi
    self.watch = watch
    self.inbox = inbox
    self.onCompletion = onCompletion
  }

  /// Runs until it is stopped and nothing is in flight, or the deadline has passed.
  func run() {
    watch.attach(to: multi)
    var turns = 0
    while true {
      let (requests, stop) = inbox.take()
      for request in requests { start(request) }
      watch.runTimers(multi)
      let drained = drain()
      deliver()
      if let stop, isOver(stop) { break }
      // A transfer may have ended as others began: only a turn that drained nothing may sleep. The sockets are not
      // left waiting for ever, though, by requests that all end at once.
      turns = drained ? turns + 1 : 0
      if drained, turns % Self.turnsInARow != 0 { continue }
      breathe()
      let mayRest = !drained && inbox.mayRest(stopSeen: stop != nil)
      watch.wait(until: mayRest ? restEnds : nil, multi)
    }
    end()
  }

  /// Under load, when the last sleep has only just ended, a little rest first: then several sockets are ready at once, and each
  /// wake-up, batch and hand-over serves all of them.
  private func breathe() {
    if MonotonicClock.now - lastRest < Self.restless { usleep(Self.breath) }
    lastRest = MonotonicClock.now
  }

  /// The messages of what libcurl did since the last call. True when there were any, or transfers were started again.
  private func drain() -> Bool {
    var drained = false
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      drained = true
      guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
      // The message is gone with the handle's removal: its code first.
      let code = message.pointee.data.result
      guard let context = divert_easy_get_private(easy) else { continue }
      ended(Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue(), code)
    }
    for handle in gate.takeReady() {
      drained = true
      handle.prepareAgain(fresh: false)
      add(handle)
    }
    return drained
  }

  private func deliver() {
    guard !done.isEmpty else { return }
    onCompletion(done)
    done = []
  }

  private func isOver(_ stop: Span) -> Bool {
    let now = MonotonicClock.now
    let deadline = self.deadline ?? now + max(0, stop.milliseconds) * 1000
    self.deadline = deadline
    return now >= deadline || (busy.isEmpty && gate.isEmpty)
  }

  /// The stop's deadline, or far away: libcurl's own times and the inbox end the rest before.
  private var restEnds: Int64 { deadline ?? .max }
}

// MARK: - One transfer

extension CurlLoop {
  private func start(_ request: TransferRequest) {
    guard let handle = idle.popLast() ?? EasyHandle(gate: gate, watch: watch) else {
      return done.append(Self.failed(request.token, "libcurl made no handle; is the memory used up?"))
    }
    if let failure = handle.prepare(request) {
      done.append(TransferResult(token: request.token, failure: failure))
      return keep(handle)
    }
    add(handle)
  }

  private func add(_ handle: EasyHandle) {
    let code = curl_multi_add_handle(multi, handle.easy)
    guard code == CURLM_OK else {
      done.append(
        Self.failed(handle.request.token, "libcurl took no transfer: \(String(cString: curl_multi_strerror(code)))"))
      return keep(handle)
    }
    handle.slot = busy.count
    busy.append(handle)
  }

  /// A transfer left the multi handle: it waits for a name, goes again on a connection of its own, or has its result.
  private func ended(_ handle: EasyHandle, _ code: CURLcode) {
    remove(handle)
    if let host = handle.trace.waitsFor {
      return gate.park(handle, host: host)
    }
    if handle.trace.pooledRefused, !handle.trace.triedAddress, !handle.isFresh {
      handle.prepareAgain(fresh: true)
      return add(handle)
    }
    let result = handle.finish(code)
    done.append(result)
    for waiting in gate.release(handle) { afterResolution(waiting, of: result) }
    keep(handle)
  }

  /// A look-up that was answered with no is an answer for all that waited; after anything else they try themselves.
  private func afterResolution(_ handle: EasyHandle, of first: TransferResult) {
    guard let failure = first.failure, failure.code == .resolveFailed else {
      handle.prepareAgain(fresh: false)
      return add(handle)
    }
    var result = TransferResult(token: handle.request.token, failure: failure)
    result.duration = first.duration
    done.append(result)
    keep(handle)
  }

  private func remove(_ handle: EasyHandle) {
    curl_multi_remove_handle(multi, handle.easy)
    let last = busy.count - 1
    if handle.slot != last {
      busy.swapAt(handle.slot, last)
      busy[handle.slot].slot = handle.slot
    }
    busy.removeLast()
  }

  private func keep(_ handle: EasyHandle) {
    if idle.count < Self.keptHandles { idle.append(handle) }
  }

  private static func failed(_ token: UInt64, _ sentence: String) -> TransferResult {
    TransferResult(token: token, failure: TransferFailure(.internalError, sentence, requestSent: false))
  }
}

// MARK: - The end

extension CurlLoop {
  private static let stopped = "the router stopped before the transfer ended"

  /// Gives up what is left, hands out the last results and frees every C handle.
  private func end() {
    for handle in busy {
      done.append(handle.abort(Self.stopped))
      curl_multi_remove_handle(multi, handle.easy)
    }
    busy = []
    for handle in gate.takeAll() { done.append(handle.abort(Self.stopped)) }
    for request in inbox.end() {
      let failure = TransferFailure(.stopped, Self.stopped, requestSent: false)
      done.append(TransferResult(token: request.token, failure: failure))
    }
    idle = []
    deliver()
    curl_multi_cleanup(multi)
    inbox.announceEnd()
  }
}
