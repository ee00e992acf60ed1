// What goes into the transport and what comes out of it (step 8 of the line): one HTTP exchange, as plain values.

package import DivertCore

/// One HTTP request, ready to send. The transport sends it at most once.
package struct TransferRequest: Sendable {
  /// Chosen by the caller; comes back in the result.
  package var token: UInt64
  /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE`, `HEAD`: letters only.
  package var method: String
  /// Absolute, `http` or `https`, percent-encoded.
  package var url: String
  /// Whole lines, `Name: value`. CR, LF and NUL are the caller's promise and are refused here (`header_refused`), as
  /// are `Content-Length` and `Transfer-Encoding`, which follow from the body. No `Content-Type` here means none is
  /// sent.
  package var headers: [String]
  package var body: [UInt8]
  /// For resolution, connect and TLS together.
  package var connectTimeout: Span
  /// For the whole exchange; zero for no limit (a stream that the operator watches).
  package var totalTimeout: Span
  /// HTTP/2 over TLS where the target offers it. Plain `http://` stays HTTP/1.1: prior knowledge would fail on most
  /// servers.
  package var http2: Bool
  /// Which addresses it may go to, judged on the resolved address.
  package var network: EgressPolicy.Network
  /// Never on a connection used before: for actions to a person, where a connection that dies means an unknown outcome.
  package var freshConnection: Bool

  package init(
    token: UInt64, method: String, url: String, headers: [String] = [], body: [UInt8] = [],
    connectTimeout: Span = .seconds(10), totalTimeout: Span = .seconds(30), http2: Bool = false,
    network: EgressPolicy.Network = .public, freshConnection: Bool = false
  ) {
    self.token = token
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.connectTimeout = connectTimeout
    self.totalTimeout = totalTimeout
    self.http2 = http2
    self.network = network
    self.freshConnection = freshConnection
  }
}

/// How a transfer ended: with a whole answer (`failure` nil), with a part of one (`answer_cut`: `status` and
/// `failure`), or with none (`status` nil).
package struct TransferResult: Sendable {
  package var token: UInt64
  /// The HTTP status of the final answer; nil when no answer's head was read to its end.
  package var status: Int?
  /// The answer's header lines as they came, at most 64 KiB; `headers` reads them.
  package var headerBlock: [UInt8]
  /// The first 64 KiB of the answer's body.
  package var body: [UInt8]
  /// The body was longer than `body`.
  package var bodyTruncated: Bool
  /// From the hand-over to libcurl to the end.
  package var duration: Span
  /// Microseconds from the hand-over to the answer's first byte; 0 when none came.
  package var microsecondsToFirstByte: Int64
  package var failure: TransferFailure?

  /// The header lines, names in lower case. Read on demand: most answers are judged by their status alone.
  package var headers: [HTTPHeader] { HeaderBlock.parse(headerBlock) }

  package init(token: UInt64, failure: TransferFailure? = nil) {
    self.token = token
    self.status = nil
    self.headerBlock = []
    self.body = []
    self.bodyTruncated = false
    self.duration = .zero
    self.microsecondsToFirstByte = 0
    self.failure = failure
  }
}

/// Why there is no whole answer.
package struct TransferFailure: Sendable, Hashable {
  /// One of `Code`'s raw values; a value once published keeps its meaning.
  package var code: Code
  /// For people; holds no secret and no payload.
  package var sentence: String
  /// The request or a part of it may have reached the target, so nobody knows what it did: *ambiguous*. False is a
  /// promise that not one byte of the request left.
  package var requestSent: Bool

  package init(_ code: Code, _ sentence: String, requestSent: Bool) {
    self.code = code
    self.sentence = sentence
    self.requestSent = requestSent
  }

  package enum Code: String, Sendable, Hashable, CaseIterable {
    case urlRefused = "url_refused"
    case headerRefused = "header_refused"
    case methodRefused = "method_refused"
    case tooManyHeaders = "too_many_headers"
    case addressRefused = "address_refused"
    case resolveFailed = "resolve_failed"
    case connectFailed = "connect_failed"
    case connectRefused = "connect_refused"
    case connectTimeout = "connect_timeout"
    case tlsFailed = "tls_failed"
    /// The total time ran out.
    case timeout
    /// The connection ended before an answer.
    case connectionLost = "connection_lost"
    /// The answer's head came, its body did not come to its end.
    case answerCut = "answer_cut"
    /// What came is no HTTP.
    case answerMalformed = "answer_malformed"
    /// The router stopped first.
    case stopped
    case internalError = "transport_error"

    /// Refused on this side before a byte left, as the same request would be again.
    package var isLasting: Bool {
      switch self {
      case .urlRefused, .headerRefused, .methodRefused, .tooManyHeaders, .addressRefused: true
      default: false
      }
    }
  }
}

/// An answer's header lines.
enum HeaderBlock {
  /// The lines `name: value` of `block`, names in lower case, blanks around values taken off; other lines are left out.
  static func parse(_ block: [UInt8]) -> [HTTPHeader] {
    block.split(separator: UInt8(ascii: "\n")).compactMap { line in
      guard !line.starts(with: "HTTP/".utf8), let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
      let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
      return HTTPHeader(name, String(decoding: trimmed(line[(colon + 1)...]), as: UTF8.self))
    }
  }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
    guard let first = bytes.firstIndex(where: { !isBlank($0) }), let last = bytes.lastIndex(where: { !isBlank($0) })
    else { return [] }
    return bytes[first...last]
  }
}
