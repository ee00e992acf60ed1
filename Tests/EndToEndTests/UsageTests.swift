// Command lines that are not quite right, with the real binary: what is said, and the exit status.

import TestSupport
import Testing

@Suite("Command lines", .bounded) struct UsageTests {
  private static let config = """
    version: 1
    sources: { doubletick: { type: doubletick } }
    targets:
      crm: { url: "https://crm.example.com", actions: { log: { post: /calls } } }
    routes:
      outgoing:
        when: { direction: OUTGOING }
        send: [crm.log]
        also:
          rejected: { when: { event: CALL_REJECTED }, send: [crm.log] }
      off:
        enabled: false
        also:
          below: { when: { event: CALL_REJECTED }, send: [crm.log] }
    """

  @Test(
    "a command that does not exist is told with the nearest one, at every level",
    arguments: [
      (["chek"], "there is no command 'chek'; did you mean 'check'?", "divert <subcommand>"),
      (["routes", "lst"], "no command 'lst' of 'divert routes'; did you mean 'list'?", "divert routes <subcommand>"),
      (["dead-letters", "replya", "x"], "did you mean 'replay'?", "divert dead-letters <subcommand>"),
      (["zzzzzzzz"], "there are: serve, check, ", "divert <subcommand>"),
    ])
  func strangers(arguments: [String], said: String, usage: String) async throws {
    let output = try await RouterProcess(config: Self.config).divert(arguments)
    #expect(output.status == 64 && output.out.isEmpty, "\(output)")
    #expect(output.err.contains(said) && output.err.contains("\nUsage: \(usage)\n"), "\(output)")
  }

  @Test(
    "what is wrong with an argument is exit status 64 and the command's own usage, however late it is found",
    arguments: [
      (["explain", "missed", "--at", "yesterday"], "--at: `yesterday` is no time", "explain"),
      (["explain", "missed", "--set", "agent"], "write KEY=VALUE", "explain"),
      (["diff", "routes.yaml", "--against", "tomorrow"], "--against: `tomorrow` is no time", "diff"),
      (["diff", "routes.yaml", "--until", "soon"], "--until: `soon` is no time", "diff"),
      (["diff", "routes.yaml", "--until", "1h", "--against", "30m"], "nothing lies between --against 30m", "diff"),
      (["send", "missed", "--wait", "long"], "--wait long: write a length of time", "send"),
      (["test", "--fail-under", "101"], "a percentage, 0 to 100", "test"),
      (["test", "--fail-under=-1"], "a percentage, 0 to 100", "test"),
    ])
  func late(arguments: [String], said: String, command: String) async throws {
    let output = try await RouterProcess(config: Self.config).divert(arguments)
    #expect(output.status == 64 && output.out.isEmpty, "\(output)")
    #expect(output.err.contains(said) && output.err.contains("\nUsage: divert \(command) ["), "\(output)")
    #expect(output.err.contains("See 'divert \(command) --help'"), "\(output)")
  }

  @Test("help and versions are asked for as ever")
  func help() async throws {
    let router = try RouterProcess(config: Self.config)
    for arguments in [["help", "check"], ["check", "--help"], ["--help"], ["routes"], ["--version"]] {
      let output = try await router.divert(arguments)
      #expect(output.status == 0 && output.err.isEmpty && !output.out.isEmpty, "\(arguments): \(output)")
    }
  }

  @Test("a key that --set adds is said, with the nearest one that is there; one that is there is not")
  func newKeys() async throws {
    let router = try RouterProcess(config: Self.config)
    let typo = try await router.divert("explain", "incoming-rejected", "--set", "callDirecton=OUTGOING")
    #expect(typo.status == 0 && typo.out.contains("CALL_REJECTED INCOMING"), "\(typo)")
    #expect(
      typo.err == "divert: --set: callDirecton is new in this body; did you mean callDirection?\n", "\(typo)")
    let new = try await router.divert("explain", "incoming-rejected", "--set", "a.b=1", "--set", "a.b=2")
    #expect(new.err == "divert: --set: a is new in this body\n", "\(new)")
    let known = try await router.divert("explain", "incoming-rejected", "--set", "callDirection=OUTGOING")
    #expect(known.status == 0 && known.err.isEmpty, "\(known)")
  }

  @Test("a route whose conditions hold is told to lie under one that does not match, or is switched off")
  func parents() async throws {
    let router = try RouterProcess(config: Self.config)
    let output = try await router.divert("explain", "incoming-rejected")
    for line in [
      "✗ outgoing", "  ✗ outgoing/rejected (its parent does not match)", "✗ off (switched off)",
      "  ✗ off/below (its parent is switched off)",
    ] {
      #expect(output.out.split(separator: "\n").contains { $0 == line }, "\(line)\n\(output.out)")
    }
  }

  @Test("diff over a source that neither file has fails with its name; over one without events it says so")
  func sources() async throws {
    let router = try RouterProcess(config: Self.config)
    try await router.start()
    let unknown = try await router.divert("diff", "routes.yaml", "--source", "doubletik")
    #expect(unknown.status == 1, "\(unknown)")
    #expect(unknown.err.contains("there is no source `doubletik`; did you mean `doubletick`?"), "\(unknown)")
    let quiet = try await router.divert("diff", "routes.yaml", "--source", "doubletick", "--until", "1h")
    #expect(quiet.status == 0, "\(quiet)")
    #expect(quiet.out.hasPrefix("no event came in (--against 24h --until 1h --source doubletick)"), "\(quiet)")
  }
}
