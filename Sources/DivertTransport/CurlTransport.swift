// The door to the curl thread (step 8 of the line): batches of requests in, batches of results out.

internal import CCurl
package import DivertCore
internal import Glibc

/// Sends HTTP requests through libcurl on one thread of its own. Every request that `submit` took comes back in exactly
/// one result, and its body is at the target at most once.
package final class CurlTransport: Sendable {
  private let inbox = TransferInbox()

  /// Starts the thread. At most `idleConnections` connections that nobody uses stay open. `onCompletion` runs on the
  /// curl thread with all that ended in one turn: it must hand over and return, never block. Ends the process when the
  /// machine has no memory or descriptor for a multi handle, or no thread to give.
  package init(idleConnections: Int = 256, onCompletion: @escaping @Sendable ([TransferResult]) -> Void) {
    guard CurlLibrary.isReady, let multi = curl_multi_init(), let watch = SocketWatch() else {
      preconditionFailure("libcurl could not be set up: out of memory, or of open files?")
    }
    _ = divert_multi_set_long(multi, CURLMOPT_MAXCONNECTS, idleConnections)
    // From here both belong to the thread; the inbox knows the bell alone, and forgets it before it is closed.
    inbox.attach(watch.bell)
    CurlThread.start(CurlLoop(multi: multi, watch: watch, inbox: inbox, onCompletion: onCompletion))
  }

  deinit { inbox.stop(within: .zero) }

  /// Hands a batch over, from any thread, without waiting. False once `shutdown` was called: then nothing was taken,
  /// and nothing of it will come back.
  @discardableResult
  package func submit(_ requests: [TransferRequest]) -> Bool {
    requests.isEmpty || inbox.put(requests)
  }

  /// Takes no more, lets what is in flight end within `span`, gives up the rest as `stopped`, and returns when the
  /// thread has ended: after every result was handed out. A second call waits with the first.
  package func shutdown(within span: Span) async {
    inbox.stop(within: span)
    await inbox.untilEnd()
  }
}

/// A POSIX thread that runs one loop and owns it.
private enum CurlThread {
  static func start(_ loop: sending CurlLoop) {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(loop).toOpaque()
    let failure = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        CurlThread.blockBrokenPipe()
        Unmanaged<CurlLoop>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context)
    precondition(failure == 0, "no thread for libcurl: \(String(cString: strerror(failure)))")
    pthread_detach(thread)
  }

  /// TLS libraries write to sockets without MSG_NOSIGNAL; the signal of a dead one goes to the writing thread.
  static func blockBrokenPipe() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }
}
