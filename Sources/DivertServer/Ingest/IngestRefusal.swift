// Why a request is refused: a stable code, a status of its own, and sentences that a person at the other end can act
// on.

package import DivertCore

/// A refusal, as JSON `{"error":{"code":…,"message":…,"faults":[…]}}`.
package struct IngestRefusal: Error, Sendable, Hashable {
  package var status: Int
  /// Lower-case words joined by `_` (docs/reasons.md lists them).
  package var code: String
  /// What is wrong and what to do, without a byte of the request.
  package var message: String
  /// Every fault of the body at once; empty where the message says it all.
  package var faults: [String]

  package init(_ status: Int, _ code: String, _ message: String, faults: [String] = []) {
    self.status = status
    self.code = code
    self.message = message
    self.faults = faults
  }

  /// The body says something that can never be taken: its bytes are worth keeping (under a valid key).
  var isMalformedBody: Bool { status == 400 || status == 422 }

  /// The faults, or the message where there are none beside it.
  var allFaults: [String] { faults.isEmpty ? [message] : faults }

  var json: [UInt8] {
    var bytes: [UInt8] = Array("{\"error\":{\"code\":".utf8)
    JSONWriter.append(string: code, to: &bytes)
    bytes.append(contentsOf: ",\"message\":".utf8)
    JSONWriter.append(string: message, to: &bytes)
    bytes.append(contentsOf: ",\"faults\":[".utf8)
    for (place, fault) in faults.enumerated() {
      if place > 0 { bytes.append(UInt8(ascii: ",")) }
      JSONWriter.append(string: fault, to: &bytes)
    }
    bytes.append(contentsOf: "]}}\n".utf8)
    return bytes
  }

  /// The answer that carries it.
  package var answer: HTTPAnswer {
    var answer = HTTPAnswer(status: status, body: json)
    switch status {
    case 405: answer.headers = [("allow", "POST")]
    case 413: answer.closes = true
    case 503: answer.headers = [("retry-after", "5")]
    default: break
    }
    return answer
  }
}

extension IngestRefusal {
  package static let notHere = IngestRefusal(
    404, "unknown_path", "Nothing is served here. Webhooks are posted to /in/<source>/<key>, see routes.yaml's sources."
  )

  static let wrongMethod = IngestRefusal(405, "wrong_method", "Webhooks are taken with POST only.")

  static let wrongKey = IngestRefusal(
    401, "wrong_key",
    "The key in the address is missing or not this source's. Compare the webhook's URL with the source's key.")

  static let wrongHeader = IngestRefusal(
    401, "wrong_header", "The header that this source requires is missing or has another value.")

  static let wrongAddress = IngestRefusal(
    403, "address_not_allowed", "This source takes requests from the addresses of its allow list only.")

  static let emptyBody = IngestRefusal(400, "empty_body", "The body is empty. Post the event as one JSON object.")

  static let stopping = IngestRefusal(503, "shutting_down", "The router is shutting down. Send this again in a moment.")

  static let compressed = IngestRefusal(
    415, "compressed_body", "The body is compressed. Send it as it is, without Content-Encoding.")

  static let unknownSource = IngestRefusal(
    404, "unknown_source", "There is no such source. The address is /in/<source>/<key>, see routes.yaml's sources.")

  package static func tooLarge(_ limit: Int) -> IngestRefusal {
    IngestRefusal(413, "too_large", "The body is larger than \(limit) bytes, the most that is taken (server.max_body).")
  }

  static func notJSON(_ isForm: Bool) -> IngestRefusal {
    let remedy = isForm ? "In the webhook's settings choose JSON as the body format." : "Send it as application/json."
    return IngestRefusal(415, "not_json", "The body's content type is not JSON. \(remedy)")
  }

  static func storeFailed(_ code: String) -> IngestRefusal {
    IngestRefusal(
      503, "cannot_store", "The event could not be stored (\(code)); nothing was kept. Send it again later.")
  }

  /// What was refused as a body that is no event, every fault in it.
  package init(_ faults: [IngestFault]) {
    guard let first = faults.first else {
      self.init(422, "not_an_event", "The body is not an event of this source.")
      return
    }
    switch first.code {
    case "empty_body":
      self = .emptyBody
      return
    case "not_json": self.init(400, "not_json_text", "The body is not JSON: see faults for the place.")
    case "too_deep": self.init(422, "too_deep", "The body is nested too deep.")
    case "not_an_object": self.init(422, "not_an_object", "The body is JSON, but no object.")
    default: self.init(422, "not_an_event", "The body lacks what this event must have. All faults are listed.")
    }
    self.faults = faults.map(\.sentence)
  }

  /// Refusals that HTTP itself brings, before there is a source to speak of.
  package static func http(_ status: Int) -> IngestRefusal {
    switch status {
    case 408: IngestRefusal(408, "too_slow", "The request did not arrive whole in the time allowed.")
    case 431: IngestRefusal(431, "headers_too_large", "The request's headers are too large.")
    case 503: .stopping
    default: IngestRefusal(400, "not_http", "This is not an HTTP/1.1 request.")
    }
  }
}
