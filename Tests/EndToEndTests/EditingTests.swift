// Editing the routes file by command and over the operator address of a running router, and the page that tells of it.

import DivertCore
import DivertTransport
import Foundation
import TestSupport
import Testing

@Suite("Editing by command", .bounded) struct EditingTests {
  /// What the page shows: commands, each with what it prints.
  private static func transcript() throws -> [(command: String, output: String)] {
    var steps: [(command: String, output: String)] = []
    for block in try Page("docs/routes.md", section: "Editing by command").blocks where block.language == "console" {
      for line in block.text.split(separator: "\n", omittingEmptySubsequences: false) {
        if line.hasPrefix("$ ") {
          steps.append((String(line.dropFirst(2)), ""))
        } else if !steps.isEmpty {
          steps[steps.count - 1].output += line + "\n"
        }
      }
      // The last line break is the block's own.
      steps[steps.count - 1].output.removeLast()
    }
    return steps
  }

  @Test("docs/routes.md: every command of the section prints what the page says")
  func page() async throws {
    let house = try RouterProcess(
      config: try String(contentsOf: Page.root.appendingPathComponent("routes.yaml.example"), encoding: .utf8))
    let steps = try Self.transcript()
    #expect(steps.count >= 6)
    for step in steps {
      if step.command.hasPrefix("cat ") {
        let file = house.folder.appendingPathComponent(String(step.command.dropFirst(4)))
        try step.output.write(to: file, atomically: true, encoding: .utf8)
        continue
      }
      #expect(try await RouterProcess.shell(step.command, in: house.folder) == step.output, "\(step.command)")
    }
  }

  @Test("YAML on standard input becomes a route with its comments; fmt mends and then finds nothing to mend")
  func commands() async throws {
    let routes = "  all:\n    when: { event: CALL_REJECTED }\n    send: [crm.log]\n"
    let router = try RouterProcess(
      config: House.config(targets: House.target("crm", MisbehavingTarget()), routes: routes))
    let before = text(router)
    let yaml = "# For the boss.\nboss:\n  when: { customer.phone: \"+919876543210\" }  # theirs\n  send: [crm.log]\n"
    let added = try await router.divert("routes", "add", "--under", "all", input: yaml)
    #expect(added.status == 0 && added.out.contains("+") && added.out.contains("# For the boss."), "\(added)")
    #expect(try await router.divert("check").status == 0)
    #expect(try await router.divert("routes", "list").out.contains("all/boss"))
    let removed = try await router.divert("routes", "remove", "all/boss")
    #expect(removed.status == 0 && text(router) == before, "\(removed)")
    let dry = try await router.divert("targets", "set", "crm", "limit", "[1/s, 20/min]", "--dry-run")
    #expect(dry.status == 0 && dry.out.contains("nothing was written") && text(router) == before, "\(dry)")
    let refused = try await router.divert("targets", "set", "crm", "limit", "often")
    #expect(refused.status == 1 && refused.err.contains("'often' is not a rate") && text(router) == before)
    try router.write(config: before.replacingOccurrences(of: "\"{{ call.id }}\"", with: "{{ call.id }}"))
    #expect(try await router.divert("fmt", "--check").status == 1)
    #expect(try await router.divert("fmt").status == 0)
    #expect(text(router) == before)
    #expect(try await router.divert("fmt", "--check").status == 0)
  }

  @Test(
    "--into makes a file and names it as --config was given; what is misspelt or missing is said at its own command")
  func names() async throws {
    let router = try RouterProcess(
      config: House.config(
        targets: House.target("crm", MisbehavingTarget()), routes: "  all:\n    send: [crm.log]\n"))
    let path = router.folder.appendingPathComponent("routes.yaml").path
    let before = text(router)
    let add = ["routes", "add", "more", "--when", "event=CALL_MISSED", "--send", "crm.log", "--into", "west.yaml"]
    let added = try await router.divert(add + ["--config", path])
    let made = router.folder.appendingPathComponent("routes.d/west.yaml")
    #expect(
      added.status == 0 && added.out.contains("routes.d/west.yaml is a new file\n\(made.path) is written\n"), "\(added)"
    )
    #expect(FileManager.default.fileExists(atPath: made.path) && text(router) == before)
    let misspelt = try await router.divert("targets", "set", "crmm", "limit", "1/s")
    #expect(misspelt.status == 1 && misspelt.err.contains("did you mean 'crm'?") && text(router) == before)
    let empty = try await router.divert("routes", "set", "targets.crm.limit", "-", input: "")
    #expect(empty.status == 1 && empty.err.contains("standard input is empty"), "\(empty)")
    let absent = try await router.divert("routes", "add", "--from", "nope.yaml")
    #expect(absent.status == 1 && absent.err == "divert: there is no file nope.yaml\n", "\(absent)")
    let usage = try await router.divert("routes", "add", "--send", "crm.log")
    #expect(usage.status == 64 && usage.err.contains("Usage: divert routes add "), "\(usage)")
    #expect(try await !router.divert("routes", "list", "--help").out.contains("--into"))
  }

  @Test("over HTTP an edit needs If-Match; the second of two on one version gets 412, and commands edit there, too")
  func http() async throws {
    let router = try await House.open(targets: House.target("crm", MisbehavingTarget()))
    let read = try await Self.curl("GET", router.operatorAddress + "/api/config/file")
    let etag = try #require(read.headers.first { $0.name == "etag" }?.value)
    #expect(String(decoding: read.body, as: UTF8.self) == text(router))
    let edit = Array(#"{"edits":[{"do":"disable_route","route":"all"}]}"#.utf8)
    let url = router.operatorAddress + "/api/config/edit"
    #expect(try await Self.curl("POST", url, edit).status == 428)
    let made = try await Self.curl("POST", url, edit, ["If-Match: \(etag)"])
    #expect(made.status == 200)
    let newer = made.headers.first { $0.name == "etag" }?.value
    #expect(newer != nil && newer != etag)
    let late = try await Self.curl("POST", url, edit, ["If-Match: \(etag)"])
    #expect(late.status == 412 && late.headers.first { $0.name == "etag" }?.value == newer)
    #expect(text(router).contains("enabled: false"))
    let command = try await router.divert("routes", "enable", "all", "--operator", router.operatorAddress)
    #expect(command.status == 0 && !text(router).contains("enabled: false"), "\(command)")
  }

  private static func curl(_ method: String, _ url: String, _ body: [UInt8] = [], _ more: [String] = []) async throws
    -> TransferResult
  {
    try await background {
      CurlTransport.perform(
        TransferRequest(
          token: 0, method: method, url: url,
          headers: ["Content-Type: application/json", "X-Divert-Request: 1"] + more, body: body,
          connectTimeout: .seconds(5), totalTimeout: .seconds(30), network: .private))
    }
  }

  private func text(_ router: RouterProcess) -> String {
    (try? String(contentsOf: router.folder.appendingPathComponent("routes.yaml"), encoding: .utf8)) ?? "no file"
  }
}
