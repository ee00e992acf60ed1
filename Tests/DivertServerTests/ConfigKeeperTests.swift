// Changes of the configuration without a router: what goes into force, what is refused, what a crash leaves; and the watch on
// the files.

import DivertConfig
import DivertCore
import DivertStore
import Foundation
import Logging
import Synchronization
import Testing

@testable import DivertServer

/// What was done, in order.
private final class Happenings: Sendable {
  private let lines = Mutex<[String]>([])
  func note(_ line: String) { lines.withLock { $0.append(line) } }
  var all: [String] { lines.withLock { $0 } }
}

/// A folder with a routes file and its data, and a keeper whose swaps are written down.
private final class KeeperHouse: Sendable {
  let folder = FileManager.default.temporaryDirectory.path + "/divert-keeper-\(UUID().uuidString)"
  let store: SQLiteStore
  let keeper: ConfigKeeper
  private let happenings: Happenings

  static func routes(_ note: String, tests: String = "") -> String {
    OperatorHouse.routes.replacing("note: first", with: "note: \(note)")
      .replacing("{ type: doubletick }", with: "{ type: doubletick, key: \"{{ secrets.key }}\" }") + tests
  }

  init() throws {
    try FileManager.default.createDirectory(atPath: folder + "/data", withIntermediateDirectories: true)
    store = try SQLiteStore.open(folder: folder + "/data", sandbox: false)
    let told = Happenings()
    let path = folder + "/routes.yaml"
    try Self.routes("one").write(toFile: path, atomically: true, encoding: .utf8)
    let judge = ConfigJudge(
      file: path, sandbox: false, listen: ListenAddress("0.0.0.0:80"), secretsFolder: "secrets",
      secret: { $0 == "no" ? nil : "the-value-of-\($0)-is-long" })
    let history = ConfigHistory(path: folder + "/data/config-history")
    let current = try judge.judge(try #require(ConfigBundle.read(path: path).bundle))
    let hooks = ConfigKeeper.Hooks(
      prepare: {}, swap: { told.note("swap \($0.table.version)") }, refused: { told.note("refused \($0)") },
      good: { told.note("good \($0)") }, log: ConfigLog(log: LogWriter(level: .critical).logger("divert")))
    keeper = ConfigKeeper(
      path: path, history: history, store: store, judge: judge, hooks: hooks, current: current,
      version: try Self.begin(current, history))
    happenings = told
  }

  /// What a start does once the router is up.
  private static func begin(_ current: LoadedConfiguration, _ history: ConfigHistory) throws -> ConfigVersion {
    switch try ConfigRecovery.found(current, history) {
    case .known(let version): version
    case .new(let pending): try history.confirm(pending)
    }
  }

  var happened: [String] { happenings.all }
  var path: String { keeper.path }

  func save(_ text: String) throws { try text.write(toFile: path, atomically: true, encoding: .utf8) }
  var text: String { FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? "" }

  deinit {
    try? store.close()
    try? FileManager.default.removeItem(atPath: folder)
  }
}

@Suite("Changes of the configuration") struct ConfigKeeperTests {
  private static let asha = ConfigOrigin(way: .apply, who: "asha", why: "a reason")

  @Test("a save goes into force with its text in the store and in the history, before it is swapped")
  func save() throws {
    let house = try KeeperHouse()
    try house.save(KeeperHouse.routes("two"))
    house.keeper.fileChanged()
    let hash = ContentHash.short(KeeperHouse.routes("two"))
    #expect(house.happened == ["swap \(hash)"])
    #expect(try house.store.configuration(version: hash) == KeeperHouse.routes("two"))
    let latest = try #require(try house.keeper.history.latest())
    #expect(latest.number == 2 && latest.hash == hash && latest.way == .save && latest.targets == ["crm"])
    house.keeper.fileChanged()
    #expect(house.happened.count == 1 && house.keeper.standing.reloads == 1)
  }

  @Test("what is wrong is refused once until it changes, each kind by its code")
  func refused() throws {
    let house = try KeeperHouse()
    let failing = "\ntests:\n  wrong: { given: { event: CALL_REJECTED, direction: OUTGOING }, sends: [crm.text] }\n"
    let wrong = [
      ("errors", "version: 1\nrouts: {}\n"), ("errors", ""),
      ("secrets", KeeperHouse.routes("two").replacing("crm_token", with: "no")),
      ("open_address", KeeperHouse.routes("two").replacing(", key: \"{{ secrets.key }}\"", with: "")),
      ("tests", KeeperHouse.routes("two", tests: failing)),
    ]
    for (place, (code, text)) in wrong.enumerated() {
      try house.save(text)
      house.keeper.fileChanged()
      house.keeper.fileChanged()
      let standing = house.keeper.standing
      #expect(standing.refused?.code == code && standing.failures == place + 1, "\(standing)")
      #expect(standing.version?.number == 1 && house.text == text)
      if code == "tests" { #expect(standing.refused?.text.contains("`divert apply --despite-tests`") == true) }
    }
    #expect(house.happened.allSatisfy { $0.hasPrefix("refused ") } && house.happened.count == wrong.count)
    try FileManager.default.removeItem(atPath: house.path)
    house.keeper.fileChanged()
    #expect(house.keeper.standing.refused?.text.contains("no such file") == true)
    try house.save(KeeperHouse.routes("one"))
    house.keeper.fileChanged()
    #expect(house.keeper.standing.refused == nil && house.happened.last?.hasPrefix("good ") == true)
    #expect(try house.keeper.history.count() == 1 && house.keeper.history.interrupted().isEmpty)
  }

  @Test("an order tries again what a save was refused, and an apply over it puts the file right")
  func orders() throws {
    let house = try KeeperHouse()
    try house.save("version: 1\nrouts: {}\n")
    house.keeper.fileChanged()
    #expect(throws: ConfigRefusal.self) { try house.keeper.reload(Self.asha) }
    #expect(house.keeper.standing.failures == 2)
    let change = try house.keeper.apply(text: KeeperHouse.routes("two"), Self.asha)
    #expect(change.isNew && change.version.number == 2 && change.version.who == "asha")
    #expect(house.text == KeeperHouse.routes("two") && house.keeper.standing.refused == nil)
    let aside = try #require(change.aside) + "/routes.yaml"
    #expect(try String(contentsOfFile: aside, encoding: .utf8) == "version: 1\nrouts: {}\n")
    #expect(throws: ConfigRefusal.self) { try house.keeper.apply(text: "version: 1\nrouts: {}\n", Self.asha) }
    #expect(house.text == KeeperHouse.routes("two") && house.keeper.standing.refused == nil)
    #expect(try house.keeper.apply(text: KeeperHouse.routes("two"), Self.asha).isNew == false)
    let back = try house.keeper.rollback(1, who: "ravi", why: nil)
    #expect(back.version.number == 3 && back.version.rollbackOf == 1 && house.text == KeeperHouse.routes("one"))
    #expect(throws: OperatorFailure.self) { try house.keeper.rollback(9, who: "ravi", why: nil) }
  }

  @Test("a change that rests on a version that somebody else has replaced is refused with 412")
  func base() throws {
    let house = try KeeperHouse()
    let old = ContentHash.short(KeeperHouse.routes("one"))
    try house.keeper.apply(text: KeeperHouse.routes("two"), Self.asha, base: old)
    do {
      try house.keeper.apply(text: KeeperHouse.routes("three"), Self.asha, base: old)
      Issue.record("it was taken")
    } catch let failure as OperatorFailure { #expect(failure.status == 412) }
    #expect(house.text == KeeperHouse.routes("two"))
  }

  @Test("a file of routes.d that cannot be read refuses an apply, and a rollback keeps it aside, byte for byte")
  func unreadableBeside() throws {
    let house = try KeeperHouse()
    try house.keeper.apply(text: KeeperHouse.routes("two"), Self.asha)
    let more = house.folder + "/routes.d"
    try FileManager.default.createDirectory(atPath: more, withIntermediateDirectories: true)
    let bytes = Data([0x72, 0xe9, 0x0a])
    try bytes.write(to: URL(fileURLWithPath: more + "/latin.yaml"))
    do {
      try house.keeper.apply(text: KeeperHouse.routes("three"), Self.asha)
      Issue.record("it was taken")
    } catch let refusal as ConfigRefusal { #expect(refusal.description.contains("latin.yaml"), "\(refusal)") }
    #expect(house.text == KeeperHouse.routes("two"))
    let change = try house.keeper.rollback(1, who: "ravi", why: nil)
    #expect(change.removed == ["routes.d/latin.yaml"] && house.text == KeeperHouse.routes("one"))
    let aside = try #require(change.aside)
    #expect(FileManager.default.contents(atPath: aside + "/routes.d/latin.yaml") == bytes)
    #expect(FileManager.default.contents(atPath: aside + "/routes.yaml") == Data(KeeperHouse.routes("two").utf8))
  }

  @Test("a change that cannot be kept is refused and leaves nothing behind")
  func unkept() throws {
    let house = try KeeperHouse()
    try house.store.close()
    #expect(throws: StoreError.self) { try house.keeper.apply(text: KeeperHouse.routes("two"), Self.asha) }
    #expect(house.text == KeeperHouse.routes("one") && house.happened.isEmpty)
    #expect(try house.keeper.history.count() == 1 && house.keeper.history.interrupted().isEmpty)
    house.keeper.close()
    #expect(throws: OperatorFailure.self) { try house.keeper.reload(Self.asha) }
  }

  private static let failing =
    "\ntests:\n  wrong: { given: { event: CALL_REJECTED, direction: OUTGOING }, sends: [crm.text] }\n"

  @Test("tests that fail refuse a change unless it is made despite them, which the history and the status say")
  func despiteTests() throws {
    let house = try KeeperHouse()
    let text = KeeperHouse.routes("two", tests: Self.failing)
    do {
      try house.keeper.apply(text: text, called: "new.yaml", Self.asha)
      Issue.record("it was taken")
    } catch let refusal as ConfigRefusal {
      #expect(refusal.description.contains("new.yaml:") && refusal.description.contains("`divert test new.yaml`"))
      #expect(!refusal.description.contains(house.path), "\(refusal)")
    }
    #expect(house.text == KeeperHouse.routes("one"))
    try house.save(text)
    house.keeper.fileChanged()
    #expect(house.keeper.standing.refused?.code == "tests")
    var origin = Self.asha
    origin.despiteTests = true
    let change = try house.keeper.reload(origin)
    #expect(change.version.number == 2 && change.version.testsFailed == 1)
    #expect(change.warnings.contains { $0.contains("the test 'wrong' fails") }, "\(change.warnings)")
    #expect(house.keeper.standing.failingTests == ["wrong"] && house.keeper.standing.refused == nil)
    #expect(try house.keeper.history.latest()?.tests == "1 of 1 failed, put into force despite it")
    // What is in force stays so when it is read again.
    #expect(try house.keeper.reload(Self.asha).isNew == false)
    try house.keeper.apply(text: KeeperHouse.routes("three"), Self.asha)
    #expect(throws: ConfigRefusal.self) { try house.keeper.rollback(2, who: "ravi", why: nil) }
    #expect(try house.keeper.rollback(2, who: "ravi", why: nil, despiteTests: true).version.number == 4)
  }

  @Test("a rollback says which files it wrote and took away; so does an apply of what is in force already")
  func files() throws {
    let house = try KeeperHouse()
    let more = house.folder + "/routes.d"
    try FileManager.default.createDirectory(atPath: more, withIntermediateDirectories: true)
    try "tables: {}\n".write(toFile: more + "/more.yaml", atomically: true, encoding: .utf8)
    let presets = house.folder + "/presets.d"
    try FileManager.default.createDirectory(atPath: presets, withIntermediateDirectories: true)
    let acme = "url: https://acme.example\nactions: { log: { post: /calls } }\n"
    try acme.write(toFile: presets + "/acme.yaml", atomically: true, encoding: .utf8)
    try house.save(KeeperHouse.routes("two"))
    house.keeper.fileChanged()
    #expect(try house.keeper.history.latest()?.files == ["routes.yaml", "presets.d/acme.yaml", "routes.d/more.yaml"])
    let back = try house.keeper.rollback(1, who: "ravi", why: nil)
    #expect(back.written == ["routes.yaml"] && back.removed == ["routes.d/more.yaml", "presets.d/acme.yaml"])
    #expect(try house.keeper.rollback(2, who: "ravi", why: nil).written.count == 3)
    #expect(try String(contentsOfFile: presets + "/acme.yaml", encoding: .utf8) == acme)
    _ = try house.keeper.rollback(1, who: "ravi", why: nil)
    try house.save("version: 1\nrouts: {}\n")
    let again = try house.keeper.apply(text: KeeperHouse.routes("one"), Self.asha)
    #expect(!again.isNew && again.written == ["routes.yaml"])
  }

  @Test("a source that is gone is a warning")
  func sourceGone() throws {
    let house = try KeeperHouse()
    let lines = KeeperHouse.routes("two").split(separator: "\n", omittingEmptySubsequences: false)
    let text = lines.filter { !$0.contains("doubletick") && $0 != "sources:" }.joined(separator: "\n")
    let change = try house.keeper.apply(text: text, Self.asha)
    #expect(change.warnings.contains { $0.contains("the source doubletick is gone") }, "\(change.warnings)")
  }

  @Test("what the next start would refuse is refused: a short operator key, a certificate that is not there")
  func nextStart() throws {
    let house = try KeeperHouse()
    let tls = "\nserver: { listen: { tls: { certificate: c.pem, key: k.pem } } }\n"
    #expect(throws: ConfigRefusal.self) { try house.keeper.apply(text: KeeperHouse.routes("two") + tls, Self.asha) }
    let short = "\nserver: { operator_key: \"{{ secrets.no }}\" }\n"
    #expect(throws: ConfigRefusal.self) { try house.keeper.apply(text: KeeperHouse.routes("two") + short, Self.asha) }
    #expect(house.text == KeeperHouse.routes("one"))
  }

  @Test("a start counts as in force when the router is up, and not at all when it came to nothing")
  func starting() throws {
    let house = try KeeperHouse()
    let history = house.keeper.history
    try house.save(KeeperHouse.routes("two"))
    let judge = ConfigJudge(file: house.path, sandbox: false, secretsFolder: "secrets")
    let next = try judge.judge(try #require(ConfigBundle.read(path: house.path).bundle))
    func keeper() throws -> ConfigKeeper {
      ConfigKeeper(
        path: house.path, history: history, store: house.store, judge: judge,
        hooks: .init(
          prepare: {}, swap: { _ in }, refused: { _ in }, good: { _ in },
          log: ConfigLog(log: LogWriter(level: .critical).logger("divert"))),
        current: next, starting: try ConfigRecovery.found(next, history))
    }
    let first = try keeper()
    #expect(throws: OperatorFailure.self) { try first.reload(Self.asha) }
    first.close()
    #expect(try history.count() == 1 && history.interrupted().isEmpty)
    let second = try keeper()
    try second.started()
    #expect(try history.latest()?.number == 2 && history.latest()?.way == .start)
    #expect(try second.reload(Self.asha).isNew == false)
  }

  @Test("what a crash cut off is finished where its files lie there, and taken back where they do not")
  func crash() throws {
    let house = try KeeperHouse()
    let history = house.keeper.history
    func prepare(_ texts: [ConfigText]) throws {
      let bundle = ConfigBundle(
        main: .init(name: "routes.yaml", text: texts[0].text),
        more: texts.dropFirst().map { .init(name: $0.name, text: $0.text) })
      let version = ConfigVersion(
        hash: bundle.version, at: WallClock.now(), way: .apply, who: "asha", why: nil, rollbackOf: nil, testsRun: 0,
        targets: [])
      _ = try history.prepare(version, texts)
    }
    let two = ConfigText(name: "routes.yaml", text: KeeperHouse.routes("two"))
    // Before the file was written.
    try prepare([two])
    try ConfigRecovery.finish(history, path: house.path)
    #expect(try history.count() == 1 && house.text == KeeperHouse.routes("one"))
    // After it was.
    try prepare([two])
    try house.save(two.text)
    try ConfigRecovery.finish(history, path: house.path)
    let waiting = try #require(try history.waiting())
    #expect(try history.count() == 1 && waiting.version.number == 2, "it waits for the start")
    try history.confirm(waiting, since: WallClock.now())
    #expect(try history.latest()?.who == "asha")
    // Between two files of one change.
    let three = ConfigText(name: "routes.yaml", text: KeeperHouse.routes("three"))
    let more = ConfigText(name: "routes.d/more.yaml", text: "tables: {}\n")
    try prepare([three, more])
    try ConfigFiles(main: house.path).install([two, more], gone: [])
    try ConfigRecovery.finish(history, path: house.path)
    #expect(house.text == three.text)
    try history.confirm(try #require(try history.waiting()))
    #expect(try history.latest()?.number == 3)
    // Somebody wrote something else meanwhile.
    try prepare([two])
    try house.save(KeeperHouse.routes("four"))
    try ConfigRecovery.finish(history, path: house.path)
    #expect(try history.latest()?.number == 3 && house.text == KeeperHouse.routes("four"))
    #expect(try history.interrupted().isEmpty)
  }
}

@Suite("The watch on the files") struct FileWatchTests {
  /// However a file is saved, the watch tells, and what is read then is what was written.
  @Test("saves are noticed: by rename, in place, through a link, in a folder that is new", arguments: 0..<5)
  func saves(way: Int) async throws {
    let files = FileManager.default
    let folder = files.temporaryDirectory.path + "/divert-watch-\(UUID().uuidString)"
    try files.createDirectory(atPath: folder + "/real", withIntermediateDirectories: true)
    defer { try? files.removeItem(atPath: folder) }
    let path = folder + "/routes.yaml"
    if way == 2 {
      #expect(files.createFile(atPath: folder + "/real/routes.yaml", contents: Data("old".utf8)))
      try files.createSymbolicLink(atPath: path, withDestinationPath: folder + "/real/routes.yaml")
    } else {
      #expect(files.createFile(atPath: path, contents: Data("old".utf8)))
    }
    let (told, tell) = AsyncStream.makeStream(of: Void.self)
    let watch = try #require(FileWatch(main: path) { tell.yield() })
    let saved = [
      path, path, folder + "/real/routes.yaml", folder + "/routes.d/more.yaml", folder + "/presets.d/a.yaml",
    ][way]
    if way > 2 {
      let parent = folder + (way == 3 ? "/routes.d" : "/presets.d")
      try files.createDirectory(atPath: parent, withIntermediateDirectories: true)
    }
    try Data("new".utf8).write(to: URL(fileURLWithPath: saved), options: way == 1 ? [] : .atomic)
    for await _ in told where files.contents(atPath: saved) == Data("new".utf8) { break }
    watch.stop()
  }

  @Test("a folder that is not there cannot be watched")
  func nowhere() { #expect(FileWatch(main: "/nowhere/at/all/routes.yaml", changed: {}) == nil) }
}

@Suite("What changed between two versions") struct TextDiffTests {
  @Test("changed lines with three around them, file by file")
  func diff() {
    let old = (1...20).map { "line \($0)" }.joined(separator: "\n") + "\n"
    let new = old.replacing("line 10\n", with: "line ten\n")
    let before = [ConfigText(name: "routes.yaml", text: old), ConfigText(name: "routes.d/a.yaml", text: "a\n")]
    let after = [ConfigText(name: "routes.yaml", text: new), ConfigText(name: "routes.d/b.yaml", text: "b\n")]
    #expect(
      TextDiff.of(before, after) == """
        --- routes.yaml
        +++ routes.yaml
        @@ -7,7 +7,7 @@
         line 7
         line 8
         line 9
        -line 10
        +line ten
         line 11
         line 12
         line 13
        --- routes.d/a.yaml
        +++ routes.d/a.yaml
        @@ -1 +0,0 @@
        -a
        --- routes.d/b.yaml
        +++ routes.d/b.yaml
        @@ -0,0 +1 @@
        +b

        """)
    #expect(TextDiff.of(before, before).isEmpty)
  }
}
