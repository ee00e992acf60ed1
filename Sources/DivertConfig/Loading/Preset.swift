// Presets: targets in the very language of `targets:` that are built in, with parameters that the user's target gives.
import DivertCore

/// A built-in target type.
struct Preset: Sendable {
  struct Parameter: Sendable {
    var name: String
    var required: Bool
    var secret: Bool
    var fallback: YAMLNode?
    var doc: String
  }

  let name: String
  let source: SourceText
  let root: YAMLNode
  let parameters: [Parameter]

  /// Every preset that is built in, by name.
  static let all: [String: Preset] = PresetFiles.texts.reduce(into: [:]) { all, file in
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
        fallback: entry.value["default"], doc: entry.value["doc"]?.text ?? "")
    }
  }
}

/// What the command line shows of presets.
package enum Presets {
  /// The names of the built-in presets, sorted.
  package static var names: [String] { PresetFiles.texts.keys.sorted() }
  /// The text of a preset, as it is built in; nil where there is none of that name.
  package static func text(of name: String) -> String? { PresetFiles.texts[name] }
}

/// The embedded files.
enum PresetFiles {
  static let texts: [String: String] = [
    "slack": PackageResources.slack_yaml, "zapier": PackageResources.zapier_yaml,
    "pabbly": PackageResources.pabbly_yaml, "doubletick": PackageResources.doubletick_yaml,
  ].mapValues { String(decoding: $0, as: UTF8.self) }
}
