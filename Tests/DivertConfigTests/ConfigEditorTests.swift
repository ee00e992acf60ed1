// Orders on a configuration: routes and targets by name, in the file where they stand, checked as a whole.
import Testing

@testable import DivertConfig

@Suite struct ConfigEditorTests {
  /// The example up to its tests, which name targets and routes, too.
  private static func bundle(_ more: String? = nil) throws -> ConfigBundle {
    let text = try Files.text("routes.yaml.example")
    let end = text.firstRange(of: "\n# Run with: divert test")?.lowerBound ?? text.endIndex
    return ConfigBundle(
      main: .init(name: "routes.yaml", text: String(text[..<end])),
      more: more.map { [.init(name: "routes.d/west.yaml", text: $0)] } ?? [])
  }

  private static func edit(_ orders: ConfigOrder..., in bundle: ConfigBundle, into: String? = nil) throws
    -> EditedConfiguration
  { try ConfigEditor.edit(bundle, orders, into: into) }

  private static func fault(_ order: ConfigOrder, in bundle: ConfigBundle) -> EditFault? {
    do { _ = try edit(order, in: bundle) } catch { return error as? EditFault }
    return nil
  }

  /// The lines that are in one text only.
  private static func lines(_ edited: EditedConfiguration) -> [String] {
    edited.diff.split(separator: "\n").dropFirst(2).filter { $0.hasPrefix("+") || $0.hasPrefix("-") }.map(String.init)
  }

  @Test("every route of the example can be disabled and enabled again, and the file is as it was")
  func everyRoute() throws {
    let bundle = try Self.bundle()
    for route in try RouteListing.make(bundle) {
      let off = try Self.edit(.disableRoute(route.path), in: bundle)
      #expect(Self.lines(off).count == 1 && Self.lines(off)[0].hasSuffix("  enabled: false"), "\(off.diff)")
      #expect(try RouteListing.make(off.bundle).first { $0.path == route.path }?.isEnabled == false)
      #expect(try Self.edit(.enableRoute(route.path), in: off.bundle).bundle == bundle)
      #expect(try Self.edit(.disableRoute(route.path), in: off.bundle).file == nil, "it is disabled already")
      #expect(try Self.edit(.enableRoute(route.path), in: bundle).file == nil, "it is enabled already")
    }
  }

  @Test("every route of the example can be removed; its comments go and all others stay")
  func removal() throws {
    let bundle = try Self.bundle()
    for route in try RouteListing.make(bundle) {
      let edited = try Self.edit(.removeRoute(route.path), in: bundle)
      #expect(Self.lines(edited).allSatisfy { $0.hasPrefix("-") || $0.hasSuffix("routes: {}") }, "\(edited.diff)")
      #expect(try !RouteListing.make(edited.bundle).contains { $0.path.hasPrefix(route.path) })
    }
    let declined = try Self.edit(.removeRoute("borrower-declined"), in: bundle)
    #expect(!declined.bundle.main.text.contains("An agent called and the customer declined"))
    let both = try Self.edit(
      .removeRoute("agent-declined/apology-now"), .removeRoute("agent-declined/apology-after-hours"), in: bundle)
    #expect(!both.bundle.main.text.contains("also:"))
    let none = try Self.edit(.removeRoute("agent-declined"), .removeRoute("borrower-declined"), in: bundle)
    #expect(none.bundle.main.text.hasSuffix("routes: {}\n"))
  }

  @Test("a route is added by its values or as it was written, at the top or under another")
  func addition() throws {
    let bundle = try Self.bundle()
    let short = ConfigOrder.addRoutes(
      [
        .init(
          "missed",
          .mapping([
            .init("when", .mapping([try ConfigOrder.condition("event=CALL_MISSED,CALL_NOT_PICKED")])),
            .init(
              "send",
              .sequence([
                try ConfigOrder.send("crm.log_call"), try ConfigOrder.send("team_lead.alert=Missed: {{ at }}"),
              ])),
          ]))
      ], written: nil, under: nil)
    let added = try Self.edit(short, in: bundle)
    #expect(
      added.bundle.main.text == bundle.main.text + """

          missed:
            when:
              event: [CALL_MISSED, CALL_NOT_PICKED]
            send:
              - crm.log_call
              - team_lead.alert: "Missed: {{ at }}"

        """)
    #expect(
      try ConfigOrder.send("whatsapp.template={ name: x }")
        == .mapping([.init("whatsapp.template", .mapping([.init("name", .scalar("x", plain: true))]))]))
    let yaml = "# A remark.\nvip:   # theirs\n    when: { customer.phone: +919876543210 }\n    send: [crm.log_call]\n"
    let under = try Self.edit(.routes(yaml: yaml, name: nil, under: "borrower-declined"), in: bundle)
    #expect(
      under.bundle.main.text == bundle.main.text + """
            also:
              # A remark.
              vip:   # theirs
                  when: { customer.phone: +919876543210 }
                  send: [crm.log_call]

        """)
    let body = try Self.edit(.routes(yaml: "{ send: [crm.log_call] }", name: "all", under: nil), in: bundle)
    #expect(body.bundle.main.text.hasSuffix("\n  all:\n    send: [crm.log_call]\n"), "\(body.diff)")
    #expect(throws: EditFault.self) { try ConfigOrder.routes(yaml: "when: x", name: nil, under: nil) }
  }

  @Test("an edit that would bring an error is refused with it; an old error is no obstacle")
  func check() throws {
    let bundle = try Self.bundle()
    let unknown = Self.fault(.set(path: "targets.crm.limti", .text("1/s")), in: bundle)
    #expect(unknown?.code == "not_good" && unknown?.diagnostics.map(\.code) == ["unknown_field"])
    #expect(Self.fault(.removeTarget("crm"), in: bundle)?.diagnostics.count == 3)
    #expect(Self.fault(.set(path: "targets.crm.limit", .text("often")), in: bundle)?.diagnostics.count == 1)
    let broken = ConfigBundle(main: .init(name: "f", text: bundle.main.text + "oddity: 1\n"))
    #expect(ConfigLoader.load(bundle: broken).hasErrors)
    #expect(try Self.edit(.set(path: "targets.crm.limit", .text("1/s")), in: broken).file != nil)
    #expect(Self.fault(.set(path: "targets.crm.limti", .text("1/s")), in: broken)?.code == "not_good")
  }

  @Test("an edit names the file's tests that fail under it and did not before")
  func ownTests() throws {
    let bundle = ConfigBundle(main: .init(name: "routes.yaml", text: try Files.text("routes.yaml.example")))
    let off = try Self.edit(.disableRoute("borrower-declined"), in: bundle)
    #expect(off.notes == [] && off.brokenTests.count == 1, "\(off.brokenTests)")
    #expect(off.brokenTests.first?.hasPrefix("a borrower who declines") == true)
    #expect(try Self.edit(.enableRoute("borrower-declined"), in: off.bundle).brokenTests == [])
    #expect(try Self.edit(.set(path: "targets.crm.limit", .text("1/s")), in: off.bundle).brokenTests == [])
  }

  @Test("values are written so that the language reads them back")
  func values() throws {
    let bundle = try Self.bundle()
    func line(_ path: String, _ value: YAMLValue) throws -> [String] {
      try Self.lines(Self.edit(.set(path: path, value), in: bundle)).filter { $0.hasPrefix("+") }
    }
    let body = "targets.crm.actions.log_call.body"
    #expect(try line("\(body).to", .text("+919876543210")) == ["+          to: \"+919876543210\""])
    #expect(try line("\(body).to", .text("919876543210")) == ["+          to: \"919876543210\""])
    #expect(try line("\(body).to", .scalar("919876543210", plain: true)) == ["+          to: 919876543210"])
    #expect(try line("\(body).type", .text("no")) == ["+          type: \"no\""])
    #expect(try line("\(body).at", .text("{{ at | date }}")) == ["+          at: \"{{ at | date }}\""])
    #expect(try line("targets.crm.order_by", .scalar("none", plain: true)) == ["+    order_by: none"])
    #expect(try line("targets.crm.limit", .sequence([.text("1/s"), .text("20/min")])) == ["+    limit: [1/s, 20/min]"])
    let when = "routes.agent-declined.when"
    #expect(
      try line("\(when).local.time.between", .text("08:00-18:00"))
        == ["+    when: { event: CALL_REJECTED, direction: INCOMING, local.time: { between: \"08:00-18:00\" } }"])
  }

  @Test("a value that is given anew changes only where it differs, and what stays keeps its comments")
  func reconciling() throws {
    let text = """
      version: 1
      tables:
        leads:
          # the first
          a: u   # of a
          b: v   # of b
          c: z
      """
    let bundle = ConfigBundle(main: .init(name: "f", text: text))
    let value = try YAMLValue(yaml: "{ a: u, b: vv, d: w }", what: "v")
    let edited = try Self.edit(.set(path: "tables.leads", value), in: bundle)
    #expect(edited.bundle.main.text.hasSuffix("    a: u   # of a\n    b: vv   # of b\n    d: w"), "\(edited.diff)")
    let turned = try YAMLValue(yaml: "{ b: v, a: u }", what: "v")
    #expect(
      try Self.edit(.set(path: "tables.leads", turned), in: bundle).bundle.main.text.hasSuffix("    b: v\n    a: u"))
    let example = try Self.bundle()
    let sends = try YAMLValue(yaml: "[crm.log_call, crm.log_agent, automation.event]", what: "v")
    let shorter = try Self.edit(.set(path: "routes.agent-declined.send", sends), in: example)
    #expect(shorter.bundle.main.text.contains("      - automation.event\n    also:\n"), "\(shorter.diff)")
  }

  @Test("a target of each preset is added with its secrets by name, and checks")
  func targets() throws {
    let bundle = try Self.bundle()
    for type in Presets.names {
      let preset = try #require(Preset.all[type])
      let given = preset.parameters.filter { $0.required && !$0.secret }
      let with = given.map { parameter in
        let isAddress = parameter.name == "url" || preset.root["url"]?.text == "{{ target.\(parameter.name) }}"
        return YAMLValue.Entry(parameter.name, .text(isAddress ? "https://erp.example" : "example"))
      }
      let edited = try Self.edit(.addTarget(type: type, name: "new-one", with: with), in: bundle)
      let loaded = ConfigLoader.load(bundle: edited.bundle)
      #expect(!loaded.hasErrors)
      let secrets = Set(loaded.secretsNamed.map(\.name)).filter { $0.hasPrefix("new_one_") }
      #expect(edited.notes.filter { $0.contains("DIVERT_SECRET_NEW_ONE_") }.count == secrets.count, "\(type)")
      #expect(secrets.allSatisfy { secret in edited.notes.contains { $0.contains("secrets/\(secret) ") } })
      #expect(edited.notes.last?.hasPrefix("then send to it from a route: - new-one.") == true)
      #expect(try Self.edit(.removeTarget("new-one"), in: edited.bundle).bundle == bundle)
      #expect(try Self.edit(.set(path: "targets.new-one.limit", .text("2/s")), in: edited.bundle).file != nil)
    }
    let own = try Self.edit(
      .addTarget(type: "http", name: "erp", with: [.init("url", .text("https://erp.example"))]), in: bundle)
    #expect(Self.lines(own) == ["+  erp:", "+    url: https://erp.example"])
    #expect(own.warnings.map(\.code) == ["no_actions"])
    #expect(Self.fault(.addTarget(type: "slcak", name: "x", with: []), in: bundle)?.message.contains("'slack'") == true)
    #expect(Self.fault(.addTarget(type: "slack", name: "crm", with: []), in: bundle)?.code == "exists")
  }

  private static let west = """
    # The west's own.
    targets:
      west_lead: { type: slack, hook: "{{ secrets.west_hook }}" }
    routes:
      west:
        when: { waba: "+919000000000" }
        send: [west_lead.alert: "{{ at }}"]
    """

  @Test("with routes.d, the file changes in which the thing stands")
  func severalFiles() throws {
    let bundle = try Self.bundle(Self.west)
    #expect(try Self.edit(.disableRoute("west"), in: bundle).file?.name == "routes.d/west.yaml")
    #expect(try Self.edit(.disableRoute("agent-declined"), in: bundle).file?.name == "routes.yaml")
    #expect(
      try Self.edit(.set(path: "targets.west_lead.limit", .text("1/s")), in: bundle).file?.name == "routes.d/west.yaml")
    let added = ConfigOrder.addTarget(type: "slack", name: "more", with: [])
    #expect(try Self.edit(added, in: bundle).file?.name == "routes.yaml")
    #expect(try Self.edit(added, in: bundle, into: "west.yaml").file?.name == "routes.d/west.yaml")
    #expect(Self.fault(.addTarget(type: "slack", name: "west_lead", with: []), in: bundle)?.code == "exists")
    #expect(throws: EditFault.self) { try Self.edit(added, in: bundle, into: "../east.yaml") }
    #expect(throws: EditFault.self) { try Self.edit(added, in: bundle, into: "east.yml") }
    #expect(throws: EditFault.self) {
      try Self.edit(.disableRoute("west"), .disableRoute("agent-declined"), in: bundle)
    }
  }

  @Test("what is not there is named, with the nearest name that is")
  func misses() throws {
    let bundle = try Self.bundle()
    #expect(
      Self.fault(.disableRoute("agent-decline"), in: bundle)?.message.contains("did you mean 'agent-declined'?") == true
    )
    #expect(Self.fault(.removeTarget("cmr"), in: bundle)?.message.contains("did you mean 'crm'?") == true)
    #expect(Self.fault(.unset(path: "targets.crm.retry"), in: bundle)?.code == "not_found")
    #expect(Self.fault(.set(path: "targets.crm.url", .scalar("", plain: true)), in: bundle)?.code == "no_value")
  }

  @Test("new names go to a file that is made for them; what stands elsewhere makes none")
  func newFile() throws {
    let bundle = try Self.bundle(Self.west)
    let added = ConfigOrder.addTarget(type: "http", name: "erp", with: [.init("url", .text("https://erp.example"))])
    for name in ["east.yaml", "routes.d/east.yaml"] {
      let edited = try Self.edit(added, in: bundle, into: name)
      #expect(
        edited.file == .init(name: "routes.d/east.yaml", text: "targets:\n  erp:\n    url: https://erp.example\n"))
      #expect(edited.isNew && edited.before.isEmpty && edited.notes == ["routes.d/east.yaml is a new file"])
      #expect(edited.bundle.files.map(\.name) == ["routes.yaml", "routes.d/east.yaml", "routes.d/west.yaml"])
      let again = try Self.edit(
        .removeTarget("west_lead"), .unset(path: "routes.west"), in: edited.bundle, into: "x.yaml")
      #expect(again.file?.name == "routes.d/west.yaml" && !again.isNew && again.bundle.files.count == 3)
    }
  }

  @Test("a path leads into what is there, or nothing is made")
  func misspeltPaths() throws {
    let bundle = try Self.bundle()
    let no = YAMLValue.scalar("false", plain: true)
    let misses = [
      "routes.borower-declined.enabled": "there is no route 'borower-declined'; did you mean 'borrower-declined'?",
      "routes.agent-declined.also.apology-nou.enabled":
        "there is no route 'agent-declined/apology-nou'; did you mean 'agent-declined/apology-now'?",
      "routes.borower-declined": "(`divert routes add` makes a new one)",
      "targets.crmm.url": "there is no target 'crmm'; did you mean 'crm'? (`divert targets add` makes a new one)",
      "sources.dobletick.key": "there is no source 'dobletick'; did you mean 'doubletick'?",
      "tables.leads.a": "there is no table 'leads'",
    ]
    for (path, sentence) in misses {
      let fault = Self.fault(.set(path: path, no), in: bundle)
      #expect(fault?.code == "not_found" && fault?.message.contains(sentence) == true, "\(path): \(fault as Any)")
      #expect(Self.fault(.unset(path: path), in: bundle)?.message.contains(sentence) == true)
    }
    let table = YAMLValue.mapping([.init("a", .text("b"))])
    #expect(try Self.edit(.set(path: "tables.leads", table), in: bundle).file != nil)
    #expect(try Self.edit(.set(path: "routes.agent-declined.also.apology-now.enabled", no), in: bundle).file != nil)
  }

  @Test("conditions have operators, alternatives and quotes; one field is given once")
  func conditions() throws {
    func value(_ text: String) throws -> YAMLValue { try ConfigOrder.condition(text).value }
    #expect(try value("event=A, B") == .sequence([.scalar("A", plain: false), .scalar("B", plain: false)]))
    #expect(try value("agent=\"James, Jr\"") == .text("James, Jr"))
    #expect(
      try value("agent='James, Jr',O'Brien") == .sequence([.text("James, Jr"), .scalar("O'Brien", plain: false)]))
    #expect(try value("call.duration={above: 5}") == .mapping([.init("above", .scalar("5", plain: true))]))
    #expect(try value("call.duration=5") == .scalar("5", plain: true))
    for wrong in ["agent=\"James, Jr", "agent=\"James\" Jr", "=x", "agent", "call.duration={above: 5"] {
      #expect(throws: EditFault.self, "\(wrong)") { try ConfigOrder.condition(wrong) }
    }
    func fault(_ texts: [String]) -> String? {
      do { _ = try ConfigOrder.conditions(texts) } catch { return error.message }
      return nil
    }
    #expect(fault(["event=A", "event=B"]) == "`event` is given twice; write event=A,B for either of them")
    #expect(fault(["x={above: 5}", "x={below: 9}"]) == "`x` is given twice; write all of it in one {…}")
    #expect(fault(["event=A", "agent=B"]) == nil)
  }

  @Test("what a target lacks is named at once")
  func missingParameters() throws {
    let fault = Self.fault(.addTarget(type: "http", name: "x", with: []), in: try Self.bundle())
    #expect(fault?.code == "missing_parameter" && fault?.message.hasPrefix("http needs url=… (") == true)
  }

  @Test("the list shows what can be read of a file with a doubled route, and what is wrong with it")
  func doubled() throws {
    let text = "routes:\n  a:\n    send: [x.y]\n  a:\n    send: [x.z]\n  b:\n    send: [x.y]\n"
    let (routes, faults) = try RouteListing.read(ConfigBundle(main: .init(name: "f", text: text)))
    #expect(routes.map(\.path) == ["a", "b"] && faults.map(\.code) == ["duplicate_key"])
    #expect(throws: EditFault.self) { try RouteListing.read(ConfigBundle(main: .init(name: "f", text: "a: [1"))) }
  }
}
