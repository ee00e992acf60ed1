// Files that are written whole or not at all: temporary file, fsync, rename, fsync of the folder.

import Glibc

/// What went wrong with a folder or a file in it, in words.
package struct FolderError: Error, CustomStringConvertible {
  package let description: String
  init(_ description: String) { self.description = description }
  init(_ doing: String, errno: CInt) { description = "\(doing): \(String(cString: strerror(errno)))" }
}

/// One folder of small files.
struct Folder: Sendable {
  let path: String

  /// Makes it (not its parents), open to its owner alone; nothing where it is there.
  func make() throws(FolderError) {
    if mkdir(path, 0o700) != 0, errno != EEXIST { throw FolderError("cannot make the folder \(path)", errno: errno) }
  }

  /// Its regular files with their sizes; none where there is no such folder.
  func files() throws(FolderError) -> [(name: String, bytes: Int)] {
    guard let handle = opendir(path) else {
      if errno == ENOENT { return [] }
      throw FolderError("cannot read the folder \(path)", errno: errno)
    }
    defer { closedir(handle) }
    var files: [(name: String, bytes: Int)] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      var status = stat()
      guard lstat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
      files.append((name, Int(status.st_size)))
    }
    return files
  }

  /// A file's bytes; nil where there is none.
  func read(_ name: String) throws(FolderError) -> [UInt8]? {
    let descriptor = open("\(path)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    if descriptor < 0 {
      if errno == ENOENT { return nil }
      throw FolderError("cannot open \(name)", errno: errno)
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count > 0 {
        bytes.append(contentsOf: chunk[..<count])
      } else if count == 0 {
        return bytes
      } else if errno != EINTR {
        throw FolderError("cannot read \(name)", errno: errno)
      }
    }
  }

  /// On disk under its name when this returns; on an error there is no such file.
  func write(_ bytes: [UInt8], as name: String) throws(FolderError) {
    let temporary = "\(path)/.\(name).tmp"
    do throws(FolderError) {
      try writeSynced(bytes, to: temporary)
      if rename(temporary, "\(path)/\(name)") != 0 { throw FolderError("cannot name \(name)", errno: errno) }
    } catch {
      unlink(temporary)
      throw error
    }
    try sync()
  }

  /// False where there was none.
  @discardableResult
  func remove(_ name: String) throws(FolderError) -> Bool {
    if unlink("\(path)/\(name)") == 0 { return true }
    if errno == ENOENT { return false }
    throw FolderError("cannot remove \(name)", errno: errno)
  }

  private func writeSynced(_ bytes: [UInt8], to file: String) throws(FolderError) {
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    if descriptor < 0 { throw FolderError("cannot make \(file)", errno: errno) }
    defer { close(descriptor) }
    var start = 0
    while start < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress?.advanced(by: start), $0.count - start)
      }
      if count < 0, errno == EINTR { continue }
      if count <= 0 { throw FolderError("cannot write \(file)", errno: errno) }
      start += count
    }
    if fsync(descriptor) != 0 { throw FolderError("cannot flush \(file)", errno: errno) }
  }

  private func sync() throws(FolderError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor < 0 { throw FolderError("cannot open the folder \(path)", errno: errno) }
    defer { close(descriptor) }
    if fsync(descriptor) != 0 { throw FolderError("cannot flush the folder \(path)", errno: errno) }
  }
}
