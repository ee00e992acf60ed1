// The first handler of a connection: sees its raw bytes, and ends it when a client is too slow, idle, or the grace is
// over.

import NIOCore

/// One deadline per connection, moved without a timer per request: the one timer that runs is set anew when it fires
/// early.
final class ConnectionClock: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  enum Phase {
    /// Between requests.
    case idle
    /// A request is arriving.
    case reading
    /// A request is whole and its answer is being made: no deadline of its own.
    case answering
    /// Answered before the request was whole; the rest is thrown away.
    case lingering
  }

  private let limits: HTTPLimits
  private(set) var phase = Phase.idle
  private var phaseEnd: NIODeadline?
  private var graceEnd: NIODeadline?
  private var timer: (fires: NIODeadline, task: Scheduled<Void>)?
  private var context: ChannelHandlerContext?
  /// Called when a deadline passes; must close the connection, or enter a phase that will.
  var expired: ((_ shuttingDown: Bool) -> Void)?

  init(limits: HTTPLimits) { self.limits = limits }

  /// Moves to a phase and starts its time. `reading` goes on from the request's first byte.
  func enter(_ phase: Phase) {
    if self.phase == phase, phase == .reading { return }
    self.phase = phase
    let length: Duration? =
      switch phase {
      case .idle: limits.idle
      case .reading: limits.request
      case .answering: nil
      case .lingering: isShuttingDown ? min(limits.linger, .milliseconds(500)) : limits.linger
      }
    phaseEnd = length.map { NIODeadline.now() + TimeAmount($0) }
    arm()
  }

  /// The listener stops: no further request is taken on this connection.
  private(set) var isShuttingDown = false

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    enter(.idle)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if phase == .idle { enter(.reading) }
    context.fireChannelRead(data)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is ChannelShouldQuiesceEvent, !isShuttingDown {
      isShuttingDown = true
      graceEnd = .now() + TimeAmount(limits.grace)
      arm()
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    stop()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { stop() }

  private func stop() {
    timer?.task.cancel()
    timer = nil
    context = nil
    expired = nil
  }

  private var deadline: NIODeadline? {
    switch (phaseEnd, graceEnd) {
    case (let phase?, let grace?): min(phase, grace)
    case (let one, let other): one ?? other
    }
  }

  private func arm() {
    guard let deadline, let context else { return }
    if let timer, timer.fires <= deadline { return }
    timer?.task.cancel()
    let task = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.fire() }
    timer = (deadline, task)
  }

  private func fire() {
    timer = nil
    guard let deadline else { return }
    if deadline > .now() { return arm() }
    let isGraceOver = graceEnd.map { $0 <= .now() } ?? false
    if isGraceOver { graceEnd = nil }
    phaseEnd = nil
    expired?(isGraceOver)
  }
}
