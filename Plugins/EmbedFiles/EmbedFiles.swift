// A step of the build: the YAML files beside a module's sources become Swift, written anew by `embed-files` when one of
// them changes, comes or goes.
import Foundation
import PackagePlugin

@main struct EmbedFiles: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let files = target.sourceModule?.sourceFiles.map(\.url).filter { $0.pathExtension == "yaml" } ?? []
    let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedFiles.swift")
    return [
      .buildCommand(
        displayName: "Embedding \(files.count) YAML files of \(target.name)",
        executable: try context.tool(named: "embed-files").url,
        arguments: [output.path] + files.map(\.path).sorted(),
        inputFiles: files, outputFiles: [output])
    ]
  }
}
