// Own writes on disk, a line each, written before the request leaves: a killed process knows them when it is back. Not
// fsynced: a power cut may cost the last of them, and a loop that runs through it goes round once more.

package import DivertCore
import Glibc
import Synchronization

/// The file `own-writes` of a data folder. Any thread.
package final class WriteJournal: Sendable {
  /// Lines that are appended before the file begins anew with those that still count.
  static let most = 100_000

  private struct State {
    var file: CInt = -1
    var lines = 0
  }

  private let path: String
  private let state = Mutex(State())

  package init(folder: String) { path = folder + "/own-writes" }

  deinit { state.withLock { if $0.file >= 0 { Glibc.close($0.file) } } }

  /// What earlier processes left and still counts; the file begins anew with it. Empty where there is no file.
  package func open(now: Timestamp) throws(StoreError) -> [RememberedWrite] {
    var kept: [RememberedWrite] = []
    if DurableFile.isFile(path) {
      let lines = try DurableFile.read(path).split(separator: UInt8(ascii: "\n"))
      kept = lines.compactMap { RememberedWrite(line: Array($0)) }.filter { $0.until >= now }
    }
    try begin(kept)
    return kept
  }

  /// Appends writes whose requests are about to leave. `all`: everything that counts, asked for when the file has grown
  /// enough to begin anew.
  package func append(_ writes: [RememberedWrite], all: () -> [RememberedWrite]) throws(StoreError) {
    if state.withLock({ $0.lines + writes.count > Self.most }) { return try begin(all()) }
    let bytes = Self.bytes(writes)
    let failure = state.withLock { state -> StoreError? in
      guard state.file >= 0 else { return nil }
      state.lines += writes.count
      // One call for all of them: a line is there whole, or cut off at the end of the file.
      let count = bytes.withUnsafeBytes { Glibc.write(state.file, $0.baseAddress, bytes.count) }
      return count == bytes.count ? nil : DurableFile.fault("write", path)
    }
    if let failure { throw failure }
  }

  /// The file begins anew with these.
  package func renew(_ writes: [RememberedWrite]) throws(StoreError) { try begin(writes) }

  private func begin(_ writes: [RememberedWrite]) throws(StoreError) {
    try DurableFile.write(Self.bytes(writes), to: path)
    let file = Glibc.open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard file >= 0 else { throw DurableFile.fault("open", path) }
    state.withLock { state in
      if state.file >= 0 { Glibc.close(state.file) }
      state.file = file
      state.lines = writes.count
    }
  }

  private static func bytes(_ writes: [RememberedWrite]) -> [UInt8] {
    writes.compactMap(\.line).reduce(into: []) { bytes, line in
      bytes += line
      bytes.append(UInt8(ascii: "\n"))
    }
  }
}
