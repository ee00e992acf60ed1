// Target types of the user's own: files of `presets.d`, read, checked, stored and shown with the rest.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct UserPresetTests {
  private static let acme = """
    name: Acme
    doc: Logs calls at Acme.
    parameters:
      token: { required: true, secret: true, doc: the API token }
      region: { default: eu, doc: where the account lies }
    url: https://{{ target.region }}.acme.example/v1
    auth: { bearer: "{{ target.token }}" }
    limit: 5/s
    responses:
      - { status: 409, then: ok_duplicate }
    actions:
      log:
        doc: Logs a call.
        post: /calls
        arguments: { note: { default: "", main: true, doc: a remark } }
        body: { call: "{{ call.id }}", note: "{{ arguments.note }}" }
        sandbox: { status: 201, body: { id: 7 } }

    """
  private static let main = """
    version: 1
    sources: { doubletick: { type: doubletick } }
    targets:
      crm: { type: acme, token: "{{ secrets.acme_token }}", region: in }
    routes:
      all: { send: [crm.log: declined] }

    """

  private func bundle(_ presets: [String: String], main: String = main) -> ConfigBundle {
    ConfigBundle(
      main: .init(name: "routes.yaml", text: main),
      more: presets.map { .init(name: "presets.d/\($0.key).yaml", text: $0.value) })
  }

  private func places(_ result: LoadResult) -> [String] {
    result.diagnostics.map { "\($0.file):\($0.line):\($0.column) \($0.code)" }
  }

  @Test("a secret that a preset takes into a text of its own is placed where the target names it")
  func secretPlaces() throws {
    let text = Self.main.replacing("type: acme", with: "type: telegram, chat: x").replacing(", region: in", with: "")
      .replacing("crm.log", with: "crm.alert")
    let result = ConfigLoader.load(bundle: bundle([:], main: text))
    #expect(result.diagnostics.map(\.description) == [])
    let places = Set(
      result.secretsNamed.map { "\($0.name) \($0.absence.file):\($0.absence.line):\($0.absence.column)" })
    #expect(places == ["acme_token routes.yaml:4:46"])
  }

  @Test("a bracket that is not closed is named with its place")
  func unclosed() {
    let broken = Self.acme.replacing("- { status: 409, then: ok_duplicate }", with: "- { status: [409, then: fail }")
    let result = ConfigLoader.load(bundle: bundle(["acme": broken]))
    #expect(result.diagnostics.map(\.hint) == ["close the '[' of line 10, column 15, or quote the text"])
  }

  @Test("what is added beside a preset with faults says so, and a target of one that cannot be read is refused")
  func addBeside() throws {
    let broken = Self.acme.replacing("post: /calls", with: "psot: /calls")
    let main = Self.main.replacing(
      "type: acme, token: \"{{ secrets.acme_token }}\", region: in", with: "url: https://x.example"
    )
    .replacing("crm.log: declined", with: "")
    let edited = try ConfigEditor.edit(
      bundle(["acme": broken], main: main), [.addTarget(type: "acme", name: "more", with: [])])
    #expect(edited.notes.last?.contains("presets.d/acme.yaml:14:5: unknown field 'psot'") == true, "\(edited.notes)")
    let unread = bundle(["acme": Self.acme + "]"], main: main)
    #expect {
      try ConfigEditor.edit(unread, [.addTarget(type: "acme", name: "more", with: [])])
    } throws: { ($0 as? EditFault)?.message.contains("presets.d/acme.yaml cannot be read") == true }
    #expect {
      try ConfigEditor.edit(
        bundle([:], main: main), [.addTarget(type: "telegram", name: "tg", with: [.init("chat", .text(""))])])
    } throws: { ($0 as? EditFault)?.diagnostics.first?.message == "'chat' is empty" }
  }

  @Test("a preset of presets.d is a target type: its parameters, rules, actions and sandbox answers hold")
  func use() throws {
    let result = ConfigLoader.load(bundle: bundle(["acme": Self.acme]))
    #expect(result.diagnostics.map(\.description) == [])
    let target = try #require(result.table?.parts.targets["crm"])
    #expect(target.base.literal == "https://in.acme.example/v1")
    #expect(target.limits == [RateLimit(count: 5, per: .seconds(1))] && target.responses.first?.then == .okDuplicate)
    #expect(target.actions["log"]?.arguments.map(\.name) == ["note"])
    #expect(result.sandboxAnswers["crm.log"] == SandboxAnswer(status: 201, body: ["id": 7]))
    #expect(result.secretsNamed.map(\.name) == ["acme_token"])
    let yaml = try #require(result.resolved).yaml
    #expect(yaml.contains(#/limit: 5/s +# presets.d/acme.yaml:8\n/#), "\(yaml)")
  }

  @Test("from a folder: the presets lie beside the file, and are part of its version and of the stored text")
  func folder() throws {
    let folder = try TemporaryFolder(["routes.yaml": Self.main, "presets.d/acme.yaml": Self.acme])
    let result = ConfigLoader.load(path: folder.path + "/routes.yaml")
    #expect(result.diagnostics.map(\.description) == [])
    let read = try #require(result.bundle)
    #expect(read.files.map(\.name) == ["routes.yaml", "presets.d/acme.yaml"])
    #expect(read.version != ConfigBundle(main: read.main).version)
    let stored = ConfigLoader.load(stored: read.encoded, name: "routes.yaml")
    #expect(stored.table?.version == result.table?.version && stored.table != nil)
    #expect(ConfigBundle.canHold("presets.d/a.yaml") && !ConfigBundle.canHold("presets.d/a/b.yaml"))
  }

  @Test("a preset file alone is told to be a part, and of what")
  func alone() throws {
    let folder = try TemporaryFolder(["routes.yaml": Self.main, "presets.d/acme.yaml": Self.acme])
    let result = ConfigLoader.load(path: folder.path + "/presets.d/acme.yaml")
    #expect(places(result) == ["\(folder.path)/presets.d/acme.yaml:1:1 part_of_another"])
    #expect(result.diagnostics.first?.hint == "divert check \(folder.path)/routes.yaml")
  }

  @Test("a name that is built in, or is none, is an error at the file", arguments: ["slack", "http", "a b", "x.y"])
  func taken(name: String) throws {
    let main = "version: 1\ntargets: { t: { url: https://t.example, actions: { go: { post: / } } } }\n"
    let result = ConfigLoader.load(bundle: bundle([name: Self.acme], main: main))
    let code = ["slack", "http"].contains(name) ? "preset_exists" : "bad_name"
    #expect(places(result) == ["presets.d/\(name).yaml:1:1 \(code)"] && result.table == nil)
    if name == "slack" {
      let said = try #require(result.diagnostics.first)
      #expect(said.message == "there is a target type 'slack' already: it is built in")
      #expect(
        said.hint == "give the file another name, such as my_slack.yaml; `divert preset show slack` prints "
          + "the built-in one")
    }
  }

  @Test(
    "faults stand at their own place in the preset's file, whether a target uses it or not, and once", arguments: 0...2)
  func faults(uses: Int) throws {
    let broken = """
      name: Broken
      typ: x
      parameters:
        token: { required: maybe, secert: true }
      url: https://{{ target.regoin }}.acme.example
      limit: 5 a second
      responses:
        - { status: 409, then: dance }
      actions:
        log: { post: calls, body: { at: "{{ at | tme }}" } }

      """
    let targets = (0..<uses).map { "  t\($0): { type: broken, token: \"{{ secrets.t }}\" }\n" }.joined()
    let main = "version: 1\n" + (uses == 0 ? "" : "targets:\n" + targets)
    let result = ConfigLoader.load(bundle: bundle(["broken": broken], main: main))
    let errors = result.diagnostics.filter { $0.severity == .error }
    #expect(
      errors.map { "\($0.file):\($0.line):\($0.column) \($0.code)" } == [
        "presets.d/broken.yaml:2:1 unknown_field", "presets.d/broken.yaml:4:22 wrong_kind",
        "presets.d/broken.yaml:4:29 unknown_field", "presets.d/broken.yaml:5:14 unknown_parameter",
        "presets.d/broken.yaml:6:8 bad_rate", "presets.d/broken.yaml:8:26 bad_choice",
        "presets.d/broken.yaml:10:16 bad_path", "presets.d/broken.yaml:10:44 bad_template",
      ], "\(errors)")
  }

  @Test(
    "a file that is no YAML, empty or no mapping is named, and its targets are not complained about once more",
    arguments: ["a: [1": "yaml", "": "empty", "- 1\n": "not_a_mapping", "type: slack\nactions: {}\n": "contradictory"])
  func unreadable(text: String, code: String) {
    let result = ConfigLoader.load(bundle: bundle(["acme": text]))
    let errors = result.diagnostics.filter { $0.severity == .error }
    #expect(errors.first { $0.file == "presets.d/acme.yaml" }?.code == code)
    if code != "contradictory" { #expect(errors.count == 1, "\(errors)") }
  }

  @Test("an unknown type is told with the presets of the configuration among the names")
  func nearest() {
    let main = Self.main.replacing("type: acme,", with: "type: acm,")
    let result = ConfigLoader.load(bundle: bundle(["acme": Self.acme], main: main))
    #expect(result.diagnostics.first { $0.code == "unknown_type" }?.hint == "did you mean 'acme'?")
    let missing = ConfigLoader.load(
      bundle: bundle(["acme": Self.acme], main: "version: 1\ntargets: { a: { type: acme } }"))
    #expect(missing.diagnostics.first?.message == "target 'a' (acme) needs 'token'")
  }

  @Test("secrets that an unused preset names are not missed; those that stand in a target are warned of")
  func secrets() {
    let own = Self.acme.replacing("{{ target.token }}", with: "{{ secrets.fixed }}")
    let unused = ConfigLoader.load(bundle: bundle(["acme": own], main: "version: 1\n"))
    #expect(unused.diagnostics.isEmpty && unused.secretsNamed.isEmpty)
    let main = Self.main.replacing("\"{{ secrets.acme_token }}\"", with: "abc")
    let literal = ConfigLoader.load(bundle: bundle(["acme": Self.acme], main: main))
    #expect(literal.diagnostics.map(\.code) == ["secret_in_file"])
  }

  @Test("edits leave presets alone, know their types, and refuse to put routes there")
  func edits() throws {
    let bundle = bundle(["acme": Self.acme])
    let edited = try ConfigEditor.edit(bundle, [.addTarget(type: "acme", name: "other", with: [])])
    #expect(edited.file?.name == "routes.yaml")
    #expect(edited.file?.text.contains("# Acme: logs calls at Acme.\n  other:\n    type: acme\n") == true)
    #expect(throws: EditFault.self) {
      try ConfigEditor.edit(bundle, [.addTarget(type: "acme", name: "o", with: [])], into: "presets.d/acme.yaml")
    }
    let broken = self.bundle(["acme": Self.acme, "other": "actions: [\n"])
    #expect(try RouteListing.read(broken).routes.map(\.path) == ["all"])
  }

  @Test("the list has those of the configuration beside the built-in ones")
  func list() throws {
    let listed = Presets.list(bundle(["acme": Self.acme, "bad": "a: ["]))
    #expect(listed.map(\.name) == (Presets.names + ["acme"]).sorted())
    let acme = try #require(listed.first { $0.name == "acme" })
    #expect(acme.file == "presets.d/acme.yaml" && acme.text == Self.acme && acme.title == "Acme")
    #expect(acme.actions == ["log"] && acme.doc == "Logs calls at Acme.")
    #expect(listed.first { $0.name == "slack" }?.file == nil)
  }

  @Test("the schema of a configuration knows the types of its presets.d, with their parameters")
  func schema() throws {
    let schema = LanguageSchema.file(bundle(["acme": Self.acme]))
    let target = try #require(schema["definitions"]?["target_acme"])
    #expect(target["properties"]?["region"]?["description"] == "where the account lies")
    #expect(target["required"] == ["token"])
    #expect(LanguageSchema.file["definitions"]?["target_acme"] == nil)
    let preset = LanguageSchema.presetFile
    #expect(preset["properties"]?["parameters"] != nil && preset["properties"]?["type"] == nil)
    #expect(preset["definitions"]?["parameter"]?["properties"]?["secret"] != nil)
  }
}
