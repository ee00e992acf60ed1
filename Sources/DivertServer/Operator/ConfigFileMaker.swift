// An edited file → the disk, where no router is asked: over its text before, or as a new file with its folder.
package import DivertConfig
import DivertCore
import DivertStore
import Glibc

package enum ConfigFileMaker {
  /// Writes what an edit made at `path`, whole or not at all; a file that another made or changed meanwhile is left alone
  /// (fault `changed`).
  package static func write(_ edited: EditedConfiguration, at path: String) throws(EditFault) {
    guard let file = edited.file else { return }
    if !edited.isNew { return try ConfigFileWriter.replace(path, before: edited.before, with: file.text) }
    guard access(path, F_OK) != 0 else {
      throw EditFault("changed", "\(path) has been made meanwhile by somebody else: nothing was written")
    }
    let text = ConfigText(name: file.name, text: file.text)
    do throws(StoreError) { try ConfigFiles(main: path).install([text], gone: []) } catch {
      throw EditFault("not_written", error.description)
    }
  }
}
