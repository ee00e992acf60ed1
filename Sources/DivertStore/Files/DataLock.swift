// Who works in a data folder: one process at a time, known to the others by its pid and operator address.

package import DivertCore
import Glibc

/// The exclusive lock on a data folder (flock on `divert.lock`), held until this object or the process ends.
package final class DataLock: Sendable {
  /// The process that works in a folder.
  package struct Holder: Sendable, Hashable {
    package var pid: Int32
    /// Where its operator interface listens (`127.0.0.1:8081`); nil for a command, or before it listens.
    package var operatorAddress: String?
  }

  private let file: Int32

  private init(file: Int32) { self.file = file }

  deinit { Glibc.close(file) }

  private static func path(_ folder: String) -> String { folder + "/divert.lock" }

  /// Takes the lock, making the folder if need be.
  /// - Throws: `busy` with the holder's pid when another process (or another part of this one) has it.
  package static func take(folder: String, operatorAddress: String? = nil) throws(StoreError) -> DataLock {
    for changed in try DurableFile.makeFolders(folder) { try DurableFile.sync(changed) }
    let file = Glibc.open(path(folder), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw DurableFile.fault("open", path(folder)) }
    let lock = DataLock(file: file)
    guard acquire(file) else { throw refusal(folder) }
    try lock.tell(operatorAddress: operatorAddress)
    return lock
  }

  /// A reader that asks for the holder has the lock for an instant; hence more than one try.
  private static func acquire(_ file: Int32) -> Bool {
    for _ in 0..<20 {
      if flock(file, LOCK_EX | LOCK_NB) == 0 { return true }
      if errno != EWOULDBLOCK && errno != EINTR { return false }
      usleep(10_000)
    }
    return false
  }

  private static func refusal(_ folder: String) -> StoreError {
    let who = (try? written(folder)).map { "process \($0.pid)" } ?? "another process"
    return StoreError(
      code: "busy",
      description: "cannot use \(folder): \(who) works in it; stop that one first, or give another --data folder")
  }

  /// Writes for the others where this process can be reached.
  package func tell(operatorAddress: String?) throws(StoreError) {
    let text = Array("\(getpid())\n\(operatorAddress ?? "")\n".utf8)
    guard ftruncate(file, 0) == 0, pwrite(file, text, text.count, 0) == text.count else {
      throw DurableFile.fault("write", "the lock file")
    }
  }

  /// The process that works in a folder now; nil when none does.
  package static func holder(folder: String) throws(StoreError) -> Holder? {
    let file = Glibc.open(path(folder), O_RDONLY | O_CLOEXEC)
    if file < 0, errno == ENOENT { return nil }
    guard file >= 0 else { throw DurableFile.fault("open", path(folder)) }
    defer { Glibc.close(file) }
    if flock(file, LOCK_SH | LOCK_NB) == 0 { return nil }
    return try written(folder)
  }

  private static func written(_ folder: String) throws(StoreError) -> Holder? {
    let lines = String(decoding: try DurableFile.read(path(folder)), as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    guard let pid = lines.first.flatMap({ Int32($0) }) else { return nil }
    let address = lines.count > 1 && !lines[1].isEmpty ? String(lines[1]) : nil
    return Holder(pid: pid, operatorAddress: address)
  }
}
