// `preset list|show`: the target types that there are, built in or in `presets.d` beside the routes file.

import ArgumentParser
import DivertConfig
import DivertCore
import DivertServer

struct PresetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "preset", abstract: "The systems that Divert knows by name (`type:` of a target).",
    subcommands: [List.self, Show.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Name them, with what each is for and its actions; those of presets.d, too.")
    @Option(help: "The routes file (DIVERT_CONFIG; default routes.yaml), with presets.d beside it.") var config: String?
    @OptionGroup var output: OutputOptions

    func run() {
      let (bundle, faults) = UserPresets.read(config)
      let presets = Presets.list(bundle)
      if output.format == .json { return Console.print(json: ["presets": .array(presets.map(Self.json))]) }
      for fault in faults { Console.tell(fault.description) }
      let rows = presets.map { preset in
        [preset.name, preset.actions.joined(separator: ", "), preset.file.map { "\($0): \(preset.doc)" } ?? preset.doc]
      }
      Console.table(["type", "actions", "what it does"], rows)
    }

    private static func json(_ preset: ListedPreset) -> JSONValue {
      [
        "name": .string(preset.name), "title": .string(preset.title), "doc": .string(preset.doc),
        "actions": .array(preset.actions.map { .string($0) }), "file": preset.file.map { .string($0) } ?? .null,
      ]
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print one: the language of `targets:`, to be read, copied or changed.")
    @Argument(help: "Its name, as `divert preset list` prints it.") var name: String
    @Option(help: "The routes file (DIVERT_CONFIG; default routes.yaml), with presets.d beside it.") var config: String?

    func run() throws {
      let presets = Presets.list(UserPresets.read(config).bundle)
      guard let preset = presets.first(where: { $0.name == name }) else {
        let names = presets.map(\.name)
        let near =
          NearestName.to(name, among: names).map { "did you mean \($0)?" }
          ?? "there are \(names.joined(separator: ", "))"
        throw Console.fail("there is no preset `\(name)`; \(near)")
      }
      Console.print(raw: preset.text)
    }
  }
}

/// The files of `presets.d`, whatever the routes file is like.
enum UserPresets {
  static func read(_ config: String?) -> (bundle: ConfigBundle, faults: [Diagnostic]) {
    let path = RouterOptions.value(config, "DIVERT_CONFIG") ?? ServeOptions().config
    let (files, faults) = ConfigBundle.readBeside(path: path)
    return (ConfigBundle(main: .init(name: path, text: ""), more: files), faults)
  }
}
