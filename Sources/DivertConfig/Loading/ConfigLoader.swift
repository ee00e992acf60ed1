// routes.yaml → RouteTable, or everything that is wrong with it at once.
package import DivertCore

/// What a loading gives.
package struct LoadResult: Sendable {
  /// The compiled configuration; nil where there is an error among the diagnostics.
  package var table: RouteTable?
  /// Every fault, in the order of the files and their lines.
  package var diagnostics: [Diagnostic]
  /// Every `{{ secrets.name }}` of the file, in its order, presets' included.
  package var secretsNamed: [NamedSecret]
  /// What the sandbox answers, by `target.action`.
  package var sandboxAnswers: [String: SandboxAnswer]
  /// How the sandbox can let requests fail, by target.
  package var sandboxTargets: [String: SandboxTarget] = [:]
  /// What was read; nil where a file could not be.
  package var bundle: ConfigBundle?
  /// The files as one tree; nil where they are no such thing.
  var root: Fields?
  /// The target types that there are for these files.
  var presets = PresetSet.builtIn
  /// The file's tests, compiled; to be run against `table`.
  package var tests = ConfigTests()

  package var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

  /// A diagnostic for each secret that is named and absent, at the first place that names it: a warning of `check`, an
  /// error where it stops the router.
  package func absentSecrets(
    as severity: Diagnostic.Severity = .warning, isPresent: (String) -> Bool
  ) -> [Diagnostic] {
    var seen: Set<String> = []
    let needed = secretsNamed.filter { severity != .error || !$0.isGotLater }
    return needed.filter { seen.insert($0.name).inserted && !isPresent($0.name) }.map { secret in
      var absence = secret.absence
      absence.severity = severity
      return absence
    }
  }

  /// Every diagnostic, those of absent secrets among them, in the order of the files and their lines. A file that is named
  /// and absent is an error here: the router would not start.
  package func diagnostics(isPresent: (String) -> Bool) -> [Diagnostic] {
    let files = (bundle?.files ?? []).map { bundle?.path(of: $0) ?? $0.name }
    let own = diagnostics.map { diagnostic in
      var diagnostic = diagnostic
      if diagnostic.code == "absent_file" { diagnostic.severity = .error }
      return diagnostic
    }
    return Diagnostic.inOrder(own + absentSecrets(isPresent: isPresent), files: files)
  }
}

/// A secret that the file names, and where.
package struct NamedSecret: Sendable {
  package var name: String
  /// The warning for the case that there is none of that name.
  package var absence: Diagnostic
  /// The router starts without it: `divert auth` gets it (a refresh token).
  package var isGotLater = false

  init(_ name: String, _ place: Place) {
    self.name = name
    let variable = SecretStore.variable(name)
    absence = Diagnostic(
      .warning, "absent_secret", place, "there is no secret '\(name)'",
      hint: "a file '\(name)' in the secrets folder, or \(variable) in the environment")
  }
}

package enum ConfigLoader {
  /// The largest configuration taken, in bytes of all its files.
  static let maxBytes = 4 << 20

  /// Reads and compiles the file at `path` with those of the folders beside it. What cannot be read is a diagnostic, too.
  package static func load(path: String) -> LoadResult {
    let (bundle, faults) = ConfigBundle.read(path: path)
    guard let bundle else {
      return LoadResult(table: nil, diagnostics: faults, secretsNamed: [], sandboxAnswers: [:], bundle: nil)
    }
    if let fault = bundle.partOfAnother {
      return LoadResult(table: nil, diagnostics: [fault], secretsNamed: [], sandboxAnswers: [:], bundle: bundle)
    }
    return load(bundle: bundle, faults)
  }

  /// Compiles a text. `file`: its name in diagnostics.
  package static func load(text: String, file: String) -> LoadResult {
    load(bundle: ConfigBundle(main: .init(name: file, text: text)))
  }

  /// Compiles a bundle.
  package static func load(bundle: ConfigBundle) -> LoadResult { load(bundle: bundle, []) }

  /// Compiles what `ConfigBundle.encoded` gave. `name`: the main file's name in diagnostics.
  package static func load(stored text: String, name: String) -> LoadResult {
    load(bundle: ConfigBundle(encoded: text, name: name))
  }

  private static func load(bundle: ConfigBundle, _ faults: [Diagnostic]) -> LoadResult {
    let context = LoadContext(folder: bundle.folder)
    context.add(faults)
    guard let (main, more) = read(bundle, context) else { return result(context, bundle, nil) }
    var parts = RouteTable.Parts()
    let root = context.merged(main, more)
    compile(root, context, &parts)
    context.checkPresets()
    parts.version = bundle.version
    var result = result(context, bundle, parts)
    result.root = root
    result.presets = context.presets
    return result
  }

  /// The documents of all files but the presets, which the context gets; nil where one of them is not readable, which is
  /// reported.
  private static func read(_ bundle: ConfigBundle, _ context: LoadContext) -> (BundlePart, [BundlePart])? {
    var parts: [BundlePart] = []
    var bytes = 0
    var isReadable = true
    for (index, file) in bundle.files.enumerated() {
      let bare = file.text.unicodeScalars.first == "\u{feff}" ? String(file.text.unicodeScalars.dropFirst()) : file.text
      let source = SourceText(file: bundle.path(of: file), text: bare, name: file.name)
      let start = Place(source: source, line: 1, column: 1, length: 1)
      bytes += bare.utf8.count
      if bytes > maxBytes {
        let what = bundle.files.count > 1 ? "the files are" : "the file is"
        context.error("too_large", start, "\(what) larger than 4 MiB", "split off what is not routes")
        return nil
      }
      if let preset = file.preset {
        context.add(preset: preset, source)
        continue
      }
      let (root, faults) = YAMLReader.read(source)
      context.add(faults)
      if let root {
        parts.append(BundlePart(start: start, root: root))
      } else if index == 0 || !faults.isEmpty {
        if faults.isEmpty { context.error("empty", start, "the file is empty", "begin with 'version: 1'") }
        isReadable = false
      }
    }
    return isReadable ? parts.first.map { ($0, Array(parts.dropFirst())) } : nil
  }

  private static func compile(_ fields: Fields?, _ context: LoadContext, _ parts: inout RouteTable.Parts) {
    guard let fields else { return }
    if let version = fields["version"] { checkVersion(version, context) }
    if let zone = fields["timezone"].flatMap({ context.zone($0, "'timezone'") }) {
      parts.timezone = zone
      context.zone = zone
    }
    if let country = fields["country"].flatMap(context.country) {
      parts.country = country
      context.country = country
    }
    context.lookups = context.declaredLookups(fields)
    context.tables = fields["tables"].map { tables($0, context) } ?? [:]
    parts.tables = context.tables
    if let retention = fields["retention"] { context.retention = context.retention(retention) }
    parts.retention = context.retention
    context.calendars = fields["calendars"].map(context.calendars) ?? [:]
    if let server = fields["server"] { parts.server = context.server(server) }
    parts.sources = fields["sources"].map(context.sources) ?? [:]
    context.defaults = fields["defaults"].map(context.defaults) ?? CompiledDefaults()
    if let credentials = fields["credentials"] { context.credentials(credentials) }
    if let targets = fields["targets"] { context.targets(targets) }
    parts.targets = context.targets.mapValues(\.definition)
    parts.credentials = context.credentials.merging(context.ownCredentials) { shared, _ in shared }
    context.fileLookups(fields["lookups"])
    parts.lookups = context.lookupDefinitions
    parts.alarms = fields["alarms"].map(context.alarms) ?? []
    if let record = fields["record"] { (parts.recordSends, parts.recordEvery) = context.record(record) }
    parts.routes = fields["routes"].map { context.leavingOutOwn(context.routes($0)) } ?? []
    parts.books = context.books.filter { parts.booksRead.contains($0.key) }
    context.tests = context.configTests(fields, parts)
    context.warn(fields, parts)
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

  private static func result(_ context: LoadContext, _ bundle: ConfigBundle, _ parts: RouteTable.Parts?) -> LoadResult {
    let diagnostics = Diagnostic.inOrder(context.diagnostics, files: bundle.files.map { bundle.path(of: $0) })
    let failed = diagnostics.contains { $0.severity == .error }
    var answers = context.stageAnswers
    for (name, target) in context.targets {
      for (action, compiled) in target.actions { answers["\(name).\(action)"] = compiled.sandbox }
    }
    for name in (parts?.credentials ?? [:]).keys {
      answers["\(name).\(SandboxAnswer.tokenAction)"] = context.tokenAnswers[name] ?? .token
    }
    return LoadResult(
      table: failed ? nil : parts.map(RouteTable.init), diagnostics: diagnostics, secretsNamed: context.secrets,
      sandboxAnswers: answers, sandboxTargets: sandboxTargets(context, answers), bundle: bundle, tests: context.tests)
  }

  /// Targets, and whatever else the sandbox answers for (credentials that targets share), with the names of their requests.
  private static func sandboxTargets(
    _ context: LoadContext, _ answers: [String: SandboxAnswer]
  ) -> [String: SandboxTarget] {
    var targets = context.targets.mapValues { target in
      SandboxTarget(type: target.type, timeout: target.definition.totalTimeout, faults: target.faults)
    }
    for key in answers.keys {
      let names = key.split(separator: ".", maxSplits: 1).map(String.init)
      guard names.count == 2 else { continue }
      targets[names[0], default: .init(type: SandboxTarget.credential, timeout: .seconds(30))].actions.insert(names[1])
    }
    return targets
  }
}
