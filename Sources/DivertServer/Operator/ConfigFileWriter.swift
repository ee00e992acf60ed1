// An edited text → the file, where no router is asked: only over the text that the edit began with.
package import DivertConfig
import DivertCore
import DivertStore
import Glibc

package enum ConfigFileWriter {
  /// Replaces the file's text, keeping its mode and, where this process may, its owner; a symbolic link stays one.
  /// - Parameter before: the text that the edit began with. A file that holds another one by now is left alone (fault
  ///   `changed`): somebody else was first.
  package static func replace(_ path: String, before: String, with text: String) throws(EditFault) {
    let file = try real(path)
    let folder = folder(of: file)
    // Editors of this kind go one after the other; those of another kind are noticed by the comparison.
    let lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard lock >= 0 else { throw fault("open the folder", folder) }
    defer { close(lock) }
    while flock(lock, LOCK_EX) != 0 { if errno != EINTR { throw fault("lock the folder", folder) } }
    guard try read(file) == Array(before.utf8) else {
      throw EditFault(
        "changed", "\(path) has been changed meanwhile by somebody else: nothing was written; look at it again")
    }
    let text = ConfigText(name: String(file.split(separator: "/").last ?? "routes"), text: text)
    do throws(StoreError) { try ConfigFiles(main: file).install([text], gone: []) } catch {
      throw EditFault("not_written", error.description)
    }
  }

  private static func fault(_ doing: String, _ path: String) -> EditFault {
    EditFault("not_written", "cannot \(doing) \(path): \(String(cString: strerror(errno)))")
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func real(_ path: String) throws(EditFault) -> String {
    guard let resolved = realpath(path, nil) else { throw fault("find", path) }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  private static func read(_ path: String) throws(EditFault) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw fault("open", path) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Glibc.read(file, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw fault("read", path) }
      if count == 0 { return bytes }
      bytes.append(contentsOf: buffer[..<count])
    }
  }
}
