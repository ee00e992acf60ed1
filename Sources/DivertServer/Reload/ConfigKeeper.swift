// The one place that changes which configuration is in force: judge whole, keep durable, swap whole; else keep the old one.

package import DivertConfig
import DivertCore
package import DivertStore
import Synchronization

/// Who wants a change, how and why.
package struct ConfigOrigin: Sendable {
  package var way: ConfigVersion.Way
  package var who: String
  package var why: String?
  package var rollbackOf: Int?
  package init(way: ConfigVersion.Way, who: String, why: String? = nil, rollbackOf: Int? = nil) {
    self.way = way
    self.who = who
    self.why = why
    self.rollbackOf = rollbackOf
  }
}

/// What came of a change.
package struct ConfigChange: Sendable {
  /// The version in force now.
  package var version: ConfigVersion
  /// False: it was in force before.
  package var isNew: Bool
  package var warnings: [String]
  /// What needs a restart.
  package var restart: [String]
  /// Where the files are now that were overwritten without ever having been in force; nil: there were none.
  package var aside: String?
}

/// Brings configurations into force, one at a time. Blocking: called from threads that may.
///
/// Whatever happens in the middle, also a crash, leaves one of the two: the store knows the text before any event is planned by
/// it, the history has it under a hidden name before the file is touched, and gives it its own name last.
package final class ConfigKeeper: Sendable {
  /// What a change does in a running router.
  struct Hooks: Sendable {
    /// Before a judgement: secrets are read again.
    var prepare: @Sendable () -> Void
    /// Puts a configuration into force; returns when it is.
    var swap: @Sendable (LoadedConfiguration) -> Void
    /// What lies in the file is refused, with a sentence; or it is good again.
    var refused: @Sendable (String) -> Void
    var good: @Sendable (String) -> Void
    var log: ConfigLog
  }

  private struct State {
    var current: LoadedConfiguration?
    var standing: ConfigStanding
    var isClosed = false
  }

  /// The main file.
  package let path: String
  package let history: ConfigHistory
  private let store: any Store
  private let judge: ConfigJudge
  private let hooks: Hooks
  private let atStart: RestartSettings?
  /// One change at a time, from reading to swapping.
  private let turn = Mutex(())
  private let state: Mutex<State>

  init(
    path: String, history: ConfigHistory, store: any Store, judge: ConfigJudge, hooks: Hooks,
    current: LoadedConfiguration?, version: ConfigVersion?
  ) {
    self.path = path
    self.history = history
    self.store = store
    self.judge = judge
    self.hooks = hooks
    atStart = current.map { RestartSettings($0.table) }
    state = Mutex(State(current: current, standing: ConfigStanding(version: version, since: WallClock.now())))
  }

  /// How things stand.
  package var standing: ConfigStanding { state.withLock { $0.standing } }

  /// The table of the configuration that was brought into force last; nil: none could be read.
  var table: RouteTable? { state.withLock { $0.current?.table } }

  /// Waits for a change that is under way; from now on there is none.
  func close() {
    turn.withLock { _ in state.withLock { $0.isClosed = true } }
  }

  // MARK: From the file

  /// The file was saved, or may have been. What was refused is not tried again before it changes.
  func fileChanged() {
    turn.withLock { _ in
      let (bundle, faults) = ConfigBundle.read(path: path)
      let seen = Self.seen(bundle, faults)
      if seen == standing.refused?.seen { return }
      if let bundle, bundle.version == state.withLock({ $0.current?.table.version }) { return settle() }
      let origin = ConfigOrigin(way: .save, who: "file")
      do {
        _ = try bring(try Self.read(bundle, faults, path), faults, origin, write: false)
      } catch { refuse(error, origin, seen: seen) }
    }
  }

  /// By order (SIGHUP, `divert apply` without a file): the file as it lies there is tried, whatever was tried before; secrets
  /// are read again.
  @discardableResult
  package func reload(_ origin: ConfigOrigin) throws -> ConfigChange {
    try turn.withLock { _ in
      let (bundle, faults) = ConfigBundle.read(path: path)
      do {
        return try bring(try Self.read(bundle, faults, path), faults, origin, write: false)
      } catch {
        refuse(error, origin, seen: Self.seen(bundle, faults))
        throw error
      }
    }
  }

  // MARK: By order

  /// Puts another main file in the place of the one that is there, once it was found good. `base`: the version that the files
  /// must have now, else 412.
  @discardableResult
  package func apply(text: String, _ origin: ConfigOrigin, base: String? = nil) throws -> ConfigChange {
    try turn.withLock { _ in
      let disk = ConfigBundle.read(path: path).bundle
      let main = ConfigBundle.File(name: Self.name(of: path), text: text)
      let bundle = ConfigBundle(
        main: main, more: disk.map { Array($0.files.dropFirst()) } ?? [], folder: Self.folder(of: path))
      return try order(bundle, origin, base: base, disk: disk)
    }
  }

  /// The same with all files.
  @discardableResult
  package func apply(
    _ bundle: ConfigBundle, _ origin: ConfigOrigin, base: String? = nil
  ) throws -> ConfigChange {
    try turn.withLock { _ in
      try order(here(bundle.files), origin, base: base, disk: ConfigBundle.read(path: path).bundle)
    }
  }

  /// Brings back what was in force under a number, as a new version.
  @discardableResult
  package func rollback(_ number: Int, who: String, why: String?) throws -> ConfigChange {
    try turn.withLock { _ in
      guard let old = try history.version(number) else {
        throw OperatorFailure.notFound("there is no version \(number); `divert history` lists them")
      }
      let files = try history.texts(of: old).map { ConfigBundle.File(name: $0.name, text: $0.text) }
      let origin = ConfigOrigin(way: .rollback, who: who, why: why, rollbackOf: number)
      return try order(here(files), origin, base: nil, disk: ConfigBundle.read(path: path).bundle)
    }
  }

  private func order(
    _ bundle: ConfigBundle, _ origin: ConfigOrigin, base: String?, disk: ConfigBundle?
  ) throws -> ConfigChange {
    if let base, base != disk?.version {
      throw OperatorFailure(
        412, "changed",
        "somebody else changed \(path) meanwhile: it is version \(disk?.version ?? "unreadable") now, not "
          + "\(base). Read it again and repeat the change")
    }
    do { return try bring(bundle, [], origin, write: true) } catch {
      state.withLock { $0.standing.failures += 1 }
      hooks.log.refused(Self.refusal(error), origin, standing.version)
      throw error
    }
  }

  // MARK: The change itself

  private func bring(
    _ bundle: ConfigBundle, _ faults: [Diagnostic], _ origin: ConfigOrigin, write: Bool
  ) throws -> ConfigChange {
    if state.withLock({ $0.isClosed }) { throw OperatorFailure(503, "stopping", "the router is stopping") }
    hooks.prepare()
    let next = try judge.judge(bundle, faults)
    let current = state.withLock { ($0.current?.table.version, $0.standing.version) }
    if let version = current.1, version.hash == next.table.version, current.0 == version.hash {
      let aside = try write ? put(bundle) : nil
      hooks.swap(next)
      state.withLock { $0.current = next }
      settle()
      hooks.log.unchanged(version, origin)
      return change(version, next, isNew: false, aside: aside)
    }
    let pending = try history.prepare(Self.version(of: next, origin), Self.texts(bundle))
    var aside: String?
    do {
      try store.keepConfiguration(version: next.table.version, text: bundle.encoded, at: pending.version.at)
      if write { aside = try put(bundle) } else { try expectUnchanged(bundle) }
      try history.confirm(pending)
    } catch {
      history.discard(pending)
      throw error
    }
    return enforce(next, pending.version, aside)
  }

  /// From here on nothing can fail.
  private func enforce(_ next: LoadedConfiguration, _ version: ConfigVersion, _ aside: String?) -> ConfigChange {
    hooks.swap(next)
    state.withLock { state in
      state.current = next
      state.standing.version = version
      state.standing.since = version.at
      state.standing.reloads += 1
      state.standing.restart = atStart?.changed(in: next.table) ?? []
    }
    settle()
    let change = change(version, next, isNew: true, aside: aside)
    hooks.log.applied(change)
    return change
  }

  private func change(
    _ version: ConfigVersion, _ next: LoadedConfiguration, isNew: Bool, aside: String?
  ) -> ConfigChange {
    ConfigChange(version: version, isNew: isNew, warnings: next.warnings, restart: standing.restart, aside: aside)
  }

  /// Writes the files, and takes away those of `routes.d` that are not among them. What lies there without being in force is
  /// somebody's work: it is kept aside, where that is returned.
  private func put(_ bundle: ConfigBundle) throws -> String? {
    let there = ConfigBundle.read(path: path).bundle
    var aside: String?
    if let there, there.version != bundle.version, there.version != state.withLock({ $0.current?.table.version }) {
      aside = try history.keepAside(Self.texts(there), hash: there.version, at: WallClock.now())
    }
    let kept = Set(bundle.files.map(\.name))
    let gone = (there?.files.dropFirst() ?? []).map(\.name).filter { !kept.contains($0) }
    try ConfigFiles(main: path).install(Self.texts(bundle), gone: gone)
    return aside
  }

  /// What was judged must be what lies there: an editor that writes piecemeal is waited for.
  private func expectUnchanged(_ bundle: ConfigBundle) throws {
    if ConfigBundle.read(path: path).bundle?.version == bundle.version { return }
    throw ConfigRefusal(code: "changed", sentence: "\(path) changed while it was read")
  }

  static func version(of next: LoadedConfiguration, _ origin: ConfigOrigin) -> ConfigVersion {
    ConfigVersion(
      hash: next.table.version, at: WallClock.now(), way: origin.way, who: origin.who, why: origin.why,
      rollbackOf: origin.rollbackOf, testsRun: next.testsRun, targets: next.table.parts.targets.keys.sorted())
  }

  // MARK: Refusals

  private func refuse(_ error: any Error, _ origin: ConfigOrigin, seen: String) {
    let refusal = Self.refusal(error)
    state.withLock { state in
      state.standing.failures += 1
      state.standing.refused = .init(
        at: WallClock.now(), code: refusal.code, text: refusal.description, seen: seen)
    }
    hooks.log.refused(refusal, origin, standing.version)
    let stays = standing.version.map { "version \($0.number) (\($0.hash)) stays in force" } ?? "nothing is in force"
    let first = refusal.diagnostics.first { $0.severity == .error } ?? refusal.diagnostics.first
    var place = first.map { "; the first: \($0.file):\($0.line): \($0.message)" } ?? ""
    if let test = refusal.failedTests.first { place = "; the first: '\(test.name)' (\(test.place))" }
    hooks.refused("the saved configuration was refused and \(stays): \(refusal.sentence)\(place)")
  }

  /// The file is in force, whatever was refused before.
  private func settle() {
    let was = state.withLock { state in
      defer { state.standing.refused = nil }
      return state.standing.refused
    }
    guard was != nil, let version = standing.version else { return }
    hooks.good("the configuration is good again: version \(version.number) (\(version.hash)) is in force")
  }

  private static func refusal(_ error: any Error) -> ConfigRefusal {
    switch error {
    case let refusal as ConfigRefusal: refusal
    case let error as StoreError: ConfigRefusal(code: error.code, sentence: error.description)
    default: ConfigRefusal(code: "failed", sentence: "\(error)")
    }
  }

  // MARK: Small things

  private static func read(_ bundle: ConfigBundle?, _ faults: [Diagnostic], _ path: String) throws -> ConfigBundle {
    if let bundle { return bundle }
    throw ConfigJudge.errors(faults, path)
  }

  private static func seen(_ bundle: ConfigBundle?, _ faults: [Diagnostic]) -> String {
    bundle?.version ?? faults.map(\.description).joined()
  }

  /// Files where they will be read.
  private func here(_ files: [ConfigBundle.File]) -> ConfigBundle {
    Self.bundle(files, at: path)
  }

  static func bundle(_ files: [ConfigBundle.File], at path: String) -> ConfigBundle {
    let main = ConfigBundle.File(name: name(of: path), text: files.first?.text ?? "")
    return ConfigBundle(main: main, more: Array(files.dropFirst()), folder: folder(of: path))
  }

  static func texts(_ bundle: ConfigBundle) -> [ConfigText] {
    bundle.files.map { ConfigText(name: $0.name, text: $0.text) }
  }

  private static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  /// With its last `/`.
  private static func folder(of path: String) -> String { path.lastIndex(of: "/").map { String(path[...$0]) } ?? "" }
}
