// `--listen` and `--operator`: an address and a port.

/// Where a listener listens: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, `:8080` (every address).
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
  package var host: String
  /// 0: the system chooses one.
  package var port: Int

  package init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// Reads the forms above; nil for anything else.
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    self.init(host: host.isEmpty ? "0.0.0.0" : String(host), port: Int(port))
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Whether only this machine can reach it.
  package var isLoopback: Bool {
    host == "localhost" || AddressBlock("127.0.0.0/8")?.contains(host) == true || host == "::1"
  }
}
