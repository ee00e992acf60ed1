// `divert check` as programs use it: formats, --strict, exit statuses.

import DivertCore
import Testing

@Suite struct CheckTests {
  private static let good = """
    version: 1
    sources: { doubletick: { type: doubletick } }
    targets:
      crm: { url: "https://crm.example.com", actions: { log: { post: /calls } } }
    routes:
      all: { send: [crm.log] }
    """
  private static let warned = good + "\n  never: { when: { event: CALL_ENDED, status: REJECT }, send: [crm.log] }\n"
  private static let wrong = good + "\n  wrong: { sned: [crm.log] }\n"

  @Test("an error is exit status 1, a warning only with --strict")
  func statuses() async throws {
    for (config, plain, strict) in [(Self.good, 0, 0), (Self.warned, 0, 1), (Self.wrong, 1, 1)] {
      let router = try RouterProcess(config: config)
      #expect(try await router.divert("check").status == Int32(plain))
      #expect(try await router.divert("check", "--strict").status == Int32(strict))
    }
  }

  @Test("--format json is an array of objects, --format github one line each")
  func formats() async throws {
    let router = try RouterProcess(config: Self.wrong)
    let json = try await router.divert("check", "--format", "json")
    let all = try #require(try JSONValue.parse(Array(json.out.utf8)).array)
    #expect(json.status == 1 && all.count == 1)
    #expect(all[0]["line"] == 7 && all[0]["column"] == 12 && all[0]["end_column"] == 16)
    #expect(all[0]["code"] == "unknown_field" && all[0]["fix"]?["text"] == "send")
    let github = try await router.divert("check", "--format", "github")
    #expect(github.status == 1)
    let lines = github.out.split(separator: "\n")
    #expect(lines.count == 1 && lines[0].hasPrefix("::error file="), "\(github.out)")
    #expect(lines[0].contains(",line=7,col=12,endColumn=16,title=unknown_field::unknown field 'sned'"), "\(github.out)")
    let fine = try RouterProcess(config: Self.good)
    #expect(try await fine.divert("check", "--format", "json").out.filter { $0 != "\n" && $0 != " " } == "[]")
    #expect(try await fine.divert("check", "--format", "github").out.filter { $0 != "\n" } == "")
  }

  @Test("an absent secret is a warning of check and an error of serve")
  func secrets() async throws {
    let config = Self.good.replacing("crm: {", with: "crm: { auth: { bearer: \"{{ secrets.nobody_has_this }}\" },")
    let router = try RouterProcess(config: config)
    let check = try await router.divert("check")
    #expect(check.status == 0 && check.out.contains(": warning: there is no secret 'nobody_has_this'"), "\(check.out)")
    let serve = try await router.tryStart([])
    #expect(serve.status == 1 && serve.err.contains(": error: there is no secret 'nobody_has_this'"), "\(serve.err)")
  }
}
