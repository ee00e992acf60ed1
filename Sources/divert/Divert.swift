// The command line: `divert serve` is the router, every other command asks it (or, while it is stopped, its data folder).

import ArgumentParser
import DivertServer

@main
struct Divert: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "divert",
    abstract: "Routes call events to CRMs, automation hooks, WhatsApp and alerts: nothing lost, nothing sent twice.",
    discussion: """
      Start with `divert serve --sandbox`, then `divert send incoming-rejected` in another terminal.

      Exit status: 0 done; 1 a problem was found, or something could not be done; 3 neither a router nor its data folder can \
      be reached; 64 the command line is not understood.
      """,
    version: Version.number,
    subcommands: [
      Serve.self, Check.self, TestRoutes.self, Explain.self, Diff.self, Graph.self, Format.self, Routes.self,
      Apply.self, History.self, Rollback.self, Send.self, Status.self, Find.self, Report.self, Record.self,
      DeadLetters.self, Targets.self, Credentials.self, Auth.self, Sources.self, DoubleTickCommand.self,
      Quarantined.self, Rerun.self, Sandbox.self, CancelDeliveries.self, Suppress.self, Promises.self,
      Erase.self, AuditStore.self, Backup.self, PresetCommand.self, SchemaCommand.self, VersionCommand.self,
    ])
}
