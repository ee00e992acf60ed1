// A client that is no better than it should be: raw bytes over a TCP socket, blocking, on threads of its own.

import Dispatch
import Glibc

/// One connection to a port on loopback. Every call has 20 seconds before it fails.
final class RawClient: Sendable {
  private let descriptor: Int32

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var patience = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if status != 0 { throw ClientFault(description: "connect: \(String(cString: strerror(errno)))") }
  }

  deinit { close(descriptor) }

  /// Sends all of it; false when the other side would not take it all.
  @discardableResult
  func send(_ bytes: [UInt8]) async -> Bool {
    await blocking { descriptor in
      var start = 0
      while start < bytes.count {
        let count = bytes.withUnsafeBytes {
          Glibc.send(descriptor, $0.baseAddress?.advanced(by: start), $0.count - start, Int32(MSG_NOSIGNAL))
        }
        if count <= 0 { return false }
        start += count
      }
      return true
    }
  }

  @discardableResult
  func send(_ text: String) async -> Bool { await send(Array(text.utf8)) }

  /// Says that nothing more is sent; what comes is still read.
  func end() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// The next whole response.
  func response() async throws -> RawResponse {
    let response = await blocking { descriptor -> RawResponse? in
      var bytes: [UInt8] = []
      var chunk: UInt8 = 0
      while recv(descriptor, &chunk, 1, 0) == 1 {
        bytes.append(chunk)
        if bytes.suffix(4) == [13, 10, 13, 10] { break }
      }
      guard var response = RawResponse(head: String(decoding: bytes, as: UTF8.self)) else { return nil }
      var body = [UInt8](repeating: 0, count: Int(response.headers["content-length"] ?? "0") ?? 0)
      let count = body.isEmpty ? 0 : recv(descriptor, &body, body.count, Int32(MSG_WAITALL))
      guard count == body.count else { return nil }
      response.body = String(decoding: body, as: UTF8.self)
      return response
    }
    guard let response else { throw ClientFault(description: "no whole response came") }
    return response
  }

  /// Returns when the other side has closed; false if it sent more first, or did not close in time.
  func closed() async -> Bool {
    await blocking { descriptor in
      var byte: UInt8 = 0
      let count = recv(descriptor, &byte, 1, 0)
      return count == 0 || (count < 0 && errno == ECONNRESET)
    }
  }

  private func blocking<Value: Sendable>(_ work: @escaping @Sendable (Int32) -> Value) async -> Value {
    await withCheckedContinuation { done in
      DispatchQueue.global().async { done.resume(returning: work(self.descriptor)) }
    }
  }
}

struct ClientFault: Error { var description: String }

struct RawResponse: Sendable {
  var status: Int
  var headers: [String: String] = [:]
  var body = ""

  init?(head: String) {
    let lines = head.split(separator: "\r\n")
    guard let first = lines.first, let status = Int(first.split(separator: " ").dropFirst().first ?? "") else {
      return nil
    }
    self.status = status
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] = parts.count > 1 ? parts[1].drop { $0 == " " }.description : ""
    }
  }
}
