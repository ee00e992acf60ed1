// What a small HTTP service of ours is: it judges a request's head, then its whole body, and answers with bytes.

package import NIOHTTP1

/// A whole response.
package struct HTTPAnswer: Sendable {
  package var status: Int
  package var contentType: String
  package var headers: [(String, String)]
  package var body: [UInt8]
  /// Close the connection after it.
  package var closes: Bool
  /// Send nothing at all and close: what a broken server does (the sandbox's misbehaving targets).
  package var hangsUp: Bool

  package init(
    status: Int, contentType: String = "application/json", headers: [(String, String)] = [], body: [UInt8],
    closes: Bool = false
  ) {
    self.status = status
    self.contentType = contentType
    self.headers = headers
    self.body = body
    self.closes = closes
    hangsUp = false
  }

  /// No answer: the connection is closed.
  package static var hangUp: HTTPAnswer {
    var answer = HTTPAnswer(status: 0, body: [])
    answer.hangsUp = true
    return answer
  }
}

/// What to do with a request whose head has arrived.
package enum HeadVerdict: Sendable {
  /// Answer now; what comes of the body is read and thrown away, within bounds.
  case answer(HTTPAnswer)
  /// Read the body.
  case read(BodyReader)
}

/// How the rest of a request is handled.
package struct BodyReader: Sendable {
  /// The largest body taken, in bytes.
  package var limit: Int
  /// The answer when it is larger. The connection is closed after it.
  package var tooLarge: @Sendable () -> HTTPAnswer
  /// Called once with the whole body, on the connection's event loop: must not block. `reply` is called once, from any
  /// thread; what it is given runs on the event loop and makes the answer.
  package var whole: @Sendable (_ body: [UInt8], _ reply: @escaping Reply) -> Void

  package typealias Reply = @Sendable (_ answer: @escaping @Sendable () -> HTTPAnswer) -> Void

  package init(
    limit: Int, tooLarge: @escaping @Sendable () -> HTTPAnswer,
    whole: @escaping @Sendable (_ body: [UInt8], _ reply: @escaping Reply) -> Void
  ) {
    self.limit = limit
    self.tooLarge = tooLarge
    self.whole = whole
  }
}

/// The service behind a listener. `head` runs on the connection's event loop and must not block; `peer` is the client's
/// address as text ("" where it is unknown).
package struct HTTPService: Sendable {
  package var head: @Sendable (_ request: HTTPRequestHead, _ peer: String) -> HeadVerdict
  /// The answer to a request that cannot be taken for a reason of HTTP: 400 (not HTTP), 408 (too slow), 431 (headers
  /// too large), 503 (shutting down).
  package var failure: @Sendable (_ status: Int) -> HTTPAnswer

  package init(
    head: @escaping @Sendable (_ request: HTTPRequestHead, _ peer: String) -> HeadVerdict,
    failure: @escaping @Sendable (_ status: Int) -> HTTPAnswer
  ) {
    self.head = head
    self.failure = failure
  }
}

/// How long and how much a client may take.
package struct HTTPLimits: Sendable {
  /// From a request's first byte to its last. Seconds and below; never infinite.
  package var request: Duration = .seconds(30)
  /// A kept-alive connection without a request is closed after this.
  package var idle: Duration = .seconds(60)
  /// How long requests in flight may take to finish once the listener stops.
  package var grace: Duration = .seconds(10)
  /// How long a refused client that is still sending is listened to, so that it sees the answer and not a reset …
  package var linger: Duration = .seconds(5)
  /// … and how many bytes of it are read.
  package var drain = 16 << 20
  /// All header fields of a request together, in bytes.
  package var headers = 32 * 1024
  /// Connections open at once; more wait to be accepted. Nil: as many as the process may have files, less 256.
  package var connections: Int?

  package init() {}
}
