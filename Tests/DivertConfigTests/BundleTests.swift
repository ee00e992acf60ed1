// Several files as one configuration: what is joined, what is refused, and how it is named, stored and read again.
import DivertCore
import FoundationEssentials
import Testing

@testable import DivertConfig

/// A folder for one test, removed at its end.
final class TemporaryFolder {
  let path = FileManager.default.temporaryDirectory.path + "/divert-\(UInt64.random(in: 0...UInt64.max))"

  init(_ files: [String: String]) throws {
    for (name, text) in files {
      let parent = (path + "/" + name).split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
      try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
      try #require(FileManager.default.createFile(atPath: path + "/" + name, contents: Data(text.utf8)))
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite struct BundleTests {
  private static let main = """
    version: 1
    timezone: Asia/Kolkata
    sources: { doubletick: { type: doubletick, key: "{{ secrets.ingest_key }}" } }
    defaults: { retry: { for: 2h } }
    targets:
      crm: { url: https://crm.example.com, actions: { log: { post: /calls } } }
    routes:
      all: { send: [crm.log, west.log] }

    """
  private static let west = """
    targets:
      west: { url: https://west.example.com, actions: { log: { post: /calls } } }
    routes:
      west: { send: [west.log] }

    """

  private func bundle(_ more: [String: String], main: String = main) -> ConfigBundle {
    ConfigBundle(
      main: .init(name: "routes.yaml", text: main),
      more: more.map { ConfigBundle.File(name: "routes.d/" + $0.key, text: $0.value) })
  }

  private func places(_ result: LoadResult) -> [String] {
    result.diagnostics.map { "\($0.file):\($0.line):\($0.column) \($0.code)" }
  }

  @Test(
    "the files of routes.d are joined by name: targets of one file serve the routes of another, in the files' order")
  func joined() throws {
    let east = "tables: { leads: { A: b } }\nroutes:\n  east: { send: [{ west.log: {} }] }\n"
    let result = ConfigLoader.load(bundle: bundle(["west.yaml": Self.west, "east.yaml": east]))
    #expect(result.diagnostics.map(\.description) == [])
    let parts = try #require(result.table).parts
    #expect(parts.routes.map(\.name) == ["all", "east", "west"])
    #expect(parts.targets.keys.sorted() == ["crm", "west"])
    #expect(parts.tables == ["leads": ["A": "b"]])
    #expect(result.table?.send(route: "west", label: "0")?.retry.period == .hours(2))
  }

  @Test("a name used twice is reported at the second place, with the first")
  func twice() throws {
    let result = ConfigLoader.load(bundle: bundle(["a.yaml": Self.west, "b.yaml": "x: 1\n" + Self.west]))
    #expect(
      places(result) == [
        "routes.d/b.yaml:1:1 unknown_field", "routes.d/b.yaml:3:3 name_given_twice",
        "routes.d/b.yaml:5:3 name_given_twice",
      ])
    let twice = try #require(result.diagnostics.dropFirst().first)
    #expect(twice.notes.map { "\($0.file):\($0.line):\($0.column)" } == ["routes.d/a.yaml:2:3"])
    #expect(twice.message == "'west' stands in 'targets' twice, in two files")
    #expect(
      twice.description.hasSuffix(
        """
           = remove or rename one of the two
        routes.d/a.yaml:2:3: note: the first is here
         2 |   west: { url: https://west.example.com, actions: { log: { post: /calls } } }
           |   ^~~~

        """))
    #expect(result.table == nil)
  }

  @Test("what belongs to the main file alone is refused in routes.d, and faults come by file and line")
  func mainOnly() {
    let odd = "timezone: UTC\nroutes:\n  a: { send: [crm.lag] }\ndefaults: {}\n"
    let main = Self.main + "  b: { sent: [] }\n"
    let result = ConfigLoader.load(
      bundle: bundle(["odd.yaml": odd, "bad.yaml": "routes: 5\n", "west.yaml": Self.west], main: main))
    #expect(
      places(result) == [
        "routes.yaml:9:8 unknown_field", "routes.d/bad.yaml:1:9 not_a_mapping",
        "routes.d/odd.yaml:1:1 main_file_only", "routes.d/odd.yaml:3:19 unknown_action",
        "routes.d/odd.yaml:4:1 main_file_only",
      ])
  }

  @Test("a file of routes.d may be empty; one that is no YAML is named")
  func empty() {
    #expect(ConfigLoader.load(bundle: bundle(["a.yaml": "# nothing yet\n", "west.yaml": Self.west])).table != nil)
    let result = ConfigLoader.load(bundle: bundle(["a.yaml": "routes: [\n", "west.yaml": Self.west]))
    #expect(places(result) == ["routes.d/a.yaml:2:1 yaml"])
  }

  @Test("without routes.d the version is the hash of the text, as it always was, and the stored text is the file's")
  func alone() {
    let bundle = bundle([:])
    #expect(bundle.version == ContentHash.short(Self.main))
    #expect(bundle.encoded == Self.main)
    #expect(ConfigLoader.load(text: Self.main, file: "x.yaml").bundle?.version == bundle.version)
  }

  @Test("the version changes with any name or text, and not with the main file's name or the files' order")
  func version() {
    let both = bundle(["a.yaml": "tables: {}\n", "b.yaml": ""])
    let moved = ConfigBundle(main: .init(name: "other.yaml", text: Self.main), more: both.files.dropFirst().reversed())
    #expect(both.version == moved.version && both.files.map(\.name).dropFirst() == moved.files.map(\.name).dropFirst())
    let others = [
      bundle([:]), bundle(["a.yaml": "tables: {}\n"]), bundle(["a.yaml": "tables: {}\n", "c.yaml": ""]),
      bundle(["a.yaml": "tables: {}", "b.yaml": "\n"]), bundle(["a.yaml": "tables: {}\n", "b.yaml": ""], main: ""),
    ]
    #expect(Set((others + [both]).map(\.version)).count == 6)
  }

  @Test("a bundle is one text in the store and comes back whole", arguments: UInt64(1)...20)
  func encoding(seed: UInt64) {
    var random = Seeded(state: seed)
    func text() -> String {
      let pieces = [
        "%divert-bundle ", "[]", "\r", "\n", "\r\n", "é", "e\u{301}", "\u{301}", "a: b", "😀", "\u{feff}", "",
      ]
      return (0..<Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
        .joined()
    }
    let count = Int.random(in: 0...3, using: &random)
    let more = (0..<count).map { ConfigBundle.File(name: "routes.d/\($0)\"é.yaml", text: text()) }
    let bundle = ConfigBundle(main: .init(name: "routes.yaml", text: text()), more: more)
    let back = ConfigBundle(encoded: bundle.encoded, name: "routes.yaml")
    #expect(back == bundle && back.files.map { Array($0.text.utf8) } == bundle.files.map { Array($0.text.utf8) })
    #expect(back.version == bundle.version)
  }

  @Test("a stored bundle compiles to the same routes under its version")
  func stored() throws {
    let bundle = bundle(["west.yaml": Self.west])
    let table = try #require(ConfigLoader.load(stored: bundle.encoded, name: "configuration 1").table)
    #expect(table.version == bundle.version && table.parts.routes.map(\.name) == ["all", "west"])
  }

  @Test("the files are read from disk; what cannot be read, or probably should be, is said")
  func reading() throws {
    let folder = try TemporaryFolder([
      "conf/routes.yaml": Self.main, "conf/routes.d/west.yaml": Self.west, "conf/routes.d/east.yml": "routes: {}",
      "conf/routes.d/.hidden.yaml": "nonsense: [", "conf/routes.d/README": "no YAML: [",
    ])
    let result = ConfigLoader.load(path: folder.path + "/conf/routes.yaml")
    #expect(places(result) == ["\(folder.path)/conf/routes.d/east.yml:1:1 not_read"])
    #expect(result.bundle?.files.map(\.name) == ["routes.yaml", "routes.d/west.yaml"])
    #expect(result.table?.parts.routes.map(\.name) == ["all", "west"])
    let absent = ConfigLoader.load(path: folder.path + "/conf/none.yaml")
    #expect(absent.diagnostics.contains { $0.code == "unreadable" } && absent.bundle == nil)
  }

  @Test("a file of routes.d alone is told to be a part, and of what", arguments: ["routes.yaml", "main.yaml"])
  func part(main: String) throws {
    let folder = try TemporaryFolder([main: Self.main, "routes.d/west.yaml": Self.west])
    let west = ConfigLoader.load(path: folder.path + "/routes.d/west.yaml")
    #expect(places(west) == ["\(folder.path)/routes.d/west.yaml:1:1 part_of_another"] && west.table == nil)
    let said = try #require(west.diagnostics.first)
    #expect(said.message.hasPrefix("this is a part of \(folder.path)/\(main)"))
    #expect(said.hint == "divert check \(folder.path)/\(main)")
    // A whole configuration may stand in a folder of any name.
    let whole = try TemporaryFolder([main: Self.main, "routes.d/own.yaml": "version: 1\n"])
    #expect(ConfigLoader.load(path: whole.path + "/routes.d/own.yaml").table != nil)
  }

  @Test("a routes.d that is no folder, and a file in it that is no text, keep the configuration from being used")
  func unreadable() throws {
    let file = try TemporaryFolder(["routes.yaml": Self.main, "routes.d": ""])
    #expect(places(ConfigLoader.load(path: file.path + "/routes.yaml")) == ["\(file.path)/routes.d:1:1 unreadable"])
    let bytes = try TemporaryFolder(["routes.yaml": Self.main, "routes.d/a.yaml": ""])
    try Data([0xff, 0xfe, 0]).write(to: .init(filePath: bytes.path + "/routes.d/a.yaml"))
    #expect(
      places(ConfigLoader.load(path: bytes.path + "/routes.yaml")) == ["\(bytes.path)/routes.d/a.yaml:1:1 unreadable"])
  }
}
