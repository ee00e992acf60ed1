// Loopback ports at the level of sockets: bound, refusing, deaf; and the threads that serve them.

internal import Glibc

/// A loopback port where every connect is refused, kept from others as long as this lives.
package final class RefusingPort: Sendable {
  package let port: UInt16
  private let descriptor: Int32

  package init() { (descriptor, port) = LoopbackSocket.bound() }
  deinit { close(descriptor) }

  package func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }
}

/// A loopback port where a connect is never answered: its queue is full and nobody accepts.
package final class DeafPort: Sendable {
  package let port: UInt16
  private let descriptors: [Int32]

  package init() {
    let (listener, port) = LoopbackSocket.bound()
    precondition(listen(listener, 0) == 0, "the deaf port cannot listen")
    self.port = port
    descriptors = [listener] + (0..<4).map { _ in LoopbackSocket.connecting(to: port) }
  }

  deinit { for descriptor in descriptors { close(descriptor) } }

  package func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }
}

enum LoopbackSocket {
  /// A TCP socket bound to a free port of 127.0.0.1.
  static func bound() -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withAddress(&address) { bind(descriptor, $0, length) } == 0
    let isNamed = withAddress(&address) { getsockname(descriptor, $0, &length) } == 0
    precondition(descriptor >= 0 && isBound && isNamed, "no loopback port for the test target")
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }

  /// A socket whose connect has begun; nobody waits for it.
  static func connecting(to port: UInt16) -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    var address = loopback(port)
    _ = withAddress(&address) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    return descriptor
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private static func withAddress<R>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> R
  ) -> R {
    withUnsafeMutablePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body) }
  }
}

/// Runs `work` on a thread of its own, which may block.
func startThread(_ work: @escaping @Sendable () -> Void) {
  final class Box {
    let work: @Sendable () -> Void
    init(_ work: @escaping @Sendable () -> Void) { self.work = work }
  }
  var thread = pthread_t()
  let box = Unmanaged.passRetained(Box(work)).toOpaque()
  let failure = pthread_create(
    &thread, nil,
    { box in
      if let box { Unmanaged<Box>.fromOpaque(box).takeRetainedValue().work() }
      return nil
    }, box)
  precondition(failure == 0, "no thread for the test target")
  pthread_detach(thread)
}
