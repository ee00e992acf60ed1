// Presets: targets in the very language of `targets:`, built in or of `presets.d`, with parameters that the user's target
// gives.
import DivertCore

/// A target type.
struct Preset: Sendable {
  struct Parameter: Sendable {
    var name: String
    var required: Bool
    var secret: Bool
    var fallback: YAMLNode?
    /// The values that it takes; empty: any.
    var choices: [String]
    var doc: String
  }

  let name: String
  let source: SourceText
  let root: YAMLNode
  let parameters: [Parameter]

  /// Every preset that is built in, by name; `PresetSet` has those of a configuration.
  static let all: [String: Preset] = EmbeddedFiles.presets.reduce(into: [:]) { all, file in
    let source = SourceText(file: "preset \(file.key)", text: file.value, hasLines: false)
    guard let root = YAMLReader.read(source).root else { return }
    all[file.key] = Preset(name: file.key, source: source, root: root)
  }

  init(name: String, source: SourceText, root: YAMLNode) {
    self.name = name
    self.source = source
    self.root = root
    parameters = (root["parameters"]?.entries ?? []).map { entry in
      Parameter(
        name: entry.key, required: entry.value["required"]?.text == "true",
        secret: entry.value["secret"]?.text == "true",
        fallback: entry.value["default"], choices: (entry.value["one_of"]?.items ?? []).compactMap(\.text),
        doc: entry.value["doc"]?.text ?? "")
    }
  }
}

/// The target types of one configuration: those that are built in, and those of its `presets.d`.
struct PresetSet: Sendable {
  /// Those that are built in, alone.
  static let builtIn = PresetSet()

  /// By name; one that is built in has no other of its name here.
  var own: [String: Preset] = [:]
  /// Names of files that cannot be read: what is wrong is said there, and not once more at each target.
  var broken: Set<String> = []

  subscript(name: String) -> Preset? { Preset.all[name] ?? own[name] }

  /// Sorted.
  var names: [String] { (Array(Preset.all.keys) + Array(own.keys)).sorted() }
  var all: [Preset] { names.compactMap { self[$0] } }
}

/// A target type as a list shows it.
package struct ListedPreset: Sendable, Hashable {
  package var name: String
  /// What the vendor calls it.
  package var title: String
  package var doc: String
  /// Sorted.
  package var actions: [String]
  /// Its file, from the main file's folder; nil where it is built in.
  package var file: String?
  /// As it is written.
  package var text: String

  fileprivate init(_ preset: Preset, isBuiltIn: Bool) {
    name = preset.name
    title = preset.root["name"]?.text ?? preset.name
    doc = preset.root["doc"]?.text ?? ""
    actions = (preset.root["actions"]?.entries ?? []).map(\.key).sorted()
    file = isBuiltIn ? nil : preset.source.name
    text = preset.source.text
  }
}

/// What the command line shows of presets.
package enum Presets {
  /// The names of the built-in presets, sorted.
  package static var names: [String] { EmbeddedFiles.presets.keys.sorted() }
  /// The text of a preset, as it is built in; nil where there is none of that name.
  package static func text(of name: String) -> String? { EmbeddedFiles.presets[name] }
  /// Every target type that there is for this configuration, by name; of `presets.d` those that can be read.
  package static func list(_ bundle: ConfigBundle) -> [ListedPreset] {
    PresetSet(bundle).all.map { ListedPreset($0, isBuiltIn: Preset.all[$0.name] != nil) }
  }
}
