// The presets of CRMs compile with what they need and nothing else, in every case that they know; their pages load.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct CRMPresetTests {
  static let names = ["freshsales", "hubspot", "leadsquared", "pipedrive", "salesforce", "zoho"]

  private static let keys = #"client_id: "{{ secrets.i }}", client_secret: "{{ secrets.s }}""#
  private static let zoho = #"type: zoho, \#(keys), refresh_token: "{{ secrets.r }}""#
  private static let salesforce = #"type: salesforce, client_id: "{{ secrets.i }}""#
  private static let tokens = #"client_secret: "{{ secrets.s }}", refresh_token: "{{ secrets.r }}""#

  static let targets = [
    #"type: hubspot, token: "{{ secrets.t }}""#,
    #"type: hubspot, token: "{{ secrets.t }}", call_id_property: divert_call_id, owner: a@example.com"#,
    #"type: hubspot, token: "{{ secrets.t }}", batch_wait: 500ms"#,
    zoho + ", batch_wait: 500ms", zoho + ", batch_wait: 500ms, call_id_field: DT_Call_ID",
    salesforce + ", batch_wait: 500ms, " + tokens,
    salesforce + ", batch_wait: 500ms, call_id_field: DT_Call_ID__c, " + tokens,
    #"type: leadsquared, access_key: "{{ secrets.a }}", secret_key: "{{ secrets.b }}", activity: 201, batch_wait: 1s"#,
    "type: hubspot, auth: shared",
    zoho, zoho + ", module: Leads, dc: eu, no_contact: skip",
    zoho + ", call_id_field: DT_Call_ID, owner: a@example.com",
    "type: zoho, auth: shared",
    salesforce + ", " + tokens, salesforce + ", object: Lead, no_contact: create_contact, " + tokens,
    salesforce + ", call_id_field: DT_Call_ID__c, " + tokens,
    salesforce + #", grant: client_credentials, domain: acme.my.salesforce.com, client_secret: "{{ secrets.s }}""#,
    salesforce + #", grant: jwt_bearer, username: a@example.com, private_key: "{{ secrets.k }}""#,
    "type: salesforce, auth: shared",
    #"type: leadsquared, access_key: "{{ secrets.a }}", secret_key: "{{ secrets.b }}", activity: 201, owner: a@example.com"#,
    #"type: freshsales, bundle: acme, key: "{{ secrets.k }}""#,
    #"type: freshsales, bundle: acme, key: "{{ secrets.k }}", activity_type_id: 3, owner: a@example.com"#,
    #"type: pipedrive, token: "{{ secrets.t }}", owner: a@example.com"#, "type: pipedrive, auth: shared",
  ]

  @Test("a parameter that takes certain values takes no other, and the nearest is named")
  func choices() {
    let target = Self.salesforce + ", grant: jwt_beare, " + Self.tokens
    let faults = ConfigLoader.load(text: file(target), file: "routes.yaml").diagnostics.filter { $0.severity == .error }
    #expect(faults.map(\.code) == ["bad_choice"])
    #expect(faults.first?.hint?.contains("jwt_bearer") == true, "\(faults)")
  }

  private func file(_ target: String) -> String {
    """
    version: 1
    sources: { doubletick: { type: doubletick } }
    \(target.contains("auth: shared") ? "credentials: { shared: { bearer: \"{{ secrets.shared }}\" } }" : "")
    targets: { crm: { \(target) } }
    routes:
      all:
        when: { event: CALL_REJECTED }
        send:
          - crm.log_call
          - crm.note: Hello
          - crm.task
          - crm.task: { owner: priya@example.com }
          - crm.create_contact
          - crm.set_field: \(target.contains("leadsquared") ? "{ name: mx_Risk, value: High }" : "{ fields: { risk: High } }")
    """
  }

  @Test("a target of a CRM's type compiles without a complaint", arguments: targets)
  func compiles(target: String) throws {
    let loaded = ConfigLoader.load(text: file(target), file: "routes.yaml")
    #expect(loaded.diagnostics.map(\.description) == [])
    let crm = try #require(loaded.table?.parts.targets["crm"])
    #expect(crm.actions.keys.sorted() == ["create_contact", "log_call", "note", "set_field", "task"])
  }

  @Test("what a preset needs is asked for only where it is used", arguments: names)
  func missing(name: String) throws {
    let loaded = ConfigLoader.load(
      text: "version: 1\nsources: { doubletick: { type: doubletick } }\ntargets: { crm: { type: \(name) } }\n",
      file: "routes.yaml")
    let missing = loaded.diagnostics.filter { $0.code == "missing_parameter" }.map(\.message)
    #expect(!missing.isEmpty)
    #expect(!missing.contains { $0.contains("'private_key'") })
  }

  @Test("every whole file on the page of a CRM loads without a complaint", arguments: names)
  func page(name: String) throws {
    let blocks = try Block.all(of: "docs/targets/\(name).md").filter { $0.language == "yaml" }
    #expect(!blocks.isEmpty)
    for block in blocks {
      let loaded = ConfigLoader.load(text: block.text, file: "routes.yaml")
      #expect(loaded.diagnostics.map(\.description) == [])
    }
  }
}
