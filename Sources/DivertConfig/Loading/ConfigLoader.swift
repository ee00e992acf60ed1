// routes.yaml → RouteTable, or everything that is wrong with it at once.
package import DivertCore
import FoundationEssentials

/// What a loading gives.
package struct LoadResult: Sendable {
  /// The compiled configuration; nil where there is an error among the diagnostics.
  package var table: RouteTable?
  /// Every fault, in the order of the file's lines.
  package var diagnostics: [Diagnostic]
  /// Every `{{ secrets.name }}` of the file, in its order, presets' included.
  package var secretsNamed: [NamedSecret]
  /// What the sandbox answers, by `target.action`.
  package var sandboxAnswers: [String: SandboxAnswer]

  package var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

  /// A warning for each secret that is named and absent, at the first place that names it.
  package func absentSecrets(isPresent: (String) -> Bool) -> [Diagnostic] {
    var seen: Set<String> = []
    return secretsNamed.filter { seen.insert($0.name).inserted && !isPresent($0.name) }.map(\.absence)
  }
}

/// A secret that the file names, and where.
package struct NamedSecret: Sendable {
  package var name: String
  /// The warning for the case that there is none of that name.
  package var absence: Diagnostic

  init(_ name: String, _ place: Place) {
    self.name = name
    let variable = SecretStore.variable(name)
    absence = Diagnostic(
      .warning, "absent_secret", place, "there is no secret '\(name)'",
      hint: "a file '\(name)' in the secrets folder, or \(variable) in the environment")
  }
}

package enum ConfigLoader {
  /// The largest file taken, in bytes.
  static let maxBytes = 4 << 20

  /// Reads and compiles the file at `path`. A file that cannot be read is a diagnostic, too.
  package static func load(path: String) -> LoadResult {
    let empty = SourceText(file: path, text: "")
    let start = Place(source: empty, line: 1, column: 1, length: 1)
    func failure(_ message: String, _ hint: String) -> LoadResult {
      LoadResult(
        table: nil, diagnostics: [Diagnostic(.error, "unreadable", start, message, hint: hint)], secretsNamed: [],
        sandboxAnswers: [:])
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      return FileManager.default.fileExists(atPath: path)
        ? failure("the file cannot be read", "check that it is a file, and who may read it")
        : failure("there is no such file", "name it with --config, or start from routes.yaml.example")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      return failure("the file is not UTF-8 text", "save it as UTF-8")
    }
    var result = load(text: text, file: path, folder: path.lastIndex(of: "/").map { String(path[...$0]) } ?? "")
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    let more = folder.isEmpty ? (path.hasPrefix("/") ? "/routes.d" : "routes.d") : folder + "/routes.d"
    if FileManager.default.fileExists(atPath: more) {
      let place = Place(source: SourceText(file: more, text: ""), line: 1, column: 1, length: 1)
      let message = "a folder 'routes.d' beside the file is not supported yet"
      result.diagnostics.append(Diagnostic(.error, "not_supported", place, message, hint: "move it away"))
      result.table = nil
    }
    return result
  }

  /// Compiles a text. `file`: its name in diagnostics.
  package static func load(text: String, file: String) -> LoadResult { load(text: text, file: file, folder: nil) }

  private static func load(text: String, file: String, folder: String?) -> LoadResult {
    let bare = text.unicodeScalars.first == "\u{feff}" ? String(text.unicodeScalars.dropFirst()) : text
    let source = SourceText(file: file, text: bare)
    let context = LoadContext(folder: folder)
    let start = Place(source: source, line: 1, column: 1, length: 1)
    if bare.utf8.count > maxBytes {
      context.error("too_large", start, "the file is larger than 4 MiB", "split off what is not routes")
      return result(context, nil)
    }
    let (root, faults) = YAMLReader.read(source)
    context.add(faults)
    guard let root else {
      if faults.isEmpty { context.error("empty", start, "the file is empty", "begin with 'version: 1'") }
      return result(context, nil)
    }
    var parts = RouteTable.Parts()
    compile(root, context, start, &parts)
    parts.version = ContentHash.short(text)
    return result(context, parts)
  }

  private static func compile(_ root: YAMLNode, _ context: LoadContext, _ start: Place, _ parts: inout RouteTable.Parts)
  {
    guard let fields = context.fields(root, .file, name: start) else { return }
    if let version = fields["version"] { checkVersion(version, context) }
    if let zone = fields["timezone"].flatMap({ context.zone($0, "'timezone'") }) { parts.timezone = zone }
    if let country = fields["country"].flatMap(context.country) { parts.country = country }
    context.tables = fields["tables"].map { tables($0, context) } ?? [:]
    parts.tables = context.tables
    if let server = fields["server"] { parts.server = context.server(server) }
    parts.sources = fields["sources"].map(context.sources) ?? [:]
    context.defaults = fields["defaults"].map(context.defaults) ?? CompiledDefaults()
    if let targets = fields["targets"] { context.targets(targets) }
    parts.targets = context.targets.mapValues(\.definition)
    parts.alarms = fields["alarms"].map(context.alarms) ?? []
    parts.routes = fields["routes"].map(context.routes) ?? []
  }

  private static func checkVersion(_ node: YAMLNode, _ context: LoadContext) {
    guard node.text != "1" else { return }
    let message = "this version of Divert reads version 1 of the language"
    context.error("bad_version", node.place, message, "write 'version: 1'")
  }

  private static func tables(_ node: YAMLNode, _ context: LoadContext) -> [String: [String: String]] {
    var tables: [String: [String: String]] = [:]
    for entry in context.named(node, "'tables'") {
      var table: [String: String] = [:]
      for row in context.named(entry.value, "a table", strict: false) {
        table[row.key] = context.text(row.value, "'\(row.key)'")
      }
      tables[entry.key] = table
    }
    return tables
  }

  private static func result(_ context: LoadContext, _ parts: RouteTable.Parts?) -> LoadResult {
    let diagnostics = Diagnostic.inOrder(context.diagnostics)
    let failed = diagnostics.contains { $0.severity == .error }
    var answers: [String: SandboxAnswer] = [:]
    for (name, target) in context.targets {
      for (action, compiled) in target.actions { answers["\(name).\(action)"] = compiled.sandbox }
    }
    return LoadResult(
      table: failed ? nil : parts.map(RouteTable.init), diagnostics: diagnostics, secretsNamed: context.secrets,
      sandboxAnswers: answers)
  }
}
