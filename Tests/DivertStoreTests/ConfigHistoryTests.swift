// The history of configurations on disk: what was in force is kept whole, what was cut off is seen.

import DivertCore
import DivertStore
import FoundationEssentials
import Testing

@Suite("The configuration's history") struct ConfigHistoryTests {
  private let folder = Folder()
  private var history: ConfigHistory { ConfigHistory(path: folder.path + "/config-history") }

  private func version(_ hash: String, targets: [String] = ["crm"]) -> ConfigVersion {
    ConfigVersion(
      hash: hash, at: start, way: .apply, who: "asha", why: "more routes", rollbackOf: nil, testsRun: 3,
      targets: targets)
  }

  private let texts = [
    ConfigText(name: "routes.yaml", text: "version: 1\n# ü\n"),
    ConfigText(name: "routes.d/west.yaml", text: "routes:\n"),
  ]

  @Test("versions are numbered, kept with what is known of them, and read again whole")
  func kept() throws {
    #expect(try history.versions().isEmpty && history.latest() == nil)
    for hash in ["aaa", "bbb", "aaa"] { try history.confirm(history.prepare(version(hash), texts)) }
    let all = try history.versions()
    #expect(all.map(\.number) == [1, 2, 3] && all.map(\.hash) == ["aaa", "bbb", "aaa"])
    let last = try #require(try history.latest())
    #expect(last.folderName == "0003-2026-01-15T10-30-25Z-aaa")
    #expect(last.who == "asha" && last.why == "more routes" && last.way == .apply && last.testsRun == 3)
    #expect(try history.texts(of: last) == texts)
    #expect(try history.version(2)?.hash == "bbb" && history.version(4) == nil)
  }

  @Test("what was not confirmed does not count, and can be finished or taken back")
  func interrupted() throws {
    try history.confirm(history.prepare(version("aaa"), texts))
    let pending = try history.prepare(version("bbb"), texts)
    #expect(try history.versions().map(\.hash) == ["aaa"])
    let found = try #require(try history.interrupted().first)
    #expect(found.version.number == 2 && found.version.hash == "bbb")
    #expect(try history.texts(of: found) == texts)
    history.discard(pending)
    #expect(try history.interrupted().isEmpty)
    _ = try history.prepare(version("ccc"), texts)
    let again = try #require(try history.interrupted().first)
    try history.confirm(again)
    #expect(try history.versions().map(\.hash) == ["aaa", "ccc"])
  }

  @Test("one that was not written whole is removed")
  func torn() throws {
    let folder = history.path + "/.0001-2026-01-15T10-30-25Z-aaa/routes.d"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    #expect(FileManager.default.createFile(atPath: folder + "/.x.tmp", contents: nil))
    #expect(try history.interrupted().isEmpty)
    #expect(try FileManager.default.contentsOfDirectory(atPath: history.path).isEmpty)
  }

  @Test("the newest version that had a target is found")
  func target() throws {
    try history.confirm(history.prepare(version("aaa", targets: ["crm", "hook"]), texts))
    try history.confirm(history.prepare(version("bbb", targets: ["crm", "hook"]), texts))
    try history.confirm(history.prepare(version("ccc"), texts))
    #expect(try history.latest(with: "hook")?.hash == "bbb")
    #expect(try history.latest(with: "nobody") == nil)
  }

  @Test("files are put in place with the mode they had, through a link, and what is gone is removed")
  func install() throws {
    let files = FileManager.default
    try files.createDirectory(atPath: folder.path + "/real", withIntermediateDirectories: true)
    try files.createDirectory(atPath: folder.path + "/routes.d", withIntermediateDirectories: true)
    let (real, link) = (folder.path + "/real/main.yaml", folder.path + "/routes.yaml")
    #expect(files.createFile(atPath: real, contents: nil, attributes: [.posixPermissions: 0o640]))
    try files.createSymbolicLink(atPath: link, withDestinationPath: real)
    #expect(files.createFile(atPath: folder.path + "/routes.d/old.yaml", contents: nil))
    try ConfigFiles(main: link).install(texts, gone: ["routes.d/old.yaml"])
    #expect(files.contents(atPath: real).map { String(decoding: $0, as: UTF8.self) } == texts[0].text)
    #expect(try files.destinationOfSymbolicLink(atPath: link) == real)
    #expect(try files.attributesOfItem(atPath: real)[.posixPermissions] as? Int == 0o640)
    #expect(try files.contentsOfDirectory(atPath: folder.path + "/routes.d") == ["west.yaml"])
  }

  @Test("an install that fails halfway leaves every file as it was", arguments: [".more.yaml.tmp", "more.yaml"])
  func halfway(obstacle: String) throws {
    let folder = Folder()
    let main = folder.path + "/routes.yaml"
    try "one\n".write(toFile: main, atomically: true, encoding: .utf8)
    try "old\n".write(toFile: folder.path + "/old.yaml", atomically: true, encoding: .utf8)
    // A folder of the name of the temporary file, or of the file, cannot be written over.
    try FileManager.default.createDirectory(
      atPath: folder.path + "/routes.d/" + obstacle, withIntermediateDirectories: true)
    let texts = [
      ConfigText(name: "routes.yaml", text: "two\n"), ConfigText(name: "routes.d/more.yaml", text: "tables: {}\n"),
    ]
    #expect(throws: StoreError.self) { try ConfigFiles(main: main).install(texts, gone: ["old.yaml"]) }
    #expect(try String(contentsOfFile: main, encoding: .utf8) == "one\n")
    #expect(FileManager.default.fileExists(atPath: folder.path + "/old.yaml"))
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(left == ["old.yaml", "routes.d", "routes.yaml"])
  }
}
