// `fmt`: mends what keeps a routes file from being read, where only one thing can be meant, and touches nothing else.

import ArgumentParser
import DivertConfig
import DivertServer

struct Format: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fmt", abstract: "Mend quotes around {{ … }}, tabs and indentation where only one thing can be meant.",
    discussion: """
      A file that YAML reads well is never touched. A fault that has several remedies stays with all that follows it, \
      and is printed. Exit status 1 when something is left to mend, and with --check when something would be mended.
      """)

  @Option(help: "The routes file (DIVERT_CONFIG; default routes.yaml), with routes.d beside it.") var config: String?
  @Argument(help: "The file (default: --config).") var file: String?
  @Flag(help: "Only say what would be mended.") var check = false
  @Flag(help: "Only print the change, as a unified diff.") var diff = false

  func run() throws {
    let path = file ?? RouterOptions.value(config, "DIVERT_CONFIG") ?? ServeOptions().config
    let (bundle, faults) = ConfigBundle.read(path: path)
    guard let bundle else {
      for fault in faults { Console.tell(fault.description) }
      throw Console.fail("nothing was mended")
    }
    var isDone = true
    for formatted in ConfigFormatter.format(bundle) {
      isDone = try show(formatted, bundle.path(of: formatted.file)) && isDone
    }
    if !isDone { throw ExitCode(1) }
  }

  /// Whether nothing is left to do in the file.
  private func show(_ formatted: FormattedFile, _ path: String) throws -> Bool {
    if let text = formatted.text { try mend(formatted, text, path) }
    if formatted.left.isEmpty {
      if formatted.text == nil, !diff { Console.print("\(path): nothing to mend") }
      return formatted.text == nil || !check
    }
    for fault in formatted.left { Console.print(fault.description) }
    let what = formatted.text == nil ? "left as it is" : "the rest is left as it is"
    Console.print("\(path): \(what), since more than one thing can be meant")
    return false
  }

  private func mend(_ formatted: FormattedFile, _ text: String, _ path: String) throws {
    if diff {
      Console.print(String(UnifiedDiff.make(formatted.file.text, text, file: path).dropLast()))
    } else {
      for fix in formatted.fixes { Console.print("\(path): \(fix)") }
    }
    if check || diff { return }
    do { try ConfigFileWriter.replace(path, before: formatted.file.text, with: text) } catch {
      throw Console.fail("\(error)")
    }
    Console.print("\(path) is written")
  }
}
