// `--listen` and `--operator`: an address and a port.

import Glibc

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

extension ListenAddress {
  /// Throws where it cannot be listened on, which is better said before anything has started.
  func expectFree() throws(ListenFault) {
    var hints = addrinfo()
    hints.ai_flags = AI_PASSIVE
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    // A name that is not found is for the listener to say.
    guard port != 0, getaddrinfo(host, String(port), &hints, &found) == 0, let found else { return }
    defer { freeaddrinfo(found) }
    let file = socket(found.pointee.ai_family, CInt(SOCK_STREAM.rawValue), 0)
    guard file >= 0 else { return }
    defer { close(file) }
    var yes: CInt = 1
    _ = setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
    if bind(file, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0, Glibc.listen(file, 1) == 0 { return }
    throw ListenFault(address: self, errno: errno)
  }
}
