// What is asked of a router by its operator and what comes back, as values: the same over HTTP and in-process.

package import DivertCore

/// One question or order to the operator interface.
package struct OperatorRequest: Sendable {
  /// `GET` for questions, `POST` for orders.
  package var method: String
  /// Without the query: `/api/status`.
  package var path: String
  /// Percent-decoded; the last value of a name wins.
  package var query: [String: String]
  package var body: [UInt8]
  /// Who asks, as far as it was said (`X-Divert-Who`); kept with changes of the configuration.
  package var who: String?
  /// The versions of what is edited that its author has seen (RFC 9110); nil where none was said.
  package var ifMatch: String?

  package init(
    _ method: String, _ path: String, query: [String: String] = [:], body: [UInt8] = [], who: String? = nil
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.body = body
    self.who = who
  }

  /// An order with a JSON body.
  package init(post path: String, _ body: JSONValue, who: String? = nil) {
    self.init("POST", path, body: body.encoded(), who: who)
  }
}

/// The answer: a document, or lines that come as things happen.
package struct OperatorResponse: Sendable {
  package enum Body: Sendable {
    case whole([UInt8])
    /// One JSON document a line (without the line feed), each as soon as it is known.
    case lines(AsyncStream<[UInt8]>)
  }

  /// An HTTP status, also in-process.
  package var status: Int
  package var contentType: String
  package var body: Body
  /// The version of what was answered, in quotes, where it has one.
  package var etag: String?

  package init(status: Int, contentType: String, body: Body) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  /// A JSON document.
  package static func json(_ value: JSONValue, status: Int = 200) -> OperatorResponse {
    OperatorResponse(status: status, contentType: "application/json", body: .whole(value.encoded()))
  }

  /// Plain text.
  package static func text(
    _ text: String, status: Int = 200, contentType: String = "text/plain; charset=utf-8"
  ) -> OperatorResponse {
    OperatorResponse(status: status, contentType: contentType, body: .whole(Array(text.utf8)))
  }
}

/// Why something could not be done: a status, a stable code, and a sentence with the place, the reason and the remedy.
package struct OperatorFailure: Error, Sendable, Equatable, CustomStringConvertible {
  package var status: Int
  package var code: String
  package var message: String
  package var description: String { message }

  package init(_ status: Int, _ code: String, _ message: String) {
    self.status = status
    self.code = code
    self.message = message
  }

  /// The request itself is at fault (400).
  package static func badRequest(_ sentence: String) -> OperatorFailure {
    OperatorFailure(400, "bad_request", sentence)
  }

  /// What was named is not there (404).
  package static func notFound(_ sentence: String) -> OperatorFailure { OperatorFailure(404, "not_found", sentence) }

  /// It is there, but not in a state that allows this (409).
  package static func conflict(_ code: String, _ sentence: String) -> OperatorFailure {
    OperatorFailure(409, code, sentence)
  }

  /// As it is answered.
  package var response: OperatorResponse {
    .json(["error": ["code": .string(code), "message": .string(message)]], status: status)
  }
}
