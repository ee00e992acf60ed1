// `schema`: the language for editors and validators.

import ArgumentParser
import DivertConfig
import DivertCore

struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Print the JSON Schema of the language, for editors and validators.",
    discussion: """
      Write it beside the file, `divert schema > routes.schema.json`, and begin the file with \
      `# yaml-language-server: $schema=./routes.schema.json`: editors that speak yaml-language-server then complete and check \
      while you type. `divert check` finds more. The target types of `presets.d` beside the routes file are in it: print it \
      again when one comes.
      """)

  @Flag(help: "The schema of the files of routes.d, which hold a part of the sections.")
  var routesD = false
  @Flag(help: "The schema of the files of presets.d, each of which is a target type.")
  var presetsD = false
  @Option(help: "The routes file (DIVERT_CONFIG; default routes.yaml), with presets.d beside it.") var config: String?

  func validate() throws {
    if routesD, presetsD { throw ValidationError("say --routes-d or --presets-d, not both") }
  }

  func run() {
    let (bundle, faults) = UserPresets.read(config)
    for fault in faults { Console.tell(fault.description) }
    Console.print(json: schema(bundle))
  }

  private func schema(_ bundle: ConfigBundle) -> JSONValue {
    if presetsD { return LanguageSchema.presetFile }
    return routesD ? LanguageSchema.routesFile(bundle) : LanguageSchema.file(bundle)
  }
}
