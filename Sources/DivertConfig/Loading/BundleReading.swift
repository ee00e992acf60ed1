// The files of a configuration from disk → ConfigBundle. What cannot be read is a diagnostic, too.
import FoundationEssentials

extension ConfigBundle {
  /// The folder beside the main file whose `*.yaml` files belong to the configuration.
  package static let folderName = "routes.d"

  /// The folder beside the main file whose `*.yaml` files are target types of the user's own, named like their files.
  package static let presetFolder = "presets.d"
  /// Every folder that holds files of a configuration.
  package static let folders = [folderName, presetFolder]

  /// Reads the file at `path` and those of the folders beside it. No bundle where one of them cannot be read, which is
  /// an error among the diagnostics. Hidden files are passed over.
  package static func read(path: String) -> (bundle: ConfigBundle?, diagnostics: [Diagnostic]) {
    var reading = BundleReading(path)
    let bundle = reading.bundle()
    return (reading.diagnostics.contains { $0.severity == .error } ? nil : bundle, reading.diagnostics)
  }
}

extension ConfigBundle {
  /// The files of the folders beside the main file at `path`, whatever that one is like; and what is wrong with them.
  package static func readBeside(path: String) -> (files: [File], diagnostics: [Diagnostic]) {
    var reading = BundleReading(path)
    return (reading.beside(), reading.diagnostics)
  }

  /// Whether a file of that name can belong to a configuration: the main one's place aside, `routes.d/<name>.yaml` and
  /// `presets.d/<name>.yaml`.
  package static func canHold(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 2 && folders.contains(String(parts[0])) && parts[1].hasSuffix(".yaml")
      && !parts[1].hasPrefix(".")
      && !parts[1].contains("\0")
  }
}

private struct BundleReading {
  private let folder: String
  private let name: String
  private(set) var diagnostics: [Diagnostic] = []

  init(_ path: String) {
    let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    folder = String(path[..<slash])
    name = String(path[slash...])
  }

  mutating func bundle() -> ConfigBundle? {
    let main = file(name)
    let more = beside()
    return main.map { ConfigBundle(main: $0, more: more, folder: folder) }
  }

  mutating func beside() -> [ConfigBundle.File] {
    ConfigBundle.folders.flatMap { names($0) }.compactMap { file($0) }
  }

  private mutating func file(_ name: String) -> ConfigBundle.File? {
    let path = folder + name
    guard FileManager.default.fileExists(atPath: path) else {
      report("unreadable", name, "there is no such file", "name it with --config, or start from routes.yaml.example")
      return nil
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      report("unreadable", name, "the file cannot be read", "check that it is a file, and who may read it")
      return nil
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      report("unreadable", name, "the file is not UTF-8 text", "save it as UTF-8")
      return nil
    }
    return ConfigBundle.File(name: name, text: text)
  }

  /// The files of a folder, from the main file's folder.
  private mutating func names(_ more: String) -> [String] {
    guard FileManager.default.fileExists(atPath: folder + more) else { return [] }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder + more) else {
      report("unreadable", more, "'\(more)' is not a folder that can be read", "check what it is, and who may read it")
      return []
    }
    let shown = names.filter { !$0.hasPrefix(".") }.sorted()
    for name in shown where name.hasSuffix(".yml") {
      report("not_read", "\(more)/\(name)", "only '*.yaml' is read in \(more)", "rename it", .warning)
    }
    return shown.filter { $0.hasSuffix(".yaml") }.map { "\(more)/\($0)" }
  }

  private mutating func report(
    _ code: String, _ name: String, _ message: String, _ hint: String, _ severity: Diagnostic.Severity = .error
  ) {
    let place = Place(source: SourceText(file: folder + name, text: ""), line: 1, column: 1, length: 1)
    diagnostics.append(Diagnostic(severity, code, place, message, hint: hint))
  }
}
