// Puts a configuration's files in their place, each whole or not at all, and durable.

package import DivertCore
import Glibc

/// The files of a configuration where they are read: the main file, and others beside it by their names.
package struct ConfigFiles: Sendable {
  /// The main file's path.
  package let main: String

  package init(main: String) { self.main = main }

  /// Where a file of a configuration lies; the first of one is the main file, whatever it was called.
  private func place(of text: ConfigText, isMain: Bool) -> String {
    isMain ? main : DurableFile.folder(of: main) + "/" + text.name
  }

  /// Writes what differs and removes `gone` (names from the main file's folder); on disk when it returns. A file keeps its
  /// mode and, where it may be given away, its owner; a link is followed, not replaced.
  /// - Throws: with some of the files perhaps written.
  package func install(_ texts: [ConfigText], gone: [String]) throws(StoreError) {
    var changed: Set<String> = []
    for (index, text) in texts.enumerated() {
      let path = Self.target(of: place(of: text, isMain: index == 0))
      let bytes = Array(text.text.utf8)
      if (try? DurableFile.read(path)) == bytes { continue }
      let folder = DurableFile.folder(of: path)
      changed.formUnion(try DurableFile.makeFolders(folder))
      try DurableFile.write(bytes, to: path, like: path)
      changed.insert(folder)
    }
    for name in gone {
      let path = DurableFile.folder(of: main) + "/" + name
      guard unlink(path) == 0 || errno == ENOENT else { throw DurableFile.fault("remove", path) }
      changed.insert(DurableFile.folder(of: path))
    }
    for folder in changed.sorted(by: { $0.utf8.count > $1.utf8.count }) { try DurableFile.sync(folder) }
  }

  /// What a link leads to; the path itself where there is none.
  private static func target(of path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }
}

extension DurableFile {
  /// Writes a temporary file, gives it the mode and owner of `model` where that is there, and renames it.
  static func write(_ bytes: [UInt8], to path: String, like model: String) throws(StoreError) {
    var info = stat()
    let isThere = stat(model, &info) == 0
    try write(bytes, to: path) { file in
      guard isThere else { return }
      _ = fchmod(file, info.st_mode & 0o777)
      _ = fchown(file, info.st_uid, info.st_gid)
    }
  }

  /// The hidden names in a folder, sorted; empty for a folder that is not there.
  static func hiddenNames(in path: String) throws(StoreError) -> [String] {
    try allNames(in: path).filter { $0.hasPrefix(".") && $0 != "." && $0 != ".." }
  }

  /// Removes a folder with what is in it, as far as that goes.
  static func removeFolder(_ path: String) {
    for name in (try? allNames(in: path)) ?? [] where name != "." && name != ".." {
      let inner = path + "/" + name
      if isFolder(inner) { removeFolder(inner) } else { unlink(inner) }
    }
    rmdir(path)
  }
}
