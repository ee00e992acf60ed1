// Every configuration that was ever in force, as files that a person can read: `data/config-history/`.

package import DivertCore
import Glibc

/// One file of a configuration: `routes.yaml`, or `routes.d/crm.yaml`, named from the main file's folder.
package struct ConfigText: Sendable, Hashable {
  package var name: String
  package var text: String
  package init(name: String, text: String) {
    self.name = name
    self.text = text
  }
}

/// `config-history/`: a folder a version, `<number>-<time>-<hash>/` with `meta.json` and the files. A version is written
/// under a hidden name first and gets its own when it goes into force, so that what has one was in force. What was written
/// while no router runs keeps its hidden name until a start takes it up. Used by one
/// process, the holder of the data folder's lock, for writing; reading needs no lock.
package struct ConfigHistory: Sendable {
  package let path: String

  /// A version that is on disk, but not in force yet.
  package struct Pending: Sendable {
    package var version: ConfigVersion
    fileprivate var folder: String
  }

  /// The folder is made with the first version.
  package init(path: String) { self.path = path }

  // MARK: Reading

  /// The newest versions, at most `limit`, oldest first; a folder that is no version is left out.
  package func versions(limit: Int = .max) throws(StoreError) -> [ConfigVersion] {
    try numbered().suffix(limit).map { name throws(StoreError) in try version(in: name) }
  }

  /// How many there are.
  package func count() throws(StoreError) -> Int { try numbered().count }

  /// The newest version; nil where there is none yet.
  package func latest() throws(StoreError) -> ConfigVersion? {
    guard let name = try numbered().last else { return nil }
    return try version(in: name)
  }

  /// One version by its number; nil where there is none.
  package func version(_ number: Int) throws(StoreError) -> ConfigVersion? {
    guard let name = try numbered().first(where: { Self.number(of: $0) == number }) else { return nil }
    return try version(in: name)
  }

  /// The newest version that had a target; nil where none of the last 500 had it.
  package func latest(with target: String) throws(StoreError) -> ConfigVersion? {
    for name in try numbered().suffix(500).reversed() {
      let version = try version(in: name)
      if version.targets.contains(target) { return version }
    }
    return nil
  }

  /// A version's files, the main one first.
  package func texts(of version: ConfigVersion) throws(StoreError) -> [ConfigText] {
    try texts(of: version, in: path + "/" + version.folderName)
  }

  /// The same of one that is not in force yet.
  package func texts(of pending: Pending) throws(StoreError) -> [ConfigText] {
    try texts(of: pending.version, in: pending.folder)
  }

  private func texts(of version: ConfigVersion, in folder: String) throws(StoreError) -> [ConfigText] {
    try version.files.map { name throws(StoreError) in
      let bytes = try DurableFile.read(folder + "/" + name)
      return ConfigText(name: name, text: String(decoding: bytes, as: UTF8.self))
    }
  }

  /// Names of versions' folders, by number.
  private func numbered() throws(StoreError) -> [String] {
    try DurableFile.names(in: path)
      .compactMap { name in Self.number(of: name).map { (number: $0, name: name) } }
      .sorted { $0.number < $1.number }.map(\.name)
  }

  private static func number(of name: String) -> Int? {
    let digits = name.prefix { $0 != "-" }
    return digits.count < name.count ? Int(digits) : nil
  }

  private func version(in name: String) throws(StoreError) -> ConfigVersion {
    try Self.read(path + "/" + name)
  }

  private static func read(_ folder: String) throws(StoreError) -> ConfigVersion {
    let file = folder + "/meta.json"
    guard let json = try? JSONValue.parse(try DurableFile.read(file, limit: 4 << 20)), let version = ConfigVersion(json)
    else {
      throw StoreError(
        code: "corrupt", description: "\(file) is missing or is no description of a version: put its folder aside")
    }
    return version
  }

  // MARK: Writing

  /// Writes the next version under a hidden name; on disk when it returns. Its number is given here.
  package func prepare(_ version: ConfigVersion, _ texts: [ConfigText]) throws(StoreError) -> Pending {
    var version = version
    version.number = try (numbered().last.flatMap(Self.number) ?? 0) + 1
    version.files = texts.map(\.name)
    let folder = path + "/." + version.folderName
    for changed in try DurableFile.makeFolders(folder) { try DurableFile.sync(changed) }
    for text in texts { try write(Array(text.text.utf8), text.name, in: folder) }
    try DurableFile.write(version.json.prettyEncoded(), to: folder + "/meta.json")
    try DurableFile.sync(folder)
    try DurableFile.sync(path)
    return Pending(version: version, folder: folder)
  }

  private func write(_ bytes: [UInt8], _ name: String, in folder: String) throws(StoreError) {
    let file = folder + "/" + name
    let inner = DurableFile.folder(of: file)
    if inner != folder { _ = try DurableFile.makeFolders(inner) }
    try DurableFile.write(bytes, to: file)
    if inner != folder { try DurableFile.sync(inner) }
  }

  /// Gives a version its name: from now on it counts as in force. On disk when it returns.
  /// - Parameter since: when it went into force, where that is not when it was written.
  /// - Returns: the version as it is kept.
  @discardableResult
  package func confirm(_ pending: Pending, since: Timestamp? = nil) throws(StoreError) -> ConfigVersion {
    var version = pending.version
    if let since {
      version.at = since
      try DurableFile.write(version.json.prettyEncoded(), to: pending.folder + "/meta.json")
      try DurableFile.sync(pending.folder)
    }
    guard rename(pending.folder, path + "/" + version.folderName) == 0 else {
      throw DurableFile.fault("rename", pending.folder)
    }
    try DurableFile.sync(path)
    return version
  }

  /// The version that was written and waits for a start, the newest if there are several; nil where there is none.
  package func waiting() throws(StoreError) -> Pending? { try interrupted().last }

  /// Takes a version back that did not go into force. One that cannot be removed is taken back at the next start.
  package func discard(_ pending: Pending) {
    for name in pending.version.files + ["meta.json"] { unlink(pending.folder + "/" + name) }
    for name in (try? DurableFile.names(in: pending.folder)) ?? [] { rmdir(pending.folder + "/" + name) }
    rmdir(pending.folder)
  }

  /// Keeps a main file and those of folders beside it, which were never in force and are about to be overwritten, byte for byte
  /// in `overwritten/`; on disk when it returns.
  /// - Returns: the folder; nil where there is nothing to keep.
  package func keepAside(filesOf main: String, beside folders: [String], at: Timestamp) throws(StoreError) -> String? {
    var names = try ConfigFiles(main: main).names(in: folders)
    if DurableFile.isFile(main) { names.insert(DurableFile.name(of: main), at: 0) }
    if names.isEmpty { return nil }
    let time = at.iso8601.split(separator: ":").joined(separator: "-")
    let kept = "\(path)/overwritten/\(time)"
    for changed in try DurableFile.makeFolders(kept) { try DurableFile.sync(changed) }
    for name in names { try write(try DurableFile.read(DurableFile.folder(of: main) + "/" + name), name, in: kept) }
    try DurableFile.sync(kept)
    return kept
  }

  /// What a crash left between `prepare` and `confirm`, oldest first. One that was not written whole is removed.
  package func interrupted() throws(StoreError) -> [Pending] {
    var found: [Pending] = []
    for name in try DurableFile.hiddenNames(in: path) where Self.number(of: String(name.dropFirst())) != nil {
      let folder = path + "/" + name
      if let version = try? Self.read(folder) {
        found.append(Pending(version: version, folder: folder))
      } else {
        DurableFile.removeFolder(folder)
      }
    }
    return found
  }
}
