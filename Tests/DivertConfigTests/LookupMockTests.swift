// Lookups in a file's tests: answered by mocks, never asked; what is skipped is not sent, what is not answered is said.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct LookupMockTests {
  private static func report(_ lookups: String, sends: String, more: String = "") throws -> TestReport {
    let text = """
      version: 1
      sources: { doubletick: { type: doubletick } }
      targets:
        crm:
          url: https://crm.example.com
          lookups:
            contact: { get: /contacts, fields: { id: id } }
          actions:
            log: { post: "/accounts/{{ account.id }}/calls", body: { stage: "{{ account.stage? }}" } }
            escalate: { post: /tasks, body: { contact: "{{ contact.id }}" } }
      lookups:
        account: { get: "crm:/accounts", fields: { id: id, stage: stage } }
      routes:
        declined:
          when: { event: CALL_MISSED }
          send: [crm.log]
          also:
            late: { when: { account.stage: [late, lost] }, send: [crm.escalate] }
      tests:
        one:
          given: { event: CALL_MISSED }
          lookups: \(lookups)
          sends: \(sends)
          \(more)
      """
    let result = ConfigLoader.load(text: text, file: "routes.yaml")
    let table = try #require(result.table, "\(result.diagnostics.map(\.description).joined())")
    return ConfigTests.run(result.tests, table: table)
  }

  @Test("the mocks stand in the bodies, and decide on the routes")
  func mocked() throws {
    let mid = try Self.report(
      "{ account: { id: 7, stage: mid } }", sends: "[crm.log]", more: "body: { crm.log: { stage: mid } }")
    #expect(mid.passed, "\(mid.text)")
    let late = try Self.report(
      "{ account: { id: 7, stage: late }, crm.contact: { id: 3 } }", sends: "[crm.log, crm.escalate]",
      more: "body: { crm.escalate: { contact: 3 } }")
    #expect(late.passed, "\(late.text)")
  }

  @Test("a lookup that is needed and not mocked fails the test by its name")
  func missing() throws {
    let report = try Self.report("{ account: { id: 7, stage: late } }", sends: "[crm.log, crm.escalate]")
    #expect(report.results[0].differences.map(\.kind) == [.lookup])
    #expect(report.text.contains("it asks `crm.contact`, and the test does not say what that answers"))
  }

  @Test("a mocked nothing is what `none` makes of it")
  func nothing() throws {
    let report = try Self.report("{ account: none }", sends: "[crm.log]")
    #expect(report.text.contains("crm.log could not be sent"))
    #expect(report.text.contains("no account was found in crm"))
  }

  @Test("a route that a lookup kept from firing is not reached, nor its branches")
  func coverage() throws {
    let missed = try Self.report("{ account: { id: 7, stage: mid } }", sends: "[crm.log]").coverage.missed
    #expect(missed.map(\.name).contains("declined/late"))
    let reached = try Self.report(
      "{ account: { id: 7, stage: late }, crm.contact: { id: 3 } }", sends: "[crm.log, crm.escalate]"
    ).coverage.missed
    #expect(reached.map(\.name) == ["declined/late: account.stage is lost"])
  }

  @Test("why a send is missing names the condition and what the lookup answered")
  func why() throws {
    let report = try Self.report("{ account: { id: 7, stage: mid } }", sends: "[crm.log, crm.escalate]")
    #expect(report.text.contains("account.stage is one of late, lost (it is mid)"), "\(report.text)")
  }

  @Test("a command line's answer is read as YAML")
  func read() {
    #expect(LookupMock.read("none") == LookupMock.none)
    #expect(LookupMock.read("{stage: late, id: 7}") == .found(["stage": "late", "id": 7]))
    #expect(LookupMock.read("{created: {id: 7}}") == .created(["id": 7]))
    #expect(LookupMock.read("{created: 2026-01-01}") == .found(["created": "2026-01-01"]))
    #expect(LookupMock.read("late") == nil)
    #expect(LookupMock.read("{stage: [") == nil)
  }

  // MARK: What is created

  private static func creating(_ lookups: String, sends: String, sandbox: String = "") throws -> TestReport {
    let result = creatingResult(lookups, sends: sends, sandbox: sandbox)
    let table = try #require(result.table, "\(result.diagnostics.map(\.description).joined())")
    return ConfigTests.run(result.tests, table: table)
  }

  private static func creatingResult(_ lookups: String, sends: String, sandbox: String = "") -> LoadResult {
    let text = """
      version: 1
      sources: { doubletick: { type: doubletick } }
      targets:
        crm:
          url: https://crm.example.com
          actions:
            create: { post: /accounts, fields: { id: id, stage: stage }\(sandbox) }
            log: { post: "/accounts/{{ account.id }}/calls" }
            welcome: { post: /tasks, body: { account: "{{ account.id }}" } }
      lookups:
        account: { get: "crm:/accounts", fields: { id: id, stage: stage }, none: create }
      routes:
        declined:
          when: { event: CALL_MISSED }
          send: [crm.log]
          also:
            early: { when: { account.stage: early }, send: [crm.welcome] }
            late: { when: { account.stage: late }, send: [crm.welcome] }
      tests:
        one:
          given: { event: CALL_MISSED }
          lookups: \(lookups)
          sends: \(sends)
          \(sends.contains("welcome") ? "body: { crm.welcome: { account: 9 } }" : "")
      """
    return ConfigLoader.load(text: text, file: "routes.yaml")
  }

  @Test("what is created is what conditions are judged by, and stands in the bodies")
  func created() throws {
    let report = try Self.creating(
      "{ account: { created: { id: 9, stage: early } } }", sends: "[crm.log, crm.welcome]")
    #expect(report.passed, "\(report.text)")
  }

  @Test("without that it is the creating action's sandbox answer")
  func sandbox() throws {
    let answer = ", sandbox: { status: 201, body: { id: 9, stage: late } }"
    let report = try Self.creating("{ account: none }", sends: "[crm.log, crm.welcome]", sandbox: answer)
    #expect(report.passed, "\(report.text)")
    let other = try Self.creating(
      "{ account: { created: { id: 9 } } }", sends: "[crm.log]", sandbox: answer)
    #expect(other.passed, "what the test says goes first: \(other.text)")
  }

  @Test("a condition on what nobody said is created fails the test by the lookup's name")
  func open() throws {
    let report = try Self.creating("{ account: none }", sends: "[crm.log, crm.welcome]")
    #expect(!report.passed)
    #expect(
      report.text.contains("it creates `account`, and whether it goes depends on that")
        && report.text.contains("lookups: { account: { created: { … } } }"), "\(report.text)")
  }

  @Test("fields that the creating action does not give are refused, and so is a creation that there is none of")
  func refused() {
    let odd = Self.creatingResult("{ account: { created: { ids: 9 } } }", sends: "[crm.log, crm.welcome]")
    #expect(odd.diagnostics.contains { "\($0)".contains("what 'crm.create' creates has no field 'ids'") })
    let table = LookupDefinition(
      name: "a", target: "c", request: ActionDefinition(name: "a", method: "GET", path: .placeholder))
    #expect(LookupMock.created(["id": 1]).fault(of: table)?.contains("creates nothing") == true)
  }
}
