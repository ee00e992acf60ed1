// One libcurl easy handle, used for one transfer after another; everything that belongs to the one under way is here.

internal import CCurl
internal import DivertCore
internal import Glibc

/// The single owner of a `CURL *`. Lives on one thread: the curl thread, or the caller's in `SingleTransfer`. While a
/// transfer runs its owner keeps it alive (the callbacks of `CurlCallbacks.swift` hold it unretained).
final class EasyHandle {
  static let bodyLimit = 64 << 10
  static let headerLimit = 64 << 10
  /// What is read and thrown away of a longer answer, so that its connection can be used again.
  static let discardLimit = 1 << 20

  let easy: UnsafeMutableRawPointer
  private var memory = RequestMemory()
  /// libcurl writes its own words on a failure here.
  private let words = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
  private var applied = Applied()
  /// The handle's place in its loop's list of busy ones.
  var slot = 0
  /// Whose turn it is to resolve a name; nil in a single transfer.
  let gate: ResolverGate?
  /// Who waits for its sockets; nil in a single transfer.
  let watch: SocketWatch?

  // Of the transfer under way.
  private(set) var request = TransferRequest(token: 0, method: "GET", url: "")
  var answer = Answer()
  var trace = Trace()
  /// Takes the body piece by piece instead of keeping it; false ends the transfer.
  var onChunk: (([UInt8]) -> Bool)?

  /// What was read so far.
  struct Answer {
    var headerBlock: [UInt8] = []
    /// The head of the final answer (not a 1xx) was read to its end.
    var headIsWhole = false
    var isInformational = false
    var body: [UInt8] = []
    /// All bytes of the body, kept or not.
    var received = 0
    /// We stopped reading, having enough.
    var stoppedByUs = false
  }

  /// What the callbacks saw on the way.
  struct Trace {
    /// The last address that was not allowed.
    var refused: (address: EgressPolicy.Address, why: EgressPolicy.Refusal)?
    /// An address was allowed, and a socket made for it.
    var triedAddress = false
    /// libcurl wanted to send the request again after a part of it had left.
    var repeatStopped = false
    /// A pooled connection led to an address that this request may not use.
    var pooledRefused = false
    /// The host whose name this transfer resolves for all that wait for it.
    var resolving: String?
    /// The host whose resolution by another transfer this one has to wait for.
    var waitsFor: String?
    /// When it began to wait, on the monotonic clock.
    var parkedAt: Int64 = 0
    /// Microseconds of this request's time that earlier passes and waiting took.
    var earlier: Int64 = 0
  }

  /// It goes on a connection of its own.
  var isFresh: Bool { applied.fresh }

  /// Per-request options as they stand in libcurl, so that only changes are set.
  private struct Applied {
    var kind: Kind?
    var method = ""
    var connectTimeout: Int64 = -1
    var totalTimeout: Int64 = -1
    var http2: Bool?
    var fresh = false
  }

  private enum Kind { case withBody, plain, head }

  init?(gate: ResolverGate?, watch: SocketWatch?) {
    guard CurlLibrary.isReady, let easy = curl_easy_init() else { return nil }
    self.easy = easy
    self.gate = gate
    self.watch = watch
    words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    setConstants()
    CurlCallbacks.install(on: self)
    watch?.install(on: easy)
  }

  deinit {
    curl_easy_cleanup(easy)
    words.deallocate()
  }

  /// What is the same for every request.
  private func setConstants() {
    let numbers: [(CURLoption, Int)] = [
      (CURLOPT_NOSIGNAL, 1), (CURLOPT_FOLLOWLOCATION, 0), (CURLOPT_NOPROGRESS, 1),
      (CURLOPT_SSL_VERIFYPEER, 1), (CURLOPT_SSL_VERIFYHOST, 2),
      (CURLOPT_TCP_NODELAY, 1), (CURLOPT_TCP_KEEPALIVE, 1), (CURLOPT_HTTP09_ALLOWED, 0),
      // Allocated for each transfer: this much comes from the thread's cache, the default of 16 KiB does not.
      (CURLOPT_BUFFERSIZE, 1024),
    ]
    for (option, value) in numbers { _ = divert_easy_set_long(easy, option, value) }
    _ = divert_easy_only_http(easy)
    _ = divert_easy_quick_exit(easy)
    _ = divert_easy_cache_trust(easy)
    // An empty proxy switches off the environment's (http_proxy …): it would carry requests past the address check.
    _ = divert_easy_set_string(easy, CURLOPT_PROXY, "")
    _ = divert_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, words)
  }
}

// MARK: - A transfer's beginning

extension EasyHandle {
  /// Makes the handle ready to send `request`. Nil, or why it must not be sent.
  func prepare(_ request: TransferRequest) -> TransferFailure? {
    self.request = request
    answer = Answer()
    trace = Trace()
    words[0] = 0
    if let refused = checkMethod() ?? memory.load(request) { return refused }
    applyMethod()
    applyTimes(used: 0)
    applyConnection(fresh: request.freshConnection)
    _ = divert_easy_set_string(easy, CURLOPT_URL, memory.url)
    _ = divert_easy_set_pointer(easy, CURLOPT_HTTPHEADER, memory.headers)
    return nil
  }

  /// Makes the handle ready for the same request once more, of which nothing has left yet.
  func prepareAgain(fresh: Bool) {
    let earlier = trace.earlier + (trace.parkedAt > 0 ? MonotonicClock.now - trace.parkedAt : elapsed)
    answer = Answer()
    trace = Trace()
    trace.earlier = earlier
    applyTimes(used: earlier / 1000)
    applyConnection(fresh: fresh || request.freshConnection)
  }

  private func checkMethod() -> TransferFailure? {
    let method = request.method
    if method == applied.method || (!method.isEmpty && method.utf8.allSatisfy { (0x41...0x5a).contains($0) }) {
      return nil
    }
    return TransferFailure(.methodRefused, "the method must be capital letters, like POST", requestSent: false)
  }

  private func applyMethod() {
    let kind = kind(of: request)
    if kind != applied.kind {
      _ = divert_easy_set_long(easy, CURLOPT_NOBODY, kind == .head ? 1 : 0)
      if kind == .plain { _ = divert_easy_set_long(easy, CURLOPT_HTTPGET, 1) }
      if kind == .withBody { _ = divert_easy_set_long(easy, CURLOPT_POST, 1) }
      applied.kind = kind
      applied.method = ""
    }
    if request.method != applied.method {
      let implied = kind == .withBody ? "POST" : kind == .plain ? "GET" : "HEAD"
      _ = divert_easy_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method == implied ? nil : request.method)
      applied.method = request.method
    }
    guard kind == .withBody else { return }
    _ = divert_easy_set_pointer(easy, CURLOPT_POSTFIELDS, memory.body)
    _ = divert_easy_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
  }

  private func kind(of request: TransferRequest) -> Kind {
    if !request.body.isEmpty { return .withBody }
    switch request.method {
    case "POST", "PUT", "PATCH": return .withBody
    case "HEAD": return .head
    default: return .plain
    }
  }

  /// `used`: milliseconds of the request's time that are gone already.
  private func applyTimes(used: Int64) {
    let connect = max(1, request.connectTimeout.milliseconds - used)
    let total = request.totalTimeout == .zero ? 0 : max(1, request.totalTimeout.milliseconds - used)
    if connect != applied.connectTimeout {
      _ = divert_easy_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Int(min(connect, Int64(Int32.max))))
      applied.connectTimeout = connect
    }
    guard total != applied.totalTimeout else { return }
    _ = divert_easy_set_long(easy, CURLOPT_TIMEOUT_MS, Int(min(total, Int64(Int32.max))))
    applied.totalTimeout = total
  }

  private func applyConnection(fresh: Bool) {
    if fresh != applied.fresh {
      _ = divert_easy_set_long(easy, CURLOPT_FRESH_CONNECT, fresh ? 1 : 0)
      applied.fresh = fresh
    }
    guard request.http2 != applied.http2 else { return }
    let version = request.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1
    _ = divert_easy_set_long(easy, CURLOPT_HTTP_VERSION, Int(version))
    // Over HTTP/2 a request waits for a connection that is being made, to share it.
    _ = divert_easy_set_long(easy, CURLOPT_PIPEWAIT, request.http2 ? 1 : 0)
    applied.http2 = request.http2
  }
}

// MARK: - A transfer's end

extension EasyHandle {
  /// Microseconds since libcurl took the request up; what it measures itself, so that no clock is read here.
  private var elapsed: Int64 { Int64(divert_easy_get_size(easy, CURLINFO_TOTAL_TIME_T)) }

  /// A byte of the request was given to the connection.
  var somethingLeft: Bool { divert_easy_get_long(easy, CURLINFO_REQUEST_SIZE) > 0 }

  /// The result of the transfer that ended with `code`. Takes the answer out.
  func finish(_ code: CURLcode) -> TransferResult {
    var result = TransferResult(token: request.token)
    result.duration = Span(milliseconds: (trace.earlier + elapsed) / 1000)
    if answer.headIsWhole {
      result.status = divert_easy_get_long(easy, CURLINFO_RESPONSE_CODE)
      result.microsecondsToFirstByte = trace.earlier + Int64(divert_easy_get_size(easy, CURLINFO_STARTTRANSFER_TIME_T))
      result.bodyTruncated = answer.received > answer.body.count && onChunk == nil
      swap(&result.headerBlock, &answer.headerBlock)
      swap(&result.body, &answer.body)
    }
    if code != CURLE_OK || !answer.headIsWhole { result.failure = failure(code) }
    return result
  }

  /// The result of a transfer that the router ends.
  func abort(_ sentence: String) -> TransferResult {
    var result = finish(CURLE_OK)
    result.failure = TransferFailure(.stopped, sentence, requestSent: somethingLeft)
    return result
  }

  private func failure(_ code: CURLcode) -> TransferFailure? {
    if answer.headIsWhole && answer.stoppedByUs { return nil }
    return FailureReading(
      code: code, systemError: Int32(divert_easy_get_long(easy, CURLINFO_OS_ERRNO)),
      words: words[0] == 0 ? "" : String(cString: words), requestSent: trace.repeatStopped || somethingLeft,
      headIsWhole: answer.headIsWhole, trace: trace
    ).failure
  }
}

/// Microseconds on a clock that never jumps.
enum MonotonicClock {
  static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}

/// The process's libcurl, initialised once.
enum CurlLibrary {
  static let isReady = divert_global_init() == CURLE_OK
}
