// What was erased leaves the disk: the write-ahead log is emptied, and the file is written anew where freed space still has it.

package import DivertCore
import Glibc

extension SQLiteStore {
  /// Moves the write-ahead log into the file and empties it. False: a reader held it up; what is erased is still in the log.
  package func emptyLog() throws(StoreError) -> Bool {
    try writing("empty the write-ahead log") { writer in
      // Commits wait behind this: a reader that holds it up is not waited for here.
      try writer.connection.run("PRAGMA busy_timeout = 20")
      defer { try? writer.connection.run("PRAGMA busy_timeout = 5000") }
      return try writer.connection.prepare("PRAGMA wal_checkpoint(TRUNCATE)").first { $0.int(0) == 0 } ?? false
    }
  }

  /// Writes the file anew, without its freed space; nothing is accepted meanwhile. The log is emptied, too.
  package func rewrite() throws(StoreError) {
    try writing("write the store anew") { writer in
      // On disk, in the folder for temporary files: a store may be larger than memory.
      try writer.connection.run("PRAGMA temp_store = DEFAULT; VACUUM; PRAGMA temp_store = MEMORY")
    }
    _ = try emptyLog()
  }

  /// The size of the file, in bytes.
  package func fileSize() throws(StoreError) -> Int {
    try reading("read the store's size") { reader in
      let sizes = try ["page_count", "page_size"].map { name in
        try reader.connection.prepare("PRAGMA \(name)").first { $0.int(0) } ?? 0
      }
      return sizes[0] * sizes[1]
    }
  }
}

/// Looks through files for bytes, whatever the files are.
package enum BytesInFiles {
  /// The files beneath a folder that have the bytes, with how often; in the order of their names.
  /// - Parameter leaving: names of files and folders that are not looked into.
  package static func find(
    _ bytes: [UInt8], in folder: String, leaving: Set<String>
  ) throws(StoreError) -> [(path: String, count: Int)] {
    var found: [(path: String, count: Int)] = []
    for name in try DurableFile.allNames(in: folder).sorted()
    where ![".", ".."].contains(name) && !leaving.contains(name) {
      let path = folder + "/" + name
      if DurableFile.isFolder(path) {
        found += try find(bytes, in: path, leaving: leaving)
      } else {
        let count = count(bytes, in: path)
        if count > 0 { found.append((path, count)) }
      }
    }
    return found
  }

  /// How often a file has the bytes; 0 for one that cannot be read or is gone.
  static func count(_ bytes: [UInt8], in path: String) -> Int {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0, !bytes.isEmpty else { return 0 }
    defer { close(file) }
    let size = 1 << 20
    var buffer = [UInt8](repeating: 0, count: size + bytes.count)
    var (kept, found) = (0, 0)
    while true {
      let count = buffer.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress?.advanced(by: kept), size) }
      guard count > 0 else { return found }
      let length = kept + count
      found += buffer.withUnsafeBytes { matches(bytes, in: UnsafeRawBufferPointer(rebasing: $0[..<length])) }
      let tail = min(bytes.count - 1, length)
      for place in 0..<tail { buffer[place] = buffer[length - tail + place] }
      kept = tail
    }
  }

  private static func matches(_ bytes: [UInt8], in buffer: UnsafeRawBufferPointer) -> Int {
    guard var place = buffer.baseAddress else { return 0 }
    let last = place + (buffer.count - bytes.count)
    var found = 0
    while place <= last, let hit = memchr(place, CInt(bytes[0]), last - place + 1) {
      place = UnsafeRawPointer(hit)
      let isMatch = memcmp(place, bytes, bytes.count) == 0
      found += isMatch ? 1 : 0
      place += isMatch ? bytes.count : 1
    }
    return found
  }
}
