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
  /// It goes into force also when its own tests fail.
  package var despiteTests: Bool
  package init(
    way: ConfigVersion.Way, who: String, why: String? = nil, rollbackOf: Int? = nil, despiteTests: Bool = false
  ) {
    self.way = way
    self.who = who
    self.why = why
    self.rollbackOf = rollbackOf
    self.despiteTests = despiteTests
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
  /// The files that were written and taken away, by name.
  package var written: [String] = []
  package var removed: [String] = []
  /// Of `warnings`, those about sources that the version before had.
  package var sourcesGone: [String] = []
  /// What was gathered from history for it.
  package var gathered = GatheredBooks()
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
    /// What the start puts into force once the router is up; until then nothing is changed.
    var starting: ConfigHistory.Pending?
    var isStarting = false
    var isClosed = false
  }

  /// What became of the files.
  private struct Files {
    var written: [String] = []
    var removed: [String] = []
    var aside: String?
  }

  /// The main file.
  package let path: String
  package let history: ConfigHistory
  private let store: any Store
  private let judge: ConfigJudge
  private let hooks: Hooks
  /// Nil: the start sees to what routes remember.
  private let books: BookKeeper?
  /// Nil: no router runs, and what is changed waits for its start.
  private let atStart: RestartSettings?
  /// One change at a time, from reading to swapping.
  private let turn = Mutex(())
  private let state: Mutex<State>

  init(
    path: String, history: ConfigHistory, store: any Store, judge: ConfigJudge, hooks: Hooks,
    current: LoadedConfiguration?, version: ConfigVersion?, runs: Bool = true, books: BookKeeper? = nil
  ) {
    self.books = books
    self.path = path
    self.history = history
    self.store = store
    self.judge = judge
    self.hooks = hooks
    atStart = runs ? current.map { RestartSettings($0.table) } : nil
    var standing = ConfigStanding(version: version, since: WallClock.now())
    standing.failingTests = current?.failedTests ?? []
    state = Mutex(State(current: current, standing: standing))
  }

  /// Of a router that starts: `started` is to be called when it is up, and nothing is changed before.
  convenience init(
    path: String, history: ConfigHistory, store: any Store, judge: ConfigJudge, hooks: Hooks,
    current: LoadedConfiguration, starting: ConfigRecovery.Found, books: BookKeeper? = nil
  ) {
    self.init(
      path: path, history: history, store: store, judge: judge, hooks: hooks, current: current,
      version: starting.version, books: books)
    state.withLock { state in
      state.isStarting = true
      if case .new(let pending) = starting { state.starting = pending }
    }
  }

  /// The router is up: what it started with counts as in force, and changes are taken.
  func started() throws(StoreError) {
    try turn.withLock { _ throws(StoreError) in
      let pending = state.withLock { state in
        state.isStarting = false
        defer { state.starting = nil }
        return state.starting
      }
      guard let pending else { return }
      let version = try history.confirm(pending, since: WallClock.now())
      state.withLock { $0.standing.version = version }
    }
  }

  /// How things stand.
  package var standing: ConfigStanding {
    var standing = state.withLock { $0.standing }
    standing.gathering = books?.progress
    return standing
  }

  /// The table of the configuration that was brought into force last; nil: none could be read.
  var table: RouteTable? { state.withLock { $0.current?.table } }

  /// A change that is still reading history is given up: nobody waits for it. The next start reads it.
  func hurry() { books?.stop() }

  /// Waits for a change that is under way; from now on there is none. Of a start that came to nothing no trace stays.
  func close() {
    hurry()
    turn.withLock { _ in
      let pending = state.withLock { state in
        state.isClosed = true
        defer { state.starting = nil }
        return state.starting
      }
      if let pending, pending.version.way == .start { history.discard(pending) }
    }
  }

  // MARK: From the file

  /// The file was saved, or may have been. What was refused is not tried again before it changes.
  func fileChanged() {
    turn.withLock { _ in
      let (bundle, faults) = ConfigBundle.read(path: path)
      let seen = Self.seen(bundle, faults)
      if let refused = standing.refused, refused.seen == seen, !hasAppeared(refused.absentSecrets) { return }
      if let bundle, bundle.version == state.withLock({ $0.current?.table.version }) { return settle() }
      let origin = ConfigOrigin(way: .save, who: "file")
      do {
        _ = try bring(try Self.read(bundle, faults, path), faults, origin, judge, write: false)
      } catch is OperatorFailure {
        // The router stops.
      } catch { refuse(error, origin, seen: seen) }
    }
  }

  /// Whether one of the secrets is there by now.
  private func hasAppeared(_ secrets: [String]) -> Bool {
    if secrets.isEmpty { return false }
    hooks.prepare()
    return secrets.contains { judge.secret?($0) != nil }
  }

  /// By order (SIGHUP, `divert apply` without a file): the file as it lies there is tried, whatever was tried before; secrets
  /// are read again. `base`: the version that the files must have, else 412.
  @discardableResult
  package func reload(_ origin: ConfigOrigin, base: String? = nil) throws -> ConfigChange {
    try turn.withLock { _ in
      let (bundle, faults) = ConfigBundle.read(path: path)
      try expect(base, bundle)
      do {
        return try bring(try Self.read(bundle, faults, path), faults, origin, judge, write: false)
      } catch let failure as OperatorFailure {
        throw failure
      } catch {
        refuse(error, origin, seen: Self.seen(bundle, faults))
        throw error
      }
    }
  }

  // MARK: By order

  /// Puts another main file in the place of the one that is there, once it was found good. `base`: the version that the files
  /// must have now, else 412. `called`: the name that the text has for its author.
  @discardableResult
  package func apply(
    text: String, called: String? = nil, _ origin: ConfigOrigin, base: String? = nil
  ) throws -> ConfigChange {
    try turn.withLock { _ in
      // What cannot be read beside it would be gone from force without a word.
      let (beside, faults) = ConfigBundle.readBeside(path: path)
      if faults.contains(where: { $0.severity == .error }) { throw ConfigJudge.errors(faults, path) }
      let main = ConfigBundle.File(name: Self.name(of: path), text: text)
      let bundle = ConfigBundle(main: main, more: beside, folder: Self.folder(of: path))
      return try order(bundle, origin, base: base, disk: ConfigBundle.read(path: path).bundle, called: called)
    }
  }

  /// The same with all files.
  @discardableResult
  package func apply(
    _ files: [ConfigBundle.File], called: String? = nil, _ origin: ConfigOrigin, base: String? = nil
  ) throws -> ConfigChange {
    try turn.withLock { _ in
      try order(here(files), origin, base: base, disk: ConfigBundle.read(path: path).bundle, called: called)
    }
  }

  /// Brings back what was in force under a number, as a new version.
  @discardableResult
  package func rollback(
    _ number: Int, who: String, why: String?, despiteTests: Bool = false, base: String? = nil
  ) throws -> ConfigChange {
    try turn.withLock { _ in
      guard let old = try history.version(number) else {
        throw OperatorFailure.notFound("there is no version \(number); `divert history` lists them")
      }
      let files = try history.texts(of: old).map { ConfigBundle.File(name: $0.name, text: $0.text) }
      let origin = ConfigOrigin(
        way: .rollback, who: who, why: why, rollbackOf: number, despiteTests: despiteTests)
      return try order(here(files), origin, base: base, disk: ConfigBundle.read(path: path).bundle)
    }
  }

  private func order(
    _ bundle: ConfigBundle, _ origin: ConfigOrigin, base: String?, disk: ConfigBundle?, called: String? = nil
  ) throws -> ConfigChange {
    try expect(base, disk)
    var judge = judge
    judge.called = called
    do { return try bring(bundle, [], origin, judge, write: true, base: base) } catch let failure as OperatorFailure {
      throw failure
    } catch {
      state.withLock { $0.standing.failures += 1 }
      hooks.log.refused(Self.refusal(error), origin, standing.version)
      throw error
    }
  }

  private func expect(_ base: String?, _ disk: ConfigBundle?) throws(OperatorFailure) {
    guard let base, base != disk?.version else { return }
    throw OperatorFailure(
      412, "changed",
      "somebody else changed \(path) meanwhile: it is version \(disk?.version ?? "unreadable") now, not "
        + "\(base). Read it again and repeat the change")
  }

  // MARK: The change itself

  private func bring(
    _ bundle: ConfigBundle, _ faults: [Diagnostic], _ origin: ConfigOrigin, _ judge: ConfigJudge, write: Bool,
    base: String? = nil
  ) throws -> ConfigChange {
    let now = state.withLock { $0 }
    if now.isClosed { throw OperatorFailure(503, "stopping", "the router is stopping") }
    if now.isStarting { throw OperatorFailure(503, "starting", "the router is starting: try again in a moment") }
    hooks.prepare()
    // What is in force despite its tests stays so when it is read again.
    let isInForce = now.standing.version?.hash == bundle.version && now.current?.table.version == bundle.version
    let next = try judge.judge(bundle, faults, despiteTests: origin.despiteTests || isInForce)
    if isInForce, let version = now.standing.version {
      let files = try write ? put(bundle, base) : Files()
      hooks.swap(next)
      state.withLock { $0.current = next }
      settle()
      hooks.log.unchanged(version, origin)
      return change(version, next, isNew: false, files)
    }
    let gathered = try books?.prepare(next.table)
    do {
      var change = try keep(bundle, next, origin, write: write, base: base)
      change.gathered = gathered ?? change.gathered
      hooks.log.applied(change)
      return change
    } catch {
      books?.takeBack()
      throw error
    }
  }

  /// Makes a configuration that was found good durable, then brings it into force.
  private func keep(
    _ bundle: ConfigBundle, _ next: LoadedConfiguration, _ origin: ConfigOrigin, write: Bool, base: String?
  ) throws -> ConfigChange {
    let left = atStart == nil ? try history.interrupted() : []
    var pending = try history.prepare(Self.version(of: next, origin), Self.texts(bundle))
    var files = Files()
    do {
      try store.keepConfiguration(version: next.table.version, text: bundle.encoded, at: pending.version.at)
      if write { files = try put(bundle, base) } else { try expectUnchanged(bundle) }
      if atStart != nil { pending.version = try history.confirm(pending) }
    } catch {
      history.discard(pending)
      throw error
    }
    for other in left where other.version.folderName != pending.version.folderName { history.discard(other) }
    return enforce(next, pending.version, files)
  }

  /// From here on nothing can fail.
  private func enforce(_ next: LoadedConfiguration, _ version: ConfigVersion, _ files: Files) -> ConfigChange {
    let before = state.withLock { $0.current?.table }
    let gone = Self.sourcesGone(before, next.table)
    hooks.swap(next)
    books?.swapped(from: before, to: next.table)
    state.withLock { state in
      state.current = next
      // Where no router runs it waits for the start, and what was in force last stays that.
      if atStart != nil {
        state.standing.version = version
        state.standing.since = version.at
        state.standing.failingTests = next.failedTests
      }
      state.standing.reloads += 1
      state.standing.restart = atStart?.changed(in: next.table) ?? []
    }
    settle()
    var change = change(version, next, isNew: true, files)
    change.warnings += gone
    change.sourcesGone = gone
    for sentence in gone { hooks.log.sourceGone(sentence) }
    return change
  }

  /// What senders of events would notice first.
  private static func sourcesGone(_ old: RouteTable?, _ new: RouteTable) -> [String] {
    (old?.parts.sources.keys.sorted() ?? []).filter { new.parts.sources[$0] == nil }.map { name in
      "warning: the source \(name) is gone: events that are posted to /in/\(name) are refused from now on"
    }
  }

  private func change(
    _ version: ConfigVersion, _ next: LoadedConfiguration, isNew: Bool, _ files: Files
  ) -> ConfigChange {
    ConfigChange(
      version: version, isNew: isNew, warnings: next.warnings, restart: standing.restart, aside: files.aside,
      written: files.written, removed: files.removed)
  }

  /// Writes the files, and takes away those of the folders beside the main one that are not among them. What lies there without being in force is
  /// somebody's work: it is kept aside, where that is returned.
  private func put(_ bundle: ConfigBundle, _ base: String?) throws -> Files {
    let there = ConfigBundle.read(path: path).bundle
    // The judgement took its time.
    try expect(base, there)
    var files = Files()
    let inForce = standing.version?.hash
    if there == nil || there?.version != bundle.version && there?.version != inForce {
      files.aside = try history.keepAside(filesOf: path, beside: ConfigBundle.folders, at: WallClock.now())
    }
    let kept = Set(bundle.files.map(\.name))
    files.removed = try ConfigFiles(main: path).names(in: ConfigBundle.folders)
      .filter { ConfigBundle.canHold($0) && !kept.contains($0) }
    files.written = try ConfigFiles(main: path).install(Self.texts(bundle), gone: files.removed)
    return files
  }

  /// What was judged must be what lies there: an editor that writes piecemeal is waited for.
  private func expectUnchanged(_ bundle: ConfigBundle) throws {
    if ConfigBundle.read(path: path).bundle?.version == bundle.version { return }
    throw ConfigRefusal(code: "changed", sentence: "\(path) changed while it was read")
  }

  static func version(of next: LoadedConfiguration, _ origin: ConfigOrigin) -> ConfigVersion {
    ConfigVersion(
      hash: next.table.version, at: WallClock.now(), way: origin.way, who: origin.who, why: origin.why,
      rollbackOf: origin.rollbackOf, testsRun: next.testsRun, testsFailed: next.failedTests.count,
      targets: next.table.parts.targets.keys.sorted())
  }

  // MARK: Refusals

  private func refuse(_ error: any Error, _ origin: ConfigOrigin, seen: String) {
    var refusal = Self.refusal(error)
    // It was something else by the end: what was seen first may be there again, and was found good.
    let seen = refusal.code == "changed" ? "" : seen
    if let remedy = Self.remedy(refusal.code) { refusal.sentence += remedy }
    state.withLock { state in
      state.standing.failures += 1
      state.standing.refused = .init(
        at: WallClock.now(), code: refusal.code, text: refusal.description, seen: seen,
        absentSecrets: refusal.absentSecrets)
    }
    hooks.log.refused(refusal, origin, standing.version)
    let stays = standing.version.map { "version \($0.number) (\($0.hash)) stays in force" } ?? "nothing is in force"
    let first = refusal.diagnostics.first { $0.severity == .error } ?? refusal.diagnostics.first
    var place = first.map { "; the first: \($0.file):\($0.line): \($0.message)" } ?? ""
    if let test = refusal.failedTests.first { place = "; the first: '\(test.name)' (\(test.place))" }
    hooks.refused("the saved configuration was refused and \(stays): \(refusal.sentence)\(place)")
  }

  /// What can be done about a file that lies there and is refused.
  private static func remedy(_ code: String) -> String? {
    switch code {
    case "secrets": ". The file is tried again when they appear there; `divert apply` tries it at once"
    case "tests": ". Mend them or the routes; in an emergency `divert apply --despite-tests` puts the file into force"
    default: nil
    }
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
