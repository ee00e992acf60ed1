// From libcurl's codes to the failures that Divert knows: a stable code, a sentence with a remedy, and whether the
// request left.

internal import CCurl
internal import DivertCore
internal import Glibc

/// Everything that tells why a transfer failed. Pure.
struct FailureReading {
  var code: CURLcode
  /// `errno` of the last connect; 0 for none.
  var systemError: Int32
  /// libcurl's own words; may be empty.
  var words: String
  var requestSent: Bool
  var headIsWhole: Bool
  var trace: EasyHandle.Trace

  var failure: TransferFailure {
    if headIsWhole { return cut }
    if requestSent { return afterSending }
    if let refused = trace.refused, trace.pooledRefused || !trace.triedAddress { return addressRefused(refused) }
    return beforeSending
  }

  private var cut: TransferFailure {
    let how = code == CURLE_OPERATION_TIMEDOUT ? "within the time-out" : "before the connection ended"
    return TransferFailure(
      .answerCut, "the target's answer began but did not come to its end \(how)", requestSent: true)
  }

  private var afterSending: TransferFailure {
    switch code {
    case CURLE_OPERATION_TIMEDOUT:
      sent(.timeout, "the request was sent and no answer came within the time-out; the target may have taken it")
    case CURLE_OK, CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_HTTP2, CURLE_HTTP2_STREAM:
      sent(.answerMalformed, "what the target answered is no HTTP; is this the right port, and the right scheme?")
    default:
      sent(.connectionLost, "the connection ended before an answer; the target may have taken the request")
    }
  }

  private var beforeSending: TransferFailure {
    switch code {
    case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL:
      unsent(.urlRefused, "the URL is not an absolute http or https URL; write it as https://host/path")
    case CURLE_COULDNT_RESOLVE_HOST:
      unsent(.resolveFailed, "the target's host name could not be resolved; check its spelling and this machine's DNS")
    case CURLE_OPERATION_TIMEDOUT:
      unsent(.connectTimeout, "no connection within the connect time-out; is the target up and reachable from here?")
    case CURLE_COULDNT_CONNECT: notConnected
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
      CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CACERT_BADFILE:
      unsent(.tlsFailed, "no trusted TLS connection to the target: \(inWords)")
    case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING:
      unsent(.connectFailed, "the connection ended before the request could be sent")
    default: unsent(.internalError, "the transfer could not begin: \(inWords)")
    }
  }

  private var notConnected: TransferFailure {
    switch systemError {
    case ECONNREFUSED:
      unsent(.connectRefused, "nothing listens at the target's address; is the target up, and is the port right?")
    case ETIMEDOUT:
      unsent(.connectTimeout, "the target's address did not answer; is the target up and reachable from here?")
    case 0: unsent(.connectFailed, "no connection to the target: \(inWords)")
    default: unsent(.connectFailed, "no connection to the target: \(String(cString: strerror(systemError)))")
    }
  }

  private func addressRefused(
    _ refused: (address: EgressPolicy.Address, why: EgressPolicy.Refusal)
  ) -> TransferFailure {
    let place = "the target's host resolves to \(refused.address), a \(refused.why.rawValue) address"
    let remedy =
      refused.why == .metadata
      ? "requests never go there" : "write `network: private` at the target if that is meant"
    return unsent(.addressRefused, "\(place): \(remedy)")
  }

  private var inWords: String { words.isEmpty ? String(cString: curl_easy_strerror(code)) : words }

  private func sent(_ code: TransferFailure.Code, _ sentence: String) -> TransferFailure {
    TransferFailure(code, sentence, requestSent: true)
  }

  private func unsent(_ code: TransferFailure.Code, _ sentence: String) -> TransferFailure {
    TransferFailure(code, sentence, requestSent: false)
  }
}
