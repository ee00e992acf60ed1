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

  /// The names of the files in folders beside the main file, from the main file's folder; none where there is no folder.
  package func names(in folders: [String]) throws(StoreError) -> [String] {
    var names: [String] = []
    for folder in folders {
      names += try DurableFile.names(in: DurableFile.folder(of: main) + "/" + folder).map { folder + "/" + $0 }
    }
    return names
  }

  /// A file under its new text, and how it was.
  private struct Step {
    var path: String
    /// Nil: the file is to go.
    var temporary: String?
    /// Nil: there was none.
    var before: [UInt8]?
  }

  /// Writes what differs and removes `gone` (names from the main file's folder); on disk when it returns. A file keeps its
  /// mode and, where it may be given away, its owner; a link is followed, not replaced.
  /// - Returns: the names of the files that were written.
  /// - Throws: with everything as it was: all new texts are on disk under other names before the first file changes, and what
  ///   was changed by then is put back.
  @discardableResult
  package func install(_ texts: [ConfigText], gone: [String]) throws(StoreError) -> [String] {
    var steps: [Step] = []
    var written: [String] = []
    var changed: Set<String> = []
    do throws(StoreError) {
      for (index, text) in texts.enumerated() {
        guard let step = try step(text, isMain: index == 0, &changed) else { continue }
        steps.append(step)
        written.append(text.name)
      }
    } catch {
      for step in steps { step.temporary.map { _ = unlink($0) } }
      throw error
    }
    let folder = DurableFile.folder(of: main)
    steps += gone.map {
      Step(path: folder + "/" + $0, temporary: nil, before: try? DurableFile.read(folder + "/" + $0))
    }
    try carryOut(steps)
    changed.formUnion(steps.map { DurableFile.folder(of: $0.path) })
    for folder in changed.sorted(by: { $0.utf8.count > $1.utf8.count }) { try DurableFile.sync(folder) }
    return written
  }

  /// Nil where the file has that text already.
  private func step(
    _ text: ConfigText, isMain: Bool, _ changed: inout Set<String>
  ) throws(StoreError) -> Step? {
    let path = Self.target(of: place(of: text, isMain: isMain))
    let bytes = Array(text.text.utf8)
    let before = try? DurableFile.read(path)
    if before == bytes { return nil }
    changed.formUnion(try DurableFile.makeFolders(DurableFile.folder(of: path)))
    return Step(path: path, temporary: try DurableFile.prepare(bytes, for: path, like: path), before: before)
  }

  private func carryOut(_ steps: [Step]) throws(StoreError) {
    for (place, step) in steps.enumerated() {
      do throws(StoreError) {
        if let temporary = step.temporary {
          try DurableFile.move(temporary, to: step.path)
        } else if unlink(step.path) != 0, errno != ENOENT {
          throw DurableFile.fault("remove", step.path)
        }
      } catch {
        for rest in steps[place...] { rest.temporary.map { _ = unlink($0) } }
        for done in steps[..<place].reversed() { putBack(done) }
        throw error
      }
    }
  }

  private func putBack(_ step: Step) {
    guard let before = step.before else {
      unlink(step.path)
      return
    }
    try? DurableFile.write(before, to: step.path, like: step.path)
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
    try move(try prepare(bytes, for: path, like: model), to: path)
  }

  /// The same without the renaming.
  /// - Returns: the temporary file's path, for `move`.
  static func prepare(_ bytes: [UInt8], for path: String, like model: String) throws(StoreError) -> String {
    var info = stat()
    let isThere = stat(model, &info) == 0
    return try prepare(bytes, for: path) { file in
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
