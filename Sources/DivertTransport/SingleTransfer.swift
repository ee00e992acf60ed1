// One transfer on the calling thread, for the command line: same rules as the curl thread's, no thread, no pool.

internal import CCurl

extension CurlTransport {
  /// Sends one request and waits for its end; blocks the calling thread. With `onChunk` the body of the answer goes
  /// there piece by piece, as it comes and without a bound, instead of into the result; when it returns false the
  /// transfer ends, and counts as answered.
  package static func perform(_ request: TransferRequest, onChunk: (([UInt8]) -> Bool)? = nil) -> TransferResult {
    guard let handle = EasyHandle(gate: nil, watch: nil) else {
      let failure = TransferFailure(
        .internalError, "libcurl made no handle; is the memory used up?", requestSent: false)
      return TransferResult(token: request.token, failure: failure)
    }
    if let failure = handle.prepare(request) { return TransferResult(token: request.token, failure: failure) }
    handle.onChunk = onChunk
    return withExtendedLifetime(handle) { handle.finish(curl_easy_perform(handle.easy)) }
  }
}
