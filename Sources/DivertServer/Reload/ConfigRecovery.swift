// After a start: a change of the configuration that a crash cut off is finished or taken back, and what is in force gets its
// place in the history.

import DivertConfig
import DivertCore
import DivertStore

enum ConfigRecovery {
  /// A version that was kept, but has no name of its own yet: where its files lie in their place it is finished; where an order
  /// had put some of them there, the others follow, since they were found good; else it is taken back.
  static func finish(_ history: ConfigHistory, path: String) throws(StoreError) {
    for pending in try history.interrupted() {
      let texts = try history.texts(of: pending)
      let there = ConfigBundle.read(path: path).bundle.map(ConfigKeeper.texts) ?? []
      if isSame(there, texts) {
        try history.confirm(pending)
      } else if pending.version.way.writesFiles, try isHalfway(there, texts, history) {
        let kept = Set(texts.map(\.name))
        try ConfigFiles(main: path).install(texts, gone: there.dropFirst().map(\.name).filter { !kept.contains($0) })
        try history.confirm(pending)
      } else {
        history.discard(pending)
      }
    }
  }

  private static func isSame(_ a: [ConfigText], _ b: [ConfigText]) -> Bool {
    a.first?.text == b.first?.text && a.dropFirst() == b.dropFirst()
  }

  /// Every file is the old version's or the new one's, and some are new.
  private static func isHalfway(
    _ there: [ConfigText], _ new: [ConfigText], _ history: ConfigHistory
  ) throws(StoreError) -> Bool {
    guard let latest = try history.latest(), !there.isEmpty else { return false }
    let old = try history.texts(of: latest)
    if isSame(there, old) { return false }
    func texts(_ name: String, main: Bool) -> [String] {
      main
        ? [old.first?.text, new.first?.text].compactMap { $0 }
        : (old.dropFirst() + new.dropFirst()).filter { $0.name == name }.map(\.text)
    }
    return there.enumerated().allSatisfy { place, file in
      texts(file.name, main: place == 0).contains(file.text)
    }
  }

  /// The version that a start puts into force: the newest of the history, if that is what the file holds; else a new one.
  static func record(_ configuration: LoadedConfiguration, _ history: ConfigHistory) throws(StoreError) -> ConfigVersion
  {
    let latest = try history.latest()
    if let latest, latest.hash == configuration.table.version { return latest }
    let why = latest == nil ? "the first start" : "the file had changed before this start"
    let origin = ConfigOrigin(way: .start, who: "file", why: why)
    let version = ConfigKeeper.version(of: configuration, origin)
    let pending = try history.prepare(version, ConfigKeeper.texts(configuration.bundle))
    try history.confirm(pending)
    return pending.version
  }
}
