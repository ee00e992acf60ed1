// At a start: a change of the configuration that a crash cut off is finished or taken back, and what goes into force gets its
// place in the history.

import DivertConfig
import DivertCore
package import DivertStore

package enum ConfigRecovery {
  /// What a start puts into force.
  package enum Found: Sendable {
    /// What was in force last.
    case known(ConfigVersion)
    /// On disk, to be confirmed when the router is up.
    case new(ConfigHistory.Pending)

    package var version: ConfigVersion {
      switch self {
      case .known(let version): version
      case .new(let pending): pending.version
      }
    }
  }

  /// Of the versions that were written and never in force the newest waits for the start, where its files lie in their place; where
  /// an order had put some of them there, the others follow, since they were found good. All others are taken back, those of starts that came to
  /// nothing among them.
  static func finish(_ history: ConfigHistory, path: String) throws(StoreError) {
    let there = ConfigBundle.read(path: path).bundle.map(ConfigKeeper.texts) ?? []
    let all = try history.interrupted()
    var olds = try all.map { pending throws(StoreError) in try history.texts(of: pending) }
    if let latest = try history.latest() { olds.append(try history.texts(of: latest)) }
    var isFound = false
    for (pending, texts) in zip(all, olds).reversed() {
      if isFound || pending.version.way == .start {
        history.discard(pending)
      } else if isSame(there, texts) {
        isFound = true
      } else if pending.version.way.writesFiles, isHalfway(there, texts, olds) {
        isFound = true
        let kept = Set(texts.map(\.name))
        try ConfigFiles(main: path).install(texts, gone: there.dropFirst().map(\.name).filter { !kept.contains($0) })
      } else {
        history.discard(pending)
      }
    }
  }

  private static func isSame(_ a: [ConfigText], _ b: [ConfigText]) -> Bool {
    a.first?.text == b.first?.text && a.dropFirst() == b.dropFirst()
  }

  /// Every file is an old version's or the new one's, and they are not all of one old version.
  private static func isHalfway(_ there: [ConfigText], _ new: [ConfigText], _ olds: [[ConfigText]]) -> Bool {
    if there.isEmpty || olds.contains(where: { isSame(there, $0) }) { return false }
    func texts(_ name: String, main: Bool) -> [String] {
      main
        ? (olds + [new]).compactMap(\.first?.text)
        : (olds + [new]).flatMap { $0.dropFirst() }.filter { $0.name == name }.map(\.text)
    }
    return there.enumerated().allSatisfy { place, file in
      texts(file.name, main: place == 0).contains(file.text)
    }
  }

  /// The version that a start puts into force: the newest of the history or the one that waits for it, if that is what the
  /// file holds; else a new one.
  static func found(_ configuration: LoadedConfiguration, _ history: ConfigHistory) throws(StoreError) -> Found {
    let (latest, waiting) = (try history.latest(), try history.waiting())
    if let waiting, waiting.version.hash == configuration.table.version, latest?.hash != waiting.version.hash {
      return .new(waiting)
    }
    if let waiting { history.discard(waiting) }
    if let latest, latest.hash == configuration.table.version { return .known(latest) }
    let why = latest == nil ? "the first start" : "the file had changed before this start"
    let version = ConfigKeeper.version(of: configuration, ConfigOrigin(way: .start, who: "file", why: why))
    return .new(try history.prepare(version, ConfigKeeper.texts(configuration.bundle)))
  }
}
