// Files that are there whole or not at all, also after a power cut: temporary file, fsync, rename, fsync of the folder.

package import DivertCore
import Glibc

/// The few file operations that the store's modules need, with errors that name the file and the cause.
package enum DurableFile {
  static func fault(_ doing: String, _ path: String) -> StoreError {
    let cause = errno
    let code = cause == ENOSPC || cause == EDQUOT ? "disk_full" : cause == EROFS || cause == EACCES ? "read_only" : "io"
    return StoreError(code: code, description: "cannot \(doing) \(path): \(String(cString: strerror(cause)))")
  }

  /// The folder that a path names something in: `.` where it names none.
  package static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  /// Waits until a file's or folder's content is on disk.
  static func sync(_ path: String) throws(StoreError) {
    let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw fault("open", path) }
    defer { Glibc.close(file) }
    guard fsync(file) == 0 else { throw fault("sync", path) }
  }

  /// Writes `bytes` to a temporary file beside `path`, syncs it and renames it. The folder is the caller's to sync.
  /// `adorn`: sets the new file's mode and owner by its descriptor.
  static func write(
    _ bytes: [UInt8], to path: String, adorn: (CInt) -> Void = { _ in }
  ) throws(StoreError) {
    let temporary = try prepare(bytes, for: path, adorn: adorn)
    do { try move(temporary, to: path) } catch {
      unlink(temporary)
      throw error
    }
  }

  /// Writes `bytes` to a temporary file beside `path`, on disk when it returns.
  /// - Returns: the temporary file's path, for `move`.
  static func prepare(
    _ bytes: [UInt8], for path: String, adorn: (CInt) -> Void = { _ in }
  ) throws(StoreError) -> String {
    let temporary = folder(of: path) + "/.\(name(of: path)).tmp"
    do {
      try writeThrough(bytes, to: temporary, adorn)
    } catch {
      unlink(temporary)
      throw error
    }
    return temporary
  }

  static func move(_ temporary: String, to path: String) throws(StoreError) {
    guard rename(temporary, path) == 0 else { throw fault("rename", temporary) }
  }

  private static func writeThrough(_ bytes: [UInt8], to path: String, _ adorn: (CInt) -> Void) throws(StoreError) {
    let file = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw fault("create", path) }
    defer { Glibc.close(file) }
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress?.advanced(by: done), bytes.count - done) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw fault("write", path) }
      done += count
    }
    adorn(file)
    guard fsync(file) == 0 else { throw fault("sync", path) }
  }

  /// Reads a whole file of at most `limit` bytes.
  package static func read(_ path: String, limit: Int = 64 << 20) throws(StoreError) -> [UInt8] {
    let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw fault("open", path) }
    defer { Glibc.close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Glibc.read(file, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw fault("read", path) }
      if count == 0 { return bytes }
      bytes.append(contentsOf: buffer[..<count])
      if bytes.count > limit {
        throw StoreError(code: "io", description: "cannot read \(path): it is larger than \(limit) bytes")
      }
    }
  }

  /// Makes a folder and those above it.
  /// - Returns: the folders whose list of names changed, to be synced.
  static func makeFolders(_ path: String) throws(StoreError) -> [String] {
    if mkdir(path, 0o700) == 0 { return [folder(of: path)] }
    if errno == EEXIST { return [] }
    guard errno == ENOENT, folder(of: path) != path else { throw fault("make the folder", path) }
    let above = try makeFolders(folder(of: path))
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw fault("make the folder", path) }
    return above + [folder(of: path)]
  }

  /// The names in a folder, sorted, without hidden ones; empty for a folder that is not there.
  static func names(in path: String) throws(StoreError) -> [String] {
    try allNames(in: path).filter { !$0.hasPrefix(".") }
  }

  static func allNames(in path: String) throws(StoreError) -> [String] {
    guard let folder = opendir(path) else {
      if errno == ENOENT { return [] }
      throw fault("list", path)
    }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
      }
      names.append(name)
    }
    return names.sorted()
  }

  static func isFolder(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }

  /// There, and no folder.
  static func isFile(_ path: String) -> Bool { access(path, F_OK) == 0 && !isFolder(path) }
}
