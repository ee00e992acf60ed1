// The sockets that the curl thread sleeps on: libcurl says what it waits for, epoll says what came. One wake-up costs
// what is ready, not what is in flight.

internal import CCurl
internal import CEpoll
internal import Glibc

/// The one owner of an epoll set. Lives on the curl thread, longer than the multi handle: libcurl closes the sockets of
/// pooled connections when it frees that one, and each close comes through here. Level-triggered.
///
/// It is *lazy*: a socket of ours stays registered when libcurl lets it go between two transfers (`CURL_POLL_REMOVE`),
/// so that a request on a kept connection costs no `epoll_ctl`; its close takes it out. That is sound under two rules:
/// - A registered socket that fires while no transfer waits for it (the target closed an idle connection) is taken out
///   at once, or it would fire for ever. The next transfer on it registers it anew.
/// - Only sockets made by `opened` are left registered, for only their close is seen. libcurl closes others (a
///   resolver's pipe) by itself; the kernel forgets them then, and a later socket of that number would be deaf.
final class SocketWatch {
  private struct Entry {
    /// What libcurl waits for; 0 when no transfer owns the socket.
    var wanted: UInt32 = 0
    /// What the epoll set holds; 0 when the socket is not in it.
    var registered: UInt32 = 0
    var isOurs = false
  }

  private static let readable = EPOLLIN.rawValue
  private static let writable = EPOLLOUT.rawValue
  private static let eventsAtOnce: Int32 = 256

  private let epoll: Int32
  /// Written to by others to end the sleep; `TransferInbox` forgets it before it is closed.
  let bell: Int32
  private let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: Int(eventsAtOnce))
  /// By descriptor: the kernel gives out the lowest free number, so the table stays as short as the sockets are many.
  private var table = [Entry](repeating: Entry(), count: 1024)
  /// When libcurl wants to be called though no socket is ready, in monotonic microseconds: 0 for now, nil for never.
  private var due: Int64?

  /// Nil when the process may open no more descriptors.
  init?() {
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    let bell = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    guard epoll >= 0, bell >= 0 else { return nil }
    self.epoll = epoll
    self.bell = bell
    // Edge-triggered, unlike the sockets: each ring is one event, and nobody has to read the counter back to 0.
    _ = control(EPOLL_CTL_ADD, bell, Self.readable | EPOLLET.rawValue)
  }

  deinit {
    close(bell)
    close(epoll)
    events.deallocate()
  }

  /// Makes libcurl tell `multi`'s sockets and times to this watch.
  func attach(to multi: UnsafeMutableRawPointer) {
    let context = Unmanaged.passUnretained(self).toOpaque()
    _ = divert_multi_set_on_socket(multi, onInterest, context)
    _ = divert_multi_set_on_timer(multi, onTimer, context)
  }

  /// Makes libcurl close `easy`'s connections through this watch. The connection keeps the watch, not the handle: it
  /// may be closed when the handle is long gone.
  func install(on easy: UnsafeMutableRawPointer) {
    _ = divert_easy_set_on_close(easy, onClose)
    _ = divert_easy_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(self).toOpaque())
  }
}

// MARK: - The loop's side

extension SocketWatch {
  /// Lets libcurl do what is due by its own clock: begin transfers just added, end those whose time is up.
  func runTimers(_ multi: UnsafeMutableRawPointer) {
    guard let due, due == 0 || due <= MonotonicClock.now else { return }
    self.due = nil
    var running: Int32 = 0
    curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
  }

  /// Sleeps until a socket is ready, the bell rings, libcurl's time has come or `until` (monotonic microseconds) has;
  /// not at all without `until`. Then lets libcurl act on what is ready.
  func wait(until: Int64?, _ multi: UnsafeMutableRawPointer) {
    let count = epoll_wait(epoll, events, Self.eventsAtOnce, milliseconds(until: until))
    var running: Int32 = 0
    for place in 0..<max(0, Int(count)) {
      let event = events[place]
      guard event.data.fd != bell, let bits = bits(of: event) else { continue }
      curl_multi_socket_action(multi, event.data.fd, bits, &running)
    }
  }

  private func milliseconds(until: Int64?) -> Int32 {
    guard var until else { return 0 }
    if let due { until = min(until, due) }
    // Rounded up: to wake a moment too early is to go round for nothing.
    return Int32(clamping: max(0, (until - MonotonicClock.now + 999) / 1000))
  }

  /// What to tell libcurl of an event; nil when nobody waits for it.
  private func bits(of event: epoll_event) -> Int32? {
    let wanted = table[Int(event.data.fd)].wanted
    if wanted == 0 {
      register(event.data.fd, 0)
      return nil
    }
    // An error or a hang-up: with 0 libcurl asks the socket itself.
    guard event.events & ~(Self.readable | Self.writable) == 0 else { return 0 }
    var bits: Int32 = 0
    if event.events & wanted & Self.readable != 0 { bits |= CURL_CSELECT_IN }
    if event.events & wanted & Self.writable != 0 { bits |= CURL_CSELECT_OUT }
    return bits
  }
}

// MARK: - libcurl's side

extension SocketWatch {
  /// A socket was made for libcurl by us: its close will be seen.
  func opened(_ socket: Int32) {
    makeRoom(socket)
    table[Int(socket)] = Entry(isOurs: true)
  }

  fileprivate func closed(_ socket: Int32) {
    makeRoom(socket)
    // The kernel forgets a closed socket only when no child process holds it on its way to exec: so by name.
    if table[Int(socket)].registered != 0 { register(socket, 0) }
    table[Int(socket)] = Entry()
  }

  fileprivate func want(_ socket: Int32, _ events: UInt32) {
    makeRoom(socket)
    let entry = table[Int(socket)]
    table[Int(socket)].wanted = events
    if entry.isOurs, events == 0 || events == entry.registered { return }
    register(socket, events)
  }

  fileprivate func callBack(in milliseconds: Int) {
    switch milliseconds {
    case ..<0: due = nil
    case 0: due = 0
    default: due = MonotonicClock.now + Int64(milliseconds) * 1000
    }
  }

  private func makeRoom(_ socket: Int32) {
    guard Int(socket) >= table.count else { return }
    table += [Entry](repeating: Entry(), count: Int(socket) + 1)
  }

  /// A socket that cannot be registered (the kernel has no memory) leaves its transfer to its time-out.
  private func register(_ socket: Int32, _ events: UInt32) {
    let isThere = table[Int(socket)].registered != 0
    table[Int(socket)].registered = events
    if events == 0 {
      _ = control(EPOLL_CTL_DEL, socket, 0)
    } else if control(isThere ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, events) != 0 {
      // The table was wrong about a descriptor that is not ours: the other way then.
      let other = isThere ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
      if control(other, socket, events) != 0 { table[Int(socket)].registered = 0 }
    }
  }

  private func control(_ operation: Int32, _ socket: Int32, _ events: UInt32) -> Int32 {
    var event = epoll_event(events: events, data: epoll_data_t(fd: socket))
    return epoll_ctl(epoll, operation, socket, &event)
  }
}

// MARK: - The callbacks

// Their contract: called on the curl thread alone, inside a function of the multi handle (its cleanup included).
// `context` is the watch, unretained; the loop holds it until the multi handle is freed.

private func watch(_ context: UnsafeMutableRawPointer?) -> SocketWatch? {
  context.map { Unmanaged<SocketWatch>.fromOpaque($0).takeUnretainedValue() }
}

/// What libcurl waits for on a socket from now on.
private func onInterest(
  _ easy: UnsafeMutableRawPointer?, _ socket: curl_socket_t, _ what: Int32, _ context: UnsafeMutableRawPointer?,
  _ ofSocket: UnsafeMutableRawPointer?
) -> Int32 {
  var events: UInt32 = 0
  if what == CURL_POLL_IN || what == CURL_POLL_INOUT { events |= EPOLLIN.rawValue }
  if what == CURL_POLL_OUT || what == CURL_POLL_INOUT { events |= EPOLLOUT.rawValue }
  watch(context)?.want(socket, events)
  return 0
}

/// When libcurl wants to be called at the latest; under 0: not at all. Replaces what it said before.
private func onTimer(
  _ multi: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?
) -> Int32 {
  watch(context)?.callBack(in: milliseconds)
  return 0
}

/// Closes a connection's socket, perhaps long after its last transfer.
private func onClose(_ context: UnsafeMutableRawPointer?, _ socket: curl_socket_t) -> Int32 {
  watch(context)?.closed(socket)
  return close(socket)
}
