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
    let folder = DurableFile.folder(of: file)
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

  private static func real(_ path: String) throws(EditFault) -> String {
    guard let resolved = realpath(path, nil) else { throw fault("find", path) }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  private static func read(_ path: String) throws(EditFault) -> [UInt8] {
    do throws(StoreError) { return try DurableFile.read(path) } catch {
      throw EditFault("not_written", error.description)
    }
  }
}
