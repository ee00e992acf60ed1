// Bodies that were refused as malformed under a valid key: kept as files, bounded, to be looked at and taken again.

package import DivertCore
import Dispatch
import Logging
import Synchronization

/// The folder `data/quarantine`. Its operations block on the disk; `keep` does so on a queue of its own.
package final class Quarantine: Sendable {
  package struct Bounds: Sendable {
    package var files: Int
    package var bytes: Int
    package init(files: Int, bytes: Int) {
      self.files = files
      self.bytes = bytes
    }
  }

  /// What the folder holds, as far as this process knows; names sort by time.
  private struct Index {
    var entries: [(name: String, bytes: Int)] = []
    var bytes = 0
    var isRead = false
    var dropped = 0
  }

  private let folder: Folder
  private let log: LogWriter
  private let bounds: @Sendable () -> Bounds
  private let index = Mutex(Index())
  private let queue = DispatchQueue(label: "divert.quarantine")

  /// `bounds` is asked at each `keep` (the newest configuration's). The folder is made when first needed.
  package init(folder: String, log: LogWriter, bounds: @escaping @Sendable () -> Bounds) {
    self.folder = Folder(path: folder)
    self.log = log
    self.bounds = bounds
  }

  /// How many files were dropped for room since the start.
  package var dropped: Int { index.withLock { $0.dropped } }

  /// Keeps a body: on disk, whole, when this returns true. False (and a line in the log) when the disk would not take
  /// it.
  package func keep(_ body: QuarantinedBody) async -> Bool {
    await withCheckedContinuation { done in
      queue.async { done.resume(returning: self.write(body)) }
    }
  }

  /// The names of what is kept, oldest first.
  package func list() throws(FolderError) -> [String] {
    try folder.files().map(\.name).filter { $0.hasSuffix(".json") }.sorted()
  }

  /// One file read; nil where there is none of that name. Throws with the reason where it cannot be read.
  package func show(_ name: String) throws(FolderError) -> QuarantinedBody? {
    guard Self.isName(name), let bytes = try folder.read(name) else { return nil }
    do {
      return try QuarantinedBody(json: bytes)
    } catch {
      throw FolderError("\(name) in the quarantine is damaged: \(error)")
    }
  }

  /// The names of what was received before a moment.
  package func list(before time: Timestamp) throws(FolderError) -> [String] {
    let bound = time.iso8601.filter { $0 != ":" }
    return try list().filter { $0.first?.isNumber == true && $0 < bound }
  }

  /// A file's bytes, whatever they are; nil where there is none of that name.
  package func bytes(of name: String) throws(FolderError) -> [UInt8]? {
    Self.isName(name) ? try folder.read(name) : nil
  }

  /// Deletes one file; false where there is none of that name.
  @discardableResult
  package func remove(_ name: String) throws(FolderError) -> Bool {
    guard Self.isName(name) else { return false }
    let isGone = try folder.remove(name)
    index.withLock { index in
      guard let place = index.entries.firstIndex(where: { $0.name == name }) else { return }
      index.bytes -= index.entries.remove(at: place).bytes
    }
    return isGone
  }

  /// A name of ours, and no path out of the folder.
  private static func isName(_ name: String) -> Bool {
    name.hasSuffix(".json") && !name.hasPrefix(".") && !name.contains("/")
  }
}

extension Quarantine {
  private func write(_ body: QuarantinedBody) -> Bool {
    let bytes = body.json
    var random = SystemRandomNumberGenerator()
    let suffix = String(random.next() | 1 << 63, radix: 36)
    let name = "\(body.receivedAt.iso8601.filter { $0 != ":" })-\(suffix).json"
    do throws(FolderError) {
      try readIndexOnce()
      try folder.write(bytes, as: name)
    } catch {
      var line = LogLine(time: body.receivedAt, level: .error, event: "quarantine_failed")
      line.field("source", body.source)
      line.field("msg", error.description)
      log.write(line)
      return false
    }
    let excess = index.withLock { index in
      index.entries.append((name, bytes.count))
      index.bytes += bytes.count
      return Self.takeExcess(of: &index, bounds())
    }
    drop(excess, at: body.receivedAt)
    return true
  }

  private func readIndexOnce() throws(FolderError) {
    if index.withLock({ $0.isRead }) { return }
    try folder.make()
    let files = try folder.files().filter { $0.name.hasSuffix(".json") }.sorted { $0.name < $1.name }
    index.withLock { index in
      index.entries = files
      index.bytes = files.reduce(0) { $0 + $1.bytes }
      index.isRead = true
    }
  }

  /// Takes the oldest out of the index until the bounds hold; the newest stays whatever its size.
  private static func takeExcess(of index: inout Index, _ bounds: Bounds) -> [String] {
    var excess = 0
    while index.entries.count - excess > 1,
      index.entries.count - excess > bounds.files || index.bytes > bounds.bytes
    {
      index.bytes -= index.entries[excess].bytes
      excess += 1
    }
    let names = index.entries.prefix(excess).map(\.name)
    index.entries.removeFirst(excess)
    index.dropped += excess
    return names
  }

  private func drop(_ names: [String], at time: Timestamp) {
    for name in names {
      var line = LogLine(time: time, level: .warning, event: "quarantine_dropped")
      line.field("file", name)
      do throws(FolderError) {
        try folder.remove(name)
        line.field("reason", "quarantine_full")
      } catch {
        line.field("reason", error.description)
      }
      log.write(line)
    }
  }
}
