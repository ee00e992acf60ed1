// Who may give orders at the operator address: a key where it is not on loopback; no web page by way of a browser anywhere.

/// Judges a request by its headers, before anything is done.
package struct OperatorProtection: Sendable {
  /// The address that is listened on.
  private let host: String
  /// Nil: no key is asked for (loopback).
  private let key: [UInt8]?

  private init(host: String, key: [UInt8]?) {
    self.host = host
    self.key = key
  }

  /// The protection of an operator address. Off loopback without a key it is refused, with the remedy.
  package static func make(
    listen: ListenAddress, key: String?
  ) throws(OperatorFailure) -> OperatorProtection {
    if let key, key.utf8.count < 16 {
      throw .badRequest("server.operator_key is shorter than 16 characters and could be guessed: use a random one")
    }
    if key == nil, !listen.isLoopback {
      throw .badRequest(
        "the operator address \(listen) can be reached from other machines and has no key: set server.operator_key to a "
          + "secret (`operator_key: \"{{ secrets.operator_key }}\"`), or listen on 127.0.0.1")
    }
    return OperatorProtection(host: listen.host, key: key.map { Array($0.utf8) })
  }

  /// Nil if the request may pass, else the refusal.
  ///
  /// Without a key the `Host` must be a loopback name or the address itself, so that a web page whose name was pointed here
  /// (DNS rebinding) gets nothing; and an order must carry `X-Divert-Request: 1`, which no page of another site can send.
  package func refusal(
    method: String, path: String, host: String?, authorization: String?, divertRequest: String?
  ) -> OperatorFailure? {
    if key == nil, !isOurs(host ?? "") {
      return OperatorFailure(421, "wrong_host", "this address answers to localhost and its own address alone")
    }
    if ["/healthz", "/readyz"].contains(path) { return nil }
    if let key, !Self.equal(Array((authorization ?? "").utf8), Array("Bearer ".utf8) + key) {
      return OperatorFailure(401, "no_key", "send the operator key: `Authorization: Bearer …`")
    }
    if method != "GET", method != "HEAD", divertRequest != "1" {
      return OperatorFailure(403, "no_order", "an order needs the header `X-Divert-Request: 1`")
    }
    return nil
  }

  /// By the name alone: the port may be another one where a tunnel leads here.
  private func isOurs(_ header: String) -> Bool {
    guard let named = ListenAddress(header) ?? ListenAddress(header + ":80") else { return false }
    return named.host == host || named.isLoopback
  }

  /// Compares in a time that depends on the lengths alone.
  static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    var difference = a.count ^ b.count
    for place in 0..<max(a.count, b.count) {
      let left = place < a.count ? a[place] : 0
      let right = place < b.count ? b[place] : 0
      difference |= Int(left ^ right)
    }
    return difference == 0
  }
}
