// routes.yaml.example is what a new user starts with: it must load without a complaint and do what it says.
import DivertCore
import FoundationEssentials
import Testing

@testable import DivertConfig

enum Files {
  static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

  static func text(_ path: String) throws -> String {
    let data = try #require(FileManager.default.contents(atPath: root + "/" + path))
    return String(decoding: data, as: UTF8.self)
  }
}

@Suite struct ExampleTests {
  private func load() -> LoadResult { ConfigLoader.load(path: Files.root + "/routes.yaml.example") }

  @Test("the example loads without an error or a warning")
  func loads() {
    let result = load()
    #expect(result.diagnostics.map(\.description) == [])
    #expect(result.table != nil)
  }

  @Test("every secret of the example is named, and reported when absent, at its place")
  func secrets() throws {
    let result = load()
    let names = ["doubletick_ingest_key", "crm_token", "doubletick_key", "team_lead_hook", "zapier_hook"]
    #expect(Set(result.secretsNamed.map(\.name)) == Set(names))
    let absent = result.absentSecrets { $0 != "crm_token" }
    #expect(absent.count == 1)
    let first = try #require(absent.first)
    #expect(first.severity == .warning)
    #expect(first.sourceLine.contains("bearer:"))
    #expect(first.column == 25)
  }

  @Test("the example's routes, sends and inherited settings are as the file says")
  func routes() throws {
    let table = try #require(load().table)
    #expect(table.parts.timezone == "Asia/Kolkata")
    #expect(table.parts.routes.map(\.path) == ["agent-declined", "borrower-declined"])
    let declined = table.parts.routes[0]
    #expect(declined.children.map(\.path) == ["agent-declined/apology-now", "agent-declined/apology-after-hours"])
    #expect(
      declined.sends.map { "\($0.target).\($0.action)" } == [
        "crm.log_call", "crm.log_agent", "automation.event", "team_lead.alert",
      ])
    let apology = try #require(table.send(route: "agent-declined/apology-now", label: "0"))
    #expect(apology.toPerson)
    #expect(apology.orderBy?.single?.path == .field(.customerPhone))
    #expect(apology.orderBy?.single?.optional == true)
    #expect(apology.retry == .standard)
    #expect(
      table.parts.alarms.first?.arguments.first?.value
        == .template(
          Template(parts: [.expression(Expression(path: .argument("alarm", ["text"])))])))
  }
}
