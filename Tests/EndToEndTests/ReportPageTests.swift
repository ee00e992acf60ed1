// docs/report.md is executed: its calls come in, its commands print what it says, while the router runs and after it stopped.

import DivertCore
import Foundation
import TestSupport
import Testing

@Suite("The page on the report", .bounded) struct ReportPageTests {
  /// When it was made is another time each time.
  private static func steady(_ text: String) -> String {
    text.replacingOccurrences(of: "\r\n", with: "\n").trimmingCharacters(in: .newlines)
      .replacingOccurrences(of: "Made at [0-9T:.+-]+", with: "Made at …", options: .regularExpression)
  }

  @Test("the report of its calls is what it prints, from a running router and from its data folder")
  func walkThrough() async throws {
    let page = try Page("docs/report.md", section: "An example")
    let router = try RouterProcess(config: try #require(page.first("yaml")), sandbox: true)
    let outcomes = try #require(try Page("docs/report.md", section: "Outcomes").first("csv"))
    try outcomes.write(to: router.folder.appendingPathComponent("defaults.csv"), atomically: true, encoding: .utf8)
    try await router.start()
    for body in try #require(page.first("jsonl")).split(separator: "\n") {
      let sent = try await router.divert("send", "-", input: String(body))
      #expect(sent.status == 0, "\(sent)")
    }
    try await expect(page, router)
    #expect(try await router.terminate() == 0)
    try await expect(page, router)
  }

  private func expect(_ page: Page, _ router: RouterProcess) async throws {
    #expect(page.commands.count >= 3)
    for command in page.commands {
      let output = try await router.divert(command.arguments)
      #expect(output.status == 0, "\(output)")
      #expect(Self.steady(output.out) == Self.steady(command.output), "\(command.arguments)")
    }
  }

  @Test("a page of its own is complete, and what cannot be read is said")
  func page() async throws {
    let page = try Page("docs/report.md", section: "An example")
    let router = try RouterProcess(config: try #require(page.first("yaml")), sandbox: true)
    try await router.start()
    let html = try await router.divert("report", "--format", "html")
    #expect(html.out.hasPrefix("<!doctype html>") && html.out.hasSuffix("</html>\n"))
    let missing = try await router.divert("report", "--outcomes", "nothing.csv")
    #expect(missing.status == 1 && missing.err.contains("nothing.csv cannot be read"))
    #expect(try await router.divert("report", "--month", "2026-13").status == 1)
    #expect(try await router.divert("report", "--by", "agents").status == 64)
  }
}
