// What a misbehaving target does with a request that it has read to its end.

/// An answer, or the lack of one.
package indirect enum Answer: Sendable {
  /// A status, header lines and a body with its `Content-Length`; the connection stays.
  case status(Int, headers: [String] = [], body: [UInt8] = [])
  /// Waits for the gate, then does `then`.
  case slow(Gate, then: Answer)
  /// Ends the connection with a reset before a byte of an answer.
  case reset
  /// Ends the connection in good order before a byte of an answer.
  case close
  /// Never answers; until the other side gives up.
  case hang
  /// These bytes as they are, then the connection ends.
  case raw([UInt8])
  /// A 200 whose body has this many bytes.
  case huge(Int)
  /// A 200 that announces `announced` bytes, sends `sent`, and then ends the connection.
  case cut(announced: Int, sent: Int)
  /// The same, but hangs instead of ending the connection.
  case stall(announced: Int, sent: Int)

  /// 200 with `{}`.
  package static var ok: Answer { .json("{}") }
  /// Something that is no HTTP.
  package static var garbage: Answer { .raw(Array("SSH-2.0-OpenSSH_9.2p1\r\n".utf8)) }

  package static func json(_ text: String, status: Int = 200) -> Answer {
    .status(status, headers: ["Content-Type: application/json"], body: Array(text.utf8))
  }

  /// 429 with `Retry-After`.
  package static func tooMany(retryAfter: String) -> Answer {
    .status(429, headers: ["Retry-After: \(retryAfter)"], body: Array("slow down".utf8))
  }
}
