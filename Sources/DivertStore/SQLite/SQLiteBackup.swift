// A copy of the running store: consistent as of one moment, on disk before it gets its name.

package import DivertCore
import GRDB
import Glibc

extension SQLiteStore {
  package func backup(to path: String) throws(StoreError) {
    if access(path, F_OK) == 0 {
      throw StoreError(code: "io", description: "cannot back up to \(path): it exists already; give another name")
    }
    let partial = path + ".partial"
    try StoreError.mapping("back up to \(path)") {
      unlink(partial)
      defer { unlink(partial) }
      let copy = try DatabaseQueue(path: partial)
      try pool.backup(to: copy)
      try copy.close()
      try DurableFile.sync(partial)
      // Unlike a rename, a link never replaces what has come to be there meanwhile.
      guard link(partial, path) == 0 else { throw DurableFile.fault("make", path) }
      try DurableFile.sync(DurableFile.folder(of: path))
    }
  }
}
