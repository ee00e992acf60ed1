// A listening address with a service behind it: Hummingbird's server accepts and stops, our handlers do the rest.

import Glibc
import HummingbirdCore
import HummingbirdTLS
package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
package import NIOSSL
import ServiceLifecycle

/// Serves an `HTTPService` on one address until its graceful shutdown: then it stops accepting, lets requests in flight
/// finish within the grace, closes what is left, and returns.
package struct HTTPListener: Service {
  private let address: ListenAddress
  private let service: HTTPService
  private let limits: HTTPLimits
  private let tls: TLSConfiguration?
  private let logger: Logger
  private let onListening: @Sendable (_ port: Int) async -> Void

  /// `onListening` is told the port once connections are taken (the chosen one where the address says 0).
  package init(
    address: ListenAddress, service: HTTPService, limits: HTTPLimits, tls: TLSConfiguration? = nil, logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
  ) {
    self.address = address
    self.service = service
    self.limits = limits
    self.tls = tls
    self.logger = logger
    self.onListening = onListening
  }

  /// Throws when the address cannot be listened on (`ListenFault`, with the reason and the remedy).
  package func run() async throws {
    let channel = ServiceChannel(service: service, limits: limits)
    do {
      if let tls {
        try await server(TLSChannel(channel, tlsConfiguration: tls)).run()
      } else {
        try await server(channel).run()
      }
    } catch let fault as IOError {
      throw ListenFault(address: address, errno: fault.errnoCode)
    }
  }

  private func server(_ channel: some ServerChildChannel) -> any ServiceLifecycle.Service {
    let connections = limits.connections ?? Self.connectionsAllowed()
    let onListening = onListening
    return channel.server(
      configuration: .init(
        address: .hostname(address.host, port: address.port), backlog: 1024,
        availableConnectionsDelegate: .maximum(connections, logger: logger)),
      onServerRunning: { await onListening($0.localAddress?.port ?? 0) },
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
  }

  /// The files that the process may open, less what the rest of it needs.
  private static func connectionsAllowed() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 512 }
    return max(64, Int(min(limit.rlim_cur, 65_536)) - 256)
  }
}

/// Why an address cannot be listened on.
package struct ListenFault: Error, CustomStringConvertible {
  package var description: String

  init(address: ListenAddress, errno: CInt) {
    let remedy =
      switch errno {
      case EADDRINUSE: "another program listens there: stop it, or choose another port"
      case EACCES: "ports below 1024 need a privilege: choose a higher one"
      case EADDRNOTAVAIL: "this machine has no such address"
      default: String(cString: strerror(errno))
      }
    description = "cannot listen on \(address): \(remedy)"
  }
}

/// Sets up an accepted connection: clock, HTTP/1 parser, ours. Without NIO's pipelining handler, which takes the socket out of
/// the poll and back with every request: `HTTPConnection` puts pipelined requests in order itself.
private struct ServiceChannel: ServerChildChannel {
  struct Value: ServerChildChannelValue { let channel: any Channel }

  let service: HTTPService
  let limits: HTTPLimits

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      let pipeline = channel.pipeline.syncOperations
      var headers = NIOHTTPDecoderLimitConfiguration()
      headers.maxHeaderFieldSize = min(limits.headers, 16 * 1024)
      headers.maxHeaderListSize = limits.headers
      headers.maxHeaderFieldCount = 100
      let clock = ConnectionClock(limits: limits)
      try pipeline.addHandler(clock)
      try pipeline.configureHTTPServerPipeline(
        withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
        withEncoderConfiguration: .init(), withDecoderLimitConfiguration: headers)
      try pipeline.addHandler(HTTPConnection(service: service, limits: limits, clock: clock))
      return Value(channel: channel)
    }
  }

  func handle(value: Value, logger: Logger) async {
    try? await value.channel.closeFuture.get()
  }
}
