// Notices that a configuration's files were saved, however an editor does that: inotify on their folders.

import DivertConfig
import DivertStore
import Glibc
import Synchronization

/// Watches the folder of the main file (and of what it links to), the folders of its parts beside it and further folders, on a thread
/// of its own. Editors save by writing a new file and renaming it, so that a watch on the file itself would lose it; folders stay. What happens to other
/// files in them only costs a look.
final class FileWatch: Sendable {
  /// Several events are one save: it is told when nothing more happened for this many milliseconds …
  private static let quiet: CInt = 50
  /// … or, in a burst that does not end, after so many events.
  private static let patience = 20
  /// What no watch tells (a folder on the way that is a link and leads elsewhere now, a linked file) is seen by a look this often,
  /// in milliseconds.
  private static let look: CInt = 30_000

  private static let events = UInt32(
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB)

  private let inotify: CInt
  /// Its writing end is closed to end the thread.
  private let bell: (read: CInt, write: CInt)
  private let main: String
  private let besides: [String]
  private let changed: @Sendable () -> Void
  private let thread = Mutex<OwnerThread?>(nil)

  /// Nil, with `errno` set, where the system gives no watch. `changed` is called on the watch's thread and may block: what
  /// happens meanwhile is told afterwards.
  ///
  /// - Parameter besides: further folders; they may come later where what holds them is watched.
  init?(main: String, besides: [String] = [], changed: @escaping @Sendable () -> Void) {
    var ends: [CInt] = [-1, -1]
    inotify = inotify_init1(CInt(IN_NONBLOCK) | CInt(IN_CLOEXEC))
    guard inotify >= 0 else { return nil }
    guard pipe(&ends) == 0 else {
      close(inotify)
      return nil
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    bell = (ends[0], ends[1])
    self.main = main
    self.besides = besides
    self.changed = changed
    guard arm() else {
      let cause = errno
      for descriptor in [inotify, bell.read, bell.write] { close(descriptor) }
      errno = cause
      return nil
    }
    let thread = OwnerThread { [self] in run() }
    self.thread.withLock { $0 = thread }
  }

  /// Ends it; a call of `changed` that runs is waited for. To be called once.
  func stop() {
    close(bell.write)
    thread.withLock { $0 }?.join()
    close(bell.read)
    close(inotify)
  }

  /// Watches what is there now; what is watched already stays so. False: the main folder cannot be watched.
  private func arm() -> Bool {
    let folder = DurableFile.folder(of: main)
    for more in ConfigBundle.folders.map({ folder + "/" + $0 }) + besides {
      _ = inotify_add_watch(inotify, more, Self.events)
    }
    if let real = realpath(main, nil) {
      _ = inotify_add_watch(inotify, DurableFile.folder(of: String(cString: real)), Self.events)
      free(real)
    }
    return inotify_add_watch(inotify, folder, Self.events) >= 0
  }

  // MARK: On the thread

  private enum Wake { case event, quiet, end }

  private func run() {
    while gather() {
      // A folder may have come, or been replaced.
      _ = arm()
      changed()
    }
  }

  /// Waits for events until nothing more happens, or until it is time for a look. False: it is to end.
  private func gather() -> Bool {
    var next = wait(Self.look)
    var count = 0
    while next == .event {
      drain()
      count += 1
      next = count < Self.patience ? wait(Self.quiet) : .quiet
    }
    return next != .end
  }

  private func wait(_ milliseconds: CInt) -> Wake {
    var polled = [
      pollfd(fd: inotify, events: Int16(POLLIN), revents: 0), pollfd(fd: bell.read, events: Int16(POLLIN), revents: 0),
    ]
    while true {
      let count = poll(&polled, 2, milliseconds)
      if count < 0, errno == EINTR { continue }
      if count < 0 || polled[1].revents != 0 { return .end }
      return count == 0 ? .quiet : .event
    }
  }

  /// Which files they were does not matter.
  private func drain() {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while read(inotify, &buffer, buffer.count) > 0 {}
  }
}
