// `divert test` as people and CI run it: what it prints and how it ends. No router runs.

import DivertCore
import Foundation
import TestSupport
import Testing

@Suite("Testing a file", .bounded) struct ConfigTestCommandTests {
  private static func file(_ tests: String) -> String {
    """
    version: 1
    sources: { doubletick: { type: doubletick } }
    targets:
      crm: { url: https://crm.example.com, actions: { log: { post: /calls, body: { agent: "{{ agent }}" } } } }
    routes:
      declined: { when: { event: [CALL_REJECTED, CALL_MISSED] }, send: [crm.log] }
    \(tests)
    """
  }

  private static let good = """
    tests:
      a decline is logged:
        given: { event: CALL_REJECTED, direction: INCOMING, agent: Asha }
        sends: [crm.log]
        body: { crm.log: { agent: Asha } }
    """

  @Test("tests that pass end with 0, those that fail with 1 and a diff, and --only chooses")
  func passAndFail() async throws {
    let router = try RouterProcess(config: Self.file(Self.good))
    let good = try await router.divert("test")
    #expect(good.status == 0 && good.out == "✓ a decline is logged\n\n1 test passed\n", "\(good)")
    let bad = "\n  a missed call is not: { given: { event: CALL_MISSED, agent: Ravi }, sends: [] }\n"
    try router.write(config: Self.file(Self.good + bad))
    let failed = try await router.divert("test", "routes.yaml")
    #expect(failed.status == 1, "\(failed)")
    #expect(failed.out.contains("✗ a missed call is not  (routes.yaml:12)\n"), "\(failed)")
    #expect(failed.out.contains("      + crm.log  (declined)\n"), "\(failed)")
    #expect(failed.out.hasSuffix("1 of 2 tests failed: 'a missed call is not'\n"), "\(failed)")
    let only = try await router.divert("test", "--only", "decline")
    #expect(only.status == 0 && only.out.hasSuffix("1 test passed\n"), "\(only)")
    let none = try await router.divert("test", "--only", "nothing")
    #expect(none.status == 1 && none.err.contains("there are: 'a decline is logged'"), "\(none)")
    let github = try await router.divert("test", "--format", "github")
    #expect(github.status == 1 && github.out.hasPrefix("::error file=routes.yaml,line=12,title="), "\(github)")
  }

  @Test("coverage names what is not reached, and --fail-under fails below its percentage")
  func coverage() async throws {
    let router = try RouterProcess(config: Self.file(Self.good))
    let said = try await router.divert("test", "--coverage", "--fail-under", "75")
    #expect(said.status == 0, "\(said)")
    #expect(
      said.out.hasSuffix(
        """
        coverage: 75.0% (3 of 4 routes, branches and actions)
        no test reaches:
          routes.yaml:6  branch declined: event is CALL_MISSED

        """), "\(said)")
    let under = try await router.divert("test", "--fail-under", "90")
    #expect(under.status == 1 && under.err.contains("the tests reach 75.0%"), "\(under)")
    let json = try JSONValue.parse(Array(try await router.divert("test", "--format", "json").out.utf8))
    #expect(json["passed"] == true && json["coverage"]?["percent"]?.double == 75)
  }

  @Test("a file without tests says so; one with an error is not tested")
  func withoutTests() async throws {
    let router = try RouterProcess(config: Self.file(""))
    let none = try await router.divert("test")
    #expect(none.status == 0 && none.out == "routes.yaml has no tests: add some under 'tests:'\n", "\(none)")
    #expect(try await router.divert("test", "--fail-under", "1").status == 1)
    try router.write(config: Self.file("tests: { a: { given: { event: CALL_MISSED }, sends: [crm.lgo] } }\n"))
    let broken = try await router.divert("test")
    #expect(broken.status == 1, "\(broken)")
    #expect(broken.out.contains("target 'crm' has no action 'lgo'") && broken.out.contains("did you mean 'log'?"))
    #expect(broken.err.contains("its tests were not run"), "\(broken)")
    let json = try await router.divert("test", "--format", "json")
    let answer = try JSONValue.parse(Array(json.out.utf8))
    #expect(json.status == 1 && answer["passed"] == false, "\(json)")
  }
}
