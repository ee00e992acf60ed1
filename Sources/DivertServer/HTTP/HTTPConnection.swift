// The last handler of a connection: one request after another, its body gathered in one array, its answer written
// whole.

import NIOCore
import NIOHTTP1

/// Runs on the connection's event loop. A request that comes before the one ahead of it is answered waits in `held`; past a bound
/// the socket is not read until then.
final class HTTPConnection: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private enum State {
    case idle
    case reading(BodyReader, body: [UInt8], keepAlive: Bool)
    case answering(keepAlive: Bool)
    /// Answered already: `left` bytes more are read and thrown away, and then the connection is kept or closed.
    case draining(left: Int, closes: Bool)
    case closed
  }

  private let service: HTTPService
  private let limits: HTTPLimits
  private let clock: ConnectionClock
  private var state = State.idle
  private var peer = ""
  /// Pipelined requests, in order.
  private var held: CircularBuffer<HTTPServerRequestPart> = []
  private var heldBytes = 0
  private var isReading = true
  /// The client has sent its last byte.
  private var isInputOver = false
  private static let heldLimit = 64 * 1024

  init(service: HTTPService, limits: HTTPLimits, clock: ConnectionClock) {
    self.service = service
    self.limits = limits
    self.clock = clock
  }

  func handlerAdded(context: ChannelHandlerContext) {
    peer = context.remoteAddress?.ipAddress ?? ""
    clock.expired = { [weak self] in self?.expired(shuttingDown: $0, context: context) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let part = unwrapInboundIn(data)
    if case .answering = state { hold(part, context: context) } else { take(part, context: context) }
  }

  private func take(_ part: HTTPServerRequestPart, context: ChannelHandlerContext) {
    switch part {
    case .head(let head): begin(head, context: context)
    case .body(let bytes): gather(bytes, context: context)
    case .end: end(context: context)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    state = .closed
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .some(.inputClosed) = event as? ChannelEvent {
      inputIsOver(context: context)
    } else if event is ChannelShouldQuiesceEvent, case .idle = state {
      close(context: context)
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let fault = error as? HTTPParserError else { return close(context: context) }
    if case .answering = state { return inputIsOver(context: context) }
    if fault == .invalidEOFState { return close(context: context) }
    switch state {
    case .idle, .reading:
      answerEarly(service.failure(fault == .headerOverflow ? 431 : 400), keepAlive: false, context: context)
    case .answering, .draining, .closed: close(context: context)
    }
  }

  /// The client has sent its last byte, or what follows is no HTTP. Requests that are whole are still answered, for their events
  /// may be on disk by now; anything else is over.
  private func inputIsOver(context: ChannelHandlerContext) {
    isInputOver = true
    guard case .answering = state else { return close(context: context) }
    while let last = held.last {
      if case .end = last { return }
      held.removeLast()
    }
    state = .answering(keepAlive: false)
  }
}

// MARK: - Pipelining

extension HTTPConnection {
  private func hold(_ part: HTTPServerRequestPart, context: ChannelHandlerContext) {
    held.append(part)
    switch part {
    case .head(let head): heldBytes += 64 + head.uri.utf8.count
    case .body(let bytes): heldBytes += 64 + bytes.readableBytes
    case .end: break
    }
    if heldBytes > Self.heldLimit, isReading { read(false, context: context) }
  }

  /// An answer has left: what came meanwhile has its turn.
  private func release(context: ChannelHandlerContext) {
    if held.isEmpty { return }
    while let part = held.first {
      if case .answering = state { return }
      if case .closed = state { return held.removeAll() }
      held.removeFirst()
      take(part, context: context)
    }
    heldBytes = 0
    if !isReading { read(true, context: context) }
    guard isInputOver else { return }
    switch state {
    case .answering, .closed: break
    case .idle, .reading, .draining: close(context: context)
    }
  }

  private func read(_ on: Bool, context: ChannelHandlerContext) {
    isReading = on
    context.channel.setOption(.autoRead, value: on).whenComplete { _ in }
  }
}

// MARK: - A request arrives

extension HTTPConnection {
  private func begin(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
    guard case .idle = state else { return }
    clock.enter(.reading)
    let announced = head.headers.first(name: "content-length").flatMap { Int($0) }
    let keepAlive = head.isKeepAlive
    switch service.head(head, peer) {
    case .answer(let answer):
      let isSmall = announced.map { $0 <= 64 * 1024 } ?? !head.headers.contains(name: "transfer-encoding")
      answerEarly(answer, keepAlive: keepAlive && isSmall, context: context)
    case .read(let reader):
      if let announced, announced > reader.limit {
        return answerEarly(reader.tooLarge(), keepAlive: false, context: context)
      }
      if head.headers.first(name: "expect")?.lowercased() == "100-continue" { writeContinue(context: context) }
      var body: [UInt8] = []
      body.reserveCapacity(announced ?? 1024)
      state = .reading(reader, body: body, keepAlive: keepAlive)
    }
  }

  private func gather(_ bytes: ByteBuffer, context: ChannelHandlerContext) {
    switch state {
    case .reading(let reader, var body, let keepAlive):
      state = .idle  // leaves `body` the only owner of its memory
      if body.count + bytes.readableBytes > reader.limit {
        return answerEarly(reader.tooLarge(), keepAlive: false, context: context)
      }
      body.append(contentsOf: bytes.readableBytesView)
      state = .reading(reader, body: body, keepAlive: keepAlive)
    case .draining(let left, let closes):
      state = .draining(left: left - bytes.readableBytes, closes: closes)
      // Past the bound nothing more is read; the clock closes the connection when the client has had its time.
      if left < bytes.readableBytes { context.channel.setOption(.autoRead, value: false).whenComplete { _ in } }
    case .idle, .answering, .closed: break
    }
  }

  private func end(context: ChannelHandlerContext) {
    switch state {
    case .reading(let reader, let body, let keepAlive):
      clock.enter(.answering)
      state = .answering(keepAlive: keepAlive && !(isInputOver && held.isEmpty))
      answer(with: reader, body, context: context)
    case .draining(_, let closes):
      state = .idle
      clock.enter(.idle)
      if closes || clock.isShuttingDown { close(context: context) }
    case .idle, .answering, .closed: break
    }
  }

  private func answer(with reader: BodyReader, _ body: [UInt8], context: ChannelHandlerContext) {
    let here = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    let loop = context.eventLoop
    reader.whole(body) { answer in
      loop.execute {
        let (connection, context) = here.value
        connection.finish(answer(), context: context)
      }
    }
  }

  private func finish(_ answer: HTTPAnswer, context: ChannelHandlerContext) {
    guard case .answering(let keepAlive) = state else { return }
    write(answer, keepAlive: keepAlive, context: context)
    release(context: context)
  }
}

// MARK: - An answer leaves

extension HTTPConnection {
  /// Answers a request that is not whole yet. Closing at once would reset the connection under the client's feet and
  /// lose the answer, so the rest is read for a while.
  private func answerEarly(_ answer: HTTPAnswer, keepAlive: Bool, context: ChannelHandlerContext) {
    let closes = !keepAlive || answer.closes
    if answer.hangsUp { return close(context: context) }
    state = .draining(left: limits.drain, closes: closes)
    clock.enter(.lingering)
    writeParts(answer, closes: closes, context: context)
  }

  private func write(_ answer: HTTPAnswer, keepAlive: Bool, context: ChannelHandlerContext) {
    if answer.hangsUp { return close(context: context) }
    let closes = answer.closes || !keepAlive || clock.isShuttingDown
    state = closes ? .closed : .idle
    clock.enter(closes ? .lingering : .idle)
    // Writing the end may bring in the next request at once, so the state is set before.
    let written = writeParts(answer, closes: closes, context: context)
    if closes {
      let here = NIOLoopBound(context, eventLoop: context.eventLoop)
      written.whenComplete { _ in here.value.close(promise: nil) }
    }
  }

  @discardableResult
  private func writeParts(_ answer: HTTPAnswer, closes: Bool, context: ChannelHandlerContext) -> EventLoopFuture<Void> {
    var headers = HTTPHeaders()
    headers.reserveCapacity(3 + answer.headers.count)
    headers.add(name: "content-type", value: answer.contentType)
    headers.add(name: "content-length", value: String(answer.body.count))
    if closes { headers.add(name: "connection", value: "close") }
    for (name, value) in answer.headers { headers.add(name: name, value: value) }
    let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: answer.status), headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if !answer.body.isEmpty {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
    }
    return context.writeAndFlush(wrapOutboundOut(.end(nil)))
  }

  private func writeContinue(context: ChannelHandlerContext) {
    let head = HTTPResponseHead(version: .http1_1, status: .continue)
    context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
  }

  /// A deadline passed. A request that is half here is told why; elsewhere there is nobody to tell.
  private func expired(shuttingDown: Bool, context: ChannelHandlerContext) {
    switch state {
    case .reading: answerEarly(service.failure(shuttingDown ? 503 : 408), keepAlive: false, context: context)
    case .idle, .answering, .draining, .closed: close(context: context)
    }
  }

  private func close(context: ChannelHandlerContext) {
    state = .closed
    context.close(promise: nil)
  }
}
