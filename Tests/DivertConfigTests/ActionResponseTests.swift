// Rules for the answers to one action: where they may stand, and before which others they are asked.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct ActionResponseTests {
  private func target(_ yaml: String, presets: [String: String] = [:]) throws -> TargetDefinition {
    let files = presets.map { ConfigBundle.File(name: "presets.d/\($0.key).yaml", text: $0.value) }
    let main = ConfigBundle.File(name: "routes.yaml", text: "version: 1\ntargets:\n" + yaml)
    let loaded = ConfigLoader.load(bundle: ConfigBundle(main: main, more: files))
    return try #require(loaded.table?.parts.targets["crm"], "\(loaded.diagnostics)")
  }

  private func reasons(_ action: String, of target: TargetDefinition) throws -> [String] {
    try #require(target.actions[action]).responses.compactMap(\.because)
  }

  @Test("an action's rules are its own, its steps', and its own when a lookup asks for it") func own() throws {
    let crm = try target(
      """
        crm:
          url: https://crm.example.com
          responses: [{ status: 404, then: ok, because: target }]
          lookups:
            contact: { get: /contacts, fields: { id: id }, none: make }
          actions:
            make:
              post: /contacts
              fields: { id: id }
              responses: [{ status: 409, then: ok_duplicate, because: made }]
            log:
              needs: contact
              responses: [{ status: 409, then: ok_duplicate, because: logged }]
              steps: [{ one: { post: /one } }, { two: { post: /two } }]
            plain: { post: /plain }

      """)
    #expect(crm.responses.compactMap(\.because) == ["target"])
    #expect(try reasons("make", of: crm) == ["made"] && reasons("plain", of: crm) == [])
    let steps = try #require(crm.actions["log"]).steps.map { $0.request.responses.compactMap(\.because) }
    #expect(steps == [["logged"], ["logged"]])
  }

  private static let preset = """
    url: https://crm.example.com
    responses: [{ status: 401, then: hold, because: theirs }]
    actions:
      make: { post: /make, responses: [{ status: 409, then: ok_duplicate, because: their action }] }
      note: { post: /note }

    """

  @Test("what the user says stands before what the preset says: of the action, then of the target") func merged() throws
  {
    let crm = try target(
      """
        crm:
          type: own
          responses: [{ status: 409, then: fail, because: mine }]
          actions:
            make: { responses: [{ status: 409, then: park, because: my action }] }
            note: { responses: [{ status: 409, then: park, because: my note }] }

      """, presets: ["own": Self.preset])
    #expect(try reasons("make", of: crm) == ["my action", "mine", "their action"])
    #expect(try reasons("note", of: crm) == ["my note"])
    #expect(crm.responses.compactMap(\.because) == ["mine", "theirs"])
  }

  @Test("null removes the preset's rules of an action") func removed() throws {
    let crm = try target(
      "  crm: { type: own, actions: { make: { responses: null } } }\n", presets: ["own": Self.preset])
    #expect(try reasons("make", of: crm) == [] && crm.responses.count == 1)
  }
}
