// What one loading of a file gathers: diagnostics, secrets and the settings that other sections need.
import DivertCore

/// Handed through all sections; a loading has one owner and runs on one thread.
final class LoadContext {
  private(set) var diagnostics: [Diagnostic] = []
  private(set) var secrets: [NamedSecret] = []
  var zone = "UTC"
  var country = "IN"
  var tables: [String: [String: String]] = [:]
  var targets: [String: CompiledTarget] = [:]
  /// Targets of which nothing can be known: their sends are not complained about a second time.
  var brokenTargets: Set<String> = []
  var defaults = CompiledDefaults()
  var presets = PresetSet.builtIn
  /// Types that a target has.
  var usedPresets: Set<String> = []
  var tests = ConfigTests()
  /// Shared ones, those of targets themselves, and what the sandbox answers to their token requests.
  var credentials: [String: CredentialDefinition] = [:]
  var ownCredentials: [String: CredentialDefinition] = [:]
  var tokenAnswers: [String: SandboxAnswer] = [:]
  /// Credentials of which nothing can be known: their targets are not complained about.
  var brokenCredentials: Set<String> = []
  var usedCredentials: Set<String> = []
  /// The lookups under `lookups`, as templates and conditions may name them.
  var lookups: [String: LookupName] = [:] {
    didSet { conditionScope.lookups = lookups }
  }
  /// What `when` may name; a step's may name more.
  var conditionScope = TemplateScope.condition
  /// Every lookup that could be compiled, by full name.
  var lookupDefinitions: [String: LookupDefinition] = [:]
  /// Whose condition is being read.
  var conditionOwner = ConditionOwner.route
  /// What `count`, `unless` and `expect` read, by name.
  var books: [String: BookDefinition] = [:]
  var retention = Retention()
  var calendars: [String: Set<Int>] = [:]
  var usedCalendars: Set<String> = []
  /// The lines of the labels of the route that is being read.
  var sendLabels: [String: Int] = [:]
  /// Where lookups are named, by full name.
  var lookupPlaces: [String: Place] = [:]
  /// What the sandbox answers to lookups, steps and verifications, by target and `StageRequest.name`.
  var stageAnswers: [String: SandboxAnswer] = [:]
  /// Where relative file names start, with its last `/`; nil where files are not looked for.
  let folder: String?

  init(folder: String? = nil) { self.folder = folder }

  /// One to compile conditions a second time.
  init(conditions scope: TemplateScope) {
    folder = nil
    conditionScope = scope
  }

  /// Whether `work` reports no error.
  func isClean(_ work: () -> Void) -> Bool {
    let before = diagnostics.count
    work()
    return !diagnostics.dropFirst(before).contains { $0.severity == .error }
  }

  func error(
    _ code: String, _ place: Place, _ message: String, _ hint: String? = nil, notes: [Diagnostic.Note] = []
  ) {
    guard isRoom(at: place) else { return }
    diagnostics.append(Diagnostic(.error, code, place, message, hint: hint, notes: notes))
  }

  func warn(
    _ code: String, _ place: Place, _ message: String, _ hint: String? = nil, notes: [Diagnostic.Note] = []
  ) {
    guard isRoom(at: place) else { return }
    diagnostics.append(Diagnostic(.warning, code, place, message, hint: hint, notes: notes))
  }

  func add(_ more: [Diagnostic]) { diagnostics += more }

  /// More mistakes than anybody reads; what goes beyond them is counted as one.
  static let maxDiagnostics = 1000

  private func isRoom(at place: Place) -> Bool {
    if diagnostics.count == Self.maxDiagnostics {
      let end = Place(source: place.source, line: place.source.lineCount, column: 1, length: 1)
      let message = "there are more mistakes than these \(Self.maxDiagnostics)"
      diagnostics.append(Diagnostic(.error, "too_many", end, message, hint: "mend these first"))
    }
    return diagnostics.count < Self.maxDiagnostics
  }

  /// Where the target at hand names secrets that its preset takes into its own texts.
  var givenSecrets: [String: Place] = [:]

  func name(secret: String, at place: Place) {
    let given = givenSecrets[secret].flatMap { $0.source.file == place.source.file ? nil : $0 }
    secrets.append(NamedSecret(secret, given ?? place))
  }

  /// The secrets that were named since there were so many are got by `divert auth`: the router starts without them.
  func gotLater(secretsFrom count: Int) {
    for place in secrets.indices.dropFirst(count) {
      secrets[place].isGotLater = true
      let hint = secrets[place].absence.hint.map { $0 + "; " } ?? ""
      secrets[place].absence.hint = hint + "the router starts without it, and 'divert auth' gets one"
    }
  }
}

/// The fields of a mapping that the language knows and that hold something.
struct Fields: Sendable {
  let node: YAMLNode
  let entries: [YAMLNode.Entry]

  subscript(name: String) -> YAMLNode? { entries.first { $0.key == name }?.value }

  /// Every entry of the mapping was accepted.
  var isWhole: Bool { entries.count == node.entries?.count }

  func entry(_ name: String) -> YAMLNode.Entry? { entries.first { $0.key == name } }

  /// Whether an entry that was refused was probably meant as `name`, among `names`.
  func refused(_ name: String, among names: [String]) -> Bool {
    let kept = Set(entries.map(\.key))
    return (node.entries ?? []).contains {
      !kept.contains($0.key) && ($0.key == name || NearestName.to($0.key, among: names) == name)
    }
  }
}

extension LoadContext {
  /// The fields of `node` after holding them against the language: unknown, empty and missing ones are
  /// reported. Nil when it is no mapping. `name`: where the thing is named, for what is missing. `extra`: further
  /// names that are right here.
  func fields(_ node: YAMLNode, _ part: LanguagePart, name: Place? = nil, extra: [String] = []) -> Fields? {
    let description = part.description
    guard let entries = node.entries else {
      let fields = description.fields.prefix(4).map(\.name).joined(separator: ", ")
      error(
        "not_a_mapping", node.place, "\(description.name) must be a mapping, not \(node.kindName)", "with \(fields) …")
      return nil
    }
    let kept = entries.filter { accept($0, description, extra) }
    for field in description.fields where field.required && !entries.contains(where: { $0.key == field.name }) {
      let hint = "add '\(field.name)': \(field.doc.prefix(1).lowercased() + field.doc.dropFirst())"
      error("missing_field", name ?? node.place, "\(description.name) needs '\(field.name)'", hint)
    }
    return Fields(node: node, entries: kept)
  }

  private func accept(_ entry: YAMLNode.Entry, _ description: MappingDescription, _ extra: [String]) -> Bool {
    let known = description.field(entry.key)
    if known == nil, !extra.contains(entry.key) {
      reportUnknown(entry, description, extra)
    } else if entry.value.isEmpty {
      error("no_value", entry.keyPlace, "nothing stands after '\(entry.key):'", "give it a value or remove it")
    } else {
      return true
    }
    return false
  }

  private func reportUnknown(_ entry: YAMLNode.Entry, _ description: MappingDescription, _ extra: [String]) {
    let names = description.fields.map(\.name) + extra
    let near = NearestName.to(entry.key, among: names)
    let hint =
      near.map { "did you mean '\($0)'?" } ?? misplaced(entry.key, description)
      ?? NearestName.hintOrList(entry.key, in: names)
    error("unknown_field", entry.keyPlace, "unknown field '\(entry.key)' in \(description.name)", hint)
  }

  /// What belongs to the outermost level of the file and stands somewhere else.
  private func misplaced(_ name: String, _ description: MappingDescription) -> String? {
    guard Language.sectionsOfNames.contains(name), description.name != Language.file.name else { return nil }
    let top = "'\(name):' stands at the outermost level of the file"
    guard name == "credentials", description.field("auth") != nil else { return top }
    return top + "; here 'auth: <its name>' names one, and 'auth: { … }' is a target's own"
  }

  /// The entries of a mapping of the user's own names; empty names and names with `/`, `.` or blanks are refused
  /// where `strict` (they become parts of ids, metrics and file names).
  func named(_ node: YAMLNode, _ what: String, strict: Bool = true) -> [YAMLNode.Entry] {
    guard let entries = node.entries else {
      error("not_a_mapping", node.place, "\(what) must be a mapping of names, not \(node.kindName)")
      return []
    }
    return entries.filter { entry in
      guard strict, !isName(entry.key) else { return true }
      error(
        "bad_name", entry.keyPlace, "'\(entry.key)' cannot be a name here", "letters, digits, '_' and '-', at most 64")
      return false
    }
  }

  private func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 64
      && text.utf8.allSatisfy {
        ($0 >= 48 && $0 <= 57) || ($0 >= 65 && $0 <= 90) || ($0 >= 97 && $0 <= 122) || $0 == 95 || $0 == 45
      }
  }
}
