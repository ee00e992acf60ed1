// What the router says when it is up: where to post, where to look, and what to try next.

import DivertCore

enum Banner {
  static func text(_ owners: Owners, ingest: String, operator address: String) -> String {
    let program = CommandLine.arguments.first ?? "divert"
    var lines = [
      owners.options.sandbox
        ? "Divert is running in the sandbox: every target is emulated, nothing leaves this machine."
        : "Divert is running.", "",
    ]
    for source in owners.table.parts.sources.values.sorted(by: { $0.name < $1.name }) {
      lines.append("  post events to    \(ingest)/in/\(source.name)\(key(source, owners))")
    }
    lines.append("  operator address  \(address)")
    lines.append("  configuration     \(owners.options.config) (version \(owners.table.version))")
    lines.append("  data              \(owners.options.dataFolder)")
    lines += ["", "Try, in another terminal:"]
    lines += ["  \(program) send incoming-rejected", "  \(program) status", ""]
    return lines.joined(separator: "\n")
  }

  /// Never the key itself, but for the sandbox's, which is none.
  private static func key(_ source: SourceDefinition, _ owners: Owners) -> String {
    if owners.options.sandbox { return "/sandbox" }
    return source.key == nil ? "   (no key: loopback only)" : "/<the source's key>"
  }
}
