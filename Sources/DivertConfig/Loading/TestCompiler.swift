// `tests:` → ConfigTests. What is expected must exist: a wrong target, action or event is a fault of the file.
import DivertCore

extension LoadContext {
  /// The file's tests, with what of its routes and actions they can reach.
  func configTests(_ file: Fields, _ parts: RouteTable.Parts) -> ConfigTests {
    let tests = file["tests"].map { node in
      named(node, "'tests'", strict: false).compactMap { configTest($0, parts) }
    }
    return ConfigTests(tests ?? [], in: file, conditions: conditionScope)
  }

  private func configTest(_ entry: YAMLNode.Entry, _ parts: RouteTable.Parts) -> ConfigTest? {
    let later = (entry.value.entries ?? []).filter { $0.key.hasPrefix("after ") }
    guard let fields = fields(entry.value, .test, name: entry.keyPlace, extra: later.map(\.key)) else { return nil }
    let events = fields["given"].map { givenEvents($0, parts) } ?? []
    let sends = fields["sends"].map(expectedSends) ?? []
    let stages = stages(later)
    let expected = sends + stages.flatMap(\.sends)
    let bodies = fields["body"].map { expectedBodies($0, expected, complete: fields["sends"] != nil) } ?? []
    var test = ConfigTest(
      name: entry.key, place: FileLine(entry.keyPlace), events: events,
      stages: [TestStage(after: .zero, sends: sends)] + stages, bodies: bodies,
      lookups: fields["lookups"].map(mockedLookups) ?? [:])
    test.suppressed = fields["suppressed"].map { suppressions($0, events) } ?? []
    test.down = fields["down"].map { outages($0, parts) } ?? [:]
    return test
  }

  /// By target, how long it takes nothing.
  private func outages(_ node: YAMLNode, _ parts: RouteTable.Parts) -> [String: Span] {
    var outages: [String: Span] = [:]
    for entry in named(node, "'down'", strict: false) {
      guard parts.targets[entry.key] != nil else {
        let hint = NearestName.hintOrList(entry.key, in: parts.targets.keys)
        error("unknown_target", entry.keyPlace, "there is no target '\(entry.key)'", hint ?? "add it under 'targets:'")
        continue
      }
      outages[entry.key] = duration(entry.value, "'\(entry.key)'")
    }
    return outages
  }

  /// The events' customers, each once.
  private func suppressions(_ node: YAMLNode, _ events: [TestEvent]) -> [Suppression] {
    guard let scope = choice(node, "'suppressed'", Language.suppressions) else { return [] }
    let phones = Set(events.compactMap(\.event.fields.customerPhone))
    return phones.sorted().map { phone in
      Suppression(
        phone: phone, reason: "test", coversAnswers: scope == "all", since: Timestamp(milliseconds: 0), until: nil)
    }
  }

  /// In the order of the clock.
  private func stages(_ entries: [YAMLNode.Entry]) -> [TestStage] {
    var stages: [TestStage] = []
    for entry in entries {
      guard let stage = stage(entry) else { continue }
      if stages.contains(where: { $0.after == stage.after }) {
        error(
          "contradictory", entry.keyPlace, "two lists of what follows after \(stage.after.duration)", "make them one")
      }
      stages.append(stage)
    }
    return stages.sorted { $0.after < $1.after }
  }

  /// `after 61m: [ … ]`: what falls due by then and not before.
  private func stage(_ entry: YAMLNode.Entry) -> TestStage? {
    guard let span = SmallGrammar.duration(SmallGrammar.trim(entry.key.dropFirst("after ".count))), span > .zero else {
      let message = "'\(entry.key)': this is not a duration"
      error("bad_duration", entry.keyPlace, message, "write 'after 61m' or 'after 6d 1h'")
      return nil
    }
    return TestStage(after: span, sends: expectedSends(entry.value))
  }

  /// `target.action` of each item; those that name nothing are reported.
  private func expectedSends(_ node: YAMLNode) -> [String] {
    list(node, "what is sent").enumerated().compactMap { index, item in
      guard item.entries == nil else {
        error(
          "wrong_kind", item.place, "a test lists 'target.action', without arguments", "the values go under 'body:'")
        return nil
      }
      return expectedSend(item, index)
    }
  }

  private func expectedSend(_ node: YAMLNode, _ index: Int) -> String? {
    guard let entry = SendEntry(node, index, self), resolve(entry) != nil else { return nil }
    return entry.name
  }

  /// - Parameters:
  ///   - sends: what the test expects.
  ///   - complete: `sends` is what the file says, so that a body beside it is a mistake.
  private func expectedBodies(_ node: YAMLNode, _ sends: [String], complete: Bool) -> [ExpectedBody] {
    named(node, "'body'", strict: false).compactMap { entry in
      let name = YAMLNode(content: .scalar(entry.key, plain: true), place: entry.keyPlace)
      guard expectedSend(name, 0) != nil else { return nil }
      let count = sends.count { $0 == entry.key }
      if complete, count == 0 {
        error("unexpected_body", entry.keyPlace, "'\(entry.key)' is not among what the test sends", "add it to 'sends'")
      }
      return expectedBody(entry, count)
    }
  }

  private func expectedBody(_ entry: YAMLNode.Entry, _ count: Int) -> ExpectedBody? {
    guard !entry.value.isEmpty else {
      error("no_value", entry.keyPlace, "nothing stands after '\(entry.key):'", "{ field: value }")
      return nil
    }
    let values = oneOrMore(entry.value).map(plainTree)
    let isPerDelivery = entry.value.items != nil
    if isPerDelivery, count > 0, values.count != count {
      let message = "\(values.count) bodies for \(count) deliveries of '\(entry.key)'"
      error("contradictory", entry.value.place, message, "one for each, or one without '[ ]' for all")
    }
    return ExpectedBody(send: entry.key, values: values, isPerDelivery: isPerDelivery)
  }

  /// A tree of plain values: what is expected, what is laid over a body. Templates are refused.
  func plainTree(_ node: YAMLNode) -> JSONValue {
    switch node.content {
    case .sequence(let items): return .array(items.map(plainTree))
    case .mapping(let entries):
      return .object(JSONObject(entries.map { .init(key: $0.key, value: plainTree($0.value)) }))
    case .scalar(let text, let plain):
      if text.contains("{{") {
        error("no_template", node.place, "a test takes plain values, no templates", "write the value itself")
      }
      return plain ? PlainScalar.value(text) ?? .string(text) : .string(text)
    }
  }

  /// What lookups answer, by full name.
  private func mockedLookups(_ node: YAMLNode) -> [String: LookupMock] {
    var lookups: [String: LookupMock] = [:]
    for entry in named(node, "'lookups'", strict: false) {
      guard let lookup = lookupDefinitions[entry.key] else {
        reportUnknownMock(entry)
        continue
      }
      if let text = entry.value.text, Language.mockedNone.contains(text) {
        lookups[entry.key] = LookupMock.none
      } else if let answer = plainTree(entry.value).object {
        let mock = LookupMock(answer, of: lookup)
        check(mock, entry, lookup)
        lookups[entry.key] = mock
      } else {
        let message = "a lookup answers with fields, 'none' or 'created: {…}', not with \(entry.value.kindName)"
        error("not_a_mapping", entry.value.place, message, "\(entry.key): { id: 7 }")
      }
    }
    return lookups
  }

  private func reportUnknownMock(_ entry: YAMLNode.Entry) {
    if lookupPlaces[entry.key] != nil { return }
    let hint = NearestName.hintOrList(entry.key, in: lookupDefinitions.keys)
    error("unknown_lookup", entry.keyPlace, "there is no lookup '\(entry.key)'", hint ?? "add it under 'lookups:'")
  }

  private func check(_ mock: LookupMock, _ entry: YAMLNode.Entry, _ lookup: LookupDefinition) {
    guard case .created = mock else { return checkFields(entry.value, of: "the lookup '\(entry.key)'", lookup.fields) }
    guard case .create(let action) = lookup.none else {
      let message = "the lookup '\(entry.key)' creates nothing: its 'none' names no action"
      return error("contradictory", entry.value.place, message, "\(entry.key): none")
    }
    let fields = entry.value[Language.mockedCreation]
    checkFields(fields, of: "what '\(lookup.target).\(action.name)' creates", action.fields)
  }

  private func checkFields(_ node: YAMLNode?, of what: String, _ known: [AnswerField]) {
    let names = known.map(\.name)
    for field in node?.entries ?? [] where !names.contains(field.key) {
      let message = "\(what) has no field '\(field.key)'"
      error("unknown_lookup_field", field.keyPlace, message, NearestName.hintOrList(field.key, in: names))
    }
  }
}
