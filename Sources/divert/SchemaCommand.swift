// `schema`: the language for editors and validators.

import ArgumentParser
import DivertConfig

struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Print the JSON Schema of the language, for editors and validators.",
    discussion: """
      Write it beside the file, `divert schema > routes.schema.json`, and begin the file with \
      `# yaml-language-server: $schema=./routes.schema.json`: editors that speak yaml-language-server then complete and check \
      while you type. `divert check` finds more.
      """)

  @Flag(help: "The schema of the files of routes.d, which hold a part of the sections.")
  var routesD = false

  func run() { Console.print(json: routesD ? LanguageSchema.routesFile : LanguageSchema.file) }
}
